"""Writes STATES states of ROWS rows each below FOLDER, as `dora` would have saved them, and the list `all.txt` of them.

dora_repos.py FOLDER STATES ROWS: of each ten rows three are pull requests, three deployments, three commits and one an incident, over a year.
"""
import datetime
import hashlib
import json
import pathlib
import sys

folder, states, many = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)


def at(minutes):
    return (START + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(repository, row):
    payload = json.dumps({"as_of": at(525_000), "repository": repository, "row": row}, separators=(",", ":"))
    whole = hashlib.sha256()
    for part in ["maestro.event/v1", "delivery_row", "", "0", "", payload]:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part.encode())
    return (
        f'{{"schema":"maestro.event/v1","kind":"delivery_row","id":"{whole.hexdigest()}","at":"{at(525_000)}","run":"","attempt":0,'
        f'"job":"","commit":"","branch":"","payload":{payload}}}\n'
    )


def rows(state):
    before = []
    count = many * 3 // 10
    for number in range(1, count + 1):
        sha = hashlib.sha1(b"%d %d" % (state, number)).hexdigest()
        merged = number * 520_000 // count
        begun = merged - 60 - (number * 7919 + state * 104_729) % 5000
        yield {"kind": "commit", "sha": sha, "parents": before, "author_date": at(begun), "commit_date": at(merged)}
        yield {
            "kind": "pull", "number": number, "url": f"https://github.com/o/r{state}/pull/{number}", "state": "merged", "created": at(begun + 30),
            "first_commit": at(begun), "merged": at(merged), "closed": at(merged), "merge_sha": sha, "base": "main",
            "author_kind": ["human", "human", "bot", "agent"][number % 4], "labels": ["team: a"], "additions": number % 500, "files": number % 20,
        }
        yield {
            "kind": "deployment", "id": number, "sha": sha, "environment": "production", "created": at(merged + 10), "status": "success",
            "first_success": at(merged + 20),
        }
        if number % 3 == 0:
            yield {"kind": "incident", "id": number, "opened": at(merged + 40), "closed": at(merged + 90)}
        before = [sha]


names = []
for state in range(states):
    outbox = folder / f"r{state}" / "outbox"
    outbox.mkdir(parents=True)
    text = "".join(line(f"o/r{state}", row) for row in rows(state))
    (outbox / f"{hashlib.sha256(text.encode()).hexdigest()}.ndjson").write_text(text)
    names.append(f"o/r{state} r{state}\n")
(folder / "all.txt").write_text("".join(names))
