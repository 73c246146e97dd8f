#!/usr/bin/env python3
"""Real test runners leave out exactly what is in quarantine: 300 tests each, with names that are hard to tell apart or to write.

usage: quarantine_skip.py MAESTRO WORK
"""

import json
import pathlib
import random
import sys
import xml.etree.ElementTree as xml

from runners import ODD, run, words, write

MAESTRO, WORK = (pathlib.Path(word).resolve() for word in sys.argv[1:])
RANDOM = random.Random(11)


def label(suites, case):
    """The suite as the history calls it."""
    parts = [suite.get("name") for suite in suites if suite.get("name")]
    classname = case.get("classname")
    if classname and classname != case.get("name") and (not parts or parts[-1] != classname):
        parts.append(classname)
    return " > ".join(parts)


def cases(report):
    """(suite, name) of each test that ran, and of each that was skipped."""
    ran, skipped = [], []

    def walk(node, suites):
        for child in node:
            if child.tag == "testsuite":
                walk(child, [*suites, child])
            elif child.tag == "testcase":
                key = (label(suites, child), child.get("name"))
                (skipped if child.find("skipped") is not None else ran).append(key)

    root = xml.parse(report).getroot()
    walk(root, [root] if root.tag == "testsuite" else [])
    return ran, skipped


def quarantine(folder, tests):
    """Commits a quarantine of these tests; returns what maestro tells the runner."""
    entries = [{"suite": suite, "test": test, "mode": "skip", "reason": "r", "since": "2026-01-01", "review_by": "2999-01-01"} for suite, test in tests]
    write(folder, ".maestro/quarantine.json", json.dumps({"schema": "maestro.quarantine/v1", "tests": entries}))
    write(folder, ".maestro/maestro.yaml", "schema: maestro.config/v1\nenforce: [flakes]\n")
    write(folder, ".gitignore", "target\n__pycache__\n*.xml\n")
    for args in [["init", "--quiet"], ["add", "--all"], ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "x"]]:
        run(["git", *args], folder)


def skip(folder, runner, *more):
    return json.loads(run([MAESTRO, "flakes", "quarantine", "skip", "--runner", runner, "--base", "HEAD", "--format", "json", *more], folder).stdout)


def compare(runner, everything, chosen, ran):
    expected = sorted(set(everything) - set(chosen))
    if sorted(ran) != expected:
        missing, more = set(expected) - set(ran), set(ran) - set(expected)
        sys.exit(f"{runner}: left out and should not {sorted(missing)[:5]}, ran and should not {sorted(more)[:5]}")
    print(f"{runner}: {len(chosen)} of {len(everything)} left out, and no others")


def pytest():
    folder = WORK / "pytest"
    for name in ["test_a", "sub/test_a", "sub dir/test_c"]:
        tests = "".join(f"def test_{word}(): pass\n" for word in words(60))
        nested = "class TestC:\n    class TestD:\n" + "".join(f"        def test_{word}(self): pass\n" for word in words(20))
        write(folder, f"{name}.py", f"import pytest\n@pytest.mark.parametrize('x', {ODD!r})\ndef test_p(x): pass\n{tests}{nested}")
        write(folder, f"{name.rpartition('/')[0] or '.'}/__init__.py", "") if "/" in name and " " not in name else None
    base = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"]
    run(base, folder)
    everything, _ = cases(folder / "r.xml")
    chosen = RANDOM.sample(sorted(set(everything)), 150)
    quarantine(folder, chosen)
    told = skip(folder, "pytest", "--out", "plug")
    run([*base, *told["args"]], folder, PYTHONPATH="plug")
    ran, skipped = cases(folder / "r.xml")
    compare("pytest", everything, chosen, ran)
    assert sorted(skipped) == sorted(chosen)


def cargo(folder):
    write(folder, "Cargo.toml", '[package]\nname = "left"\nversion = "0.1.0"\nedition = "2021"\n')
    tests = "".join(f"#[test] fn {word}() {{}}\n" for word in words(100))
    write(folder, "src/lib.rs", f"#[cfg(test)] mod m {{ {tests} mod inner {{ {tests} }} }}\n")
    other = "".join(f"#[test] fn u{word}() {{}}\n" for word in words(100))
    write(folder, "tests/it.rs", f"mod m {{ {other} mod ü {{ #[test] fn r#fn() {{}} }} }}\n")


def nextest():
    folder = WORK / "cargo"
    cargo(folder)
    write(folder, ".config/nextest.toml", '[profile.ci.junit]\npath = "junit.xml"\n')
    base = ["cargo", "nextest", "run", "--profile", "ci"]
    run(base, folder)
    report = folder / "target/nextest/ci/junit.xml"
    everything, _ = cases(report)
    chosen = RANDOM.sample(sorted(everything), 150)
    quarantine(folder, chosen)
    run([*base, *skip(folder, "nextest")["args"]], folder)
    ran, _ = cases(report)
    compare("nextest", everything, chosen, ran)
    # cargo test knows the same tests by name.
    told = skip(folder, "cargo-test")["args"]
    done = run(["cargo", "test", *told], folder)
    ran = [line.split(" ")[1] for line in done.stdout.splitlines() if line.startswith("test ") and line.endswith("... ok")]
    names = lambda tests: [test for _, test in tests]
    compare("cargo-test", names(everything), names(chosen), ran)


for judge in [pytest, nextest]:
    judge()
