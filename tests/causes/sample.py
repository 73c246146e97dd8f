#!/usr/bin/env python3
"""Print the failures of Apache Pulsar's flaky test reports that tests/causes labels.

    MAESTRO_CORPUS=... tests/causes/sample.py             the sample, one JSON object a line
    MAESTRO_CORPUS=... tests/causes/sample.py --check     the labels' ids against the sample's
    MAESTRO_CORPUS=... tests/causes/sample.py --blind     the sample in another order, for a labeller
    tests/causes/sample.py --kappa                        how far the two readings agree; it needs no corpus

The rule is written in README.md. It reads no clock, no random source and no order of a folder.
"""
import hashlib
import json
import os
import re
import sys

PER_YEAR = 75  # failures a year, 2021 to 2024
SKIPS = 20  # fail-fast skips, beside the failures
HEAD, TAIL = 4000, 2000  # bytes kept of a text that is longer than both

SKIP = "FailFastNotifier$FailFastSkipException"
TYPE = re.compile(r"^\s*((?:[\w$]+\.)+[A-Z][\w$]*)(?::|\s|$)")


def sha(*parts):
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def entries(root):
    """(period, test, text) of every full stack trace of every report; a report may have several."""
    for period in sorted(os.listdir(root)):
        for folder, _, files in os.walk(os.path.join(root, period)):
            for name in files:
                if not name.endswith(".md") or name == "README.md":
                    continue
                with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as f:
                    report = f.read()
                test = re.search(r"^Flaky-test: (.*)$", report, re.M)[1].strip()
                for text in re.findall(r"<code><pre>\n(.*?)</pre></code>", report, re.S):
                    yield period, test, text.strip("\n")


def exception(text):
    """The type of the topmost exception; the first line when there is none."""
    for line in text.split("\n"):
        found = TYPE.match(line)
        if found:
            return found[1]
    return text.split("\n")[0].strip()


def cut(text):
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) > HEAD + TAIL:
        raw = raw[:HEAD] + b"\n[... cut ...]\n" + raw[-TAIL:]
    return raw.decode("utf-8", "replace")


def sample(root):
    # One entry for each (test, type of exception): the one whose id is the smallest.
    chosen = {}
    for period, test, text in entries(root):
        digest = sha(period, test, text)
        key = (test, exception(text))
        if key not in chosen or digest < chosen[key][0]:
            chosen[key] = (digest, period, test, text)
    strata = {}
    for (test, kind), entry in chosen.items():
        stratum = "skip" if kind.endswith(SKIP) else entry[1][:4]
        strata.setdefault(stratum, []).append((sha(test, kind), entry))
    for stratum in sorted(strata):
        size = SKIPS if stratum == "skip" else PER_YEAR
        for _, (digest, period, test, text) in sorted(strata[stratum])[:size]:
            yield {"id": digest[:12], "period": period, "test": test, "text": cut(text)}


def kappa(first, second):
    """Cohen's kappa ("A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20:1, 1960)."""
    n = len(first)
    agree = sum(a == b for a, b in zip(first, second)) / n
    chance = sum((first.count(label) / n) * (second.count(label) / n) for label in set(first) | set(second))
    return agree, (agree - chance) / (1 - chance)


def print_kappa():
    here = os.path.dirname(os.path.abspath(__file__))
    readings = []
    for name in ("labels-first.json", "labels-second.json"):
        with open(os.path.join(here, name), encoding="utf-8") as f:
            readings.append(json.load(f))
    first, second = readings
    assert first.keys() == second.keys()
    skips = {key for key, label in first.items() if label["kind"] == "cascade" and "fail-fast" in label["why"]}
    for title, keys in (("all", sorted(first)), ("without the skips", sorted(first.keys() - skips))):
        for field in ("cause", "kind"):
            pair = [[reading[key][field] for key in keys] for reading in readings]
            agree, value = kappa(*pair)
            differ = sum(a != b for a, b in zip(*pair))
            print(f"{title}, {field}: n {len(keys)}, differ {differ}, agreement {agree:.3f}, kappa {value:.3f}")


def main():
    if "--kappa" in sys.argv:
        print_kappa()
        return 0
    items = list(sample(os.path.join(os.environ["MAESTRO_CORPUS"], "flaky", "pulsar")))
    if "--check" in sys.argv:
        here = os.path.dirname(os.path.abspath(__file__))
        ids = {item["id"] for item in items}
        wrong = 0
        for name in sorted(os.listdir(here)):
            if name.startswith("labels-") and name.endswith(".json"):
                with open(os.path.join(here, name), encoding="utf-8") as f:
                    labels = json.load(f)
                print(name, len(labels), "labels,", len(ids - labels.keys()), "missing,", len(labels.keys() - ids), "unknown")
                wrong |= ids != labels.keys()
        return int(wrong)
    if "--blind" in sys.argv:
        items.sort(key=lambda item: sha("blind", item["id"]))
        items = [{key: item[key] for key in ("id", "test", "text")} for item in items]
    for item in items:
        print(json.dumps(item, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
