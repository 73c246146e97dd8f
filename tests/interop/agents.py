"""Runs real coding agents behind the gateway: agents.py MAESTRO NODE_MODULES WORK"""

import glob
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

maestro, modules, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
KEY = "sk-ant-canary-7f3a9c51e2d84b06"
WORDS = "pong from the scripted provider"
CLAUDE_MODEL, CODEX_MODEL = "claude-opus-4-6", "gpt-5.4"


def found(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(str(modules / pattern))):
            if os.access(path, os.X_OK):
                return path
    sys.exit(f"none of {patterns} is below {modules}")


CLAUDE = found("@anthropic-ai/claude-code-*/claude")
CODEX = found("@openai/codex-*/vendor/*/bin/codex")


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Wire:
    """Passes bytes between the gateway and aimock, and between an agent and the gateway, and keeps them."""

    def __init__(self, target):
        self.target, self.sent, self.got = target, bytearray(), bytearray()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near, _ = self.door.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for a, b, kept in ((near, far, self.sent), (far, near, self.got)):
                threading.Thread(target=self.pump, args=(a, b, kept), daemon=True).start()

    @staticmethod
    def pump(a, b, kept):
        try:
            while piece := a.recv(65536):
                kept += piece
                b.sendall(piece)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            a.close()
            b.close()


def start_provider():
    usage = {"input_tokens": 1000, "output_tokens": 20, "prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}
    fixture = {"fixtures": [{"match": {"userMessage": "say pong"}, "response": {"content": WORDS, "usage": usage}}]}
    (work / "fixtures.json").write_text(json.dumps(fixture))
    port = free_port()
    cli = modules / "@copilotkit/aimock/dist/cli.js"
    provider = subprocess.Popen(
        ["node", str(cli), "-p", str(port), "-f", str(work / "fixtures.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return provider, port
        except OSError:
            time.sleep(0.1)
    sys.exit("aimock did not come")


class Watcher(threading.Thread):
    """Looks at the environment of every process below one, as any process of this user might."""

    def __init__(self, parent):
        super().__init__(daemon=True)
        self.parent, self.seen, self.leaks, self.over = parent, set(), [], False

    def below(self):
        parents = {}
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                fields = pathlib.Path(path).read_text().rsplit(")", 1)[1].split()
                parents[int(path.split("/")[2])] = int(fields[1])
            except (OSError, IndexError, ValueError):
                continue
        known = {self.parent}
        while True:
            more = {pid for pid, parent in parents.items() if parent in known} - known
            if not more:
                return known - {self.parent}
            known |= more

    def run(self):
        while not self.over:
            for pid in self.below():
                try:
                    environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
                    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                # Between fork and exec a child is still its parent.
                if os.path.basename(command.split(b"\0")[0]) == os.path.basename(os.fsencode(maestro)):
                    continue
                self.seen.add(pid)
                if KEY.encode() in environment or KEY.encode() in command:
                    self.leaks.append(command)
            time.sleep(0.005)


def run(name, provider_port, most, agent):
    """Runs an agent behind a gateway; returns exit code, output, bill, and what was seen."""
    home = work / f"home-{name}-{most}"
    (home / ".codex").mkdir(parents=True)
    bill = work / f"bill-{name}-{most}.json"
    far = Wire(provider_port)
    near_port = free_port()
    # The agent speaks to a wire in front of the gateway, so that all it gets is seen.
    near = Wire(near_port)
    script = f"""
export ANTHROPIC_BASE_URL=http://127.0.0.1:{near.port}
cat >"$HOME/.codex/config.toml" <<END
model = "{CODEX_MODEL}"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "http://127.0.0.1:{near.port}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
END
exec {agent}
"""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "CODEX_HOME": str(home / ".codex"),
        "ANTHROPIC_API_KEY": KEY,
        "OPENAI_API_KEY": KEY,
        "COPY_OF_KEY": KEY,
        "DISABLE_TELEMETRY": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    upstream = f"http://127.0.0.1:{far.port}"
    begun = time.monotonic()
    process = subprocess.Popen(
        [maestro, "gateway", "--dir", str(work / "state"), "--port", str(near_port), "--max-usd", most]
        + ["--upstream", f"anthropic={upstream}", "--upstream", f"openai={upstream}"]
        + ["--record", str(work / f"tape-{name}-{most}"), "--report", f"json={bill}", "--", "sh", "-c", script],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watcher = Watcher(process.pid)
    watcher.start()
    out, err = process.communicate(timeout=120)
    took = time.monotonic() - begun
    watcher.over = True
    watcher.join()
    assert watcher.seen, "no process was seen behind the gateway"
    assert not watcher.leaks, f"{name}: the key is in the environment of {watcher.leaks}"
    for place, what in (("output", (out + err).encode()), ("traffic to the agent", bytes(near.got)), ("traffic of the agent", bytes(near.sent))):
        assert KEY.encode() not in what, f"{name}: the key is in the {place}"
    for folder in (home, work / f"tape-{name}-{most}", work / "state"):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert KEY.encode() not in path.read_bytes(), f"{name}: the key is in {path}"
    return process.returncode, out + err, json.loads(bill.read_text()), bytes(far.sent), len(watcher.seen), took


def hides_itself():
    """What runs behind the gateway as the same user cannot read the gateway's own environment."""
    script = 'cat /proc/$PPID/environ | tr "\\0" "\\n" | grep KEY= && exit 3; exit 0'
    command = [maestro, "gateway", "--dir", "state", "--", "sh", "-c", script]
    place = work / "hidden"
    place.mkdir()
    if os.getuid() == 0:
        # Root may read everything.
        os.chmod(work, 0o755)
        os.chown(place, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(place), "ANTHROPIC_API_KEY": KEY}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and KEY not in done.stdout, done
    assert "Permission denied" in done.stderr, done
    print("the gateway's own environment cannot be read by its user's other processes")


def main():
    hides_itself()
    provider, port = start_provider()
    agents = {
        "claude": (CLAUDE, f'{CLAUDE} -p "say pong" --model {CLAUDE_MODEL} --max-turns 1', "/v1/messages"),
        "codex": (CODEX, f'{CODEX} exec --skip-git-repo-check "say pong"', "/v1/responses"),
    }
    try:
        for name, (program, agent, path) in agents.items():
            version = subprocess.run([program, "--version"], capture_output=True, text=True, env={"HOME": str(work), "PATH": "/usr/bin:/bin"})
            version = version.stdout.strip()
            code, said, bill, upstream, seen, took = run(name, port, "5", agent)
            assert code == 0 and WORDS in said, f"{name}: exit {code}\n{said}"
            assert bill["calls"] >= 1 and bill["unknown_calls"] == 0 and not bill["stopped_by_budget"], bill
            assert KEY.encode() in upstream, "the provider did not get the key"
            calls, usd = bill["calls"], bill["total_usd"]
            print(f"{version}: works in {took:.1f} s; {calls} calls for ${usd}; no key in {seen} processes, files and traffic")
            code, said, bill, upstream, seen, took = run(name, port, "0.01", agent)
            asked = len(re.findall(rb"POST " + path.encode(), upstream))
            assert code == 11, f"{name}: exit {code}\n{said}"
            assert asked == 0 and bill["calls"] == 0 and bill["total_usd"] == "0", bill
            assert "stopped by the budget" in said, f"{name} does not show why:\n{said}"
            assert bill["refused"] <= 3 and took < 30, f"{name} asks again and again: {bill['refused']} times in {took:.0f} s"
            print(f"{version}: under a cap of one cent stops after {bill['refused']} refusals in {took:.1f} s, shows why, and nothing was sent")
    finally:
        provider.terminate()


main()
