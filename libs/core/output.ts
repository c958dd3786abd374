import { ForgeError } from './errors.ts';

/** A place to write a built image to. */
export interface Output {
  readonly type: 'layout' | 'archive' | 'dockerfile';
  /** As the user gave it, relative to the working folder or absolute. */
  readonly path: string;
}

const TYPES: readonly string[] = ['layout', 'archive', 'dockerfile'] satisfies readonly Output['type'][];

/** Reads `layout:DIR`, `archive:FILE` or `dockerfile:DIR`. Throws `OUTPUT_INVALID`. */
export function parse(text: string): Output {
  const [, type = '', path = ''] = /^([a-z]+):(.+)$/.exec(text) ?? [];
  if (!TYPES.includes(type)) {
    throw new ForgeError('OUTPUT_INVALID', `unknown output ${text}`, {
      expected: 'layout:DIR, archive:FILE or dockerfile:DIR',
      found: text,
      hint: 'npm run build-image -- --output archive:nginx-quic.tar',
    });
  }
  return { type: type as Output['type'], path };
}

/** As `--output` takes it. */
export const format = (output: Output): string => `${output.type}:${output.path}`;

/** The defaults, each replaced where the user named one of its type, and what else the user named. */
export const merge = (defaults: readonly Output[], asked: readonly Output[]): Output[] => [
  ...defaults.filter(({ type }) => !asked.some((other) => other.type === type)),
  ...asked,
];
