"""Writes COUNT events to the outbox of a state folder, FILES files over a year, as `flakes ingest` would have saved them.

fold.py FOLDER COUNT FILES [FIRST]: the events are numbered from FIRST, so that further ones can be added.
"""
import datetime
import hashlib
import json
import pathlib
import sys

folder, count, files = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
outbox = folder / "outbox"
outbox.mkdir(parents=True, exist_ok=True)


def digest(*parts):
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def line(number):
    report = hashlib.sha256(b"report %d" % number).hexdigest()
    places = "7" + hashlib.sha512(b"places %d" % number).hexdigest()[:116]
    payload = json.dumps(
        {"counts": {"suites": 200}, "differs": {"f": places}, "files": [report], "leg": "", "list": hashlib.sha256(b"list").hexdigest()},
        separators=(",", ":"),
    )
    run, job = str(12_000_000_000 + number // 3), ["linux", "macos", "windows"][number % 3]
    event = digest(b"maestro.event/v1", b"test_run", run.encode(), b"1", job.encode(), payload.encode())
    # A further event falls into a month that is full already.
    second = number * 365 * 86_400 // max(count, 100_000) % (365 * 86_400)
    at = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=second)
    commit = hashlib.sha1(b"commit %d" % (number // 3)).hexdigest()
    return (
        f'{{"schema":"maestro.event/v1","kind":"test_run","id":"{event}","at":"{at:%Y-%m-%dT%H:%M:%SZ}","run":"{run}","attempt":1,'
        f'"job":"{job}","commit":"{commit}","branch":"main","payload":{payload}}}\n'
    )


for file in range(files):
    numbers = range(first + file * count // files, first + (file + 1) * count // files)
    text = "".join(line(number) for number in numbers)
    name = hashlib.sha256(text.encode()).hexdigest()
    (outbox / f"{name}.ndjson").write_text(text)
