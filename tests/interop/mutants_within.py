"""Many mutants in one test binary: each function that has some holds its body once for each, and a variable of the environment says which counts.

A mutant changes the body of one function, so that the body as it would be stands beside the body as it is:

    fn f(..) { if crate::mutant(7) { body with the change } else { body } }

The room is compiled once instead of once for each mutant, and no run waits for tests after the first that fails. What cannot stand in such a way (constants, `const fn`, `-> impl Trait`,
functions in functions) is compiled alone.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

SWITCH = """
pub fn mutant(number: u32) -> bool {
    static CHOSEN: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| std::env::var("MUTANT").map_or(0, |text| text.parse().unwrap()));
    *CHOSEN == number
}
"""
MEMORY = 6 << 30
# No test waits so many seconds.
LONGEST = 1200
# No mutant has this number.
NONE = 1 << 31


def judge(crate, room, mutants, keep):
    """Finds what becomes of these mutants (by key, as cargo-mutants lists them): caught, missed, timeout or unviable. What is found is kept at once."""
    sources = {name: (crate / name).read_text() for name in sorted({mutant["file"] for mutant in mutants.values()} | {"src/lib.rs"})}
    try:
        judged(crate, room, mutants, sources, keep)
    finally:
        write(crate, sources, sources)


def judged(crate, room, mutants, sources, keep):
    numbers = {key: number for number, key in enumerate(sorted(mutants), 1)}
    within, alone, found = {}, [key for key, mutant in mutants.items() if not mutant["function"]], {}
    for function, keys in by_function(mutants).items():
        place = body(sources[function[0]], mutants[keys[0]]["function"])
        if place is None or any(inside(function, other) for other in by_function(mutants)):
            alone += keys
        else:
            within[function] = (place, keys)
    while True:
        texts = {name: embedded(name, text, within, mutants, numbers) for name, text in sources.items()}
        texts["src/lib.rs"] += SWITCH
        write(crate, texts, sources)
        binary, errors = build(crate)
        if binary:
            break
        bad, whole = blame(texts, errors)
        gone = {key for key, number in numbers.items() if number in bad}
        if not (bad or whole):
            sys.exit(f"{room} does not compile:\n" + "\n".join(error["rendered"] for error in errors)[:4000])
        for function, (place, keys) in list(within.items()):
            if {numbers[key] for key in keys} & whole:
                alone += keys
                del within[function]
            elif left := [key for key in keys if key not in gone]:
                within[function] = (place, left)
                found |= {key: "unviable" for key in keys if key in gone}
            else:
                found |= {key: "unviable" for key in keys}
                del within[function]
    keep(found)
    keys = [key for _, keys in within.values() for key in keys]
    limit = patience(binary, crate, room)
    print(f"  {len(keys)} in one binary, {len(alone)} alone, {len(found)} do not compile; {limit} s of the processor each at most", flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("MUTANTS_JOBS", "2"))) as pool:
        kinds = pool.map(lambda key: run(binary, crate, near(mutants[key]), numbers[key], limit), keys)
        for key, kind in zip(keys, kinds):
            keep({key: kind})
    for key in alone:
        name = mutants[key]["file"]
        write(crate, sources | {name: mutated(sources[name], mutants[key])[0], "src/lib.rs": sources["src/lib.rs"] + SWITCH}, sources)
        binary, _ = build(crate)
        keep({key: run(binary, crate, near(mutants[key]), NONE, limit) if binary else "unviable"})


def by_function(mutants):
    grouped = collections.defaultdict(list)
    for key, mutant in mutants.items():
        if not mutant["function"]:
            continue
        span = mutant["function"]["span"]
        grouped[mutant["file"], span["start"]["line"], span["start"]["column"], span["end"]["line"]].append(key)
    return grouped


def inside(function, other):
    """Whether one of the two functions of a file holds the other."""
    (file, start, _, end), (other_file, other_start, _, other_end) = function, other
    return function != other and file == other_file and start <= other_end and other_start <= end


def offset(text, place):
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place["line"] - 1]) + place["column"] - 1


def body(text, function):
    """Where a function's body starts and ends, without its braces."""
    start, end = (offset(text, function["span"][side]) for side in ("start", "end"))
    head = re.compile(r"\bfn\s+" + re.escape(function["function_name"].rpartition("::")[2]) + r"\b").search(text, start)
    if head is None or "impl " in function["return_type"] or re.search(r"\bconst\s+$", text[max(0, head.start() - 8) : head.start()]):
        return None
    depth = 0
    for at in range(head.end(), end):
        depth += (text[at] in "([") - (text[at] in ")]")
        if text[at] == "{" and depth == 0:
            return at + 1, end - 1
    return None


def mutated(text, mutant):
    """The text with the change, and where it is."""
    start, end = (offset(text, mutant["span"][side]) for side in ("start", "end"))
    return text[:start] + mutant["replacement"] + " " + text[end:], start, len(mutant["replacement"]) + 1 - (end - start)


def embedded(name, text, within, mutants, numbers):
    for (file, *_), ((start, end), keys) in sorted(within.items(), key=lambda item: -item[1][0][0]):
        if file != name:
            continue
        parts = []
        for key in keys:
            # Spans are those of the text as it was: what was changed so far stands below this function.
            changed, at, longer = mutated(text, mutants[key])
            if not start <= at <= end:
                sys.exit(f"{key} is not in its function")
            parts.append(f"if crate::mutant({numbers[key]}) {{ // mutant {numbers[key]}\n{changed[start : end + longer]}\n}} else ")
        listed = " ".join(str(numbers[key]) for key in keys)
        text = text[:start] + "\n" + "".join(parts) + f"{{ // whole {listed}\n" + text[start:end] + f"\n}} // end\n" + text[end:]
    return text


def build(crate):
    """The test binary, or the errors of the compiler."""
    command = ["cargo", "test", "--lib", "--no-run", "--message-format", "json", "--quiet"]
    done = subprocess.run(command, cwd=crate, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode == 0:
        return next(line["executable"] for line in lines if line.get("executable")), []
    errors = [line["message"] for line in lines if line.get("reason") == "compiler-message" and line["message"]["level"] == "error"]
    return None, errors or [{"rendered": done.stderr, "spans": []}]


def blame(texts, errors):
    """Numbers of the mutants that do not compile, and of those whose function cannot hold them."""
    bad, whole = set(), set()
    for error in errors:
        for span in (span for span in error["spans"] if span["is_primary"]):
            while span["file_name"] not in texts and span.get("expansion"):
                span = span["expansion"]["span"]
            lines = texts.get(span["file_name"], "").split("\n")
            for at in range(min(span["line_start"], len(lines)) - 1, -1, -1):
                found = re.search(r"\{ // (mutant|whole) ([\d ]+)$|\} // end$", lines[at])
                if found and found[1] == "mutant" and at != span["line_start"] - 1:
                    bad.add(int(found[2]))
                elif found and found[2]:
                    whole |= {int(number) for number in found[2].split()}
                if found:
                    break
    return bad, whole


def write(crate, texts, before):
    for name in texts:
        path = pathlib.Path(crate, name)
        if path.read_text() != texts[name]:
            path.write_text(texts[name])


def patience(binary, crate, room):
    """How many seconds of a processor a mutant may take: five times what the tests take as they are, and half a minute at least."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = used()
    kind = run(binary, crate, [f"{room}::"], 0, 1800)
    if kind != "missed":
        sys.exit(f"{room}: the tests do not pass without a mutant ({kind})")
    return max(30, round(5 * (used() - before)))


def near(mutant):
    """Which tests are asked, one after the other: those of the module, of the module around it, and of the room."""
    parts = mutant["file"].removesuffix(".rs").removesuffix("/mod").split("/")[1:]
    return list(dict.fromkeys("::".join(parts[:length]) + "::" for length in (len(parts), max(1, len(parts) - 1), 1)))


def run(binary, crate, filters, number, limit):
    """Runs the tests that the filters name until one fails, or all have passed."""
    for name in filters:
        kind = run_some(binary, crate, name, number, limit)
        if kind != "missed":
            return kind
    return "missed"


def run_some(binary, crate, name, number, limit):
    """Cases by chance are the same every time."""
    held = {"MUTANT": str(number), "INSTA_UPDATE": "no", "PROPTEST_RNG_SEED": "1", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1"}
    environment = os.environ | held | {"PROPTEST_MAX_SHRINK_ITERS": "0", "CARGO_MANIFEST_DIR": str(crate)}

    def confine():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        # Seconds of the processor, so that a busy machine makes nothing late.
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))

    command = [binary, name, "--test-threads", "2"]
    child = subprocess.Popen(command, cwd=crate, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", preexec_fn=confine)
    late = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: expire(child, late))
        failed = False
        for line in child.stdout:
            if line.rstrip().endswith("... FAILED"):
                failed = True
                if number == 0:
                    print(f"  {line.strip()}", flush=True)
                child.kill()
                break
        code = child.wait()
        child.stdout.close()
    if failed:
        return "caught"
    if late or code == -signal.SIGXCPU:
        return "timeout"
    return "caught" if code else "missed"


def expire(child, late):
    """What waits for something that never comes takes no time of the processor."""
    try:
        child.wait(LONGEST)
    except subprocess.TimeoutExpired:
        late.append(child)
        child.kill()
