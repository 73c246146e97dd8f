#!/usr/bin/env python3
"""Real test runners leave out exactly what is in quarantine: 300 tests each, with names that are hard to tell apart or to write.

A project runs once as it is. Half of the tests, by the names that maestro's own report gives them, go into quarantine; it runs again
with what maestro tells the runner. What ran then, by maestro's report again, must be everything but the quarantined half.

usage: quarantine_skip.py MAESTRO WORK NODE_PACKAGES [PROJECT...]
"""

import json
import pathlib
import sys

from runners import run, write
from skip_projects import PROJECTS

MAESTRO, WORK, PACKAGES = (pathlib.Path(word).resolve() for word in sys.argv[1:4])


def report(folder, reports, state):
    """How often each test ran, by suite and name as maestro's report has them."""
    state = WORK / f"{folder.name}-{state}"
    run([MAESTRO, "--dir", state, "flakes", "ingest", *reports], folder)
    tests = json.loads(run([MAESTRO, "--dir", state, "flakes", "report", "--all", "--format", "json"], folder).stdout)["tests"]
    return {(test["suite"], test["test"]): test["runs"] for test in tests}


def quarantine(folder, tests):
    """Commits a quarantine of these tests."""
    entries = [{"suite": suite, "test": test, "mode": "skip", "reason": "r", "since": "2026-01-01", "review_by": "2999-01-01"} for suite, test in tests]
    write(folder, ".maestro/quarantine.json", json.dumps({"schema": "maestro.quarantine/v1", "tests": entries}))
    write(folder, ".maestro/maestro.yaml", "schema: maestro.config/v1\nenforce: [flakes]\n")
    for args in [["init", "--quiet"], ["add", ".maestro"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "x"]]:
        run(["git", *args], folder)


def told(folder, runner):
    """What maestro says that the runner has to be told: arguments and variables."""
    out = "out put"
    said = json.loads(run([MAESTRO, "flakes", "quarantine", "skip", "--runner", runner, "--base", "HEAD", "--out", out, "--format", "json"], folder).stdout)
    return said["args"], {said["variable"]: out} if said.get("variable") else {}


def marks(folder):
    """How many tests say by themselves that they ran, since they were asked last."""
    file = folder / "ran"
    if not file.exists():
        return None
    count = len(file.read_text())
    file.unlink()
    return count


def judge(kind):
    name = kind.__name__
    folder = WORK / name
    project = kind(folder, PACKAGES)
    everything = report(folder, project([], {}), "before")
    first = marks(folder)
    could_run = sorted(key for key, runs in everything.items() if runs)
    chosen = project.choose(could_run, len(could_run) // 2)
    quarantine(folder, chosen)
    second = report(folder, project(*told(folder, project.runner)), "after")
    ran = {key: runs for key, runs in second.items() if runs}
    expected = {key: everything[key] for key in could_run if key not in set(chosen)}
    if ran != expected:
        missing, more = sorted(set(expected) - set(ran)), sorted(set(ran) - set(expected))
        sys.exit(f"{name}: {len(missing)} left out and should not {missing[:5]}, {len(more)} ran and should not {more[:5]}")
    again = marks(folder)
    if first is not None and (first != sum(everything.values()) or again != sum(ran.values())):
        sys.exit(f"{name}: {first} and {again} tests ran, and {sum(everything.values())} and {sum(ran.values())} are reported")
    if len(everything) < 300 or len(chosen) < 100:
        sys.exit(f"{name}: {len(everything)} tests are too few")
    print(f"{name}: {len(chosen)} of {len(could_run)} left out, and no others", flush=True)


for project in PROJECTS:
    if not sys.argv[4:] or project.__name__ in sys.argv[4:]:
        judge(project)
