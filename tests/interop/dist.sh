#!/usr/bin/env bash
# The binary that users download: at most 10 MB, static, and the demo works with it from an empty folder.
# inputs: .ci/dist-libc.c .ci/dist-linker .ci/dist-flags build.rs schemas prompts docs/policy src Cargo.toml Cargo.lock fixtures/demo tests/suite/dist.rs tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
cd "$root"
target=$(rustc -vV | sed -n 's/^host: //p')
cargo fetch --locked --quiet
source .ci/dist-flags
RUSTFLAGS=$linux_flags cargo build --quiet --profile dist --locked --target "$target"
binary=${CARGO_TARGET_DIR:-$root/target}/$target/dist/maestro
MAESTRO_DIST=$binary cargo test --quiet --test suite dist::
ls -l "$binary" | awk '{ print $5 " bytes" }'
cp "$binary" "$work/maestro"
mkdir "$work/empty"
cd "$work/empty"
"$work/maestro" demo d >"$work/demo.txt"
grep -q 'flaky: `courier > tests::the_second_try_comes_within_a_second`' "$work/demo.txt"
echo "the demo names the flaky test"
python=$(python_with zizmor==1.32.0 ruff==0.17.6 uv==0.13.9)
debian ip iproute2
tools=$(dirname "$python")
python3 -B "$root/tests/interop/dist.py" "$work/maestro" "$tools/zizmor" "$tools/ruff" "$tools/uv"
