import { test } from 'node:test';

test('passes', () => {});
test('fails with control characters', () => {
  throw new Error('\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end');
});
