"""What the judges of test runners share: calling programs, writing files, and names that are easily mistaken for one another."""

import os
import random
import subprocess
import sys


def run(args, folder, check=True, **more):
    """Runs a program; with `check`, one that fails ends the judge."""
    env = {**os.environ, "NO_COLOR": "1", **more}
    done = subprocess.run(list(map(str, args)), cwd=folder, capture_output=True, text=True, env=env)
    if check and done.returncode:
        sys.exit(f"{args}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def write(folder, path, text):
    path = folder / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def words(count, of_one=3, seed=11):
    """Names of letters, some of them beginnings of others."""
    dice = random.Random(seed)
    names = [f"t{dice.choice('ab')}{number // of_one}" + "x" * (number % of_one) for number in range(count)]
    return list(dict.fromkeys(names))


#: What is hard to write in an argument, a literal or a pattern.
ODD = ["a b", "a", "ab", "[]", "é\n", "::", "'q'", '"q"', "a\\b", "a\\", "#c", "@d", "", "*", "x,y", "$(x)", "-k", "a]b[c", "ü::[é]", "%s", "{0}", "\t", "'''", "\\'"]
