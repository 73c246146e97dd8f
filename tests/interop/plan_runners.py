#!/usr/bin/env python3
"""Runs real test runners with what `maestro plan shard` tells them, and compares what ran with what they list.

usage: plan_runners.py MAESTRO NODE_PACKAGES WORK
"""

import json
import os
import pathlib
import re
import sys

from runners import ODD, run, words, write

MAESTRO, PACKAGES, WORK = (pathlib.Path(word).resolve() for word in sys.argv[1:])
PARTS = 4


def parts(runner, folder, text):
    """The calls of each part, and the digest of the split."""
    (folder / "list.txt").write_text(text)
    for part in range(1, PARTS + 1):
        shard = run([MAESTRO, "--dir", ".m", "plan", "shard", f"{part}/{PARTS}", "--runner", runner, "--tests", "list.txt", "--format", "json"], folder)
        yield json.loads(shard.stdout)


def compare(runner, expected, ran, splits):
    """Each expected test ran in one part, and nothing else did."""
    everything = [one for part in ran for one in part]
    twice = {one for one in everything if everything.count(one) > 1} if len(everything) != len(set(everything)) else set()
    missing, more = set(expected) - set(everything), set(everything) - set(expected)
    if twice or missing or more or len(splits) != 1 or not all(ran):
        sys.exit(f"{runner}: twice {sorted(twice)[:5]}, missing {sorted(missing)[:5]}, not asked for {sorted(more)[:5]}, parts {[len(part) for part in ran]}")
    print(f"{runner}: {len(everything)} of {len(set(expected))} ran once, in parts of {[len(part) for part in ran]}")


def pytest():
    folder = WORK / "pytest"
    for name in ["test_a", "sub/test_b", "sub dir/test_c"]:
        tests = "".join(f"def test_{word}(): pass\n" for word in words(60, 2))
        nested = "class TestC:\n    class TestD:\n" + "".join(f"        def test_{word}(self): pass\n" for word in words(10, 2))
        write(folder, f"{name}.py", f"import pytest\n@pytest.mark.parametrize('x', {ODD!r})\ndef test_p(x): pass\n{tests}{nested}")
    listed = run([sys.executable, "-m", "pytest", "--collect-only", "-q"], folder).stdout
    ran, splits = [], set()
    for shard in parts("pytest", folder, listed):
        (folder / "ids").write_text("\n".join(shard["calls"][0]) + "\n")
        done = run([sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "@ids"], folder)
        ran.append([line.rsplit(" PASSED", 1)[0] for line in done.stdout.splitlines() if " PASSED" in line])
        splits.add(shard["split"])
    compare("pytest", [line for line in listed.splitlines() if "::" in line], ran, splits)


def cargo(folder):
    write(folder, "Cargo.toml", '[package]\nname = "shards"\nversion = "0.1.0"\nedition = "2021"\n[[test]]\nname = "odd"\nharness = false\n')
    tests = "".join(f"#[test] fn {word}() {{}}\n" for word in words(60, 2))
    write(folder, "src/lib.rs", f"/// ```\n/// assert!(true);\n/// ```\npub fn f() {{}}\n#[cfg(test)] mod m {{ {tests} mod inner {{ {tests} }} }}\n")
    write(folder, "tests/it.rs", f"{tests} mod ü {{ #[test] fn r#fn() {{}} #[test] #[ignore] fn ignored() {{}} }}\n")
    # A harness of its own may call its tests anything.
    names = ["a b", "a)b", "a,b", "a\\b", "a/b", "(x)", "=x", "*", "é", "a & b", "not x", "a\"b", "#", "a::b (c)"]
    listed = "".join(f'"{name}",'.replace("\\", "\\\\").replace('a"b', 'a\\"b') for name in names)
    write(folder, "tests/odd.rs", f"""fn main() {{
    let args: Vec<String> = std::env::args().skip(1).collect();
    let names = [{listed}];
    if args.iter().any(|arg| arg == "--list") {{
        if !args.iter().any(|arg| arg == "--ignored") {{ for name in names {{ println!("{{name}}: test"); }} }}
        return;
    }}
    // cargo test hands out names of other binaries too.
    if args.iter().any(|arg| arg == "--nocapture") {{ return; }}
    for name in names.iter().filter(|name| args.iter().any(|arg| arg == *name)) {{ println!("test {{name}} ... ok"); }}
}}
""")


def nextest():
    folder = WORK / "cargo"
    cargo(folder)
    listed = run(["cargo", "nextest", "list", "--message-format", "json"], folder).stdout
    suites = json.loads(listed)["rust-suites"].values()
    expected = [f"{suite['binary-id']} {name}" for suite in suites for name, case in suite["testcases"].items() if case["filter-match"]["status"] == "matches"]
    ran, splits = [], set()
    for shard in parts("nextest", folder, listed):
        done = run(["cargo", "nextest", "list", "--message-format", "json", *shard["calls"][0]], folder)
        chosen = json.loads(done.stdout)["rust-suites"].values()
        picked = [f"{suite['binary-id']} {name}" for suite in chosen for name, case in suite["testcases"].items() if case["filter-match"]["status"] == "matches"]
        done = run(["cargo", "nextest", "run", "--no-fail-fast", *shard["calls"][0]], folder)
        count = int(re.search(r"(\d+) tests? run: \d+ passed", done.stdout + done.stderr).group(1))
        if count != len(picked):
            sys.exit(f"nextest: {count} ran, {len(picked)} are listed")
        ran.append(picked)
        splits.add(shard["split"])
    compare("nextest", expected, ran, splits)


def cargo_test():
    folder = WORK / "cargo"
    listed = run(["cargo", "test", "--", "--list", "--format", "terse"], folder).stdout
    # A test of several binaries is listed, and runs, once for each.
    names = [line[: -len(": test")] for line in listed.splitlines() if line.endswith(": test")]
    ran, splits = [], set()
    for shard in parts("cargo-test", folder, listed):
        said = "".join(run(["cargo", "test", *call], folder).stdout for call in shard["calls"])
        ran.append([match.group(1) for match in re.finditer(r"^test (.*) \.\.\. (?:ok|ignored)$", said, re.M)])
        splits.add(shard["split"])
    number = lambda all: [f"{name} {all[:at].count(name)}" for at, name in enumerate(all)]
    together = number([name for part in ran for name in part])
    for one, other in [(a, b) for a in range(PARTS) for b in range(a)]:
        if set(ran[one]) & set(ran[other]):
            sys.exit("cargo-test: a name ran in two parts")
    compare("cargo-test", number(names), [together], splits)


def go():
    folder = WORK / "go"
    write(folder, "go.mod", "module ex.com/m\ngo 1.19\n")
    for package in ["a", "a/b", "c"]:
        tests = "".join(f"func Test{word.upper()}(t *testing.T) {{}}\n" for word in words(50, 2))
        name = package.rsplit("/", 1)[-1]
        write(folder, f"{package}/x_test.go", f"package {name}\nimport \"testing\"\n{tests}func TestÜ(t *testing.T) {{ t.Run(\"s/x\", func(t *testing.T) {{}}) }}\nfunc BenchmarkX(b *testing.B) {{}}\nfunc FuzzY(f *testing.F) {{ f.Fuzz(func(t *testing.T, s string) {{}}) }}\nfunc ExampleZ() {{\n\t// Output:\n}}\n")
    write(folder, "d/d.go", "package d\n")
    listed = run(["go", "test", "-list", ".", "./..."], folder).stdout
    found, names = [], []
    for line in listed.splitlines():
        if line.startswith("ok "):
            found += [f"{line.split()[1]} {name}" for name in names]
            names = []
        elif line.startswith(("Test", "Fuzz", "Example")):
            names.append(line)
    ran, splits = [], set()
    for shard in parts("go-test", folder, listed):
        part = []
        for call in shard["calls"]:
            done = run(["go", "test", "-count=1", "-json", *call], folder)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            part += [f"{row['Package']} {row['Test']}" for row in rows if row["Action"] == "pass" and "/" not in row.get("Test", "/")]
        ran.append(part)
        splits.add(shard["split"])
    compare("go-test", found, ran, splits)


def files(folder, extension):
    text = "test('x [y]', () => {});\n"
    names = [f"src/{word}" for word in words(20, 2)] + [f"lib/src/{word}" for word in words(20, 2)]
    names += ["src/we ird [x](y) $1", "src/a+b", "src/{a,b}", "src/ü", "src/-k", "src/(group)/x", "src/[id]/x", "src/A", "src/a"]
    for name in names:
        write(folder, f"{name}.test.{extension}", text)
    for name in names[:5]:
        write(folder, f"{name}.test.{extension}x", text)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(PACKAGES / "node_modules")
    write(folder, "package.json", "{}")


def jest():
    folder = WORK / "jest"
    files(folder, "js")
    binary = PACKAGES / "node_modules/.bin/jest"
    listed = run([binary, "--listTests"], folder).stdout
    ran, splits = [], set()
    for shard in parts("jest", folder, listed):
        run([binary, "--json", "--outputFile=out.json", *shard["calls"][0]], folder)
        ran.append([one["name"] for one in json.loads((folder / "out.json").read_text())["testResults"]])
        splits.add(shard["split"])
    compare("jest", listed.splitlines(), ran, splits)


def vitest():
    folder = WORK / "vitest"
    files(folder, "ts")
    write(folder, "vitest.config.mjs", "export default { test: { globals: true } }\n")
    binary = PACKAGES / "node_modules/.bin/vitest"
    listed = run([binary, "list", "--filesOnly"], folder).stdout
    ran, splits = [], set()
    for shard in parts("vitest", folder, listed):
        run([binary, "run", "--reporter=json", "--outputFile=out.json", *shard["calls"][0]], folder)
        results = json.loads((folder / "out.json").read_text())["testResults"]
        ran.append([os.path.relpath(one["name"], folder) for one in results])
        splits.add(shard["split"])
    compare("vitest", listed.splitlines(), ran, splits)


for judge in [pytest, nextest, cargo_test, go, jest, vitest]:
    judge()
