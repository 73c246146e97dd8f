import assert from 'node:assert';
import { before, describe, it, test } from 'node:test';

const MESSAGE = 'expected "a" <b> & \'c\' ünïcödé ✓ 🦀\nsecond line';

test('passes', () => {});

test('writes output', () => {
  console.log('to stdout "<&>" ünïcödé 🦀');
  console.error('to stderr <&>');
});

test('fails', () => {
  throw new Error(MESSAGE);
});

test('fails to compare', () => {
  assert.deepStrictEqual({ key: '<1>' }, { key: '<2>' });
});

test('is skipped', { skip: 'skipped with "quotes" <&> 🦀' }, () => {});
test('is skipped without a reason', { skip: true }, () => {});
test('is to do', { todo: true }, () => {});
test('is to do and fails', { todo: 'a "reason" <&>' }, () => {
  throw new Error('to do <fails>');
});

for (const n of [1, 2, 3]) {
  test(`parameter ${n}`, () => assert.notStrictEqual(n, 2));
}

test('[a/b::c]', () => {});
test('🦀 "quoted" \'single\' <&>', () => {});
test('line\nbreak', () => {});

test('has subtests', async (t) => {
  await t.test('first', () => {});
  await t.test('second', () => {
    throw new Error('subtest <fails>');
  });
});

test('diagnostic', (t) => {
  t.diagnostic('a diagnostic -- with "quotes" <&>');
});

describe('outer', () => {
  describe('inner <&>', () => {
    it('nested', () => {});
  });
  describe('with a broken hook', () => {
    before(() => {
      throw new Error('before <broken>');
    });
    it('never runs', () => {});
  });
});
