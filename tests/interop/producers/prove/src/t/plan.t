use Test::More tests => 3;

pass('only one of three');
