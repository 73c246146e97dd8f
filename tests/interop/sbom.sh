#!/usr/bin/env bash
# cyclonedx-python-lib and spdx-tools count the components and licences of every valid bill of the corpus and of ours.
# inputs: src/supply/sbom src/supply/json.rs src/supply/form.rs fixtures/supply tests/interop/sbom.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with "cyclonedx-python-lib[json-validation]==11.12.0" spdx-tools==0.8.5)
folders=("$root/fixtures/supply")
if [ -n "${MAESTRO_CORPUS:-}" ]; then
    folders+=("$MAESTRO_CORPUS/sbom")
else
    [ "${MAESTRO_REQUIRE:-0}" != 1 ] || skip "MAESTRO_CORPUS is not set"
    echo "MAESTRO_CORPUS is not set: only our own fixtures are compared"
fi
"$python" "$root/tests/interop/sbom.py" list "$work" "${folders[@]}"
(cd "$root" && MAESTRO_SBOMS=$work/list cargo test --quiet --locked --lib -- --exact supply::tests::counts_for_files) >&2
"$python" "$root/tests/interop/sbom.py" compare "$work"
