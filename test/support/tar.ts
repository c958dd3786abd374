import { Readable } from 'node:stream';
import { pack } from 'tar-stream';

/** An entry of a tar, and its content. */
export type Member = Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly content?: string };

/** A tar of these members, made without asking whether they make sense. */
export async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of members) tar.entry({ mtime: new Date(0), ...header }, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Bytes as they arrive from a file: in chunks that know nothing of blocks. */
export const from = (tar: Buffer): Readable =>
  Readable.from(
    (function* () {
      for (let offset = 0; offset < tar.length; offset += 3000) yield tar.subarray(offset, offset + 3000);
    })(),
    { objectMode: false },
  );
