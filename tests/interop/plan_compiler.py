"""Judges `maestro plan` by what compilers read: plan_compiler.py BINARY CHECKOUT...

`cargo check --workspace --tests` leaves a list of the files that each crate was made from (dep-info), and build scripts say what they read
(`rerun-if-changed`). Touching any tracked one of these files must select the packages that read it, and all that depend on them.
"""
import collections, json, os, re, subprocess, sys  # noqa: E401


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **more).stdout


def dep_info(path):
    """Returns the files behind the colons of a Makefile as rustc writes it."""
    found = set()
    for line in open(path, errors="surrogateescape"):
        if not line.startswith("#"):
            words = re.split(r"(?<!\\) +", line.rstrip("\n").partition(": ")[2])
            found |= {word.replace("\\ ", " ") for word in words if word}
    return found


def dep_files(message):
    for name in message["filenames"]:
        folder, base = os.path.split(name)
        if "custom-build" in message["target"]["kind"]:
            yield from (os.path.join(folder, file) for file in os.listdir(folder) if file.endswith(".d"))
            continue
        stem = base.rpartition(".")[0] or base
        for candidate in (stem, stem.removeprefix("lib")):
            if os.path.exists(path := os.path.join(folder, candidate + ".d")):
                yield path
                break


def readers(root, target):
    """Returns {tracked file: folders of the packages that read it}, and {folder: folders of those that depend on it}."""
    environment = dict(os.environ, CARGO_TARGET_DIR=target, CARGO_INCREMENTAL="0", CARGO_PROFILE_DEV_DEBUG="0")
    metadata = json.loads(run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=root))
    folder_of = {p["id"]: os.path.relpath(os.path.dirname(p["manifest_path"]), root) for p in metadata["packages"]}
    dependents = collections.defaultdict(set)
    for package in metadata["packages"]:
        for path in filter(None, (dependency.get("path") for dependency in package["dependencies"])):
            dependents[os.path.relpath(path, root)].add(folder_of[package["id"]])
    tracked = set(run(["git", "-C", root, "ls-files", "-z"]).decode("utf-8", "surrogateescape").split("\0")) - {""}
    found = collections.defaultdict(set)

    def note(path, folder):
        for name in {os.path.normpath(path), os.path.realpath(path)}:
            if (short := os.path.relpath(name, root)) in tracked:
                found[short].add(folder)
            elif os.path.isdir(name):
                for file in (file for file in tracked if file.startswith(short + "/")):
                    found[file].add(folder)

    command = ["cargo", "check", "--workspace", "--tests", "--keep-going", "--message-format=json", "--quiet"]
    messages = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE).stdout
    for message in map(json.loads, filter(lambda line: line.startswith(b"{"), messages.splitlines())):
        folder = folder_of.get(message.get("package_id"))
        if folder and message["reason"] == "compiler-artifact":
            for path in (path for file in dep_files(message) for path in dep_info(file)):
                note(os.path.join(metadata["workspace_root"], path), folder)
        elif folder and message["reason"] == "build-script-executed":
            output = open(os.path.join(os.path.dirname(message["out_dir"]), "output"), errors="replace").read()
            for path in re.findall(r"^cargo::?rerun-if-changed=(.*)$", output, re.M):
                note(os.path.join(root, folder, path.strip()), folder)
    return found, dependents


def main():
    binary, *checkouts = sys.argv[1:]
    misses = 0
    for root in map(os.path.realpath, checkouts):
        found, dependents = readers(root, os.environ.get("PLAN_TARGET", os.path.join(root, "target")))
        count = collections.Counter(files=len(found))
        for file, folders in sorted(found.items()):
            plan = json.loads(run([binary, "-C", root, "plan", "--files-from", "-", "--format", "json"], input=os.fsencode(file)))
            queue = list(folders)
            for folder in queue:
                queue += dependents[folder].difference(queue)
            everything = plan["mode"] == "all"
            selected = {p["dir"] for p in plan["projects"] if p["affected"] and p["kind"] == "cargo"}
            missed = set() if everything else set(queue) - selected
            count.update(everything=everything, misses=bool(missed))
            for folder in sorted(missed):
                print("MISS", os.path.basename(root), file, folder)
        print(json.dumps({"checkout": os.path.basename(root), **count}))
        misses += count["misses"]
    sys.exit(misses > 0)


main()
