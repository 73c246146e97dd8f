"""Compares the number of cases with lxml's, file by file; every file with a JUnit root must be read."""
import json
import pathlib
import subprocess
import sys

from lxml import etree

ROOTS = {"testsuites", "testsuite", "testcase"}
binary, folders = sys.argv[1], sys.argv[2:]


def lxml_count(path):
    """Returns strictness and the number of cases, or nothing when the file is not JUnit."""
    for strict in (True, False):
        parser = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True, recover=not strict)
        try:
            root = etree.parse(str(path), parser).getroot()
        except (etree.XMLSyntaxError, OSError):
            continue
        if root is None or not isinstance(root.tag, str) or etree.QName(root).localname not in ROOTS:
            return None
        cases = sum(1 for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname == "testcase")
        return strict, cases
    return None


equal = recovered = 0
bad = []
for folder in folders:
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
        wanted = lxml_count(path)
        if wanted is None:
            continue
        strict, cases = wanted
        run = subprocess.run([binary, "flakes", "ingest", "--dry-run", "--format", "json", str(path)], capture_output=True, text=True)
        if run.returncode != 0:
            bad.append(f"refused {path}: exit {run.returncode}: {run.stderr.strip()}")
            continue
        files = json.loads(run.stdout)["files"]
        have = files[0]["cases"]
        if have == cases:
            equal += strict
            recovered += not strict
        elif strict:
            bad.append(f"different {path}: lxml {cases}, maestro {have}")
        else:
            notes = sorted({note["code"] for note in files[0]["notes"]})
            print(f"not well-formed {path.name}: lxml recovers {cases}, maestro {have} ({', '.join(notes)})")
            recovered += 1
print(f"equal {equal}, not well-formed {recovered}, different or refused {len(bad)}")
sys.exit("\n".join(bad) if bad or not equal else 0)
