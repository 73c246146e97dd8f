#!/usr/bin/env bash
# The binary speaks TLS with a server whose certificate it can trust, and with no other.
# inputs: Cargo.lock src/adapters/github.rs src/adapters/road.rs src/adapters/relay src/conduct/github.rs src/cli/github.rs tests/interop/tls.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v openssl >/dev/null || skip "openssl is missing"
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=localhost 2>/dev/null
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile ext 2>/dev/null
python3 "$root/tests/interop/tls.py" "$binary" "$work"
