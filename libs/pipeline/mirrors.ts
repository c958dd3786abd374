import type { Apt } from '../debian/apt.ts';
import * as mirror from '../debian/mirror.ts';

/** The base URLs of an archive, in the order to try them; `date` adds the snapshot of that date. */
export type Mirrors = (archive: string, date?: string) => string[];

/** The mirrors that the machine's apt configuration and the setting `H3FORGE_DEBIAN_MIRROR` name. */
export const mirrorsOf =
  (apt: Apt, setting: string | undefined): Mirrors =>
  (archive, date) =>
    mirror.bases(archive, { apt: apt.sources, setting, date });
