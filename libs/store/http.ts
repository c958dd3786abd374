import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { ForgeError } from '../core/errors.ts';

export interface GetOptions {
  readonly signal: AbortSignal;
  /** More than this many bytes is an error (`DOWNLOAD_TOO_LARGE`). */
  readonly maxBytes: number;
}

const RETRIES = 2;
const REDIRECTS = 5;
/** Milliseconds without an answer, or without a byte, after which a server counts as unreachable. */
const PATIENCE = 20_000;

/**
 * The body of a GET. Transient failures before the first byte are tried again twice. Redirects are followed, at most five
 * and never from https to http. A user name and password in the URL are sent to its origin only, as Basic authentication
 * (RFC 7617), and are in no message; no other credential or cookie is ever sent.
 * Throws `URL_INVALID`, `HTTP_STATUS`, `HTTP_UNREACHABLE`, `HTTP_REDIRECT` or, while streaming, `DOWNLOAD_TOO_LARGE`.
 */
export async function get(url: string, options: GetOptions): Promise<Readable> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptGet(addressOf(url), options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (attempt === RETRIES || !(error instanceof ForgeError) || !transient(error)) throw error;
      await sleep(200 * 2 ** attempt * (1 + Math.random()), undefined, { signal: options.signal });
    }
  }
}

/** Whether a GET of that URL would succeed, asked by HEAD. Throws `HTTP_UNREACHABLE` where nothing answers. */
export async function exists(url: string, signal: AbortSignal): Promise<boolean> {
  const { response, patience } = await request(addressOf(url), 'HEAD', signal);
  patience.end();
  return response.ok;
}

/** A URL without its credentials, to be shown to a person. */
export function shown(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url.replace(/\/\/[^/?#\s]*@/g, '//') : anonymous(parsed).href;
}

/** A URL as `fetch` takes it, which refuses one with credentials, and the header that they are sent in. */
interface Address {
  readonly url: URL;
  readonly authorization: string | undefined;
}

function addressOf(text: string): Address {
  const parsed = URL.parse(text);
  if (parsed === null) throw new ForgeError('URL_INVALID', `${shown(text)}: not a URL`);
  const words = [parsed.username, parsed.password].map(decoded).join(':');
  const authorization = words === ':' ? undefined : `Basic ${Buffer.from(words).toString('base64')}`;
  return { url: anonymous(parsed), authorization };
}

function anonymous(url: URL): URL {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  return copy;
}

/** Percent-decoded, or as it is where that is not how it was written. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

async function attemptGet(address: Address, options: GetOptions): Promise<Readable> {
  const { url } = address;
  const { response, patience } = await request(address, 'GET', options.signal);
  if (!response.ok || response.body === null) {
    patience.end();
    await response.body?.cancel();
    throw new ForgeError('HTTP_STATUS', `${url.href}: ${response.status} ${response.statusText}`.trim(), {
      found: String(response.status),
    });
  }
  return Readable.from(chunks(url, response.body as ReadableStream<Uint8Array>, patience, options), {
    objectMode: false,
  });
}

/** The body's chunks; ends with an error when too much arrives, when nothing does for too long, or when the line breaks. */
async function* chunks(
  url: URL,
  body: ReadableStream<Uint8Array>,
  patience: Patience,
  { maxBytes, signal }: GetOptions,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  try {
    for await (const chunk of body) {
      seen += chunk.length;
      patience.refresh();
      if (seen > maxBytes) {
        throw new ForgeError('DOWNLOAD_TOO_LARGE', `${url.href}: more than the ${maxBytes} bytes expected`);
      }
      yield chunk;
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ForgeError) throw cause;
    throw new ForgeError('HTTP_UNREACHABLE', `${url.href}: broke after ${seen} bytes: ${deepest(cause)}`, { cause });
  } finally {
    patience.end();
  }
}

/** A deadline that every sign of life puts off. */
interface Patience {
  readonly signal: AbortSignal;
  refresh(): void;
  end(): void;
}

function patienceOf(ms: number): Patience {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`silent for ${ms / 1000} s`)), ms);
  return { signal: controller.signal, refresh: () => timer.refresh(), end: () => clearTimeout(timer) };
}

async function request(
  { url: start, authorization }: Address,
  method: 'GET' | 'HEAD',
  signal: AbortSignal,
): Promise<{ response: Response; patience: Patience }> {
  let url = start;
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const patience = patienceOf(PATIENCE);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          'accept-encoding': 'identity',
          ...(authorization !== undefined && url.origin === start.origin && { authorization }),
        },
        signal: AbortSignal.any([signal, patience.signal]),
      });
    } catch (cause) {
      patience.end();
      signal.throwIfAborted();
      throw new ForgeError('HTTP_UNREACHABLE', `${url.href}: ${deepest(cause)}`, { cause });
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, patience };
    patience.end();
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    const allowed = next?.protocol === 'https:' || (next?.protocol === 'http:' && url.protocol === 'http:');
    if (next === null || !allowed) {
      throw new ForgeError('HTTP_REDIRECT', `${url.href}: refuses to follow ${shown(location)}`);
    }
    url = anonymous(next);
  }
  throw new ForgeError('HTTP_REDIRECT', `${start.href}: more than ${REDIRECTS} redirects`);
}

const transient = (error: ForgeError): boolean =>
  error.code === 'HTTP_UNREACHABLE' || (error.code === 'HTTP_STATUS' && /^(429|5\d\d)$/.test(error.found ?? ''));

/** `fetch` says only "fetch failed"; the reason is the innermost cause. */
function deepest(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message || (error as NodeJS.ErrnoException).code || error.name
    : deepest(error.cause);
}
