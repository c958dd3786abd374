import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as unprivileged from '../support/unprivileged.ts';

const root = process.getuid?.() === 0;
/** Root may write anywhere: then another user runs the program. */
const user = root ? { uid: unprivileged.ID, gid: unprivileged.ID } : {};
const node = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script, ...args], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  });
const module = JSON.stringify(join(import.meta.dirname, '../../libs/store/temporary.ts'));

const able = node(`await import(${module})`).status === 0;
test.skipIf(!able)('a tree with folders that may not be written, or not even read, is removed', () => {
  const top = unprivileged.folder();
  const script = `
    import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
    import { remove } from ${module};
    const [top, beside] = process.argv.slice(1);
    mkdirSync(top + '/a/b/c', { recursive: true });
    writeFileSync(top + '/a/b/c/file', '');
    writeFileSync(top + '/a/file', '');
    symlinkSync(beside, top + '/a/link');
    for (const [path, mode] of [['/a/b/c', 0o000], ['/a/b', 0o500], ['/a', 0o555]]) chmodSync(top + path, mode);
    await remove(top);
    await remove(top);`;
  const beside = join(top, 'beside');
  mkdirSync(beside);
  writeFileSync(join(beside, 'file'), '');
  const { stderr, status } = node(script, join(top, 'tree'), beside);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(existsSync(join(top, 'tree'))).toBe(false);
  expect(existsSync(join(beside, 'file'))).toBe(true);
});

test.skipIf(!able || !root)("what another's folder holds stays, and that is said", () => {
  const top = unprivileged.folder();
  mkdirSync(join(top, 'tree'), { mode: 0o755 });
  writeFileSync(join(top, 'tree/file'), '');
  const script = `await (await import(${module})).remove(process.argv[1]).catch((error) => console.log(error.code))`;
  expect(node(script, join(top, 'tree')).stdout).toMatch(/^(EACCES|EPERM)\n$/);
  expect(existsSync(join(top, 'tree/file'))).toBe(true);
});
