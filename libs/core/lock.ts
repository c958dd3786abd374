import { z } from 'zod';
import type { Digest } from './digest.ts';
import * as digest from './digest.ts';
import { ForgeError } from './errors.ts';

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform(digest.fromHex);

const file = z.strictObject({
  /** Which archive has it: a key of the lock's `archives`. */
  archive: z.string(),
  /** Relative to the archive's root: `pool/main/z/zlib/zlib1g_...deb`. No `..`, not absolute. */
  path: z.string().refine((path) => !path.startsWith('/') && !path.split('/').includes('..')),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  sha256,
});

const debianPackage = file.extend({ name: z.string(), version: z.string(), architecture: z.string() });

const source = z.strictObject({
  /** The Debian source package. */
  package: z.string(),
  version: z.string(),
  /** A newer version that the signed index names but no mirror serves: the reason why this one is locked. */
  heldBack: z.string().optional(),
  /** True where no mirror served it when the lock was made: only its digest is known. */
  unserved: z.literal(true).optional(),
  /** Where the author publishes the original archive; tried before Debian's mirrors. */
  upstream: z.url({ protocol: /^https$/ }).optional(),
  /** The original archive. An `archive` of `-` is in none of Debian's: only `upstream` has it. */
  orig: file,
  /** Debian's archive with `debian/patches/series`; absent where the channel takes the original source as it is. */
  debian: file.optional(),
  /** The lines of that series, so that a plan is whole before anything is downloaded, and a diff of the lock tells. */
  patches: z.array(z.string()).optional(),
});

const schema = z.strictObject({
  schema: z.literal(1),
  /** By name (`debian`, `debian-security`): the date of the signed index, for the snapshot archive (`20261119T021254Z`). */
  archives: z.record(z.string(), z.strictObject({ date: z.string().regex(/^\d{8}T\d{6}Z$/) })),
  /**
   * The digest of what was asked for, to notice when something else is: of each root by its name, of each source as
   * `source-NAME`. A root that has one and is not in `roots` is a choice that the suites did not have.
   */
  definitions: z.record(z.string(), sha256),
  /**
   * Root file systems, each the full list of its packages, sorted by name; those of a module (`module-NAME` to compile it,
   * `package-NAME` for Debian's own) and of a Lua library (`lua-NAME`) only have what the base has not.
   */
  roots: z.record(z.string(), z.array(debianPackage)),
  sources: z.record(z.string(), source),
});

/** One downloadable file: where to find it, and what it must be. */
export type PinnedFile = z.infer<typeof file>;
/** One `.deb`, by name, version and digest. */
export type PinnedPackage = z.infer<typeof debianPackage>;
/** One source: a Debian source package of format 3.0 (quilt), or an original archive alone. */
export type PinnedSource = z.infer<typeof source>;
/** Every input of a build, each with a digest. */
export type Lock = z.infer<typeof schema>;

/** Reads the text of a lock file. Throws `LOCK_INVALID` with the first thing that is wrong; `name` is for the message. */
export function parse(text: string, name: string): Lock {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ForgeError('LOCK_INVALID', `${name} is not JSON`, { cause, hint: 'npm run lock' });
  }
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new ForgeError('LOCK_INVALID', `${name} is not a lock: ${issue?.path.join('.')}: ${issue?.message}`, {
      hint: 'npm run lock',
    });
  }
  return result.data;
}

/** The text of a lock file: sorted, one package or source per line, so that two changes merge where they do not touch. */
export function format(lock: Lock): string {
  const line = (value: unknown): string =>
    JSON.stringify(value, (key, item: unknown) => (key === 'sha256' ? digest.hex(digest.parse(String(item))) : item));
  const object = (record: Record<string, unknown>, item: (value: never) => string): string =>
    Object.keys(record)
      .sort()
      .map((key) => `    ${JSON.stringify(key)}: ${item(record[key] as never)}`)
      .join(',\n');
  const list = (packages: readonly PinnedPackage[]): string =>
    `[\n${packages.map((entry) => `      ${line(entry)}`).join(',\n')}\n    ]`;
  return [
    '{',
    '  "schema": 1,',
    `  "archives": {\n${object(lock.archives, line)}\n  },`,
    `  "definitions": {\n${object(lock.definitions, (value: Digest) => JSON.stringify(digest.hex(value)))}\n  },`,
    `  "roots": {\n${object(lock.roots, list)}\n  },`,
    `  "sources": {\n${object(lock.sources, line)}\n  }`,
    '}',
    '',
  ].join('\n');
}
