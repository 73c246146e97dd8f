use strict;
use warnings;
use utf8;
use Test::More;

binmode(Test::More->builder->$_, ':encoding(UTF-8)') for qw(output failure_output todo_output);

pass('passes');
fail("expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀");
is('<1>', '<2>', 'fails to compare');
diag('a diagnostic "<&>"');
note('a note <&>');
isnt($_, 2, "parameter $_") for 1 .. 3;
pass('[a/b::c]');
pass("🦀 \"quoted\" 'single' <&>");
ok(1);
SKIP: { skip('skipped with "quotes" <&> 🦀', 1); }
TODO: {
    local $TODO = 'a "reason" <&>';
    fail('is to do');
    pass('is to do and passes');
}
done_testing;
