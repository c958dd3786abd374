import type { RootDefinition } from '../../libs/core/channel.ts';
import { documentation, mergedUsr, trixie } from '../../nginx-quic/suites.ts';

/** The roots that only tests use; locked together in `locks/test.json`. */
export const roots = {
  /** Other people's tools that read images, and the archivers to hold layers against. */
  images: {
    suites: trixie,
    packages: ['gzip', 'skopeo', 'tar', 'umoci', 'zstd'],
    folderLinks: mergedUsr,
    // umoci looks at the mount of it when it writes a configuration without root.
    links: { '/etc/resolv.conf': '/dev/null' },
    directories: ['/shared', '/proc', '/dev', '/tmp', '/var/tmp'],
    exclude: [...documentation, '/usr/share/bash-completion'],
  },
} as const satisfies Record<string, RootDefinition>;
