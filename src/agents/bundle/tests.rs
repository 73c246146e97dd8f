//! Bundles that are none, and what a good one says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A bundle as a run writes it.
pub(crate) fn sample() -> Bundle {
    let pack = pack();
    let task = |id: &str, role: &str, state| BundleTask {
        id: id.into(),
        role: role.into(),
        title: format!("Do {id}"),
        state,
        why: (state != TaskState::Done).then(|| "its test does not pass".into()),
        attempts: 1,
        models: vec!["anthropic/claude-x".into()],
        cost_usd: "0.1".parse().unwrap(),
    };
    Bundle {
        schema: SCHEMA.into(),
        run: "r-1".into(),
        outcome: RunOutcome::Complete,
        issue: BundleIssue {
            number: Some(7),
            title: "Sum overflows".into(),
            url: None,
            author: Some("ada".into()),
            association: Some("OWNER".into()),
        },
        base: BundleBase {
            commit: "a".repeat(40),
            branch: "main".into(),
        },
        head: BundleHead {
            commit: "b".repeat(40),
            tree: "c".repeat(40),
        },
        tasks: vec![
            task("add-check", "implementer", TaskState::Done),
            task("docs", "docs", TaskState::Done),
        ],
        spent_usd: "0.2".parse().unwrap(),
        cap_usd: "10".parse().unwrap(),
        tests: Some(BundleTests {
            ran: 12,
            passed: 12,
            failed: 0,
            excused: Vec::new(),
        }),
        pull_request: BundleText {
            title: "Say that a sum overflows".into(),
            body: "It panicked.".into(),
        },
        change_record: None,
        unfinished: Vec::new(),
        files: BTreeMap::from([(PACK.into(), digest(&pack)), (BOARD.into(), digest(b"{}"))]),
    }
}

/// One that leaves nothing to what stands for nothing.
fn full() -> Bundle {
    let mut bundle = sample();
    bundle.issue.url = Some("https://github.com/o/n/issues/7".into());
    bundle.change_record = Some(".maestro/changes/2026-01-05-x.yaml".into());
    bundle.unfinished = vec!["The docs are missing.".into()];
    bundle.tasks[1].state = TaskState::Failed;
    for task in &mut bundle.tasks {
        task.why = Some("it did not build".into());
    }
    if let Some(tests) = &mut bundle.tests {
        tests.excused = vec!["net::retries".into()];
    }
    bundle
}

fn pack() -> Vec<u8> {
    let head = format!(
        "# v2 git bundle\n-{} Base\n{} {REF}\n\nPACK",
        "a".repeat(40),
        "b".repeat(40)
    );
    head.into_bytes()
}

fn changed(place: &str, value: Value) -> Vec<u8> {
    let mut document = serde_json::to_value(sample()).unwrap();
    match document.pointer_mut(place) {
        Some(found) => *found = value,
        // What is not there unless it is set.
        None => document[&place[1..]] = value,
    }
    serde_json::to_vec(&document).unwrap()
}

#[test]
fn what_is_written_reads_back() {
    let bytes = sample().write().unwrap();
    assert_eq!(Bundle::read(&bytes).unwrap(), sample());
    sample().check_file(BOARD, b"{}").unwrap();
    assert_eq!(sample().pack(&pack()).unwrap(), b"PACK");
}

#[test]
fn an_index_that_lies_is_refused_with_its_place() {
    let long = "x".repeat(LONGEST + 1);
    let cases: Vec<(&str, Value, &str)> = vec![
        (
            "/schema",
            json!("maestro.agent-bundle/v2"),
            "this version reads",
        ),
        ("/schema", json!(null), "its schema is `none`"),
        ("/run", json!("../../etc"), "run: it is no id"),
        ("/run", json!(""), "run: it is no id"),
        ("/run", json!("a\nb"), "run: it is no id"),
        ("/run", json!("-rf"), "run: it is no id"),
        ("/run", json!("x".repeat(101)), "run: it is no id"),
        ("/outcome", json!("great"), "unknown variant"),
        ("/base/commit", json!("HEAD"), "base.commit"),
        ("/base/commit", json!("0".repeat(40)), "base.commit"),
        ("/base/commit", json!("--upload-pack=x"), "base.commit"),
        ("/head/commit", json!("A".repeat(40)), "head.commit"),
        ("/head/tree", json!("c".repeat(39)), "head.tree"),
        ("/base/branch", json!("--force"), "base.branch"),
        ("/base/branch", json!("refs/heads/main"), "base.branch"),
        ("/base/branch", json!("a..b"), "base.branch"),
        ("/base/branch", json!("a/.b"), "base.branch"),
        ("/base/branch", json!("a b"), "base.branch"),
        ("/base/branch", json!("a\u{202e}b"), "base.branch"),
        ("/base/branch", json!("main.lock"), "base.branch"),
        ("/base/branch", json!("a:b"), "base.branch"),
        ("/issue/title", json!(long), "issue.title"),
        ("/issue/number", json!(-1), "invalid value"),
        ("/pull_request/title", json!(" "), "says nothing"),
        (
            "/pull_request/body",
            json!("x".repeat(LONGEST_TEXT + 1)),
            "too long",
        ),
        ("/tasks/0/id", json!("a/b"), "no name"),
        ("/tasks/1/id", json!("add-check"), "two have one id"),
        ("/tasks/0/state", json!("won"), "unknown variant"),
        ("/tasks/0/cost_usd", json!("-1"), "negative"),
        ("/tasks/0/models", json!(vec!["m"; 501]), "too many"),
        ("/spent_usd", json!(1.5), "expected a string"),
        ("/spent_usd", json!("1e99"), "more than can be counted"),
        ("/tests/passed", json!(13), "more ended than ran"),
        ("/tests/failed", json!(u64::MAX), "more ended than ran"),
        ("/tests/excused", json!(vec!["t"; 501]), "too many"),
        (
            "/change_record",
            json!(".maestro/policy.yaml"),
            "no path of a change record",
        ),
        (
            "/change_record",
            json!(".maestro/changes/../policy.yaml"),
            "no path of a change record",
        ),
        (
            "/unfinished",
            json!(vec!["x"; 501]),
            "more than any run has",
        ),
        ("/files", json!({}), "does not name the change"),
        (
            "/files",
            json!({ "change.bundle": "aa", "blackboard.json": "bb" }),
            "digest that is none",
        ),
    ];
    assert!(cases.len() >= 40);
    for (place, value, words) in cases {
        let error = Bundle::read(&changed(place, value.clone())).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(words), "{place} {value}: {said}");
    }
}

#[test]
fn a_file_that_no_bundle_has_is_refused() {
    for name in [
        "../x",
        "/etc/passwd",
        "provenance/../x.json",
        "provenance/a/b.json",
        "provenance/.json",
        "x.json",
        "bundle.json",
        "provenance/a.json.exe",
        "provenance\\a.json",
        "change.bundle\n",
        "Provenance/a.json",
    ] {
        let mut bundle = sample();
        bundle.files.insert(name.into(), digest(b""));
        assert!(bundle.write().is_err(), "{name}");
    }
    let mut bundle = sample();
    bundle
        .files
        .insert("provenance/a-1.json".into(), digest(b""));
    bundle.write().unwrap();
    assert!(bundle.check_file("provenance/b.json", b"").is_err());
    assert!(bundle.check_file(BOARD, b"{ }").is_err());
}

#[test]
fn json_that_is_read_in_two_ways_or_never_ends_is_none() {
    let twice = br#"{"schema":"maestro.agent-bundle/v1","schema":"maestro.agent-bundle/v1"}"#;
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    let many = [b"[".to_vec(), b"1,".repeat(1_040_000), b"1]".to_vec()].concat();
    let large = vec![b' '; 3 * 1024 * 1024];
    for bytes in [
        &twice[..],
        &deep,
        &many,
        &large,
        b"",
        b"{}",
        b"\xff",
        b"null",
        b"&a [*a,*a]",
    ] {
        assert!(Bundle::read(bytes).is_err());
    }
}

#[test]
fn a_pack_has_one_ref_and_one_prerequisite() {
    let (base, head) = ("a".repeat(40), "b".repeat(40));
    let other = "d".repeat(40);
    let good = format!("# v3 git bundle\n@object-format=sha1\n-{base}\n{head} {REF}\n\nPACK");
    sample().pack(good.as_bytes()).unwrap();
    for text in [
        format!("# v2 git bundle\n-{base} x\n{head} {REF}\n{head} refs/heads/main\n\nPACK"),
        format!("# v2 git bundle\n-{base} x\n{head} refs/heads/main\n\nPACK"),
        format!("# v2 git bundle\n-{base} x\n-{other} y\n{head} {REF}\n\nPACK"),
        format!("# v2 git bundle\n{head} {REF}\n\nPACK"),
        format!("# v2 git bundle\n-{other} x\n{head} {REF}\n\nPACK"),
        format!("# v2 git bundle\n-{base} x\n{other} {REF}\n\nPACK"),
        format!("# v2 git bundle\n-{base} x\n{head} {REF}\n\n"),
        format!("# v2 git bundle\n-{base} x\n{head} {REF}\nPACK"),
        format!("# v3 git bundle\n@filter=blob:none\n-{base} x\n{head} {REF}\n\nPACK"),
        format!("# v4 git bundle\n-{base} x\n{head} {REF}\n\nPACK"),
        format!("# v2 git bundle\n-{base} x\n{head}\n\nPACK"),
        format!("# v2 git bundle\n{}", "-\n".repeat(100)),
        "x".repeat(10_000),
        String::new(),
    ] {
        assert!(sample().pack(text.as_bytes()).is_err(), "{text:.120}");
    }
    assert!(sample().pack(b"# v2 git bundle\n-\xff\n\nPACK").is_err());
}

proptest! {
    #[test]
    fn one_byte_that_differs_is_another_bundle_or_none(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let full = full();
        let mut bytes = full.write().unwrap();
        let at = at.index(bytes.len());
        let before = bytes[at];
        bytes[at] = byte;
        if let Ok(read) = Bundle::read(&bytes) {
            let is_blank = before.is_ascii_whitespace() && byte.is_ascii_whitespace();
            prop_assert!(before == byte || is_blank || read != full, "{}", at);
        }
    }

    #[test]
    fn any_bytes_are_a_bundle_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Bundle::read(&bytes);
        let _ = sample().pack(&[b"# v2 git bundle\n", &bytes[..]].concat());
    }
}
