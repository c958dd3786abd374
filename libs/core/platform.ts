import { ForgeError } from './errors.ts';

/** A platform, in the names that OCI, Debian and the GNU toolchain each have for it. */
export interface Platform {
  /** OCI `os`. */
  readonly os: 'linux';
  /** OCI `architecture`, which is Go's GOARCH. */
  readonly architecture: 'amd64' | 'arm64';
  /** Debian's architecture. */
  readonly debian: 'amd64' | 'arm64';
  /** Debian's multiarch triplet, the name of the library folder. */
  readonly triplet: string;
  /** The program interpreter that the psABI names. */
  readonly loader: string;
}

const platforms: readonly Platform[] = [
  {
    os: 'linux',
    architecture: 'amd64',
    debian: 'amd64',
    triplet: 'x86_64-linux-gnu',
    loader: '/lib64/ld-linux-x86-64.so.2',
  },
  {
    os: 'linux',
    architecture: 'arm64',
    debian: 'arm64',
    triplet: 'aarch64-linux-gnu',
    loader: '/lib/ld-linux-aarch64.so.1',
  },
];

/** Reads `linux/amd64` and the like. Throws `PLATFORM_UNKNOWN`. */
export function parse(text: string): Platform {
  const found = platforms.find((platform) => format(platform) === text);
  if (found === undefined) {
    throw new ForgeError('PLATFORM_UNKNOWN', `unknown platform ${text}`, {
      expected: platforms.map(format).join(' or '),
      found: text,
    });
  }
  return found;
}

/** `os/architecture`, as `docker --platform` takes it. */
export const format = (platform: Platform): string => `${platform.os}/${platform.architecture}`;

/** The platform of this machine, from Node's own names for it. Throws `PLATFORM_UNKNOWN`. */
export const ofMachine = (os: string, arch: string): Platform =>
  parse(`${os}/${arch === 'x64' ? 'amd64' : arch === 'arm64' ? 'arm64' : arch}`);
