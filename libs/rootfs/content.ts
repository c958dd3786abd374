import { closeSync, openSync, readSync } from 'node:fs';
import type { Content } from '../core/entry.ts';

const BLOCK = 256 * 1024;

/** Gives a content's bytes block by block. A block is only good until the next one is asked for. */
function* blocks(content: Content): Generator<Uint8Array, void> {
  if ('bytes' in content) {
    yield content.bytes;
    return;
  }
  const buffer = Buffer.allocUnsafe(BLOCK);
  const fd = openSync(content.file, 'r');
  try {
    for (;;) {
      // readSync may give less than it is asked for, but two readers of one length must get equal blocks.
      let filled = 0;
      for (let count = -1; count !== 0 && filled < BLOCK; filled += count) {
        count = readSync(fd, buffer, filled, BLOCK - filled, null);
      }
      if (filled === 0) {
        return;
      }
      yield buffer.subarray(0, filled);
    }
  } finally {
    closeSync(fd);
  }
}

/** True if two contents, known to be of one size, are the same bytes. */
export function same(a: Content, b: Content): boolean {
  if ('file' in a && 'file' in b) {
    if (a.file === b.file) {
      return true;
    }
    const others = blocks(b);
    for (const block of blocks(a)) {
      const other = others.next();
      if (other.done === true || Buffer.compare(block, other.value) !== 0) {
        others.return();
        return false;
      }
    }
    return others.next().done === true;
  }
  return Buffer.compare(whole(a), whole(b)) === 0;
}

/** One side is in memory already, so the other, of the same size, may be as well. */
const whole = (content: Content): Buffer => Buffer.concat([...blocks(content)].map((block) => Buffer.from(block)));

const MARK = 'PRIVATE KEY-----';
const KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[ \t]*\r?\n[ \t]*(?:[A-Za-z0-9+/=]{16,}|Proc-Type:)/;
/** What must be seen around the mark: a long header before it, the beginning of the key after it. */
const AROUND = 128;

/**
 * True if there is a private key in PEM (RFC 7468, or OpenSSL's and OpenSSH's older forms) in the content: the line
 * that begins one, and a key after it. ELF files are not searched: cryptographic libraries carry keys that are on
 * everyone's machine, to test themselves at start.
 */
export function hasPrivateKey(content: Content): boolean {
  let tail = Buffer.alloc(0);
  let first = true;
  for (const block of blocks(content)) {
    if (first && Buffer.from(block.subarray(0, 4)).toString('latin1') === '\x7fELF') {
      return false;
    }
    first = false;
    const bytes = Buffer.concat([tail, block]);
    for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
      if (KEY.test(bytes.subarray(Math.max(0, at - AROUND), at + MARK.length + AROUND).toString('latin1'))) {
        return true;
      }
    }
    tail = bytes.subarray(-2 * AROUND);
  }
  return false;
}
