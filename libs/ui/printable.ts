/* biome-ignore-all lint/suspicious/noControlCharactersInRegex: they are what is removed */

/** Device control, start of string, operating system command, privacy message, application program command (ECMA-48). */
const STRINGS = /(?:\x1b[PX\]^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?/g;
const SEQUENCES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/g;
/** A change of character set, a reset. */
const ESCAPES = /\x1b[ -/]*[0-~]/g;
/** C0 without tab and line feed, DEL, C1. */
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * Text of anyone (a compiler, a server, a mirror) as it may be written to a terminal: without control sequences and what
 * they carry, and without control characters other than tab and line feed.
 */
export const printable = (text: string): string =>
  text.replace(STRINGS, '').replace(SEQUENCES, '').replace(ESCAPES, '').replace(CONTROLS, '');

/** The same on one line. */
export const line = (text: string): string => printable(text).replace(/[\n\t]/g, ' ');
