"""How much CPU peers take to say what a change affects: plan_peers.py BINARY PACKAGES REPOSITORY COMMITS

Each of the last first-parent commits of a pnpm workspace is checked out and asked about by every tool in turn. nx and Turborepo want an installed
workspace; a `node_modules` that says that it is one is enough for both. CPU is that of the command and of all that it starts.
"""
import ctypes, json, os, pathlib, resource, shutil, statistics, subprocess, sys, tempfile, time  # noqa: E401

PR_SET_CHILD_SUBREAPER = 36
ENVIRONMENT = dict(
    os.environ, CI="1", NX_DAEMON="false", NX_NO_CLOUD="true", NX_TUI="false", TURBO_TELEMETRY_DISABLED="1", DO_NOT_TRACK="1", NO_UPDATE_NOTIFIER="1",
    NO_COLOR="1",
)


def git(folder, *args):
    return subprocess.run(["git", "-C", folder, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout.strip()


def look_installed(folder, packages):
    modules = folder / "node_modules"
    modules.mkdir(exist_ok=True)
    (modules / ".modules.yaml").write_text("layoutVersion: 5\nnodeLinker: isolated\nhoistedDependencies: {}\n")
    if not (modules / "nx").exists():
        (modules / "nx").symlink_to(packages / "node_modules/nx")
    (folder / "turbo.json").write_text(json.dumps({"tasks": {"build": {"dependsOn": ["^build"]}}}))


def cpu_of(command, folder, **more):
    """Seconds of a command and of whatever outlives it: orphans come to this process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env={**ENVIRONMENT, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.time() + 10
    while time.time() < end:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.01)
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr.decode(errors='replace')[-400:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    binary, packages, repository, commits = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3], int(sys.argv[4])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    binaries = packages / "node_modules/.bin"
    native = next((packages / "node_modules/@turbo").glob("*/bin/turbo"))
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work, "clone")
        subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", repository, folder], check=True)
        chain = git(folder, "rev-list", "--first-parent", f"--max-count={commits + 1}", "HEAD").split()
        rows = {}
        for head, base in zip(chain, chain[1:]):
            # A mirror may lack its largest files; the others are what counts.
            subprocess.run(["git", "-C", folder, "checkout", "--quiet", "--force", "--detach", head], stderr=subprocess.DEVNULL)
            if git(folder, "rev-parse", "HEAD") != head:
                git(folder, "update-ref", "--no-deref", "HEAD", head)
            look_installed(folder, packages)
            nx = [binaries / "nx", "show", "projects", "--affected", f"--base={base}", f"--head={head}", "--json"]
            turbo = {"TURBO_SCM_BASE": base, "TURBO_SCM_HEAD": head}
            for name in ("workspace-data", "cache"):
                shutil.rmtree(folder / ".nx" / name, ignore_errors=True)
            tools = {
                "maestro": lambda: cpu_of([os.path.abspath(binary), "plan", "--base", base, "--head", head, "--format", "json"], folder),
                "Turborepo, its binary": lambda: cpu_of([native, "ls", "--affected", "--output=json"], folder, **turbo),
                "Turborepo, from npm": lambda: cpu_of([binaries / "turbo", "ls", "--affected", "--output=json"], folder, **turbo),
                "nx, nothing kept": lambda: cpu_of(nx, folder),
                "nx, with its cache": lambda: cpu_of(nx, folder),
            }
            for name, tool in tools.items():
                rows.setdefault(name, []).append(tool())
    print("| tool | median CPU s | maestro takes, of its CPU (median of the ratios) |")
    print("|---|---:|---:|")
    for name, times in rows.items():
        share = statistics.median(own / other for own, other in zip(rows["maestro"], times))
        print(f"| {name} | {statistics.median(times):.3f} | {share:.3f} |")


main()
