import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
} as const;

/** The annotation keys of the specification that are read or written by name. */
export const keys = {
  /** The name of an image in a layout; mostly a tag. */
  refName: 'org.opencontainers.image.ref.name',
  created: 'org.opencontainers.image.created',
} as const;

export type Annotations = Readonly<Record<string, string>>;

/** Points at content by its digest (OCI image specification 1.1, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Annotations | undefined;
  readonly platform?: { readonly architecture: string; readonly os: string } | undefined;
}

/** An image manifest (OCI image specification 1.1). */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof mediaTypes.manifest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Annotations | undefined;
}

/** An image index (OCI image specification 1.1); also the `index.json` of a layout. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: typeof mediaTypes.index | undefined;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Annotations | undefined;
}

/** The descriptor of bytes in memory. */
export const descriptor = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digest.of(bytes),
  size: bytes.length,
});

/** The manifest of one image. */
export const create = (config: Descriptor, layers: readonly Descriptor[], extra: Annotations = {}): Manifest => ({
  schemaVersion: 2,
  mediaType: mediaTypes.manifest,
  config,
  layers,
  annotations: none(extra) ? undefined : extra,
});

/** An index of manifests, in the order that is given. */
export const index = (manifests: readonly Descriptor[], extra: Annotations = {}): Index => ({
  schemaVersion: 2,
  mediaType: mediaTypes.index,
  manifests,
  annotations: none(extra) ? undefined : extra,
});

/** The one form in which this project writes JSON of an image: sorted keys, no white space, UTF-8. */
export const bytes = (value: object): Uint8Array => Buffer.from(digest.canonicalJson(value));

const none = (record: Annotations): boolean => Object.keys(record).length === 0;
