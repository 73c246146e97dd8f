#!/usr/bin/env python3
"""report.py MAESTRO: how long `flakes report` takes over 1,000 runs of 20,000 tests, of which 500 fail now and then.

Each run is ingested as its JUnit report. Prints the median of five calls for each way to ask.
"""

import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

TESTS, RUNS, FLAKY = 20_000, 1_000, 500


def main(maestro):
    rng = random.Random(2)
    names = [(f"c{i // 50}", f"module_{i // 50}::test_{i:05d}") for i in range(TESTS)]
    rates = {i: rng.uniform(0.002, 0.05) for i in rng.sample(range(TESTS), FLAKY)}
    passed = [f'<testcase classname="{c}" name="{n}" time="0.01"/>' for c, n in names]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        for run in range(RUNS):
            cases = list(passed)
            for i, rate in rates.items():
                if rng.random() < rate:
                    c, n = names[i]
                    words = f"timed out after {rng.randint(1, 999)} ms"
                    cases[i] = f'<testcase classname="{c}" name="{n}" time="0.01"><failure message="{words}"/></testcase>'
            (folder / "r.xml").write_text(f'<testsuite name="s">{"".join(cases)}</testsuite>')
            day, hour = divmod(run, 24)
            at = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T{hour:02}:00:00Z"
            args = ["--run", str(run), "--commit", f"c{run}", "--branch", "main", "--job", "t", "--at", at, "r.xml"]
            subprocess.run([maestro, "-q", "flakes", "ingest", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for args in (["--format", "json"], ["--all", "--format", "json"], []):
            times = []
            for _ in range(5):
                begin = time.monotonic()
                subprocess.run([maestro, "-q", "flakes", "report", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL)
                times.append(time.monotonic() - begin)
            print(f"flakes report {' '.join(args)}: {statistics.median(times):.2f} s")


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()))
