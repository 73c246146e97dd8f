import { expect, test } from 'bun:test';

let attempts = 0;

test('flaky', () => {
  attempts += 1;
  expect(attempts).toBeGreaterThan(1);
}, { retry: 2 });

test('always fails', () => {
  throw new Error('always <fails>');
}, { retry: 2 });

test('repeated', () => {}, { repeats: 2 });
