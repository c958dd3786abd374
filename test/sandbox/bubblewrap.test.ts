import { describe, expect, test } from 'vitest';
import * as platform from '../../libs/core/platform.ts';
import * as bubblewrap from '../../libs/sandbox/bubblewrap.ts';
import { hasStarted, noProgram, refused } from '../../libs/sandbox/process.ts';
import * as tools from '../../libs/sandbox/tools.ts';

const base: bubblewrap.Isolation = {
  root: '/roots/builder',
  mounts: [],
  env: { PATH: '/usr/bin', EMPTY: '' },
  cwd: '/build',
  hostname: 'builder',
  ownNetwork: true,
  capabilities: [],
  asPid1: false,
};

/** The words after each time that an option is given. */
const after = (args: readonly string[], option: string, count: number): string[][] =>
  args.flatMap((word, index) => (word === option ? [args.slice(index + 1, index + 1 + count)] : []));

describe('the arguments of bwrap', () => {
  test('a world of its own, a clean environment, a root that is read-only, no capability', () => {
    const args = bubblewrap.args(base);
    for (const option of ['pid', 'ipc', 'uts', 'net'].map((name) => `--unshare-${name}`))
      expect(args).toContain(option);
    expect(args).toEqual(expect.arrayContaining(['--die-with-parent', '--new-session', '--clearenv']));
    expect(after(args, '--setenv', 2)).toEqual([
      ['PATH', '/usr/bin'],
      ['EMPTY', ''],
    ]);
    expect(after(args, '--ro-bind', 2)[0]).toEqual(['/roots/builder', '/']);
    expect(after(args, '--chdir', 1)).toEqual([['/build']]);
    expect(after(args, '--hostname', 1)).toEqual([['builder']]);
    expect(after(args, '--cap-drop', 1)).toEqual([['ALL']]);
    expect(args).not.toContain('--cap-add');
    expect(args.at(-1)).toBe('--');
  });

  test('a network that was joined is kept', () => {
    expect(bubblewrap.args({ ...base, ownNetwork: false })).not.toContain('--unshare-net');
  });

  test('a user other than root lives in a user namespace; root does without, but cannot change the kernel’s settings', () => {
    const user = bubblewrap.args({ ...base, user: { uid: 101, gid: 102 } });
    expect(user).toContain('--unshare-user');
    expect(after(user, '--uid', 1)).toEqual([['101']]);
    expect(after(user, '--gid', 1)).toEqual([['102']]);
    const root = bubblewrap.args(base);
    expect(root).not.toContain('--unshare-user');
    expect(after(root, '--ro-bind', 2)).toContainEqual(['/proc/sys', '/proc/sys']);
    expect(root.indexOf('/proc/sys')).toBeGreaterThan(root.indexOf('--proc'));
  });

  test('mounts come in their order, over the root', () => {
    const args = bubblewrap.args({
      ...base,
      mounts: [
        { kind: 'tmpfs', target: '/tmp', mode: 0o1777 },
        { kind: 'tmpfs', target: '/run' },
        { kind: 'bind', source: '/here', target: '/build', readOnly: false },
        { kind: 'bind', source: '/there', target: '/build/in', readOnly: true },
      ],
    });
    const text = args.join(' ');
    expect(text).toContain('--perms 1777 --tmpfs /tmp --tmpfs /run --bind /here /build --ro-bind /there /build/in');
    expect(text.indexOf('--ro-bind /roots/builder /')).toBeLessThan(text.indexOf('--tmpfs /tmp'));
  });

  test('below a prefix the root of the container is mounted before its /proc and /dev', () => {
    const words = bubblewrap.args({
      ...base,
      prefix: '/mnt',
      asPid1: true,
      capabilities: ['CAP_SETUID'],
      mounts: [
        { kind: 'bind', source: '/image', target: '/mnt', readOnly: true },
        { kind: 'tmpfs', target: '/mnt/tmp' },
      ],
    });
    const text = words.join(' ');
    expect(text).toContain('--ro-bind /image /mnt --proc /mnt/proc --ro-bind /proc/sys /mnt/proc/sys --dev /mnt/dev');
    expect(text).toContain('--as-pid-1');
    expect(text).toContain('--cap-drop ALL --cap-add CAP_SETUID --');
  });

  test('mount points', () => {
    expect(bubblewrap.mountPoints([{ kind: 'tmpfs', target: '/run' }])).toEqual(['/proc', '/dev', '/run']);
  });
});

test('a program of the tools is run by their own loader', () => {
  const kit = { dir: '/roots/sandbox', platform: platform.parse('linux/arm64'), root: false };
  expect(tools.program(kit, tools.paths.bubblewrap)).toEqual([
    '/roots/sandbox/lib/ld-linux-aarch64.so.1',
    '--library-path',
    '/roots/sandbox/usr/lib/aarch64-linux-gnu',
    '/roots/sandbox/usr/bin/bwrap',
  ]);
});

describe('a sandbox that could not be made', () => {
  test.each([
    'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.',
    'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
    'bwrap: setting up uid map: Permission denied',
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
    'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
  ])('by a setting of the machine: %s', (complaint) => {
    const error = refused(complaint);
    expect(error).toMatchObject({ code: 'SANDBOX_FORBIDDEN', found: complaint });
    for (const knob of ['user.max_user_namespaces', 'unprivileged_userns_clone', 'apparmor_restrict', '--privileged']) {
      expect(error.hint).toContain(knob);
    }
  });

  test.each(["bwrap: Can't find source path /x: No such file or directory", ''])(
    'for another reason: %j',
    (complaint) => {
      expect(refused(complaint)).toMatchObject({ code: 'SANDBOX_FAILED', found: complaint || 'no message' });
    },
  );

  test('is not one whose command failed', () => {
    expect(hasStarted('{ "child-pid": 7 }\n{ "exit-code": 1 }\n')).toBe(true);
    expect(hasStarted('{ "child-pid": 7 }\n')).toBe(false);
    expect(noProgram('bwrap: execvp gcc: No such file or directory')).toBe(true);
    expect(noProgram('bwrap: setting up uid map: Permission denied')).toBe(false);
  });
});
