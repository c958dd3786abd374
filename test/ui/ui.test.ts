import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ForgeError } from '../../libs/core/errors.ts';
import type { BuildResult } from '../../libs/pipeline/result.ts';
import * as failure from '../../libs/ui/failure.ts';
import { live } from '../../libs/ui/live.ts';
import { plain } from '../../libs/ui/plain.ts';
import { duration, megabytes } from '../../libs/ui/reporter.ts';
import { summary } from '../../libs/ui/summary.ts';
import { table } from '../../libs/ui/table.ts';

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1000, '1.0 s'],
  [59_940, '59.9 s'],
  [60_000, '1 min 00 s'],
  [119_600, '2 min 00 s'],
  [125_000, '2 min 05 s'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('megabytes are decimal', () => {
  expect(megabytes(15_949_999)).toBe('15.9 MB');
});

describe('a failure', () => {
  test('of ours says what, and what to do', () => {
    const error = new ForgeError('LOCK_MISSING', 'there is no lock', {
      expected: 'a',
      found: 'b',
      hint: 'npm run lock',
    });
    expect(failure.text(error)).toBe(
      'error LOCK_MISSING: there is no lock\n  expected: a\n  found: b\n  next: npm run lock',
    );
    expect(failure.text(new ForgeError('X', 'y'))).toBe('error X: y');
    expect(failure.json(error)).toMatchObject({
      code: 'LOCK_MISSING',
      message: 'there is no lock',
      hint: 'npm run lock',
    });
  });

  test('never controls the terminal, whomever it quotes', () => {
    const error = new ForgeError('X', 'a\u001b[2Jb', { found: 'line\n  \u001b]0;title\u0007more' });
    expect(failure.text(error)).toBe('error X: ab\n  found: line\n  more');
    expect(failure.text('\u009b2Jtext')).toBe('error: text');
  });

  test('of another kind says where it came from', () => {
    expect(failure.text(new TypeError('odd'))).toMatch(/^error: TypeError: odd\n\s+at /);
    expect(failure.text('text')).toBe('error: text');
    expect(failure.json(new TypeError('odd'))).toEqual({ code: 'INTERNAL', message: 'odd' });
  });
});

describe('plain lines', () => {
  const lines = (work: (reporter: ReturnType<typeof plain>) => void): string[] => {
    const written: string[] = [];
    work(plain((line) => void written.push(line)));
    return written;
  };

  test('one when something begins, one when it ends', () => {
    const written = lines((reporter) => {
      const stage = reporter.begin('download');
      stage.status('7\u001b[2J files');
      stage.status('7\u001b[2J files');
      stage.bytes(1, 3_000_000);
      stage.log('noise');
      stage.end({ ms: 1500, cached: false, failed: false });
    });
    expect(written).toEqual(['download: 7 files', 'download: done in 1.5 s, 3.0 MB']);
  });

  test('nothing to do, and a failure', () => {
    const written = lines((reporter) => {
      reporter.begin('a').end({ ms: 1, cached: true, failed: false });
      reporter.begin('b').end({ ms: 2000, cached: false, failed: true });
      reporter.close();
    });
    expect(written).toEqual(['a: nothing to do', 'b: FAILED after 2.0 s']);
  });
});

describe('a live picture', () => {
  test('of every stage, in the width of the terminal, and nothing that a command prints controls the terminal', () => {
    const stream = Object.assign(new PassThrough(), { columns: 40, rows: 20, isTTY: true });
    const reporter = live(stream as unknown as NodeJS.WriteStream);
    const compile = reporter.begin('compile');
    compile.status('nginx-make');
    for (const line of ['first', 'second', 'third', `\u001b[31mred\u001b[0m \u001b]0;title\u0007${'x'.repeat(100)}`]) {
      compile.log(line);
    }
    reporter.begin('download').end({ ms: 2000, cached: false, failed: false });
    reporter.begin('prove').end({ ms: 3000, cached: false, failed: true });
    reporter.close();
    const text = String(stream.read());
    expect(text).toContain('✔ download   2.0 s');
    expect(text).toContain('✖ prove      failed after 3.0 s');
    expect(text).toContain('nginx-make');
    expect(text).not.toContain('first');
    expect(text).toContain('    red');
    expect(text).not.toContain('\u001b[31m');
    expect(text).not.toContain('\u0007');
    expect(text).not.toContain('\u001b]');
    expect(text).not.toContain('x'.repeat(40));
  });
});

test('a table has columns as wide as their widest cell', () => {
  expect(
    table(
      ['a', 'bb'],
      [
        ['ccc', 'd'],
        ['e', ''],
      ],
    ),
  ).toBe('  a    bb\n  ccc  d\n  e');
});

describe('the summary', () => {
  const result: BuildResult = {
    schema: 1,
    channel: 'debian',
    nginx: '1.26.3',
    log: '/store/logs/prove/container.log',
    versions: { nginx: '1.26.3-3', openssl: '3.5.7-1' },
    quic: 'native',
    configure: ['--with-http_v3_module'],
    modules: [
      { name: 'lua', link: 'static', origin: 'source' },
      { name: 'brotli', link: 'dynamic', origin: 'package' },
    ],
    advisories: [],
    writable: ['/tmp', '/run'],
    heldBack: [{ package: 'nginx', locked: '1.26.3-3', newest: '1.26.3-4' }],
    digest: `sha256:${'0'.repeat(64)}`,
    size: { raw: 15_900_000, compressed: 6_500_000 },
    output: ['layout:dist/oci', 'archive:C:/image.tar'],
    stages: [
      { name: 'compile', ms: 61_000, cached: false },
      { name: 'download', ms: 0, cached: true },
    ],
    probes: [
      { name: 'ping HTTP/3', ok: true, detail: '200 pong' },
      { name: 'lua', ok: true, detail: '200' },
    ],
    ok: true,
  };

  test('of a good build says what it is, where it lies, what was proven, and what to type next', () => {
    const text = summary(result, false);
    for (const part of [
      'built and proven',
      'channel     debian, nginx 1.26.3-3',
      'openssl 3.5.7-1',
      result.digest,
      '15.9 MB raw, 6.5 MB compressed',
      'layout      dist/oci',
      'archive     C:/image.tar',
      'nginx 1.26.3-4',
      '✔ ping HTTP/3  200 pong',
      '✔ lua          200',
      'compile 1 min 01 s, download -',
      'docker load --input C:/image.tar',
      'npm run why',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('of an answer that would control the terminal', () => {
    const probes = [{ name: 'ping HTTP/3', ok: false, detail: 'found "\u001b]0;title\u0007\u001b[31m"\nNext:' }];
    expect(summary({ ...result, probes }, false)).toContain('✖ ping HTTP/3  found "" Next:');
  });

  test('of one that is not proven says so, and gives no next step', () => {
    const probes = [{ name: 'ping HTTP/3', ok: false, detail: 'curl: (28) timed out' }];
    const text = summary({ ...result, ok: false, output: [], probes }, false);
    expect(text).toContain('NOT proven');
    expect(text).toContain('less /store/logs/prove/container.log');
    expect(text).toContain('✖ ping HTTP/3  curl: (28) timed out');
    expect(text).not.toContain('docker run');
  });

  test('of a run that did nothing says so, without times', () => {
    const text = summary(result, true);
    expect(text).toContain('Nothing changed');
    expect(text).not.toContain('compile 1 min');
  });
});
