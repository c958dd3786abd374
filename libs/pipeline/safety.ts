import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildFacts, evaluate, type Finding } from '../advisories/evaluate.ts';
import * as report from '../advisories/report.ts';
import * as schema from '../advisories/schema.ts';
import type { Severity } from '../advisories/severity.ts';
import { ForgeError } from '../core/errors.ts';
import type { Context, Request } from './context.ts';
import type { Needs } from './inputs.ts';
import type { BuildResult } from './result.ts';
import * as versions from './versions.ts';

/** What is known of the nginx that was built; a result has it, too. */
export type Built = Pick<BuildResult, 'quic' | 'configure'>;

/** The file of advisories, relative to the project. */
const FILE = 'nginx-quic/advisories.json';

/** The highest of Debian's suites that nginx is from is the one whose revisions count. */
const suiteOf = ({ base }: Request['recipe']['channel']): string => base.suites[0]?.suite ?? '';

/** What every advisory means for a build. Throws `ADVISORIES_INVALID`. */
export async function findings(
  request: Request,
  { repository }: Pick<Context, 'repository'>,
  need: Needs,
  built: Built,
): Promise<Finding[]> {
  const text = await readFile(join(repository, FILE), 'utf8');
  return evaluate(schema.parse(text, FILE), factsOf(request, need, built));
}

function factsOf({ recipe, sources }: Request, { versions: all, modules, book }: Needs, built: Built): BuildFacts {
  const { channel } = recipe;
  const { nginx, openssl, ...others } = all;
  const pinned = book.lock.sources.nginx;
  // A tree of the user's own is nobody's package.
  const isDebian = sources.nginx === undefined && (channel.kind === 'packaged' || pinned?.debian !== undefined);
  return {
    nginx: versions.upstream(nginx),
    ...(isDebian ? { debian: { suite: suiteOf(channel), version: nginx, patches: pinned?.patches ?? [] } } : {}),
    openssl: openssl ?? 'none',
    quic: built.quic,
    features: [
      ...built.configure,
      ...modules.flatMap(({ module, origin }) => (origin === 'source' ? [] : (module.configure ?? []))),
    ],
    modules: others,
  };
}

/** Throws `ADVISORY_AFFECTED` when a build is affected by something at least that severe. */
export function check(all: readonly Finding[], level: Severity | undefined): void {
  if (level === undefined || !report.exceeds(all, level)) return;
  const bad = report.touching(all);
  throw new ForgeError('ADVISORY_AFFECTED', `what was built is touched by ${bad.length} security advisories`, {
    expected: `none that is ${level} or worse`,
    found: bad.map(({ id, severity, title }) => `\n  ${id} (${severity}): ${title}`).join(''),
    hint: 'npm run advisories, npm run outdated; another channel may have the fixes (see docs/channels.md)',
  });
}
