import { ForgeError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';
import type { Elf } from './elf.ts';

/** What glibc's loader was built with on a platform, as Debian builds it. */
export interface Abi {
  /** `e_machine` of the files it loads; others it passes over. */
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  /** What `$LIB` stands for. */
  readonly lib: string;
  /** What `$PLATFORM` stands for. */
  readonly platform: string;
  /** Searched last, in this order. */
  readonly directories: readonly string[];
  /** What ldconfig reads; its directories are searched before the default ones, as the cache that it writes is. */
  readonly configuration: string;
}

const machines: Readonly<Record<Platform['architecture'], { machine: number; lib64: readonly string[] }>> = {
  // The psABI puts 64-bit libraries into lib64, and ldconfig looks there; Debian keeps only the loader in it.
  amd64: { machine: 62, lib64: ['/lib64', '/usr/lib64'] },
  arm64: { machine: 183, lib64: [] },
};

/** The loader of a platform. Throws `PLATFORM_UNKNOWN`. */
export function of(platform: Platform): Abi {
  const found = machines[platform.architecture];
  if (found === undefined) {
    throw new ForgeError('PLATFORM_UNKNOWN', `no loader is known for ${platform.architecture}`);
  }
  const { triplet } = platform;
  return {
    machine: found.machine,
    bits: 64,
    littleEndian: true,
    lib: `lib/${triplet}`,
    platform: triplet.slice(0, triplet.indexOf('-')),
    directories: [`/lib/${triplet}`, `/usr/lib/${triplet}`, '/lib', '/usr/lib', ...found.lib64],
    configuration: '/etc/ld.so.conf',
  };
}

/** True for a file that this loader would load. */
export const matches = (abi: Abi, elf: Elf): boolean =>
  elf.machine === abi.machine && elf.bits === abi.bits && elf.littleEndian === abi.littleEndian;
