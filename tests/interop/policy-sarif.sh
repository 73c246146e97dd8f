#!/usr/bin/env bash
# Microsoft's multitool (npm, @microsoft/sarif-multitool-linux) finds our SARIF valid, with and without something to say.
# inputs: src/output src/policy src/cli/check_policy tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-$(maestro)}
command -v npm >/dev/null || skip "npm is missing"
tool=$cache/sarif-multitool-5.7.0
if [ ! -f "$tool/done" ]; then
    mkdir -p "$tool"
    npm install --silent --no-audit --no-fund --prefix "$tool" @microsoft/sarif-multitool-linux@5.7.0 >&2 || skip "the multitool cannot be installed"
    touch "$tool/done"
fi
multitool=$(find "$tool/node_modules" -name Sarif.Multitool -type f | head -1)
[ -n "$multitool" ] || skip "the package has no program for this machine"
chmod u+x "$multitool"
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

cd "$work"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=a@example.com
unset CI GITHUB_ACTIONS
git init --quiet --initial-branch=main repository
cd repository
mkdir -p .maestro
cat >.maestro/policy.yaml <<'YAML'
schema: maestro.policy/v1
ignores:
- {entry: paths, path: deploy/known, reason: it is being moved, owner: "@acme/ops", expires: 2099-01-01}
rules:
- {rule: protected-paths, id: paths, severity: block, reason: it ships, owner: "@acme/ops", protect: ["deploy/**"]}
- {rule: diff-size, id: size, severity: warn, reason: it is too much, max_files: 2}
- {rule: path-form, id: form, severity: review, reason: it is odd, expires: 2001-01-01}
YAML
git add -A && git commit --quiet -m Guard
"$binary" check-policy --base HEAD --format sarif >../nothing.sarif
git checkout --quiet -b topic
mkdir -p deploy src
echo x >deploy/known
echo x >"deploy/a b#?.yaml"
printf 'x\n' >$'src/\xfc.rs'
echo x >'src/<img>.rs'
git add -A && git commit --quiet -m Change
"$binary" check-policy --base main --format sarif >../much.sarif || [ $? = 10 ]
"$binary" explain policy/diff-size --format sarif >../other.sarif
status=0
for name in nothing much other; do
    "$multitool" validate "../$name.sarif" --output "../$name.report.sarif" --log ForceOverwrite >"../$name.log" || { cat "../$name.log"; status=1; }
    python3 - "$name" "../$name.sarif" "../$name.report.sarif" <<'PY' || status=1
import json, sys
name, ours, report = sys.argv[1:]
results = json.load(open(report, encoding="utf-8-sig"))["runs"][0].get("results", [])
for result in results:
    print(name, result.get("level", "warning"), result["ruleId"], result["message"].get("text") or result["message"].get("arguments"))
errors = [result for result in results if result.get("level") == "error"]
count = len(json.load(open(ours))["runs"][0]["results"])
print(f"{name}: {count} results of ours, {len(errors)} errors, {len(results)} remarks")
sys.exit(bool(errors))
PY
done
exit "$status"
