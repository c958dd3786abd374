import { z } from 'zod';
import * as digest from '../core/digest.ts';
import { ForgeError } from '../core/errors.ts';
import * as compression from './compression.ts';
import type { Execution, ImageConfig } from './config.ts';
import { type Descriptor, type Index, type Manifest, mediaTypes } from './manifest.ts';

// Fields that are not named here are left out, not refused: the specification wants unknown fields ignored.
// Go writes an empty list or map as null; both mean that there is none.
const optional = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);
const strings = optional(z.array(z.string()));
const names = optional(z.record(z.string(), z.strictObject({})));
const record = optional(z.record(z.string(), z.string()));

const sha256 = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform(digest.parse);

const descriptor = <T extends string>(types: readonly [T, ...T[]]) =>
  z.object({
    mediaType: z.enum(types),
    digest: sha256,
    size: z.number().int().nonnegative(),
    annotations: record,
    platform: optional(z.object({ architecture: z.string(), os: z.string() })),
  }) satisfies z.ZodType<Descriptor>;

const { gzip, zstd, none } = compression.mediaTypes;

const execution: z.ZodType<Execution> = z.object({
  User: optional(z.string()),
  ExposedPorts: names,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: names,
  WorkingDir: optional(z.string()),
  Labels: record,
  StopSignal: optional(z.string()),
});

/** An image configuration. */
export const config: z.ZodType<ImageConfig> = z.object({
  created: optional(z.string()),
  author: optional(z.string()),
  architecture: z.string(),
  os: z.string(),
  config: optional(execution),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(sha256) }),
  history: optional(
    z.array(
      z.object({
        created: optional(z.string()),
        created_by: optional(z.string()),
        author: optional(z.string()),
        comment: optional(z.string()),
        empty_layer: optional(z.boolean()),
      }),
    ),
  ),
});

/** An image manifest whose config and layers have the media types of the specification. */
export const manifest: z.ZodType<Manifest> = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(mediaTypes.manifest),
  config: descriptor([mediaTypes.config]),
  layers: z.array(descriptor([gzip as string, zstd as string, none as string])),
  annotations: record,
});

/** An `index.json` that points at manifests. */
export const index: z.ZodType<Index> = z.object({
  schemaVersion: z.literal(2),
  mediaType: optional(z.literal(mediaTypes.index)),
  manifests: z.array(descriptor([mediaTypes.manifest])).min(1),
  annotations: record,
});

/** The `oci-layout` file. */
export const layout = z.object({ imageLayoutVersion: z.literal('1.0.0') });

/** The `manifest.json` of a docker-archive. */
export const dockerArchive = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullable(), Layers: z.array(z.string()) }),
);

/** Reads JSON of an image. Throws `IMAGE_INVALID` that names `what` and the first thing that is wrong with it. */
export function parse<T>(type: z.ZodType<T>, content: Uint8Array, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw new ForgeError('IMAGE_INVALID', `${what} is not JSON`, { cause });
  }
  const result = type.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ForgeError('IMAGE_INVALID', `${what}: ${issue?.path.join('.') ?? ''}: ${issue?.message}`, {
    cause: result.error,
  });
}
