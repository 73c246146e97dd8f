use Test::More;

subtest outer => sub {
    subtest inner => sub { pass('nested'); };
    fail('nested <fails>');
};
done_testing;
