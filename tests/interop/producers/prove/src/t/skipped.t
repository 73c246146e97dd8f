use Test::More skip_all => 'all of it <&>';
