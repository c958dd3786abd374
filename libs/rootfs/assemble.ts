import type { Closure } from '../core/closure.ts';
import type { Entry } from '../core/entry.ts';
import { ForgeError } from '../core/errors.ts';
import * as content from './content.ts';
import { merge, type Source } from './merge.ts';
import * as overlay from './overlay.ts';

/** A directory that must be there, such as one that the server writes to. */
export interface Directory {
  readonly path: string;
  /** 0755 unless told. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly reason?: string;
}

/** What a root file system is made of. In this order: a later part may override an earlier one if it says so. */
export interface Parts {
  readonly closure: Closure;
  /** Users, certificates and so on. */
  readonly generated?: readonly Entry[];
  /** A host folder whose files go into the image as they lie; `name` for messages and reasons. */
  readonly files?: { readonly directory: string; readonly name: string };
  readonly directories?: readonly Directory[];
  /** Which parts may take the place of entries of the parts before them. */
  readonly overrides?: readonly ('generated' | 'files' | 'directories')[];
  /** Owners other than 0:0, by exact path in the image. */
  readonly owners?: Readonly<Record<string, { readonly uid: number; readonly gid: number }>>;
}

/**
 * The whole root file system: sorted, each path once and without a link in it, parents included, the root itself
 * not. Throws `ROOTFS_CONFLICT`, `ROOTFS_PATH_INVALID`, `ROOTFS_LINK_LOOP`, `ROOTFS_UNSUPPORTED`,
 * `ROOTFS_SOURCE_MISSING`, `ROOTFS_OWNER_UNKNOWN` (an owner for a path that is not there), and
 * `ROOTFS_PRIVATE_KEY`: an image is public to all who can pull it, so a key never goes into one.
 */
export function assemble(parts: Parts): Entry[] {
  const overrides = (part: 'generated' | 'files' | 'directories'): boolean => parts.overrides?.includes(part) ?? false;
  const sources: Source[] = [
    { name: 'the closure', entries: overlay.fromClosure(parts.closure) },
    { name: 'the generated files', entries: parts.generated ?? [], overrides: overrides('generated') },
    ...(parts.files === undefined
      ? []
      : [
          {
            name: parts.files.name,
            entries: overlay.read(parts.files.directory, parts.files.name),
            overrides: overrides('files'),
          },
        ]),
    {
      name: 'the recipe’s directories',
      entries: (parts.directories ?? []).map(directory),
      overrides: overrides('directories'),
    },
  ];
  const entries = own(merge(sources), parts.owners ?? {});
  for (const entry of entries) {
    if (entry.type === 'file' && content.hasPrivateKey(entry.content)) {
      throw new ForgeError('ROOTFS_PRIVATE_KEY', `${entry.path} holds a private key`, {
        ...('file' in entry.content ? { found: entry.content.file } : {}),
        hint: 'mount the key where the container runs; do not put it into the image',
      });
    }
  }
  return entries;
}

const directory = ({ path, mode = 0o755, uid = 0, gid = 0, reason }: Directory): Entry => ({
  type: 'directory',
  path,
  mode,
  uid,
  gid,
  ...(reason === undefined ? {} : { reason }),
});

function own(entries: readonly Entry[], owners: NonNullable<Parts['owners']>): Entry[] {
  const paths = new Set(entries.map(({ path }) => path));
  const unknown = Object.keys(owners).find((path) => !paths.has(path));
  if (unknown !== undefined) {
    throw new ForgeError('ROOTFS_OWNER_UNKNOWN', `an owner is given for ${unknown}, which is not in the image`);
  }
  return entries.map((entry) => {
    const owner = Object.hasOwn(owners, entry.path) ? owners[entry.path] : undefined;
    return owner === undefined ? entry : { ...entry, uid: owner.uid, gid: owner.gid };
  });
}
