import type { BuildResult } from '../pipeline/result.ts';
import * as printable from './printable.ts';
import { duration, megabytes } from './reporter.ts';

/** The end of a build, for a person: what it is, where it lies, what was proven, and what to type next. */
export function summary(result: BuildResult, unchanged: boolean): string {
  const { nginx: version, ...others } = result.versions;
  const width = Math.max(...result.probes.map(({ name }) => name.length));
  const place = (type: string): string | undefined =>
    result.output.find((output) => output.startsWith(`${type}:`))?.slice(type.length + 1);
  const head = unchanged
    ? 'Nothing changed: no work to do. The image is the one that was built and proven before.'
    : result.ok
      ? `nginx ${result.nginx} with HTTP/3: built and proven.`
      : `nginx ${result.nginx}: built, but NOT proven. Nothing was written to the outputs.`;
  return [
    '',
    head,
    '',
    row('channel', `${result.channel}, nginx ${version}`),
    row('QUIC', QUIC[result.quic]),
    row(
      'with',
      Object.entries(others)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ),
    row(
      'modules',
      result.modules.map(({ name, link }) => (link === 'dynamic' ? `${name} (dynamic)` : name)).join(', '),
    ),
    row('digest', result.digest),
    row('size', `${megabytes(result.size.raw)} raw, ${megabytes(result.size.compressed)} compressed`),
    ...result.output.map((output) => row(...(output.split(/:(.*)/s) as [string, string]))),
    ...result.heldBack.map(({ package: name, locked, newest }) =>
      row('held back', `${name} ${newest} is in Debian's signed index, but no mirror served it; locked is ${locked}`),
    ),
    ...advisories(result),
    '',
    ...result.probes.map(
      ({ name, ok, detail }) => `  ${ok ? '✔' : '✖'} ${name.padEnd(width)}  ${printable.line(detail)}`,
    ),
    ...(unchanged
      ? []
      : [
          '',
          row('time', result.stages.map(({ name, ms, cached }) => `${name} ${cached ? '-' : duration(ms)}`).join(', ')),
        ]),
    ...(result.ok ? [] : ['', row('log', `what the server wrote: less ${result.log}`)]),
    ...(result.ok ? ['', 'Next:', ...next(place('archive'), place('dockerfile'), result.writable)] : []),
    '',
  ].join('\n');
}

/** How nginx speaks QUIC, and what follows. */
const QUIC: Readonly<Record<BuildResult['quic'], string>> = {
  native: "native: OpenSSL's own API",
  boringssl: 'the API of BoringSSL',
  compat: "nginx's compatibility layer: no 0-RTT (--require quic=native refuses it)",
  none: 'none: this nginx has no HTTP/3',
};

/** How many advisories are named; the rest is told by the command. */
const NAMED = 3;

function advisories({ advisories: all }: BuildResult): string[] {
  if (all.length === 0) return [row('advisories', 'none that is known touches this build')];
  const named = all.slice(0, NAMED).map(({ id, severity }) => `${id} (${severity})`);
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
  return [row('advisories', `${all.length} touch this build: ${named.join(', ')}${more}; npm run advisories`)];
}

const row = (name: string, value: string): string => `  ${name.padEnd(10)}  ${value}`;

function next(archive: string | undefined, context: string | undefined, writable: readonly string[]): string[] {
  return [
    '  npm run why -- libcrypto.so.3                       why a file is in the image',
    ...(archive === undefined
      ? ['  npm run build-image -- --output archive:image.tar   the same as a file for docker load']
      : [`  docker load --input ${archive}`]),
    ...(context === undefined ? [] : [`  docker build --tag nginx-quic ${context}`]),
    `  docker run --rm --read-only ${writable.map((path) => `--tmpfs ${path}`).join(' ')} \\`,
    '    -v ./tls:/etc/nginx/tls:ro -p 80:80 -p 443:443/tcp -p 443:443/udp nginx-quic',
  ];
}
