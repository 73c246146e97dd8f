#!/usr/bin/env bash
# Chromium (Debian), axe-core, mermaid and html-validate (npm) judge the weekly page: that of the demo's state, that of a repository of which nothing is
# known, that of many repositories with those that it leads to, and the issue's Markdown.
#
# MAESTRO_BINARY: a maestro that is built already. MAESTRO_SHOTS: a folder to leave pictures in.
# inputs: src/report src/cli/learning_pack src/cli/demo tests/interop/pack.py tests/interop/pack.mjs tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
debian chromium chromium
modules=$cache/npm-pack-1
if [ ! -f "$modules/done" ]; then
    rm -rf "$modules" && mkdir -p "$modules"
    (cd "$modules" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund \
        puppeteer-core@24.43.1 axe-core@4.14.1 mermaid@11.17.2 jsdom@29.1.1 html-validate@11.21.1 >&2) ||
        skip "puppeteer-core, axe-core, mermaid, jsdom and html-validate cannot be installed"
    touch "$modules/done"
fi
binary=${MAESTRO_BINARY:-$(maestro)}
python3 "$root/tests/interop/pack.py" "$binary" "$work"
cp "$root/tests/interop/pack.mjs" "$work/pack.mjs"
ln -s "$modules/node_modules" "$work/node_modules"
node "$work/pack.mjs" "$work" "$(command -v chromium)" "${MAESTRO_SHOTS:-}"
