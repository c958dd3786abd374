import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { build, program } from './support/cli.ts';
import { clone } from './support/project.ts';
import { storeWith, warmDigest } from './support/stores.ts';
import { folder } from './support/temp.ts';

/** A user without a name, a home or a right. */
const ID = '65534';
const AS_NOBODY = ['setpriv', `--reuid=${ID}`, `--regid=${ID}`, '--clear-groups', '--'];

/** Why no build can be tried as another user here; `undefined` where it can. */
async function obstacle(dir: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may become another user, and any other user is this test itself';
  const can = async (...words: string[]): Promise<boolean> =>
    (await program([...AS_NOBODY, ...words]).catch(() => ({ exitCode: 1 }))).exitCode === 0;
  if (!(await can('true'))) return 'there is no setpriv';
  if (!(await can(process.execPath, '--version'))) return 'another user may not run this Node';
  if (!(await can('test', '-r', join(dir, 'node_modules/commander/package.json'))))
    return 'another user may not read this folder';
  return (await can('unshare', '--user', 'true')) ? undefined : 'this machine does not give users namespaces';
}

test('a user without rights makes the same bytes as root', async ({ skip }) => {
  const project = clone();
  const reason = await obstacle(project.dir);
  if (reason !== undefined) skip(reason);
  const store = await storeWith('downloads', 'compile');
  // Where that user may go, and its own: hard links would be root's.
  const cache = folder();
  chmodSync(cache, 0o755);
  for (const words of [
    ['cp', '--archive', store.dir, cache],
    ['chown', '--recursive', '--no-dereference', `${ID}:${ID}`, cache, project.dir],
  ]) {
    expect(await program(words)).toMatchObject({ exitCode: 0 });
  }
  const options = { env: { XDG_CACHE_HOME: cache, HOME: '/nonexistent' }, below: AS_NOBODY };
  const { digest, probes, stages } = await build(project, options);
  expect(digest).toBe(await warmDigest());
  expect(probes.every(({ ok }) => ok)).toBe(true);
  expect(stages.filter(({ cached }) => cached).map(({ name }) => name)).toEqual(['compile']);
  expect(readdirSync(join(cache, 'h3forge', 'tmp'))).toEqual([]);
});
