const { test, expect } = require('@playwright/test');

const MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line';

test('passes', async () => {});

test('writes output', async () => {
  console.log('to stdout "<&>" ]]> ünïcödé 🦀');
  console.error('to stderr <&>');
});

test('control characters', async () => {
  console.log('\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end');
});

test('fails', async () => {
  throw new Error(MESSAGE);
});

test('fails to compare', async () => {
  expect({ key: '<1>' }).toEqual({ key: '<2>' });
});

test('soft failures', async () => {
  expect.soft(1).toBe(2);
  expect.soft(3).toBe(4);
});

test('times out', async () => {
  test.setTimeout(50);
  await new Promise(() => {});
});

test.skip('is skipped', async () => {});
test.fixme('is to be fixed', async () => {});
test('fails as expected', async () => {
  test.fail(true, 'a "reason" <&>');
  expect(1).toBe(2);
});
test('passes unexpectedly', async () => {
  test.fail();
});

for (const n of [1, 2, 3]) {
  test(`parameter ${n} @tag`, async () => expect(n).not.toBe(2));
}

test('[a/b::c]', async () => {});
test('🦀 "quoted" \'single\' <&>', async () => {});
test('annotated', { annotation: { type: 'issue', description: 'see "<&>"' } }, async ({}, info) => {
  await info.attach('note.txt', { body: 'attached <&>', contentType: 'text/plain' });
});

test.describe('outer', () => {
  test.describe('inner <&>', () => {
    test('nested', async () => {});
  });
});

test.describe.serial('serial', () => {
  test('first fails', async () => {
    throw new Error('serial <fails>');
  });
  test('second does not run', async () => {});
});
