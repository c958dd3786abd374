import type { Command } from '../core/command.ts';

/** The file names that the certificate command writes into its working folder. */
export const files = { certificate: 'tls.crt', key: 'tls.key' } as const;

/**
 * The command that makes a throw-away certificate for `localhost`: self-signed, ECDSA P-256, two days. Its key is for one
 * verification and goes nowhere else.
 */
export const command = (cwd: string): Command => ({
  name: 'certificate',
  argv: [
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    ...['-days', '2'],
    ...['-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', files.key],
    ...['-out', files.certificate],
  ],
  env: { PATH: '/usr/bin', HOME: '/tmp' },
  cwd,
});
