use Test::More tests => 1;

pass('passes before the end');
die "outside of the <tests>\n";
