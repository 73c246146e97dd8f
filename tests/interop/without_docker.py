"""Runs the example without containers, and holds the one with containers against its schema and its own files: see without-docker.sh."""

import datetime
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import yaml

EXAMPLE, WORK, MAESTRO = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), os.path.abspath(sys.argv[3])
failures = []


def check(condition, words):
    if not condition:
        failures.append(words)
        print(f"FAILED: {words}")


# ---- files ---------------------------------------------------------------------------------------------------------------------------------


def complaints(compose):
    """Says what is wrong with a compose file: by its schema, and by what lies beside it."""
    path = WORK / "compose.yaml"
    path.write_text(yaml.safe_dump(compose))
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path], capture_output=True, text=True)
    found = [] if done.returncode == 0 else [f"compose-spec: {done.stdout}{done.stderr}"]
    named = set(compose.get("volumes") or {})
    for name, service in compose["services"].items():
        image = service.get("image", "")
        if not re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?", image):
            found.append(f"{name}: `{image}` names no version")
        for bound in service.get("ports", []):
            if not str(bound).startswith("127.0.0.1:"):
                found.append(f"{name}: {bound} is not on the loopback")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                # The one file that people bring themselves.
                if not (EXAMPLE / source).exists() and source != "./pagerduty.key":
                    found.append(f"{name}: {source} is missing")
                if not volume.endswith(":ro"):
                    found.append(f"{name}: {source} can be written")
            elif source not in named:
                found.append(f"{name}: the volume {source} is not declared")
    return found


def judge_files():
    compose = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())
    for complaint in complaints(compose):
        check(False, f"compose.yaml: {complaint}")
    mutants = 0
    for spoil in (
        lambda c: c["services"]["grafana"].update(image="grafana/grafana"),
        lambda c: c["services"]["grafana"].update(image="grafana/grafana:latest"),
        lambda c: c["services"]["prometheus"].update(ports=["9090:9090"]),
        lambda c: c["services"]["prometheus"].update(volumes=["./nowhere.yml:/etc/prometheus/prometheus.yml:ro"]),
        lambda c: c["services"]["grafana"].update(volumes=["./dashboards:/var/lib/grafana/dashboards"]),
        lambda c: c["services"]["jaeger"].update(prots=["127.0.0.1:1:1"]),
        lambda c: c.pop("volumes"),
    ):
        spoilt = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())
        spoil(spoilt)
        mutants += bool(complaints(spoilt))
    check(mutants == 7, f"{mutants} of 7 spoilt compose files are noticed")
    check("pagerduty.key" in (EXAMPLE / "README.md").read_text(), "the README says where the key goes")

    services = compose["services"]
    grafana = services["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    boards = mounts["./dashboards"]
    providers = yaml.safe_load((EXAMPLE / "provisioning/dashboards/maestro.yaml").read_text())["providers"]
    check([one["options"]["path"] for one in providers] == [boards], "Grafana looks where the dashboards are mounted")
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    check((EXAMPLE / "dashboards" / pathlib.Path(home).relative_to(boards)).is_file(), f"{home} is a dashboard")
    sources = yaml.safe_load((EXAMPLE / "provisioning/datasources/maestro.yaml").read_text())["datasources"]
    scrape = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text())
    hosts = [urllib.parse.urlsplit(one["url"]).hostname for one in sources]
    hosts += [target.split(":")[0] for job in scrape["scrape_configs"] for group in job["static_configs"] for target in group["targets"]]
    hosts += [target.split(":")[0] for one in scrape["alerting"]["alertmanagers"] for group in one["static_configs"] for target in group["targets"]]
    for host in hosts:
        check(host in services, f"{host} is a service of compose.yaml")
    for pattern in scrape["rule_files"]:
        check((EXAMPLE / pattern).is_file(), f"{pattern} is there")
    uids = {one["uid"] for one in sources}
    for path in sorted((EXAMPLE / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        types = {one["type"] for one in sources}
        for variable in board["templating"]["list"]:
            if variable["type"] == "datasource":
                check(variable["query"] in types, f"{path.name}: a datasource of type {variable['query']} is provisioned")
        used = set(re.findall(r'"uid": "([^"$]+)"', json.dumps(board["panels"])))
        check(used <= uids, f"{path.name}: {used - uids} is no datasource")
    print(f"files: compose.yaml is one for compose-spec's schema, {len(services)} images have versions, 7 of 7 spoilt ones are noticed; {len(hosts)} hosts are services")


# ---- a run ---------------------------------------------------------------------------------------------------------------------------------


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def until(what, ready, seconds=75):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if found := ready():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    check(False, f"{what} within {seconds} s")
    return None


def repository():
    folder = WORK / "repository"
    folder.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(WORK), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}
    run = lambda *command: subprocess.run(command, cwd=folder, env={**env, **who}, check=True, capture_output=True)
    run("git", "init", "--quiet", "--initial-branch=main")
    (folder / ".maestro").mkdir()
    (folder / ".maestro/ci_budget.json").write_text('{"schema": "maestro.ci-budget/v1", "per_month": "1"}')
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "-m", "A cap")
    result = {"type": "result", "session_id": "s", "total_cost_usd": 1, "usage": {"input_tokens": 1, "output_tokens": 0},
              "modelUsage": {"claude-sonnet-4-6": {"inputTokens": 400_000, "outputTokens": 0, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0,
                                                   "webSearchRequests": 0, "costUSD": 1}}}
    (folder / "execution.json").write_text(json.dumps([{"type": "system", "subtype": "init", "session_id": "s", "model": "claude-sonnet-4-6"}, result]))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    run(MAESTRO, "budget", "import", "--claude-execution", "execution.json", "--pr", "7", "--at", now)
    return folder, env


def listens(process):
    """Addresses at which the processes of a script's session listen, as the kernel lists them."""
    inodes = set()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(path.name)) != process.pid:
                continue
            for fd in (path / "fd").iterdir():
                if match := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd)):
                    inodes.add(match[1])
        except OSError:
            continue
    found = set()
    for table, loopback in (("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "00000000000000000000000001000000")):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                address, port = parts[1].split(":")
                found.add((address == loopback, int(port, 16)))
    return found


def judge_run():
    folder, env = repository()
    ports = {name: free() for name in ("PROMETHEUS", "PUSHGATEWAY", "ALERTMANAGER")}
    data = WORK / "data"
    more = {**env, **{name: str(port) for name, port in ports.items()}, "MAESTRO": MAESTRO, "EVERY": "1"}
    script = [EXAMPLE / "without-docker.sh", folder, data]
    log = open(WORK / "script.log", "w")
    child = subprocess.Popen(script, env=more, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        prometheus = f"http://127.0.0.1:{ports['PROMETHEUS']}"
        query = lambda text: get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': text})}")["data"]["result"]
        spent = until("what was spent is in Prometheus", lambda: query('maestro_budget_spent_USD{maestro_budget_scope="month"}'))
        check(bool(spent) and len(spent) == 1 and float(spent[0]["value"][1]) == 1.2, f"400,000 tokens of three dollars a million are $1.20: {spent}")
        alerts = f"http://127.0.0.1:{ports['ALERTMANAGER']}/api/v2/alerts"
        told = until("Alertmanager is told", lambda: [one for one in get(alerts) if one["labels"]["alertname"] == "MaestroBudget95"])
        check(bool(told) and told[0]["labels"]["severity"] == "critical", f"the cap's alert: {told}")
        found = listens(child)
        check({port for _, port in found} >= set(ports.values()), f"all three listen: {found}")
        check(all(is_loopback for is_loopback, _ in found), f"on the loopback only: {found}")
        check("events.pagerduty.com" not in (data / "alertmanager.yml").read_text(), "without a key nothing is sent to PagerDuty")
        second = subprocess.run(script[:2], env=more, capture_output=True, text=True, timeout=60)
        check(second.returncode == 69 and "listens at" in second.stderr, f"a second one says who is there: {second.returncode} {second.stderr}")
        print(f"run: $1.20 is in Prometheus, MaestroBudget95 in Alertmanager; {len(found)} sockets listen, all on the loopback")
    finally:
        began = time.time()
        child.send_signal(signal.SIGTERM)
        try:
            code = child.wait(30)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(child.pid, signal.SIGKILL)
    check(code == 143, f"it ends when it is told to: {code}\n{(WORK / 'script.log').read_text()[-2000:]}")
    left = [path.name for path in pathlib.Path("/proc").glob("[0-9]*") if session_of(path) == child.pid]
    check(not left, f"processes are left: {left}")
    print(f"end: all of it ended within {time.time() - began:.1f} s of SIGTERM")


def session_of(path):
    try:
        state = (path / "stat").read_text().rsplit(")", 1)[1].split()
        return int(state[3]) if state[0] != "Z" else None
    except OSError:
        return None


judge_files()
judge_run()
print(f"{len(failures)} failures")
sys.exit(bool(failures))
