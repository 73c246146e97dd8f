#!/usr/bin/env bash
# Starts Debian's Prometheus, Pushgateway and Alertmanager on the loopback, with the files that maestro wrote to a folder, until Ctrl-C.
#
# without-docker.sh FOLDER [DATA]: FOLDER has rules/maestro.rules.yml and alertmanager.yml; DATA (a new folder by default) holds what they store.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [DATA]" >&2; exit 2; }
files=$(cd "$1" && pwd)
data=${2:-$(mktemp -d)}
mkdir -p "$data"
for program in prometheus promtool prometheus-pushgateway prometheus-alertmanager amtool; do
    command -v "$program" >/dev/null || { echo "$program is missing: apt-get install prometheus prometheus-pushgateway prometheus-alertmanager" >&2; exit 69; }
done

sed -e "s#rules/#$files/rules/#" -e 's/alertmanager:9093/127.0.0.1:9093/; s/pushgateway:9091/127.0.0.1:9091/' "$here/prometheus.yml" >"$data/prometheus.yml"
sed "s#/etc/alertmanager/pagerduty.key#$files/pagerduty.key#" "$files/alertmanager.yml" >"$data/alertmanager.yml"
promtool check config "$data/prometheus.yml"
amtool check-config "$data/alertmanager.yml"

children=()
trap 'kill "${children[@]}" 2>/dev/null; wait' EXIT
prometheus-pushgateway --web.listen-address=127.0.0.1:9091 & children+=($!)
prometheus-alertmanager --config.file="$data/alertmanager.yml" --storage.path="$data/alertmanager" --web.listen-address=127.0.0.1:9093 --cluster.listen-address= & children+=($!)
prometheus --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/prometheus" --storage.tsdb.retention.time=400d --web.listen-address=127.0.0.1:9090 & children+=($!)
echo "Prometheus http://127.0.0.1:9090, Alertmanager http://127.0.0.1:9093, Pushgateway http://127.0.0.1:9091; data in $data" >&2
wait -n
