#!/usr/bin/env python3
"""Mutants of a room by cargo-mutants, a sample by a fixed seed, held against the room's own tests.

A room of decisions imports only other rooms of decisions (the table in ARCHITECTURE.md), so that it builds and tests as a small crate of its own: seconds
for a mutant instead of minutes. What only the suite would notice counts as survived.

A mutant is drawn by what it does and where, not by its line, so that a test written for one does not draw others. `mutants.json` says of some that were not
caught why: `endless` ones run out of time because they never end, and count as caught; `same` ones do what the code does, and count as survivors all the same.

COUNT of them are judged; what does not compile is drawn past.

usage: mutants.py REPOSITORY FOLDER ROOM [COUNT] [SEED]
environment: MUTANTS_AGAIN=1 goes on from what FOLDER/ROOM.json has: only those that were not caught, or not judged, are judged; MUTANTS_JOBS how many at once (2)
prints: ROOM: caught N, missed N, timed out N, unviable N: N % caught
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import mutants_within

BAR = 85
KINDS = ("caught", "missed", "timeout", "unviable")


def table(root):
    """What each room imports, by ARCHITECTURE.md."""
    rows = {}
    for line in (root / "ARCHITECTURE.md").read_text().splitlines():
        found = re.fullmatch(r"\| `(\w+)` \| (.*) \|", line)
        if found:
            rows[found[1]] = set(re.findall(r"`(\w+)`", found[2]))
    return rows


def closure(rows, room):
    seen, todo = set(), [room]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += rows[name]
    return sorted(seen)


def make(root, crate, room):
    """Writes two crates: `rest`, which has what the room imports, and the room, which alone is compiled again for a mutant."""
    rooms = [name for name in closure(table(root), room) if name != room]
    rest = crate.with_name(f"{room}-rest")
    for folder, names in ((rest, rooms), (crate, [room])):
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "src").mkdir(parents=True)
        for name in names:
            for path in (root / "src" / name, root / "src" / f"{name}.rs"):
                if path.is_dir():
                    shutil.copytree(path, folder / "src" / name)
                elif path.exists():
                    shutil.copy2(path, folder / "src")
        # What tests and `include!` reach outside of `src`.
        held = ["docs/policy", *(f"tests/{name}" for name in ("causes", "edits", "published", "secrets"))]
        for name in ["fixtures", "prompts", "schemas", "examples", *held]:
            shutil.copytree(root / name, folder / name)
        shutil.copy2(root / "Cargo.lock", folder)
    # The room sees all of the rest, also what its tests are helped by. Times are kept, so that cargo compiles the rest once, and the room anew.
    for path in (rest / "src").rglob("*.rs"):
        text = path.read_text().replace("pub(crate) ", "pub ").replace("cfg(test)", "cfg(all())").replace("cfg_attr(test,", "cfg_attr(all(),")
        write(path, text, path.stat().st_mtime)
    for path in (crate / "src").rglob("*.rs"):
        path.touch()
    show(crate / "src" / room)
    # The build script packs what `packed` unpacks.
    if "packed" in rooms:
        shutil.copy2(root / "build.rs", rest)
    listed = manifest(root, (rest, crate))
    own = '[package]\nname = "{}"\nversion = "0.0.0"\nedition = "2024"\n\n[lib]\ndoctest = false\n\n[workspace]\n\n[features]\nbench = []\n\n'
    quick = '\n\n[profile.dev]\ndebug = false\n\n[profile.dev.package."*"]\nopt-level = 2\n\n[profile.dev.package.rest]\nopt-level = 0\n'
    build = '\n\n[build-dependencies]\nflate2 = "1"\n'
    at = (root / "ARCHITECTURE.md").stat().st_mtime
    write(rest / "Cargo.toml", own.format("rest") + f"[dependencies]\n{listed}{build}", at)
    text = "#![allow(warnings)]\n" + "".join(f"pub mod {name};\n" for name in rooms)
    write(rest / "src/lib.rs", text, at)
    (crate / "Cargo.toml").write_text(own.format("room") + f'[dependencies]\nrest = {{ path = "../{rest.name}" }}\n{listed}{quick}')
    (crate / "src/lib.rs").write_text(f"#![allow(warnings)]\nuse rest::{{{', '.join(rooms)}}};\nmod {room};\n")
    return rooms


def show(folder):
    """Names the modules that a macro declares, which cargo-mutants does not see otherwise; for the compiler they are not there twice."""
    for parent in folder.rglob("*.rs"):
        text = parent.read_text()
        below = parent.parent if parent.name == "mod.rs" else parent.with_suffix("")
        listed = re.findall(r"^ +(\w+): \w+;$", text, re.MULTILINE)
        hidden = [name for name in listed if (below / f"{name}.rs").exists() and not re.search(rf"\bmod {name};", text)]
        if hidden:
            parent.write_text(text + "".join(f"#[cfg(any())]\nmod {name};\n" for name in hidden))


def write(path, text, at):
    path.write_text(text)
    os.utime(path, (at, at))


def manifest(root, folders):
    """The crates that the folders name, as Cargo.toml has them."""
    text = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.rs"))
    _, _, rest = (root / "Cargo.toml").read_text().partition("[dependencies]\n")
    dependencies, _, rest = rest.partition("\n[target.")
    development = rest.partition("[dev-dependencies]\n")[2].partition("\n[")[0]
    lines = {}
    for line in [*development.splitlines(), *dependencies.splitlines()]:
        name = line.split(" ", 1)[0]
        if line and not line.startswith("#") and re.search(rf"\b{name.replace('-', '_')}::", text):
            lines[name] = line
    return "\n".join(lines.values())


def listed(crate, room):
    """All mutants of the room by what each does and where (the second of its kind in a function has `#2`)."""
    files = [word for file in (f"src/{room}.rs", f"src/{room}/**/*.rs") for word in ("-f", file)]
    found = subprocess.run(["cargo", "mutants", "--dir", str(crate), "--list", "--json", *files], check=True, capture_output=True, text=True)
    places, seen = {}, collections.Counter()
    for mutant in json.loads(found.stdout):
        key = re.sub(r"^(\S+\.rs):\d+:\d+: ", r"\1: ", mutant["name"])
        seen[key] += 1
        places[key if seen[key] == 1 else f"{key} #{seen[key]}"] = mutant
    return places


def main():
    root, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    room = sys.argv[3]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 104
    seed = sys.argv[5] if len(sys.argv) > 5 else "maestro"
    crate, kept = folder / room, folder / f"{room}.json"
    rooms = make(root, crate, room)
    os.environ["CARGO_TARGET_DIR"] = str(folder / "target")
    places = listed(crate, room)
    print(f"{room} (with {', '.join(rooms)}): {count} of {len(places)} mutants", flush=True)
    drawn = sorted(places, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).hexdigest())
    before = json.loads(kept.read_text()) if kept.exists() and os.environ.get("MUTANTS_AGAIN") else {}
    found = {}

    def keep(more):
        before.update(more)
        kept.write_text(json.dumps(before, indent=1))

    while (missing := count - sum(kind != "unviable" for kind in found.values())) > 0:
        # Some do not compile, and are drawn past.
        chosen = drawn[len(found) :][: missing + missing // 6]
        if not chosen:
            break
        # What was caught or does not compile stays so when tests are added.
        found |= {key: before[key] for key in chosen if before.get(key) in ("caught", "unviable")}
        todo = [key for key in chosen if key not in found]
        if todo:
            mutants_within.judge(crate, room, {key: places[key] for key in todo}, keep)
            found |= {key: before[key] for key in todo}
    summary(room, found, places, json.loads((root / "tests/interop/mutants.json").read_text()))


def summary(room, found, places, reasons):
    for key, kind in sorted(found.items()):
        why = reasons["endless"].get(key) if kind == "timeout" else reasons["same"].get(key)
        if kind in ("missed", "timeout"):
            print(f"  {kind}: {places[key]['name']}" + f" ({why})" * bool(why))
    caught, missed, late, unviable = (list(found.values()).count(kind) for kind in KINDS)
    endless = sum(kind == "timeout" and key in reasons["endless"] for key, kind in found.items())
    judged = caught + missed + late
    share = 100 * (caught + endless) / judged if judged else 0
    print(f"{room}: caught {caught}, missed {missed}, timed out {late} (endless {endless}), unviable {unviable}: {share:.1f} % caught", flush=True)
    # A reason for what is not there any more, or is caught now, says nothing; what never ends may run out of memory before it runs out of time, and is caught then.
    here = lambda key: key.startswith((f"src/{room}.rs", f"src/{room}/"))
    is_stale = lambda kind, key: key not in places or kind == "same" and found.get(key) == "caught"
    stale = [key for kind in reasons for key in reasons[kind] if here(key) and is_stale(kind, key)]
    if stale:
        sys.exit(f"{room}: tests/interop/mutants.json gives reasons for mutants that are caught or not there:\n" + "\n".join(stale))
    if judged < 100 or share < BAR:
        sys.exit(f"{room}: {judged} judged (at least 100), {share:.1f} % caught (at least {BAR})")


if __name__ == "__main__":
    main()
