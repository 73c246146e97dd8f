import { beforeEach, describe, expect, test } from 'bun:test';

const MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line';

test('passes', () => {});

test('writes output', () => {
  console.log('to stdout "<&>" ünïcödé 🦀');
  console.error('to stderr <&>');
});

test('fails', () => {
  throw new Error(MESSAGE);
});

test('fails to compare', () => {
  expect({ key: '<1>' }).toEqual({ key: '<2>' });
});

test('throws a string', () => {
  throw 'only a "string" <&>';
});

test.skip('is skipped', () => {});
test.todo('is to do');
test.failing('fails as expected', () => {
  expect(1).toBe(2);
});

test.each([1, 2, 3])('parameter %i', (n) => {
  expect(n).not.toBe(2);
});

test('[a/b::c]', () => {});
test('🦀 "quoted" \'single\' <&>', () => {});
test('dotted.name', () => {});

describe('outer', () => {
  describe('inner <&>', () => {
    test('nested', () => {});
  });
  describe('with a broken hook', () => {
    beforeEach(() => {
      throw new Error('beforeEach <broken>');
    });
    test('never runs', () => {});
  });
});

test('control characters', () => {
  throw new Error('\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end');
});
