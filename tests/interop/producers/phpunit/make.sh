#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian phpunit
phpunit --version >"$out/version.log"

run 2 basic phpunit --log-junit "$out/basic.xml" tests/BasicTest.php
run 2 suites phpunit -c phpunit.xml --log-junit "$out/suites.xml" --filter 'Nested|passes'
run 1 control_characters phpunit --log-junit "$out/control_characters.xml" tests/ControlTest.php
