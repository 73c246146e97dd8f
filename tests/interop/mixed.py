"""Two versions of maestro in one run: who stores, who packs, who pushes, who folds and who syncs is either, in every order.

mixed.py OLD NEW FOLDER
"""

import itertools
import json
import os
import subprocess
import sys
import threading

OLD, NEW, WORK = sys.argv[1:]
VERSIONS = {"old": OLD, "new": NEW}
ENV = {
    "PATH": os.environ["PATH"], "HOME": WORK, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "TZ": "UTC",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
    "MAESTRO_COLOR": "never",
}


def run(*command, cwd=WORK, env=None, codes=(0,)):
    done = subprocess.run(command, cwd=cwd, env={**ENV, **(env or {})}, capture_output=True, text=True)
    assert done.returncode in codes, f"{command} in {cwd}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def git(cwd, *args):
    return run("git", *args, cwd=cwd)


def lines_of(folder):
    """All events of a folder, by id."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".ndjson"):
                with open(os.path.join(place, name)) as file:
                    for line in file:
                        event = json.loads(line)
                        if event.get("schema") == "maestro.event/v1":
                            found[event["id"]] = event
    return found


class Scene:
    def __init__(self, name):
        self.top = os.path.join(WORK, name)
        os.makedirs(self.top)
        git(self.top, "init", "--quiet", "--bare", "--initial-branch=main", "r.git")
        git(self.top, "clone", "--quiet", "r.git", "seed")
        seed = os.path.join(self.top, "seed")
        os.makedirs(os.path.join(seed, ".maestro"))
        with open(os.path.join(seed, ".maestro/maestro.yaml"), "w") as file:
            # A key that the older version does not know would be an error of its own, which is meant: both read what both know.
            file.write("schema: maestro.config/v1\n")
        git(seed, "add", "--all")
        git(seed, "commit", "--quiet", "--message", "Begin")
        git(seed, "push", "--quiet", "origin", "HEAD:main")
        self.number = 0
        self.made = {}

    def clone(self):
        self.number += 1
        name = f"job{self.number}"
        git(self.top, "clone", "--quiet", "--branch", "main", "r.git", name)
        return os.path.join(self.top, name)

    def store(self, clone, version, job):
        """One leg of a job stores its results; a newer version also what it planned and judged, of kinds that the older one does not know."""
        self.number += 1
        report = os.path.join(self.top, f"{self.number}.xml")
        with open(report, "w") as file:
            file.write(f'<testsuite name="s"><testcase name="t{self.number}"/><testcase name="b"><failure message="m{self.number}"/></testcase></testsuite>')
        env = {"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": job, "GITHUB_REPOSITORY": "o/n"}
        run(VERSIONS[version], "flakes", "ingest", report, "--leg", str(self.number), cwd=clone, env=env)
        if version == "new":
            run(NEW, "plan", cwd=clone, env={**env, "GITHUB_EVENT_NAME": "schedule"})
        self.made.update(lines_of(os.path.join(clone, ".git/maestro/outbox")))

    def state(self, version, clone, *args, codes=(0,)):
        return run(VERSIONS[version], "state", *args, cwd=clone, codes=codes, env={"GITHUB_REPOSITORY": "o/n"})

    def check(self, words):
        """The branch holds every event once, and both versions count the same runs."""
        git(self.top, "clone", "--quiet", "--branch", "maestro-state", "r.git", f"branch{self.number}")
        kept = os.path.join(self.top, f"branch{self.number}", ".maestro/events")
        ids = []
        for place, _, names in os.walk(kept):
            for name in names:
                with open(os.path.join(place, name)) as file:
                    ids += [json.loads(line)["id"] for line in file]
        assert len(ids) == len(set(ids)), f"{words}: an event stands there twice"
        lost = set(self.made) - set(ids)
        assert not lost, f"{words}: lost {[self.made[one]['kind'] for one in lost]}"
        runs = sum(event["kind"] == "test_run" for event in self.made.values())
        for version, binary in VERSIONS.items():
            clone = self.clone()
            self.state(version, clone, "pull")
            report = json.loads(run(binary, "flakes", "report", "--format", "json", cwd=clone))
            assert report["totals"]["runs"] == runs, f"{words}: {version} counts {report['totals']['runs']} of {runs} runs"
        waiting = git(self.top, "-C", "r.git", "for-each-ref", "refs/maestro/inbox")
        assert not waiting, f"{words}: {waiting}"
        return len(self.made)


count = events = 0

# Who stores, who publishes, who folds.
for number, (stores, pushes, folds) in enumerate(itertools.product(VERSIONS, repeat=3)):
    scene = Scene(f"refs{number}")
    for job in ("unit", "web"):
        clone = scene.clone()
        scene.store(clone, stores, job)
        scene.store(clone, pushes, job)
        scene.state(pushes, clone, "push")
    scene.state(folds, scene.clone(), "fold")
    # And once more on top of what the other one folded.
    clone = scene.clone()
    scene.store(clone, stores, "late")
    scene.state(pushes, clone, "push")
    other = "old" if folds == "new" else "new"
    scene.state(other, scene.clone(), "fold")
    events += scene.check(f"{stores} stores, {pushes} pushes, {folds} folds and {other} after it")
    count += 1

# By way of artifacts: who packs, who takes in, who syncs.
for number, (packs, takes, syncs) in enumerate(itertools.product(VERSIONS, repeat=3)):
    scene = Scene(f"packs{number}")
    keeper = scene.clone()
    for job in ("unit", "web"):
        clone = scene.clone()
        scene.store(clone, packs, job)
        pack = os.path.join(scene.top, f"{job}.ndjson")
        scene.state(packs, clone, "pack", pack)
        origin = ["--run", "77", "--attempt", "1", "--job", job, "--repository", "o/n"]
        scene.state(takes, keeper, "ingest", pack, *origin)
    scene.state(syncs, keeper, "sync", *(["--no-artifacts"] if syncs == "new" else []))
    events += scene.check(f"{packs} packs, {takes} takes in, {syncs} syncs")
    count += 1

# Both versions work at the same time: in one outbox, and on one branch.
for number in range(4):
    scene = Scene(f"once{number}")
    clones = [scene.clone() for _ in range(6)]
    for at, clone in enumerate(clones):
        scene.store(clone, ("old", "new")[at % 2], "unit")
        scene.store(clone, ("new", "old")[at % 2], "web")
    troubles = []

    def sync(at, clone, scene=scene, troubles=troubles):
        version = ("old", "new")[(at + number) % 2]
        try:
            scene.state(version, clone, "push")
            scene.state(version, clone, "fold", codes=(0, 75))
        except AssertionError as error:
            troubles.append(str(error))

    threads = [threading.Thread(target=sync, args=job) for job in enumerate(clones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles, troubles[0]
    scene.state(("old", "new")[number % 2], scene.clone(), "fold")
    events += scene.check("both at once")
    count += 1

print(f"{count} mixtures of two versions, {events} events, none lost")
