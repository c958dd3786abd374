import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import type { Platform } from '../core/platform.ts';
import * as config from './config.ts';
import type { Layer } from './layer.ts';
import * as manifest from './manifest.ts';

/** An image: what its files are, how it runs, and the digest that names exactly this. Nothing in it changes. */
export interface Image {
  readonly platform: Platform;
  readonly config: config.ImageConfig;
  /** The configuration as it is digested. */
  readonly configBytes: Uint8Array;
  readonly manifest: manifest.Manifest;
  /** The manifest as it is digested. */
  readonly manifestBytes: Uint8Array;
  /** Of the manifest: the name of the image. */
  readonly digest: Digest;
  /** From the lowest to the topmost. */
  readonly layers: readonly Layer[];
}

export interface Options {
  readonly platform: Platform;
  /** Seconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly created: number;
  /** From the lowest to the topmost, each with a line for a person about what made it. */
  readonly layers: readonly { readonly layer: Layer; readonly createdBy: string }[];
  readonly config: config.Options;
  /** Of the manifest; the time is added. */
  readonly annotations?: manifest.Annotations;
}

/** Makes an image of layers that were written. Pure. Throws `IMAGE_INVALID` for a configuration that no engine takes. */
export function create(options: Options): Image {
  const layers = options.layers.map(({ layer }) => layer);
  const steps = options.layers.map(({ layer, createdBy }) => ({ diffId: layer.diffId, createdBy }));
  const configuration = config.create(options.platform, options.created, options.config, steps);
  const configBytes = manifest.bytes(configuration);
  const made = manifest.create(manifest.descriptor(manifest.mediaTypes.config, configBytes), layers.map(describe), {
    [manifest.keys.created]: config.timestamp(options.created),
    ...options.annotations,
  });
  return freeze({
    platform: options.platform,
    layers,
    config: configuration,
    configBytes,
    manifest: made,
    manifestBytes: manifest.bytes(made),
  });
}

/** An image of parts that were read and verified; the digest is that of the manifest's bytes. */
export const freeze = (parts: Omit<Image, 'digest'>): Image =>
  Object.freeze({
    platform: parts.platform,
    config: deepFreeze(parts.config),
    configBytes: parts.configBytes,
    manifest: deepFreeze(parts.manifest),
    manifestBytes: parts.manifestBytes,
    digest: digest.of(parts.manifestBytes),
    layers: Object.freeze([...parts.layers]),
  });

/** The descriptor of a layer in its manifest. */
export const describe = ({ mediaType, digest: value, size }: Layer): manifest.Descriptor => ({
  mediaType,
  digest: value,
  size,
});

/** The descriptor of an image in an index, with its platform. */
export const descriptor = (image: Image, annotations: manifest.Annotations = {}): manifest.Descriptor => ({
  mediaType: manifest.mediaTypes.manifest,
  digest: image.digest,
  size: image.manifestBytes.length,
  platform: { architecture: image.platform.architecture, os: image.platform.os },
  ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) deepFreeze(item);
    Object.freeze(value);
  }
  return value;
}
