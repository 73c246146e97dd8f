import { test } from 'node:test';

test('passes', () => {});
test('fails with the end of a CDATA section', () => {
  throw new Error('a ]]> b');
});
