import { posix } from 'node:path';
import { z } from 'zod';
import type { Quic } from '../core/recipe.ts';
import type { RecipeInput } from './input.ts';
import { nearest } from './nearest.ts';

/** Text that a pattern describes; the words of `expected` are what an error says. */
const text = (pattern: RegExp, expected: string) => z.string({ error: expected }).regex(pattern, { error: expected });

const list = <T extends z.ZodType>(item: T) => z.array(item, { error: 'a list' }).readonly();

const record = <V extends z.ZodType>(key: z.ZodString, value: V, expected: string) =>
  z.record(key, value, { error: expected }).readonly();

/** An object whose unknown fields are errors that name the field which was probably meant. */
const object = <S extends z.ZodRawShape>(shape: S) =>
  z
    .strictObject(shape, {
      error: (issue) => {
        if (issue.code !== 'unrecognized_keys') return `an object with ${Object.keys(shape).join(', ')}`;
        const [unknown = ''] = issue.keys as string[];
        const meant = nearest(unknown, Object.keys(shape));
        return meant === undefined ? `one of ${Object.keys(shape).join(', ')}` : `${meant}, perhaps`;
      },
    })
    .readonly();

const whole = (from: number, to: number, expected: string) =>
  z.int({ error: expected }).min(from, { error: expected }).max(to, { error: expected });

const isClean = (path: string): boolean =>
  /^\/\P{Cc}+$/u.test(path) && posix.normalize(path) === path && !path.endsWith('/');

const PATH = 'an absolute path without . and .. and without a / at its end';
const path = z.string({ error: PATH }).refine(isClean, { error: PATH });

const LINE = /^\P{Cc}*$/u;
const line = text(LINE, 'text without line ends and other control characters');
const filled = text(/^\P{Cc}+$/u, 'text that is not empty, without line ends');
const argument = text(/^[^\0]*$/, 'text');
const label = text(/^[^\p{Cc}=]+$/u, 'a key that is not empty, without line ends and =');

const FILES = 'the name of a folder below the recipe: rootfs';
const folder = z
  .string({ error: FILES })
  .refine((name) => !name.startsWith('/') && isClean(`/${name.replace(/^\.\//, '')}`), { error: FILES });

/** 65534 is nobody's; 65535 and 4294967295 are -1, "no change" to chown; 0 is root's. */
const id = whole(1, 4294967294, 'a whole number from 1 to 4294967294').refine(
  (number) => number !== 65534 && number !== 65535,
  {
    error: 'a number that is not 65534 (nobody) or 65535',
  },
);

const user = object({
  name: text(/^[a-z_][a-z0-9_-]{0,31}$/, 'a user name: lower-case letters, digits, - and _, at most 32'),
  uid: id,
  gid: id,
});

const PORT = 'a port from 1 to 65535 with its protocol: 443/tcp or 443/udp';
const port = text(/^[1-9][0-9]{0,4}\/(tcp|udp)$/, PORT).refine((value) => Number.parseInt(value, 10) <= 65535, {
  error: PORT,
});

const link = z.enum(['static', 'dynamic'], { error: "'static' or 'dynamic'" });
const module = z.union([filled, object({ name: filled, link: link.optional() })], {
  error: 'a module as text, or { name, link }',
});

const zone = text(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'the name of a time zone: Europe/Zurich');
const timezones = z.union([z.enum(['none', 'all']), list(zone)], { error: "'none', 'all' or a list of names" });

/** The words that are made of other fields. */
const OWN = /^--(with-(cc|ld)-opt|add(-dynamic)?-module)(=|$)/;
const WORD = "a word of nginx's configure: --with-http_dav_module";
const word = text(/^--[A-Za-z0-9_-]+(=\P{Cc}*)?$/u, WORD);
const added = word.refine((value) => !OWN.test(value), { error: 'modules or cflags instead of this word' });

const HEADER = 'the name of a header, in lower case';
const probe = object({
  path: text(/^\/[^\s\p{Cc}#]*$/u, 'a path that begins with /, without spaces and #'),
  status: whole(100, 599, 'a status of HTTP: 100 to 599').optional(),
  body: text(/^[^\0]+$/, 'text that is not empty').optional(),
  headers: record(text(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, HEADER), line, 'headers by name').optional(),
});

const QUIC: readonly [Quic, ...Quic[]] = ['native', 'boringssl', 'compat', 'none'];

/** {@link RecipeInput} for what was read at run time, when no compiler looked at it. */
export const schema = object({
  name: text(
    /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/,
    'the name of an image: lower-case letters and digits, with . _ - between',
  ).optional(),
  channel: filled.optional(),
  modules: list(module).optional(),
  without: list(filled).optional(),
  lua: list(filled).optional(),
  openssl: filled.optional(),
  packages: list(text(/^[a-z0-9][a-z0-9+.-]+$/, 'the name of a Debian package')).optional(),
  configure: object({ add: list(added).optional(), remove: list(word).optional() }).optional(),
  cflags: list(text(/^-[^\s\p{Cc}]+$/u, 'one flag, which begins with - and has no space')).optional(),
  files: folder.optional(),
  labels: record(label, line, 'labels by key').optional(),
  env: record(text(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable'), line, 'variables by name').optional(),
  ports: list(port).optional(),
  user: user.optional(),
  users: list(user).optional(),
  timezones: timezones.optional(),
  writable: record(path, whole(0, 0o7777, 'permission bits: 0o1777'), 'permission bits by path').optional(),
  mountPoints: list(path).optional(),
  entrypoint: list(argument)
    .refine(([program]) => program?.startsWith('/') === true, { error: 'a program with its absolute path' })
    .optional(),
  command: list(argument).optional(),
  workingDir: z.union([z.literal('/'), path], { error: PATH }).optional(),
  stopSignal: text(/^SIG[A-Z0-9]+$/, 'the name of a signal: SIGQUIT').optional(),
  probes: list(probe)
    .refine((probes) => probes.length > 0, { error: 'at least one probe, or no field probes' })
    .optional(),
  require: object({ quic: z.enum(QUIC, { error: QUIC.join(', ') }).optional() }).optional(),
  epoch: whole(0, Number.MAX_SAFE_INTEGER, 'whole seconds since 1970').optional(),
});

type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile when the schema and the type say different things; assignability alone would let a field be missing. */
true satisfies Same<Plain<z.infer<typeof schema>>, Plain<RecipeInput>>;
