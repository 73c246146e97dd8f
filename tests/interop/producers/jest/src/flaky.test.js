const fs = require('fs');

jest.retryTimes(1);

function attempt(name) {
  const path = `${__dirname}/${name}.count`;
  const n = fs.existsSync(path) ? Number(fs.readFileSync(path, 'utf8')) + 1 : 1;
  fs.writeFileSync(path, String(n));
  return n;
}

test('flaky', () => {
  if (attempt('flaky') === 1) throw new Error('first attempt "fails" <&>');
});

test('always fails', () => {
  throw new Error(`attempt ${attempt('always')} <fails>`);
});
