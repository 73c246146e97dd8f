//! `maestro provenance`: what a run says of itself, signed, changed by somebody, and checked.

mod verify;

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Maestro, Run};

const ED25519: [&str; 2] = [
    include_str!("provenance/ed25519.pem"),
    include_str!("provenance/ed25519.pub"),
];
const P256: [&str; 2] = [
    include_str!("provenance/p256.pem"),
    include_str!("provenance/p256.pub"),
];

const GRYPE: &str = r#"{"matches": [{"vulnerability": {"id": "CVE-2026-1", "severity": "High"}, "artifact": {"name": "a", "version": "1"}}],
 "descriptor": {"name": "grype", "version": "0.104.0", "timestamp": "2026-01-05T08:00:00Z", "db": {"built": "2026-01-04T00:00:00Z"}}}"#;

const BUDGET: &str = r#"{"schema": "maestro.budget-status/v1", "pull_request": 12, "share": 31, "total": {"calls": 3, "usd": "3.12", "unknown_usd": "0", "unpriced": 0}}"#;

fn policy(outcome: &str) -> String {
    let sha = "8".repeat(64);
    json!({
        "schema": "maestro.check-policy/v1", "outcome": outcome, "head": SHA,
        "policy": { "sha256": sha, "path": ".maestro/policy.yaml", "commit": "4f2c" },
    })
    .to_string()
}

const SHA: &str = "c0ffee0000000000000000000000000000000000";

/// A run of GitHub's, with a file of everything.
fn built() -> Maestro {
    let maestro = Maestro::in_repo();
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let payload = json!({
        "pull_request": {
            "number": 12,
            "head": { "ref": "fix", "sha": SHA, "repo": { "id": 1, "full_name": "o/n" } },
            "base": { "ref": "main", "sha": "ba5e", "repo": { "id": 1, "full_name": "o/n" } },
        },
    });
    maestro
        .file("dist/app", "an app")
        .file("dist/tool", "a tool")
        .file(
            "reports/one.xml",
            "<testsuite name=\"s\"><testcase name=\"a\"/><testcase name=\"w\"><flakyFailure/></testcase></testsuite>",
        )
        .file("reports/two.xml", "<testsuite><testcase name=\"b\"/></testsuite>")
        .file("grype.json", GRYPE)
        .file("budget.json", BUDGET)
        .file("policy.json", policy("passed"))
        .file("bom.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#)
        .file("spdx.json", r#"{"spdxVersion": "SPDX-2.3"}"#)
        .file("event.json", payload.to_string());
    for (name, [private, public]) in [("ed25519", ED25519), ("p256", P256)] {
        maestro
            .file(&format!("{name}.pem"), private)
            .file(&format!("{name}.pub"), public);
    }
    let event = maestro.path("event.json");
    maestro
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "o/n")
        .env("GITHUB_REPOSITORY_ID", "1")
        .env("GITHUB_REPOSITORY_OWNER_ID", "2")
        .env("GITHUB_RUN_ID", "77")
        .env("GITHUB_RUN_ATTEMPT", "2")
        .env("GITHUB_JOB", "build")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", event)
        .env(
            "GITHUB_WORKFLOW_REF",
            "o/n/.github/workflows/ci.yml@refs/heads/main",
        )
        .env("GITHUB_WORKFLOW_SHA", "f10e")
        .env("GITHUB_ACTOR", "ada")
        .env("GITHUB_ACTOR_ID", "9")
        .env("GITHUB_TRIGGERING_ACTOR", "grace")
        .env("GITHUB_SHA", head)
        .env("GITHUB_REF", "refs/pull/12/merge")
        .env("GITHUB_REF_NAME", "12/merge")
        .env("RUNNER_ENVIRONMENT", "github-hosted")
        .env("RUNNER_OS", "Linux")
        .env("RUNNER_ARCH", "X64")
        .env("SOURCE_DATE_EPOCH", "1767603600")
}

const EVERYTHING: &str = "provenance generate --subject dist/app --subject ./dist/tool --junit reports --vulns grype.json \
     --policy policy.json --sbom bom.json --sbom spdx.json --budget budget.json --resource-uri pkg:generic/app";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn generate(maestro: &Maestro) -> Run {
    maestro.run(words(EVERYTHING)).success()
}

fn signed(key: &str) -> Maestro {
    let maestro = built();
    let _ = generate(&maestro);
    let sign = format!("provenance sign provenance --key {key}.pem");
    let _ = maestro.run(words(&sign)).success();
    maestro
}

fn read(maestro: &Maestro, path: &str) -> Value {
    serde_json::from_slice(&fs::read(maestro.path(path)).unwrap()).unwrap()
}

#[test]
fn a_run_is_told_in_one_statement_a_predicate() {
    let maestro = built();
    let run = generate(&maestro);
    assert!(run.stderr.contains("wrote 7 statements"), "{}", run.stderr);
    let slsa = read(&maestro, "provenance/slsa-provenance.statement.json");
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let definition = &slsa["predicate"]["buildDefinition"];
    assert_eq!(
        definition["externalParameters"]["workflow"],
        json!({ "path": ".github/workflows/ci.yml", "ref": "refs/heads/main", "repository": "https://github.com/o/n" })
    );
    assert_eq!(
        definition["resolvedDependencies"],
        json!([{ "digest": { "gitCommit": head }, "uri": "git+https://github.com/o/n@refs/pull/12/merge" }])
    );
    let details = &slsa["predicate"]["runDetails"];
    assert_eq!(
        details["builder"]["id"],
        "https://maestro.example/builder/self-attested@v1"
    );
    assert_eq!(
        details["metadata"],
        json!({ "finishedOn": "2026-01-05T09:00:00Z", "invocationId": "https://github.com/o/n/actions/runs/77/attempts/2" })
    );
    let names = slsa["subject"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|subject| subject["name"].clone()).collect();
    assert_eq!(names, ["dist/app", "dist/tool"]);
    let tests = read(&maestro, "provenance/test-result.statement.json");
    assert_eq!(tests["predicate"]["result"], "WARNED");
    assert_eq!(tests["predicate"]["passedTests"], json!(["b", "s > a"]));
    assert_eq!(
        tests["subject"][2],
        json!({ "digest": { "gitCommit": head }, "name": "o/n", "uri": "git+https://github.com/o/n@refs/pull/12/merge" })
    );
    let svr = read(&maestro, "provenance/svr.statement.json");
    assert_eq!(
        svr["predicate"]["properties"],
        json!(["MAESTRO_POLICY_PASSED"])
    );
    let vsa = read(&maestro, "provenance/vsa.statement.json");
    assert_eq!(vsa["predicate"]["verificationResult"], "PASSED");
    assert_eq!(
        vsa["predicate"]["inputAttestations"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let sbom = read(&maestro, "provenance/sbom-reference.statement.json");
    assert_eq!(
        sbom["predicate"]["references"][0]["mediaType"],
        "application/vnd.cyclonedx+json"
    );
    let vulns = read(&maestro, "provenance/vulns.statement.json");
    assert_eq!(
        vulns["predicate"]["scanner"]["db"]["lastUpdate"],
        "2026-01-04T00:00:00Z"
    );
    let subjects = fs::read_to_string(maestro.path("provenance/subjects.sha256")).unwrap();
    assert!(subjects.ends_with("  dist/tool\n"), "{subjects}");
}

#[test]
fn the_index_names_run_actors_base_and_head() {
    let maestro = built();
    let _ = generate(&maestro);
    let statement = read(&maestro, "provenance/index.statement.json");
    let index = &statement["predicate"];
    assert_eq!(index["schema"], "maestro.provenance/v1");
    let run = &index["run"];
    for (name, value) in [
        ("id", "77"),
        ("actor", "ada"),
        ("triggering_actor", "grace"),
        ("head", SHA),
        ("base_branch", "main"),
        ("base_commit", "ba5e"),
        ("runner_environment", "github-hosted"),
        ("workflow_commit", "f10e"),
    ] {
        assert_eq!(run[name], value, "{name}");
    }
    assert_eq!(index["budget"]["usd"], "3.12");
    assert_eq!(index["policy"]["outcome"], "passed");
    assert_eq!(index["tests"]["warned"], 1);
    assert_eq!(index["previous"], json!([]));
    assert_eq!(index["statements"].as_array().unwrap().len(), 6);
}

#[test]
fn equal_inputs_are_equal_bytes() {
    let maestro = built();
    let all = |folder: &str| {
        let names = fs::read_dir(maestro.path(folder)).unwrap();
        let mut files: Vec<_> = names
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let _ = generate(&maestro);
    let _ = maestro
        .run(words(&format!("{EVERYTHING} --out again")))
        .success();
    assert_eq!(all("provenance").len(), 15);
    assert_eq!(all("provenance"), all("again"));
}

#[test]
fn a_dry_run_leaves_nothing() {
    let maestro = built();
    let document = maestro.json(&words(&format!("{EVERYTHING} --dry-run")));
    assert_eq!(document["statements"].as_array().unwrap().len(), 7);
    assert!(!maestro.path("provenance").exists());
    assert!(!maestro.path(".git/maestro/outbox").exists());
}

#[test]
fn nothing_is_said_of_reports_that_say_nothing() {
    let maestro = built();
    maestro
        .file("empty.xml", "<testsuite/>")
        .file("cut.xml", "<testsuite><testcase name=\"a\"/>")
        .file("old.json", GRYPE.replace("built", "b"))
        .file("said.json", policy("fine"))
        .file("other.json", policy("passed").replace(SHA, "4f2c"));
    for (args, code, words_of_it) in [
        ("--junit empty.xml", 65, "no test"),
        ("--junit cut.xml", 65, "not whole"),
        ("--junit nowhere/*.xml", 65, "no report"),
        ("--junit nowhere.xml", 66, "nowhere.xml"),
        ("--vulns old.json", 65, "database"),
        ("--vulns bom.json", 65, "no report of Grype"),
        ("--policy said.json", 65, "outcome"),
        ("--policy bom.json", 65, "no `schema`"),
        ("--policy other.json", 65, "judged commit 4f2c"),
        ("--budget policy.json", 65, "maestro.budget-status/v1"),
        ("--subject nowhere", 66, "nowhere"),
    ] {
        let run = maestro.run(words(&format!("provenance generate {args}")));
        let _ = run.exits_with(code).says(words_of_it);
        assert!(!maestro.path("provenance").exists(), "{args}");
    }
    let maestro = maestro.env("SOURCE_DATE_EPOCH", "yesterday");
    let _ = maestro
        .run(words(EVERYTHING))
        .exits_with(78)
        .says("SOURCE_DATE_EPOCH");
}

#[test]
fn no_message_holds_a_key() {
    let maestro = built();
    let _ = generate(&maestro);
    let secret = ED25519[0].lines().nth(1).unwrap().to_owned();
    let spoilt = ED25519[0].replace("PRIVATE", "SECRET");
    let sign = ["provenance", "sign", "provenance"];
    let with_variable = built().env("MAESTRO_SIGNING_KEY", &spoilt);
    let _ = generate(&with_variable);
    maestro.file("spoilt.pem", &spoilt);
    for (run, code) in [
        (maestro.run([&sign[..], &["--key", ED25519[0]]].concat()), 2),
        (
            maestro.run(["provenance", "verify", "x", "--key", ED25519[0]]),
            2,
        ),
        (
            maestro.run([&sign[..], &["--key", "spoilt.pem"]].concat()),
            65,
        ),
        (
            maestro.run([&sign[..], &["--key", "ed25519.pub"]].concat()),
            65,
        ),
        (with_variable.run(sign), 65),
        (maestro.run(sign), 2),
    ] {
        let run = run.exits_with(code);
        assert!(!run.stderr.contains(&secret) && !run.stdout.contains(&secret));
    }
    let with_variable = with_variable.env("MAESTRO_SIGNING_KEY", ED25519[0]);
    let run = with_variable
        .run([&sign[..], &["--format", "json", "-vvv"]].concat())
        .success();
    assert!(!run.stderr.contains(&secret) && !run.stdout.contains(&secret));
    for entry in fs::read_dir(with_variable.path("provenance")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(&secret));
    }
}

#[cfg(unix)]
#[test]
fn a_new_key_is_its_owners_only_and_nothing_is_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let maestro = built();
    let _ = generate(&maestro);
    for algorithm in ["ed25519", "p256"] {
        let file = format!("new-{algorithm}.pem");
        let make = format!("provenance keygen --algorithm {algorithm} --out {file}");
        let _ = maestro.run(words(&make)).success();
        let mode = fs::metadata(maestro.path(&file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let _ = maestro
            .run(words(&make))
            .exits_with(74)
            .says("exists already");
        let sign = format!("provenance sign provenance --key {file}");
        let run = maestro.run(words(&sign)).success();
        assert!(!run.stderr.contains("others"), "{}", run.stderr);
        let verify = format!("provenance verify provenance --key {file}.pub");
        let _ = maestro.run(words(&verify)).success();
        fs::set_permissions(maestro.path(&file), fs::Permissions::from_mode(0o640)).unwrap();
        let _ = maestro
            .run(words(&sign))
            .success()
            .says("others than its owner may read");
    }
}

#[test]
fn a_file_that_is_shown_says_that_nobody_verified_it() {
    let maestro = signed("ed25519");
    for file in ["index.statement.json", "index.sigstore.json"] {
        let path = format!("provenance/{file}");
        let run = maestro.run(["provenance", "show", &path]).success();
        assert!(run.stdout.contains("triggering_actor"), "{}", run.stdout);
        assert!(run.stdout.contains("igned"), "{}", run.stdout);
        let document = maestro.json(&["provenance", "show", &path]);
        assert_eq!(document["statement"]["predicate"]["run"]["id"], "77");
    }
}
