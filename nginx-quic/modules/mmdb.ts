/** Marks where the metadata begins. */
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** Zero bytes between the tree and the data. */
const SEPARATOR = Buffer.alloc(16);

/** The control byte of a value: its type in the upper three bits, its length in the others. */
const control = (type: number, length: number): Buffer => Buffer.of((type << 5) | length);
const text = (value: string): Buffer => Buffer.concat([control(2, value.length), Buffer.from(value)]);
const uint16 = (value: number): Buffer => Buffer.concat([control(5, 2), Buffer.of(value >> 8, value & 0xff)]);
const uint32 = (value: number): Buffer => Buffer.concat([control(6, 1), Buffer.of(value)]);
const map = (entries: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([
    control(7, Object.keys(entries).length),
    ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]),
  ]);
// Types above 7 are said by a second byte, counted from 8.
const uint64 = (value: number): Buffer => Buffer.of(1, 2, value);
const array = (values: readonly Buffer[]): Buffer => Buffer.concat([Buffer.of(values.length, 4), ...values]);

/** One side of a node: 24 bits, big endian. */
const record = (value: number): Buffer => Buffer.of(value >> 16, (value >> 8) & 0xff, value & 0xff);

/**
 * A MaxMind DB with one node: the country of the addresses below 128.0.0.0, and that of the others. Spec: MaxMind DB File
 * Format 2.0.
 */
export function halves(low: string, high: string): Buffer {
  const data = [low, high].map((code) => map({ country: map({ iso_code: text(code) }) }));
  // A record beyond the last node points into the data, the separator included.
  const first = 1 + SEPARATOR.length;
  const metadata = map({
    binary_format_major_version: uint16(2),
    binary_format_minor_version: uint16(0),
    build_epoch: uint64(1),
    database_type: text('smoke'),
    description: map({}),
    ip_version: uint16(4),
    languages: array([]),
    node_count: uint32(1),
    record_size: uint16(24),
  });
  const tree = [record(first), record(first + (data[0]?.length ?? 0))];
  return Buffer.concat([...tree, SEPARATOR, ...data, MARKER, metadata]);
}
