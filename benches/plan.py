"""How long a plan takes beside the git commands that it needs: plan.py BINARY COMMITS REPOSITORY...

Each of the last first-parent commits is planned twice, by processes that take turns: `cold` without anything kept from before, and `warm` with what
earlier plans kept. `git` is what any planner must ask: which commit, the merge base, the files of the head, what differs, and the manifests
at both commits (each blob once), the commands of a pair running at the same time where they can.
"""
import json, os, pathlib, resource, shutil, statistics, subprocess, sys, tempfile, time  # noqa: E401

NAMES = ("Cargo.toml", "package.json", "pyproject.toml", "pnpm-workspace.yaml", "go.mod", "go.work", "Dockerfile")


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, **more).stdout


def timed(work):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    work()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall * 1000, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def bare_git(git, base, head, blobs):
    run([*git, "rev-parse", "--is-bare-repository", "--git-common-dir"])
    run([*git, "merge-base", "--all", base, head])
    listing = subprocess.Popen([*git, "ls-tree", "-r", "-z", "--full-tree", head], stdout=subprocess.PIPE)
    diff = subprocess.Popen([*git, "diff-tree", "-r", "-z", "--raw", "--no-renames", base, head], stdout=subprocess.PIPE)
    listing.communicate()
    diff.communicate()
    run([*git, "cat-file", "--batch"], input=blobs)


def manifests(git, commits):
    found = {}
    for commit in commits:
        for line in run([*git, "ls-tree", "-r", "-z", "--full-tree", commit]).split(b"\0"):
            head, _, path = line.partition(b"\t")
            if path.decode("utf-8", "replace").rsplit("/", 1)[-1] in NAMES:
                found[head.split()[2]] = None
    return b"".join(blob + b"\n" for blob in found)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main():
    binary, commits, *repositories = sys.argv[1:]
    print("| repository | projects | what | median ms | p95 ms | CPU ms | ratio to git |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for repository in repositories:
        with tempfile.TemporaryDirectory() as folder:
            clone = os.path.join(folder, "clone.git")
            run(["git", "clone", "--quiet", "--shared", "--bare", repository, clone])
            git = ["git", "-C", clone]
            chain = run([*git, "rev-list", "--first-parent", f"--max-count={int(commits) + 1}", "HEAD"]).decode().split()
            plan = lambda base, head: [binary, "-C", clone, "plan", "--base", base, "--head", head, "--format", "json"]  # noqa: E731
            projects = len(json.loads(run(plan(chain[1], chain[0])))["projects"])
            cache = pathlib.Path(clone, "maestro", "cache")
            rows = {"git": [], "warm": [], "cold": []}
            for head, base in zip(chain, chain[1:]):
                blobs = manifests(git, (base, head))
                rows["git"].append(timed(lambda: bare_git(git, base, head, blobs)))
                rows["warm"].append(timed(lambda: run(plan(base, head))))
                kept = os.path.join(folder, "kept")
                shutil.move(cache, kept)
                rows["cold"].append(timed(lambda: run(plan(base, head))))
                shutil.rmtree(cache)
                shutil.move(kept, cache)
            for what, times in rows.items():
                walls = [wall for wall, _ in times]
                ratio = statistics.median(wall / bare for wall, (bare, _) in zip(walls, rows["git"]))
                cpu = statistics.median(cpu for _, cpu in times)
                name = os.path.basename(os.path.dirname(os.path.abspath(repository)))
                print(f"| {name} | {projects} | {what} | {statistics.median(walls):.0f} | {percentile(walls, 0.95):.0f} | {cpu:.0f} | {ratio:.2f} |")


main()
