"""Runs `maestro state sync` and `maestro gateway` against a TLS server on this machine: tls.py BINARY FOLDER."""
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading


class GitHub(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_GET(self):
        self.heard.append((self.path, self.headers.get("authorization")))
        body = json.dumps({"total_count": 0, "artifacts": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ASK = """
import os, urllib.error, urllib.request
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/models", headers={"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""


def gateway(binary, folder, environment, port):
    """What a client of the gateway hears, for each kind of server behind it."""
    key = "sk-canary-0123456789"
    for what, host, roots, status in (
        ("a certificate of a root that is trusted", "localhost", folder / "ca.pem", "200"),
        ("a certificate of nobody", "localhost", None, "502"),
        ("a certificate for another name", "127.0.0.1", folder / "ca.pem", "502"),
    ):
        GitHub.heard.clear()
        own = {"OPENAI_API_KEY": key} | ({"SSL_CERT_FILE": str(roots)} if roots else {})
        done = subprocess.run([binary, "--dir", str(folder / "state"), "gateway", "--upstream", f"openai=https://{host}:{port}", "--", sys.executable, "-c", ASK],
                              cwd=folder, env=environment | own, capture_output=True, text=True)
        print(f"gateway, {what}: {done.stdout.strip()[:80]}")
        if not done.stdout.startswith(status) or (status == "502" and "certificate" not in done.stdout):
            yield f"gateway, {what}: {done.stdout}{done.stderr}"
        if GitHub.heard != [("/v1/models", f"Bearer {key}")] * (status == "200"):
            yield f"gateway, {what}: the server heard {GitHub.heard}"
        if key in done.stdout + done.stderr:
            yield f"gateway, {what}: the key is shown"


def main(binary, folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]

    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for args in (["init", "-q", "--bare", "remote.git"], ["init", "-q", "repo"], ["-C", "repo", "remote", "add", "origin", "../remote.git"],
                 ["-C", "repo", "commit", "-q", "--allow-empty", "-m", "Begin"]):
        subprocess.run([*git, *args], cwd=folder, env=environment, check=True)

    wrong = []
    token = "ghs_0123456789012345678901234567890123456789"
    for what, host, roots, code, words in (
        ("a certificate of a root that is trusted", "localhost", folder / "ca.pem", 0, ""),
        ("a certificate of nobody", "localhost", None, 69, "certificate"),
        ("a certificate for another name", "127.0.0.1", folder / "ca.pem", 69, "certificate"),
    ):
        GitHub.heard.clear()
        own = {"GITHUB_TOKEN": token, "GITHUB_REPOSITORY": "o/n", "GITHUB_API_URL": f"https://{host}:{port}"}
        own |= {"SSL_CERT_FILE": str(roots)} if roots else {}
        done = subprocess.run([binary, "-C", str(folder / "repo"), "state", "sync", "--deadline", "10"], env=environment | own,
                              capture_output=True, text=True)
        said = done.stdout + done.stderr
        print(f"{what}: exit {done.returncode}, {len(GitHub.heard)} requests heard")
        if done.returncode != code or words not in said.lower():
            wrong.append(f"{what}: exit {done.returncode}, not {code}: {said}")
        if [auth for _, auth in GitHub.heard] != [f"Bearer {token}"] * (code == 0):
            wrong.append(f"{what}: the server heard {GitHub.heard}")
        if token in said:
            wrong.append(f"{what}: the token is shown")
    wrong += gateway(binary, folder, environment, port)
    server.shutdown()
    sys.exit("\n".join(wrong) or 0)


main(sys.argv[1], pathlib.Path(sys.argv[2]))
