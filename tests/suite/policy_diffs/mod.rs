//! Labelled changes made with real git: every one is judged as its label says, neither more nor less.

mod cases;
mod labels;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::Maestro;
use cases::Case;

const POLICY: &str = "\
schema: maestro.policy/v1
rules:
- {rule: protected-paths, id: protected, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS, 'keys/**', docs/legal.md]}
- {rule: denied-paths, id: denied, severity: block, reason: r, deny: ['**/.env', 'dist/**'], except: ['fixtures/**']}
- {rule: ci-code, id: ci, severity: block, reason: r}
- {rule: file-modes, id: modes, severity: block, reason: r, executable: ['scripts/**']}
- {rule: binary-files, id: binary, severity: block, reason: r, allow: ['**/*.png']}
- {rule: path-form, id: form, severity: block, reason: r}
- {rule: diff-size, id: size, severity: block, reason: r, max_files: 300, max_lines: 1000}
";

/// What lies on `main`.
const FILES: [(&str, &str); 17] = [
    ("CODEOWNERS", "* @acme/all\n"),
    ("Cargo.lock", "version = 4\n"),
    (
        "Cargo.toml",
        "[package]\nname = \"a\"\nversion = \"1.0.0\"\n",
    ),
    ("README.md", "Read me.\n"),
    ("deploy/prod.yaml", "replicas: 3\nimage: a\nport: 80\n"),
    ("docs/guide.md", "A guide.\n"),
    ("docs/legal.md", "Small print.\n"),
    ("keys/release.pub", "key\n"),
    (
        "package.json",
        "{\"name\": \"a\", \"version\": \"1.0.0\", \"scripts\": {\"test\": \"node t.js\"}, \"dependencies\": {\"x\": \"1\"}}\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"a\"\n[build-system]\nrequires = [\"hatchling\"]\n",
    ),
    ("scripts/run.sh", "echo\n"),
    ("src/lib.rs", "pub fn a() {}\n"),
    ("src/main.rs", "fn main() {}\n"),
    ("tests/a.rs", "#[test]\nfn a() {}\n"),
    ("build.rs", "fn main() {}\n"),
    (".github/workflows/ci.yml", "on: push\n"),
    ("web/logo.png", "\0png"),
];

/// Makes all commits at once; returns their ids.
fn commits(maestro: &Maestro, cases: &[Case]) -> Vec<String> {
    let mut stream: Vec<u8> = b"feature done\n".to_vec();
    let person = "committer Ada <ada@example.com> 1767603600 +0000\ndata 1\nx\n";
    for (number, case) in cases.iter().enumerate() {
        stream.extend(
            format!("commit refs/heads/case-{number}\n{person}from refs/heads/main^0\n").bytes(),
        );
        stream.extend(&case.script);
        stream.push(b'\n');
    }
    stream.extend(b"done\n");
    let mut git = Command::new("git")
        .args(["fast-import", "--quiet", "--force"])
        .current_dir(maestro.path("."))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(git.wait().unwrap().success());
    let all = maestro.git(&[
        "for-each-ref",
        "--format=%(refname:short) %(objectname)",
        "refs/heads/case-*",
    ]);
    let find = |number: usize| {
        let mut lines = all.lines().filter_map(|line| line.split_once(' '));
        lines
            .find(|(name, _)| *name == format!("case-{number}"))
            .unwrap()
            .1
            .to_owned()
    };
    (0..cases.len()).map(find).collect()
}

fn prepared() -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file("p.yaml", POLICY);
    for (path, text) in FILES {
        maestro.file(path, text);
    }
    maestro.git(&["add", "--all", "--", ".", ":!p.yaml"]);
    maestro.git(&["commit", "--quiet", "--message", "Begin"]);
    maestro
}

fn named(maestro: &Maestro, head: &str) -> BTreeSet<(String, String)> {
    let args = [
        "check-policy",
        "--policy",
        "p.yaml",
        "--base",
        "main",
        "--head",
        head,
        "--format",
        "json",
    ];
    let run = maestro.run(args);
    assert!(run.code == 0 || run.code == 10, "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let stops = document["violations"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one["severity"] != "warn");
    assert_eq!(stops, run.code == 10, "{}", run.stdout);
    let text = |value: &Value| value.as_str().unwrap_or("(change)").to_owned();
    let violations = document["violations"].as_array().unwrap().iter();
    violations
        .map(|one| (text(&one["entry"]), text(&one["target"]["path"])))
        .collect()
}

#[test]
fn labelled_changes_are_judged_as_their_labels_say() {
    let cases = cases::all();
    assert!(cases.len() >= 200, "{}", cases.len());
    let maestro = prepared();
    let heads = commits(&maestro, &cases);
    let mut wrong = Vec::new();
    for (case, head) in cases.iter().zip(&heads) {
        let found = named(&maestro, head);
        if found != case.expected {
            let missed: Vec<_> = case.expected.difference(&found).collect();
            let too_much: Vec<_> = found.difference(&case.expected).collect();
            wrong.push(format!(
                "{}: missed {missed:?}, too much {too_much:?}",
                case.name
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Trees that git's own commands refuse to make from an index, and take in when somebody sends them.
#[test]
fn trees_with_points_for_names_are_seen_through() {
    let maestro = prepared();
    let blob = maestro
        .git(&["rev-parse", "main:README.md"])
        .trim()
        .to_owned();
    let top = maestro.git(&["ls-tree", "main"]);
    let tree = |lines: &str| {
        let mut git = Command::new("git")
            .args(["mktree", "--missing"])
            .current_dir(maestro.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        String::from_utf8(git.wait_with_output().unwrap().stdout)
            .unwrap()
            .trim()
            .to_owned()
    };
    let inner = tree(&format!("100644 blob {blob}\tprod2.yaml\n"));
    let deploy = tree(&format!("040000 tree {inner}\tdeploy\n"));
    for (name, below, expected) in [
        ("..", &deploy, vec!["../deploy/prod2.yaml"]),
        (".", &deploy, vec!["./deploy/prod2.yaml"]),
        (".git", &inner, vec![".git/prod2.yaml"]),
        (".GIT", &inner, vec![".GIT/prod2.yaml"]),
    ] {
        let whole = tree(&format!("{top}040000 tree {below}\t{name}\n"));
        let head = maestro
            .git(&["commit-tree", &whole, "-p", "main", "-m", "x"])
            .trim()
            .to_owned();
        let found = named(&maestro, &head);
        for path in expected {
            assert!(
                found.contains(&("form".to_owned(), path.to_owned())),
                "{name}: {found:?}"
            );
            if path.contains("deploy") {
                assert!(
                    found.contains(&("protected".to_owned(), path.to_owned())),
                    "{name}: {found:?}"
                );
            }
        }
    }
}
