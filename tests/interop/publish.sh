#!/usr/bin/env bash
# The package for crates.io: `cargo publish --dry-run` builds it from what is in it and nothing else, and its demo works in an empty folder.
# inputs: build.rs src schemas prompts docs/policy examples/observability fixtures/demo Cargo.toml Cargo.lock README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
cd "$root"
# A folder of its own: cargo takes what it built of the package for a build of the repository, where both share one.
export CARGO_TARGET_DIR=$cache/publish
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -1)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
# What this build makes, and not what lay there.
rm -rf "$CARGO_TARGET_DIR"/debug/maestro* "$CARGO_TARGET_DIR"/debug/{build,.fingerprint,incremental}/maestro* "$CARGO_TARGET_DIR/package"

# A judge is run before its change is committed, too.
dirty=()
[ -z "$(git status --porcelain)" ] || dirty=(--allow-dirty)
status=0
cargo publish --dry-run --locked "${dirty[@]}" >"$work/dry-run.txt" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    cat "$work/dry-run.txt"
    # Without the registry's index nobody can say.
    ! grep -qi 'failed to \(fetch\|download\|query\)\|could not resolve host' "$work/dry-run.txt" || skip "the registry's index is out of reach"
    exit 1
fi
# Tests and benchmarks are left out on purpose, which cargo says for each; everything else that it warns of is a fault.
meant='^warning: \(ignoring \(test\|benchmark\) `[a-z]*` as .* is not included in the published package\|aborting upload due to dry run\)$'
if grep '^warning' "$work/dry-run.txt" | grep -v "$meant"; then
    echo "cargo warns of the package" >&2
    exit 1
fi
grep Packaged "$work/dry-run.txt"

package=$CARGO_TARGET_DIR/package/$name-$version
# Where it lies depends on cargo's version.
archive=$(find "$CARGO_TARGET_DIR/package" -maxdepth 2 -name "$name-$version.crate" | head -1)
tar -xzf "$archive" -C "$work"
unpacked=$work/$name-$version
[ -f "$unpacked/LICENSE-APACHE" ] && [ -f "$unpacked/LICENSE-MIT" ]
[ ! -e "$unpacked/tests" ]
echo "$(stat -c %s "$archive") bytes as a .crate"

# Every file that the compiler and the build script read (cargo's own list of them) lies in the package, and came out of the archive.
python3 - "$CARGO_TARGET_DIR/debug/maestro.d" "$package" "$unpacked" "$CARGO_TARGET_DIR/debug/build" <<'PY'
import pathlib, re, sys

listed, package, unpacked, made = sys.argv[1:]
line = pathlib.Path(listed).read_text().splitlines()[0].split(": ", 1)[1]
paths = [path.replace("\\ ", " ") for path in re.split(r"(?<!\\) ", line)]
outside = [path for path in paths if not path.startswith((package + "/", made + "/"))]
assert not outside, f"the build reads outside of the package: {outside[:5]}"
inside = [path.removeprefix(package + "/") for path in paths if path.startswith(package + "/")]
missing = [path for path in inside if not (pathlib.Path(unpacked) / path).exists()]
assert len(inside) > 500 and not missing, f"{len(inside)} read, and these are not in the archive: {missing[:5]}"
print(f"the build reads {len(inside)} files and folders, all of them in the package")
PY

mkdir "$work/empty"
cd "$work/empty"
"$CARGO_TARGET_DIR/debug/maestro" demo d >"$work/demo.txt"
grep -q 'flaky: `courier > tests::the_second_try_comes_within_a_second`' "$work/demo.txt"
echo "the published crate's demo names the flaky test"
