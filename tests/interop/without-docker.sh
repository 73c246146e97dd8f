#!/usr/bin/env bash
# Debian's Prometheus, Pushgateway and Alertmanager run examples/observability/without-docker.sh as people would: what maestro knows of a repository
# arrives in Prometheus, an alert arrives in Alertmanager, everything listens on the loopback, and all of it ends with the script. Beside it the compose
# file and Grafana's provisioning are held against compose-spec's schema and what they refer to.
#
# MAESTRO_BINARY: the binary that is judged, instead of a release build.
# inputs: examples/observability src/cli/observe src/telemetry tests/interop/without_docker.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
debian prometheus prometheus
debian promtool prometheus
debian prometheus-pushgateway prometheus-pushgateway
debian prometheus-alertmanager prometheus-alertmanager
python=$(python_with check-jsonschema==0.39.0 pyyaml)
binary=${MAESTRO_BINARY:-$(maestro)}
"$python" "$root/tests/interop/without_docker.py" "$root/examples/observability" "$work" "$binary"
