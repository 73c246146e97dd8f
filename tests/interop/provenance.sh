#!/usr/bin/env bash
# Everything that we sign is accepted by securesystemslib, @sigstore/verify and in-toto-attestation, and refused when a byte is changed; and the other way round.
# inputs: src/provenance src/cli/provenance src/adapters/signing.rs tests/interop/provenance tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
command -v openssl >/dev/null || skip "openssl is missing"
python=$(python_with 'securesystemslib[crypto]==1.6.0' in-toto-attestation==0.9.3)
modules=$cache/sigstore-verify-4.1.3
if [ ! -f "$modules/done" ]; then
    rm -rf "$modules"
    mkdir -p "$modules"
    npm install --silent --prefix "$modules" @sigstore/verify@4.1.3 @sigstore/bundle@5.0.1 >&2 ||
        skip "@sigstore/verify cannot be installed"
    touch "$modules/done"
fi
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
cd "$work"
"$python" "$root/tests/interop/provenance/make.py" "$binary"
"$python" "$root/tests/interop/provenance/envelopes.py" "$binary"
node "$root/tests/interop/provenance/bundles.cjs" "$modules" "$binary"
