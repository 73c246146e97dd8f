const assert = require('assert');
const fs = require('fs');

const MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line';

function attempt(name) {
  const path = `${__dirname}/${name}.count`;
  const n = fs.existsSync(path) ? Number(fs.readFileSync(path, 'utf8')) + 1 : 1;
  fs.writeFileSync(path, String(n));
  return n;
}

it('passes at the root', () => {});

describe('Basic', () => {
  it('passes', () => {});

  it('fails', () => {
    throw new Error(MESSAGE);
  });

  it('fails to compare', () => {
    assert.deepStrictEqual({ key: '<1>' }, { key: '<2>' });
  });

  it('throws nothing much', () => {
    throw undefined;
  });

  it.skip('is skipped', () => {});
  it('is to do');
  it('skips itself', function () {
    this.skip();
  });

  for (const n of [1, 2, 3]) {
    it(`parameter ${n}`, () => assert.notStrictEqual(n, 2));
  }

  it('[a/b::c]', () => {});
  it('🦀 "quoted" \'single\' <&>', () => {});
  it('dotted.name', () => {});
  it('writes output', () => {
    console.log('to stdout "<&>" ünïcödé 🦀');
    console.error('to stderr <&>');
  });

  describe('inner <&>', () => {
    it('nested', () => {});
  });

  it('flaky', () => {
    assert.notStrictEqual(attempt('flaky'), 1);
  });

  it('always fails', () => {
    throw new Error('always <fails>');
  });

  describe('with a broken hook', () => {
    before('the hook', () => {
      throw new Error('before <broken>');
    });
    it('never runs', () => {});
  });
});
