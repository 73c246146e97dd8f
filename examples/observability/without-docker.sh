#!/usr/bin/env bash
# Starts Debian's Prometheus, Pushgateway and Alertmanager on the loopback, with rules as maestro writes them, and tells them once a minute what maestro
# knows of a repository, until Ctrl-C.
#
# without-docker.sh REPOSITORY [DATA]: DATA (a new folder by default) holds rules, settings and what they store. MAESTRO names the binary.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 REPOSITORY [DATA]" >&2; exit 2; }
repository=$(cd "$1" && pwd)
data=${2:-$(mktemp -d)}
maestro=${MAESTRO:-maestro}
mkdir -p "$data"
for program in "$maestro" prometheus promtool prometheus-pushgateway prometheus-alertmanager amtool; do
    command -v "$program" >/dev/null || { echo "$program is missing: apt-get install prometheus prometheus-pushgateway prometheus-alertmanager" >&2; exit 69; }
done

"$maestro" observe alerts --out "$data/files" >&2
sed -e "s#rules/#$data/files/rules/#" -e 's/alertmanager:9093/127.0.0.1:9093/; s/pushgateway:9091/127.0.0.1:9091/' "$here/prometheus.yml" >"$data/prometheus.yml"
sed "s#/etc/alertmanager/pagerduty.key#$data/pagerduty.key#" "$data/files/alertmanager.yml" >"$data/alertmanager.yml"
[ -f "$data/pagerduty.key" ] || { umask 077; echo none >"$data/pagerduty.key"; }
promtool check config "$data/prometheus.yml"
promtool test rules "$data/files/rules/maestro.rules.test.yml"
amtool check-config "$data/alertmanager.yml"

children=()
trap 'kill "${children[@]}" 2>/dev/null; wait' EXIT
prometheus-pushgateway --web.listen-address=127.0.0.1:9091 & children+=($!)
prometheus-alertmanager --config.file="$data/alertmanager.yml" --storage.path="$data/alertmanager" --web.listen-address=127.0.0.1:9093 --cluster.listen-address= & children+=($!)
prometheus --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/prometheus" --storage.tsdb.retention.time=400d --web.listen-address=127.0.0.1:9090 & children+=($!)
(while sleep 2; do "$maestro" -C "$repository" observe export --pushgateway http://127.0.0.1:9091 >&2 || true; sleep 58; done) & children+=($!)
echo "Prometheus http://127.0.0.1:9090, Alertmanager http://127.0.0.1:9093, Pushgateway http://127.0.0.1:9091; data in $data" >&2
wait -n
