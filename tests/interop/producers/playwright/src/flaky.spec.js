const { test } = require('@playwright/test');

test('flaky', async ({}, info) => {
  console.log(`attempt ${info.retry}`);
  if (info.retry === 0) throw new Error('first attempt "fails" <&>');
});

test('always fails', async ({}, info) => {
  throw new Error(`attempt ${info.retry} <fails>`);
});

test('passes', async () => {});
