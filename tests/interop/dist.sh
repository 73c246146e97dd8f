#!/usr/bin/env bash
# The binary that users download: at most 10 MB, static, and the demo works with it from an empty folder.
# inputs: .ci/dist-linker build.rs schemas prompts src Cargo.toml Cargo.lock fixtures/demo tests/suite/dist.rs tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
cd "$root"
target=$(rustc -vV | sed -n 's/^host: //p')
# Packed relocations (glibc 2.36, binutils 2.38) take 10 kB instead of 370; equal functions are kept once (200 kB); no tables for backtraces (1 MB);
# code that stands in several functions is made a function of its own where that saves 24 bytes.
outliner="-C llvm-args=-enable-machine-outliner=always -C llvm-args=-outliner-benefit-threshold=24"
RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all -C force-unwind-tables=no $outliner -C linker=$root/.ci/dist-linker" \
    cargo build --quiet --profile dist --locked --target "$target"
binary=${CARGO_TARGET_DIR:-$root/target}/$target/dist/maestro
MAESTRO_DIST=$binary cargo test --quiet --test suite dist::
ls -l "$binary" | awk '{ print $5 " bytes" }'
cp "$binary" "$work/maestro"
mkdir "$work/empty"
cd "$work/empty"
"$work/maestro" demo d >"$work/demo.txt"
grep -q 'flaky: `courier > tests::the_second_try_comes_within_a_second`' "$work/demo.txt"
echo "the demo names the flaky test"
