use Test::More;

pass('passes');
fail("\e[31mred\e[0m bell:\a end");
done_testing;
