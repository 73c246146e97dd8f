"""Makes a run of everything, and signs it with keys of openssl and of our own, as envelopes and as bundles."""

import json
import os
import pathlib
import subprocess
import sys

binary = sys.argv[1]
here = pathlib.Path.cwd()


def run(*args, **more):
    return subprocess.run(args, check=True, capture_output=True, text=True, **more)


run("git", "init", "-q", "-b", "main", ".")
run("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "x")
head = run("git", "rev-parse", "HEAD").stdout.strip()
for name in ["dist", "reports", "keys"]:
    (here / name).mkdir()
(here / "dist/app").write_bytes(bytes(range(256)))
(here / "dist/übrig.txt").write_text("ü\n")
(here / "reports/r.xml").write_text(
    '<testsuite name="s &lt;&quot;ü"><testcase name="a"/><testcase name="w"><flakyFailure/></testcase>'
    '<testcase name="k"><skipped/></testcase></testsuite>'
)
scan = {
    "matches": [
        {
            "vulnerability": {
                "id": "CVE-2026-1",
                "severity": "High",
                "cvss": [{"version": "3.1", "metrics": {"baseScore": 8.2}}],
                "fix": {"state": "fixed"},
            },
            "artifact": {"name": "a", "version": "1", "purl": "pkg:deb/a@1"},
        }
    ],
    "descriptor": {
        "name": "grype",
        "version": "0.104.0",
        "timestamp": "2026-01-05T08:00:00Z",
        "db": {"status": {"built": "2026-01-04T00:00:00Z", "schemaVersion": "v6.1.0"}},
    },
}
(here / "one.json").write_text(json.dumps(scan))
(here / "none.json").write_text(json.dumps(scan | {"matches": []}))
(here / "policy.json").write_text(
    json.dumps(
        {
            "schema": "maestro.check-policy/v1",
            "outcome": "passed",
            "head": head,
            "policy": {"sha256": "8" * 64, "path": ".maestro/policy.yaml", "commit": head},
        }
    )
)
(here / "budget.json").write_text(
    json.dumps(
        {
            "schema": "maestro.budget-status/v1",
            "pull_request": 12,
            "total": {"calls": 3, "usd": "3.12", "unknown_usd": "0", "unpriced": 0},
        }
    )
)
(here / "bom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6"}))
github = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/n",
    "GITHUB_REPOSITORY_ID": "1",
    "GITHUB_REPOSITORY_OWNER_ID": "2",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_WORKFLOW_REF": "o/n/.github/workflows/ci.yml@refs/heads/main",
    "GITHUB_WORKFLOW_SHA": head,
    "GITHUB_SHA": head,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
bare = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MAESTRO_"))}
everything = (
    "provenance generate --subject dist/app --subject dist/übrig.txt --junit reports --vulns one.json --vulns none.json "
    "--policy policy.json --sbom bom.json --budget budget.json --resource-uri pkg:generic/app"
).split()
run(binary, *everything, "--out", "github", env=bare | github)
run(binary, *everything, "--out", "local", env=bare)
run(binary, "provenance", "generate", "--out", "commit", env=bare)
openssl = {"ed25519": ["ED25519"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}
for kind, algorithm in openssl.items():
    run("openssl", "genpkey", "-algorithm", *algorithm, "-out", f"keys/openssl-{kind}.pem")
    run("openssl", "pkey", "-in", f"keys/openssl-{kind}.pem", "-pubout", "-out", f"keys/openssl-{kind}.pem.pub")
    run(binary, "provenance", "keygen", "--algorithm", kind, "--out", f"keys/own-{kind}.pem", env=bare)
    # What we make, openssl reads, and finds the same public half.
    public = run("openssl", "pkey", "-in", f"keys/own-{kind}.pem", "-pubout").stdout
    assert public == (here / f"keys/own-{kind}.pem.pub").read_text()
for key in sorted(here.glob("keys/*.pem")):
    for folder in ["github", "local", "commit"]:
        for form in ["bundle", "dsse"]:
            out = f"signed/{key.stem}/{folder}-{form}"
            run(binary, "provenance", "sign", folder, "--key", str(key), "--form", form, "--out", out, env=bare)
