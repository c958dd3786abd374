import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { GitPin } from '../../libs/core/module.ts';
import * as git from '../../libs/source/git.ts';
import { rejection } from '../support/errors.ts';
import { make } from '../support/tree.ts';

const never = new AbortController().signal;

/** A repository with one commit of those files, and the pin of it. */
function repository(files: Record<string, string>): GitPin {
  const dir = make(files);
  const run = (...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.test', ...words], { cwd: dir })
      .toString()
      .trim();
  run('init', '--quiet', '.');
  run('add', '.');
  run('commit', '--quiet', '-m', 'first');
  return { git: pathToFileURL(dir).href, commit: run('rev-parse', 'HEAD'), version: 'x' };
}

test('the files of one commit, and nothing of git', async () => {
  const pin = repository({ config: 'ngx_addon_name=x', 'src/x.c': 'int x;' });
  const dir = make();
  await git.fetch(pin, dir, make(), never);
  expect(readdirSync(dir).sort()).toEqual(['config', 'src']);
  expect(readFileSync(join(dir, 'src/x.c'), 'utf8')).toBe('int x;');
});

test('a commit that is not there is an error with git’s words', async () => {
  const pin = { ...repository({ config: 'x' }), commit: '0'.repeat(40) };
  const error = await rejection(git.fetch(pin, make(), make(), never));
  expect(error).toMatchObject({ code: 'GIT_FAILED', expected: `the commit ${'0'.repeat(40)}` });
  expect(error.found).not.toBe('no answer');
});

test('another program than git’s own is never run for a URL, and credentials are not shown', async () => {
  const mark = join(make(), 'mark');
  const pin = { git: `ext::sh -c touch% ${mark}`, commit: 'a'.repeat(40), version: 'x' };
  expect((await rejection(git.fetch(pin, make(), make(), never))).code).toBe('GIT_FAILED');
  expect(existsSync(mark)).toBe(false);
  const secret = { ...pin, git: 'https://me:secret@127.0.0.1:9/x.git' };
  const { message, found, hint } = await rejection(git.fetch(secret, make(), make(), never));
  expect([message, found, hint].join(' ')).not.toContain('secret');
});

test.each([
  ['https://git.test/x.git@', true],
  ['git+https://git.test/x.git#', true],
  ['ssh://git@git.test/x.git@', true],
  ['ext::sh -c x@', false],
  ['./folder@', false],
])('%sCOMMIT is a pin: %s', (prefix, isPin) => {
  const commit = 'b'.repeat(40);
  expect(git.parse(prefix + commit)?.commit).toBe(isPin ? commit : undefined);
  expect(git.parse(`${prefix}main`)).toBe(undefined);
});
