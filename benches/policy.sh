#!/usr/bin/env bash
# How long `maestro check-policy` takes for a change of so many files, and how much memory, beside `git diff --stat` of the same change.
#
#   benches/policy.sh [FILES]                            (default: 500)
#
# Half of the files are changed in the middle, a quarter is new, a quarter is gone; each has 200 lines. With them come a bill of materials of 2 MB
# and a report of Grype of 1 MB, and once a single file of 100 MB of source code, for the rule on secrets. Best of ten; the target is 100 ms and
# 80 MB for 500 files with both reports, and a second for the file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=${1:-500}
root=$PWD
cargo build --quiet --release --locked
maestro=$(realpath "${CARGO_TARGET_DIR:-target}/release/maestro")
policy=$(realpath src/policy/default.yaml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
unset CI GITHUB_ACTIONS GITHUB_EVENT_NAME
cd "$work"
git init --quiet --initial-branch=main
python3 - "$files" before <<'PY'
import os, sys
files = int(sys.argv[1])
for number in range(files * 3 // 4):
    os.makedirs(f"src/d{number % 20}", exist_ok=True)
    with open(f"src/d{number % 20}/f{number}.rs", "w") as out:
        out.writelines(f"line {line} of {number}\n" for line in range(200))
PY
git add -A && git commit --quiet -m before
python3 - "$files" <<'PY'
import os, sys
files = int(sys.argv[1])
for number in range(files):
    path = f"src/d{number % 20}/f{number}.rs"
    if number < files // 2:
        lines = open(path).readlines()
        lines[90:110] = [f"changed {line}\n" for line in range(15)]
        open(path, "w").writelines(lines)
    elif number < files * 3 // 4:
        os.remove(path)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").writelines(f"new {line} of {number}\n" for line in range(200))
PY
git add -A && git commit --quiet -m after
python3 - <<'PY'
import json
bill = [{"type": "library", "name": f"package-{n}", "version": "1.2.3", "purl": f"pkg:npm/package-{n}@1.2.3", "licenses": [{"license": {"id": ("MIT", "Apache-2.0", "ISC")[n % 3]}}],
         "description": "what it is for, in some words " * 50, "hashes": [{"alg": "SHA-256", "content": f"{n:064x}"}]} for n in range(1200)]
open("bill.json", "w").write(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": bill}, indent=1))
matches = [{"vulnerability": {"id": f"CVE-2026-{n:05}", "severity": ("Low", "Medium", "Negligible")[n % 3], "description": "how it is used, and what helps " * 50,
            "fix": {"versions": ["1.2.4"], "state": "fixed"}, "cvss": []}, "relatedVulnerabilities": [], "matchDetails": [],
            "artifact": {"name": f"package-{n}", "version": "1.2.3", "type": "npm", "purl": f"pkg:npm/package-{n}@1.2.3", "locations": []}} for n in range(550)]
open("grype.json", "w").write(json.dumps({"matches": matches, "descriptor": {"name": "grype", "version": "0.100.0", "db": {"status": {"built": "2026-11-25T00:00:00Z"}}}}, indent=1))
PY
ls -l bill.json grype.json | awk '{ print $9 ": " $5 " bytes" }'
{ cat "$policy"; printf '  - {rule: licences, id: b1, severity: block, reason: r, allow: [MIT, Apache-2.0, ISC]}\n  - {rule: vulnerabilities, id: b2, severity: block, reason: r, fail_on: high}\n'; } >policy.yaml
python3 - "$maestro" "$policy" <<'PY'
import os, resource, subprocess, sys, time
maestro, policy = sys.argv[1:]
def best(*command):
    times, memory = [], 0
    for _ in range(10):
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, used = os.wait4(process.pid, 0)
        times.append(time.perf_counter() - begun)
        memory = max(memory, used.ru_maxrss)
    return min(times) * 1000, memory / 1024
for name, command in [
    ("maestro check-policy", (maestro, "check-policy", "--policy", policy, "--base", "HEAD~1", "--format", "json")),
    ("maestro check-policy --sbom --vulns", (maestro, "check-policy", "--policy", "policy.yaml", "--base", "HEAD~1", "--format", "json", "--sbom", "bill.json", "--vulns", "grype.json")),
    ("git diff --stat", ("git", "diff", "--stat", "HEAD~1", "HEAD")),
]:
    took, memory = best(*command)
    print(f"{name}: {took:.0f} ms, {memory:.0f} MB")
PY
find "$root/src" -name '*.rs' -print0 | sort -z | xargs -0 cat >one.rs
size=$(stat -c %s one.rs)
for ((n = 0; n < 100000000 / size; n++)); do cat one.rs; done >many.rs
rm one.rs bill.json grype.json policy.yaml
printf 'schema: maestro.policy/v1\nrules: [{rule: secrets, id: s, severity: block, reason: r}]\n' >secrets.yaml
printf 'schema: maestro.policy/v1\nrules: [{rule: title, id: s, severity: warn, reason: r, max_length: 100}]\n' >title.yaml
git add many.rs && git commit --quiet -m many
ls -l many.rs | awk '{ print $9 ": " $5 " bytes" }'
for policy in title secrets; do
    for _ in 1 2 3; do
        /usr/bin/time -f "$policy: %e s, %M KB" "$maestro" check-policy --policy $policy.yaml --base HEAD~1 --format json >/dev/null || true
    done
done
