#!/usr/bin/env bash
# How long the action's set-up step takes with a release build: fetched from a mirror on this machine, and from the cache of tools.
#
#   benches/setup.sh [RUNS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-20}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
if [ -n "${MAESTRO_BINARY:-}" ]; then
    binary=$MAESTRO_BINARY
else
    cargo build --quiet --release --locked
    binary=${CARGO_TARGET_DIR:-target}/release/maestro
fi

version=0.0.0 name=maestro-0.0.0-linux-x64.tar.gz
mkdir -p "$work/staged" "$work/mirror/v$version" "$work/action" "$work/tools"
cp "$binary" "$work/staged/maestro"
tar -czf "$work/mirror/v$version/$name" -C "$work/staged" maestro
cp action/install.sh "$work/action/"
(cd "$work/mirror/v$version" && sha256sum "$name") >"$work/action/checksums.txt"
ls -l "$work/mirror/v$version/$name" | awk '{ print $5 " bytes packed" }'
python3 -m http.server --bind 127.0.0.1 --directory "$work/mirror" 0 >"$work/log" 2>&1 &
server=$!
until port=$(grep -om1 'port [0-9]*' "$work/log"); do sleep 0.1; done

# step TOOLS: one set-up, on a fresh machine with this cache of tools.
step() {
    local temp begun
    temp=$(mktemp -d -p "$work")
    begun=$(date +%s%N)
    RUNNER_OS=Linux RUNNER_ARCH=X64 RUNNER_TEMP=$temp RUNNER_TOOL_CACHE=$1 GITHUB_OUTPUT=$temp/output GITHUB_PATH=$temp/path \
        SERVER_URL=https://example.invalid ACTION_REPOSITORY=o/n INPUT_VERSION='' INPUT_BASE_URL=http://127.0.0.1:${port#port } \
        bash "$work/action/install.sh" >/dev/null
    echo "$((($(date +%s%N) - begun) / 1000000))"
    "$(sed -n 's/^path=//p' "$temp/output")" --version >/dev/null
    rm -rf "$temp"
}

# summary NAME: of milliseconds, one a line.
summary() { sort -n | awk -v name="$1" '{ all[NR] = $1 } END { printf "%s: median %d ms, 95th percentile %d ms, longest %d ms, n=%d\n", name, all[int((NR + 1) / 2)], all[int(NR * 0.95 + 0.999)], all[NR], NR }'; }

for number in $(seq "$runs"); do step "$work/tools-$number"; done | summary "fetched from this machine"
step "$work/tools" >/dev/null
for _ in $(seq "$runs"); do step "$work/tools"; done | tee "$work/cached" | summary "from the cache of tools"
longest=$(sort -n "$work/cached" | tail -1)
[ "$longest" -le 3000 ] || { echo "longer than 3 s" >&2; exit 1; }
