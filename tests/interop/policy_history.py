#!/usr/bin/env python3
"""Judges the last merged commits of repositories by the built-in policy, and says how many it would stop.

Usage: policy_history.py MAESTRO POLICY MOST REPOSITORY…

Of each repository the last MOST commits of the first-parent line of HEAD are taken, each against its first parent: what people merged, as ordinary
as it comes. Nothing is written anywhere. Ends with 1 when more than 0.5 % are stopped.
"""

import json
import os
import subprocess
import sys

maestro, policy, most, *repositories = sys.argv[1:]
quiet = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
# What started this script is no part of what is judged.
for name in [name for name in quiet if name == "CI" or name.startswith("GITHUB_")]:
    del quiet[name]


def run(*args):
    done = subprocess.run(args, capture_output=True, env=quiet)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


totals = {"passed": 0, "warned": 0, "review": 0, "blocked": 0, "unread": 0}
named = {}
for repository in repositories:
    _, log, _ = run("git", "-C", repository, "log", "--first-parent", "--min-parents=1", f"--max-count={most}", "--format=%H")
    mine = dict.fromkeys(totals, 0)
    for commit in log.split():
        code, out, err = run(maestro, "-C", repository, "check-policy", "--policy", policy, "--base", f"{commit}^1", "--head", commit, "--no-fetch", "--format", "json")
        if code not in (0, 10):
            mine["unread"] += 1
            print(f"  {repository} {commit[:9]}: exit {code}: {err.strip()[:200]}")
            continue
        document = json.loads(out)
        mine[document["outcome"]] += 1
        for violation in document["violations"]:
            named[violation["entry"]] = named.get(violation["entry"], 0) + 1
            if violation["severity"] != "warn":
                print(f"  {repository} {commit[:9]}: {violation['severity']} {violation['entry']}: {violation['observed']}")
    for outcome, count in mine.items():
        totals[outcome] += count
    print(repository, mine, flush=True)
judged = sum(totals.values()) - totals["unread"]
stopped = totals["review"] + totals["blocked"]
print(f"{judged} commits of {len(repositories)} repositories: {totals}; {named}")
print(f"stopped: {stopped} ({100 * stopped / max(judged, 1):.2f} %)")
sys.exit(stopped * 200 > judged or judged == 0)
