import { z } from 'zod';
import { ForgeError } from '../core/errors.ts';
import * as version from '../debian/version.ts';
import * as features from './features.ts';
import { severities } from './severity.ts';

const released = z.string().regex(/^\d+(\.\d+)+$/);
const range = z.strictObject({
  /** The first release that has it; left out where nobody told, then every older one counts. */
  from: released.optional(),
  /** The last release that has it. */
  to: released,
});

const leaf = z.union([
  z.strictObject({ module: z.enum(features.names) }),
  z.strictObject({ quic: z.enum(['native', 'boringssl', 'compat']) }),
]);
const clause = z
  .union([leaf, z.strictObject({ any: z.array(leaf).min(2) })])
  .transform((it) => ('any' in it ? it.any : [it]));

const patch = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(2)])
  .transform((names) => (typeof names === 'string' ? [names] : names));

const advisory = z.strictObject({
  id: z.string().regex(/^CVE-\d{4}-\d{4,}$/),
  /** What it is in: nginx, or a module of the catalogue with versions of its own. */
  component: z.enum(['nginx', 'njs', 'lua']).default('nginx'),
  title: z.string().min(1).max(120),
  /** Left out where the component's authors have not rated it. */
  severity: z.enum(severities).optional(),
  published: z.iso.date().optional(),
  affected: z.array(range).min(1),
  /** The first release of each branch that has it no more. */
  fixed: z.array(released).min(1),
  /** By suite: the first revision of Debian's package that has it no more. Older ones of the same release have it. */
  debian: z.record(z.string().regex(/^[a-z]+$/), z.string().refine(isDebian, 'not a Debian version')).default({}),
  /** Names in Debian's series. One entry is enough; an entry that is a list needs all of its names. */
  patches: z.array(patch).default([]),
  /** What must have been compiled in, all of it. */
  condition: z.array(clause).default([]),
  /** The directives without which it does nothing, for people: configurations are not read. */
  configuration: z.string().min(1).max(100).optional(),
  links: z.array(z.url({ protocol: /^https$/ })).min(1),
  /** False where not all of this was found in a public source. */
  confirmed: z.literal(false).optional(),
});

const schema = z.strictObject({
  schema: z.literal(1),
  /** The day on which the sources were last looked at. */
  checked: z.iso.date(),
  advisories: z.array(advisory),
});

export type Range = z.infer<typeof range>;
/** One thing that a build can have: a part of nginx, or an implementation of QUIC. */
export type Trait = z.infer<typeof leaf>;
/** What is publicly known of one vulnerability. */
export type Advisory = z.infer<typeof advisory>;

/** Reads the text of a file of advisories. Throws `ADVISORIES_INVALID` with the first thing that is wrong; `name` is for the message. */
export function parse(text: string, name: string): Advisory[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ForgeError('ADVISORIES_INVALID', `${name} is not JSON`, { cause });
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ForgeError('ADVISORIES_INVALID', `${name}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { advisories } = result.data;
  const ids = advisories.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new ForgeError('ADVISORIES_INVALID', `${name}: ${twice} is there twice`);
  return advisories;
}

function isDebian(text: string): boolean {
  try {
    version.parse(text);
    return true;
  } catch {
    return false;
  }
}
