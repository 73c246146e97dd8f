"""Puts the shared state under stress against a bare git remote, then reads the result with git alone.

stress.py BINARY FOLDER: everything happens in FOLDER, which must be empty and is left empty of mounts and processes.

64 writers store and push 20 test runs each while two folders fold. Processes are killed with all their children, the remote
refuses pushes, files of the outbox come back after they were pushed, and disks fill up. Afterwards every run that was reported
as stored must stand on the branch, once.

STRESS_SEED chooses another course. It decides what is done to whom, not how the machine orders what happens at once.
STRESS_WRITERS and STRESS_EVENTS make it smaller, for a quick look.
"""
import collections
import concurrent.futures
import contextlib
import errno
import hashlib
import json
import math
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

SEED = int(os.environ.get("STRESS_SEED", "20260105"))
WRITERS = int(os.environ.get("STRESS_WRITERS", "64"))
EVENTS = int(os.environ.get("STRESS_EVENTS", "20"))
FOLDERS = 2
LEGS = range(min(8, WRITERS))
SMALL = range(8, min(16, WRITERS))
SMALL_SIZE = "16m"

KILLED, REFUSED, REPEATED, FILLED = 0.15, 0.30, 0.30, 0.30
WINDOW, HARD_LIMIT = 60, 180
SAVED_IN_WINDOW, CALM_P95 = 0.95, 2.0
DEADLINE, HANGS_AFTER = 20, 80

BRANCH, INBOX, EVENTS_FOLDER = "refs/heads/maestro-state", "refs/maestro/inbox", ".maestro/events"
OK, NETWORK, CANNOT_WRITE, CONTENTION, REFUSAL = 0, 69, 74, 75, 77
TESTS = 30


class Faults:
    """What is wrong, by kind, with the first examples."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kinds = collections.defaultdict(list)

    def add(self, kind, example):
        with self.lock:
            self.kinds[kind].append(str(example))

    def show(self):
        for kind, examples in sorted(self.kinds.items()):
            print(f"WRONG {kind}: {len(examples)}")
            for example in examples[:3]:
                print(f"    {example[:600]}")


class Ended:
    """How a process ended: its exit code, or none when it was killed."""

    def __init__(self, code, seconds, out, err):
        self.code, self.seconds, self.out, self.err = code, seconds, out, err
        self.killed = code is None

    def json(self):
        try:
            document = json.loads(self.out)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def __str__(self):
        return f"exit {self.code}: {self.err.decode(errors='replace').strip() or self.out.decode(errors='replace').strip()}"


class World:
    """The remote, the clones and the processes."""

    def __init__(self, binary, folder):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), pathlib.Path(folder).resolve()
        self.remote, self.home = self.folder / "remote.git", self.folder / "home"
        self.home.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.faults = Faults()
        self.lock = threading.Lock()
        self.children = set()
        self.closed = False
        self.typical = collections.defaultdict(lambda: 0.05)
        self.kills, self.escaped, self.started = collections.Counter(), collections.Counter(), collections.Counter()
        self.mounts = []
        self.no_mounts = ""
        self.commit = ""

    def git(self, *args, folder=None, text=True):
        done = subprocess.run(["git", *args], cwd=folder or self.folder, env=self.environment, capture_output=True, text=text)
        if done.returncode != 0:
            words = done.stderr if text else done.stderr.decode(errors="replace")
            raise RuntimeError(f"git {' '.join(args)}: {words.strip()}")
        return done.stdout

    def set_up(self):
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        # No housekeeping of git's own beside what is measured.
        self.git("config", "receive.autogc", "false", folder=self.remote)
        self.git("config", "gc.auto", "0", folder=self.remote)
        first = self.folder / "first"
        self.git("init", "--quiet", "--initial-branch=main", str(first))
        who = ["-c", "user.name=stress", "-c", "user.email=stress@localhost"]
        for number in range(5):
            (first / f"file{number}.txt").write_text(f"{number}\n" * 100)
            self.git("add", ".", folder=first)
            self.git(*who, "commit", "--quiet", "--message", f"file {number}", folder=first)
        self.git("push", "--quiet", str(self.remote), "main", folder=first)
        self.commit = self.git("rev-parse", "HEAD", folder=first).strip()
        for number in SMALL:
            self.mount(self.clone_path(number))
        names = [*range(WRITERS), *(f"folder{number}" for number in range(FOLDERS))]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self.clone, names))

    def mount(self, path):
        """A small disk of its own for one clone, so that only this clone's disk is full."""
        path.mkdir()
        if self.no_mounts:
            return
        command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_SIZE}", "tmpfs", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                self.mounts.append(path)
            else:
                self.no_mounts = done.stderr.strip() or "mount failed"
        except OSError as error:
            self.no_mounts = str(error)

    def clone_path(self, name):
        return self.folder / f"clone{name}"

    def clone(self, name):
        path = self.clone_path(name)
        self.git("clone", "--quiet", "--depth=1", f"file://{self.remote}", str(path))
        # The remote's end of a push would belong to the group that is killed, and leave locks that no server leaves.
        if shutil.which("setsid"):
            self.git("config", "remote.origin.receivepack", "setsid git-receive-pack", folder=path)

    def refuse(self, wanted):
        hook = self.remote / "hooks" / "pre-receive"
        if not wanted:
            hook.unlink(missing_ok=True)
            return
        lines = [
            "#!/usr/bin/env bash",
            f"RANDOM=$(({SEED} + $$)); : $RANDOM $RANDOM",
            f"if [ $RANDOM -lt {int(REFUSED * 32768)} ]; then echo no >>refused; echo 'try again later' >&2; exit 1; fi",
        ]
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("\n".join(lines) + "\n")
        hook.chmod(0o755)

    def refused(self):
        path = self.remote / "refused"
        return path.read_text().count("no") if path.exists() else 0

    def maestro(self, name, *args, dice=None):
        """Runs a command in a clone; with dice, it may be killed at any moment, together with what it started."""
        kind = args[1]
        kill_after = None
        if dice:
            with self.lock:
                # One that ended before its moment passes the kill on, so that the share stays.
                chosen = dice.random() < KILLED
                if not chosen and self.escaped[kind]:
                    chosen = True
                    self.escaped[kind] -= 1
                if chosen:
                    kill_after = dice.random() * 1.5 * self.typical[kind]
        command = [self.binary, "-C", str(self.clone_path(name)), *args, "--format", "json"]
        begin = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with self.lock:
            self.started[kind] += dice is not None
            self.children.add(child)
            if self.closed:
                child.kill()
        out = err = b""
        try:
            out, err = child.communicate(timeout=HANGS_AFTER if kill_after is None else kill_after)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if child.returncode != -signal.SIGKILL:
                # It had just ended by itself.
                out, err = child.communicate()
            elif kill_after is None:
                self.faults.add("command that hangs", " ".join(args))
        finally:
            with self.lock:
                self.children.discard(child)
            # They may still be held by what outlived it.
            child.stdout.close()
            child.stderr.close()
        seconds = time.monotonic() - begin
        with self.lock:
            if child.returncode == -signal.SIGKILL:
                self.kills[kind] += 1
                return Ended(None, seconds, b"", b"")
            self.escaped[kind] += kill_after is not None
            self.typical[kind] += (seconds - self.typical[kind]) / 8
        return Ended(child.returncode, seconds, out, err)

    def close(self):
        """Ends what is still running, by its id, and takes the small disks away."""
        with self.lock:
            self.closed = True
            for child in self.children:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
        for _ in range(50):
            orphans = self.orphans()
            if not orphans:
                break
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        while self.mounts:
            path = self.mounts.pop()
            for flags in ([], ["-l"]):
                if subprocess.run(["umount", *flags, str(path)], capture_output=True).returncode == 0:
                    break

    def orphans(self):
        """What killed processes left running: nobody else has our home."""
        mark = b"HOME=" + os.fsencode(self.home)
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def settle(self):
        """Waits until what killed processes left running has ended."""
        for _ in range(100):
            if not self.orphans():
                break
            time.sleep(0.1)
        else:
            self.faults.add("process that does not end", self.orphans())
        # Not of maestro's making, but nothing passes them: it explains other faults.
        for lock in self.remote.rglob("*.lock"):
            self.faults.add("lock on the remote, whose end of a push was killed too (`remote.origin.receivepack` avoids it)", lock)


class Event:
    """One run of tests: where it is filed, its report, and what became of it."""

    def __init__(self, world, phase, writer, number):
        is_leg = phase == "chaos" and writer in LEGS
        self.run = f"{phase}-legs-{number:02}" if is_leg else f"{phase}-{writer:02}-{number:02}"
        self.job = "matrix" if is_leg else "test"
        self.leg = f"leg-{writer}" if is_leg else ""
        # Two months, and many equal times.
        month, day = (1, 10 + number) if number % 2 == 0 else (2, 1 + number)
        self.at = f"2026-{month:02}-{1 + day % 28:02}T12:00:{writer // 8:02}Z"
        self.report = self.junit(self.run, number, 0 if is_leg else writer % 4)
        self.path = world.folder / "reports" / f"{self.run}{self.leg}.xml"
        self.path.write_bytes(self.report)
        # When it was reported as stored, and when a push said that the remote has it.
        self.saved = self.pushed = None
        # An earlier try was killed after it had stored: this one was told that there is nothing to do.
        self.confirmed = False

    @property
    def identity(self):
        return (self.run, 1, self.job, self.leg)

    def arguments(self, world):
        filed = ["--run", self.run, "--attempt", "1", "--job", self.job, "--leg", self.leg]
        return ["flakes", "ingest", str(self.path), *filed, "--commit", world.commit, "--branch", "main", "--at", self.at]

    @staticmethod
    def junit(run, number, family):
        lines = [f'<testsuite name="suite{family}" tests="{TESTS}" failures="1">']
        for test in range(TESTS):
            case = f'<testcase classname="stress" name="test_{test:02}" time="0.0{test:02}"'
            fails = test == number % TESTS
            lines.append(f'{case}><failure message="expected 1 in {run}">no</failure></testcase>' if fails else f"{case}/>")
        lines.append("</testsuite>")
        return "\n".join(lines).encode() + b"\n"


class Writer:
    """A clone that stores and pushes, one run of tests after another."""

    def __init__(self, world, number):
        self.world, self.number = world, number
        self.git_folder = world.clone_path(number) / ".git"
        self.small = number in SMALL and not world.no_mounts
        self.calm = Event(world, "calm", number, 0)
        self.events = [Event(world, "chaos", number, event) for event in range(EVENTS)]
        self.begin = 0.0
        self.pushes, self.attempts = [], []
        self.full = self.full_refused = self.repeated = 0
        self.answers = collections.Counter()
        self.words = {}

    def store(self, event, dice):
        """Stores a run; whether that was reported."""
        was_killed, failures = False, 0
        while self.in_time():
            ended = self.world.maestro(self.number, *event.arguments(self.world), dice=dice)
            runs = ended.json().get("stored", {}).get("runs")
            if ended.killed:
                was_killed = True
            elif ended.code == OK and (runs == 1 or (runs == 0 and was_killed)):
                event.saved = time.monotonic() - self.begin
                event.confirmed = runs == 0
                return True
            else:
                self.world.faults.add("ingest that failed", f"{event.identity}: runs {runs}, {ended}")
                failures += 1
                if failures == 3:
                    return False
        return False

    def meet_full_disk(self, event, dice):
        """Nothing can be stored while the disk is full, and the command must say so."""
        ballast = self.git_folder / "ballast"
        with open(ballast, "wb", buffering=0) as out:
            block = bytes(1 << 20)
            while block:
                try:
                    out.write(block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    block = block[: len(block) // 4]
        self.full += 1
        while self.in_time():
            ended = self.world.maestro(self.number, *event.arguments(self.world), dice=dice)
            if ended.killed:
                continue
            if ended.code == CANNOT_WRITE:
                self.full_refused += 1
            else:
                self.world.faults.add("full disk without exit 74", f"{event.identity}: {ended}")
            break
        ballast.unlink()

    def push(self, dice, repeat=False):
        """Pushes until the remote has everything; whether that was reported."""
        outbox = self.git_folder / "maestro" / "outbox"
        copies = {}
        if repeat:
            for path in outbox.rglob("*.ndjson"):
                if not path.name.startswith("."):
                    copies[path] = path.read_bytes()
        failures = 0
        while self.in_time():
            ended = self.world.maestro(self.number, "state", "push", "--deadline", str(DEADLINE), dice=dice)
            if ended.killed:
                continue
            self.pushes.append(ended.seconds)
            self.answers[ended.code] += 1
            self.words.setdefault(ended.code, ended)
            if ended.code == OK:
                attempts = ended.json().get("attempts")
                if isinstance(attempts, int):
                    self.attempts.append(attempts)
                else:
                    self.world.faults.add("push that does not count its attempts", ended)
                break
            if ended.code not in (NETWORK, CONTENTION, REFUSAL):
                self.world.faults.add("push that failed", f"writer {self.number}: {ended}")
                failures += 1
                if failures == 3:
                    return False
            time.sleep(random.uniform(0.05, 0.25))
        else:
            return False
        for event in [self.calm, *self.events]:
            if event.saved is not None and event.pushed is None:
                event.pushed = time.monotonic() - self.begin
        for path, content in copies.items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self.repeated += 1
        return True

    def in_time(self):
        return not self.world.closed and time.monotonic() < self.begin + HARD_LIMIT

    def work(self, begin):
        self.begin = begin
        for place, event in enumerate(self.events):
            dice = random.Random(f"{SEED}/writer/{self.number}/{place}")
            fills, repeats = dice.random() < FILLED, dice.random() < REPEATED
            if self.small and fills:
                self.meet_full_disk(event, dice)
            if self.store(event, dice):
                self.push(dice, repeats)


class Branch:
    """What stands on the branch, read with git alone."""

    LINE_FIELDS = ("schema", "kind", "id", "at", "run", "attempt", "job", "commit", "branch", "payload")

    def __init__(self, world, faults):
        self.runs = collections.defaultdict(list)
        self.lists = set()
        self.files = self.lines = self.bytes = self.commits = 0
        # Nothing was ever folded when there is no branch.
        if world.git("for-each-ref", BRANCH, folder=world.remote):
            self.commits = int(world.git("rev-list", "--count", BRANCH, folder=world.remote))
            for entry in world.git("ls-tree", "-r", "-z", BRANCH, f"{EVENTS_FOLDER}/", folder=world.remote).split("\0"):
                if entry:
                    about, path = entry.split("\t", 1)
                    self.read(path, world.git("cat-file", "blob", about.split()[2], folder=world.remote, text=False), faults)

    def read(self, path, content, faults):
        name = re.fullmatch(re.escape(EVENTS_FOLDER) + r"/([a-z0-9_-]+)/(\d{4}-\d{2})\.ndjson", path)
        if not name:
            faults.add("file with another name", path)
            return
        self.files += 1
        self.bytes += len(content)
        if not content.endswith(b"\n"):
            faults.add("broken line", f"{path}: the last one has no end")
        before, ids = None, set()
        for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), 1):
            place = f"{path}:{number}"
            self.lines += 1
            try:
                event = self.parse(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                faults.add("broken line", f"{place}: {error!r}: {line[:200]!r}")
                continue
            if event["kind"] != name[1] or not event["at"].startswith(name[2]):
                faults.add("event in another file's place", f"{place}: {event['kind']} {event['at']}")
            if event["id"] in ids:
                faults.add("event twice in a file", f"{place}: {event['id']}")
            ids.add(event["id"])
            key = (self.moment(event["at"]), event["id"])
            if before is not None and key < before:
                faults.add("line out of order", f"{place}: {key} after {before}")
            before = key
            if event["kind"] == "test_list":
                self.lists.add(event["id"])
            if event["kind"] == "test_run":
                identity = (event["run"], event["attempt"], event["job"], event["payload"]["leg"])
                self.runs[identity].append(event)

    @classmethod
    def parse(cls, line):
        text = line.decode()
        event = json.loads(text)
        missing = [field for field in cls.LINE_FIELDS if field not in event]
        if missing:
            raise ValueError(f"without {missing}")
        # The payload's own bytes: its name cannot stand in a string before it without a backslash.
        start = text.index(',"payload":') + len(',"payload":')
        _, end = json.JSONDecoder().raw_decode(text, start)
        digest = hashlib.sha256()
        parts = [event["schema"], event["kind"], event["run"], str(event["attempt"]), event["job"], text[start:end]]
        for part in parts:
            digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
        if digest.hexdigest() != event["id"]:
            raise ValueError("the id is not the content's")
        cls.moment(event["at"])
        return event

    @staticmethod
    def moment(at):
        parts = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", at)
        if not parts:
            raise ValueError(f"not a time in UTC: {at}")
        return (parts[1], (parts[2] or "").ljust(9, "0"))


def quantile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else float("nan")


def spread(values):
    return f"p50 {quantile(values, 0.5):.2f} s, p95 {quantile(values, 0.95):.2f} s, max {max(values, default=float('nan')):.2f} s"


def in_parallel(work, items):
    """One thread each; all of them begin at the same moment."""
    barrier = threading.Barrier(len(items))
    errors = []

    def run(item):
        try:
            barrier.wait()
            work(item)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(item,), daemon=True) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Folders:
    """Fold again and again, as others write."""

    def __init__(self, world):
        self.world = world
        self.quiet = threading.Event()
        self.seconds = []
        self.answers = collections.Counter()
        self.words = {}
        self.threads = [threading.Thread(target=self.work, args=(number,), daemon=True) for number in range(FOLDERS)]

    def work(self, number):
        dice = random.Random(f"{SEED}/folder/{number}")
        while not self.quiet.is_set() and not self.world.closed:
            ended = self.world.maestro(f"folder{number}", "state", "fold", "--deadline", str(DEADLINE), dice=dice)
            if ended.killed:
                continue
            self.seconds.append(ended.seconds)
            self.answers[ended.code] += 1
            self.words.setdefault(ended.code, ended)
            if ended.code not in (OK, NETWORK, CONTENTION, REFUSAL):
                self.world.faults.add("fold that failed", ended)
            self.quiet.wait(dice.uniform(0.1, 0.5))

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.quiet.set()
        for thread in self.threads:
            thread.join()


def waiting(world):
    return world.git("for-each-ref", "--format=%(refname)", INBOX, folder=world.remote).split()


def fold_all(world):
    """Folds until the remote's inbox is empty."""
    for _ in range(10):
        ended = world.maestro("folder0", "state", "fold", "--deadline", str(DEADLINE))
        if ended.code != OK:
            world.faults.add("fold that failed without chaos", ended)
        left = waiting(world)
        if not left:
            return
    world.faults.add("inbox that is never empty", f"{len(left)} left, {left[:3]}")


def calm_phase(world, writers):
    """Every writer pushes one run at the same moment, and nothing stands in the way."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda writer: writer.store(writer.calm, None), writers))
    in_parallel(lambda writer: writer.push(None), writers)
    seconds = [second for writer in writers for second in writer.pushes]
    attempts = [count for writer in writers for count in writer.attempts]
    for writer in writers:
        writer.pushes.clear()
        writer.attempts.clear()
        writer.answers.clear()
    print(f"calm: {len(writers)} pushes at once: {spread(seconds)}; attempts {sum(attempts)}, at most {max(attempts, default=0)}")
    if not quantile(seconds, 0.95) < CALM_P95:
        world.faults.add("slow push", f"p95 is {quantile(seconds, 0.95):.2f} s, not under {CALM_P95} s")


def chaos_phase(world, writers):
    folders = Folders(world)
    world.kills.clear()
    world.refuse(True)
    folders.start()
    begin = time.monotonic()
    in_parallel(lambda writer: writer.work(begin), writers)
    took = time.monotonic() - begin
    folders.stop()
    world.refuse(False)
    world.settle()
    return folders, took


def judge(world, writers, branch):
    """Compares what was reported with what is there; returns lost, repeated, and stored without a report."""
    faults = world.faults
    expected = {event.identity: event for writer in writers for event in [writer.calm, *writer.events]}
    lost = [identity for identity, event in expected.items() if event.saved is not None and not branch.runs.get(identity)]
    twice = [identity for identity, found in branch.runs.items() if len(found) > 1]
    unheard = [identity for identity, event in expected.items() if event.saved is None and branch.runs.get(identity)]
    for identity in lost:
        faults.add("run that was lost", identity)
    for identity in twice:
        faults.add("run that is there twice", f"{identity}: {[event['id'] for event in branch.runs[identity]]}")
    for identity, found in branch.runs.items():
        event = expected.get(identity)
        if event is None:
            faults.add("run that nobody stored", identity)
            continue
        for line in found:
            payload = line["payload"]
            have = (line["at"], line["commit"], line["branch"], payload["files"])
            want = (event.at, world.commit, "main", [hashlib.sha256(event.report).hexdigest()])
            if have != want:
                faults.add("run with another content", f"{identity}: {have}, not {want}")
            if payload["list"] not in branch.lists:
                faults.add("run without its list of tests", identity)
    return len(lost), len(twice), len(unheard)


def read_back(world, branch):
    """A new clone must see the same number of runs."""
    world.clone("fresh")
    pulled = world.maestro("fresh", "state", "pull")
    if pulled.code != OK:
        world.faults.add("pull that failed", pulled)
    report = world.maestro("fresh", "flakes", "report")
    totals = report.json().get("totals", {})
    have = (report.code, totals.get("runs"), totals.get("duplicate_runs"))
    want = (OK, sum(len(found) for found in branch.runs.values()), 0)
    if have != want:
        said = report.err.decode(errors="replace")
        world.faults.add("report of a new clone", f"exit, runs and duplicate runs are {have}, not {want}: {said}")
    folder = world.folder / "exported"
    exported = world.maestro("fresh", "state", "export", "--out", str(folder))
    if exported.code != OK:
        world.faults.add("export that failed", exported)
    rows = [json.loads(line) for path in folder.glob("kind=test_run/*/*.ndjson") for line in path.read_text().splitlines()]
    odd = [row for row in rows if (row["cases"], row["failed"]) != (TESTS, 1)]
    for row in odd:
        world.faults.add("run with other results", row)
    if len(rows) != want[1]:
        world.faults.add("export of a new clone", f"{len(rows)} runs, not {want[1]}")
    return totals.get("runs")


def processor_time(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def codes(answers):
    return ", ".join(f"{count} with exit {code}" for code, count in sorted(answers.items()))


def main(world):
    load = os.getloadavg()[0]
    (world.folder / "reports").mkdir()
    world.set_up()
    machine = f"{os.cpu_count()} cores, load {load:.1f} before, {world.git('--version').strip()}"
    print(f"{WRITERS} writers, {EVENTS} runs each, seed {SEED}, {machine}", flush=True)
    writers = [Writer(world, number) for number in range(WRITERS)]
    for writer in writers:
        writer.begin = time.monotonic()
    calm_phase(world, writers)
    sys.stdout.flush()

    folders, took = chaos_phase(world, writers)
    kills, refused = world.kills.copy(), world.refused()
    events = [event for writer in writers for event in writer.events]
    saved = [event for event in events if event.saved is not None]
    in_window = sum(event.saved <= WINDOW for event in saved)
    pushed_in_window = sum(event.pushed is not None and event.pushed <= WINDOW for event in events)
    pushed = sum(event.pushed is not None for event in events)

    left = len(waiting(world))
    # What a push reported must be there without any further push.
    fold_all(world)
    early = Branch(world, Faults())
    all_events = events + [writer.calm for writer in writers]
    absent = [event.identity for event in all_events if event.pushed is not None and not early.runs.get(event.identity)]
    for identity in absent:
        world.faults.add("run that a push reported and the remote has not", identity)

    calls = [second for writer in writers for second in writer.pushes]
    attempts = [count for writer in writers for count in writer.attempts]
    answers = sum((writer.answers for writer in writers), collections.Counter())
    for writer in writers:
        writer.begin = time.monotonic()
        if not writer.push(None):
            world.faults.add("last push that failed", f"writer {writer.number}")
    fold_all(world)
    branch = Branch(world, world.faults)
    lost, twice, unheard = judge(world, writers, branch)
    seen = read_back(world, branch)

    if in_window < SAVED_IN_WINDOW * len(events):
        world.faults.add("too slow", f"{in_window} of {len(events)} reported as stored within {WINDOW} s")
    if pushed < len(events):
        world.faults.add("writer that did not end", f"{pushed} of {len(events)} pushed within {HARD_LIMIT} s")
    confirmed = sum(event.confirmed for event in saved)
    by_kind = ", ".join(f"{kind} {count} of {world.started[kind]}" for kind, count in sorted(kills.items()))
    ours, theirs = processor_time(resource.RUSAGE_SELF), processor_time(resource.RUSAGE_CHILDREN)
    rows = {
        f"reported as stored in {WINDOW} s": f"{in_window} of {len(events)} ({in_window / len(events):.1%})",
        f"pushed in {WINDOW} s": pushed_in_window,
        "reported as stored": f"{len(saved)}, {confirmed} of them at the next try, as the one that stored was killed",
        "pushed": f"{pushed}, the last one after {took:.0f} s",
        "killed": f"{sum(kills.values())} ({by_kind})",
        "refused by the remote": refused,
        "repeated deliveries": sum(writer.repeated for writer in writers),
        "full disks refused": f"{sum(writer.full_refused for writer in writers)} of {sum(writer.full for writer in writers)}",
        "pushes": f"{codes(answers)}; {spread(calls)}",
        "push attempts": f"{sum(attempts)}, at most {max(attempts, default=0)} in one push",
        "folds": f"{codes(folders.answers)}; {spread(folders.seconds)}; {left} refs waited when they ended",
        "on the branch": f"{sum(map(len, branch.runs.values()))} runs, {branch.lines} lines, {branch.files} files, "
        f"{branch.bytes} bytes, {branch.commits} commits",
        "in a new clone": f"{seen} runs",
        "processor time": f"{theirs:.0f} s, and {ours:.0f} s of this script",
        "stored, not reported": unheard,
        "lost": lost,
        "twice": twice,
    }
    for kind, group in {"push": writers, "fold": [folders]}.items():
        said = {code: ended for one in group for code, ended in one.words.items() if code != OK}
        rows |= {f"a {kind} that gave up with exit {code}": str(ended).replace("\n", " ") for code, ended in said.items()}
    if world.no_mounts:
        rows["full disks refused"] = f"not run: {world.no_mounts}"
    for name, value in rows.items():
        print(f"{name}: {value}")
    if not world.no_mounts and SMALL and not sum(writer.full for writer in writers):
        world.faults.add("chaos that did not happen", "no disk was ever full")


def interrupted(number, _frame):
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    the_world = World(*sys.argv[1:])
    try:
        main(the_world)
    finally:
        the_world.close()
    the_world.faults.show()
    if the_world.faults.kinds:
        print("verdict: failed")
        sys.exit(1)
    if the_world.no_mounts and os.environ.get("MAESTRO_REQUIRE", "0") not in ("", "0"):
        print("verdict: passed, but without full disks: a small tmpfs cannot be mounted here")
        sys.exit(77)
    print("verdict: passed")
