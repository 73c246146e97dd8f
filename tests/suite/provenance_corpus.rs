//! Other people's bundles and statements: what must fail is never verified, what can be judged is judged.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Maestro, corpus};

/// Those of the cases that must fail which are seen to be wrong; the others are keyless ones that nobody here can judge.
const SEEN_TO_BE_WRONG: [&str; 12] = [
    "bundle-empty-certificate-chain_fail",
    "bundle-invalid-base64-signature_fail",
    "bundle-negative-log-index_fail",
    "dsse-invalid-sig_fail",
    "dsse-mismatch-sig_fail",
    "intoto-log-entry-mismatch_fail",
    "message-digest-mismatch_fail",
    "rekor2-dsse-invalid-sig_fail",
    "rekor2-dsse-mismatch-sig_fail",
    "signature-mismatch_fail",
    "wrong-hashedrekord-artifact_fail",
    "wrong-hashedrekord-entry_fail",
];

/// sigstore-conformance, `bundle-verify`: 35 cases of other people.
#[test]
fn none_of_the_bundles_that_must_fail_is_verified() {
    let Some(folder) = corpus("bundles/test/assets/bundle-verify") else {
        return;
    };
    let mut verified = Vec::new();
    let mut failed = Vec::new();
    let mut unsupported = 0;
    let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    cases.retain(|case| case.path().is_dir());
    cases.sort_by_key(fs::DirEntry::file_name);
    for case in &cases {
        let name = case.file_name().into_string().unwrap();
        let case = case.path();
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let artifact = Some(case.join("artifact")).filter(|path| path.exists());
        let artifact = artifact.unwrap_or_else(|| folder.join("a.txt"));
        let mut args = vec![
            "provenance".to_owned(),
            "verify".to_owned(),
            text(case.join("bundle.sigstore.json")),
            "--artifact".to_owned(),
            text(artifact),
        ];
        if case.join("key.pub").exists() {
            args.extend(["--key".to_owned(), text(case.join("key.pub"))]);
        }
        let run = Maestro::in_folder().run(&args);
        match run.code {
            0 => verified.push(name),
            14 => failed.push(name),
            15 => unsupported += 1,
            other => panic!("{name}: exit {other}\n{}", run.stderr),
        }
    }
    assert_eq!(cases.len(), 35);
    // With its key; the entries of its log are said not to have been looked at.
    assert_eq!(verified, ["managed-key-and-trusted-root"]);
    assert_eq!(failed, SEEN_TO_BE_WRONG);
    assert_eq!(unsupported, 22);
}

/// The bundle that was signed with a key, under another key and about another file.
#[test]
fn a_managed_key_signs_for_one_file_and_one_key() {
    let Some(folder) = corpus("bundles/test/assets/bundle-verify") else {
        return;
    };
    let case = folder.join("managed-key-and-trusted-root");
    let maestro = Maestro::in_folder();
    maestro
        .file("other.txt", "another file")
        .file("other.pub", include_str!("provenance/p256.pub"));
    let key = case.join("key.pub");
    let artifact = folder.join("a.txt");
    let check = |key: &Path, artifact: &Path, more: &[&str]| {
        let mut command = maestro.command(["provenance", "verify"]);
        command.arg(case.join("bundle.sigstore.json"));
        command
            .arg("--key")
            .arg(key)
            .arg("--artifact")
            .arg(artifact);
        command.args(more).output().unwrap().status.code()
    };
    assert_eq!(check(&key, &artifact, &[]), Some(0));
    assert_eq!(check(&key, &maestro.path("other.txt"), &[]), Some(14));
    assert_eq!(check(&maestro.path("other.pub"), &artifact, &[]), Some(14));
    let asks = ["--predicate-type", "slsa-provenance"];
    assert_eq!(check(&key, &artifact, &asks), Some(14));
}

/// Every example of a statement in the specifications of predicates is signed, verified and shown.
#[test]
fn examples_of_the_specifications_are_read() {
    let Some(folder) = corpus("attestations/in-toto/spec/predicates") else {
        return;
    };
    let maestro = Maestro::in_folder();
    maestro
        .file("k.pem", include_str!("provenance/ed25519.pem"))
        .file("k.pub", include_str!("provenance/ed25519.pub"));
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for block in text.split("```json").skip(1) {
            let block = block.split("```").next().unwrap();
            let block = block.strip_prefix('c').unwrap_or(block);
            // `jsonc` has comments, and some examples leave things out.
            let lines = block
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let plain: String = lines.map(|line| format!("{line}\n")).collect();
            if serde_json::from_str::<serde_json::Value>(&plain).is_err() {
                continue;
            }
            let Some(_) = plain.find("\"predicateType\"") else {
                continue;
            };
            // A schema has placeholders where an example has values.
            if plain.contains("<ResourceDescriptor>") || plain.contains("\"<URI>\"") {
                continue;
            }
            let name = format!("e/{read}.statement.json");
            maestro.file(&name, &plain);
            let _ = maestro.run(["provenance", "show", &name]).success();
            read += 1;
        }
    }
    println!("{read} examples");
    assert!(read >= 4, "{read}");
    let _ = maestro
        .run(["provenance", "sign", "e", "--key", "k.pem"])
        .success();
    let run = maestro.json(&[
        "provenance",
        "verify",
        "e",
        "--key",
        "k.pub",
        "--result",
        "any",
    ]);
    assert_eq!(run["documents"].as_array().unwrap().len(), read);
}
