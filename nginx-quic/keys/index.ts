/** A public key that signs what a lock is made from. */
export interface PinnedKey {
  /** The file beside this one, ASCII-armored. */
  readonly file: string;
  /** Of the primary key: what makes the file trustworthy. */
  readonly fingerprint: string;
  /** Whose it is, and what it signs. */
  readonly purpose: string;
}

/** The keys of the Debian archive, as the package debian-archive-keyring has them. */
export const debian: readonly PinnedKey[] = [
  {
    file: 'debian-bookworm-automatic.asc',
    fingerprint: 'B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8',
    purpose: 'Debian Archive Automatic Signing Key (12/bookworm): every suite of the archive',
  },
  {
    file: 'debian-bookworm-security-automatic.asc',
    fingerprint: '05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0',
    purpose: 'Debian Security Archive Automatic Signing Key (12/bookworm): every suite of the security archive',
  },
  {
    file: 'debian-bookworm-stable.asc',
    fingerprint: '4D64FEC119C2029067D6E791F8D2585B8783D481',
    purpose: 'Debian Stable Release Key (12/bookworm): the suite bookworm',
  },
  {
    file: 'debian-trixie-automatic.asc',
    fingerprint: '04B54C3CDCA79751B16BC6B5225629DF75B188BD',
    purpose: 'Debian Archive Automatic Signing Key (13/trixie): every suite of the archive',
  },
  {
    file: 'debian-trixie-security-automatic.asc',
    fingerprint: '5E04A1E3223A19A20706E20F9904613D4CCE68C6',
    purpose: 'Debian Security Archive Automatic Signing Key (13/trixie): every suite of the security archive',
  },
  {
    file: 'debian-trixie-stable.asc',
    fingerprint: '41587F7DB8C774BCCF131416762F67A0B2C39DE4',
    purpose: 'Debian Stable Release Key (13/trixie): the suite trixie',
  },
];
