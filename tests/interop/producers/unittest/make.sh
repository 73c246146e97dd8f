#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
pypi unittest-xml-reporting==4.0.0 lxml

run 1 basic python -m xmlrunner --outsuffix '' -o "$work/separate" test_basic
run 1 one_file python -m xmlrunner --output-file "$out/one_file.xml" test_basic
cp "$work/separate/TEST-test_basic.Basic.xml" "$out/separate_basic.xml"
cp "$work/separate/TEST-unittest.suite._ErrorHolder.xml" "$out/separate_error_holder.xml"
