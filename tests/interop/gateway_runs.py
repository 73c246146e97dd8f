"""Many short runs behind the gateway: gateway_runs.py MAESTRO WORK RUNS"""

import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

maestro, work, runs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
INPUT, OUTPUT = Decimal("0.000003"), Decimal("0.000015")
PATHS = {"/v1/messages": "max_tokens", "/v1/chat/completions": "max_completion_tokens", "/v1/responses": "max_output_tokens"}


class Books:
    """What the provider bills in one run."""

    def __init__(self):
        self.lock, self.usd, self.calls, self.random = threading.Lock(), Decimal(0), 0, random.Random(0)


# By run: who is killed may be heard later.
all_books = {}


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(raw := self.rfile.read(int(self.headers["content-length"])))
        _, run, path = self.path.split("/", 2)
        self.path = "/" + path
        field = PATHS[self.path]
        most = max(body.get(field) or 0, body.get("max_tokens") or 0) or 128_000
        own = all_books[int(run)]
        with own.lock:
            dice = own.random
            given = dice.randint(1, len(raw))
            written = dice.choice([most, dice.randint(0, most), dice.randint(0, min(most, 50))])
            fate = dice.choices(["fine", "error", "broken", "gateway error"], [86, 5, 5, 4])[0]
            # What was begun is billed, whether or not it arrives.
            if fate != "error":
                own.usd += given * INPUT + written * OUTPUT
            own.calls += 1
        try:
            if fate == "error":
                return self.whole(529, {"type": "error", "error": {"type": "overloaded_error", "message": "later"}})
            if fate == "gateway error":
                return self.whole(502, {"error": {"message": "bad gateway"}})
            self.answer(body, given, written, fate == "broken")
        except OSError:
            self.close_connection = True

    def whole(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, body, given, written, broken):
        if self.path == "/v1/messages":
            usage = {"input_tokens": given, "output_tokens": written}
            whole = {"type": "message", "id": "x", "model": "m", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": usage}
            events = [
                {"type": "message_start", "message": {**whole, "stop_reason": None, "usage": {**usage, "output_tokens": 1}}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": written}},
                {"type": "message_stop"},
            ]
        elif self.path == "/v1/responses":
            usage = {"input_tokens": given, "output_tokens": written, "total_tokens": given + written}
            whole = {"id": "x", "object": "response", "model": "m", "status": "completed", "output": [], "usage": usage}
            events = [{"type": "response.created", "response": {"id": "x", "model": "m", "output": []}}, {"type": "response.completed", "response": whole}]
        else:
            usage = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}
            choice = {"index": 0, "finish_reason": "stop"}
            whole = {"id": "x", "object": "chat.completion", "model": "m", "choices": [{**choice, "message": {"role": "assistant", "content": ""}}], "usage": usage}
            chunk = {"id": "x", "object": "chat.completion.chunk", "model": "m"}
            assert not body.get("stream") or body["stream_options"]["include_usage"]
            events = [{**chunk, "choices": [{**choice, "delta": {}}]}, {**chunk, "choices": [], "usage": usage}]
        if not body.get("stream"):
            if broken:
                self.close_connection = True
                return self.connection.close()
            return self.whole(200, whole)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        texts = [f"event: {event.get('type', '')}\ndata: {json.dumps(event)}\n\n" for event in events]
        if self.path == "/v1/chat/completions":
            texts = [text.split("\n", 1)[1] for text in texts] + ["data: [DONE]\n\n"]
        for at, text in enumerate(texts):
            if broken and at == len(texts) - 1:
                self.close_connection = True
                return self.connection.close()
            data = text.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(0.001)
        self.wfile.write(b"0\r\n\r\n")


def ask(port, token, seed, stop):
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 6)):
        if stop.is_set():
            return
        path = dice.choice(list(PATHS))
        words = "x" * dice.choice([1, 10, 500, dice.randint(1, 8000)])
        body = {"model": "m", "stream": dice.random() < 0.6}
        if path == "/v1/responses":
            body["input"] = words
        else:
            body["messages"] = [{"role": "user", "content": words}]
        if path == "/v1/messages" or dice.random() < 0.8:
            body[PATHS[path]] = dice.choice([1, 100, 5000, dice.randint(1, 40_000)])
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            line.request("POST", path, json.dumps(body), {"x-api-key": token, "content-type": "application/json"})
            answer = line.getresponse()
            if dice.random() < 0.08:
                line.close()
                continue
            answer.read()
            line.close()
        except (OSError, http.client.HTTPException):
            continue


def ledger(path):
    """Returns what a journal says was spent, at worst and settled."""
    put, settled, gone = {}, {}, set()
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if "reserve" in entry:
            put[entry["reserve"]["call"]] = Decimal(entry["reserve"]["worst_usd"])
        elif "settle" in entry:
            settled[entry["settle"]["call"]] = Decimal(entry["settle"]["usd"])
        elif "release" in entry:
            gone.add(entry["release"]["call"])
    unknown = sum(worst for call, worst in put.items() if call not in settled and call not in gone)
    return sum(settled.values()) + unknown, unknown, sum(settled[call] > put[call] for call in settled)


def main():
    # Who hangs up is part of the test.
    ThreadingHTTPServer.handle_error = lambda *_: None
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{provider.server_port}"
    model = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 3, "output_mtok": 15}}
    table = {"schema": "maestro.prices/v1", "source": "test", "date": "2026-01-01", "currency": "USD"}
    table["providers"] = [{"id": name, "models": [model]} for name in ("anthropic", "openai")]
    (work / "prices.json").write_text(json.dumps(table))
    calls = refused = killed = over = unknown_calls = below = 0
    spent, finished = Decimal(0), []
    for run in range(runs):
        dice = random.Random(run)
        books = all_books[run] = Books()
        books.random = random.Random(-run - 1)
        folder = work / f"run-{run}"
        folder.mkdir()
        cap = Decimal(dice.choice(["0.05", "0.2", "0.6", "1.5"]))
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ANTHROPIC_API_KEY": "k" * 20, "OPENAI_API_KEY": "k" * 20}
        gateway = subprocess.Popen(
            [maestro, "gateway", "--dir", str(folder), "--max-usd", str(cap), "--prices", str(work / "prices.json"), "--out", "env", "--format", "json"]
            + ["--upstream", f"anthropic={address}/{run}", "--upstream", f"openai={address}/{run}"],
            env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        while not (folder / "env").exists() or "MAESTRO_GATEWAY" not in (folder / "env").read_text():
            assert gateway.poll() is None, gateway.stderr.read().decode()
            time.sleep(0.005)
        told = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
        port = int(told["MAESTRO_GATEWAY"].rsplit(":", 1)[1])
        stop = threading.Event()
        clients = [
            threading.Thread(target=ask, args=(port, told["OPENAI_API_KEY"], run * 100 + at, stop)) for at in range(dice.choice([1, 2, 4, 8]))
        ]
        for client in clients:
            client.start()
        dies = run % 10 == 9
        if dies:
            time.sleep(dice.uniform(0.005, 0.1))
            gateway.kill()
            stop.set()
            killed += 1
        for client in clients:
            client.join()
        if not dies:
            gateway.send_signal(signal.SIGTERM)
        out, err = gateway.communicate(timeout=60)
        charged, unknown, above = ledger(next(folder.rglob("own.ndjson")))
        if not dies:
            bill = json.loads(out)
            assert Decimal(bill["total_usd"]) == charged, (run, bill, charged)
            refused += bill["refused"]
            unknown_calls += bill["unknown_calls"]
            assert gateway.returncode == (11 if bill["refused"] else 0), (run, err.decode())
        assert unknown or charged == books.usd, (run, charged, books.usd)
        finished.append((run, cap, charged, above))
        calls += books.calls
        spent += books.usd
    time.sleep(1)
    for run, cap, charged, above in finished:
        books = all_books[run]
        over += books.usd > cap or charged > cap or above > 0
        below += charged < books.usd
    print(
        f"{runs} runs, {calls} calls reached the provider, {refused} refused, {killed} gateways killed in mid-run, {unknown_calls} calls charged as unknown by the others; "
        f"the provider billed ${spent}; above a cap: {over}; ledgers below the provider's bill: {below}"
    )
    sys.exit(bool(over or below))


main()
