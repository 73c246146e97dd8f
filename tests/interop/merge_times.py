#!/usr/bin/env python3
"""Prints the merges of git repositories as rows, for the study of merge times.

A merge commit M of the main line, with parents P1 (the main line) and P2 (the branch), stands for a pull request: it "opens" at the first author date among
the commits P1..P2 and "merges" at M's committer date. This is a proxy: a pull request opens after its first commit, and squashes leave no merge commit.
Branches that are merges of other branches (releases, back-merges: P1..P2 has a commit older than a year, or more than 250 commits) are left out.

Usage: merge_times.py REPOSITORY... > rows.ndjson
"""

import datetime
import hashlib
import json
import re
import subprocess
import sys


def git(repository, *arguments):
    done = subprocess.run(["git", "-C", repository, *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def commits(repository):
    found = {}
    for line in git(repository, "log", "--format=%H%x00%P%x00%at%x00%ct%x00%an%x00%ae", "HEAD").splitlines():
        sha, parents, authored, committed, name, mail = line.split("\0")
        found[sha] = (parents.split(), int(authored), int(committed), "[bot]" in name + mail or name.endswith("bot"), mail)
    return found


def shorts(repository):
    """Lines and files of each merge against its first parent."""
    text = git(repository, "log", "--first-parent", "--merges", "-m", "--no-renames", "--shortstat", "--format=@%H", "HEAD")
    sizes = {}
    for block in text.split("@")[1:]:
        sha = block.split("\n", 1)[0]
        number = lambda word: int((re.search(rf"(\d+) {word}", block) or [0, 0])[1])
        sizes[sha] = (number("insertion"), number("deletion"), number("file"))
    return sizes


def rows(repository):
    known = commits(repository)
    order = git(repository, "rev-list", "--first-parent", "--merges", "--reverse", "HEAD").split()
    try:
        sizes = shorts(repository)
    except subprocess.CalledProcessError:
        # A snapshot without its largest files.
        print(f"left out, because git cannot compare its merges: {repository}", file=sys.stderr)
        return
    line = git(repository, "rev-list", "--first-parent", "--reverse", "HEAD").split()
    seen = set()  # Everything that the main line had before the merge at hand.
    for sha in line:
        parents = known[sha][0]
        branch = []
        if len(parents) > 1:
            stack = [parent for parent in parents[1:] if parent in known]
            while stack:
                one = stack.pop()
                if one in seen:
                    continue
                seen.add(one)
                branch.append(one)
                stack.extend(parent for parent in known[one][0] if parent in known)
        seen.add(sha)
        if len(parents) != 2 or not branch or len(branch) > 250:
            continue
        opened = min(known[one][1] for one in branch)
        merged = known[sha][2]
        if merged < opened or merged - opened > 366 * 86400 or sha not in sizes:
            continue
        author = known[min(branch, key=lambda one: known[one][1])][4]
        own = [one for one in branch if len(known[one][0]) < 2] or branch
        added, deleted, files = sizes[sha]
        stamp = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {
            "kind": "pull",
            "form": "merge",
            "repository": repository.rstrip("/").removesuffix("/repo").rsplit("/", 1)[-1].replace("+", "/"),
            "created": stamp(opened),
            "first_commit": stamp(opened),
            "merged": stamp(merged),
            "merge_sha": sha,
            "additions": added,
            "deletions": deleted,
            "files": files,
            "commits": len(own),
            "author_hash": hashlib.sha256(author.encode()).hexdigest()[:16],
            "author_kind": "bot" if all(known[one][3] for one in own) else "human",
        }


if __name__ == "__main__":
    for repository in sys.argv[1:]:
        for row in rows(repository):
            print(json.dumps(row))
