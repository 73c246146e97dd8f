#!/usr/bin/env python3
"""Goes CONTRIBUTING.md's walk-through as a newcomer would, with a compiler: each step, then the tests, whose message has to be the one that is quoted.

The room of policies is built as a small crate of its own, as for mutants: seconds instead of minutes.

usage: newcomer.py REPOSITORY FOLDER
"""

import pathlib
import re
import subprocess
import sys

from mutants import make

TESTS = ["cargo", "test", "--quiet", "--lib", "policy::rules"]


def walk(root):
    """The blocks of the walk-through: the words behind the fence, and the text."""
    text = (root / "CONTRIBUTING.md").read_text()
    walk = text.partition("## A walk-through: add a policy rule\n")[2].partition("\n## ")[0]
    return [(words.split(), body) for words, body in re.findall(r"^```(.*)\n((?s:.*?))^```$", walk, re.M)]


def take(tree, path, kind, body):
    """Writes what a step writes."""
    path = tree / path
    if kind == "diff":
        old = "".join(line[1:] + "\n" for line in body.splitlines() if line[0] == " ")
        new = "".join(line[1:] + "\n" for line in body.splitlines())
        text = path.read_text()
        assert text.count(old) == 1, f"{path} has not\n{old}"
        path.write_text(text.replace(old, new))
    else:
        assert not path.exists(), f"{path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)


def test(crate):
    done = subprocess.run(TESTS, cwd=crate, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def main():
    root, folder = (pathlib.Path(word) for word in sys.argv[1:])
    crate = folder / "policy"
    make(root, crate, "policy")
    # Optimising what it stands on takes longer than these tests.
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text().partition('\n[profile.dev.package."*"]')[0])
    steps = walk(root)
    code, said = test(crate)
    assert code == 0, f"before the first step:\n{said}"
    passed = int(re.search(r"(\d+) passed", said)[1])
    while len(steps[0][0]) == 2:
        (kind, path), body = steps.pop(0)
        take(crate, path, kind, body)
        code, said = test(crate)
        if kind != "diff":
            _, quoted = steps.pop(0)
            assert code != 0, f"after {path} nothing is missing"
            failed = re.findall(r"^    (\S+)$", said.partition("\nfailures:\n")[2].rpartition("\nfailures:\n")[2], re.M)
            assert failed == ["policy::rules::tests::no_part_of_a_rule_is_missing"], f"after {path} these fail too: {failed}\n{said}"
            assert quoted.strip() in said, f"after {path} the tests say\n{said}\nand CONTRIBUTING.md quotes\n{quoted}"
            print(f"{path}: the next step is named", flush=True)
    assert code == 0, f"at the end of the walk:\n{said}"
    new = int(re.search(r"(\d+) passed", said)[1]) - passed
    assert new > 0, "the new rule's tests did not run"
    print(f"the line: the tests pass, {new} more than before")


main()
