#!/usr/bin/env bash
# Prometheus, promtool, Pushgateway and Alertmanager (Debian), rotel, oteltap, prometheus-client, promql-parser and Grafana's foundation SDK
# (PyPI) judge what we tell observability tools.
#
# The real binary exports a scripted month (observe_state.py) to a Pushgateway, to rotel and into files; what is written by hand of that script is held
# against what Prometheus then says. Beside it, hostile words as src/telemetry/published.rs writes them.
#
# observe.sh [FOLDER]: a folder as that test writes it; without one it writes one.
# MAESTRO_SEMCONV: the git directory of open-telemetry/semantic-conventions; names are held against its tag v1.44.0.
# MAESTRO_BINARY: the binary that is judged, instead of a release build; of one below `debug` nobody asks how fast it is.
# inputs: src/telemetry src/cli/observe src/conduct/export.rs examples/observability tests/interop/observe.py tests/interop/observe_state.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
debian prometheus prometheus
debian promtool prometheus
debian prometheus-pushgateway prometheus-pushgateway
debian prometheus-alertmanager prometheus-alertmanager
python=$(python_with rotel==0.0.1a15 oteltap==1.0.0 opentelemetry-proto==1.45.2 prometheus-client==0.23.1 pyyaml \
    'grafana-foundation-sdk==1769699998!10.1.0' promql-parser==0.12.0)
files=${1:-}
if [ -z "$files" ]; then
    files=$work/files
    (cd "$root" && MAESTRO_OBSERVE_FILES=$files MAESTRO_OBSERVE_NOW=$(date +%s) cargo test --quiet --locked --lib telemetry::published) >&2
fi
binary=${MAESTRO_BINARY:-$(maestro)}
"$python" "$root/tests/interop/observe.py" "$files" "$work" "$binary"
