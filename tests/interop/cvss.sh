#!/usr/bin/env bash
# Red Hat's cvss rates all kinds of base vectors of versions 2, 3.0, 3.1 and 4.0 beside us.
# inputs: src/supply/cvss tests/interop/cvss_vectors.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with cvss==3.6)
"$python" "$root/tests/interop/cvss_vectors.py" vectors "$work"
(cd "$root" && MAESTRO_VECTORS=$work/vectors cargo test --quiet --locked --lib -- --exact supply::tests::scores_for_a_file) >&2
"$python" "$root/tests/interop/cvss_vectors.py" compare "$work"
