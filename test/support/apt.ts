import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as apt from '../../libs/debian/apt.ts';
import * as mirror from '../../libs/debian/mirror.ts';

/** The base URLs of the Debian mirror that this machine's apt uses; undefined on a machine without one. */
export async function machineMirror(): Promise<{ debian: string; security: string } | undefined> {
  const { sources } = await apt.read('/etc/apt');
  const setting = process.env.H3FORGE_DEBIAN_MIRROR;
  const [debian] = mirror.bases('debian', { apt: sources, setting });
  const [security] = mirror.bases('debian-security', { apt: sources, setting });
  if (debian === undefined || security === undefined) return undefined;
  const answers = await fetch(`${debian}dists/trixie/InRelease`, {
    method: 'HEAD',
    signal: AbortSignal.timeout(5000),
  }).then(
    (response) => response.ok,
    () => false,
  );
  return answers ? { debian, security } : undefined;
}

/** An apt of its own, for a root where nothing is installed. */
export interface EmptyApt {
  /** The package indexes that it fetched, in the order of its sources. */
  readonly lists: readonly { readonly path: string; readonly archive: string }[];
  /** `name=version` of what it would install, sorted; undefined where it would not. */
  install(packages: readonly string[]): string[] | undefined;
  remove(): void;
}

/** Sets one up for trixie on amd64; undefined where apt is missing or cannot. */
export async function emptyApt(): Promise<EmptyApt | undefined> {
  const urls = await machineMirror();
  if (urls === undefined || spawnSync('apt-get', ['--version']).error !== undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'h3forge-apt-'));
  for (const name of ['lists/partial', 'archives/partial', 'etc']) mkdirSync(join(dir, name), { recursive: true });
  const keyrings = '/usr/share/keyrings';
  const keys = existsSync(keyrings)
    ? readdirSync(keyrings).filter((name) => /^debian-archive-.*\.gpg$/.test(name))
    : [];
  const signed = `[signed-by=${keys.map((name) => join(keyrings, name)).join(',')}]`;
  writeFileSync(join(dir, 'status'), '');
  writeFileSync(
    join(dir, 'sources.list'),
    [
      `deb ${signed} ${urls.debian} trixie main`,
      `deb ${signed} ${urls.debian} trixie-updates main`,
      `deb ${signed} ${urls.security} trixie-security main`,
      '',
    ].join('\n'),
  );
  const settings = {
    'Dir::State': dir,
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': join(dir, 'status'),
    'Dir::Cache': dir,
    'Dir::Cache::archives': join(dir, 'archives'),
    'Dir::Etc': join(dir, 'etc'),
    'Dir::Etc::sourcelist': join(dir, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::main': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Check-Valid-Until': 'false',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
  };
  const config = join(dir, 'apt.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  writeFileSync(config, `${lines.join('\n')}\n#clear APT::Architectures;\nAPT::Architectures { "amd64"; };\n`);
  const run = (...args: string[]): { status: number | null; stdout: string } =>
    spawnSync('apt-get', args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', APT_CONFIG: config },
      maxBuffer: 64 * 1024 * 1024,
    });
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  if (run('update').status !== 0) {
    remove();
    return undefined;
  }
  const files = readdirSync(join(dir, 'lists')).filter((name) => name.endsWith('_Packages'));
  const lists = ['_trixie_', '_trixie-updates_', '_trixie-security_'].flatMap((suite) =>
    files
      .filter((name) => name.includes(suite))
      .map((name) => ({
        path: join(dir, 'lists', name),
        archive: suite.includes('security') ? 'debian-security' : 'debian',
      })),
  );
  return {
    lists,
    remove,
    install(packages) {
      const { status, stdout } = run('install', '--simulate', '--no-install-recommends', ...packages);
      if (status !== 0) return undefined;
      return [...stdout.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name}=${version}`).sort();
    },
  };
}
