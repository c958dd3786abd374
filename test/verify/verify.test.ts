import { describe, expect, test } from 'vitest';
import type { Captured } from '../../libs/sandbox/capture.ts';
import * as certificate from '../../libs/verify/certificate.ts';
import * as curl from '../../libs/verify/curl.ts';
import { altSvc } from '../../libs/verify/probes/alt-svc.ts';
import { lua } from '../../libs/verify/probes/lua.ts';
import { notFound } from '../../libs/verify/probes/not-found.ts';
import { ping } from '../../libs/verify/probes/ping.ts';
import { smoke } from '../../libs/verify/smoke.ts';
import type { Probe, Response } from '../../libs/verify/types.ts';
import { judge, verify } from '../../libs/verify/verify.ts';

const headers = { 'alt-svc': ['h3=":443"; ma=86400'] };
const good: Exclude<Response, { error: string }> = { status: 200, version: 'HTTP/3', headers, body: 'pong' };

describe('what each probe says of an answer', () => {
  test.each<[string, Probe, Partial<typeof good>, boolean, string]>([
    ['the right one', ping('HTTP/3'), {}, true, '200 pong'],
    ...[ping('HTTP/2'), altSvc('HTTP/2', 443), notFound('HTTP/2'), lua('HTTP/2')].map(
      (probe): [string, Probe, Partial<typeof good>, boolean, string] => [
        `${probe.name} over another version`,
        probe,
        { version: 'HTTP/1.1' },
        false,
        'answered over HTTP/1.1',
      ],
    ),
    ['another status', ping('HTTP/3'), { status: 502 }, false, 'expected 200 "pong", found 502 "pong"'],
    ['more than was asked', ping('HTTP/3'), { body: 'pong\n' }, false, 'expected 200 "pong", found 200 "pong\\n"'],
    ['HTTP/3 announced', altSvc('HTTP/2', 443), {}, true, 'alt-svc: h3=":443"; ma=86400'],
    ['on another port', altSvc('HTTP/2', 8443), {}, false, 'expected alt-svc: h3=":8443", found h3=":443"; ma=86400'],
    ['not announced', altSvc('HTTP/2', 443), { headers: {} }, false, 'expected alt-svc: h3=":443", found no alt-svc'],
    ['announced second', altSvc('HTTP/2', 443), { headers: { 'alt-svc': ['h2=":443"', 'h3=":443"'] } }, true, 'h3'],
    ['Lua', lua('HTTP/3'), { body: 'lua LuaJIT 2.1 3\n' }, true, '200 lua LuaJIT 2.1 3'],
    ['another Lua', lua('HTTP/3'), { body: 'lua Lua 5.1' }, false, 'found 200 "lua Lua 5.1"'],
    ['a failure in Lua', lua('HTTP/3'), { status: 500, body: 'lua LuaJIT' }, false, 'found 500'],
    ['nothing there', notFound('HTTP/3'), { status: 404 }, true, '404'],
    ['something there', notFound('HTTP/3'), {}, false, 'expected 404, found 200'],
  ])('%s', (_name, probe, answer, ok, detail) => {
    const verdict = judge(probe, { ...good, version: probe.request.version, ...answer });
    expect(verdict).toMatchObject({ name: probe.name, ok });
    expect(verdict.detail).toContain(detail);
  });

  test('without an answer it fails, with the client’s own words', () => {
    expect(judge(ping('HTTP/3'), { error: 'curl: (7) refused' })).toEqual({
      name: 'ping HTTP/3',
      ok: false,
      detail: 'curl: (7) refused',
    });
  });

  test('every image is asked over every version', () => {
    expect(new Set(smoke.map(({ name }) => name)).size).toBe(smoke.length);
    expect(new Set(smoke.map(({ request }) => request.version))).toEqual(new Set(['HTTP/1.1', 'HTTP/2', 'HTTP/3']));
  });
});

describe('asking', () => {
  const answer = (version: string): Captured => ({
    exitCode: 0,
    stdout: `pong\n--answer--\n{"status":200,"version":"${version}","headers":{"alt-svc":["h3=\\":443\\""]}}`,
    stderr: '',
  });

  test('the same question is asked once, and verdicts are in the order of the probes', async () => {
    const asked: string[] = [];
    const probes = [ping('HTTP/2'), notFound('HTTP/2'), altSvc('HTTP/2', 443), ping('HTTP/3')];
    const verdicts = await verify(probes, async ({ name, argv }) => {
      asked.push(name);
      return answer(argv.includes('--http3-only') ? '3' : '2');
    });
    expect(asked).toEqual(['HTTP/2 /ping', 'HTTP/2 /no-such-path', 'HTTP/3 /ping']);
    expect(verdicts.map(({ name, ok }) => [name, ok])).toEqual([
      ['ping HTTP/2', true],
      ['not found HTTP/2', false],
      ['alt-svc HTTP/2', true],
      ['ping HTTP/3', true],
    ]);
  });

  test('a client that cannot be started is an error, not a verdict', async () => {
    const failure = new Error('no sandbox');
    await expect(verify([ping('HTTP/2')], () => Promise.reject(failure))).rejects.toBe(failure);
  });
});

describe('curl', () => {
  test.each([
    ['HTTP/1.1', '--http1.1'],
    ['HTTP/2', '--http2'],
    ['HTTP/3', '--http3-only'],
  ] as const)('asks over %s', (version, option) => {
    const { argv } = curl.command({ version, path: '/a?b' });
    expect(argv.filter((word) => word.startsWith('--http'))).toEqual([option]);
    expect(argv.at(-1)).toBe('https://localhost/a?b');
    expect(argv).toContain(curl.CA);
    expect(argv).not.toContain('--insecure');
    expect(argv.join('')).not.toContain('\n');
  });

  test.each([
    ['1.1', 'HTTP/1.1'],
    ['2', 'HTTP/2'],
    ['3', 'HTTP/3'],
  ])('an answer over %s', (said, version) => {
    const stdout = `two\nlines\n\n--answer--\n{"status":404,"version":"${said}","headers":{"server":["nginx"]}}`;
    expect(curl.parse(stdout, 'a warning', 0)).toEqual({
      status: 404,
      version,
      headers: { server: ['nginx'] },
      body: 'two\nlines\n',
    });
  });

  test('a body that holds what stands before the facts', () => {
    const body = 'a\n--answer--\n{"status":200}\n--answer--\nb';
    const stdout = `${body}\n--answer--\n{"status":404,"version":"2","headers":{}}`;
    expect(curl.parse(stdout, '', 0)).toEqual({ status: 404, version: 'HTTP/2', headers: {}, body });
  });

  test.each(['', '{', 'null', '{"status":"200"}', '{"status":200,"version":"2"}'])(
    'facts that are none: %j',
    (facts) => {
      expect(curl.parse(`pong\n--answer--\n${facts}`, '', 0)).toEqual({
        error: expect.stringContaining('cannot be read'),
      });
    },
  );

  test.each([
    ['', 'curl: (7) Failed to connect\n', 7, 'curl: (7) Failed to connect'],
    ['', '', 28, 'curl ended with status 28'],
    ['', '', undefined, 'curl ended with status unknown'],
    ['cut short', '', 0, 'curl ended with status 0'],
  ])('no answer: %j %j %s', (stdout, stderr, status, error) => {
    expect(curl.parse(stdout, stderr, status)).toEqual({ error });
  });
});

test('the certificate is for the name and the address that are asked, and for a short time', () => {
  const words = certificate.command('/client').argv.join(' ');
  expect(words).toContain('DNS:localhost,IP:127.0.0.1');
  expect(words).toContain('-days 2');
  expect(words).toContain(`-keyout ${certificate.files.key} -out ${certificate.files.certificate}`);
});
