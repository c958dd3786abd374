import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractTar } from '../../libs/archive/extract.ts';
import { from, type Member, tarOf } from '../support/tar.ts';
import { make } from '../support/tree.ts';

describe('entries that would lead out', () => {
  const attempt = async (
    members: Member[],
    outside: string,
    dir = join(outside, 'root'),
  ): Promise<string | undefined> => {
    mkdirSync(dir, { recursive: true });
    return extractTar(from(await tarOf(members)), dir).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
  };
  /** What lies beside the root: `victim` alone, unchanged. */
  const untouched = (outside: string): void => {
    expect(readdirSync(outside).sort()).toEqual(['root', 'victim']);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('precious');
    expect(statSync(join(outside, 'victim')).nlink).toBe(1);
  };

  test.each<[string, Member[]]>([
    ['..', [{ name: '../victim', content: 'bad' }]],
    ['.. further in', [{ name: 'a/../../victim', content: 'bad' }]],
    ['an absolute name', [{ name: '/victim', content: 'bad' }]],
    ['a hard link to ..', [{ name: 'a', type: 'link', linkname: '../victim' }]],
    ['a hard link to an absolute name', [{ name: 'a', type: 'link', linkname: '/victim' }]],
  ])('%s is ARCHIVE_ESCAPE', async (_name, members) => {
    const outside = make({ victim: 'precious' });
    expect(await attempt(members, outside)).toBe('ARCHIVE_ESCAPE');
    untouched(outside);
  });

  test.each<[string, Member[]]>([
    [
      'a link upwards',
      [
        { name: 'up', type: 'symlink', linkname: '..' },
        { name: 'up/victim', content: 'bad' },
      ],
    ],
    [
      'a link to a file above',
      [
        { name: 'v', type: 'symlink', linkname: '../victim' },
        { name: 'v', content: 'bad' },
      ],
    ],
    [
      'links one after another',
      [
        { name: 'a', type: 'symlink', linkname: 'b' },
        { name: 'b', type: 'symlink', linkname: 'c/..' },
        { name: 'c', type: 'symlink', linkname: '../..' },
        { name: 'a/victim', content: 'bad' },
      ],
    ],
    [
      'a folder that becomes a link',
      [
        { name: 'd', type: 'symlink', linkname: 'x' },
        { name: 'x', type: 'directory' },
        { name: 'd/f', content: 'ok' },
        { name: 'd', type: 'symlink', linkname: '..' },
        { name: 'd/victim', content: 'bad' },
      ],
    ],
    [
      'a hard link to a link',
      [
        { name: 'v', type: 'symlink', linkname: '../victim' },
        { name: 'h', type: 'link', linkname: 'v' },
        { name: 'h', content: 'bad' },
      ],
    ],
    [
      'a hard link by way of a link',
      [
        { name: 'up', type: 'symlink', linkname: '..' },
        { name: 'h', type: 'link', linkname: 'up/victim' },
      ],
    ],
  ])('%s stays inside', async (_name, members) => {
    const outside = make({ victim: 'precious' });
    await attempt(members, outside);
    untouched(outside);
  });

  test('an absolute link is followed as after a chroot', async () => {
    const outside = make({ victim: 'precious' });
    const code = await attempt(
      [
        { name: 'abs', type: 'symlink', linkname: '/etc' },
        { name: 'abs/h3forge-test', content: 'inside' },
      ],
      outside,
    );
    expect(code).toBeUndefined();
    expect(readFileSync(join(outside, 'root/etc/h3forge-test'), 'utf8')).toBe('inside');
    untouched(outside);
  });

  test('links in a circle end', async () => {
    const outside = make({ victim: 'precious' });
    const circle: Member[] = [
      { name: 'a', type: 'symlink', linkname: 'b' },
      { name: 'b', type: 'symlink', linkname: 'a' },
      { name: 'a/f', content: 'bad' },
    ];
    expect(await attempt(circle, outside)).toMatch(/^ARCHIVE_/);
  });

  test.each(['character-device', 'block-device', 'fifo'] as const)('a %s is refused', async (type) => {
    const outside = make({ victim: 'precious' });
    expect(await attempt([{ name: 'special', type, devmajor: 1, devminor: 3 }], outside)).toBe('ARCHIVE_ENTRY_REFUSED');
  });

  test('whatever the names and links are, nothing outside changes', async () => {
    const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', 'victim');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const anywhere = fc.oneof(
      path,
      path.map((text) => `/${text}`),
    );
    const member = fc.record({
      name: anywhere.filter((name) => name !== ''),
      type: fc.constantFrom<Member['type']>('file', 'directory', 'symlink', 'link'),
      linkname: anywhere.filter((name) => name !== ''),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 12 }), async (members) => {
        const outside = make({ victim: 'precious', 'root/a': { directory: true } });
        await attempt(
          members.map((entry) => ({
            name: entry.name,
            type: entry.type,
            ...(entry.type === 'symlink' || entry.type === 'link' ? { linkname: entry.linkname } : {}),
            ...(entry.type === 'file' ? { content: 'bad' } : {}),
          })),
          outside,
        );
        untouched(outside);
      }),
      { numRuns: 250 },
    );
  });
});
