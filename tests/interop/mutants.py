#!/usr/bin/env python3
"""Mutants of a room, a sample by a fixed seed, held against the room's own tests by cargo-mutants.

A room of decisions imports only other rooms of decisions (the table in ARCHITECTURE.md), so that it builds and tests as a small crate of its own: seconds
for a mutant instead of minutes. What only the suite would notice counts as survived.

usage: mutants.py REPOSITORY FOLDER ROOM [COUNT] [SEED]
prints: ROOM: caught N, missed N, timed out N, unviable N: N % caught
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

BAR = 85


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
    """Writes the crate: the room, what it imports, and the crates that these name."""
    rooms = closure(table(root), room)
    shutil.rmtree(crate, ignore_errors=True)
    (crate / "src").mkdir(parents=True)
    for name in rooms:
        for path in (root / "src" / name, root / "src" / f"{name}.rs"):
            if path.is_dir():
                shutil.copytree(path, crate / "src" / name)
            elif path.exists():
                shutil.copy(path, crate / "src")
    # The build script packs what `packed` unpacks.
    for name in ["Cargo.lock"] + ["build.rs"] * ("packed" in rooms):
        shutil.copy(root / name, crate)
    # What tests and `include!` reach outside of `src`.
    held = ["docs/policy", *(f"tests/{name}" for name in ("causes", "edits", "published", "secrets"))]
    for name in ["fixtures", "prompts", "schemas", "examples", *held]:
        shutil.copytree(root / name, crate / name)
    text = "\n".join(path.read_text() for path in crate.rglob("*.rs"))
    uses = lambda name: re.search(rf"\b{name.replace('-', '_')}::", text)
    manifest = (root / "Cargo.toml").read_text()
    head, _, rest = manifest.partition("[dependencies]\n")
    dependencies, _, rest = rest.partition("\n[target.")
    development = rest.partition("[dev-dependencies]\n")[2].partition("\n[")[0]
    needed = lambda lines: "\n".join(
        line for line in lines.splitlines() if line and not line.startswith("#") and uses(line.split(" ", 1)[0])
    )
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "room"\nversion = "0.0.0"\nedition = "2024"\n\n[lib]\ndoctest = false\n\n[workspace]\n\n'
        "[features]\nbench = []\n\n"
        f"[dependencies]\n{needed(dependencies)}\n\n[dev-dependencies]\n{needed(development)}\n\n"
        '[build-dependencies]\nflate2 = "1"\n\n'
        '[profile.dev]\ndebug = false\n\n[profile.dev.package."*"]\nopt-level = 2\n'
    )
    shown = "#![allow(dead_code, unused_imports, unreachable_pub, unexpected_cfgs)]\n"
    (crate / "src/lib.rs").write_text(shown + "".join(f"mod {name};\n" for name in rooms))
    return rooms


def mutants(crate, *arguments):
    return ["cargo", "mutants", "--dir", str(crate), "--colors", "never", *arguments]


def main():
    root, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    room = sys.argv[3]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 130
    seed = sys.argv[5] if len(sys.argv) > 5 else "maestro"
    crate = folder / room
    rooms = make(root, crate, room)
    files = [f"src/{room}.rs", f"src/{room}/**/*.rs"]
    only = [word for file in files for word in ("-f", file)]
    listed = subprocess.run(mutants(crate, "--list", "--json", *only), check=True, capture_output=True, text=True)
    names = sorted(mutant["name"] for mutant in json.loads(listed.stdout))
    chosen = sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).hexdigest())[:count]
    print(f"{room} (with {', '.join(rooms)}): {len(chosen)} of {len(names)} mutants", flush=True)
    patterns = [word for name in chosen for word in ("-F", f"^{re.escape(name)}$")]
    out = folder / f"{room}.out"
    shutil.rmtree(out, ignore_errors=True)
    jobs = os.environ.get("MUTANTS_JOBS", "2")
    command = mutants(crate, *only, *patterns, "--output", str(out), "--jobs", jobs, "--timeout-multiplier", "5", "--no-times", "--", "--lib", f"{room}::")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = json.loads((out / "mutants.out/outcomes.json").read_text())
    caught, missed, late, unviable = (found[key] for key in ("caught", "missed", "timeout", "unviable"))
    judged = caught + missed + late
    share = 100 * caught / judged if judged else 0
    for kind in ("missed", "timeout"):
        for line in (out / f"mutants.out/{kind}.txt").read_text().splitlines():
            print(f"  {kind}: {line}")
    print(f"{room}: caught {caught}, missed {missed}, timed out {late}, unviable {unviable}: {share:.1f} % caught", flush=True)
    if done.returncode not in (0, 2, 3):
        sys.exit(done.stdout[-4000:])
    if judged < 100 or share < BAR:
        sys.exit(f"{room}: {judged} judged (at least 100), {share:.1f} % caught (at least {BAR})")


if __name__ == "__main__":
    main()
