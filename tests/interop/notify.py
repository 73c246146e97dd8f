"""Lets maestro tell a server of ours, and Slack's own models judge what Slack would get: notify.py MAESTRO FOLDER"""

import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from slack_sdk.models.blocks import Block, HeaderBlock, SectionBlock

binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
came = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        came.append({"path": self.path, "headers": headers, "body": body, "secret": secret})
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"

repository = folder / "repository"
repository.mkdir(parents=True)
hostile = ["<!channel> & <https://evil.example|ok>", "[a](http://b) **b** `c` # d", "\u202eabc\u0007", "\u20ac" * 700, "</at> {{x}} ${y}", '"\\\n']
channels = "".join(
    f"  - {{ to: {to}, url_env: {name}, {more}on: [quarantine-added, quarantine-overdue] }}\n"
    for to, name, more in [("slack", "SLACK", ""), ("teams", "TEAMS", ""), ("webhook", "OWN", "secret_env: KEY, ")]
)
(repository / ".maestro").mkdir()
(repository / ".maestro/maestro.yaml").write_text("schema: maestro.config/v1\nnotify:\n" + channels)


def run(*args, **more):
    return subprocess.run(args, cwd=repository, check=True, capture_output=True, text=True, env=environment, **more)


environment = {
    "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": "/dev/null", "GITHUB_REPOSITORY": "acme/shop",
    "SLACK": address + "/slack", "TEAMS": address + "/teams", "OWN": address + "/own", "KEY": secret,
}
for name in ["AUTHOR", "COMMITTER"]:
    environment |= {f"GIT_{name}_NAME": "Ada", f"GIT_{name}_EMAIL": "ada@example.com"}
run("git", "init", "--quiet", "--initial-branch=main")
today = time.strftime("%Y-%m-%d", time.gmtime())
for round in range(6):
    entries = [
        {"suite": f"s{round}", "test": f"{number} {text}", "reason": text.strip() or "r", "owner": "@acme/web",
         "since": today if number % 2 else "2020-01-01", "review_by": "2099-01-01" if number % 2 else "2020-02-01"}
        for number, text in enumerate(hostile * (1 + round * 3))
    ]
    (repository / ".maestro/quarantine.json").write_text(json.dumps({"schema": "maestro.quarantine/v1", "tests": entries}))
    run("git", "add", ".")
    run("git", "commit", "--quiet", "--message", "Quarantine")
    told = json.loads(run(binary, "notify", "--format", "json").stdout)
    assert [row["state"] for row in told["channels"]] == ["told"] * 3, told
server.shutdown()

blocks = 0
for number, one in enumerate(came):
    (folder / f"{number:03}.json").write_text(json.dumps(one))
    if one["path"] != "/slack":
        continue
    message = json.loads(one["body"])
    assert len(message["blocks"]) <= 50 and len(message["text"]) <= 4000
    parsed = Block.parse_all(message["blocks"])
    assert len(parsed) == len(message["blocks"]) and None not in parsed
    for block in parsed:
        block.validate_json()
        if isinstance(block, HeaderBlock | SectionBlock):
            block.text.validate_json()
        blocks += 1
    texts = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert all("<" not in text and ">" not in text for text in texts)
assert blocks > 20, blocks
print(f"slack_sdk validated {blocks} blocks of {sum(one['path'] == '/slack' for one in came)} messages")
