"""A scripted month of a repository: what maestro would have stored, a GitHub that answers about one run, and what Prometheus must say of it all.

Values are reckoned here from the script and never read from maestro.
"""

import datetime
import hashlib
import http.server
import json
import os
import subprocess
import threading

SCHEMA = "maestro.event/v1"
RUN = 14460881260


def digest(parts):
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def event(kind, at, payload, run="", attempt=1, job="", commit="c", branch="main"):
    """An event as maestro writes it: its id is a digest of everything but time, commit and branch."""
    body = json.dumps(payload, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    number = digest([SCHEMA.encode(), kind.encode(), run.encode(), str(attempt).encode(), job.encode(), body.encode()])
    head = json.dumps({"schema": SCHEMA, "kind": kind, "id": number, "at": at, "run": run, "attempt": attempt, "job": job,
                       "commit": commit, "branch": branch}, separators=(",", ":"))
    return f'{head[:-1]},"payload":{body}}}'


def noon():
    """The last 15th of a month at noon: whatever is scripted for the days around it is of one month."""
    now = datetime.datetime.now(datetime.timezone.utc)
    then = now.replace(day=15, hour=12, minute=0, second=0, microsecond=0)
    return then if then <= now else (then.replace(day=1) - datetime.timedelta(days=1)).replace(day=15)


class State:
    def __init__(self, maestro, folder, now):
        self.maestro, self.folder, self.now = maestro, folder, now
        self.lines = []
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": "ghs_" + "0" * 36, "TZ": "UTC",
        }
        for who in ("AUTHOR", "COMMITTER"):
            self.environment |= {f"GIT_{who}_NAME": "Ada Example", f"GIT_{who}_EMAIL": "ada@example.com"}

    def at(self, hours):
        """A time so many hours ago."""
        then = self.now - datetime.timedelta(hours=hours)
        return then.strftime("%Y-%m-%dT%H:%M:%SZ")

    def git(self, *args, where="repo", more=None):
        folder = os.path.join(self.folder, where)
        environment = self.environment | (more or {})
        return subprocess.run(["git", *args], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout

    def run(self, *args, codes=(0,), **more):
        done = subprocess.run([self.maestro, *args], cwd=os.path.join(self.folder, "repo"), env=self.environment | more,
                              capture_output=True, text=True)
        assert done.returncode in codes, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def add(self, *args, **more):
        self.lines.append(event(*args, **more))

    def row(self, hours, **row):
        at = self.at(hours)
        self.add("delivery_row", at, {"as_of": at, "repository": "acme/shop", "row": row})

    def write(self, path, content):
        path = os.path.join(self.folder, "repo", path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def build(self):
        os.makedirs(os.path.join(self.folder, "repo"))
        os.makedirs(os.path.join(self.folder, "remote.git"))
        self.git("init", "--quiet", "--bare", where="remote.git")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", os.path.join(self.folder, "remote.git"))
        self.write(".maestro/ci_budget.json", '{"schema": "maestro.ci-budget/v1", "per_month": "50"}')
        quarantine = {"schema": "maestro.quarantine/v1", "tests": [
            {"suite": "s", "test": name, "reason": "r", "since": "2026-01-01", "review_by": day}
            for name, day in (("old", "2026-01-15"), ("new", "2099-01-01"))]}
        self.write(".maestro/quarantine.json", json.dumps(quarantine))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Begin")
        self.merges = {}
        for number in range(30, 0, -1):
            day = {f"GIT_{who}_DATE": self.at(24 * number + 1) for who in ("AUTHOR", "COMMITTER")}
            self.git("commit", "--quiet", "--allow-empty", "--message", f"Change {number}", more=day)
            self.merges[number] = self.git("rev-parse", "HEAD").strip()
        self.git("push", "--quiet", "origin", "main")
        self.deliveries()
        self.agents()
        self.rest()
        outbox = os.path.join(self.folder, "repo/.git/maestro/outbox")
        os.makedirs(outbox)
        with open(os.path.join(outbox, "scripted.ndjson"), "w", encoding="utf-8") as file:
            file.write("\n".join(self.lines) + "\n")
        self.tests()
        self.git("remote", "set-head", "origin", "main")
        self.run("state", "verify")
        # One ref waits in the inbox: what is pushed now, and not folded.
        self.run("state", "push")
        self.run("state", "pull")

    def deliveries(self):
        for number in range(1, 31):
            begun = 24 * number
            conclusion = "failure" if number % 5 == 0 else "success"
            minutes = 16 if number <= 7 else 5
            ended = self.now - datetime.timedelta(hours=begun) + datetime.timedelta(minutes=minutes)
            self.row(1, kind="run", id=number, attempt=1, workflow='ci "quoted"', event="push", branch="main", sha=self.merges[number],
                     created=self.at(begun), started=self.at(begun), updated=ended.strftime("%Y-%m-%dT%H:%M:%SZ"), conclusion=conclusion)
            self.row(1, kind="pull", number=number, state="merged", created=self.at(begun + 4), first_commit=self.at(begun + 6),
                     merged=self.at(begun + 1), closed=self.at(begun + 1), merge_sha=self.merges[number], base="main",
                     author_kind="agent" if number % 3 == 0 else "human")
            failed = number % 6 == 0
            self.row(1, kind="deployment", id=number, sha=self.merges[number], environment="production", production=True,
                     created=self.at(begun - 0.5), status="failure" if failed else "success",
                     **({"failed_at": self.at(begun - 1)} if failed else {"first_success": self.at(begun - 1)}))
        # Two that nobody merged, and one that goes on.
        self.row(1, kind="pull", number=31, state="open", created=self.at(5), base="main", author_kind="agent")
        self.row(1, kind="pull", number=32, state="closed", created=self.at(9), closed=self.at(8), base="main", author_kind="agent")
        self.row(1, kind="run", id=99, attempt=1, workflow='ci "quoted"', event="push", branch="main", sha="9" * 40,
                 created=self.at(0.5), started=self.at(0.5), updated=self.at(0.4), conclusion="")
        for number in range(6):
            self.row(1, kind="incident", id=100 + number, opened=self.at(24 * (number + 2) - 2), closed=self.at(24 * (number + 2) - 3))

    def agents(self):
        for number in range(10):
            good = number < 4
            tasks = [{"attempts": 1, "failures": [], "models": ["claude-haiku-4-5"], "role": role, "state": "done" if good else "failed",
                      "task": role, "took_ms": 40_000, "usd": "0.5"} for role in ("planner", "implementer")]
            self.add("agent_run", self.at(number + 1), {
                "base": "b", "began": self.at(number + 1.5), "engine": "builtin", "outcome": "complete" if good else "failed", "run": f"r{number}",
                "spent_usd": "1", "stage": "ended", "tasks": tasks, "took_ms": 90_000}, run=str(1000 + number), job="agents")
        usage = {"net_input_tokens": 1000, "cache_read_tokens": 400, "cache_write_5m_tokens": 100, "output_tokens": 50}
        for number in range(8):
            # One was two days ago, so that there is a day to go by.
            self.add("spend", self.at(48 if number == 7 else 0.1 * (number + 1)), {
                "status": "settled", "provider": "anthropic", "model": "claude-haiku-4-5", "role": "planner" if number % 2 else "implementer",
                "pull_request": number % 4 + 1, "usage": usage, "usd": "6", "purse": "p", "call": number}, run=str(RUN))

    def rest(self):
        verdict = {"base": "b", "blocked_by": [], "enforced": True, "files": 1, "forgiven": 0, "head": "h", "outcome": "passed",
                   "policy_commit": None, "policy_sha256": "d", "review_by": [], "warned_by": []}
        self.add("policy_verdict", self.at(3), verdict, run="1")
        self.add("policy_verdict", self.at(2), verdict | {"blocked_by": ["no-secrets"], "outcome": "blocked", "warned_by": ["reviewable"]}, run="2")
        plan = {"base": "b", "enforced": True, "event": "push", "files": 1, "head": "h", "legs": {}, "mode": "affected", "projects": 1,
                "reasons": [], "selected": ["lint"], "unselected": ["test"]}
        for number in range(3):
            self.add("plan", self.at(number + 1), plan, run=str(500 + number))
        statement = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://maestro.example/ci-run/v1",
                     "subject": [{"digest": {"gitCommit": "4f2c"}, "name": "acme/shop"}]}
        index = {"schema": "maestro.provenance/v1", "previous": [], "run": {"id": "1", "base_branch": None},
                 "scans": [{"scanner": "pkg:generic/trivy@0.5", "findings": 3}]}
        self.add("provenance_index", self.at(4), statement | {"predicate": index}, run="7")

    def tests(self):
        """Fifty runs of tests of which two failed and then passed; each takes ten seconds."""
        case = '<testsuite name="s"><testcase name="t" time="10">{}</testcase><testcase name="u" time="0.001"/></testsuite>'
        for number in range(50):
            outcomes = ["<failure/>", ""] if number in (7, 21) else [""]
            for attempt, outcome in enumerate(outcomes, 1):
                self.write("r.xml", case.format(outcome))
                self.run("flakes", "ingest", "r.xml", codes=(0, 12), GITHUB_RUN_ID=str(9000 + number), GITHUB_RUN_ATTEMPT=str(attempt), GITHUB_JOB="test",
                         GITHUB_SHA=f"{number:040}", MAESTRO_NOW=self.at(50 - number + 0.5 - attempt / 10), GITHUB_ACTIONS="true")

    def expected(self):
        """Some samples of every kind, as the script has them."""
        name = {"vcs_repository_name": "shop"}
        ci = {"cicd_pipeline_name": 'ci "quoted"'}
        model = {"maestro_llm_provider": "anthropic", "maestro_llm_model": "claude-haiku-4-5"}
        return [(metric, name | labels, value) for metric, labels, value in [
            ("maestro_ci_runs_total", ci | {"cicd_pipeline_result": "success"}, 24),
            ("maestro_ci_runs_total", ci | {"cicd_pipeline_result": "failure"}, 6),
            ("cicd_pipeline_run_active", ci, 1),
            ("cicd_pipeline_run_errors_total", ci, 6),
            ("maestro_ci_run_success_ratio", ci, 6 / 7),
            ("maestro_ci_run_duration_seconds", ci | {"maestro_quantile": "p95"}, 960),
            ("maestro_changes", {"vcs_change_state": "merged"}, 30),
            ("maestro_changes", {"vcs_change_state": "open"}, 1),
            ("maestro_agent_changes_total", {"vcs_change_state": "merged"}, 10),
            ("maestro_agent_changes_total", {"vcs_change_state": "closed"}, 1),
            ("maestro_dora_deployments_total", {"deployment_status": "succeeded", "deployment_environment_name": "production"}, 25),
            ("maestro_dora_deployments_total", {"deployment_status": "failed", "deployment_environment_name": "production"}, 5),
            ("maestro_dora_lead_time_seconds", {"maestro_quantile": "p50"}, 7 * 3600),
            ("maestro_dora_change_fail_ratio", {}, 0.2),
            ("maestro_dora_recovery_time_seconds", {"maestro_quantile": "p50"}, 2 * 3600),
            ("maestro_agent_runs_total", {"maestro_agent_outcome": "complete"}, 4),
            ("maestro_agent_success_ratio", {}, 0.4),
            ("maestro_agent_tasks_total", {"maestro_agent_role": "planner", "maestro_agent_outcome": "failed"}, 6),
            ("maestro_llm_calls_total", model | {"maestro_agent_role": "planner"}, 4),
            ("maestro_llm_cost_USD_total", model | {"maestro_agent_role": "implementer"}, 24),
            ("maestro_llm_tokens_total", model | {"maestro_llm_token_type": "input"}, 8000),
            ("maestro_llm_tokens_total", model | {"maestro_llm_token_type": "cache_read"}, 3200),
            ("maestro_budget_spent_USD", {"maestro_budget_scope": "month"}, 48),
            ("maestro_budget_cap_USD", {"maestro_budget_scope": "month"}, 50),
            ("maestro_budget_used_ratio", {"maestro_budget_scope": "month"}, 0.96),
            ("maestro_budget_change_cost_USD", {"maestro_quantile": "p50"}, 12),
            ("maestro_policy_verdicts_total", {"maestro_policy_outcome": "blocked"}, 1),
            ("maestro_policy_violations_total", {"maestro_policy_rule": "no-secrets", "maestro_severity": "block"}, 1),
            ("maestro_supply_findings", {"maestro_scanner": "pkg:generic/trivy"}, 3),
            ("maestro_provenance_runs_total", {}, 1),
            ("maestro_flake_rate_ratio", {}, 2 / 50),
            ("maestro_flake_tests", {"maestro_flake_state": "flaky"}, 1),
            ("maestro_flake_tests", {"maestro_flake_state": "overdue"}, 1),
            ("maestro_flake_tests", {"maestro_flake_state": "quarantined"}, 2),
            ("maestro_flake_time_seconds_total", {}, 2 * 10.001),
            ("maestro_ci_time_saved_seconds_total", {}, 3 * 10.001),
            ("maestro_inbox_waiting", {}, 1),
            ("maestro_ci_jobs_queued", {}, 2),
            ("maestro_ci_job_queue_oldest_seconds", {}, 1200),
        ]]


class GitHub:
    """Answers about one run with many jobs, and about two jobs that wait for a runner."""

    def __init__(self, state, jobs, steps):
        github = self
        self.state, self.jobs, self.steps = state, jobs, steps

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path, _, query = self.path.partition("?")
                body = json.dumps(github.answer(path.removeprefix("/repos/acme/shop"), query)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.api = f"http://127.0.0.1:{self.server.server_port}"

    def run(self, number, status):
        at = self.state.at
        return {"id": number, "name": "nightly", "workflow_id": 1, "path": ".github/workflows/nightly.yml", "event": "push", "status": status,
                "conclusion": "failure" if status == "completed" else None, "run_attempt": 1, "head_branch": "main", "head_sha": "6" * 40,
                "created_at": at(1), "run_started_at": at(1), "updated_at": at(0.5), "actor": None,
                "repository": {"id": 1, "full_name": "acme/shop"}, "head_repository": None, "html_url": f"https://github.com/acme/shop/actions/runs/{number}"}

    def job(self, number):
        at = self.state.at
        steps = [{"name": f"step {n}", "number": n, "status": "completed", "conclusion": "success", "started_at": at(0.9), "completed_at": at(0.8)}
                 for n in range(1, self.steps + 1)]
        return {"id": number, "run_id": RUN, "run_attempt": 1, "name": f"test ({number})", "status": "completed", "conclusion": "success",
                "created_at": at(1), "started_at": at(0.95), "completed_at": at(0.7), "runner_name": "r", "html_url": "https://github.com/j", "steps": steps}

    def answer(self, path, query):
        if path == "/actions/runs":
            is_queued = "status=queued" in query
            return {"total_count": int(is_queued), "workflow_runs": [self.run(4711, "queued")] if is_queued else []}
        if path == "/actions/runs/4711/attempts/1/jobs":
            jobs = [{"id": n, "run_id": 4711, "name": f"waits {n}", "status": "queued", "conclusion": None, "created_at": self.state.at(n / 6),
                     "started_at": None, "completed_at": None} for n in (1, 2)]
            return {"total_count": 2, "jobs": jobs}
        if path == f"/actions/runs/{RUN}":
            return self.run(RUN, "completed")
        if path == f"/actions/runs/{RUN}/attempts/1/jobs":
            page = next((int(part[5:]) for part in query.split("&") if part.startswith("page=")), 1)
            jobs = [self.job(number) for number in range(1, self.jobs + 1)]
            return {"total_count": self.jobs, "jobs": jobs if page == 1 else []}
        return {}
