"""Holds plans against guppy's determinator: plan_determinator.py MAESTRO JUDGE REPOSITORY COMMITS

One work tree is moved along the first-parent history; `cargo metadata` resolves each commit as its lock file says. Commits that it cannot resolve
are counted and passed over. guppy knows one workspace and gives it all that lies below it; a file of another workspace (the
fuzzer) is kept from it, and counted.
"""
import json, os, pathlib, subprocess, sys, tempfile, tomllib  # noqa: E401


def run(command, folder, **more):
    return subprocess.run(list(map(str, command)), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, **more).stdout


def metadata(clone, commit, work):
    """The file with what cargo says of a commit; nothing when it says nothing."""
    file = work / f"{commit}.json"
    if not file.exists():
        run(["git", "checkout", "--force", "--quiet", "--detach", commit], clone)
        environment = dict(os.environ, CARGO_TARGET_DIR=str(work / "target"), RUSTUP_TOOLCHAIN=os.environ.get("RUSTUP_TOOLCHAIN", "stable"))
        locked = ["--locked"] if (clone / "Cargo.lock").exists() else []
        done = subprocess.run(["cargo", "metadata", "--format-version", "1", *locked], cwd=clone, env=environment, capture_output=True)
        file.write_bytes(done.stdout if done.returncode == 0 else b"")
    return file if file.stat().st_size else None


def workspaces(clone, commit):
    """The folders below the root that are workspaces of their own."""
    names = run(["git", "ls-tree", "-r", "-z", "--name-only", commit], clone).decode().split("\0")
    manifests = [name for name in names if name.endswith("/Cargo.toml")]

    def is_own(name):
        try:
            return "workspace" in tomllib.loads(run(["git", "show", f"{commit}:{name}"], clone).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            return False

    return {str(pathlib.PurePosixPath(name).parent) for name in manifests if is_own(name)}


def main():
    maestro, judge, repository, commits = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3], int(sys.argv[4])
    count = {"judged": 0, "unresolved": 0, "everything": 0, "elsewhere": 0, "misses": 0}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        clone = work / "clone"
        run(["git", "clone", "--quiet", "--shared", "--no-checkout", repository, clone], work)
        chain = run(["git", "rev-list", "--first-parent", f"--max-count={commits + 1}", "HEAD"], clone).decode().split()
        for head, base in zip(chain, chain[1:]):
            new, old = metadata(clone, head, work), metadata(clone, base, work)
            if not (new and old):
                count["unresolved"] += 1
                continue
            changed = run(["git", "diff", "--name-only", "-z", "--no-renames", base, head], clone)
            others = workspaces(clone, base) & workspaces(clone, head)
            paths = [path for path in changed.decode().split("\0") if path]
            inside = [path for path in paths if not others & set(map(str, pathlib.PurePosixPath(path).parents))]
            count["elsewhere"] += len(paths) - len(inside)
            changed = "".join(path + "\0" for path in inside).encode()
            needed = {one or "." for one in json.loads(run([judge, old, new], clone, input=changed))}
            plan = json.loads(run([maestro, "plan", "--no-fetch", "--base", base, "--head", head, "--format", "json"], clone))
            count["judged"] += 1
            if plan["mode"] == "all":
                count["everything"] += 1
                continue
            selected = {one["dir"] for one in plan["projects"] if one["affected"] and one["kind"] == "cargo"}
            if needed - selected:
                count["misses"] += 1
                print("MISS", head, sorted(needed - selected))
    print(json.dumps({"repository": os.path.basename(os.path.dirname(os.path.abspath(repository))), **count}))
    sys.exit(count["misses"] > 0 or count["judged"] == 0)


main()
