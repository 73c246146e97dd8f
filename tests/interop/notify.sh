#!/usr/bin/env bash
# slack_sdk (PyPI), adaptivecards and standardwebhooks (npm) judge what `maestro notify` sends.
#
# MAESTRO_BINARY: a maestro that is built already.
# inputs: src/notify src/conduct/notify.rs src/cli/notify tests/interop/notify.py tests/interop/notify.mjs tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
command -v node >/dev/null || skip "node is missing"
modules=$cache/npm-notify-1
if [ ! -f "$modules/done" ]; then
    rm -rf "$modules" && mkdir -p "$modules"
    (cd "$modules" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --ignore-scripts adaptivecards@3.0.5 standardwebhooks@1.0.0 >&2) ||
        skip "adaptivecards and standardwebhooks cannot be installed"
    touch "$modules/done"
fi
python=$(python_with slack_sdk==3.48.0)
binary=${MAESTRO_BINARY:-$(maestro)}
"$python" "$root/tests/interop/notify.py" "$binary" "$work/came"
cp "$root/tests/interop/notify.mjs" "$work/notify.mjs"
ln -s "$modules/node_modules" "$work/node_modules"
node "$work/notify.mjs" "$work/came"
