require('./no-such-module');

test('never collected', () => {});
