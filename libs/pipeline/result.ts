import type { Finding } from '../advisories/evaluate.ts';
import type { Link } from '../core/module.ts';
import type { Quic } from '../core/recipe.ts';
import type { Verdict } from '../verify/types.ts';
import type { StageRecord } from './stages.ts';
import type { Versions } from './versions.ts';

/** What a build gave; `--json` prints it as it is. */
export interface BuildResult {
  readonly schema: 1;
  readonly channel: string;
  /** nginx's own version: `1.26.3`. */
  readonly nginx: string;
  /** Debian's versions of the sources and of the libraries that matter. */
  readonly versions: Versions;
  /** How nginx speaks QUIC, read from the program that was built. */
  readonly quic: Quic;
  /** The words of nginx's configure script, as `nginx -V` shows them. */
  readonly configure: readonly string[];
  /** The security advisories that touch what was built, the worst first. */
  readonly advisories: readonly Finding[];
  readonly modules: readonly { readonly name: string; readonly link: Link; readonly origin: string }[];
  /** Sources of which the signed index has a newer version that no mirror served when the lock was made. */
  readonly heldBack: readonly { readonly package: string; readonly locked: string; readonly newest: string }[];
  /** Folders that it writes to: a tmpfs goes on each where its root is read-only. */
  readonly writable: readonly string[];
  /** Of the image manifest. */
  readonly digest: string;
  /** Bytes of all layers. */
  readonly size: { readonly raw: number; readonly compressed: number };
  /** Where it lies, as `--output` writes it. */
  readonly output: readonly string[];
  readonly stages: readonly StageRecord[];
  readonly probes: readonly Verdict[];
  /** The file with all that the server wrote while it was probed. */
  readonly log: string;
  /** True when every probe passed. */
  readonly ok: boolean;
}
