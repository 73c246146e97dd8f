#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
pypi nose2==0.16.0

run 1 basic python -m nose2 -v --config nose2.cfg test_basic
cp nose2-junit.xml "$out/basic.xml"
