#!/usr/bin/env bash
# Starts Debian's Prometheus, Pushgateway and Alertmanager on the loopback, with rules as maestro writes them, and tells them once a minute what maestro
# knows of a repository, until Ctrl-C. Nobody outside of this machine is told anything: with a key for PagerDuty in DATA/pagerduty.key, PagerDuty is.
#
# without-docker.sh REPOSITORY [DATA]: DATA (a new folder by default) holds rules, settings and what they store.
# MAESTRO: the binary. EVERY: seconds between two exports (60). PROMETHEUS, PUSHGATEWAY, ALERTMANAGER: ports (9090, 9091, 9093).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 REPOSITORY [DATA]" >&2; exit 2; }
repository=$(cd "$1" && pwd)
maestro=${MAESTRO:-maestro}
every=${EVERY:-60}
prometheus=127.0.0.1:${PROMETHEUS:-9090}
pushgateway=127.0.0.1:${PUSHGATEWAY:-9091}
alertmanager=127.0.0.1:${ALERTMANAGER:-9093}

for program in "$maestro" prometheus promtool prometheus-pushgateway prometheus-alertmanager amtool; do
    command -v "$program" >/dev/null || { echo "$program is missing: apt-get install prometheus prometheus-pushgateway prometheus-alertmanager" >&2; exit 69; }
done
answers() { (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null; }
for address in "$prometheus" "$pushgateway" "$alertmanager"; do
    ! answers "$address" || { echo "somebody listens at $address already" >&2; exit 69; }
done
data=${2:-$(mktemp -d)}
mkdir -p "$data"
data=$(cd "$data" && pwd)

"$maestro" observe alerts --out "$data/files" >&2
sed -e "s#rules/#$data/files/rules/#" -e "s/alertmanager:9093/$alertmanager/; s/pushgateway:9091/$pushgateway/" \
    -e "s/\(scrape\|evaluation\)_interval: 1m/\1_interval: ${every}s/" "$here/prometheus.yml" >"$data/prometheus.yml"
sed "s#/etc/alertmanager/pagerduty.key#$data/pagerduty.key#" "$data/files/alertmanager.yml" >"$data/alertmanager.yml"
if [ ! -s "$data/pagerduty.key" ]; then
    # Without a key nothing may leave: alerts of that receiver go where nobody listens.
    sed -i 's#https://events.pagerduty.com/#http://127.0.0.1:9/#' "$data/alertmanager.yml"
    (umask 077 && echo none >"$data/pagerduty.key")
fi
promtool check config "$data/prometheus.yml" >&2
promtool test rules "$data/files/rules/maestro.rules.test.yml" >&2
amtool check-config "$data/alertmanager.yml" >&2

children=()
stop() {
    trap - EXIT
    [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
    wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# Debian's would keep what was pushed below /var, where the next one finds it.
prometheus-pushgateway --persistence.file="$data/pushgateway.data" --web.listen-address="$pushgateway" >"$data/pushgateway.log" 2>&1 & children+=($!)
prometheus-alertmanager --config.file="$data/alertmanager.yml" --storage.path="$data/alertmanager" --web.listen-address="$alertmanager" \
    --cluster.listen-address= >"$data/alertmanager.log" 2>&1 & children+=($!)
prometheus --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/prometheus" --storage.tsdb.retention.time=400d \
    --web.listen-address="$prometheus" >"$data/prometheus.log" 2>&1 & children+=($!)
echo "Prometheus http://$prometheus, Alertmanager http://$alertmanager, Pushgateway http://$pushgateway; data and logs in $data" >&2

next=0
until answers "$pushgateway" || [ "$SECONDS" -gt 60 ]; do sleep 0.2; done
while :; do
    for child in "${children[@]}"; do
        kill -0 "$child" 2>/dev/null || { echo "one of the servers has ended: see $data/*.log" >&2; exit 69; }
    done
    if [ "$SECONDS" -ge "$next" ]; then
        next=$((SECONDS + every))
        "$maestro" -C "$repository" observe export --pushgateway "http://$pushgateway" >&2 || echo "the export failed; the next one is in $every s" >&2
    fi
    # In the background, so that a signal is heard at once.
    sleep 1 & wait $! || true
done
