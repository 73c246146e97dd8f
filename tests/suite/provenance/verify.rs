//! What was signed, changed by somebody, and checked.

use std::fs;

use serde_json::{Value, json};

use super::{EVERYTHING, SHA, built, generate, policy, signed, words};
use crate::harness::{Maestro, Run};

fn verify(maestro: &Maestro, more: &str) -> Run {
    maestro.run(words(&format!(
        "provenance verify --format json --key ed25519.pub {more}"
    )))
}

/// Codes of the reasons, and what they say.
fn reasons(run: &Run) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let documents = document["documents"].as_array().unwrap();
    let reasons = documents
        .iter()
        .flat_map(|document| document["reasons"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    reasons
        .map(|reason| (text(&reason["code"]), text(&reason["message"])))
        .collect()
}

#[track_caller]
fn fails_with(run: Run, code: &str, words: &str) {
    let run = run.exits_with(14);
    let reasons = reasons(&run);
    let is_it = |(found, message): &(String, String)| {
        *found == format!("provenance/{code}") && message.contains(words)
    };
    assert!(
        reasons.iter().any(is_it),
        "no {code} with `{words}` in {reasons:?}"
    );
}

#[test]
fn all_that_is_signed_verifies_with_the_files_it_names() {
    for key in ["ed25519", "p256"] {
        let maestro = signed(key);
        let verify = format!("provenance verify provenance --key {key}.pub --files .");
        let _ = maestro.run(words(&verify)).success();
        let sign = format!("provenance sign provenance --key {key}.pem --form dsse --out dsse");
        let _ = maestro.run(words(&sign)).success();
        let verify = format!("provenance verify dsse --key {key}.pub");
        let _ = maestro.run(words(&verify)).success();
    }
}

#[test]
fn the_file_that_differs_is_named_and_the_chain_changes() {
    let inputs = [
        "dist/app",
        "dist/tool",
        "reports/one.xml",
        "reports/two.xml",
        "grype.json",
        "budget.json",
        "policy.json",
        "bom.json",
        "spdx.json",
    ];
    let maestro = signed("ed25519");
    let digest = |maestro: &Maestro| {
        let document = maestro.json(&words(&format!("{EVERYTHING} --dry-run")));
        document["statements"][6]["sha256"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut digests = vec![digest(&maestro)];
    let mut mutations = 0;
    for path in inputs {
        let whole = fs::read(maestro.path(path)).unwrap();
        // What parses differs in its content; what is missing is another thing.
        for mutant in [[&whole[..], b"\n"].concat(), [b" ", &whole[..]].concat()] {
            maestro.file(path, &mutant);
            let run = verify(&maestro, "provenance/index.sigstore.json --files .");
            fails_with(run, "file-differs", &format!("`{path}` has sha256"));
            digests.push(digest(&maestro));
            mutations += 1;
        }
        fs::remove_file(maestro.path(path)).unwrap();
        let run = verify(&maestro, "provenance/index.sigstore.json --files .");
        fails_with(run, "file-missing", &format!("`{path}` is not there"));
        maestro.file(path, &whole);
    }
    for name in ["slsa-provenance", "test-result", "svr"] {
        let path = format!("provenance/{name}.statement.json");
        let whole = fs::read_to_string(maestro.path(&path)).unwrap();
        maestro.file(
            &path,
            whole.replace("2026", "2025").replace("PASSED", "FAILED") + " ",
        );
        let run = verify(&maestro, "provenance/index.sigstore.json");
        fails_with(
            run,
            "statement-differs",
            &format!("`{name}.statement.json`"),
        );
        maestro.file(&path, whole);
        mutations += 1;
    }
    assert!(mutations >= 20, "{mutations}");
    maestro.file("more.txt", "more");
    maestro.commit("Another commit");
    digests.push(digest(&maestro));
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 20, "each change is another digest");
}

#[test]
fn what_was_asked_for_must_be_there() {
    let maestro = signed("ed25519");
    maestro.file("other", "another app");
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let sha = "8".repeat(64);
    let slsa = "provenance/slsa-provenance.sigstore.json";
    for fine in [
        format!("{slsa} --artifact dist/app --predicate-type slsa-provenance --commit {head}"),
        format!("{slsa} --builder-id https://maestro.example/builder/self-attested@v1"),
        format!("{slsa} --predicate-type https://slsa.dev/provenance/v1 --artifact dist/tool"),
        format!(
            "provenance/svr.sigstore.json --property MAESTRO_POLICY_PASSED --policy-sha256 {sha}"
        ),
        format!(
            "provenance/vsa.sigstore.json --resource-uri pkg:generic/app --policy-sha256 {sha}"
        ),
        format!("provenance/index.sigstore.json --policy-sha256 {sha} --commit {head}"),
        "provenance/test-result.sigstore.json --artifact dist/app".to_owned(),
    ] {
        let _ = verify(&maestro, &fine).success();
    }
    for (asked, code, words_of_it) in [
        (
            format!("{slsa} --artifact other"),
            "not-a-subject",
            "`other`",
        ),
        (
            format!("{slsa} --predicate-type vsa"),
            "predicate-type",
            "slsa.dev/provenance/v1",
        ),
        (format!("{slsa} --commit {SHA}"), "commit", &head[..]),
        (
            format!("{slsa} --builder-id x"),
            "builder",
            "self-attested@v1",
        ),
        (
            format!("{slsa} --policy policy.json"),
            "policy",
            "names no policy",
        ),
        (
            "provenance/svr.sigstore.json --policy bom.json".into(),
            "policy",
            "its policy is `8888",
        ),
        (
            "provenance/svr.sigstore.json --property SLSA_BUILD_LEVEL_3".into(),
            "property",
            "MAESTRO_POLICY_PASSED",
        ),
        (
            "provenance/vsa.sigstore.json --resource-uri pkg:generic/APP".into(),
            "resource",
            "pkg:generic/app",
        ),
        (
            "provenance/slsa-provenance.statement.json".into(),
            "not-signed",
            "bare statement",
        ),
    ] {
        fails_with(verify(&maestro, &asked), code, words_of_it);
    }
    maestro.file("dist/app", "another one");
    let run = verify(&maestro, &format!("{slsa} --artifact dist/app"));
    fails_with(run, "file-differs", "`dist/app` has sha256");
}

#[test]
fn genuine_bad_news_is_no_good_news() {
    let maestro = built();
    maestro
        .file(
            "reports/two.xml",
            "<testsuite><testcase name=\"b\"><failure/></testcase></testsuite>",
        )
        .file("policy.json", policy("blocked"));
    let _ = generate(&maestro);
    let sign = "provenance sign provenance --key ed25519.pem";
    let _ = maestro.run(words(sign)).success();
    for (name, words_of_it) in [
        ("test-result", "`result` is `FAILED`"),
        ("svr", "names no property"),
        ("vsa", "`verificationResult` is `FAILED`"),
        ("index", "its tests failed"),
    ] {
        let file = format!("provenance/{name}.sigstore.json");
        fails_with(verify(&maestro, &file), "result", words_of_it);
        let _ = verify(&maestro, &format!("{file} --result any")).success();
    }
}

#[test]
fn another_key_and_no_key_verify_nothing() {
    let maestro = signed("p256");
    fails_with(
        verify(&maestro, "provenance"),
        "bad-signature",
        "the key that was given",
    );
    let _ = maestro
        .run(["provenance", "verify", "provenance"])
        .exits_with(15);
    // One of several is enough.
    let _ = verify(&maestro, "provenance --key p256.pub").success();
    let run = verify(&maestro, "provenance --key p256.pem").exits_with(65);
    assert!(run.stderr.contains("private key"), "{}", run.stderr);
}

#[test]
fn runs_link_to_the_heads_they_saw_and_missing_links_are_named() {
    let maestro = built();
    let _ = generate(&maestro);
    let first = maestro.json(&words(&format!("{EVERYTHING} --dry-run")));
    let first = first["statements"][6]["sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    let maestro = maestro.env("GITHUB_RUN_ID", "78");
    let second = maestro.json(&words(&format!("{EVERYTHING} --out second")));
    let previous = second["index"]["previous"].as_array().unwrap();
    assert_eq!(previous.len(), 1);
    assert_eq!(previous[0]["sha256"], first.as_str());
    assert_eq!(
        (&previous[0]["run"], &previous[0]["attempt"]),
        (&json!("77"), &json!(2))
    );
    let maestro = maestro.env("GITHUB_RUN_ID", "79");
    let third = maestro.json(&words(&format!("{EVERYTHING} --out third")));
    assert_eq!(
        third["index"]["previous"][0]["sha256"],
        second["statements"][6]["sha256"]
    );
    let sign = "provenance sign third --key ed25519.pem";
    let _ = maestro.run(words(sign)).success();
    let chain = "third/index.sigstore.json --chain";
    let _ = verify(&maestro, chain).success();
    // Without the state nobody knows the runs before it.
    fs::remove_dir_all(maestro.path(".git/maestro")).unwrap();
    let _ = verify(&maestro, "third/index.sigstore.json").success();
    let second = second["statements"][6]["sha256"].as_str().unwrap();
    fails_with(verify(&maestro, chain), "missing-link", second);
}

#[test]
fn documents_that_are_none_are_refused() {
    let maestro = signed("ed25519");
    let bundle = fs::read_to_string(maestro.path("provenance/svr.sigstore.json")).unwrap();
    let twice = bundle.replacen('{', "{\"mediaType\": \"x\",", 1);
    let line = format!("{bundle}\n");
    for (text, code) in [
        (String::new(), 65),
        ("[".to_owned(), 65),
        ("{}".to_owned(), 65),
        ("[".repeat(200_000), 65),
        (twice, 65),
        (bundle[..bundle.len() - 1].to_owned(), 65),
        (bundle.replace("v0.3", "v0.9"), 15),
        (bundle.replace("publicKey", "certificate"), 14),
        (bundle.replace("\"sig\"", "\"gis\""), 14),
        (line.repeat(3), 0),
    ] {
        maestro.file("it.json", &text);
        let _ = verify(&maestro, "it.json").exits_with(code);
    }
}

#[test]
fn names_that_lead_elsewhere_are_not_followed() {
    let maestro = signed("ed25519");
    maestro.file("secret", "s");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "t", "predicate": {},
        "subject": [
            { "name": "../secret", "digest": { "sha256": "0" } },
            { "name": "/etc/passwd", "digest": { "sha256": "0" } },
            { "name": "a\u{1b}[31m\n::error::x", "digest": { "sha256": "0" } },
        ],
    });
    maestro.file("h/h.statement.json", statement.to_string());
    let _ = maestro
        .run(words("provenance sign h --key ed25519.pem"))
        .success();
    let run = verify(&maestro, "h --files dist");
    fails_with(run, "file-missing", "lies outside the folder");
    for format in ["human", "markdown", "github"] {
        let args = format!("provenance verify h --key ed25519.pub --files dist --format {format}");
        let run = maestro.run(words(&args)).exits_with(14);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
        assert!(!run.stdout.contains("\n::error::x"), "{}", run.stdout);
    }
}

#[test]
fn a_subject_that_cannot_be_compared_is_not_passed_over() {
    let maestro = signed("ed25519");
    for (subject, code) in [
        (
            json!({ "name": "dist/app", "digest": { "sha512": "0" } }),
            15,
        ),
        (json!({ "digest": { "sha256": "0" } }), 15),
        (
            json!({ "name": "source", "digest": { "gitCommit": SHA } }),
            0,
        ),
    ] {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "t", "subject": [subject],
        });
        maestro.file("u/u.statement.json", statement.to_string());
        let _ = maestro
            .run(words("provenance sign u --key ed25519.pem"))
            .success();
        let _ = verify(&maestro, "u --files .").exits_with(code);
    }
}
