import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import * as container from '../../libs/engine/container.ts';
import { capture } from '../../libs/sandbox/capture.ts';
import { isolate } from '../../libs/sandbox/network.ts';
import { rejection } from '../support/errors.ts';
import { eventually, finish, gone, having, marker, mounts, running } from '../support/processes.ts';
import type { Input, Outcome } from '../support/programs/container.ts';
import { perform } from '../support/programs/container.ts';
import * as roots from '../support/roots.ts';
import * as tiny from '../support/tiny.ts';
import * as tree from '../support/tree.ts';
import * as unprivileged from '../support/unprivileged.ts';

const kit = await roots.kit();
const from = [await roots.root('builder'), await roots.root('client')];
const { platform } = kit;
const never = new AbortController().signal;

/** A small image: a shell, a server that speaks TLS, and little else. */
const image = (): string =>
  tiny.make({
    from,
    platform,
    programs: ['cat', 'env', 'id', 'openssl', 'sed', 'sh', 'sleep', 'sort', 'touch'].map((name) => `/usr/bin/${name}`),
    directories: ['/etc', '/run', '/var/cache'],
  });

/** Says what it was given, then serves on port 443 until it is told to stop. */
const questions = `
env | sort | sed 's/^/env /'
echo "cwd $(pwd)"
echo "hostname $(cat /proc/sys/kernel/hostname)"
sed -n 's/^\\(Uid\\|Gid\\|Groups\\|CapPrm\\|CapEff\\|CapAmb\\|NoNewPrivs\\):\\s*\\(.*\\)/\\1 \\2/p' /proc/self/status
echo "init $(sed -n 's/^Name:\\s*//p' /proc/1/status) $$"
for path in / /etc /usr/bin /var/cache /proc/sys/kernel; do touch $path/x 2>/dev/null && echo "wrote $path"; done
for path in /run /tmp; do touch $path/x && echo "wrote $path"; done
[ -w /proc/sys/kernel/core_pattern ] && echo 'writable core_pattern'
echo standard output >> /dev/stdout
echo standard error >> /dev/stderr
`;
const serve = 'openssl s_server -nocert -accept 443 -quiet &';
const onQuit = `trap 'echo stopping; exit 7' QUIT; while :; do wait; done`;

const config = (script: string, more: Partial<container.ContainerConfig> = {}): container.ContainerConfig => ({
  entrypoint: ['/usr/bin/sh'],
  command: ['-c', script],
  env: { PATH: '/usr/bin', GREETING: 'a b' },
  workingDir: '/var/cache',
  user: { uid: 101, gid: 102 },
  stopSignal: 'SIGQUIT',
  ports: [],
  ...more,
});

const tmpfs = ['/run', '/tmp'].map((target) => ({ kind: 'tmpfs', target, mode: 0o1777 }) as const);
const input = (root: string, script: string, more: Partial<container.ContainerConfig> = {}): Input => ({
  kit,
  root,
  config: config(script, more),
  options: { mounts: tmpfs, log: join(unprivileged.folder(), 'log'), patience: 20_000 },
  until: '',
  grace: 20_000,
});

// Whatever a test did, nothing of it is mounted where this process can see it.
afterEach(() => {
  expect(mounts().filter((line) => line.includes(tree.PREFIX) || line.includes(kit.dir))).toEqual([]);
});

const answers = (log: string, name: string): string[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1).trim());

function expectContainer({ log, exit }: Outcome): void {
  expect(answers(log, 'env')).toEqual(expect.arrayContaining(['GREETING=a b', 'PATH=/usr/bin']));
  expect(answers(log, 'env').filter((line) => !/^(GREETING|PATH|PWD|OLDPWD|_)=/.test(line))).toEqual([]);
  expect(answers(log, 'cwd')).toEqual(['/var/cache']);
  expect(answers(log, 'hostname')).toEqual(['container']);
  expect(answers(log, 'Uid')).toEqual(['101\t101\t101\t101']);
  expect(answers(log, 'Gid')).toEqual(['102\t102\t102\t102']);
  // What is inheritable is nothing without a right: only a file that grants it could use it, and none may.
  for (const set of ['CapPrm', 'CapEff', 'CapAmb']) expect(answers(log, set), set).toEqual(['0'.repeat(16)]);
  expect(answers(log, 'NoNewPrivs')).toEqual(['1']);
  // The entry point is process 1, as in every other engine.
  expect(answers(log, 'init')).toEqual(['sh 1']);
  expect(answers(log, 'wrote')).toEqual(['/run', '/tmp']);
  expect(answers(log, 'writable')).toEqual([]);
  expect(answers(log, 'standard')).toEqual(['output', 'error']);
  expect(log.trimEnd()).toMatch(/stopping$/);
  expect(exit).toEqual({ exitCode: 7, signal: undefined });
}

const whole = (root: string): Input => ({
  ...input(root, `${questions} ${serve} echo serving; ${onQuit}`, { ports: ['443/tcp'] }),
  until: 'serving',
});

test('what a container sees, and that it ends as it likes when it is told to stop', async () => {
  const root = image();
  expectContainer(await perform(whole(root)));
  expect(readdirSync(join(root, 'run'))).toEqual([]);
});

test('a user without rights runs the same', async (context) => {
  const obstacle = unprivileged.obstacle(kit) ?? (await unprivileged.refusal(kit));
  context.skip(obstacle !== undefined, obstacle);
  const task: Input = { ...whole(image()), kit: unprivileged.copy(kit) };
  const argv = [...unprivileged.program('container.ts'), JSON.stringify(task)];
  const { stdout, stderr, status } = await finish([...unprivileged.prefix(kit), ...argv]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expectContainer(JSON.parse(stdout) as Outcome);
});

test.skipIf(!kit.root)('as root, the user of a container is that user on the machine too', async () => {
  await using network = await isolate(kit, never);
  const { options, root, config: how } = input(image(), `echo begun; while :; do sleep 1; done`);
  await using server = await container.start(kit, root, how, { ...options, network, signal: never });
  const status = await eventually('it has changed its user', () => {
    const text = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    return /^Name:\s+sh$/m.test(text) ? text : undefined;
  });
  expect(status).toMatch(/^Uid:\s+101\s+101\s+101\s+101$/m);
  expect(status).toMatch(/^Gid:\s+102\s+102\s+102\s+102$/m);
  expect(status).toMatch(/^Groups:\s*$/m);
  expect(lstatSync(options.log).uid).toBe(101);
});

test('its network is reached by whoever joins it, and by nobody else', async () => {
  const { options, root, config: how } = whole(image());
  await using network = await isolate(kit, never);
  await using server = await container.start(kit, root, how, { ...options, network, signal: never });
  const ask = async (joined: boolean): Promise<number | undefined> => {
    const argv: [string, ...string[]] = ['openssl', 's_client', '-connect', '127.0.0.1:443', '-no_ssl3'];
    const command = { name: 'client', argv, env: { PATH: '/usr/bin' }, cwd: '/' };
    const client = { root: from[1] ?? '', mounts: [], signal: never, timeout: 20_000 };
    const asked = await capture(kit, command, { ...client, ...(joined ? { network } : {}) });
    return /errno|connect:/.test(asked.stderr) ? undefined : asked.exitCode;
  };
  // There is no certificate, so no handshake succeeds; but somebody was there to refuse it.
  expect(await ask(true)).toBe(1);
  expect(await ask(false)).toBeUndefined();
  expect(server.pid).toBeGreaterThan(1);
});

describe('a container that does not become ready', () => {
  test('because it ended: its status and its last lines', async () => {
    const lines = 'n=0; while [ $n -lt 30 ]; do n=$((n+1)); echo "line $n"; done; echo "bad configuration" >&2; exit 3';
    const error = await rejection(perform(input(image(), lines, { ports: ['443/udp'] })));
    expect(error.code).toBe('CONTAINER_EXITED');
    expect(error.message).toContain('status 3');
    expect(error.expected).toBe('443/udp open');
    expect(error.found).toContain('bad configuration');
    expect(error.found).toContain('line 30');
    expect(error.found).not.toContain('line 9\n');
  });

  test('because its program is not there', async () => {
    const error = await rejection(perform(input(image(), '', { entrypoint: ['/no/such'], ports: ['443/udp'] })));
    expect(error.code).toBe('CONTAINER_EXITED');
    expect(error.found).toContain('/no/such');
  });

  test('because a port stays closed: which one, and nothing is left', async () => {
    const word = marker();
    const task = input(image(), `${serve} echo waiting; exec sleep ${word}`, { ports: ['443/tcp', '443/udp'] });
    const failing = { ...task, options: { ...task.options, patience: 1500 } };
    const error = await rejection(perform(failing));
    expect(error).toMatchObject({ code: 'CONTAINER_NOT_READY', expected: '443/tcp, 443/udp open' });
    expect(error.message).toMatch(/: 443\/udp$/);
    expect(error.found).toContain('waiting');
    await gone(word);
  });
});

describe('ending one', () => {
  test('that does not listen to its stop signal: it is killed, and the result shows it', async () => {
    const word = marker();
    const task = input(image(), `trap '' QUIT; sleep ${word} & echo deaf; exec sleep ${word}`);
    const { exit, log } = await perform({ ...task, until: 'deaf', grace: 300 });
    expect(log).toBe('deaf\n');
    expect(exit).toEqual({ exitCode: undefined, signal: 'SIGKILL' });
    await gone(word);
  });

  /** The processes that hold networks for containers. */
  const holders = (): number[] =>
    having('echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start && echo ready; read _');

  /** Resolves when those that hold networks are all of them older than `before`. */
  const nobodyHolds = (before: readonly number[]): Promise<true> =>
    eventually('the network is gone', () => holders().every((pid) => before.includes(pid)) || undefined);

  test.each(['dispose', 'abort'])('by %s: no process is left', async (how) => {
    const before = holders();
    const word = marker();
    const controller = new AbortController();
    const { options, root, config: told } = input(image(), `sleep ${word} & exec sleep ${word}`);
    const { signal } = controller;
    const network = await isolate(kit, signal);
    const server = await container.start(kit, root, told, { ...options, network, signal });
    await running(word, 2);
    if (how === 'abort') controller.abort(new Error('enough'));
    await server[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    await gone(word);
    await nobodyHolds(before);
  });

  test('that has ended already', async () => {
    const task = input(image(), 'echo done; exit 5');
    expect(await perform({ ...task, until: 'done' })).toEqual({
      log: 'done\n',
      exit: { exitCode: 5, signal: undefined },
    });
  });

  const killed = async (words: readonly string[], task: Input, word: string): Promise<void> => {
    const before = holders();
    const [command = '', ...rest] = [...words, ...unprivileged.program('container.ts'), JSON.stringify(task)];
    const parent = spawn(command, rest, { stdio: 'ignore' });
    await running(word, 2);
    parent.kill('SIGKILL');
    await gone(word);
    await nobodyHolds(before);
  };
  const endless = (word: string): Input => ({
    ...input(image(), `sleep ${word} & ${serve} exec sleep ${word}`, { ports: ['443/tcp'] }),
    until: 'never said',
  });

  test('by SIGKILL of the process that started it', async () => {
    const word = marker();
    await killed([], endless(word), word);
  });

  test('by SIGKILL of the process that started it, as a user without rights', async (context) => {
    const obstacle = unprivileged.obstacle(kit) ?? (await unprivileged.refusal(kit));
    context.skip(obstacle !== undefined, obstacle);
    const word = marker();
    await killed(unprivileged.prefix(kit), { ...endless(word), kit: unprivileged.copy(kit) }, word);
  });
});

describe('a mount point', () => {
  test.each([
    ['a link to a folder', (root: string, outside: string) => symlinkSync(outside, join(root, 'run'))],
    ['a link that leads nowhere', (root: string, outside: string) => symlinkSync(`${outside}/x`, join(root, 'run'))],
    ['a file', (root: string) => writeFileSync(join(root, 'run'), '')],
  ])('that is %s in the image: refused, and nothing is written outside', async (_name, put) => {
    const outside = tree.make();
    const root = image();
    rmdirSync(join(root, 'run'));
    put(root, outside);
    const task = input(root, 'echo ran');
    const error = await rejection(perform({ ...task, options: { ...task.options, mounts: below } }));
    expect(error.code).toBe('MOUNT_POINT_UNSAFE');
    expect(error.message).toContain('/run/deep');
    expect(readdirSync(outside)).toEqual([]);
  });

  const below = [{ kind: 'tmpfs', target: '/run/deep/er' }] as const;

  test('that is not there is made, and a file can be seen below it', async () => {
    const root = image();
    const source = unprivileged.folder();
    writeFileSync(join(source, 'tls.crt'), 'certificate');
    const task = input(root, `cat /etc/nginx/tls/tls.crt; touch /etc/nginx/tls/x || echo refused; ${onQuit}`);
    const mount = { kind: 'bind', source, target: '/etc/nginx/tls', readOnly: true } as const;
    const { log } = await perform({ ...task, options: { ...task.options, mounts: [mount] }, until: 'refused' });
    expect(log).toContain('certificate');
    expect(readdirSync(source)).toEqual(['tls.crt']);
  });
});
