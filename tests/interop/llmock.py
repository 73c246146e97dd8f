"""Runs `maestro budget call` against llmock, fault by fault, and prints llmock's strict verdict on each."""

import concurrent.futures
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

binary = os.path.abspath(sys.argv[1])
FLAVORS = ["messages", "chat", "responses"]


def fail(status, **more):
    return {"type": "fail", "status": status, **more}


def fault(kind, **more):
    return {"type": "stream_fault", "kind": kind, **more}


# Name, behaviours, whether streams alone have it, the exit code, more options.
FAULTS = [
    ("none", [], False, 0, []),
    ("429, Retry-After 1", [fail(429, retry_after=1)], False, 0, []),
    ("429, Retry-After 0.3", [fail(429, retry_after=0.3)], False, 0, []),
    ("429 three times", [fail(429, retry_after=0.2, times=3)], False, 0, []),
    ("429 for ever", [fail(429, retry_after=0.1, times=None)], False, 69, []),
    ("429 beyond the deadline", [fail(429, retry_after=0.2), fail(429, retry_after=60)], False, 69, ["--deadline", "10"]),
    *[(f"{status}", [fail(status, retry_after=0)], False, 0, []) for status in [408, 409, 500, 502, 503, 504, 529]],
    ("503 twice, then 200", [fail(503, retry_after=0.1, times=2)], False, 0, []),
    ("400", [fail(400)], False, 65, []),
    ("401", [fail(401)], False, 77, []),
    ("403", [fail(403)], False, 77, []),
    ("404", [fail(404)], False, 66, []),
    ("422", [fail(422)], False, 65, []),
    ("answer is late", [{"type": "delay", "seconds": 4}], False, 0, ["--begin-within", "1"]),
    ("first token is late", [{"type": "slow_first_token", "seconds": 4}], True, 0, ["--begin-within", "1", "--silent-for", "1"]),
    ("disconnect at once", [fault("disconnect", after_chunks=0)], True, 0, []),
    ("disconnect", [fault("disconnect", after_chunks=2)], True, 0, []),
    ("disconnect three times", [fault("disconnect", after_chunks=2, times=3)], True, 0, []),
    ("truncate at once", [fault("truncate", after_chunks=0)], True, 0, []),
    ("truncate", [fault("truncate", after_chunks=2)], True, 0, []),
    ("truncate three times", [fault("truncate", after_chunks=3, times=3)], True, 0, []),
    ("stall", [fault("stall", after_chunks=2, stall_seconds=5)], True, 0, ["--silent-for", "1"]),
    ("malformed", [fault("malformed", after_chunks=2)], True, 0, []),
    ("malformed, then truncate", [fault("malformed", after_chunks=2), fault("truncate", after_chunks=1)], True, 0, []),
    ("429, then disconnect", [fail(429, retry_after=0.2), fault("disconnect", after_chunks=1)], True, 0, []),
]


def post(base, path, body=None):
    data = json.dumps(body).encode() if body is not None else b""
    request = urllib.request.Request(base + path, data=data, headers={"content-type": "application/json"}, method="POST")
    return urllib.request.urlopen(request, timeout=10).read()


def get(base, path):
    # A verdict that fails has a status that says so.
    try:
        return json.load(urllib.request.urlopen(base + path, timeout=10))
    except urllib.error.HTTPError as error:
        return json.load(error)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def serve():
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    llmock = os.path.join(os.path.dirname(sys.executable), "llmock")
    # As slow as a model: a stream that is all sent at once cannot show llmock that nobody reads on.
    server = subprocess.Popen([llmock, "serve", "-p", str(port), "--log-level", "error", "--stream-chunk-delay-ms", "40"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            urllib.request.urlopen(base + "/health", timeout=1)
            return server, base
        except OSError:
            time.sleep(0.1)
    raise SystemExit("llmock does not start")


def judge(base, flavor, stream, behaviors, code, more):
    """Returns what is wrong, and llmock's verdict."""
    post(base, "/_llmock/reset")
    if behaviors:
        post(base, "/_llmock/scenario", {"behaviors": behaviors})
    is_anthropic = flavor == "messages"
    model, path = ("claude-haiku-4-5", "/anthropic") if is_anthropic else ("gpt-5-mini", "/v1")
    call = [binary, "budget", "call", "--base-url", base + path, "--unpriced", "--api-flavor", flavor, "--model", model, "--prompt-file", "prompt.txt",
            "--format", "json", "--deadline", "60", *(["--stream"] if stream else []), *more]
    env = {"HOME": os.getcwd(), "PATH": os.environ["PATH"]}
    ran = subprocess.run(call, capture_output=True, text=True, env=env, timeout=120)
    wrong = []
    if ran.returncode != code:
        wrong.append(f"exit code {ran.returncode}, not {code}: {ran.stderr.strip()[-300:]}")
    elif code == 0:
        document = json.loads(ran.stdout)
        if not document["text"] or document["usage"] is None:
            wrong.append("no text or no usage")
    time.sleep(0.3)
    verdict = get(base, "/_llmock/verdict")
    if verdict["errors"] or verdict["warnings"] or not verdict["passed"]:
        wrong.append(json.dumps(verdict["findings"])[:600])
    return wrong, verdict


def column(flavor, stream):
    server, base = serve()
    try:
        return {name: judge(base, flavor, stream, behaviors, code, more)
                for name, behaviors, only_streams, code, more in FAULTS if stream or not only_streams}
    finally:
        server.terminate()


def main():
    with open("prompt.txt", "w") as out:
        out.write("Say something of a few words.\n")
    columns = [(flavor, stream) for flavor in FLAVORS for stream in (False, True)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        results = dict(zip(columns, pool.map(lambda pair: column(*pair), columns)))
    heads = [f"{flavor}{' stream' if stream else ''}" for flavor, stream in columns]
    print(f"{'fault':28}" + "".join(f"{head:>18}" for head in heads) + "   (attempts: llmock's verdict)")
    cells = failures = warnings = attempts = faults = 0
    broken = []
    for name, *_ in FAULTS:
        row = f"{name:28}"
        for pair in columns:
            if name not in results[pair]:
                row += f"{'-':>18}"
                continue
            wrong, verdict = results[pair][name]
            cells += 1
            failures += verdict["errors"]
            warnings += verdict["warnings"]
            attempts += verdict["attempts"]
            faults += verdict["faults_injected"]
            row += f"{str(verdict['attempts']) + ': ' + ('WRONG' if wrong else 'pass'):>18}"
            broken += [f"{name}, {pair}: {words}" for words in wrong]
        print(row)
    print(f"{cells} scenarios, {attempts} attempts, {faults} faults injected: {failures} failures, {warnings} warnings, {len(broken)} wrong outcomes")
    for words in broken:
        print(words, file=sys.stderr)
    sys.exit(1 if failures or warnings or broken else 0)


main()
