import type { Digest } from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import type { Platform } from '../core/platform.ts';

/** One line of an image's history. */
export interface History {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** The execution parameters; names and shapes are those of the specification. */
export interface Execution {
  readonly User?: string | undefined;
  /** `443/udp` to an empty object. */
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>> | undefined;
  /** `NAME=value`. */
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
}

/** An image configuration (OCI image specification 1.1, "Image Configuration"). */
export interface ImageConfig {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly architecture: string;
  readonly os: string;
  readonly config?: Execution | undefined;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly History[] | undefined;
}

/** How an image runs, in the terms of this project. What is empty or not given is left out of the configuration. */
export interface Options {
  readonly author?: string;
  /** A name or number, with a group or without: `101:101`. */
  readonly user?: string;
  /** `443/udp`. */
  readonly exposedPorts?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** Absolute. */
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  /** Absolute paths. */
  readonly volumes?: readonly string[];
}

/** What the configuration says about one layer. */
export interface Step {
  readonly diffId: Digest;
  /** For a person: what made the layer. */
  readonly createdBy: string;
}

/**
 * The configuration of an image: a pure function of its arguments, with names sorted. `created` is in seconds since 1970.
 * Throws `IMAGE_INVALID` for what no engine would take.
 */
export function create(platform: Platform, created: number, options: Options, steps: readonly Step[]): ImageConfig {
  check(options);
  const time = timestamp(created);
  return {
    created: time,
    author: options.author,
    architecture: platform.architecture,
    os: platform.os,
    config: {
      User: options.user,
      ExposedPorts: set(options.exposedPorts?.map(protocol)),
      Env: list(
        Object.entries(options.env ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .sort(byCodeUnit),
      ),
      Entrypoint: list(options.entrypoint),
      Cmd: list(options.cmd),
      Volumes: set(options.volumes),
      WorkingDir: options.workingDir,
      Labels: Object.keys(options.labels ?? {}).length > 0 ? { ...options.labels } : undefined,
      StopSignal: options.stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: steps.map(({ diffId }) => diffId) },
    history: steps.map(({ createdBy }) => ({ created: time, created_by: createdBy })),
  };
}

/** Seconds since 1970 as RFC 3339 writes them: `2025-01-31T12:00:00Z`. */
export const timestamp = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

function check(options: Options): void {
  const fail = (what: string, expected: string, found: string): never => {
    throw new ForgeError('IMAGE_INVALID', `the image configuration has ${what}`, { expected, found });
  };
  for (const port of options.exposedPorts ?? []) {
    const [, number] = /^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(port) ?? [];
    if (number === undefined || Number(number) < 1 || Number(number) > 65535) fail('no port', '443/udp', port);
  }
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (!/^[^=\0]+$/.test(name) || value.includes('\0')) fail('no variable', 'NAME=value', `${name}=${value}`);
  }
  for (const path of [options.workingDir ?? '/', ...(options.volumes ?? [])]) {
    if (!path.startsWith('/')) fail('a relative path', 'absolute', path);
  }
}

/** `80` means `80/tcp`. */
const protocol = (port: string): string => (port.includes('/') ? port : `${port}/tcp`);

const list = (items: readonly string[] | undefined): readonly string[] | undefined =>
  items === undefined || items.length === 0 ? undefined : [...items];

const set = (items: readonly string[] | undefined): Record<string, Record<string, never>> | undefined =>
  items === undefined || items.length === 0
    ? undefined
    : Object.fromEntries([...items].sort(byCodeUnit).map((item) => [item, {}]));

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
