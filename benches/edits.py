"""What becomes of spoilt patches with other programs: edits.py CASES MPATCH

CASES is what the test `gold_patches_of_exercises` writes (MAESTRO_EDIT_CASES); MPATCH reads the cases and answers with a line each.
A program that fails has refused, whatever it left behind; one that does not fail is right or wrong by the file that it left.
"""
import collections, concurrent.futures, json, os, pathlib, subprocess, sys, tempfile  # noqa: E401

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": "/"}
PROGRAMS = {
    "git apply": ["git", "apply", "--whitespace=nowarn", "../answer"],
    "git apply, lenient": ["git", "apply", "--whitespace=nowarn", "--ignore-whitespace", "--recount", "-C1", "../answer"],
    "patch --fuzz=2": ["patch", "--batch", "--forward", "--fuzz=2", "-p1", "-i", "../answer"],
    "patch, lenient": ["patch", "--batch", "--forward", "--fuzz=3", "--ignore-whitespace", "-p1", "-i", "../answer"],
}


def verdict(case, after):
    """Says what a text is; None is a refusal."""
    if after is None:
        return "right" if case["may_refuse"] else "refused"
    same = after == case["right"] or case["any_end"] and after.rstrip("\n") == case["right"].rstrip("\n")
    return "right" if same else "wrong"


def run(job):
    case, command = job
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder, "tree")
        (top / "src").mkdir(parents=True)
        file = top / "src/lib.rs"
        file.write_bytes(case["before"].encode())
        pathlib.Path(folder, "answer").write_bytes(case["answer"].encode())
        done = subprocess.run(command, cwd=top, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        return verdict(case, None if done.returncode else file.read_bytes().decode())


def main():
    cases = json.load(open(sys.argv[1]))
    answers = subprocess.run([sys.argv[2], sys.argv[1]], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    found = collections.defaultdict(collections.Counter)
    order = list(dict.fromkeys(case["corruption"] for case in cases))
    for case, answer in zip(cases, answers, strict=True):
        found[case["form"], "maestro", case["corruption"]][case["maestro"]] += 1
        found[case["form"], "mpatch 1.8.1", case["corruption"]][verdict(case, json.loads(answer))] += 1
    diffs = [case for case in cases if case["form"] == "diff"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, command in PROGRAMS.items():
            for case, outcome in zip(diffs, pool.map(run, [(case, command) for case in diffs])):
                found["diff", name, case["corruption"]][outcome] += 1
    for form in ("diff", "blocks"):
        names = list(dict.fromkeys(name for one, name, _ in found if one == form))
        print(f"\n### {'Unified diffs' if form == 'diff' else 'SEARCH/REPLACE blocks'}: right / refused / wrong\n")
        print("| corruption | cases |" + "".join(f" {name} |" for name in names))
        print("|---|---:|" + "---:|" * len(names))
        sums = collections.defaultdict(collections.Counter)
        for corruption in order:
            counts = [found[form, name, corruption] for name in names]
            if corruption != "none":
                for name, count in zip(names, counts):
                    sums[name] += count
            print(row(corruption, counts))
        print(row("all but none", [sums[name] for name in names]))
        print("| right, % | |" + "".join(f" {100 * sums[name]['right'] / sums[name].total():.1f} |" for name in names))


def row(title, counts):
    cells = [f" {count['right']} / {count['refused']} / {count['wrong']} |" for count in counts]
    return f"| {title} | {counts[0].total()} |" + "".join(cells)


main()
