#!/usr/bin/env python3
"""Holds `maestro audit` against a second reading.

Usage: audit.py MAESTRO POLICY WORK HISTORIES COMMITS

1. A GitHub of our own with 500 runs, whose every job is known here: requests are counted, the whole truth is worked out, and so is how often the
   interval of the estimate holds it, over twenty such repositories' months.
2. Clones below HISTORIES (none when empty): which commits are changes, which are of agents, how many tags there are, by git and this script alone;
   and what `plan` and `check-policy` say of the newest COMMITS of each, one command a commit, against what the audit says of all of them at once.

Ends with 1 where anything differs.
"""

import datetime
import http.server
import json
import math
import os
import random
import re
import subprocess
import sys
import threading
import time
import urllib.parse

maestro, policy, work, histories, most = sys.argv[1:]
most, work = int(most), os.path.abspath(work)
clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MAESTRO_", "GIT_")) and name not in ("CI", "GH_TOKEN")}
clean.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
failed = []


def check(what, ours, theirs):
    if ours != theirs:
        failed.append(what)
        print(f"  DIFFERS {what}: second reading {ours!r}, audit {theirs!r}")


def run(*args, env=None, cwd=None):
    done = subprocess.run(args, capture_output=True, env={**clean, **(env or {})}, cwd=cwd)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def git(folder, *args, env=None):
    code, out, err = run("git", "-C", folder, *args, env=env)
    assert code == 0, (args, err)
    return out


def document(*args, env=None):
    code, out, err = run(maestro, *args, "--format", "json", env=env)
    assert code in (0, 10), (args, code, err)
    return json.loads(out)


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- 1: a GitHub whose every job is known ---


class Known(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked += 1
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        rest = parts.path.removeprefix("/repos/o/n")
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        jobs = re.fullmatch(r"/actions/runs/(\d+)/jobs", rest)
        if rest == "/actions/runs":
            items, field = server.runs, "workflow_runs"
        elif jobs:
            items, field = server.jobs[int(jobs[1])], "jobs"
        else:
            items, field = [], None
        part = items[(page - 1) * size : page * size]
        body = json.dumps(part if field is None else {"total_count": len(items), field: part}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if page * size < len(items):
            self.send_header("link", f'<http://x{parts.path}?per_page={size}&page={page + 1}>; rel="next"')
        self.end_headers()
        self.wfile.write(body)


def month(seed, commits, now):
    """Runs and jobs of a month, and the truth about them: commits are pairs of an id and the job that its plan skips."""
    dice = random.Random(seed)
    runs, jobs, spent, skipped, lengths, waits = [], {}, 0.0, 0.0, {}, []
    for number in range(1, 501):
        sha, skips = dice.choice(commits)
        begun = now - dice.randrange(3600, 20 * 86400)
        attempt = 2 if dice.random() < 0.06 else 1
        red = attempt == 1 and dice.random() < 0.1
        jobs[number], end = [], begun
        for turn in range(1, attempt + 1):
            start = begun if turn == 1 else end + dice.randrange(60, 7200)
            for name in ("go-a", "go-b (1.25)", "lint"):
                took = max(1, int(dice.gauss(420 if name != "lint" else 60, 120)))
                bad = name == "go-a" and (turn < attempt or red)
                job = {
                    "id": len(jobs) * 10 + turn, "run_id": number, "run_attempt": turn, "name": name, "status": "completed",
                    "conclusion": "failure" if bad else "success", "created_at": stamp(start), "started_at": stamp(start + 5),
                    "completed_at": stamp(start + 5 + took), "labels": [], "runner_name": None, "steps": [], "html_url": None,
                }
                jobs[number].append(job)
                spent += took / 60
                skipped += took / 60 if name.split(" ")[0] == skips else 0
                end = max(end, start + 5 + took)
                if bad and turn < attempt:
                    failure = start + 5 + took
            last = start
        if attempt > 1:
            waits.append((end - failure) / 60)
        ours = {"id": 1, "full_name": "o/n"}
        runs.append({
            "id": number, "name": "CI", "workflow_id": 1, "path": ".github/workflows/ci.yml", "event": "push", "status": "completed",
            "conclusion": "failure" if red else "success", "run_attempt": attempt, "head_branch": "main", "head_sha": sha,
            "created_at": stamp(begun), "run_started_at": stamp(last), "updated_at": stamp(end), "actor": None, "repository": ours,
            "head_repository": ours, "html_url": "https://github.com/o/n",
        })
        lengths[sha] = max(lengths.get(sha, 0), end - last)
    # Of the same commit a failed run and a later one that passed.
    anew = 0
    for sha in {run["head_sha"] for run in runs}:
        same = sorted((run for run in runs if run["head_sha"] == sha), key=lambda run: (run["created_at"], run["id"]))
        reds = [place for place, run in enumerate(same) if run["conclusion"] == "failure"]
        anew += bool(reds) and any(run["conclusion"] == "success" for run in same[reds[0] :])
    runs.sort(key=lambda run: (run["created_at"], run["id"]), reverse=True)
    truth = {"spent": spent, "skipped": skipped, "again": len(waits), "waits": sum(waits), "anew": anew, "lengths": sorted(lengths.values())}
    return runs, jobs, truth


def quantile(values, share):
    """Type 7 of Hyndman and Fan."""
    place = (len(values) - 1) * share
    low = math.floor(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def forge():
    folder = os.path.join(work, "shop")
    os.makedirs(folder)
    now = 1_780_000_000
    run("git", "init", "-q", "-b", "main", folder)

    def commit(files, at):
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w") as file:
                file.write(text)
        git(folder, "add", "--all")
        when = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
        git(folder, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "change", env=when)
        return git(folder, "rev-parse", "HEAD").strip()

    commit({"a/go.mod": "module x.example/a\n", "b/go.mod": "module x.example/b\n"}, now - 40 * 86400)
    commits = []
    for number in range(40):
        own, other = ("a", "b") if number % 3 else ("b", "a")
        commits.append((commit({f"{own}/x.go": f"package x // {number}\n"}, now - 25 * 86400 + number * 3600), f"go-{other}"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Known)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "o/n", "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}"}
    held, widths, requests, seconds = 0, [], [], []
    seeds = range(20)
    for seed in seeds:
        server.runs, server.jobs, truth = month(seed, commits, now)
        server.asked = 0
        begun = time.monotonic()
        found = document("-C", folder, "audit", "--now", stamp(now), env=env)
        seconds.append(time.monotonic() - begun)
        requests.append(server.asked)
        check(f"requests of seed {seed} within 300", True, server.asked <= 300)
        check(f"requests that are said, seed {seed}", server.asked, found["calls"]["sent"])
        skipped = found["minutes"]["skipped"]
        low, high = skipped["interval"]
        held += low <= truth["skipped"] <= high
        widths.append((high - low) / 2 / skipped["value"])
    check("the interval holds the truth in 17 of 20 months or more", True, held >= 17)
    # With requests enough everything is counted.
    whole = document("-C", folder, "audit", "--now", stamp(now), "--calls", "2000", env=env)
    server.shutdown()
    minutes, reruns, ci = whole["minutes"], whole["reruns"], whole["ci"]
    check("minutes of all runs", round(truth["spent"], 2), round(minutes["spent"]["value"], 2))
    check("minutes that plans skip", round(truth["skipped"], 2), round(minutes["skipped"]["value"], 2))
    check("an interval of what was counted", None, minutes["skipped"]["interval"])
    check("runs that failed and passed", truth["again"], reruns["failed_before"])
    check("runs started anew", truth["anew"], reruns["started_anew"])
    check("the 95th percentile of CI", round(quantile(truth["lengths"], 0.95), 2), round(ci["commits"]["p95"], 2))
    check("the median of CI", round(quantile(truth["lengths"], 0.5), 2), round(ci["commits"]["median"], 2))
    escapes = sum(
        job["conclusion"] == "failure" and dict(commits)[run["head_sha"]] == "go-a" and job["name"] == "go-a"
        for run in server.runs for job in server.jobs[run["id"]]
    )
    check("failures that plans would have missed", escapes, whole["escapes"]["known"])
    print(
        f"500 runs: {min(requests)}-{max(requests)} requests, {max(seconds):.1f} s at most; the interval (half of it {100 * sum(widths) / len(widths):.1f} % of"
        f" the estimate) held the truth in {held} of {len(seeds)} months; of all runs {minutes['spent']['value']:.0f} min, {minutes['skipped']['value']:.0f} skipped,"
        f" {reruns['failed_before']} passed when tried again, {escapes} failures missed, CI p95 {ci['commits']['p95']:.0f} s: as worked out here"
    )


# --- 2: real histories ---

AGENTS = {
    "chatgpt-codex-connector[bot]", "claude[bot]", "copilot", "copilot-swe-agent[bot]", "cursor[bot]", "cursoragent",
    "devin-ai-integration[bot]", "google-labs-jules[bot]", "maestro", "openhands-agent",
}
TRAILERS = re.compile(r"^\s*(co-authored-by: (claude|copilot|cursor|codex|devin)|maestro-run: )", re.I | re.M)


def author(folder, commits):
    kind = "human"
    for commit in commits:
        name, _, message = git(folder, "show", "-s", "--format=%an%x00%B", commit).partition("\0")
        last = message.strip().split("\n\n")[-1]
        if name.lower() in AGENTS or TRAILERS.search(last):
            return "agent"
        if name.endswith("[bot]"):
            kind = "bot"
    return kind


def history(name, source):
    folder = os.path.join(work, name)
    run("git", "clone", "-q", "--shared", "--no-checkout", source, folder)
    now = int(git(folder, "show", "-s", "--format=%ct", "HEAD"))
    since = now - 30 * 86400
    begun = time.monotonic()
    found = document("-C", folder, "audit", "--offline", "--now", stamp(now))
    took = time.monotonic() - begun
    check(f"{name}: two minutes", True, took < 120)
    check(f"{name}: nothing is written", False, os.path.exists(os.path.join(folder, ".git", "maestro")))
    log = [line.split() for line in git(folder, "log", "--first-parent", "--format=%ct %H %P", "HEAD").splitlines()]
    mine = [(line[1], line[2:]) for line in log if since <= int(line[0]) <= now and len(line) > 2]
    rows = found["plan"]["list"]
    check(f"{name}: changes", [commit for commit, _ in mine], [row["commit"] for row in rows])
    kinds = [author(folder, [commit, *(git(folder, "rev-list", parents[1], f"^{parents[0]}").split() if len(parents) > 1 else [])]) for commit, parents in mine]
    check(f"{name}: agents", [mine[place][0] for place, kind in enumerate(kinds) if kind == "agent"], [row["commit"] for row in rows if row["author"] == "agent"])
    tags = git(folder, "for-each-ref", "refs/tags", "--format=%(creatordate:unix)").split()
    check(f"{name}: tags", sum(since <= int(at) < now for at in tags), found["delivery"]["releases"])
    check(f"{name}: sums", [sum(len(row["skipped"]) for row in rows), sum(len(row["skipped"] + row["selected"]) for row in rows)], [found["plan"]["skipped"], found["plan"]["job_runs"]])
    config = os.path.join(work, f"{name}.config")
    os.makedirs(config)
    init = document("-C", folder, "init", "--dry-run")
    with open(os.path.join(config, "maestro.yaml"), "w") as file:
        file.write(next(one["text"] for one in init["files"] if one["path"].endswith("maestro.yaml")))
    for row in rows[:most]:
        commit = row["commit"]
        planned = document("-C", folder, "--dir", config, "plan", "--base", f"{commit}^1", "--head", commit, "--enforce", "--no-fetch")
        ours = [job["id"] for job in planned["jobs"] if not job["selected"]]
        check(f"{name} {commit[:9]}: what is skipped", ours, row["skipped"])
        if row["author"] != "agent":
            judged = document("-C", folder, "check-policy", "--policy", policy, "--base", f"{commit}^1", "--head", commit, "--no-fetch", "--dry-run")
            check(f"{name} {commit[:9]}: what the policy says", judged["outcome"], row["policy"])
    plan, authors = found["plan"], found["authors"]
    print(
        f"{name}: {plan['changes']} changes, {plan['skipped']} of {plan['job_runs']} job runs skipped, everything runs for {plan['everything']}; policy blocks"
        f" {found['policy']['blocked']}, review {found['policy']['review']}; agents {authors['agent']}, bots {authors['bot']}; {found['delivery']['releases']} tags;"
        f" {took:.1f} s; {min(most, len(rows))} planned and judged one by one",
        flush=True,
    )


forge()
if histories:
    for name in sorted(os.listdir(histories)):
        bare = os.path.join(histories, name, "repo")
        source = bare if os.path.isdir(bare) else os.path.join(histories, name)
        if not name.startswith(".") and os.path.isdir(source):
            history(name.split("+")[-1], source)
else:
    print("MAESTRO_HISTORIES names no folder with clones: real histories are not looked at")
print(f"{len(failed)} differences")
sys.exit(bool(failed))
