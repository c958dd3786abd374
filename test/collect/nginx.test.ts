import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as nginx from '../../libs/collect/nginx.ts';
import { thrown } from '../support/thrown.ts';
import { make } from '../support/tree.ts';

const SIGNATURE = '8,4,8,0011111111010111011111111111111111';

/** What of an object is looked at: an `ngx_module_t` as it lies in the file, and the text that it points to. */
function object(version: number, signature = SIGNATURE): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(BigInt(version));
  return Buffer.concat([
    Buffer.from('something before\0'),
    Buffer.from(signature),
    Buffer.alloc(5),
    Buffer.alloc(16, 0xff),
    Buffer.alloc(24),
    number,
    Buffer.alloc(8),
  ]);
}

function written(bytes: Uint8Array): string {
  const path = join(make(), 'object.so');
  writeFileSync(path, bytes);
  return path;
}

const abi = { version: 1026003, signature: SIGNATURE };

test('an object for this nginx is right', () => {
  expect(() => nginx.checkModule(written(object(1026003)), 'x', abi)).not.toThrow();
});

test.each([
  ['for another version', object(1030006), 'nginx 1.30.6'],
  ['with another signature', object(1026003, '8,4,8,1011111111010111011111111111111111'), '8,4,8,10'],
])('an object %s is named with both', (_name, bytes, found) => {
  const error = thrown(() => nginx.checkModule(written(bytes), 'echo', abi));
  expect(error).toMatchObject({ code: 'MODULE_ABI', expected: `nginx 1.26.3, ${SIGNATURE}` });
  expect(error.message).toContain('echo');
  expect(error.found).toContain(found);
});

test('what has no module in it is left to nginx', () => {
  expect(() => nginx.checkModule(written(Buffer.from('text')), 'x', abi)).not.toThrow();
});

test('what is no nginx is an error', () => {
  expect(thrown(() => nginx.read(written(Buffer.from('text')))).code).toBe('NGINX_UNREADABLE');
});
