#!/usr/bin/env python3
"""Writes synthetic JUnit XML for the benchmarks, and prints what is in it.

    gen_junit.py FILE CASES          one file, in suites of 500 cases
    gen_junit.py FOLDER CASES FILES  CASES cases in each of FILES files, one suite a file

Of every 200 cases 4 fail with a stack of 20 lines, 2 are skipped and 1 passes after a failed try
(`flakyFailure`, same stack); where they stand is random, but the same on every machine. One JSON
object with the counts goes to standard output, so that a benchmark can hold programs to them.
"""

import json
import random
import sys
from pathlib import Path

SUITE_SIZE = 500
DECK = ["failed"] * 4 + ["skipped"] * 2 + ["flaky"] + ["passed"] * 193
STACK = "".join(
    f"\tat org.example.cart.checkout.layer{n}.OrderStep{n}.handle{n}(OrderStep{n}.java:{n * 11 + 3})\n"
    for n in range(20)
)
INSIDE = {
    "failed": '>\n      <failure message="expected &lt;200&gt; but got &lt;500&gt;"'
    f' type="org.example.cart.AssertionError"><![CDATA[{STACK}]]></failure>\n    </testcase>\n',
    "skipped": '>\n      <skipped message="not on this platform"/>\n    </testcase>\n',
    "flaky": '>\n      <flakyFailure message="timed out" type="org.example.cart.TimeoutException">'
    f"<stackTrace>{STACK}</stackTrace></flakyFailure>\n    </testcase>\n",
    "passed": "/>\n",
}


def outcomes(dice, counts):
    """Deals outcomes for ever, in shuffled decks, and keeps the books."""
    while True:
        deck = DECK[:]
        dice.shuffle(deck)
        for outcome in deck:
            counts["cases"] += 1
            counts[outcome] += 1
            yield outcome


def suite(number, size, deal, dice):
    """One suite as text; names are unique across suites."""
    module = f"org.example.cart.area{number % 89}"
    name = f"{module}.Scenario{number}Test"
    source = f"src/test/java/{name.replace('.', '/')}.java"
    parts = []
    bad = skipped = 0
    for case in range(size):
        outcome = next(deal)
        bad += outcome == "failed"
        skipped += outcome == "skipped"
        parts.append(
            f'    <testcase name="an_order_of_size_{case}_is_settled[size={case}]" classname="{name}"'
            f' time="{dice.random():.6f}" file="{source}"{INSIDE[outcome]}'
        )
    head = (
        f'  <testsuite name="{name}" tests="{size}" failures="{bad}" errors="0" skipped="{skipped}"'
        ' time="2.25" timestamp="2026-02-03T04:05:06+00:00" hostname="builder-1">\n'
        '    <properties><property name="os" value="linux"/></properties>\n'
    )
    return head + "".join(parts) + "  </testsuite>\n"


def write(path, cases, first, deal, dice):
    """One file of `cases` cases; its suites are numbered from `first`. Returns its size in bytes."""
    with path.open("w", encoding="ascii", newline="\n") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bench" tests="{cases}">\n')
        for number, start in enumerate(range(0, cases, SUITE_SIZE), first):
            out.write(suite(number, min(SUITE_SIZE, cases - start), deal, dice))
        out.write("</testsuites>\n")
    return path.stat().st_size


def main(target, cases, files=None):
    dice = random.Random(20260203)
    counts = dict.fromkeys(["cases", "failed", "skipped", "flaky", "passed"], 0)
    deal = outcomes(dice, counts)
    target, cases = Path(target), int(cases)
    if files is None:
        size = write(target, cases, 0, deal, dice)
    else:
        if cases > SUITE_SIZE:
            sys.exit(f"gen_junit.py: at most {SUITE_SIZE} cases a file, not {cases}")
        target.mkdir(parents=True)
        size = 0
        for number in range(int(files)):
            size += write(target / f"TEST-{number:05}.xml", cases, number, deal, dice)
    # A case that passed at last is a passed case.
    counts["passed"] += counts["flaky"]
    print(json.dumps(counts | {"bytes": size}))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
