"""Makes a week's state with real commands, writes its page twice, and checks what can be checked without a browser.

pack.py MAESTRO FOLDER: leaves FOLDER/pages/{demo,empty,repositories}.{html,md,json}, and the pages that the last one leads to.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

maestro, folder = sys.argv[1], pathlib.Path(sys.argv[2])
pages = folder / "pages"
pages.mkdir()

# Without cargo the demo takes seconds: what runs tests is scripted below.
bare = folder / "bin"
bare.mkdir()
for program in ["git", "sh", "cat", "echo", "test"]:
    found = subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True, text=True).stdout.strip()
    if found.startswith("/"):
        (bare / program).symlink_to(found)
env = {
    "PATH": f"{bare}:/usr/bin:/bin" if not pathlib.Path("/usr/bin/cargo").exists() else str(bare),
    "HOME": str(folder),
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "TZ": "UTC",
}


def run(*args, cwd=folder, more=None, code=0):
    done = subprocess.run([maestro, *map(str, args)], cwd=cwd, env={**env, **(more or {})}, capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"maestro {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def git(*args, at, cwd):
    who = {f"GIT_{role}_{what}": value for role in ["AUTHOR", "COMMITTER"] for what, value in [("NAME", "Ada"), ("EMAIL", "ada@example.com"), ("DATE", at)]}
    subprocess.run(["git", *args], cwd=cwd, env={**env, **who}, check=True, capture_output=True)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


said = run("demo", "parcels")
repository = folder / "parcels" / "repository"
opened = re.search(r"Open the page: (.*)", said)
assert opened and (folder / "parcels" / opened[1]).is_file(), said
print("the demo ends with its page")

now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
hour = datetime.timedelta(hours=1)
monday = (now - datetime.timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
week = "{}-W{:02}".format(*now.isocalendar()[:2])

# Two months of runs: one test fails now and then, one broke lately.
lines = []
start = monday - 7 * 7 * 24 * hour
number = 0
at = start
while at < now:
    number += 1
    red = number % 11 == 3 or number % 29 == 5
    broken = at > now - 60 * hour
    for attempt in [1, 2] if red else [1]:
        for test, fails in [("retries_after_a_second", red and attempt == 1), ("sorts_parcels", broken), ("prices", False)]:
            status = "failed" if fails else "passed"
            line = {"run": 9_000_000 + number, "attempt": attempt, "commit": f"{number:040x}", "branch": "main", "job": "test",
                    "at": stamp(at), "suite": "desk", "test": test, "status": status, "duration_ms": 60_000}
            if fails:
                line["message"] = "timed out after 1000 ms <script>alert(1)</script> @everyone"
            lines.append(json.dumps(line))
    at += 5 * hour
(repository / "history.ndjson").write_text("\n".join(lines) + "\n")
run("flakes", "ingest", "history.ndjson", cwd=repository)

# Forty days of calls, one of them dear.
for back in range(40, -1, -1):
    at = now - back * 24 * hour - 60 * datetime.timedelta(seconds=1)
    for call in range(3):
        tokens = 200_000 + (back * 7 + call * 13) % 17 * 9_000
        if back == min(1, now.weekday()) and call == 2:
            tokens *= 40
        counts = {"inputTokens": tokens, "outputTokens": 0, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0, "webSearchRequests": 0, "costUSD": 1}
        result = {"type": "result", "session_id": f"s-{back}-{call}", "total_cost_usd": 1, "usage": {"input_tokens": 1, "output_tokens": 0},
                  "modelUsage": {"claude-sonnet-4-6": counts}}
        begin = {"type": "system", "subtype": "init", "session_id": f"s-{back}-{call}", "model": "claude-sonnet-4-6"}
        (repository / "execution.json").write_text(json.dumps([begin, result]))
        run("budget", "import", "--claude-execution", "execution.json", "--pr", 100 + back // 2 + call, "--at", stamp(at), cwd=repository)

# Merges and tags of two months; of every third change nothing that the tests look at.
(repository / ".maestro" / "maestro.yaml").write_text("""schema: maestro.config/v1
jobs:
  test: { paths: ["desk/**"], run: cargo test }
  pages: { paths: ["docs/**"], run: mkdocs build }
""")
(repository / "docs").mkdir(exist_ok=True)
git("add", ".maestro", at=stamp(start), cwd=repository)
git("commit", "--quiet", "-m", "Name the jobs", at=stamp(start), cwd=repository)
at = start
number = 0
while at < now - 12 * hour:
    number += 1
    branch = f"topic-{number}"
    git("switch", "--quiet", "-c", branch, at=stamp(at), cwd=repository)
    (repository / ("desk" if number % 3 else "docs") / f"part{number % 4}.txt").write_text(f"{number}\n")
    git("add", "desk", "docs", at=stamp(at), cwd=repository)
    git("commit", "--quiet", "-m", f"Change {number}", at=stamp(at), cwd=repository)
    merged = at + (6 + number % 5 * 2 - (3 if at > now - 8 * 24 * hour else 0)) * hour
    git("switch", "--quiet", "main", at=stamp(merged), cwd=repository)
    git("merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{number} from o/{branch}", branch, at=stamp(merged), cwd=repository)
    if number % 2:
        git("tag", "-a", f"v0.1.{number}", "-m", f"v0.1.{number}", at=stamp(merged + hour), cwd=repository)
    # A plan of each change, as a run of CI makes one.
    ci = {"GITHUB_RUN_ID": str(9_500_000 + number), "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "plan", "GITHUB_EVENT_NAME": "push"}
    run("--now", stamp(merged), "plan", "--base", "HEAD~1", "--enforce", "--format", "json", cwd=repository, more=ci)
    at += 17 * hour

# The week so far, twice: the same state and time make the same bytes.
read = lambda name: [(folder / name / f"{week}.{ending}").read_bytes() for ending in ["html", "md", "json"]]
for name in ["one", "two"]:
    run("--now", stamp(now), "learning-pack", "--week", week, "--out", folder / name, cwd=repository)
assert read("one") == read("two"), "two equal runs differ"
print("two equal runs write the same bytes")
pack = json.loads(read("one")[2])
for section in pack["sections"]:
    assert not section["is_unknown"], (section["id"], section["words"])
    assert section["figures"] or section["tables"], section["id"]
    if section["id"] != "kpi":
        assert section["charts"], section["id"]
assert len(pack["decisions"]) == 3 and pack["backlog"], pack["decisions"]
print(f"all {len(pack['sections'])} sections say something; {len(pack['backlog'])} proposals")
spikes = [table for section in pack["sections"] for table in section["tables"] if table["title"] == "Spikes"]
assert spikes and spikes[0]["rows"], "the dear day is no spike"

# Last week's page keeps its decisions, and this week's tells of them.
run("--now", stamp(now), "learning-pack", "--out", folder / "last", cwd=repository)
run("--now", stamp(now), "learning-pack", "--week", week, "--out", folder / "three", cwd=repository)
told = json.loads((folder / "three" / f"{week}.json").read_text())["last_week"]
assert told["decisions"], told
print(f"last week's decisions: {told['words']}")
for ending in ["html", "md", "json"]:
    (pages / f"demo.{ending}").write_bytes((folder / "three" / f"{week}.{ending}").read_bytes())

# Every command that the page names as evidence runs.
commands = sorted({command for section in pack["sections"] for command in section["commands"]})
runs = json.loads((pages / "demo.json").read_text())["sections"]
for command in commands:
    words = command.split()[1:]
    if "RUN" in words:
        continue
    done = subprocess.run([maestro, *words], cwd=repository, env=env, capture_output=True, text=True)
    assert done.returncode in [0, 10], (command, done.returncode, done.stderr)
print(f"{len(commands)} commands of the evidence run")

empty = folder / "empty"
empty.mkdir()
git("init", "--quiet", "--initial-branch=main", ".", at=stamp(now), cwd=empty)
run("--now", stamp(now), "learning-pack", "--out", folder / "nothing", cwd=empty)
for path in (folder / "nothing").iterdir():
    (pages / f"empty{path.suffix}").write_bytes(path.read_bytes())

# Both, a clone of the first and one that is missing, on one page; the same bytes twice, and the pages of each beside it.
git("clone", "--quiet", str(repository), "mirror", at=stamp(now), cwd=folder)
(folder / "all.txt").write_text("acme/parcels parcels/repository\nempty\nacme/mirror mirror\nnowhere\n")
for name in ["many", "again"]:
    run("--now", stamp(now), "learning-pack", "--repos", "all.txt", "--week", week, "--out", folder / name, code=66)
same = {path.name: path.read_bytes() for path in (folder / "many").iterdir()}
assert same == {path.name: path.read_bytes() for path in (folder / "again").iterdir()}, "two equal runs differ"
for name, text in same.items():
    (pages / name.replace(f"repositories-{week}", "repositories")).write_bytes(text)
all_of_them = json.loads((pages / "repositories.json").read_text())
rows = {row["name"]: row for row in all_of_them["repositories"]}
assert [row["status"] for row in rows.values()] == ["read", "empty", "read", "missing"], rows
own = json.loads((pages / "demo.json").read_text())
assert all_of_them["decisions"][0]["proposal"]["id"] == max(own["backlog"], key=lambda one: one["weight"])["id"]
assert all_of_them["last_week"]["asked"] == len(own["last_week"]["decisions"])
pooled = json.loads(run("--now", stamp(now), "dora", "--repos", "all.txt", "--since", all_of_them["from"], "--until", all_of_them["until"], "--format", "json", code=66))
merge = next(metric for metric in pooled["metrics"] if metric["id"] == "lead-time-merge")["duration"]
figure = next(figure for figure in all_of_them["delivery"]["figures"] if figure["name"] == "lead time to merge, median")
assert figure["n"] == merge["n"] > 0 and figure["value"] == merge["median"], (figure, merge)
print(f"{len(rows)} repositories on one page, pooled as `dora --repos` does: {merge['n']} lead times")
for page in pages.glob("*.html"):
    size = page.stat().st_size
    assert size < 300_000, (page, size)
    print(f"{page.name}: {size:,} bytes")
