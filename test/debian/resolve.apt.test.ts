import { createReadStream } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import * as packages from '../../libs/debian/packages.ts';
import { resolve } from '../../libs/debian/resolve.ts';
import { emptyApt } from '../support/apt.ts';

const apt = await emptyApt();
afterAll(() => apt?.remove());

const SETS = [
  'gcc make libssl-dev libpcre2-dev zlib1g-dev libcrypt-dev patch libc6-dev binutils',
  'binutils gcc libc6-dev make coreutils dash diffutils findutils grep mawk patch sed libcrypt-dev libpcre2-dev libssl-dev zlib1g-dev ca-certificates lua-resty-core lua-resty-lrucache tzdata',
  'bubblewrap dash util-linux',
  'curl openssl',
  'curl',
  'nginx',
  'nginx-full libnginx-mod-http-lua libnginx-mod-stream',
  'build-essential',
  'skopeo umoci',
  'docker.io',
  'util-linux',
  'podman',
  'buildah',
  'gnutls-bin wget',
  'perl',
  'nodejs npm',
  'debhelper devscripts',
  'openssh-server',
  'postgresql',
  'apache2 libapache2-mod-php',
  'postfix mailutils',
  'systemd dbus',
  'cmake ninja-build clang lld',
  'apt dpkg-dev',
  'ffmpeg',
  'gimp',
];

describe.skipIf(apt === undefined)('held against apt-get in an empty root', () => {
  const records: packages.PackageRecord[] = [];
  let index: packages.PackageIndex = packages.index([], 'amd64');

  test('the indexes are read', { timeout: 60_000 }, async () => {
    const names: packages.Names = new Map();
    for (const { path, archive } of apt?.lists ?? []) {
      for await (const record of packages.read(createReadStream(path, { highWaterMark: 1 << 18 }), archive, names))
        records.push(record);
    }
    index = packages.index(records, 'amd64');
    expect(records.length).toBeGreaterThan(60_000);
  });

  test.each(SETS)('%s', { timeout: 30_000 }, (set) => {
    const names = set.split(' ');
    const ours = resolve(index, names).map(({ name, version }) => `${name}=${version}`);
    expect(ours.sort()).toEqual(apt?.install(names));
  });

  test('what apt refuses is refused', () => {
    for (const set of ['exim4 postfix', 'mawk bubblewrap no-such-package']) {
      expect(apt?.install(set.split(' '))).toBeUndefined();
      expect(() => resolve(index, set.split(' '))).toThrow(/->|no-such-package/);
    }
  });
});
