#!/usr/bin/env bash
# Runs the suite of a public project at 24 of its commits, one after the other, and keeps the reports:
#   tests/interop/suites/run.sh attrs|black|itertools GIT_DIRECTORY HISTORIES
# Every second commit that touches code, the oldest first. Reports that are there are not made again. The suites run on one core
# (CORE, 1); leave it alone meanwhile. Dependencies are those of the newest commit.
set -euo pipefail
name=$1 repository=$2 out=$(mkdir -p "$3/$1" && cd "$3/$1" && pwd)
suites=${SUITES:-${XDG_CACHE_HOME:-$HOME/.cache}/maestro-suites}
case $name in
attrs) runner=pytest tip=c1dc5dcba16ed827aa6dcad896b41a3afedb4e32 install=(-e . --group tests) options=() ;;
black) runner=pytest tip=${TIP:-HEAD} install=(-e '.[d]' --group tests) options=(--run-optional no_jupyter) ;;
itertools) runner=nextest tip=af6d17d3f4a963c087e81b327b957966e1169ff5 ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
checkout=$suites/$name
mkdir -p "$suites"
[ -d "$checkout/.git" ] || git clone --quiet --shared --no-checkout "$repository" "$checkout"
cd "$checkout"
tip=$(git rev-parse "$tip")
git checkout --quiet --force "$tip"
if [ "$runner" = pytest ] && [ ! -x "$suites/venv-$name/bin/pytest" ]; then
    python3 -m venv "$suites/venv-$name"
    "$suites/venv-$name/bin/pip" install --quiet "${install[@]}"
fi
if [ "$runner" = nextest ]; then
    export CARGO_TARGET_DIR=$suites/target-$name CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0
    [ -f "$suites/$name.lock" ] || { cargo generate-lockfile && cp Cargo.lock "$suites/$name.lock"; }
else
    export PATH=$suites/venv-$name/bin:$PATH
fi
echo "$runner" >"$out/runner"
git log --first-parent --format=%H -n 48 "$tip" -- src tests | awk 'NR % 2 == 1' | tac >"$out/commits"
number=0
while read -r commit; do
    number=$((number + 1))
    report=$out/$(printf %03d "$number")-${commit:0:12}.xml
    [ -s "$report" ] && continue
    git checkout --quiet --force "$commit"
    git clean -fdq
    if [ "$runner" = pytest ]; then
        rm -rf .hypothesis
        taskset -c "${CORE:-1}" timeout 600 python -m pytest -q -p no:cacheprovider -o junit_family=xunit1 \
            --junitxml="$report.new" tests "${options[@]}" </dev/null >"$out/log" 2>&1 || true
    else
        [ -f Cargo.lock ] || cp "$suites/$name.lock" Cargo.lock
        printf '[profile.default]\nfail-fast = false\ntest-threads = 1\n[profile.default.junit]\npath = "%s.new"\n' "$report" >"$out/nextest.toml"
        cargo nextest run --workspace --no-run >"$out/log" 2>&1 || continue
        taskset -c "${CORE:-1}" timeout 600 cargo nextest run --workspace --config-file "$out/nextest.toml" </dev/null >"$out/log" 2>&1 || true
    fi
    mv "$report.new" "$report"
    echo "$(basename "$report")"
done <"$out/commits"
