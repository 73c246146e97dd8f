#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian ruby-rspec ruby-rspec-junit-formatter
rspec --version >"$out/version.log"
dpkg-query -W -f 'ruby-rspec-junit-formatter ${Version}\n' ruby-rspec-junit-formatter >>"$out/version.log"

junit() {
    junit_name=$1
    shift
    run 1 "$junit_name" rspec --order defined --format documentation --no-color \
        --format RspecJunitFormatter --out "$out/$junit_name.xml" "$@"
}
junit basic spec/basic_spec.rb
junit control_characters spec/control_spec.rb
junit load_error spec/broken_spec.rb
# The formatter fails half-way: the file ends inside of an element.
mkdir -p "$out/malformed"
junit malformed/truncated spec/latin1_spec.rb
