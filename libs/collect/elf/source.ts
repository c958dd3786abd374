import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ForgeError } from '../../core/errors.ts';

/** Bytes that are read where they are wanted. `read` gives fewer bytes than asked for only at the end. */
export interface Source {
  /** Bytes in all. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** No table of a real ELF file that is read as a whole comes near to this; a length field full of garbage does. */
const LONGEST_READ = 16 * 1024 * 1024;
const PAGE = 16 * 1024;
const PAGES = 16;

/** A source over bytes in memory. */
export const fromBytes = (bytes: Uint8Array): Source => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

/**
 * Opens a file, gives its source to `use`, and closes it again. Small reads go through a few cached pages,
 * because names lie close together but are read one by one. System errors (`ENOENT`, ...) pass as they are.
 */
export function withFile<T>(path: string, use: (source: Source) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fromDescriptor(fd, fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

function fromDescriptor(fd: number, size: number): Source {
  const pages = new Map<number, Uint8Array>();
  const direct = (offset: number, length: number): Uint8Array => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0) {
        break; // The file became shorter since it was opened; the caller sees a truncated file.
      }
      done += count;
    }
    return bytes.subarray(0, done);
  };
  const page = (number: number): Uint8Array => {
    const cached = pages.get(number);
    if (cached !== undefined) {
      return cached;
    }
    const [oldest] = pages.keys();
    if (pages.size >= PAGES && oldest !== undefined) {
      pages.delete(oldest);
    }
    const fresh = direct(number * PAGE, PAGE);
    pages.set(number, fresh);
    return fresh;
  };
  return {
    size,
    read: (offset, length) => {
      const start = offset % PAGE;
      return start + length <= PAGE
        ? page((offset - start) / PAGE).subarray(start, start + length)
        : direct(offset, length);
    },
  };
}

/**
 * Exactly `length` bytes at `offset`. Throws `ELF_TRUNCATED` where the file ends before that, `ELF_INVALID`
 * where the length is out of all proportion. `what` is for the message.
 */
export function bytes(source: Source, offset: number, length: number, what: string): Uint8Array {
  if (length > LONGEST_READ && offset + length <= source.size) {
    throw invalid(`${what} is too long`, offset, `at most ${LONGEST_READ} bytes`, `${length} bytes`);
  }
  const found = offset + length <= source.size ? source.read(offset, length) : undefined;
  if (found === undefined || found.length < length) {
    throw truncated(what, offset, length, source.size);
  }
  return found;
}

/** The error for a field that cannot be right. `offset` is where in the file. */
export const invalid = (message: string, offset: number, expected?: string, found?: string, cause?: unknown) =>
  new ForgeError('ELF_INVALID', `${message}, at offset ${offset}`, {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ...(cause === undefined ? {} : { cause }),
  });

/** The error for something that would end beyond the end of the file. */
export const truncated = (what: string, offset: number, length: number, size: number) =>
  new ForgeError('ELF_TRUNCATED', `the file ends within the ${what}, at offset ${offset}`, {
    expected: `at least ${offset + length} bytes`,
    found: `${size} bytes`,
  });

/** A string table: where in the file, and how many bytes. */
export interface Strings {
  readonly offset: number;
  readonly size: number;
}

/** Linux's PATH_MAX: no name that the loader can use is longer. */
const LONGEST_NAME = 4096;
const CHUNK = 256;

/**
 * The NUL-terminated string at `index` of a string table, at most `longest` bytes of it.
 * Throws `ELF_INVALID`, `ELF_TRUNCATED`.
 */
export function string(source: Source, table: Strings, index: number, what: string, longest = LONGEST_NAME): string {
  if (index >= table.size) {
    throw invalid(`the name of ${what} lies outside its string table`, table.offset, `below ${table.size}`, `${index}`);
  }
  const limit = Math.min(table.size - index, longest);
  const chunks: Uint8Array[] = [];
  for (let done = 0; done < limit; done += CHUNK) {
    const chunk = bytes(source, table.offset + index + done, Math.min(CHUNK, limit - done), `name of ${what}`);
    const end = chunk.indexOf(0);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0) {
      return Buffer.concat(chunks).toString('utf8');
    }
  }
  throw invalid(`the name of ${what} does not end`, table.offset + index, `at most ${limit} bytes`);
}
