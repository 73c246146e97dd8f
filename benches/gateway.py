"""Time to the first byte of an answer, direct and through the gateway, in turns: gateway.py MAESTRO REQUESTS"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

# The size of a first request of Claude Code 2.1.197.
BODY = 76_000

PROVIDER = """
import socket, sys, threading
start = b'event: message_start\\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}\\n\\n'
end = b'event: message_delta\\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\\n\\nevent: message_stop\\ndata: {"type":"message_stop"}\\n\\n'
def chunk(data):
    return b"%x\\r\\n%s\\r\\n" % (len(data), data)
head = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n"
def serve(line):
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b""
    while True:
        while b"\\r\\n\\r\\n" not in held:
            piece = line.recv(1 << 20)
            if not piece:
                return
            held += piece
        top, _, rest = held.partition(b"\\r\\n\\r\\n")
        length = int(top.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
        while len(rest) < length:
            rest += line.recv(1 << 20)
        held = rest[length:]
        line.sendall(head + chunk(start))
        line.sendall(chunk(end) + b"0\\r\\n\\r\\n")
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
while True:
    line, _ = door.accept()
    threading.Thread(target=serve, args=(line,), daemon=True).start()
"""


class Client:
    def __init__(self, port, token):
        self.line = socket.create_connection(("127.0.0.1", port))
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        text = "x" * (BODY - 120)
        body = json.dumps({"model": "m", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": text}]}).encode()
        head = f"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {token}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.request = head.encode() + body

    def first_byte(self):
        begun = time.perf_counter()
        self.line.sendall(self.request)
        got = b""
        first = None
        while not got.endswith(b"0\r\n\r\n"):
            piece = self.line.recv(1 << 16)
            assert piece, got
            got += piece
            if first is None and b"event:" in got:
                first = time.perf_counter() - begun
        assert b" 200 " in got.split(b"\r\n")[0], got
        return first * 1000


def share(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def main():
    maestro, requests = sys.argv[1], int(sys.argv[2])
    provider = subprocess.Popen([sys.executable, "-c", PROVIDER], stdout=subprocess.PIPE, text=True)
    port = int(provider.stdout.readline())
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = pathlib.Path(name)
        model = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 0.001, "output_mtok": 0.001}}
        table = {"schema": "maestro.prices/v1", "source": "bench", "date": "2026-01-01", "currency": "USD", "providers": [{"id": "anthropic", "models": [model]}]}
        (folder / "prices.json").write_text(json.dumps(table))
        gateway = subprocess.Popen(
            [maestro, "gateway", "--dir", name, "--prices", "prices.json", "--out", "env", "--upstream", f"anthropic=http://127.0.0.1:{port}"],
            cwd=folder, env={"HOME": name, "PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": "key-of-bench"}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        while not (folder / "env").exists() or "MAESTRO_GATEWAY" not in (folder / "env").read_text():
            time.sleep(0.01)
        told = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
        through = Client(int(told["MAESTRO_GATEWAY"].rsplit(":", 1)[1]), told["ANTHROPIC_API_KEY"])
        direct = Client(port, "key")
        for _ in range(20):
            direct.first_byte()
            through.first_byte()
        times = {"direct": [], "through the gateway": []}
        for _ in range(requests):
            times["direct"].append(direct.first_byte())
            times["through the gateway"].append(through.first_byte())
        for what, all_ in times.items():
            print(f"{what}: median {share(all_, 0.5):.2f} ms, p95 {share(all_, 0.95):.2f} ms")
        added = [b - a for a, b in zip(*times.values())]
        print(f"added: median {share(added, 0.5):.2f} ms, p95 {share(added, 0.95):.2f} ms ({requests} requests of {BODY} bytes, each put aside durably before it is sent)")
        gateway.send_signal(signal.SIGTERM)
        gateway.wait()
    provider.terminate()


main()
