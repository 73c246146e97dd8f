"""Times `maestro plan` and `maestro gate` in a clone of a repository: gate.py MAESTRO REPOSITORY FOLDER RUNS"""

import json
import os
import resource
import subprocess
import sys
import time

MAESTRO, REPOSITORY, WORK, RUNS = *sys.argv[1:4], int(sys.argv[4])
REMOTE, CLONE = os.path.join(WORK, "remote.git"), os.path.join(WORK, "clone")
ENV = {
    "PATH": os.environ["PATH"], "HOME": WORK, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "MAESTRO_COLOR": "never",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(*args, cwd=CLONE):
    done = subprocess.run(["git", *args], cwd=cwd, env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout


git("clone", "--quiet", "--shared", "--bare", REPOSITORY, REMOTE, cwd=WORK)
git("clone", "--quiet", "--shared", REMOTE, CLONE, cwd=WORK)
size = int(next(line for line in git("count-objects", "-v", cwd=REPOSITORY).splitlines() if line.startswith("size-pack")).split()[1]) // 1024
git("checkout", "--quiet", "-B", "main")
files = [path for path in git("ls-files").splitlines() if "\"" not in path]
folders = sorted({path.split("/")[0] for path in files if "/" in path and not path.startswith(".")})[:30]
jobs = "".join(f"  j{at}: {{ paths: ['{folder}/**'], run: 'true' }}\n" for at, folder in enumerate(folders))
os.makedirs(os.path.join(CLONE, ".maestro"), exist_ok=True)
with open(os.path.join(CLONE, ".maestro/maestro.yaml"), "w") as file:
    file.write(f"schema: maestro.config/v1\nenforce: [plan, flakes, policy]\njobs:\n{jobs}")
git("add", "--all", ".maestro")
git("commit", "--quiet", "--message", "Configure")
git("push", "--quiet", "--force", "origin", "main")
git("checkout", "--quiet", "-b", "topic")
changed = [path for path in files if path.split("/")[0] == folders[0] and os.path.isfile(os.path.join(CLONE, path))][:20]
for path in changed:
    with open(os.path.join(CLONE, path), "ab") as file:
        file.write(b"\n// changed\n")
git("commit", "--quiet", "--all", "--message", "Change")


def side(branch):
    return {"ref": branch, "sha": git("rev-parse", branch).strip(), "repo": {"id": 1, "full_name": "o/n"}}


event = os.path.join(WORK, "event.json")
with open(event, "w") as file:
    pull = {"number": 7, "title": "Change", "base": side("main"), "head": side("topic")}
    json.dump({"pull_request": pull, "repository": {"id": 1, "full_name": "o/n", "default_branch": "main"}}, file)
CI = {
    **ENV, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_PATH": event,
    "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_REPOSITORY": "o/n", "GITHUB_SHA": side("topic")["sha"],
}


def timed(env, *args):
    begun = time.perf_counter()
    done = subprocess.run([MAESTRO, *args], cwd=CLONE, env=env, capture_output=True, text=True)
    took = time.perf_counter() - begun
    assert done.returncode in (0, 10), f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return took


def told(name, times, target):
    times.sort()
    middle, late = times[len(times) // 2], times[min(len(times) - 1, int(0.95 * len(times)))]
    holds = "yes" if late <= target else "no"
    print(f"| {name} | {times[0]:.2f} | {middle:.2f} | {late:.2f} | {len(times)} | {target} | {holds} |", flush=True)


print(f"{os.path.basename(REPOSITORY)}: {size} MB packed, {len(files)} files, {len(folders)} jobs, {len(changed)} files changed\n")
print("| | least s | median s | p95 s | runs | at most | holds |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |")
outputs = os.path.join(WORK, "outputs")
plans = []
for _ in range(RUNS):
    # A runner's clone is fresh: what an earlier plan kept is not there.
    subprocess.run(["rm", "-rf", os.path.join(CLONE, ".git/maestro")], check=True)
    open(outputs, "w").close()
    plans.append(timed({**CI, "GITHUB_OUTPUT": outputs}, "plan"))
told("`maestro plan`", plans, 20)
found, lines = {}, iter(open(outputs).read().splitlines())
for line in lines:
    name, sign, rest = line.partition("<<")
    if sign and "=" not in name:
        found[name] = "\n".join(iter(lambda: next(lines), rest))
    else:
        name, _, value = line.partition("=")
        found[name] = value
needs = json.dumps({"plan": {"result": "success", "outputs": found}, "test": {"result": "success", "outputs": {}}})
gates = []
for _ in range(RUNS):
    subprocess.run(["rm", "-rf", os.path.join(CLONE, ".git/maestro")], check=True)
    gates.append(timed({**CI, "MAESTRO_NEEDS": needs}, "gate"))
told("`maestro gate`", gates, 15)
print(f"\nthe most memory: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")
