#!/usr/bin/env python3
"""Backtest of `maestro plan shard`: each run of a history is split by what the runs before it took, and measured by its own times.

usage: plan_shards.py MAESTRO HISTORIES [PARTS...]

HISTORIES has a folder for each project, with its JUnit reports in order of name, and a file `runner` that says who made them.
By count, tests are split in the order of the report: in one piece for each part (contiguous), or one by one (in turns).
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

LIMIT, SHORTER = 1.10, 0.25


def nextest(path):
    """The tests of a report, as nextest lists them, and what each took."""
    times, suites = {}, {}
    for case in xml.parse(path).iter("testcase"):
        binary, name = case.get("classname"), case.get("name")
        times[f"{binary} {name}"] = times.get(f"{binary} {name}", 0) + float(case.get("time") or 0)
        suites.setdefault(binary, {"binary-id": binary, "testcases": {}})["testcases"][name] = {"ignored": False}
    return json.dumps({"rust-suites": suites}), times


def nextest_ids(call, times):
    """The tests that filtersets select: whole binaries, or names in one."""
    ids = set()
    for expression in call[1::2]:
        for term in expression.replace(") | (binary", ")\n(binary").replace(") | binary", ")\nbinary").split("\n"):
            binary = term.split("binary_id(=", 1)[1].split(")", 1)[0]
            if "test(=" not in term:
                ids |= {one for one in times if one.split(" ", 1)[0] == binary}
            for part in term.split("test(=")[1:]:
                ids.add(f"{binary} {part.split(')', 1)[0]}")
    return ids


def pytest(path):
    """The tests of a report, as pytest lists them, and what each took."""
    times = {}
    for case in xml.parse(path).iter("testcase"):
        file, classname = case.get("file"), case.get("classname")
        module = file.removesuffix(".py").replace("/", ".")
        classes = classname[len(module):].strip(".") if classname.startswith(module) else ""
        one = "::".join([file, *filter(None, classes.split(".")), case.get("name")])
        times[one] = times.get(one, 0) + float(case.get("time") or 0)
    return "\n".join(times) + "\n", times


RUNNERS = {"nextest": (nextest, nextest_ids), "pytest": (pytest, lambda call, _: set(call))}


def longest(parts):
    sums = [sum(part) for part in parts]
    return max(sums) / statistics.mean(sums)


def backtest(maestro, folder, parts):
    """Returns, run by run, max/mean by time, by count in one piece, and by count in turns."""
    runner = (folder / "runner").read_text().strip()
    read, ids_of = RUNNERS[runner]
    rows = []
    with tempfile.TemporaryDirectory() as work:
        run = lambda *args: subprocess.run([maestro, "--dir", ".m", *args], cwd=work, check=True, capture_output=True, text=True).stdout
        for day, report in enumerate(sorted(folder.glob("*.xml"))):
            text, times = read(report)
            if day > 0:
                (pathlib.Path(work) / "list").write_text(text)
                shards, splits, seen = [], set(), set()
                for part in range(parts):
                    shard = json.loads(run("plan", "shard", f"{part + 1}/{parts}", "--runner", runner, "--tests", "list", "--format", "json"))
                    ids = set().union(*(ids_of(call, times) for call in shard["calls"]))
                    assert not ids & seen and ids <= set(times), f"{report}: a test in two parts, or none of the list"
                    seen |= ids
                    splits.add(shard["split"])
                    shards.append([times[one] for one in ids])
                assert seen == set(times) and len(splits) == 1, f"{report}: not every test has a part"
                order = list(times.values())
                bounds = [part * len(order) // parts for part in range(parts + 1)]
                pieces = [order[a:b] for a, b in zip(bounds, bounds[1:])]
                rows.append((longest(shards), longest(pieces), longest([order[part::parts] for part in range(parts)])))
            run("flakes", "ingest", str(report.resolve()), "--job", "test", "--run", str(day), "--at", f"2026-{1 + day // 28:02}-{1 + day % 28:02}T08:00:00Z")
    return rows


def main():
    maestro, histories = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    all_parts = [int(word) for word in sys.argv[3:]] or [4, 5]
    failed = False
    print(f"{'project':12} {'parts':>5} {'runs':>5} {'median':>7} {'worst':>7} {'count':>7} {'turns':>7} {'shorter':>8}")
    for folder in sorted(one for one in histories.iterdir() if (one / "runner").exists()):
        for parts in all_parts:
            rows = backtest(maestro, folder, parts)
            mine, count, turns = (statistics.median(column) for column in zip(*rows))
            worst = max(row[0] for row in rows)
            shorter = 1 - mine / count
            failed |= mine > LIMIT or shorter < SHORTER or len(rows) < 19
            print(f"{folder.name:12} {parts:5} {len(rows):5} {mine:7.3f} {worst:7.3f} {count:7.3f} {turns:7.3f} {shorter:8.0%}")
    sys.exit("the backtest failed" if failed else 0)


main()
