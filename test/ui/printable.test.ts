import fc from 'fast-check';
import { expect, test } from 'vitest';
import { line, printable } from '../../libs/ui/printable.ts';

test.each([
  ['plain text, Größe ✔', 'plain text, Größe ✔'],
  ['two\n\tlines\r\n', 'two\n\tlines\n'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['\u001b[?25l\u001b[2 q\u001b[>4;1mhidden', 'hidden'],
  ['\u009b31mred', 'red'],
  ['a\u001b]0;title\u0007b', 'ab'],
  ['a\u001b]8;;http://a.test\u001b\\link\u001b]8;;\u001b\\b', 'alinkb'],
  ['a\u009d0;title\u009cb', 'ab'],
  ['a\u001bPpayload\u001b\\b', 'ab'],
  ['a\u001b]0;never ended\nb', 'a\nb'],
  ['a\u001b(0b\u001bcc', 'abc'],
  ['a\u0000\u0007\u0008\u007f\u0085b\u001b', 'ab'],
])('%j is written as %j', (text, expected) => {
  expect(printable(text)).toBe(expected);
});

test('a line is one line', () => {
  expect(line('a\n\tb\u001b[K')).toBe('a  b');
});

test('nothing that controls a terminal is left, and what is clean stays', () => {
  const unit = fc.oneof(
    fc.constantFrom('\u001b', '[', ']', '\u009b', '\u0007', '\\', '0', 'm', '\n'),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const clean = printable(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(clean).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
      expect(printable(clean)).toBe(clean);
    }),
  );
});
