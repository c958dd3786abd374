import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Digest } from '../core/digest.ts';
import * as digest from '../core/digest.ts';
import type { Entry } from '../core/entry.ts';
import * as layer from '../image/layer.ts';
import type { Layer as Group } from '../rootfs/layers.ts';
import type { Context } from './context.ts';

/** Of gzip. 9 takes almost three times as long and makes a layer of nginx and its libraries smaller by 200 bytes. */
const LEVEL = 7;

const BLOB = 'blob';
const FACTS = 'layer.json';

/**
 * A layer with these entries, from the store where the same one was written before: a changed configuration compresses
 * nothing but itself. `code` is the digest of what writes layers, `epoch` the time of every entry.
 */
export async function take(context: Context, code: Digest, { entries }: Group, epoch: number): Promise<layer.Layer> {
  const { store, signal } = context;
  const key = digest.ofJson({ code, entries: await keyOf(store.dir, entries, epoch) });
  const { path } = await store.directory('layer', key, async (dir) => {
    const written = await layer.write(entries, { dir, compression: 'gzip', level: LEVEL, mtime: epoch, signal });
    const { file, digest: value, diffId, size, rawSize, compression } = written;
    await rename(file as string, join(dir, BLOB));
    const facts: layer.Facts = { digest: value, diffId, size, rawSize, compression };
    await writeFile(join(dir, FACTS), JSON.stringify(facts));
  });
  const facts = JSON.parse(await readFile(join(path, FACTS), 'utf8')) as layer.Facts;
  return layer.ofFile(join(path, BLOB), facts);
}

/**
 * What decides the bytes of a layer. A file of the store is named by the digest of what made it, so its path says what it
 * is; any other is read.
 */
async function keyOf(store: string, entries: readonly Entry[], epoch: number): Promise<Digest> {
  const contents = await Promise.all(
    entries.map(async (entry) => {
      const { reason: _, ...rest } = entry;
      if (rest.type !== 'file') return rest;
      const { content, ...attributes } = rest;
      if ('bytes' in content) return { ...attributes, bytes: digest.of(content.bytes) };
      const place = relative(store, content.file);
      return place.startsWith('..')
        ? { ...attributes, bytes: digest.of(await readFile(content.file)) }
        : { ...attributes, place };
    }),
  );
  return digest.ofJson({ contents, epoch, level: LEVEL, zlib: process.versions.zlib });
}
