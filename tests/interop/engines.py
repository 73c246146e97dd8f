"""Judges `maestro state export` with DuckDB and Spark, and runs the queries of its document.

engines.py BINARY FOLDER DOCUMENT: everything happens in FOLDER.

A generated history of two years is ingested, exported, compacted and exported again. What the engines read must be what the
history holds, which is counted here once more, and what `flakes report` prints. Then exports are tampered with, and each time a
difference must be found. ENGINES_SEED chooses another history.
"""
import collections
import datetime
import decimal
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time
from xml.sax.saxutils import quoteattr

import duckdb
from pyspark.sql import SparkSession

SEED = int(os.environ.get("ENGINES_SEED", "20260105"))
COMMIT = "4f2c1a"
HOSTILE = [
    "q\"uo'te", "back\\slash", "new\nline", "cr\r\nlf", "tab\t", "nul\0", "kind=x/month=2024-01", "2024-01-05", "09:30", "null",
    "", "-1e5", "ünï 测试 🦀", "\u202ertl", "\ufeffbom", "ls\u2028nel\x85", "é", "e\u0301", "x", "X", "x ", " x", '{"a": [1]}',
    "l" * 3000, "'; DROP VIEW test_total; --", "__HIVE_DEFAULT_PARTITION__", "../../x", "%s ${x} {x}",
]  # fmt: skip
SUITES = ["s", "net > tcp", 'sui"te\n=', ""]
PLACES = [("unit", "linux"), ("unit", '{"os": "mac"}'), ("=", "l=1/month=2")]
TABLES = ["test_run", "test_result", "test_total"]
COUNTS = ["cases", "attempts", "passed", "failed", "errored", "skipped"]
WORDS = {"p": "passed", "f": "failed", "e": "errored", "s": "skipped"}
TAMPERED = [
    ("test_total", '"executions":', '"executions":1'),
    ("test_total", '"failures":', '"failures":1'),
    ("test_total", '"retry_passes":', '"retry_passes":1'),
    ("test_total", '"test":"x"', '"test":"x  "'),
    ("test_total", "^(.*\n)", r"\1\1"),
    ("test_total", "^.*\n", ""),
    ("test_run", "^.*\n", ""),
    ("test_run", '"cases":', '"cases":1'),
    ("test_result", '"outcome":"f"', '"outcome":"e"'),
    ("test_result", '.*"failures":[1-9].*\n', ""),
]

# One part of a run, as it is stored: where it is from, for each test its twins as sequences, and the counts of its elements.
Part = collections.namedtuple("Part", "run attempt job leg commit branch at month twins counts")


def sums(rows, key_of):
    """Adds up the last three columns of rows by the others, or some of them."""
    tallies = collections.defaultdict(lambda: (0, 0, 0))
    for row in rows:
        tallies[key_of(row)] = tuple(a + b for a, b in zip(tallies[key_of(row)], row[-3:]))
    return dict(sorted(tallies.items()))


def rounded(value):
    """Rounds as the report does."""
    return math.floor(value * 10_000 + 0.5) / 10_000


def counts(cases):
    """Counts cases as elements."""
    words = collections.Counter(WORDS[case[-1]] for case in cases)
    words.update(cases=len(cases), attempts=sum(len(case) for case in cases if case != "s"))
    return [words[name] for name in COUNTS]


class History:
    """Writes reports, and remembers what is in them."""

    def __init__(self, folder):
        self.folder, self.dice = folder, random.Random(SEED)
        self.parts, self.ingests, self.lines = [], [], {leg: [] for _, leg in PLACES}
        # The suite grows: each test with the month in which it comes.
        self.tests = [((SUITES[n % len(SUITES)], name), 0) for n, name in enumerate(HOSTILE)]
        self.tests += [(("s", f"t{n}"), n // 2) for n in range(44)]
        self.rates = {test: self.dice.choice([0, 0, 0, 0.05, 0.3]) for test, _ in self.tests}
        for number in range(72):
            for job, leg in PLACES:
                self.lines_of(number, job, leg)
        for number, (leg, lines) in enumerate(self.lines.items()):
            (folder / f"{number}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
            # The second time it changes nothing.
            self.ingests += [("history", "--leg", leg, f"{folder}/{number}.ndjson")] * 2
        for number in range(12):
            self.reports(number)

    def lines_of(self, number, job, leg):
        """A run in the neutral form: an attempt of a test a line."""
        dice, since = self.dice, number // 3
        run, branch = dice.choice([f"{number}", f"2024-{number}-5"]), dice.choice(["main", "fe/at=ure"])
        commit = COMMIT if number == 60 else dice.choice([f"c{number}", f"c{number}", ""])
        at = datetime.datetime(2024 + since // 12, since % 12 + 1, dice.randint(1, 28), 9, 0, 0, dice.choice([0, 123456]))
        tests = [test for test, begin in self.tests if begin <= since]
        for attempt in range(1, dice.randint(1, 3) + 1):
            if attempt == 3:
                # Over the end of the month, but not yet in New York.
                at = (at.replace(day=1) + datetime.timedelta(days=32)).replace(day=1, hour=2)
            if attempt > 1 or dice.random() < 0.15:
                tests = [test for test in tests if self.rates[test] or dice.random() < 0.3]
            stamp, twins = (at - datetime.timedelta(hours=5)).isoformat() + "-05:00", {}
            for suite, test in tests:
                letters = dice.choice("ffe") if dice.random() < self.rates[suite, test] else "p"
                while letters[-1] in "fe" and len(letters) < 3 and dice.random() < 0.5:
                    letters += dice.choice("pf")
                # One is always skipped.
                letters = "s" if test == "t0" or dice.random() < 0.02 else letters
                twins[suite, test] = [letters]
                line = {"run": run, "attempt": attempt, "job": job, "commit": commit, "branch": branch}
                line |= {"at": stamp, "suite": suite, "test": test}
                self.lines[leg] += [line | {"status": WORDS[letter]} for letter in letters]
            cases = [letter for (letters,) in twins.values() for letter in letters]
            self.parts.append(Part(run, attempt, job, leg, commit, branch, at, f"{at:%Y-%m}", twins, counts(cases)))

    def reports(self, number):
        """A run as JUnit reports: twins, retries that the runner knows of, shards by themselves, and one again with another."""
        dice, run, tags = self.dice, f"j{number}", {"f": "failure", "e": "error", "s": "skipped", "p": ""}
        at = datetime.datetime(2024 + number // 6, [1, 3, 5, 7, 8, 10][number % 6], 31, 23, 30)
        for attempt in (1, 2):
            shards, paths = [], [f"{self.folder}/{run}-{attempt}-{shard}.xml" for shard in (0, 1)]
            for shard, path in enumerate(paths):
                kinds = ["p", "p", "p", "f", "e", "s", "fp", "ep", "ff"]
                twins = {("&", f"{shard}<{n}>"): dice.choices(kinds, k=dice.choice([1, 1, 2, 12])) for n in range(6)}
                twins["&", "both"], text = [dice.choice("pf")], ""
                for name, case in ((name, case) for (_, name), cases in twins.items() for case in cases):
                    inner = "".join(f"<flaky{tags[letter].title()}/>" for letter in case[:-1])
                    if case[-1] != "p":
                        inner = f"<{tags[case[0]]}/>" + "<rerunFailure/>" * (len(case) - 1)
                    text += f"<testcase name={quoteattr(name)}>{inner}</testcase>"
                pathlib.Path(path).write_text(f'<testsuite name="&amp;">{text}</testsuite>')
                shards.append(twins)
            calls = [("history", paths[0]), ("history", paths[1])]
            if number % 2:
                # The first by itself on another machine, and both on this one: one run.
                calls = [("other", paths[0]), ("history", *paths)]
                shards = [{test: shards[0].get(test, []) + shards[1].get(test, []) for test in shards[0] | shards[1]}]
            place = ["--run", run, "--job", "junit", "--attempt", str(attempt), "--commit", run, "--branch", "main"]
            self.ingests += [(where, *place, "--at", f"{at.isoformat()}Z", *some) for where, *some in calls]
            for twins in shards:
                cases = [case for own in twins.values() for case in own]
                self.parts.append(Part(run, attempt, "junit", "", run, "main", at, f"{at:%Y-%m}", twins, counts(cases)))
            at += datetime.timedelta(hours=2)


class Truth:
    """What a history says, counted here; runs before a month have been summed up."""

    def __init__(self, parts, kept_from):
        last, attempts, total = {}, collections.defaultdict(dict), collections.defaultdict(lambda: [0, 0, 0])
        group = lambda part: (part.run, part.job, part.leg)  # noqa: E731
        for part in sorted(parts, key=lambda part: part.month):
            last[group(part)] = part.month
        for part in parts:
            for test, cases in part.twins.items():
                ran = [case for case in cases if case != "s"]
                if ran:
                    key = (last[group(part)], part.job, part.leg, *test)
                    total[key][0] += sum(map(len, ran))
                    total[key][1] += sum(len(case.replace("p", "")) for case in ran)
                    attempts[part.run, part.commit, key].setdefault(part.attempt, []).extend(ran)
        for (*_, key), tries in attempts.items():
            failed_before = False
            for _, cases in sorted(tries.items()):
                retried = [case for case in cases if re.search("[fe].*p", case)]
                failed = any(re.search("[fe]", case) for case in cases if case not in retried)
                total[key][2] += len(retried) + (failed_before and not failed)
                failed_before = failed
        self.totals = {key: tuple(tally) for key, tally in total.items()}
        kept = [part for part in parts if last[group(part)] >= kept_from]
        self.all_runs, self.kept_runs = (collections.Counter((*part[:8], *part.counts) for part in some) for some in (parts, kept))
        # Every result as a row, and those that nothing expects.
        self.results, self.failing = collections.Counter(), collections.Counter()
        for part, test, cases in ((part, *own) for part in kept for own in part.twins.items()):
            kinds = sorted(collections.Counter(cases).items())
            outcome = "+".join(case if times == 1 else f"{case}*{times}" for case, times in kinds)
            letters = "".join(cases).replace("s", "")
            row = (*part[:8], *test, outcome, len(letters), len(letters.replace("p", "")))
            self.results[row] += 1
            self.failing += collections.Counter({row: row[-1] > 0})

    def answers(self):
        """Returns for each query of the document what it must answer."""
        rows = [(*key, *tally) for key, tally in self.totals.items()]
        by = lambda *columns: sums(rows, lambda row: tuple(row[at] for at in columns)).items()  # noqa: E731
        mean = lambda tally: rounded((tally[1] + 0.5) / (tally[0] + 1))  # noqa: E731
        flaky = [(*test, *tally, mean(tally)) for test, tally in by(3, 4) if tally[2]]
        rates = [(*when, *tally[:2], mean(tally)) for when, tally in by(0)]
        by_job = [(*key, tally[2], tally[1]) for key, tally in by(1, 3, 4) if tally[2]]
        tests = [key for key, _ in by(0, 3, 4)]
        first = list({test: when for when, *test in reversed(tests) for test in [tuple(test)]}.values())
        growth = [(when, sum(test[0] == when for test in tests), first.count(when), runs) for when, runs, *_ in rates]
        legs = collections.defaultdict(list)
        for (job, leg, *test), tally in by(1, 2, 3, 4):
            legs[job, *test] += [(leg, tally[1])] if tally[0] >= 10 else []
        legs = [(key, [leg for leg, failed in own if failed], own) for key, own in legs.items()]
        some = [(*key, len(own), bad, sum(failed for _, failed in own)) for key, bad, own in legs if 0 < len(bad) < len(own)]
        return {
            "The flakiest tests": sorted(flaky, key=lambda row: (-row[4], -row[5], *row[:2]))[:20],
            "The failure rate by month": rates,
            "The failure rate by month, in Spark": rates,
            "Tests that pass on retry, by job": sorted(by_job, key=lambda row: (row[0], -row[3], *row[1:3])),
            "How the suite grows": growth,
            "Tests that fail in some legs of a job only": sorted(some, key=lambda row: (-row[5], *row[:3])),
            "What failed on one commit": sorted((*row[2:4], *row[:2], *row[8:11]) for row in self.failing if row[4] == COMMIT),
            "The export says what the report says": [],
        }


class Engine:
    """An engine with the views and queries that the document has for it."""

    def __init__(self, word, document, sql, at, guess):
        self.word, self.sql, self.at, self.guess = word, sql, at, guess
        self.views, self.questions, title = {}, [], ""
        for heading, text in re.findall(rf"^(?:#+ ([^\n]*)|```sql {word}\n(.*?)```)$", document, re.M | re.S):
            title = heading or title
            for statement in filter(str.strip, text.split(";\n")):
                if view := re.search(r" VIEW (\w+)", statement):
                    self.views[view[1]] = statement
                else:
                    self.questions.append((title, statement))

    def open(self, folder):
        """Makes the views; a table without a folder has none."""
        self.folder, self.tables = folder, [table for table in TABLES if (folder / f"kind={table}").exists()]
        for table in self.tables:
            self.query(self.views[table])

    def query(self, text):
        text = text.replace("maestro-export", str(self.folder)).replace("report.ndjson", f"{self.folder}.report")
        return [tuple(float(cell) if isinstance(cell, decimal.Decimal) else cell for cell in row) for row in self.sql(text)]

    def rows(self, columns, table):
        return self.query(f"SELECT {columns} FROM {table}") if table in self.tables else []


def spark(folder):
    """Starts Spark, which keeps to the folder and to this machine."""
    options = {"ui.enabled": "false", "ui.showConsoleProgress": "false", "sql.session.timeZone": "UTC"}
    options |= {"driver.host": "127.0.0.1", "driver.bindAddress": "127.0.0.1", "sql.shuffle.partitions": "2"}
    options |= {"local.dir": str(folder), "sql.warehouse.dir": f"{folder}/warehouse"}
    options |= {"driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} -XX:-UsePerfData"}
    options = {f"spark.{key}": value for key, value in options.items()}
    session = SparkSession.builder.master("local[2]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def compare(what, have, want):
    """Names the first difference of two dictionaries."""
    keys = sorted((key for key in have.keys() | want.keys() if have.get(key) != want.get(key)), key=repr)
    return [f"{what}: {len(keys)} differ: {str(key)[:300]}: {have.get(key)}, not {want.get(key)}" for key in keys[:1]]


def judge(engine, truth, report):
    """Returns what an export says otherwise than the history and the report."""
    rows = engine.rows("month, job, leg, suite, test, executions, failures, retry_passes", "test_total")
    wrong = compare("test_total", sums(rows, lambda row: row[:5]), truth.totals)
    columns = "SUM(executions), SUM(failures), SUM(retry_passes)"
    have = engine.query(f"SELECT suite, test, {columns} FROM test_total GROUP BY suite, test") if rows else []
    want = {(row["suite"], row["test"]): row for row in report["tests"] if row["runs"]}
    want = {key: (row["runs"], row["failures"], row["retry_passes"]) for key, row in want.items()}
    wrong += compare("the report's tests", {row[:2]: row[2:5] for row in have}, want)
    origin = f"run, attempt, job, leg, commit, branch, {engine.at}, month"
    wrong += compare("test_run", collections.Counter(engine.rows(f"{origin}, {', '.join(COUNTS)}", "test_run")), truth.kept_runs)
    want = {name: report["totals"][name] for name in ["runs", *COUNTS]}
    rows_of_runs = [(1, *row[8:]) for row in truth.all_runs.elements()]
    wrong += compare("the report's totals", dict(zip(want, map(sum, zip(*rows_of_runs or [(0,) * len(want)])))), want)
    if truth.kept_runs == truth.all_runs:
        have = engine.rows(", ".join(["COUNT(*)", *(f"SUM({name})" for name in COUNTS)]), "test_run") or [(0,) * len(want)]
        wrong += compare("test_run beside the report", dict(zip(want, have[0])), want)
    have = collections.Counter(engine.rows(f"{origin}, suite, test, outcome, executions, failures", "test_result"))
    wrong += compare("results that were not", dict(have - truth.results), {})
    wrong += compare("results that are missing", dict(truth.failing - have), {})
    if rows:
        ((executions, first),) = engine.query(f"SELECT SUM(executions), MIN(month) FROM {engine.guess}")
        want = {"executions": sum(row[5] for row in rows), "first": min(row[0] for row in rows)}
        wrong += compare("types that are guessed", {"executions": executions, "first": first}, want)
    return wrong


def ask(engine, truth):
    """Returns which queries of the document answer wrongly."""
    answers, wrong = truth.answers(), []
    for title, text in engine.questions:
        if all(table in engine.tables for table in TABLES if table in text):
            wrong += compare(title, dict(enumerate(engine.query(text))), dict(enumerate(answers[title])))
    return wrong


class World:
    """The program, and the engines that judge it."""

    def __init__(self, binary, folder, document):
        self.binary, self.folder, self.wrong = binary, folder, []
        document, session = document.read_text(), spark(folder)
        guess = "read_json_auto('maestro-export/kind=test_total/*/*.ndjson', hive_partitioning = true)"
        self.engines = [
            Engine("duckdb", document, lambda text: duckdb.execute(text).fetchall(), '"at"', guess),
            Engine("spark", document, lambda text: session.sql(text).collect(), "at", "json.`maestro-export/kind=test_total`"),
        ]
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": os.devnull}
        for name in ("empty", "other", "history"):
            subprocess.run(["git", "init", "--quiet", str(folder / name)], env=self.environment, check=True)

    def maestro(self, home, *args):
        command = [self.binary, "-C", str(self.folder / home), *args]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"maestro {' '.join(args)}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def check(self, what, truth, home, folder):
        """Judges the export of a repository's state; returns the report."""
        self.maestro(home, "state", "export", "--out", str(folder))
        pathlib.Path(f"{folder}.report").write_text(self.maestro(home, "flakes", "report", "--all", "--format", "ndjson"))
        report = json.loads(self.maestro(home, "flakes", "report", "--all", "--format", "json"))
        for engine in self.engines:
            begin = time.monotonic()
            engine.open(folder)
            wrong = judge(engine, truth, report) + (ask(engine, truth) if truth.totals else [])
            self.wrong += [f"{what}: {engine.word}: {line}" for line in wrong]
            files = len(list(folder.glob("*/*/*")))
            print(f"{what}: {engine.word} read {files} files in {time.monotonic() - begin:.1f} s: {len(wrong)} wrong", flush=True)
        return report

    def tamper(self, truth, folder, report):
        """Every difference must be found, or it is worth nothing that none was."""
        copy, engine = self.folder / "tampered", self.engines[0]
        engine.open(folder)
        first, *others = report["tests"]
        if not judge(engine, truth, report | {"tests": [first | {"retry_passes": 1000}, *others]}):
            self.wrong.append("another report is not seen")
        shutil.copy(f"{folder}.report", f"{copy}.report")
        for number, (table, old, new) in enumerate(TAMPERED):
            shutil.copytree(folder, copy)
            path = next(path for path in sorted(copy.glob(f"kind={table}/*/*")) if re.search(old, path.read_text()))
            path.write_text(re.sub(old, new, path.read_text(), count=1))
            for engine in self.engines if number == 0 else self.engines[:1]:
                engine.open(copy)
                if not judge(engine, truth, report):
                    self.wrong.append(f"{engine.word} does not see {new} for {old} in {table}")
            says = any("The export says" in line for line in ask(self.engines[0], truth))
            if says != (table == "test_total"):
                self.wrong.append(f"the document's comparison with the report goes wrong with {new} for {old} in {table}")
            shutil.rmtree(copy)
        print(f"{len(TAMPERED)} exports and a report were tampered with", flush=True)


def main(binary, folder, document):
    os.environ["TZ"] = "UTC"
    time.tzset()
    world, export = World(binary, folder, document), folder / "export"
    world.check("an empty state", Truth([], ""), "empty", folder / "nothing")
    history = History(folder)
    for home, *ingest in history.ingests:
        world.maestro(home, "flakes", "ingest", *ingest)
    for path in (folder / "other/.git/maestro/outbox").iterdir():
        shutil.copy(path, folder / "history/.git/maestro/outbox")
    truth = Truth(history.parts, "")
    world.tamper(truth, export, world.check("two years", truth, "history", export))
    world.maestro("history", "state", "fold", "--local")
    for what, kept_from in [("compacted", "2024-07"), ("all summed up", "2028-01")]:
        # What is 400 days before is kept.
        now = datetime.datetime.fromisoformat(f"{kept_from}-02") + datetime.timedelta(days=400)
        world.maestro("history", "state", "compact", "--local", "--now", f"{now.isoformat()}Z")
        # It goes into the folder of the export before, where a month lies that nobody knows.
        months = export / "kind=test_total"
        shutil.copytree(next(months.iterdir()), months / "month=1999-01")
        world.check(f"{what}, exported again", Truth(history.parts, kept_from), "history", export)
    sys.exit("\n".join(world.wrong) or 0)


if __name__ == "__main__":
    main(sys.argv[1], *(pathlib.Path(path).resolve() for path in sys.argv[2:]))
