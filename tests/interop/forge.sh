#!/usr/bin/env bash
# Every exchange of the suite with its GitHub keeps to GitHub's own description, of api.github.com and of an enterprise server.
# inputs: Cargo.lock src/forge src/conduct src/ports/forge.rs src/adapters/github.rs src/cli/github.rs tests/suite/github tests/suite/state_transport.rs tests/suite/flakes_escalate.rs tests/suite/flakes_backfill.rs tests/suite/quarantine_auto.rs tests/interop/forge tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
command -v node >/dev/null || skip "node is missing"

prism=@stoplight/prism-http@5.16.0
openapi=@octokit/openapi@23.0.2
openapi_sha256=71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c
judge=$cache/forge-$(cat "$root"/tests/interop/forge/* | sha256sum | cut -c1-16)
if [ ! -f "$judge/done" ]; then
    rm -rf "$judge"
    mkdir -p "$judge"
    cd "$judge"
    echo '{"private":true}' >package.json
    npm install --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error "$prism" >&2 || skip "$prism cannot be installed"
    npm pack --silent "$openapi" >/dev/null || skip "$openapi cannot be had"
    echo "$openapi_sha256  octokit-openapi-23.0.2.tgz" | sha256sum --check --quiet
    tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json package/generated/ghes-3.19.json
    cp "$root"/tests/interop/forge/* .
    node subset.mjs package/generated/api.github.com.json api.json
    node subset.mjs package/generated/ghes-3.19.json ghes.json --prefix /api/v3
    rm -rf package octokit-openapi-23.0.2.tgz
    touch done
fi

mkdir "$work/exchanges"
cd "$root"
MAESTRO_EXCHANGES=$work/exchanges cargo test --quiet --locked --lib conduct
MAESTRO_EXCHANGES=$work/exchanges cargo test --quiet --locked --test suite -- \
    --skip a_hundred_replays --skip a_crash_at state_transport flakes_escalate flakes_backfill quarantine_auto
cd "$judge"
shopt -s nullglob
cat "$work"/exchanges/api-*.jsonl >"$work/api.jsonl"
node judge.cjs --house --never api.json "$work/api.jsonl"
# What was said to api.github.com would be said to an enterprise server too, below its path.
sed 's#"url":"/#"url":"/api/v3/#' "$work/api.jsonl" >"$work/ghes.jsonl"
cat "$work"/exchanges/ghes-*.jsonl >>"$work/ghes.jsonl"
node judge.cjs --house ghes.json "$work/ghes.jsonl"
