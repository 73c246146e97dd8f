"""Fits the weights of `maestro budget route`, and judges them on questions that were not used for it.

    python3 benches/router.py --maestro target/release/maestro \
        --fit routellm/evals/gsm8k/gsm8k_responses.csv \
        --held MMLU=routellm/evals/mmlu/responses \
        --held RouterArena=claude-3-haiku-20240307.jsonl,gemini-2.0-flash-001.jsonl

A set is a CSV file with a column `prompt` and one for each of two models (github.com/lm-sys/RouteLLM), a folder of such files, or two
files of github.com/RouteWorks/RouterArena's `cached_results`, the weak model's first. Counts come from the program itself, so that what is
fitted is what is shipped. Standard library only; prints the same on every machine.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import subprocess
import tempfile

FITTED = ["words", "clauses", "ratios", "comparisons", "symbols", "names"]
FOLDS, SEEDS, RIDGE = 5, 10, 0.1


def questions(where):
    """Returns prompts, and how right the weak and the strong model were."""
    if "," in where:
        weak, strong = (judged(path) for path in where.split(","))
        both = sorted(set(weak) & set(strong))
        return [(weak[key][0], weak[key][1], strong[key][1]) for key in both]
    path = pathlib.Path(where)
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    rows = []
    for file in files:
        with open(file, newline="", encoding="utf-8") as text:
            reader = csv.reader(text)
            head = next(reader)
            at = head.index("prompt")
            first, second = [i for i in range(len(head)) if i != at][:2]
            rows += [(row[at], float(row[first] == "True"), float(row[second] == "True")) for row in reader]
    return rows


def judged(path):
    found = {}
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        score = (row.get("evaluation_result") or {}).get("score")
        if score is not None:
            found[row["global_index"]] = (row["question"], float(score))
    return found


def routed(maestro, rows):
    """Returns the scores that the program gives, and the logarithms of its counts."""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as batch:
        for number, (prompt, _, _) in enumerate(rows):
            print(json.dumps({"id": number, "prompt": prompt}), file=batch)
        batch.flush()
        command = [maestro, "budget", "route", "--batch", batch.name, "--format", "ndjson"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    scores, features = [], []
    for line in lines:
        row = json.loads(line)
        counts = {reason["feature"]: reason["count"] for reason in row["reasons"]}
        scores.append(row["score"])
        features.append([math.log1p(counts.get(name, 0)) for name in FITTED])
    return scores, features


def fit(features, gains):
    """Ridge regression of the gain on standardised features, weights not negative, by coordinate descent."""
    size, width = len(gains), len(FITTED)
    means = [sum(row[i] for row in features) / size for i in range(width)]
    spread = [math.sqrt(sum((row[i] - means[i]) ** 2 for row in features) / size) or 1 for i in range(width)]
    z = [[(row[i] - means[i]) / spread[i] for i in range(width)] for row in features]
    mean = sum(gains) / size
    cross = [[sum(row[i] * row[j] for row in z) / size for j in range(width)] for i in range(width)]
    along = [sum(row[i] * (gain - mean) for row, gain in zip(z, gains)) / size for i in range(width)]
    weights = [0.0] * width
    for _ in range(1000):
        for i in range(width):
            rest = along[i] - sum(cross[i][j] * weights[j] for j in range(width) if j != i)
            weights[i] = max(0.0, rest / (cross[i][i] + RIDGE))
    return [weight / width_ for weight, width_ in zip(weights, spread)]


def worth(scores, gains):
    """APGR, CPT50 and CPT80 of arXiv:2406.18665, over the whole curve; equal scores share a line."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    gap, curve, gained = sum(gains), [(0.0, 0.0)], 0.0
    for place, i in enumerate(order):
        gained += gains[i]
        if place + 1 == len(order) or scores[order[place + 1]] != scores[i]:
            curve.append(((place + 1) / len(order), gained / gap))
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(curve, curve[1:]))

    def calls(share):
        for a, b in zip(curve, curve[1:]):
            if b[1] >= share:
                return a[0] + (b[0] - a[0]) * (share - a[1]) / (b[1] - a[1])
        return 1.0

    return area, calls(0.5), calls(0.8)


def spread(scores, gains):
    """The standard error of APGR, by 200 bootstrap samples."""
    source, found = random.Random(0), []
    for _ in range(200):
        picked = [source.randrange(len(gains)) for _ in gains]
        found.append(worth([scores[i] for i in picked], [gains[i] for i in picked])[0])
    mean = sum(found) / len(found)
    return math.sqrt(sum((value - mean) ** 2 for value in found) / (len(found) - 1))


def say(name, scores, gains):
    apgr, half, most = worth(scores, gains)
    print(f"  {name:24} {apgr:.4f}  {half:.3f}  {most:.3f}   +- {spread(scores, gains):.3f}")


def gains_of(rows):
    return [strong - weak for _, weak, strong in rows]


def cross_validated(rows, features):
    """The mean of APGR over folds that were left out, of the fit and of length."""
    gains, own, length = gains_of(rows), [], []
    for seed in range(SEEDS):
        order = list(range(len(rows)))
        random.Random(seed).shuffle(order)
        for fold in range(FOLDS):
            out = order[fold::FOLDS]
            left = set(out)
            rest = [i for i in order if i not in left]
            weights = fit([features[i] for i in rest], [gains[i] for i in rest])
            scores = [sum(w * x for w, x in zip(weights, features[i])) for i in out]
            tested = [gains[i] for i in out]
            own.append(worth(scores, tested))
            length.append(worth([len(rows[i][0]) for i in out], tested))
    for name, found in (("fitted without the fold", own), ("length", length)):
        means = [sum(row[i] for row in found) / len(found) for i in range(3)]
        print(f"  {name:24} {means[0]:.4f}  {means[1]:.3f}  {means[2]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maestro", default="maestro")
    parser.add_argument("--fit", required=True)
    parser.add_argument("--held", action="append", default=[], metavar="NAME=SET")
    args = parser.parse_args()
    csv.field_size_limit(1 << 30)
    rows = questions(args.fit)
    scores, features = routed(args.maestro, rows)
    weights = fit(features, gains_of(rows))
    print("weights, in points:", ", ".join(f"{name} {100 * weight:.2f}" for name, weight in zip(FITTED, weights)))
    print(f"\n{args.fit.rsplit('/', 1)[-1]}, {FOLDS} folds, {SEEDS} times: APGR, CPT50, CPT80")
    cross_validated(rows, features)
    sets = [("the same, as shipped", rows, scores)]
    for held in args.held:
        name, where = held.split("=", 1)
        others = questions(where)
        sets.append((name, others, routed(args.maestro, others)[0]))
    for name, others, own in sets:
        gains = gains_of(others)
        print(f"\n{name}, {len(others)} questions")
        say("maestro", own, gains)
        say("length", [len(prompt) for prompt, _, _ in others], gains)
        say("oracle", gains, gains)


if __name__ == "__main__":
    main()
