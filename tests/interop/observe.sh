#!/usr/bin/env bash
# Prometheus, promtool, Pushgateway and Alertmanager (Debian), rotel, oteltap, prometheus-client, promql-parser and Grafana's foundation SDK
# (PyPI) judge what we tell observability tools.
#
# observe.sh [FOLDER]: a folder as src/telemetry/published.rs writes it; without one the test there writes one.
# MAESTRO_SEMCONV: the git directory of open-telemetry/semantic-conventions; names are held against its tag v1.44.0.
# inputs: src/telemetry tests/interop/lib.bash
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
"$python" "$root/tests/interop/observe.py" "$files" "$work"
