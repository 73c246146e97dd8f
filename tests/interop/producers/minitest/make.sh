#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian ruby ruby-minitest ruby-minitest-reporters
dpkg-query -W -f '${Package} ${Version}\n' ruby-minitest ruby-minitest-reporters >"$out/version.log"

run 1 basic ruby basic.rb --seed 1 -v
ls reports >>"$out/basic.log"
cp reports/TEST-*.xml "$out/basic.xml"
