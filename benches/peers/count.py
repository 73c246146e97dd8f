"""Counts the cases of JUnit reports with a library of others: `count.py PROGRAM FILE-OR-FOLDER`.

Prints `cases failed skipped`. See benches/ingest.sh.
"""

import sys
from pathlib import Path


def lxml_iterparse(path):
    """One pass; what is counted is freed at once."""
    from lxml import etree

    cases = failed = skipped = 0
    for _, element in etree.iterparse(path, events=("end",), tag=("testcase", "testsuite")):
        if element.tag == "testcase":
            cases += 1
            for child in element:
                failed += child.tag == "failure"
                skipped += child.tag == "skipped"
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return cases, failed, skipped


def lxml_folder(folder):
    """A tree a file."""
    from lxml import etree

    cases = failed = skipped = 0
    for path in Path(folder).glob("*.xml"):
        for case in etree.parse(path).iter("testcase"):
            cases += 1
            for child in case:
                failed += child.tag == "failure"
                skipped += child.tag == "skipped"
    return cases, failed, skipped


def junitparser_folder(folder):
    from junitparser import Failure, JUnitXml, Skipped

    cases = failed = skipped = 0
    for path in Path(folder).glob("*.xml"):
        for suite in JUnitXml.fromfile(str(path)):
            for case in suite:
                cases += 1
                for result in case.result:
                    failed += isinstance(result, Failure)
                    skipped += isinstance(result, Skipped)
    return cases, failed, skipped


def test_results_parser(path):
    from test_results_parser import Outcome, parse_junit_xml

    counts = {}
    # Reads its list once: the property makes a new list each time.
    runs = parse_junit_xml(Path(path).read_bytes()).testruns
    for run in runs:
        outcome = str(run.outcome)
        counts[outcome] = counts.get(outcome, 0) + 1
    return len(runs), counts.get(str(Outcome.Failure), 0), counts.get(str(Outcome.Skip), 0)


PROGRAMS = {
    "lxml-iterparse": lxml_iterparse,
    "lxml-folder": lxml_folder,
    "junitparser-folder": junitparser_folder,
    "test-results-parser": test_results_parser,
}

if __name__ == "__main__":
    print(*PROGRAMS[sys.argv[1]](sys.argv[2]))
