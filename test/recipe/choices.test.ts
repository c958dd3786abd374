import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLua, parseModule } from '../../libs/recipe/choices.ts';
import { thrown } from '../support/thrown.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const inShop = (path: string): string => resolve('/shop', path);

describe('a module', () => {
  test.each([
    ['brotli', { name: 'brotli' }],
    ['headers-more=dynamic', { name: 'headers-more', link: 'dynamic' }],
    ['echo=static', { name: 'echo', link: 'static' }],
    ['./my-module', { name: '/shop/my-module' }],
    ['./my-module=static', { name: '/shop/my-module', link: 'static' }],
    ['./my module.so', { name: '/shop/my module.so' }],
    ['../other', { name: '/other' }],
    ['/opt/module=dynamic', { name: '/opt/module', link: 'dynamic' }],
    [`git+https://example.com/x/y#${COMMIT}`, { name: `git+https://example.com/x/y#${COMMIT}` }],
    [
      `git+https://example.com/x.git#${COMMIT}=static`,
      { name: `git+https://example.com/x.git#${COMMIT}`, link: 'static' },
    ],
    [`git+ssh://git@example.com/x.git#${COMMIT}`, { name: `git+ssh://git@example.com/x.git#${COMMIT}` }],
  ])('%s', (text, choice) => {
    expect(parseModule(text, inShop)).toEqual(choice);
  });

  test('has its path as it was given where nobody says what it is relative to', () => {
    expect(parseModule('./my-module=dynamic')).toEqual({ name: './my-module', link: 'dynamic' });
  });

  test.each([
    ['', 'npm run modules'],
    ['Brotli', 'npm run modules'],
    ['brotli=shared', 'brotli=dynamic or brotli=static'],
    ['brotli=', 'brotli=dynamic or brotli=static'],
    ['=static', 'npm run modules'],
    ['my-module/', 'a path begins with ./ or /, and has no ='],
    ['module.so', 'a path begins with ./ or /, and has no ='],
    ['./a=b', 'a path begins with ./ or /, and has no ='],
    ['./', 'a path begins with ./ or /, and has no ='],
    ['./a\nb', 'a path begins with ./ or /, and has no ='],
    [`https://example.com/x.git#${COMMIT}`, 'git+https://HOST/REPOSITORY.git#COMMIT'],
    [`git+http://example.com/x.git#${COMMIT}`, 'git+https://HOST/REPOSITORY.git#COMMIT'],
    ['git+https://example.com/x.git', 'git+https://HOST/REPOSITORY.git#COMMIT'],
  ])('is not %j', (text, hint) => {
    expect(thrown(() => parseModule(text))).toMatchObject({ code: 'MODULE_INVALID', found: text, hint });
  });

  test.each(['main', 'v1.2.3', COMMIT.slice(1), `${COMMIT}0`, COMMIT.toUpperCase()])('is not pinned by %s', (name) => {
    expect(thrown(() => parseModule(`git+https://example.com/x.git#${name}`))).toMatchObject({
      code: 'MODULE_INVALID',
      found: name,
      expected: 'all 40 lower-case hexadecimal digits of a commit after #',
      hint: expect.stringContaining('a branch or a tag can be moved'),
    });
  });
});

describe('a Lua library', () => {
  test.each([
    ['resty.http', 'resty.http'],
    ['cjson', 'cjson'],
    ['./lua', '/shop/lua'],
    ['/opt/lua', '/opt/lua'],
  ])('%s', (text, name) => {
    expect(parseLua(text, inShop)).toBe(name);
  });

  test.each(['', 'resty/http', 'resty..http', 'lua=static', './'])('is not %j', (text) => {
    expect(thrown(() => parseLua(text))).toMatchObject({ code: 'LUA_INVALID', found: text });
  });
});
