import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command, Mount } from '../../libs/core/command.ts';
import { capture } from '../../libs/sandbox/capture.ts';
import { run } from '../../libs/sandbox/run.ts';
import * as tools from '../../libs/sandbox/tools.ts';
import { rejection } from '../support/errors.ts';
import { eventually, finish, gone, having, marker, running } from '../support/processes.ts';
import { type Input, type Outcome, perform } from '../support/programs/sandbox.ts';
import * as roots from '../support/roots.ts';
import * as tiny from '../support/tiny.ts';
import * as tree from '../support/tree.ts';
import * as unprivileged from '../support/unprivileged.ts';

const kit = await roots.kit();
const builder = await roots.root('builder');
const never = new AbortController().signal;

const scratch: Mount = { kind: 'tmpfs', target: '/tmp' };
const env = { LC_ALL: 'C.UTF-8', PATH: '/usr/bin' };
const sh = (script: string): Command => ({ name: 'script', argv: ['sh', '-c', script], env, cwd: '/tmp' });
const options = (): Input['options'] => ({ root: builder, mounts: [scratch], log: join(tree.make(), 'logs', 'x.log') });

/** Says about a sandbox what can be said from inside, each line with the name of what it is about. */
const questions = `
env | sort | sed 's/^/env /'
echo "hostname $(cat /proc/sys/kernel/hostname)"
echo "cwd $(pwd)"
echo "user $(id -u):$(id -g)"
sed -n 's/^ *\\([^ ]*\\):.*/interface \\1/p' /proc/net/dev
sed 1d /proc/net/route | sed 's/^/route /'
sed -n 's/^\\(Cap[IPEA][a-z]*\\|NoNewPrivs\\):\\s*\\(.*\\)/\\1 \\2/p' /proc/self/status
cat /proc/[0-9]*/comm | sed 's/^/process /'
for path in / /etc /usr/bin /proc /proc/sys/kernel /build; do touch $path/x 2>/dev/null && echo "wrote $path"; done
for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do [ -w $path ] && echo "writable $path"; done
touch /tmp/x && echo 'wrote /tmp'
cat | sed 's/^/input /'
`;

const answers = (lines: readonly string[], name: string): string[] =>
  lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

function expectIsolation({ error, lines }: Outcome): void {
  expect(error).toBeUndefined();
  expect(answers(lines, 'env')).toEqual(['LC_ALL=C.UTF-8', 'PATH=/usr/bin', 'PWD=/tmp']);
  expect(answers(lines, 'hostname')).toEqual(['builder']);
  expect(answers(lines, 'cwd')).toEqual(['/tmp']);
  expect(answers(lines, 'user')).toEqual(['0:0']);
  expect(answers(lines, 'interface')).toEqual(['lo']);
  expect(answers(lines, 'route')).toEqual([]);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) {
    expect(answers(lines, set), set).toEqual(['0000000000000000']);
  }
  expect(answers(lines, 'NoNewPrivs')).toEqual(['1']);
  const processes = answers(lines, 'process');
  expect(processes).toContain('sh');
  expect(processes.length).toBeLessThan(8);
  expect(processes.filter((name) => /node|vitest|init|systemd/.test(name))).toEqual([]);
  expect(answers(lines, 'wrote')).toEqual(['/tmp']);
  expect(answers(lines, 'writable')).toEqual([]);
  expect(answers(lines, 'input')).toEqual([]);
}

test('what a command sees: no network, no right, a fixed world, a root that it cannot write to', async () => {
  process.env.H3FORGE_TEST_SECRET = 'not for the sandbox';
  expectIsolation(await perform({ kit, command: sh(questions), options: options() }));
});

test('a user without rights sees the same', async (context) => {
  const obstacle = unprivileged.obstacle(kit) ?? (await unprivileged.refusal(kit));
  context.skip(obstacle !== undefined, obstacle);
  const programs = ['cat', 'env', 'id', 'sed', 'sh', 'sort', 'touch'].map((name) => `/usr/bin/${name}`);
  const root = tiny.make({ from: [builder], platform: kit.platform, programs, directories: ['/build', '/etc'] });
  const log = join(unprivileged.folder(), 'x.log');
  const input: Input = {
    kit: unprivileged.copy(kit),
    command: sh(questions),
    options: { root, mounts: [scratch], log },
  };
  const argv = [...unprivileged.program('sandbox.ts'), JSON.stringify(input)];
  const { status, stdout, stderr } = await finish([...unprivileged.prefix(kit), ...argv]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expectIsolation(JSON.parse(stdout) as Outcome);
});

test('mounts: one may be written to, one may not; what is written lies on this machine', async () => {
  const top = tree.make({ 'in/file': 'given', 'out/old': '' });
  const { error, lines } = await perform({
    kit,
    command: sh('cat /build/file; touch /build/x 2>/dev/null || echo refused; echo made > /tmp/new; ls /tmp'),
    options: {
      ...options(),
      mounts: [
        { kind: 'bind', source: join(top, 'in'), target: '/build', readOnly: true },
        { kind: 'bind', source: join(top, 'out'), target: '/tmp', readOnly: false },
      ],
    },
  });
  expect(error).toBeUndefined();
  expect(lines).toEqual(['givenrefused', 'new', 'old']);
  expect(readdirSync(join(top, 'in'))).toEqual(['file']);
  expect(readFileSync(join(top, 'out', 'new'), 'utf8')).toBe('made\n');
});

describe('a command that fails', () => {
  test('says its status, its last lines and where all of them are', async () => {
    const where = options();
    const script = 'for n in $(seq 1 50); do echo "line $n"; done; printf "the end" >&2; exit 42';
    const error = await rejection(run(kit, sh(script), { ...where, signal: never }));
    expect(error).toMatchObject({ code: 'COMMAND_FAILED', hint: `less ${where.log}` });
    expect(error.message).toContain('exit status 42');
    const shown = error.found?.split('\n').map((line) => line.trim());
    expect(shown).toContain('line 50');
    expect(shown).toContain('the end');
    expect(shown).not.toContain('line 20');
    const log = readFileSync(where.log, 'utf8');
    expect(log).toMatch(/^\$ cd \/tmp && env -i /);
    expect(log).toContain('\nline 1\nline 2\n');
    expect(log).toContain('the end');
  });

  test.each([
    ['a program that is not there', ['no-such-program'], {}, 'COMMAND_FAILED', 'no-such-program'],
    ['one that a signal ends', ['sh', '-c', 'kill -SEGV $$'], {}, 'COMMAND_FAILED', ''],
    [
      'a mount that is not there',
      ['true'],
      { mounts: [{ kind: 'bind', source: '/no/such/folder', target: '/tmp', readOnly: true }] },
      'SANDBOX_FAILED',
      '/no/such/folder',
    ],
    ['a mount on what is not there', ['true'], { mounts: [{ kind: 'tmpfs', target: '/no' }] }, 'SANDBOX', '/no'],
  ] as const)('%s', async (_name, argv, more, code, found) => {
    const task: Command = { ...sh(''), argv: argv as unknown as Command['argv'] };
    const input = { ...options(), ...more } as Input['options'];
    const { error } = await perform({ kit, command: task, options: input });
    expect(error?.code).toContain(code);
    expect(error?.found).toContain(found);
  });

  test('one whose log cannot be written is ended', async () => {
    const word = marker();
    const log = tree.make();
    const failing = run(kit, sh(`echo begun; exec sleep ${word}`), { ...options(), log, signal: never });
    await expect(failing).rejects.toMatchObject({ code: 'EISDIR' });
    await gone(word);
  });
});

describe('nothing outlives', () => {
  /** Four processes; nobody waits for three of them, two do not hear SIGHUP, and one has lost its parent and its output. */
  const family = (word: string): string =>
    `sleep ${word} & (nohup sleep ${word} >/dev/null 2>&1 &); nohup sleep ${word} & echo begun; sleep ${word}`;

  test('an abort', async () => {
    const word = marker();
    const controller = new AbortController();
    const reason = new Error('enough');
    const work = run(kit, sh(family(word)), { ...options(), signal: controller.signal });
    const outcome = work.catch((error: unknown) => error);
    await running(word, 4);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    await gone(word);
  });

  test('the end of the command itself', async () => {
    const word = marker();
    const script = `sleep ${word} >/dev/null 2>&1 & kill -0 $! && echo there`;
    const { error, lines } = await perform({ kit, command: sh(script), options: options() });
    expect(error).toBeUndefined();
    expect(lines).toEqual(['there']);
    await gone(word);
  });

  test('SIGKILL of the process that started it', async () => {
    const word = marker();
    const input: Input = { kit, command: sh(family(word)), options: options() };
    const [command = '', ...rest] = [...unprivileged.program('sandbox.ts'), JSON.stringify(input)];
    const parent = spawn(command, rest, { stdio: 'ignore' });
    await running(word, 4);
    parent.kill('SIGKILL');
    await eventually('the parent is gone', () => (parent.signalCode === 'SIGKILL' ? true : undefined));
    await gone(word);
  });

  test('a time limit, or more output than is kept', async () => {
    const word = marker();
    const { mounts, root } = options();
    const late = await capture(kit, sh(`echo begun; sleep ${word}`), { root, mounts, signal: never, timeout: 1500 });
    expect(late).toMatchObject({ exitCode: undefined, stdout: 'begun\n' });
    const endless = await capture(kit, sh(`sleep ${word} & yes`), { root, mounts, signal: never, timeout: 60_000 });
    expect(endless.exitCode).toBeUndefined();
    expect(endless.stdout.length).toBeLessThan(5_000_000);
    await gone(word);
  });
});

test.each([
  ['in lines', 'yes "cc -O2 -c some-file.c -o some-file.o" | head -c 100000000'],
  ['in one line', 'head -c 100000000 /dev/zero | tr "\\0" x'],
])(
  '100 MB of output %s reach the log, and need no memory',
  async (_name, script) => {
    const where = options();
    const input: Input = { kit, command: sh(script), options: where };
    const { stdout } = await finish([...unprivileged.program('sandbox.ts'), JSON.stringify(input)]);
    const outcome = JSON.parse(stdout) as Outcome;
    expect(outcome.error).toBeUndefined();
    expect(outcome.count).toBeGreaterThan(1000);
    expect(outcome.memory).toBeLessThan(200e6);
    const { stdout: size } = await finish(['wc', '-c', where.log]);
    expect(Number.parseInt(size, 10)).toBeGreaterThan(100_000_000);
  },
  60_000,
);

test('a short command gives what it printed, and its status', async () => {
  const { mounts, root } = options();
  const script = 'echo out; echo err >&2; cat /proc/net/dev | wc -l; exit 3';
  const captured = await capture(kit, sh(script), { root, mounts, signal: never, timeout: 10_000 });
  expect(captured).toEqual({ exitCode: 3, stdout: 'out\n3\n', stderr: 'err\n' });
});

describe('where namespaces are not allowed', () => {
  const own = [...tools.program(kit, 'usr/bin/unshare'), '--user', '--map-root-user', '--mount', '--'];
  /** Runs the program in namespaces of its own, in which a script has first changed something. */
  const inside = async (script: string): Promise<Outcome> => {
    const input: Input = { kit: { ...kit, root: false }, command: sh('echo ran'), options: options() };
    const argv = [...unprivileged.program('sandbox.ts'), JSON.stringify(input)];
    const { stdout, stderr, status } = await finish([...own, 'sh', '-c', `${script} && exec "$@"`, 'sh', ...argv]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return JSON.parse(stdout) as Outcome;
  };
  const impossible = async (): Promise<boolean> => (await finish([...own, 'true'])).status !== 0;

  test('the error says which setting to change', async (context) => {
    context.skip(await impossible(), 'no namespace to forbid namespaces in');
    const { error, lines } = await inside('echo 0 > /proc/sys/user/max_user_namespaces');
    expect(error?.code).toBe('SANDBOX_FORBIDDEN');
    expect(error?.found).toContain('namespace');
    expect(error?.hint).toContain('sysctl -w user.max_user_namespaces=');
    expect(error?.hint).toContain('sysctl -w kernel.apparmor_restrict_unprivileged_userns=0');
    expect(lines).not.toContain('ran');
    // Only the namespace that is gone was changed.
    expect(Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8'))).toBeGreaterThan(0);
  });

  test('nor when the kernel refuses later, as in a container whose /proc is masked', async (context) => {
    context.skip(await impossible(), 'no namespace to forbid namespaces in');
    const { error, lines } = await inside('mount -t tmpfs none /proc/bus');
    expect(error?.code).toBe('SANDBOX_FORBIDDEN');
    expect(error?.found).toContain('proc');
    expect(lines).not.toContain('ran');
  });
});

test('a marker finds a process that is there', async () => {
  const word = marker();
  const controller = new AbortController();
  const top = tree.make();
  mkdirSync(join(top, 'logs'));
  writeFileSync(join(top, 'logs', 'x.log'), 'of an earlier run');
  const log = join(top, 'logs', 'x.log');
  const work = run(kit, sh(`sleep ${word}`), { ...options(), log, signal: controller.signal }).catch(() => 'ended');
  await running(word);
  expect(having(word).length).toBeGreaterThan(0);
  controller.abort();
  expect(await work).toBe('ended');
  await gone(word);
  expect(existsSync(log)).toBe(true);
  expect(readFileSync(log, 'utf8')).not.toContain('of an earlier run');
});
