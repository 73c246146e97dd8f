"""Licence expressions and lists for three judges, cargo-deny's verdicts, and the comparison.

Where both peers say the same, maestro must say it too. Where they differ, the reason must be one of those that are written down
here, and maestro must be on the side that the reason names.
"""
import collections
import itertools
import json
import pathlib
import random
import re
import subprocess
import sys

# Identifiers are compared without case (SPDX 2.3, annex D.2), which neither peer does: they are asked about the right spelling.
SPELT = {"mit": "MIT", "apache-2.0": "Apache-2.0", "Mit OR Isc": "MIT OR ISC", "GPL-2.0-ONLY": "GPL-2.0-only"}
PLAIN = """MIT Apache-2.0 Apache-1.1 ISC BSD-2-Clause BSD-3-Clause 0BSD Zlib Unlicense CC0-1.0 CC-BY-3.0 CC-BY-4.0 MPL-1.1 MPL-2.0 EPL-1.0
EPL-2.0 CDDL-1.0 CDDL-1.1 Artistic-1.0 Artistic-2.0 OFL-1.1 EUPL-1.1 EUPL-1.2 BSL-1.0 PSF-2.0 Python-2.0 AFL-2.1 AFL-3.0""".split()
GNU = """GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later
AGPL-3.0-only AGPL-3.0-or-later""".split()
OLD = "GPL-2.0 GPL-3.0 LGPL-2.1 LGPL-3.0 AGPL-3.0".split()
LATER = "Apache-1.1+ MPL-1.1+ EPL-1.0+ AFL-2.1+ CC-BY-3.0+ BSD-2-Clause+ Apache-2.0+ CDDL-1.0+".split()
WITH = [
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-3.0-only WITH GCC-exception-3.1",
    "Apache-2.0 WITH LLVM-exception",
    "GPL-2.0-or-later WITH Classpath-exception-2.0",
]
OWN = ["LicenseRef-Acme", "LicenseRef-Other", "DocumentRef-acme:LicenseRef-Acme"]
# dependency-review-action 670, 692, 742, 939 and 539 are about such ones; the rest is what manifests say.
ODD = """SEE LICENSE IN LICENSE.md|UNLICENSED|NOASSERTION|NONE|Proprietary|MIT AND|(MIT|MIT)|MIT OR Whatever|MIT Apache-2.0|MIT,ISC|BSD|GPL
|mit|apache-2.0|Mit OR Isc|MIT or ISC|MIT and ISC|GPL-2.0-ONLY|MIT WITH MIT|MIT WITH|WITH Classpath-exception-2.0|OR|()|((MIT))|( MIT )
|(MIT OR ISC) AND (Apache-2.0 OR Zlib)|MIT OR (ISC AND (Apache-2.0 OR GPL-3.0-only))|GPL-2.0+|GPL-2.0-or-later+|MIT +|LicenseRef-|LicenseRef-a_b
|Apache 2.0|MIT License|MIT OR|MIT OR OR ISC|MIT AND AND ISC|MIT OR AND ISC|GPL-2.0-with-classpath-exception""".replace("\n", "").split("|")


def expressions():
    numbers = random.Random(8)
    leaves = PLAIN * 3 + GNU * 2 + OLD + LATER + WITH + OWN
    all_of_them = list(dict.fromkeys(PLAIN + GNU + OLD + LATER + WITH + OWN + ODD))

    def build(depth):
        if depth == 0 or numbers.random() < 0.2:
            return numbers.choice(leaves)
        parts = [build(depth - 1) for _ in range(numbers.randint(2, 3))]
        text = numbers.choice([" OR ", " AND "]).join(parts)
        return f"({text})" if numbers.random() < 0.6 else text

    while len(all_of_them) < 500:
        one = build(numbers.randint(1, 3))
        if one not in all_of_them:
            all_of_them.append(one)
    return all_of_them


def lists():
    numbers = random.Random(88)
    found = [["MIT"], PLAIN, ["MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause"], GNU, PLAIN + GNU + WITH]
    while len(found) < 20:
        pool = PLAIN * 2 + GNU + OLD + WITH + OWN
        found.append(sorted(set(numbers.choices(pool, k=numbers.randint(2, 12)))))
    return found


def prepare(work):
    cases = itertools.product(lists(), expressions())
    cases = [(expression, ",".join(allowed)) for allowed, expression in cases]
    (work / "cases").write_text("".join(f"{e}\t{l}\n" for e, l in cases))
    (work / "spelt").write_text("".join(f"{SPELT.get(e, e)}\t{l}\n" for e, l in cases))


def deny(work, program):
    project = work / "project"
    project.mkdir()
    names = [f"case{number:03}" for number in range(len(expressions()))]
    (project / "Cargo.toml").write_text(f"[workspace]\nresolver = '2'\nmembers = {json.dumps(names)}\n")
    for name, expression in zip(names, expressions()):
        (project / name / "src").mkdir(parents=True)
        (project / name / "src/lib.rs").write_text("")
        (project / name / "Cargo.toml").write_text(
            f"[package]\nname = '{name}'\nversion = '1.0.0'\nedition = '2021'\nlicense = {json.dumps(SPELT.get(expression, expression))}\n"
        )
    verdicts = []
    for number, allowed in enumerate(lists()):
        config = work / f"deny-{number}.toml"
        config.write_text(f"[licenses]\nallow = {json.dumps(allowed)}\nunused-allowed-license = 'allow'\n")
        command = [program, "--config", str(config), "--manifest-path", str(project / "Cargo.toml"), "--workspace"]
        command += ["--offline", "--format", "json", "--log-level", "info", "check", "licenses"]
        run = subprocess.run(command, capture_output=True, text=True)
        entries = [json.loads(line) for line in (run.stderr + run.stdout).splitlines() if line.startswith("{")]
        fields = [entry["fields"] for entry in entries]
        if not any("gathered 500 crates" in one.get("message", "") for one in fields):
            sys.exit(f"cargo-deny did not look at 500 crates:\n{run.stderr[-2000:]}")
        errors = [one for one in fields if one.get("severity") == "error"]
        odd = {one["code"] for one in errors} - {"rejected", "unlicensed"}
        if odd:
            sys.exit(f"cargo-deny says {odd}")
        rejected = {graph["Krate"]["name"] for one in errors for graph in one["graphs"]}
        verdicts += ["denied" if name in rejected else "allowed" for name in names]
    (work / "deny").write_text("\n".join(verdicts) + "\n")


def ids(text):
    return set(re.findall(r"[A-Za-z0-9.:-]+[+]?", text))


def reason(expression, allowed):
    """Returns why the peers differ, and who is right."""
    words, entries = ids(expression), ids(allowed)
    if "-or-later+" in expression:
        return "later twice", "deny"
    if re.search(" (or|and) ", expression):
        # SPDX 3.0.1 allows operators in lower case.
        return "operators in lower case", "deny"
    if expression in ("BSD", "GPL", "Apache 2.0"):
        # cargo-deny knows some loose names; whether they are meant nobody can tell.
        return "loose names", "satisfies"
    gnu = lambda one: re.match("A?L?GPL-", one)
    if any(map(gnu, words)) and any(map(gnu, entries)):
        # cargo-deny takes GPL-2.0, GPL-2.0-only and GPL-2.0-or-later for three licences, none of which is a version of another.
        return "versions of GNU licences", "satisfies"
    if "BSD-2-Clause+" in words:
        # cargo-deny takes the number in the middle for a version.
        return "a number in the middle", "satisfies"
    return None, None


def compare(work):
    read = lambda name: (work / name).read_text().splitlines()
    cases, ours, satisfies, denies = read("cases"), read("cases.verdicts"), read("satisfies"), read("deny")
    if not len(cases) == len(ours) == len(satisfies) == len(denies) == 10_000:
        sys.exit(f"{len(cases)} cases, {len(ours)}, {len(satisfies)} and {len(denies)} verdicts")
    equal, wrong, slips, differing = 0, [], 0, collections.Counter()
    for case, our, both, denied in zip(cases, ours, satisfies, denies):
        plain, mended = (verdict == "allowed" for verdict in both.split("\t"))
        our, denied = our == "allowed", denied == "allowed"
        slips += plain != mended
        if mended == denied:
            equal += our == mended
            if our != mended:
                wrong.append(f"both say {mended}: {case}")
            continue
        why, side = reason(*case.split("\t"))
        differing[why, side] += 1
        if our != {"satisfies": mended, "deny": denied, None: None}[side]:
            wrong.append(f"they differ ({why}), maestro says {our}: {case}")
    print(f"both peers and maestro agree in {equal} of {len(cases)} cases; without its slip spdx-satisfies judges {slips} otherwise")
    for (why, side), count in sorted(differing.items()):
        print(f"  {count:4} cases where they differ: {why}; maestro is with {side}")
    sys.exit("\n".join(wrong[:40]) if wrong or equal < 9_000 else 0)


command, work = sys.argv[1], pathlib.Path(sys.argv[2])
if command == "prepare":
    prepare(work)
elif command == "deny":
    deny(work, sys.argv[3])
else:
    compare(work)
