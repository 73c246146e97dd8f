#!/usr/bin/env python3
"""Many writers, one git repository: compares ways to keep shared state. `strategies.sh` runs it.

Each strategy gets a bare repository of its own and writers in threads, each with a shallow clone
over file://. A Markdown table goes to standard output, progress to standard error.
"""

import argparse
import contextlib
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

# `writeBenchmarkToGitHubPages` of the action starts with ten retries: the eleventh push is the last.
ACTION_PUSHES = 11
ACTION_WRITERS = 12
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Failed(Exception):
    """A command that had to work did not, or the run is being stopped."""


class Children:
    """Runs commands, and knows which ones run, so that none outlives this program."""

    def __init__(self, env):
        self.env = env
        self.lock = threading.Lock()
        self.running = set()
        self.stopping = threading.Event()

    def run(self, *argv, text="", check=True):
        argv, pipe = [str(word) for word in argv], subprocess.PIPE
        with self.lock:
            if self.stopping.is_set():
                raise Failed("stopped")
            # In a session of its own: git starts children too, and they are ended with it.
            child = subprocess.Popen(
                argv, env=self.env, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
            )
            self.running.add(child)
        out, err = child.communicate(text)
        self.running.discard(child)
        if check and child.returncode != 0:
            raise Failed(f"{' '.join(argv)}: exit {child.returncode}\n{out}{err}")
        return subprocess.CompletedProcess(argv, child.returncode, out, err)

    def stop(self):
        with self.lock:
            self.stopping.set()
            for child in list(self.running):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)


class Clone:
    """A CI job's checkout, and how it retries."""

    def __init__(self, options, children, path, url):
        self.options, self.children, self.path = options, children, path
        # A clone that tidies itself up in the middle would measure that.
        children.run("git", "clone", "-q", "--depth=1", "-c", "gc.auto=0", "-c", "maintenance.auto=false", url, path)

    def git(self, *args, text="", check=True):
        return self.children.run("git", "-C", self.path, *args, text=text, check=check)

    def commit(self, name):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", name)

    def commit_of(self, file, text):
        """A commit without parents, of one file; the checkout stays as it is."""
        blob = self.git("hash-object", "-w", "--stdin", text=text).stdout.strip()
        tree = self.git("mktree", text=f"100644 blob {blob}\t{file}\n").stdout.strip()
        return self.git("commit-tree", "-m", file, tree).stdout.strip()

    def push(self, refspec="HEAD:main"):
        return self.git("push", "-q", "origin", refspec, check=False)

    def tries(self):
        """Counts tries, and backs off between them: at random, up to twice as long each time."""
        end = time.monotonic() + self.options.deadline
        for attempt in range(1, self.options.tries + 1):
            yield attempt
            pause = random.uniform(0, min(self.options.pause_most, self.options.pause * 2 ** (attempt - 1)))
            if time.monotonic() + pause > end:
                return
            self.children.stopping.wait(pause)


# ---- the strategies: (clone, event) -> how often it pushed ----------------------------------------


def add_to_json(clone, event):
    file = clone.path / "state.json"
    state = json.loads(file.read_text())
    file.write_text(json.dumps(state + [event], indent=1) + "\n")


def add_line(clone, event, name="state.jsonl"):
    with (clone.path / name).open("a") as file:
        file.write(json.dumps(event) + "\n")


def add_file(clone, event):
    (clone.path / "events").mkdir(exist_ok=True)
    add_line(clone, event, f"events/{uuid.uuid4()}.json")


def rebasing(write):
    """Commit on what the clone has, push; when that is refused, rebase onto the tip and push again."""

    def update(clone, event):
        pushes = 0
        write(clone, event)
        clone.commit(event["run"])
        for attempt in clone.tries():
            if attempt > 1 and clone.git("pull", "-q", "--rebase", "origin", "main", check=False).returncode != 0:
                # Only a conflict leaves a rebase to abort; after anything else the next push is refused.
                if clone.git("rebase", "--abort", check=False).returncode == 0:
                    break
            pushes += 1
            if clone.push().returncode == 0:
                return pushes
        # The job would end here, and its checkout with it: the next update must not bring this one along.
        clone.git("reset", "-q", "--hard", "origin/main")
        return pushes

    return update


def compare_and_swap(clone, event):
    for attempt in clone.tries():
        clone.git("fetch", "-q", "origin", "main")
        clone.git("reset", "-q", "--hard", "FETCH_HEAD")
        add_to_json(clone, event)
        clone.commit(event["run"])
        if clone.push().returncode == 0:
            break
    return attempt


def github_action(clone, event):
    """`writeBenchmarkToGitHubPagesWithRetry`, src/write.ts: no rebase, and no rest between tries."""
    for attempt in range(1, ACTION_PUSHES + 1):
        clone.git("pull", "-q", "origin", "main")
        add_to_json(clone, event)
        clone.commit(event["run"])
        pushed = clone.push()
        if pushed.returncode == 0:
            break
        clone.git("reset", "-q", "--hard", "HEAD~1")
        if "[rejected]" not in pushed.stderr and "[remote rejected]" not in pushed.stderr:
            break
    return attempt


def ref_per_event(clone, event):
    commit = clone.commit_of("event.json", json.dumps(event) + "\n")
    for attempt in clone.tries():
        if clone.push(f"{commit}:refs/ev/{event['run']}").returncode == 0:
            break
    return attempt


def fold_refs(clone):
    """All events into one file of a branch; their refs go in the transaction that brings it."""
    clone.git("fetch", "-q", "origin", "refs/ev/*:refs/ev/*")
    refs = clone.git("for-each-ref", "--format=%(refname)", "refs/ev").stdout.split()
    commit = clone.commit_of("state.jsonl", clone.git("grep", "-h", "", *refs, "--", "event.json").stdout)
    clone.git("push", "-q", "--atomic", "origin", f"{commit}:refs/heads/state", *(f":{ref}" for ref in refs))


def maestro(clone, *args, check=True):
    return clone.children.run(clone.options.maestro, "-C", clone.path, "--format", "json", *args, check=check)


def maestro_update(clone, event):
    # Beside the clone: reports of a build are no part of its checkout.
    report = clone.path.with_suffix(".xml")
    cases = "".join(f'  <testcase classname="cart" name="case_{n}" time="0.01"/>\n' for n in range(event["passed"]))
    report.write_text(f'<testsuite name="{event["run"]}">\n{cases}</testsuite>\n')
    maestro(clone, "flakes", "ingest", report, "--run", event["run"], "--job", event["job"])
    pushed = maestro(clone, "state", "push", check=False)
    if pushed.returncode != 0:
        say(f"  state push: exit {pushed.returncode}: {pushed.stderr.strip()}")
    # After an error there may be no document.
    return json.loads(pushed.stdout or "{}").get("attempts", 1)


def maestro_fold(clone):
    maestro(clone, "state", "fold")


@dataclass
class Strategy:
    label: str
    update: Callable
    branch: str  # where its events are at the end,
    path: str  # and below what
    files: dict[str, str]  # what `main` starts with
    fold: Callable | None = None


EMPTY = {"state.json": "[]\n"}
UNION = {"state.jsonl": "", ".gitattributes": "state.jsonl merge=union\n"}
STRATEGIES = {
    1: Strategy("one JSON file, rebase", rebasing(add_to_json), "main", "state.json", EMPTY),
    2: Strategy("one JSON file, compare and swap", compare_and_swap, "main", "state.json", EMPTY),
    3: Strategy("one JSONL file, `merge=union`, rebase", rebasing(add_line), "main", "state.jsonl", UNION),
    4: Strategy("one file an event, rebase", rebasing(add_file), "main", "events", {}),
    5: Strategy("one ref an event, one fold", ref_per_event, "state", "state.jsonl", {}, fold_refs),
    6: Strategy("loop of github-action-benchmark", github_action, "main", "state.json", EMPTY),
    7: Strategy("maestro", maestro_update, "maestro-state", ".maestro/events", {}, maestro_fold),
}

# ---- a run -----------------------------------------------------------------------------------------


def stored_runs(children, strategy, bare):
    """The runs in the bare repository; a branch that nobody made holds none."""
    tree = [f"refs/heads/{strategy.branch}", "--", strategy.path]
    text = children.run("git", "-C", bare, "grep", "-h", "", *tree, check=False).stdout
    events = json.loads(text) if strategy.path == "state.json" else map(json.loads, text.splitlines())
    return {event["run"] for event in events if event.get("kind", "test_run") == "test_run"}


def work(strategy, clone, writer, start, done, problems):
    """One writer: its updates one after the other. Adds (run, pushes, seconds) of each to `done`."""
    try:
        for number in range(clone.options.updates):
            if number == 0 or clone.options.in_step:
                start.wait()
            event = {"run": f"{writer}-{number}", "job": f"job-{writer}", "passed": 20, "failed": 0}
            begin = time.monotonic()
            pushes = strategy.update(clone, event)
            done.append((event["run"], pushes, time.monotonic() - begin))
    except Exception as problem:  # ends the run, in the main thread
        problems.append(problem)
        start.abort()


def measure(options, children, number, writers):
    """Runs one strategy; returns its row."""
    strategy = STRATEGIES[number]
    say(f"{number} {strategy.label}, {writers} x {options.updates}")
    folder = options.work / f"{number}-{writers}"
    bare = folder / "origin.git"
    children.run("git", "init", "-q", "--bare", "-b", "main", bare)
    # A host tidies up when it likes, not during a push.
    children.run("git", "-C", bare, "config", "receive.autogc", "false")
    seed = Clone(options, children, folder / "seed", bare.as_uri())
    for name, text in ({"README.md": "A project.\n"} | strategy.files).items():
        (seed.path / name).write_text(text)
    seed.commit("start")
    seed.push()
    clones = [Clone(options, children, folder / f"writer-{n}", bare.as_uri()) for n in range(writers)]

    done, problems = [], []
    start = threading.Barrier(writers)
    threads = [
        threading.Thread(target=work, args=(strategy, clone, n, start, done, problems), daemon=True)
        for n, clone in enumerate(clones)
    ]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.monotonic() - begin
    if problems:
        raise problems[0]
    begin = time.monotonic()
    if strategy.fold:
        strategy.fold(clones[0])
    fold = f"{time.monotonic() - begin:.2f}" if strategy.fold else "–"

    stored = stored_runs(children, strategy, bare)
    shutil.rmtree(folder)
    runs, pushes, seconds = zip(*done)
    p50, p95 = (sorted(seconds)[math.ceil(share * len(seconds)) - 1] for share in (0.5, 0.95))
    total, present = len(runs), len(stored.intersection(runs))
    return (
        f"| {number} | {strategy.label} | {writers} x {options.updates} | {present}/{total} | {total - present}"
        f" | {sum(pushes) / total:.1f} | {max(pushes)} | {p50:.2f} | {p95:.2f} | {wall:.1f} | {fold} |"
    )


def find_maestro(options, children):
    """Takes a copy, so that a build in the meantime does not change what is measured; or returns why not."""
    if not options.maestro.is_file():
        return "no binary; run `cargo build --release`, or set MAESTRO"
    options.maestro = Path(shutil.copy(options.maestro, options.work / "maestro"))
    options.version = children.run(options.maestro, "--version").stdout.strip()
    if children.run(options.maestro, "state", "push", "--help", check=False).returncode != 0:
        return f"{options.version} has no `state push`"
    return None


def measure_all(options, children):
    options.version = "no maestro"
    missing = find_maestro(options, children) if 7 in options.strategies else "not asked for"
    model = [line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    disk = children.run("stat", "-f", "-c", "%T", options.work).stdout.strip()
    pace = "every round of updates" if options.in_step else "all, then each without a rest"
    print(f"""\
- date: {time.strftime('%F', time.gmtime())}
- machine: {len(os.sched_getaffinity(0))} cores, {"".join(model[:1])}; load at the start {os.getloadavg()[0]:.2f}; \
temporary folder on {disk}
- {children.run("git", "version").stdout.strip()}; Python {sys.version.split()[0]}; {options.version}
- {options.writers} writers x {options.updates} updates over file://; started together: {pace}
- 1 to 5: at most {options.tries} tries or {options.deadline:g} s an update; back-off at random up to \
{options.pause:g} s, doubling to at most {options.pause_most:g} s

An attempt is a push. Attempts and seconds are of all updates, lost ones too; neither they nor the wall time
have the fold in them.

| | strategy | writers x updates | present | lost | attempts, mean | max | s an update, p50 | p95 | wall s | fold s |
|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|""")
    for number in options.strategies:
        if number == 7 and missing:
            continue
        for writers in sorted({options.writers} | ({ACTION_WRITERS} if number == 6 else set())):
            print(measure(options, children, number, writers), flush=True)
    if 7 in options.strategies and missing:
        print(f"\n7 was skipped: {missing}.")


def main():
    parser = argparse.ArgumentParser(description="See strategies.sh.")
    parser.add_argument("--maestro", type=Path, required=True)
    parser.add_argument("--strategies", type=int, nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--updates", type=int, default=5)
    parser.add_argument("--in-step", action="store_true", help="nobody begins an update before all ended theirs")
    parser.add_argument("--tries", type=int, default=50, help="most tries of an update")
    parser.add_argument("--deadline", type=float, default=120, help="after this time there is no other try, s")
    parser.add_argument("--pause", type=float, default=0.1, help="the first back-off at most, s")
    parser.add_argument("--pause-most", type=float, default=2, help="no back-off is longer, s")
    options = parser.parse_args()
    if min(options.writers, options.updates, options.tries) < 1:
        parser.error("writers, updates and tries are at least 1")

    for number in ENDING:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    options.work = Path(tempfile.mkdtemp(prefix="maestro-strategies-"))
    # Nothing of the user's settings, nor of a CI that this runs in, reaches git or maestro.
    env = {"PATH": os.environ["PATH"], "HOME": str(options.work), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {f"GIT_{role}_NAME": "bench" for role in ("AUTHOR", "COMMITTER")}
    env |= {f"GIT_{role}_EMAIL": "bench@example.org" for role in ("AUTHOR", "COMMITTER")}
    children = Children(env)
    try:
        measure_all(options, children)
    except Failed as problem:
        sys.exit(f"strategies.py: {problem}")
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        children.stop()
        # A child that was just killed may still write into the folder.
        for _ in range(50):
            shutil.rmtree(options.work, ignore_errors=True)
            if not options.work.exists():
                break
            time.sleep(0.1)


if __name__ == "__main__":
    main()
