"""Judges what maestro tells observability tools with the tools themselves: see observe.sh."""

import base64
import glob
import http.server
import io
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import urllib.request

import promql_parser
import yaml
from google.protobuf import json_format
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import observe_state

FILES, WORK, MAESTRO = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3]
SIGNALS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
children = []
failures = []


def check(condition, words):
    if not condition:
        failures.append(words)
        print(f"FAILED: {words}")


def text(name):
    with open(os.path.join(FILES, name), encoding="utf-8") as file:
        return file.read()


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(name, *command):
    log = open(os.path.join(WORK, f"{name}.log"), "w")
    child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=WORK)
    children.append(child)
    return child


def request(url, body=None, method=None, content_type=None):
    headers = {"Content-Type": content_type} if content_type else {}
    asked = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return answer.status, answer.read()


def wait(what, ready, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if ready():
                return True
        except OSError:
            pass
        time.sleep(0.1)
    check(False, f"{what} within {seconds} s")
    return False


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


# ---- maestro itself -------------------------------------------------------------------------------------------------------------------------


def export(github, *args, **environment):
    """Runs the real command on the scripted state, as if nothing had been told before."""
    cursor = os.path.join(STATE.folder, "repo/.git/maestro/observe.json")
    if os.path.exists(cursor):
        os.remove(cursor)
    began = time.time()
    asked = ["--queue", "--run", str(observe_state.RUN), "--format", "json"]
    done = STATE.run("observe", "export", *asked, *args, GITHUB_API_URL=github.api, MAESTRO_NOW=STATE.now.strftime("%Y-%m-%dT%H:%M:%SZ"), **environment)
    for complaint in done.stderr.splitlines():
        check(False, f"maestro complains: {complaint}")
    return json.loads(done.stdout), time.time() - began


def build_state():
    global STATE
    folder = os.path.join(WORK, "scripted")
    os.makedirs(folder)
    STATE = observe_state.State(MAESTRO, folder, observe_state.noon())
    STATE.build()
    out = os.path.join(WORK, "written")
    for what in ("dashboards", "alerts"):
        STATE.run("observe", what, "--out", out)
    for root, _, names in os.walk(out):
        for name in names:
            path = os.path.join(root, name)
            check(open(path).read() == text(os.path.relpath(path, out)), f"the binary has {name} as it is made")
    document, _ = export(observe_state.GitHub(STATE, 3, 4), "--otlp", os.path.join(WORK, "real.ndjson"), "--openmetrics", os.path.join(FILES, "real.om"))
    with open(os.path.join(WORK, "real.ndjson"), encoding="utf-8") as file:
        for number, line in enumerate(file):
            kind = {"resourceSpans": "traces", "resourceMetrics": "metrics", "resourceLogs": "logs"}[next(iter(json.loads(line)))]
            with open(os.path.join(FILES, "otlp", f"{kind}-real-{number}.json"), "w", encoding="utf-8") as to:
                to.write(line)
    print(f"state: {len(STATE.lines)} scripted events, {document['spans']} spans, {document['series']} series, {document['logs']} records")


def judge_speed():
    """Ten thousand spans to a receiver that takes them."""
    github = observe_state.GitHub(STATE, 100, 97)
    class Sink(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    took = []
    for _ in range(3):
        document, seconds = export(github, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{sink.server_port}")
        took.append(seconds)
        check(document["spans"] > 9_900 and not any(row["spooled"] for row in document["targets"]), f"all of 10,000 spans are taken: {document}")
    print(f"speed: {document['spans']} spans, asked for, made and sent in {min(took):.2f} s (of {len(took)})")
    check(min(took) < 1.0 or "/debug/" in MAESTRO, f"10,000 spans in a second: {took}")


# ---- OTLP ----------------------------------------------------------------------------------------------------------------------------------


def documents(kind):
    return sorted(glob.glob(os.path.join(FILES, "otlp", f"{kind}-*.json")))


def message(kind, document):
    """Reads OTLP's JSON with Google's reader, which wants identities in base64; what it does not know it refuses."""

    def ids(value):
        if isinstance(value, dict):
            return {
                key: base64.b64encode(bytes.fromhex(item)).decode()
                if key in ("traceId", "spanId", "parentSpanId")
                else ids(item)
                for key, item in value.items()
            }
        return [ids(item) for item in value] if isinstance(value, list) else value

    return json_format.ParseDict(ids(document), SIGNALS[kind]())


def names_of(kind, parsed):
    if kind == "traces":
        return [s.name for r in parsed.resource_spans for o in r.scope_spans for s in o.spans]
    if kind == "metrics":
        return [m.name for r in parsed.resource_metrics for o in r.scope_metrics for m in o.metrics]
    return [l.body.string_value for r in parsed.resource_logs for o in r.scope_logs for l in o.log_records]


def judge_otlp():
    rotel_port, grpc_port, tap_port = port(), port(), port()
    import rotel

    agent = os.path.join(os.path.dirname(rotel.__file__), "rotel-agent")
    verbosity = ["--debug-log", "traces", "--debug-log", "metrics", "--debug-log", "logs", "--debug-log-verbosity", "detailed"]
    start(
        "rotel", agent, "start", "--otlp-http-endpoint", f"127.0.0.1:{rotel_port}",
        "--otlp-grpc-endpoint", f"127.0.0.1:{grpc_port}", "--exporter", "blackhole", *verbosity,
    )
    tap = start("oteltap", sys.executable, "-u", "-m", "oteltap", "--port", str(tap_port))
    opened = lambda number: socket.create_connection(("127.0.0.1", number), 1).close() is None
    wait("rotel listens", lambda: opened(rotel_port))
    wait("oteltap listens", lambda: opened(tap_port))
    sent = {kind: [] for kind in SIGNALS}
    # What maestro sends itself.
    direct, _ = export(observe_state.GitHub(STATE, 3, 4), OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{rotel_port}", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    check(len(direct["targets"]) == 3 and all(row["sent"] and not row["problem"] for row in direct["targets"]), f"rotel takes what maestro sends: {direct}")
    for kind in SIGNALS:
        check(documents(kind), f"there are documents of {kind}")
        for path in documents(kind):
            body = open(path, "rb").read()
            check(len(body) < 4 * 1024 * 1024, f"{path} fits")
            status, answer = request(f"http://127.0.0.1:{rotel_port}/v1/{kind}", body, "POST", "application/json")
            refused = json.loads(answer or b"{}").get("partialSuccess") or {}
            check(status == 200 and not any(refused.values()), f"rotel takes {path}: {status} {answer}")
            parsed = message(kind, json.loads(body))
            sent[kind] += names_of(kind, parsed)
            binary = parsed.SerializeToString()
            for where in (rotel_port, tap_port):
                status, _ = request(f"http://127.0.0.1:{where}/v1/{kind}", binary, "POST", "application/x-protobuf")
                check(status == 200, f"{where} takes {path} as protobuf: {status}")
    log = os.path.join(WORK, "oteltap.log")
    total = sum(map(len, sent.values()))

    def lines():
        # Only whole lines, and none that ends where Python thinks that foreign words end one.
        with open(log, encoding="utf-8", errors="replace") as file:
            return [line for line in file.read().split("\n")[:-1] if line.startswith("{")]

    wait("oteltap tells all that it got", lambda: len(lines()) >= total)
    told = [json.loads(line) for line in lines()]
    check(len(told) == total, f"oteltap decoded {len(told)} of {total}")
    time.sleep(1)
    rotel_log = re.sub(r"\x1b\[[0-9;]*m", "", open(os.path.join(WORK, "rotel.log"), encoding="utf-8", errors="replace").read())
    spans = 2 * len(sent["traces"]) + direct["spans"]
    decoded = len(re.findall(r"^\s*Span #\d+", rotel_log, re.M))
    check(decoded == spans, f"rotel decoded {decoded} of {spans} spans")
    print(f"OTLP: {len(sent['traces'])} spans, {len(sent['metrics'])} metrics, {len(sent['logs'])} records; "
          f"oteltap told {len(told)}, rotel printed {decoded} spans of JSON and protobuf")
    children.remove(tap)
    tap.terminate()


# ---- names ---------------------------------------------------------------------------------------------------------------------------------


def judge_names():
    keys = set(text("keys.txt").split())
    git = os.environ.get("MAESTRO_SEMCONV")
    known, enums, metrics = {}, {}, {}
    if git:
        packed = subprocess.run(["git", "--git-dir", git, "archive", "v1.44.0", "model"], capture_output=True, check=True).stdout
        archive = tarfile.open(fileobj=io.BytesIO(packed))
        for member in archive.getmembers():
            if not member.name.endswith(".yaml"):
                continue
            model = yaml.load(archive.extractfile(member), Loader=LOADER) or {}
            for group in model.get("groups") or []:
                if group.get("type") == "metric":
                    metrics[group["metric_name"]] = (group["instrument"], group["unit"], group.get("attributes") or [])
                for attribute in group.get("attributes") or []:
                    if "id" in attribute:
                        known[attribute["id"]] = attribute
                        if isinstance(attribute["type"], dict):
                            enums[attribute["id"]] = {m["value"] for m in attribute["type"]["members"]}
        for key in keys:
            check(key.startswith("maestro.") or key in known, f"{key} is of the conventions")
            deprecated = known.get(key, {}).get("deprecated")
            # Those for generative AI moved to a repository of their own, and say so.
            moved = key.startswith("gen_ai.")
            check(not deprecated or moved, f"{key} is not deprecated: {deprecated}")
    open_enums = {"error.type", "deployment.environment.name", "gen_ai.provider.name"}
    seen, checked = set(), 0

    def attributes(value):
        nonlocal checked
        if isinstance(value, dict):
            if set(value) == {"key", "value"}:
                seen.add(value["key"])
                said = value["value"].get("stringValue")
                if value["key"] in enums and value["key"] not in open_enums:
                    checked += 1
                    check(said in enums[value["key"]], f"{value['key']} may be {said}")
            for item in value.values():
                attributes(item)
        elif isinstance(value, list):
            for item in value:
                attributes(item)

    instruments = {"counter": "sum", "updowncounter": "sum", "gauge": "gauge", "histogram": "histogram"}
    for kind in SIGNALS:
        for path in documents(kind):
            document = json.load(open(path, encoding="utf-8"))
            attributes(document)
            for resource in document.get("resourceMetrics", []):
                for scope in resource["scopeMetrics"]:
                    for metric in scope["metrics"]:
                        if metric["name"].startswith("maestro.") or not git:
                            continue
                        instrument, unit, wanted = metrics[metric["name"]]
                        data = metric[instruments[instrument]]
                        check(metric["unit"] == unit, f"unit of {metric['name']}")
                        if instrument in ("counter", "updowncounter"):
                            check(data["isMonotonic"] == (instrument == "counter"), f"{metric['name']} is a {instrument}")
                        required = {a["ref"] for a in wanted if a.get("requirement_level") == "required"}
                        for point in data["dataPoints"]:
                            has = {a["key"] for a in point["attributes"]}
                            check(required <= has, f"{metric['name']} has {required - has}")
    check(seen <= keys, f"names that are not in the table: {seen - keys}")
    print(f"names: {len(keys)} in the table, {len(seen)} emitted, {checked} values of enumerations; "
          + ("all of v1.44.0 or ours" if git else "MAESTRO_SEMCONV is not set, so not held against the conventions"))


# ---- Prometheus ----------------------------------------------------------------------------------------------------------------------------

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def unescaped(value):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), value)


def scripted():
    """The values as maestro tells them, read without Prometheus."""
    samples = []
    for line in text("real.prom").splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        samples.append((name, {k: unescaped(v) for k, v in LABEL.findall(labels or "")}, float(value)))
    return samples


SELECT = r'(\w+)\{([^}]*)\}'
FORMS = [
    ("quantile", re.compile(rf'^histogram_quantile\(([\d.]+), sum by \(([^)]*)\) \({SELECT}\)\)$')),
    ("age", re.compile(rf'^time\(\) - max by \(([^)]*)\) \({SELECT}\)$')),
    ("by", re.compile(rf'^(sum|max) by \(([^)]*)\) \({SELECT}\)$')),
    ("all", re.compile(rf'^(sum)\({SELECT}\)$')),
]


def selected(samples, name, matchers):
    wanted = [(k, v) for k, v in LABEL.findall(matchers) if k != "vcs_repository_name"]
    return [(labels, value) for held, labels, value in samples if held == name and all(labels.get(k) == v for k, v in wanted)]


def grouped(samples, keys, fold):
    groups = {}
    for labels, value in samples:
        group = tuple(sorted((k, labels[k]) for k in keys if labels.get(k)))
        groups.setdefault(group, []).append(value)
    return {group: fold(values) for group, values in groups.items()}


def quantile(q, buckets):
    """As Prometheus reckons it: linear within a bucket, the last finite bound where it lies in the last."""
    buckets = sorted(buckets.items())
    rank = q * buckets[-1][1]
    before, low = 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (rank - before) / (count - before)
        before, low = count, bound
    return math.nan


def expected(samples, expression):
    for form, pattern in FORMS:
        match = pattern.match(expression)
        if not match:
            continue
        if form == "all":
            _, name, matchers = match.groups()
            return {(): sum(v for _, v in selected(samples, name, matchers))}
        if form == "by":
            fold, by, name, matchers = match.groups()
            return grouped(selected(samples, name, matchers), by.split(", "), {"sum": sum, "max": max}[fold])
        if form == "age":
            by, name, matchers = match.groups()
            held = grouped(selected(samples, name, matchers), by.split(", "), max)
            return {group: time.time() - value for group, value in held.items()}
        q, by, name, matchers = match.groups()
        keys = by.split(", ")
        sums = grouped(selected(samples, name, matchers), keys, sum)
        histograms = {}
        for group, value in sums.items():
            labels = dict(group)
            bound = float(labels.pop("le"))
            histograms.setdefault(tuple(sorted(labels.items())), {})[bound] = value
        return {group: quantile(float(q), held) for group, held in histograms.items()}
    raise ValueError(f"no reckoning for {expression}")


def ask(base, expression, at=None):
    query = {"query": expression}
    if at:
        query["time"] = f"{at:.3f}"
    _, body = request(f"{base}/api/v1/query?{urllib.parse.urlencode(query)}")
    result = json.loads(body)["data"]["result"]
    return {tuple(sorted((k, v) for k, v in r["metric"].items() if k != "__name__")): float(r["value"][1]) for r in result}


def judge_files():
    for command in (["promtool", "check", "rules", "maestro.rules.yml"], ["promtool", "test", "rules", "maestro.rules.test.yml"]):
        done = run(*command, cwd=os.path.join(FILES, "rules"))
        check(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")
    for name in ("metrics.prom",):
        done = run("promtool", "check", "metrics", input=text(name))
        check(done.returncode == 0 and not done.stdout and not done.stderr, f"promtool check metrics: {done.stdout}{done.stderr}")
    done = run("amtool", "check-config", os.path.join(FILES, "alertmanager.yml"))
    check(done.returncode == 0, f"amtool: {done.stdout}{done.stderr}")
    families = list(text_string_to_metric_families(text("metrics.om")))
    check(len(families) > 30, "prometheus-client reads OpenMetrics")
    for line in text("logs.ndjson").splitlines():
        check({"timestamp", "severity_text", "severity_number", "body", "attributes"} <= set(json.loads(line)), line)
    # A test that cannot fail is none: a rule that never holds, and one that always does, must be noticed.
    rules = yaml.safe_load(text("rules/maestro.rules.yml"))
    folder = os.path.join(WORK, "mutants")
    os.makedirs(folder)
    tests = yaml.load(text("rules/maestro.rules.test.yml"), Loader=LOADER)
    caught = mutants = 0
    for group in rules["groups"]:
        for rule in group["rules"]:
            own = [test for test in tests["tests"] if test["alert_rule_test"][0]["alertname"] == rule["alert"]]
            check(len(own) == 2, f"{rule['alert']} has two tests")
            with open(os.path.join(folder, "maestro.rules.test.yml"), "w") as file:
                yaml.safe_dump({**tests, "tests": own}, file)
            kept = rule["expr"]
            for mutant in (f"({kept}) and on () (vector(0) > 1)", f"vector(1) or ({kept})"):
                with open(os.path.join(folder, "maestro.rules.yml"), "w") as file:
                    yaml.safe_dump({"groups": [{"name": "spoilt", "rules": [{**rule, "expr": mutant}]}]}, file)
                mutants += 1
                caught += run("promtool", "test", "rules", "maestro.rules.test.yml", cwd=folder).returncode != 0
    check(caught == mutants, f"{caught} of {mutants} spoilt rules are noticed")
    print(f"files: rules hold, {caught} of {mutants} spoilt rules are noticed, metrics without a lint, {len(families)} families of OpenMetrics")


class PagerDuty(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((self.path, json.loads(body)))
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b'{"status":"success","message":"Event processed","dedup_key":"x"}')

    def log_message(self, *_):
        pass


def judge_boards():
    register_default_plugins()
    panels = 0
    for path in sorted(glob.glob(os.path.join(FILES, "dashboards", "*.json"))):
        board = json.load(open(path, encoding="utf-8"))
        check(len(dashboard.Dashboard.from_json(board).panels) == len(board["panels"]), f"Grafana's SDK reads {path}")
        for panel in board["panels"]:
            panels += 1
            for target in panel["targets"]:
                promql_parser.parse(target["expr"].replace("$repository", ".+"))
    print(f"boards: Grafana's SDK reads {panels} panels")


def judge_live():
    push, prom, alerts = port(), port(), port()
    stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), PagerDuty)
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    with open(os.path.join(WORK, "pagerduty.key"), "w") as file:
        file.write("0123456789abcdef0123456789abcdef")
    config = text("alertmanager.yml").replace("https://events.pagerduty.com/", f"http://127.0.0.1:{stub.server_port}/")
    config = config.replace("/etc/alertmanager/pagerduty.key", os.path.join(WORK, "pagerduty.key")).replace("group_wait: 30s", "group_wait: 1s")
    with open(os.path.join(WORK, "alertmanager.yml"), "w") as file:
        file.write(config)
    with open(os.path.join(WORK, "prometheus.yml"), "w") as file:
        yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [os.path.join(FILES, "rules", "maestro.rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alerts}"]}]}]},
            "scrape_configs": [{"job_name": "pushgateway", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{push}"]}]}],
        }, file)
    start("pushgateway", "prometheus-pushgateway", "--persistence.file=", f"--web.listen-address=127.0.0.1:{push}")
    start("alertmanager", "prometheus-alertmanager", f"--config.file={WORK}/alertmanager.yml", f"--storage.path={WORK}/alerts",
          f"--web.listen-address=127.0.0.1:{alerts}", "--cluster.listen-address=")
    start("prometheus", "prometheus", f"--config.file={WORK}/prometheus.yml", f"--storage.tsdb.path={WORK}/live", f"--web.listen-address=127.0.0.1:{prom}")
    base = f"http://127.0.0.1:{prom}"
    ready = lambda at: request(f"http://127.0.0.1:{at}/-/ready")[0] == 200
    for name, at in (("pushgateway", push), ("alertmanager", alerts), ("prometheus", prom)):
        if not wait(f"{name} is ready", lambda at=at: ready(at)):
            return
    gateway = f"http://127.0.0.1:{push}"
    document, _ = export(observe_state.GitHub(STATE, 3, 4), "--pushgateway", gateway, "--prometheus", os.path.join(FILES, "real.prom"))
    check(all(row["sent"] and not row["problem"] for row in document["targets"]), f"the Pushgateway takes the metrics: {document}")
    done = run("promtool", "check", "metrics", input=text("real.prom"))
    check(done.returncode == 0 and not done.stdout and not done.stderr, f"promtool check metrics: {done.stdout}{done.stderr}")
    wait("Prometheus has scraped", lambda: ask(base, "maestro_export_time_seconds"))
    samples = scripted()
    quoted = lambda value: value.replace("\\", "\\\\").replace('"', '\\"')
    script = STATE.expected()
    for name, labels, wanted in script:
        matchers = ",".join(f'{key}="{quoted(value)}"' for key, value in labels.items())
        got = list(ask(base, f"{name}{{{matchers}}}").values())
        check(len(got) == 1 and math.isclose(got[0], wanted, rel_tol=1e-6), f"{name} {labels}: scripted {wanted}, Prometheus has {got}")
    print(f"script: {len(script)} values that were reckoned by hand are those that Prometheus has")
    panels = values = 0
    for path in sorted(glob.glob(os.path.join(FILES, "dashboards", "*.json"))):
        for panel in json.load(open(path, encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                expression = target["expr"]
                for word in ("vector(", "absent(", " or "):
                    check(word not in expression, f"{expression} has {word}")
                wanted = expected(samples, expression)
                got = ask(base, expression.replace("$repository", ".+"))
                slack = 30 if expression.startswith("time()") else 0
                same = set(got) == set(wanted) and bool(got) and all(
                    math.isclose(got[k], wanted[k], rel_tol=1e-9, abs_tol=1e-9 + slack) for k in wanted)
                check(same, f"{os.path.basename(path)} / {panel['title']}: {expression}\n  wanted {wanted}\n  got {got}")
                panels += 1
                values += len(got)
    print(f"dashboards: {panels} expressions return their {values} scripted values")
    if wait("PagerDuty is told", lambda: any(event["payload"]["class"] == "MaestroBudget95" for _, event in PagerDuty.got)):
        path, event = next((p, e) for p, e in PagerDuty.got if e["payload"]["class"] == "MaestroBudget95")
        check(path == "/v2/enqueue" and event["event_action"] == "trigger", f"{path} {event}")
        check(event["payload"]["severity"] == "critical" and event["routing_key"].startswith("0123"), f"{event}")
        said = event["payload"]["summary"] and event["payload"]["custom_details"]["what"]
        check(bool(said) and "<no value>" not in json.dumps(event), f"it says what it is: {event}")
        print(f"alerts: PagerDuty was told: {event['payload']['summary']}")


def judge_history():
    # What maestro tells of the past is read as well; prometheus-client takes no histogram with several times.
    done = run("promtool", "tsdb", "create-blocks-from", "openmetrics", os.path.join(FILES, "real.om"), os.path.join(WORK, "real"))
    check(done.returncode == 0, f"promtool makes blocks of maestro's file: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    folder = os.path.join(WORK, "history")
    began = time.time()
    done = run("promtool", "tsdb", "create-blocks-from", "openmetrics", os.path.join(FILES, "history.om"), folder)
    took = time.time() - began
    check(done.returncode == 0, f"promtool makes blocks: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    at = port()
    with open(os.path.join(WORK, "empty.yml"), "w") as file:
        file.write("{}\n")
    start("history", "prometheus", f"--config.file={WORK}/empty.yml", f"--storage.tsdb.path={folder}",
          "--storage.tsdb.retention.time=10y", f"--web.listen-address=127.0.0.1:{at}")
    base = f"http://127.0.0.1:{at}"
    if not wait("Prometheus has the history", lambda: request(f"{base}/-/ready")[0] == 200):
        return
    values = wrong = 0
    for line in text("history.om").splitlines():
        if not line.startswith("maestro_agent_runs_total{"):
            continue
        sample, stamp = line.rsplit(" ", 1)
        selector, value = sample.rsplit(" ", 1)
        got = ask(base, selector, float(stamp))
        values += 1
        wrong += list(got.values()) != [float(value)]
    check(values >= 60 and not wrong, f"{wrong} of {values} values of the history are wrong")
    print(f"history: {values} values of the past come back as they were; promtool took {took:.1f} s")


try:
    for judge in (build_state, judge_files, judge_names, judge_boards, judge_otlp, judge_speed, judge_live, judge_history):
        began = time.time()
        judge()
        print(f"  ({judge.__name__}: {time.time() - began:.0f} s)", flush=True)
finally:
    for child in children:
        child.send_signal(signal.SIGTERM)
    for child in children:
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
print(f"{len(failures)} failures")
sys.exit(bool(failures))
