#!/usr/bin/env python3
"""Puts merged pull requests of public repositories before the gate, under what `maestro init` writes, and counts what it would stop.

Usage: merged.py MAESTRO MIRRORS VERDICTS COUNT WORK [OWNER/NAME…]

A pull request is a commit of the first-parent line of the last two years (before the newest commit) that says so: a merge "Merge pull request #N from
OWNER/BRANCH", or a squash with "(#N)" at the end of its subject. Of each repository COUNT are taken, at even distances from the oldest to the newest.
For each, `maestro init` runs in the files of its first parent; what it writes is committed on top of that parent with `enforce: [plan, flakes, policy]`, and the pull
request's own tree on top of that. `maestro plan` says what has to run, all of it succeeded (`needs`), and `maestro gate` judges, as in the job of the
workflow: in GitHub Actions, without a token, so that nobody approved anything. Once with everything enforced, and once as `init` wrote it, where nothing may block.

Who asks is guessed from the commit: the account of its noreply address, and the fork in the merge's subject; a squash names none and counts as a fork's, which
is held to more. `budget` is not enforced: no agent spent anything, and without a shared state the gate says so instead of passing.

What is stopped stands with a verdict in VERDICTS: `just`, `false`, or nothing yet. Waiting for a person's approval (severity `review`) is told apart: GitHub's approvals
are not in git. Ends with 1 when more than 0.5 % are stopped falsely, when something has no verdict, or when fewer than 70 % are left without a comment.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

maestro, mirrors, verdicts_path, count, work, *only = sys.argv[1:]
count = int(count)
VERDICTS = json.load(open(verdicts_path))
KNOWN = {(row["repository"], row["commit"], row["rule"], row["about"]): row for row in VERDICTS["stopped"]}
POLICY = pathlib.Path(os.environ["MERGED_POLICY"]).read_text() if os.environ.get("MERGED_POLICY") else None
PLAIN = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith(("GITHUB_", "GIT_", "MAESTRO_"))}
PLAIN |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*", "GIT_CONFIG_GLOBAL": "/dev/null"}
for who in ("AUTHOR", "COMMITTER"):
    PLAIN |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "a@example.com", f"GIT_{who}_DATE": "2026-01-01T00:00:00Z"}


class Failed(Exception):
    pass


def run(args, cwd, env=(), codes=(0,)):
    done = subprocess.run(args, capture_output=True, cwd=cwd, env={**PLAIN, **dict(env)})
    if done.returncode not in codes:
        raise Failed(f"{' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()[:400]}")
    return done.returncode, done.stdout.decode(errors="replace")


def git(folder, *args, env=()):
    return run(["git", *args], folder, env)[1]


def sample(folder):
    """Returns merged pull requests at even distances, and how many there are."""
    newest = int(git(folder, "log", "-1", "--format=%ct", "HEAD"))
    log = git(folder, "log", "--first-parent", "--min-parents=1", f"--since=@{newest - 2 * 365 * 86400}", "--reverse", "--format=%H%x00%P%x00%an%x00%ae%x00%s", "HEAD")
    found = []
    for line in log.splitlines():
        commit, parents, name, mail, subject = line.split("\0")
        parents = parents.split()
        merge = re.match(r"Merge pull request #(\d+) from ([^/]+)/(\S+)", subject)
        squash = re.search(r"\(#(\d+)\)$", subject) if len(parents) == 1 else None
        if merge and len(parents) == 2:
            found.append({"commit": commit, "parents": parents, "number": int(merge[1]), "owner": merge[2], "branch": merge[3], "title": subject})
        elif squash:
            found.append({"commit": commit, "parents": parents, "number": int(squash[1]), "owner": None, "branch": "topic", "title": subject, "mail": mail, "name": name})
    if len(found) <= count:
        return found, len(found)
    return [found[number * (len(found) - 1) // (count - 1)] for number in range(count)], len(found)


def login(name, mail):
    noreply = re.match(r"(?:\d+\+)?([^@]+)@users\.noreply\.github\.com$", mail)
    if noreply:
        return noreply[1]
    return name if name.endswith("[bot]") else "somebody"


def event(folder, repository, pull, base, head):
    if len(pull["parents"]) == 2:
        name, mail, title = git(folder, "log", "-1", "--format=%an%x00%ae%x00%s", pull["parents"][1]).rstrip("\n").split("\0")
    else:
        name, mail, title = pull["name"], pull["mail"], pull["title"]
    author = login(name, mail)
    is_bot = author.endswith("[bot]")
    is_fork = not is_bot and pull["owner"] != repository.split("/")[0]
    side = lambda sha, branch, number: {"ref": branch, "sha": sha, "repo": {"id": number, "full_name": repository}}
    return {
        "action": "synchronize",
        "number": pull["number"],
        "repository": {"id": 1, "full_name": repository, "default_branch": "main"},
        "pull_request": {
            "number": pull["number"],
            "title": title,
            "user": {"login": author, "id": 7, "type": "Bot" if is_bot else "User"},
            "author_association": "CONTRIBUTOR",
            "head": side(head, pull["branch"], 2 if is_fork else 1),
            "base": side(base, "main", 1),
        },
    }


def commit_with(folder, tree, extra, parent, message):
    """Commits a tree with files put over it."""
    index = {"GIT_INDEX_FILE": str(folder / ".git" / "judged-index")}
    git(folder, "read-tree", f"{tree}^{{tree}}", env=index)
    for path, blob in extra.items():
        git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
    made = git(folder, "write-tree", env=index).strip()
    return git(folder, "commit-tree", made, "-p", parent, "-m", message).strip()


def written(folder):
    """Returns what `init` wrote, by path."""
    paths = [*folder.glob(".maestro/*"), *folder.glob(".github/workflows/maestro*.yml")]
    return {str(path.relative_to(folder)): path for path in paths}


def judge(folder, repository, pull):
    """Returns the gate's documents: everything enforced, and as `init` wrote it."""
    parent = pull["parents"][0]
    git(folder, "update-ref", "--no-deref", "HEAD", parent)
    for path in written(folder).values():
        path.unlink()
    run([maestro, "init", "--format", "json"], folder)
    config = folder / ".maestro" / "maestro.yaml"
    if POLICY:
        (folder / ".maestro" / "policy.yaml").write_text(POLICY)
    text = config.read_text()
    answers = []
    for enforce in ("enforce: [plan, flakes, policy]", "enforce: []"):
        config.write_text(text.replace("enforce: []", enforce, 1))
        blobs = {path: git(folder, "hash-object", "-w", file).strip() for path, file in written(folder).items()}
        base = commit_with(folder, parent, blobs, parent, "Let maestro look on")
        head = commit_with(folder, pull["commit"], blobs, base, "Change")
        git(folder, "update-ref", "--no-deref", "HEAD", head)
        answers.append(gate(folder, repository, pull, base, head))
    return answers


def told(text):
    """Reads what a step told: `NAME=VALUE`, or NAME<<END, lines, END."""
    said, lines = {}, iter(text.splitlines())
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            said[name] = "\n".join(iter(lambda: next(lines), end))
        else:
            name, _, said[name] = line.partition("=")
    return {name: value for name, value in said.items() if name in ("matrix", "has_jobs", "trusted")}


def gate(folder, repository, pull, base, head):
    event_path, outputs, summary, needs = (folder / ".git" / name for name in ("event.json", "outputs", "summary", "needs.json"))
    event_path.write_text(json.dumps(event(folder, repository, pull, base, head)))
    for path in (outputs, summary):
        path.write_text("")
    env = {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event_path), "GITHUB_REPOSITORY": repository,
        "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "gate", "GITHUB_SHA": head, "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary),
    }
    run([maestro, "plan", "--base", base, "--no-fetch", "--format", "json"], folder, env)
    said = told(outputs.read_text())
    ran = "success" if said.get("has_jobs") == "true" else "skipped"
    needs.write_text(json.dumps({"plan": {"result": "success", "outputs": said}, "test": {"result": ran, "outputs": {}}}))
    code, out = run([maestro, "gate", "--needs", needs, "--base", base, "--no-fetch", "--format", "json"], folder, env, (0, 10, 11, 12, 14))
    document = json.loads(out)
    document["exit"] = code
    # A review blocks as well, and is told by the policy alone.
    _, policy = run([maestro, "check-policy", "--base", base, "--no-fetch", "--format", "json", "--dry-run"], folder, env)
    document["severities"] = {}
    order = {"warn": 0, "review": 1, "block": 2}
    for row in json.loads(policy)["violations"]:
        worst = document["severities"].get(row["entry"], "warn")
        document["severities"][row["entry"]] = max(worst, row["severity"], key=order.get)
    return document


def look(repository):
    """Judges the sample of a repository."""
    source = pathlib.Path(mirrors) / repository.replace("/", "+")
    source = source / "repo" if (source / "repo").is_dir() else source
    folder = pathlib.Path(work) / repository.replace("/", "+")
    run(["git", "clone", "--quiet", "--shared", "--no-checkout", source, folder], work)
    chosen, all_of_them = sample(folder)
    rows = []
    for pull in chosen:
        row = {"repository": repository, "commit": pull["commit"], "stopped": [], "review": [], "error": None}
        try:
            enforced, shadow = judge(folder, repository, pull)
        except (Failed, ValueError, KeyError) as error:
            row["error"] = str(error)
        else:
            row["shadow_exit"], row["comment"] = shadow["exit"], enforced["outcome"] == "blocked"
            row["jobs"] = (enforced["jobs_planned"], enforced["jobs"])
            for problem in enforced["problems"]:
                severity = enforced["severities"].get(problem["rule"], "block") if problem["capability"] == "policy" else "block"
                kind = "review" if severity == "review" else "stopped"
                row[kind].append((problem["rule"], problem["about"], problem["message"]))
        rows.append(row)
    return repository, all_of_them, rows


def main():
    names = only or sorted(row for rows in VERDICTS["repositories"].values() for row in rows)
    halves = {name: half for half, names in VERDICTS["repositories"].items() for name in names}
    sums = {}
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("MERGED_WORKERS", "2"))) as pool:
        for repository, all_of_them, rows in pool.map(look, names):
            for half in ("all", halves.get(repository, "others")):
                total = sums.setdefault(half, dict.fromkeys(("judged", "stopped", "false", "open", "review", "comment", "errors", "loud"), 0))
                judged = [row for row in rows if row["error"] is None]
                total["judged"] += len(judged)
                total["errors"] += len(rows) - len(judged)
                total["comment"] += sum(row["comment"] for row in judged)
                total["loud"] += sum(row["shadow_exit"] != 0 for row in judged)
                total["review"] += sum(bool(row["review"]) and not row["stopped"] for row in judged)
                for row in judged:
                    words = [KNOWN.get((repository, row["commit"], rule, about), {}).get("verdict", "open") for rule, about, _ in row["stopped"]]
                    total["stopped"] += bool(words)
                    # One false alarm is enough to make a person angry.
                    total["false"] += "false" in words
                    total["open"] += "open" in words
            for row in rows:
                if row["error"]:
                    print(f"  {repository} {row['commit'][:12]}: error: {row['error']}")
                for rule, about, message in row["stopped"]:
                    verdict = KNOWN.get((repository, row["commit"], rule, about), {}).get("verdict", "open")
                    print(f"  {repository} {row['commit']}: {verdict} {rule} {about}: {message}")
                for rule, about, message in row["review"]:
                    print(f"  {repository} {row['commit'][:12]}: review {rule} {about}: {message}")
            print(f"{repository}: {len(rows)} of {all_of_them} pull requests, {sum(bool(row['stopped']) for row in rows)} stopped, {sum(row.get('comment') or False for row in rows)} with a comment", flush=True)
    is_bad = False
    for half, total in sums.items():
        judged = max(total["judged"], 1)
        percent = lambda number: f"{100 * number / judged:.2f} %"
        print(
            f"{half}: {total['judged']} judged, {total['errors']} errors; stopped {total['stopped']}, falsely {total['false']} ({percent(total['false'])}), without a verdict {total['open']}; "
            f"wait for an approval {total['review']} ({percent(total['review'])}); without a comment {percent(judged - total['comment'])}; as init wrote it, stopped: {total['loud']}"
        )
        is_bad |= (total["false"] + total["open"]) * 200 > judged or total["comment"] * 10 > judged * 3 or total["loud"] > 0 or total["errors"] > 0
    sys.exit(is_bad or not sums)


main()
