"""Compares base scores with those of the package cvss: all vectors of versions 2 and 3, and 20,000 of version 4.0."""
import itertools
import pathlib
import random
import sys

from cvss import CVSS2, CVSS3, CVSS4

SECOND = {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"}
THIRD = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"}
FOURTH = {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA", **{name: "HLN" for name in ("VC", "VI", "VA", "SC", "SI", "SA")}}


def every(metrics):
    for values in itertools.product(*metrics.values()):
        yield "/".join(f"{name}:{value}" for name, value in zip(metrics, values))


def vectors():
    yield from every(SECOND)
    for version in ("3.0", "3.1"):
        yield from (f"CVSS:{version}/{vector}" for vector in every(THIRD))
    yield from (f"CVSS:4.0/{vector}" for vector in random.Random(4).sample(list(every(FOURTH)), 20_000))


def score(vector):
    kind = {"CVSS:4": CVSS4, "CVSS:3": CVSS3}.get(vector[:6], CVSS2)
    return f"{float(kind(vector).base_score):.1f}"


work = pathlib.Path(sys.argv[2])
if sys.argv[1] == "vectors":
    (work / "vectors").write_text("".join(f"{vector}\n" for vector in vectors()))
    sys.exit()
ours = (work / "vectors.scores").read_text().splitlines()
listed = (work / "vectors").read_text().splitlines()
wrong = [f"{vector}: cvss {score(vector)}, maestro {own}" for vector, own in zip(listed, ours, strict=True) if own != score(vector)]
print(f"{len(listed) - len(wrong)} of {len(listed)} scores are equal")
sys.exit("\n".join(wrong[:40]) if wrong else 0)
