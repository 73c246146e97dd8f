#!/usr/bin/env python3
"""check.py EXPECTED DIR...: compares the reports of a tool with the counts in its expected.json files.

EXPECTED is the tool's folder in fixtures/junit, and DIR a folder with the same files (EXPECTED itself, or a
new run). The counts are those of <testcase> elements: with an <error>, else with a <failure>, else with
a <skipped> or a status that says that the test did not run; all others passed. A report in a folder
"malformed" must not be well-formed XML, and one in a folder "several" is a number of documents.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as standard

try:
    from lxml import etree
except ImportError:
    etree = None

KEYS = ["cases", "passed", "failed", "errored", "skipped"]


def parse(data):
    standard.fromstring(data)
    return etree.fromstring(data) if etree else standard.fromstring(data)


def documents(path):
    data = path.read_bytes()
    if path.parent.name != "several":
        return [parse(data)]
    data = re.sub(rb"(?m)^(?!<\?xml).*\n?", b"", data) if path.suffix == ".txt" else data
    return [parse(d) for d in re.split(rb"(?=<\?xml )", data) if d.strip()]


def outcome(case):
    names = {child.tag for child in case if isinstance(child.tag, str)}
    for name, key in (("error", "errored"), ("failure", "failed"), ("skipped", "skipped")):
        if name in names:
            return key
    return "skipped" if case.get("status") in ("notrun", "disabled") else "passed"


def counts(path):
    result = dict.fromkeys(KEYS, 0)
    for root in documents(path):
        for case in root.iter("testcase"):
            result["cases"] += 1
            result[outcome(case)] += 1
    return result


def check(expected_dir, actual_dir):
    wrong = []
    seen = set()
    for expected_file in sorted(expected_dir.rglob("expected.json")):
        relative = expected_file.parent.relative_to(expected_dir)
        for name, expected in json.loads(expected_file.read_text()).items():
            path = actual_dir / relative / name
            seen.add(path)
            if list(expected) != KEYS or expected["cases"] != sum(expected[k] for k in KEYS[1:]):
                wrong.append(f"{relative / name}: the expected counts do not add up")
            elif not path.is_file():
                wrong.append(f"{relative / name}: missing")
            elif relative.name == "malformed":
                try:
                    parse(path.read_bytes())
                    wrong.append(f"{relative / name}: is well-formed now")
                except (SyntaxError, ValueError):
                    pass
            elif counts(path) != expected:
                wrong.append(f"{relative / name}: {counts(path)} instead of {expected}")
    for path in sorted(actual_dir.rglob("*")):
        if path.suffix in (".xml", ".txt") and path not in seen:
            wrong.append(f"{path.relative_to(actual_dir)}: not in expected.json")
    return wrong


def main():
    expected_dir = pathlib.Path(sys.argv[1])
    wrong = [w for d in sys.argv[2:] for w in check(expected_dir, pathlib.Path(d))]
    for line in wrong:
        print(f"{expected_dir.name}: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
