#!/usr/bin/env bash
# Every payload of npm's @octokit/webhooks-examples is read.
# inputs: src/forge/webhook.rs src/forge/api/mod.rs tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
cd "$work"
npm pack --silent @octokit/webhooks-examples@7.6.1 >/dev/null || skip "@octokit/webhooks-examples cannot be had"
tar xzf octokit-webhooks-examples-7.6.1.tgz
mkdir payloads
python3 - <<'PY'
import json, pathlib
count = 0
for folder, path in enumerate(sorted(pathlib.Path("package").rglob("index.json"))):
    for event in json.loads(path.read_text()):
        for number, example in enumerate(event["examples"]):
            pathlib.Path(f"payloads/{folder}-{event['name']}-{number}.json").write_text(json.dumps(example))
            count += 1
print(count, "payloads")
PY
cd "$root"
MAESTRO_WEBHOOKS=$work/payloads cargo test --quiet --locked --lib webhook -- --nocapture
