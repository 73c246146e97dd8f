#!/usr/bin/env bash
# Every reader of foreign bytes under libFuzzer: that of test reports for ten minutes (FUZZ_SECONDS), seeded with our fixtures and the corpus, each other
# one for a thirtieth of that, from the seed of its row in src/fuzzing.rs. FUZZ_READERS names some of them.
# inputs: src/fuzzing.rs src/junit fuzz/Cargo.toml fuzz/fuzz_targets fuzz/junit.dict tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet || skip "cargo-fuzz cannot be installed"
cd "$root"
sh fuzz/seed.sh fixtures/junit fixtures/dialects ${MAESTRO_CORPUS:+"$MAESTRO_CORPUS/junit"}
export RUSTC_BOOTSTRAP=1
seconds=${FUZZ_SECONDS:-600}
readers=${FUZZ_READERS:-$(sed -n 's/^    "\([a-z-]*\)", .*/\1/p' src/fuzzing.rs)}
for reader in $readers; do
    mkdir -p "fuzz/corpus/$reader"
    share=$((seconds / 30 + 1))
    extra=()
    [ "$reader" != junit ] || { share=$seconds && extra=(-dict=fuzz/junit.dict); }
    echo "== $reader"
    MAESTRO_READER=$reader MAESTRO_SEEDS=fuzz/corpus/$reader cargo fuzz run readers "fuzz/corpus/$reader" -- "${extra[@]}" \
        -max_len=65536 -timeout=5 -rss_limit_mb=1024 -max_total_time="$share" -print_final_stats=1 2>"$work/log" || {
        tail -60 "$work/log" >&2
        exit 1
    }
    grep -E 'stat::(number_of_executed_units|slowest_unit_time_sec|peak_rss_mb)' "$work/log"
done
