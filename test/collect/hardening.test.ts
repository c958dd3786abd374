import { expect, test } from 'vitest';
import * as hardening from '../../libs/collect/hardening.ts';

const facts: hardening.Facts = {
  type: 'shared',
  relro: true,
  flags: { bindNow: true, pie: true, noDefaultLibraries: false },
  stack: 'data',
  features: { ibt: true, shstk: true },
};

test('a hardened program', () => {
  expect(hardening.of(facts, ['printf', '__stack_chk_fail', '__memcpy_chk'])).toEqual({
    ...{ pie: true, relro: 'full', nx: true, canary: true, fortify: true },
    cet: { ibt: true, shstk: true },
  });
});

test('each weakness shows', () => {
  const bare = hardening.of({ ...facts, type: 'executable', relro: false, stack: 'executable' }, ['memcpy']);
  expect(bare).toMatchObject({ pie: false, relro: 'none', nx: false, canary: false, fortify: false });
  expect(hardening.of({ ...facts, flags: { ...facts.flags, bindNow: false } }).relro).toBe('partial');
  expect(hardening.of({ ...facts, stack: 'unstated' }).nx).toBe(false);
});

test('what is not known is not said; the stack protector is no fortified function', () => {
  expect(hardening.of(facts)).toMatchObject({ canary: undefined, fortify: undefined });
  expect(hardening.of(facts, ['__stack_chk_fail'])).toMatchObject({ canary: true, fortify: false });
});
