//! Forty hostile titles, branches, labels and paths: every format shows them, and none obeys.

use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::harness::Maestro;

/// What attackers write.
const HOSTILE: [&str; 40] = [
    "$(touch pwned)",
    "`touch pwned`",
    "${{ secrets.TOKEN }}",
    "${{github.token}}",
    "a\n::error::x",
    "::set-output name=a::b",
    "::stop-commands::x",
    "::add-mask::a",
    "##[error]x",
    "##[group]y",
    "a\r\n::warning::x",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]0;title\u{7}",
    "a\u{202e}gpj.exe",
    "\u{2066}x\u{2069}",
    "\u{200b}invisible",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "@acme/everyone look",
    "fixes #1",
    "GH-12 o/n#3",
    "https://evil.example/x",
    "[click](https://evil.example)",
    "![x](https://evil.example/a.png)",
    "| a | b |",
    "``` code",
    "a`b``c```d",
    "<!-- hidden",
    "]]>",
    "&lt;b&gt; &amp; %0A%0D",
    "\"; rm -rf /; \"",
    "'; DROP TABLE x; --",
    "\\u0000 \\n \\x1b",
    "%s%n%x",
    "{{ 7*7 }} {% raw %}",
    "EOF\nname=value",
    "ghadelimiter_1\nx=y\nghadelimiter_1",
    "a\tb\tc",
    "__proto__",
    "\u{feff}bom \u{2028}line",
];

/// Every format beside the one for people.
const FORMATS: [&str; 6] = ["json", "ndjson", "markdown", "github", "sarif", "junit"];

/// Every rule that repeats what somebody wrote.
const POLICY: &str = "\
schema: maestro.policy/v1
rules:
- {rule: title, id: title, severity: block, reason: r, pattern: 'never', max_length: 1}
- {rule: actor, id: who, severity: block, reason: r, associations: [OWNER]}
- {rule: data-labels, id: data, severity: block, reason: r, any_of: [never]}
- {rule: denied-paths, id: denied, severity: block, reason: r, deny: ['**']}
- {rule: path-form, id: form, severity: warn, reason: r}
";

/// A pull request of which everything that a stranger may write is hostile.
fn hostile(text: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file(".maestro/policy.yaml", POLICY);
    maestro.commit("Guard");
    let base = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    maestro.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    let name: String = text.chars().filter(|c| *c != '/' && *c != '\0').collect();
    maestro.file(&format!("d/{name}"), "x\n");
    // A path may be a command from its first character on.
    maestro.file(&name, "x\n");
    maestro.commit("Change");
    let head = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let repo = json!({"id": 1, "full_name": "o/r"});
    let payload = json!({"number": 7, "pull_request": {
        "number": 7, "title": text, "author_association": text, "labels": [{"name": text}], "user": {"id": 1, "login": text, "type": "User"},
        "head": {"ref": text, "sha": head, "repo": repo}, "base": {"ref": "main", "sha": base, "repo": repo}}});
    maestro.file(".git/event.json", payload.to_string());
    let event = maestro.path(".git/event.json");
    let files = [
        ("GITHUB_OUTPUT", ".git/output"),
        ("GITHUB_STEP_SUMMARY", ".git/summary.md"),
    ];
    let maestro = files.iter().fold(maestro, |maestro, (name, path)| {
        let path = maestro.path(path);
        maestro.env(name, path)
    });
    maestro
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", event)
        .env("GITHUB_ACTOR", text.replace('\0', ""))
        .env("GITHUB_HEAD_REF", text)
}

fn acts(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Nothing that a terminal or the runner obeys.
#[track_caller]
fn is_inert(format: &str, text: &str) {
    // The annotations are commands of our own.
    let allowed = |line: &str| {
        format == "github"
            && ["::error ", "::warning ", "::notice "]
                .iter()
                .any(|start| line.starts_with(start))
    };
    for line in text.lines() {
        assert!(
            !line.trim_start().starts_with("::") || allowed(line),
            "{format}: {line}"
        );
    }
    assert!(!text.contains("##["), "{format}: {text}");
    // Between a sign and a name a character without width stands by intent in Markdown.
    let seen: String = if format == "markdown" {
        text.replace("@\u{200b}", "@")
    } else {
        text.to_owned()
    };
    assert!(!seen.chars().any(acts), "{format}: {text:?}");
}

/// Whether Markdown holds a text outside of code spans.
fn outside_of_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inner = &rest[at + fence..];
        let mut from = 0;
        let end = loop {
            let Some(next) = inner[from..].find('`').map(|next| from + next) else {
                break None;
            };
            let run = inner[next..].len() - inner[next..].trim_start_matches('`').len();
            if run == fence {
                break Some(next + run);
            }
            from = next + run;
        };
        match end {
            Some(end) => rest = &inner[end..],
            None => {
                outside.push_str(&rest[at..at + fence]);
                rest = inner;
            }
        }
    }
    outside.push_str(rest);
    outside
}

fn strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, all)),
        Value::Object(members) => members.values().for_each(|item| strings(item, all)),
        _ => {}
    }
}

#[test]
fn what_attackers_write_is_shown_and_obeyed_nowhere() {
    for text in HOSTILE {
        let maestro = hostile(text);
        let mut args: Vec<String> = ["check-policy", "--base", "origin/main"]
            .map(str::to_owned)
            .to_vec();
        for format in FORMATS {
            args.extend([
                "--report".to_owned(),
                format!("{format}=.git/report.{format}"),
            ]);
        }
        let run = maestro.run(&args).exits_with(10);
        is_inert("human", &run.stdout);
        is_inert("github", &run.stderr);
        for format in FORMATS {
            let shown =
                std::fs::read_to_string(maestro.path(&format!(".git/report.{format}"))).unwrap();
            assert!(!shown.contains("##["), "{format}: {shown}");
            match format {
                "json" => {
                    let mut all = Vec::new();
                    strings(&serde_json::from_str(&shown).unwrap(), &mut all);
                    assert!(all.iter().any(|one| one == text), "{text:?}");
                }
                "ndjson" => shown
                    .lines()
                    .for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap())),
                "sarif" => sarif(&shown),
                "junit" => junit(&shown),
                "markdown" => markdown(&shown),
                format => is_inert(format, &shown),
            }
        }
        let summary = std::fs::read_to_string(maestro.path(".git/summary.md")).unwrap();
        markdown(&summary);
        outputs(&std::fs::read_to_string(maestro.path(".git/output")).unwrap());
        assert!(!maestro.path("pwned").exists());
    }
}

#[track_caller]
fn markdown(text: &str) {
    is_inert("markdown", text);
    for line in text.lines() {
        let outside = outside_of_code(line);
        for sign in [
            "<",
            "](",
            "https://",
            "${{",
            "$(",
            "@acme",
            "fixes #",
            "evil.example",
        ] {
            assert!(!outside.contains(sign), "{sign}: {line}");
        }
    }
}

/// Only names and values of our own stand in the outputs of a step.
#[track_caller]
fn outputs(text: &str) {
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{text}"));
        assert!(
            ["outcome", "passes", "violations"].contains(&name),
            "{line}"
        );
        assert!(value.chars().all(|c| c.is_ascii_alphanumeric()), "{line}");
    }
}

#[track_caller]
fn sarif(text: &str) {
    let log: Value = serde_json::from_str(text).unwrap();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let words = result["message"]["text"].as_str().unwrap();
        assert!(!words.chars().any(acts), "{words:?}");
        for location in result["locations"].as_array().unwrap() {
            let uri = location["physicalLocation"]["artifactLocation"]["uri"]
                .as_str()
                .unwrap();
            let is_plain = uri
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte));
            assert!(
                is_plain && !uri.starts_with('/') && !uri.contains("//"),
                "{uri}"
            );
        }
    }
}

#[track_caller]
fn junit(text: &str) {
    is_inert("junit", text);
    let mut reader = quick_xml::Reader::from_str(text);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                names.push(String::from_utf8(tag.name().as_ref().to_vec()).unwrap());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let ours = [
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "skipped",
        "system-out",
    ];
    assert!(
        names.iter().all(|name| ours.contains(&name.as_str())),
        "{names:?}"
    );
}
