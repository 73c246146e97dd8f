const MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line';

Deno.test('passes', () => {});

Deno.test('writes output', () => {
  console.log('to stdout "<&>" ünïcödé 🦀');
  console.error('to stderr <&>');
});

Deno.test('fails', () => {
  throw new Error(MESSAGE);
});

Deno.test('control characters', () => {
  throw new Error('\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end');
});

Deno.test({ name: 'is ignored', ignore: true, fn() {} });

for (const n of [1, 2, 3]) {
  Deno.test(`parameter ${n}`, () => {
    if (n === 2) throw new Error('is two');
  });
}

Deno.test('[a/b::c]', () => {});
Deno.test('🦀 "quoted" \'single\' <&>', () => {});

Deno.test('outer', async (t) => {
  await t.step('inner <&>', async (t) => {
    await t.step('nested', () => {});
    await t.step('nested <fails>', () => {
      throw new Error('step <fails>');
    });
  });
  await t.step({ name: 'ignored step', ignore: true, fn() {} });
});
