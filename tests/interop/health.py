#!/usr/bin/env python3
"""Holds `pr-health` against lizard (complexity) and diff-cover (patch coverage) on real diffs.

Usage: health.py MAESTRO WORK DIFFS REPOSITORY…

Of each repository the last DIFFS commits of the first-parent line are taken that change code which lizard reads, each against its first parent. The
reports of coverage are made up, and the same for both: a line was executed when the digest of its words says so, and a second time when that of its number
does. Equal lines are executed alike in the first, because which of two equal lines is the new one no diff can tell, and git's and ours may choose
otherwise; the second shows what that choice comes to. Nothing is written to the repositories. Ends with 1 when the orders correlate by less than 0.9
(Spearman), or one patch coverage in twenty of the first kind differs.
"""

import hashlib
import json
import os
import re
import subprocess
import sys

import lizard

maestro, work, most, *repositories = sys.argv[1:]
quiet = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
for name in [name for name in quiet if name == "CI" or name.startswith("GITHUB_")]:
    del quiet[name]
CODE = re.compile(r"\.(c|cc|cpp|h|hpp|cs|java|js|jsx|ts|tsx|go|rs|py|rb|php|kt|swift|scala|lua)$")


def run(*args, check=True):
    done = subprocess.run(args, capture_output=True, env=quiet)
    if check and done.returncode:
        sys.exit(f"{args}: exit {done.returncode}: {done.stderr.decode(errors='replace')[:400]}")
    return done.stdout


def git(repository, *args, check=True):
    return run("git", "-C", repository, *args, check=check)


def decisions(path, text):
    """McCabe's number of every function, less the one that each has without any decision."""
    found = lizard.analyze_file.analyze_source_code(path, text)
    return sum(function.cyclomatic_complexity - 1 for function in found.function_list)


def changed(repository, base, head):
    names = git(repository, "diff", "--name-only", "--no-renames", "-z", base, head).decode(errors="replace").split("\0")
    return [name for name in names if CODE.search(name)]


def blob(repository, commit, path):
    return git(repository, "show", f"{commit}:{path}", check=False).decode("utf-8", "replace")


def executed(key):
    return hashlib.sha256(key.encode()).digest()[0] % 3


def report(paths, texts, file, by):
    """Every third line of these files is told of as missed, another third as executed."""
    with open(file, "w") as out:
        for path in paths:
            out.write(f"SF:{path}\n")
            for number, line in enumerate(texts[path].splitlines(), 1):
                kind = executed(line.strip() if by == "words" else f"{path}:{number}")
                if line.strip() and kind < 2:
                    out.write(f"DA:{number},{kind}\n")
            out.write("end_of_record\n")


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for place in order[at:end]:
            ranked[place] = (at + end - 1) / 2
        at = end
    return ranked


def spearman(one, other):
    one, other = ranks(one), ranks(other)
    mean = lambda values: sum(values) / len(values)
    a, b = mean(one), mean(other)
    cov = sum((x - a) * (y - b) for x, y in zip(one, other))
    return cov / (sum((x - a) ** 2 for x in one) * sum((y - b) ** 2 for y in other)) ** 0.5


def ours(document):
    factors = {factor["name"]: factor for factor in document["factors"]}
    why = factors["complexity"]["why"]
    more = re.search(r"(\d+) (more|fewer) decisions", why)
    delta = 0 if more is None else int(more[1]) * (1 if more[2] == "more" else -1)
    lines = re.search(r"(\d+) of (\d+) lines", factors["patch-coverage"]["why"])
    return delta, (int(lines[1]), int(lines[2])) if lines else (0, 0)


pairs, covered, lines = [], {"words": [], "number": []}, 0
for number, repository in enumerate(repositories):
    copy = os.path.join(work, f"copy{number}")
    run("git", "clone", "--quiet", "--shared", "--no-checkout", repository, copy)
    taken = 0
    for commit in git(copy, "rev-list", "--first-parent", "--max-count=400", "HEAD").decode().split():
        base = git(copy, "rev-parse", "--verify", "--quiet", f"{commit}^1", check=False).decode().strip()
        paths = changed(copy, base, commit) if base else []
        if not paths or len(paths) > 60:
            continue
        new = {path: blob(copy, commit, path) for path in paths}
        delta = sum(decisions(path, new[path]) - decisions(path, blob(copy, base, path)) for path in paths)
        git(copy, "update-ref", "--no-deref", "HEAD", commit)
        for by in ("words", "number"):
            info, out = os.path.join(work, "lcov.info"), os.path.join(work, "diff-cover.json")
            report([path for path in paths if new[path]], new, info, by)
            answer = run(maestro, "-C", copy, "pr-health", "--base", base, "--head", commit, "--no-fetch", "--coverage", info, "--format", "json")
            mine, patch = ours(json.loads(answer))
            there = subprocess.run(
                [os.path.join(os.path.dirname(sys.executable), "diff-cover"), info, "--compare-branch", base, "--ignore-staged", "--ignore-unstaged", "--json-report", out, "--quiet"],
                cwd=copy, env=quiet, capture_output=True,
            )
            if there.returncode:
                sys.exit(f"diff-cover: {there.stderr.decode()[:400]}")
            theirs = json.load(open(out))
            all_lines, missed = theirs["total_num_lines"], theirs["total_num_violations"]
            covered[by].append((patch, (all_lines - missed, all_lines)))
            if by == "words":
                lines += all_lines
                if patch != (all_lines - missed, all_lines):
                    print(f"  {repository} {commit[:9]}: patch coverage {patch} here, {(all_lines - missed, all_lines)} there")
        pairs.append((mine, delta))
        if abs(mine - delta) > max(5, abs(delta)):
            print(f"  {repository} {commit[:9]}: {mine} more decisions here, {delta} there")
        taken += 1
        if taken == int(most):
            break
    print(f"{repository}: {taken} diffs", flush=True)
agreement = spearman([one for one, _ in pairs], [other for _, other in pairs])
print(f"{len(pairs)} diffs: order of complexity, Spearman {agreement:.3f}; same number of decisions {sum(a == b for a, b in pairs)}")
for by, found in covered.items():
    same = sum(one == other for one, other in found)
    near = sum(abs(one[0] * other[1] - other[0] * one[1]) <= 0.01 * one[1] * other[1] for one, other in found)
    print(f"patch coverage, executed by {by}: {same} the same to the line, {near} within one point, of {len(found)} ({lines} lines)")
same = sum(one == other for one, other in covered["words"])
sys.exit(agreement < 0.9 or same < 0.95 * len(pairs))
