#!/usr/bin/env bash
# The report reader under libFuzzer, ten minutes (FUZZ_SECONDS), seeded with our fixtures and the corpus.
# inputs: src/junit fuzz/Cargo.toml fuzz/fuzz_targets fuzz/junit.dict tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet || skip "cargo-fuzz cannot be installed"
cd "$root"
sh fuzz/seed.sh fixtures/junit fixtures/dialects ${MAESTRO_CORPUS:+"$MAESTRO_CORPUS/junit"}
RUSTC_BOOTSTRAP=1 cargo fuzz run junit -- -dict=fuzz/junit.dict -max_len=65536 -timeout=5 -rss_limit_mb=512 \
    -max_total_time="${FUZZ_SECONDS:-600}" -print_final_stats=1
