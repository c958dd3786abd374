import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Command, quote, toShell } from '../../libs/core/command.ts';

test('simple words are not quoted', () => {
  expect(quote('--with-cc-opt=-O2')).toBe('--with-cc-opt=-O2');
  expect(quote('')).toBe("''");
  expect(quote("it's")).toBe(String.raw`'it'\''s'`);
});

test('a command as one line', () => {
  const command: Command = {
    name: 'x',
    argv: ['make', 'CC=gcc -O2'],
    env: { A: 'b c', PATH: '/usr/bin' },
    cwd: '/my dir',
  };
  expect(toShell(command)).toBe("cd '/my dir' && env -i A='b c' PATH=/usr/bin make 'CC=gcc -O2'");
  expect(toShell({ ...command, env: {}, cwd: '/' })).toBe("cd / && env -i make 'CC=gcc -O2'");
});

test('a shell reads back the very words', () => {
  // No program can be given a NUL byte.
  const word = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
      const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${words.map(quote).join(' ')}`]);
      expect(stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 50 },
  );
});
