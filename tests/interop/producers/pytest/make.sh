#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
pypi pytest==9.2.0 pytest-rerunfailures==16.7
py() { python -m pytest -q -p no:cacheprovider "$@"; }

run 1 basic py test_basic.py --junit-xml="$out/basic.xml"
run 1 xunit1 py test_basic.py -o junit_family=xunit1 -o junit_logging=all --junit-xml="$out/xunit1.xml"
run 1 reruns py test_flaky.py --reruns 2 --junit-xml="$out/reruns.xml"
run 2 collection_error py test_broken_import.py test_flaky.py --junit-xml="$out/collection_error.xml"
run 5 no_tests py -k nothing test_basic.py --junit-xml="$out/no_tests.xml"
