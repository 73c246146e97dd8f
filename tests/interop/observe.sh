#!/usr/bin/env bash
# Prometheus, promtool, Pushgateway and Alertmanager (Debian), rotel, oteltap, prometheus-client, promql-parser and Grafana's foundation SDK
# (PyPI) judge what we tell observability tools.
#
# observe.sh FOLDER: a folder with metrics.prom, metrics.om, history.om, push.path, otlp/{traces,metrics,logs}-*.json, dashboards/*.json,
# rules/maestro.rules.yml, rules/maestro.rules.test.yml, alertmanager.yml, logs.ndjson, keys.txt.
# MAESTRO_SEMCONV: the git directory of open-telemetry/semantic-conventions; names are held against its tag v1.44.0.
# inputs: src/telemetry tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
files=${1:-${MAESTRO_OBSERVE_FILES:-}}
[ -n "$files" ] || skip "no folder was given"
debian prometheus prometheus
debian promtool prometheus
debian prometheus-pushgateway prometheus-pushgateway
debian prometheus-alertmanager prometheus-alertmanager
python=$(python_with rotel==0.0.1a15 oteltap==1.0.0 opentelemetry-proto==1.45.2 prometheus-client==0.23.1 pyyaml \
    'grafana-foundation-sdk==1769699998!10.1.0' promql-parser==0.12.0)
"$python" "$root/tests/interop/observe.py" "$files" "$work"
