//! Fifty attempts to loosen what an organisation holds, and a property that holds for all others.

use proptest::prelude::*;

use super::super::baseline::Baseline;
use super::super::engine::{Outcome, judge};
use super::super::file::read;
use super::super::rules::tests::Case;
use super::*;

/// What the organisation holds: every kind of key once.
const FLOOR: &str = "\
schema: maestro.policy/v1
locked: all
teams: {acme/sec: [bob]}
rules:
- {rule: protected-paths, id: protect, severity: block, reason: r, expires: 2026-12-31, protect: ['deploy/**', CODEOWNERS], except: ['deploy/notes.md']}
- {rule: denied-paths, id: deny, severity: review, reason: r, applies_to: [agents, forks], deny: ['**/.env']}
- {rule: allowed-paths, id: allow, severity: block, reason: r, applies_to: agents, allow: ['src/**', 'tests/**']}
- {rule: diff-size, id: size, severity: block, reason: r, max_files: 5, max_lines: 50, max_kb: 10, exclude: ['*.lock']}
- {rule: binary-files, id: binary, severity: block, reason: r, allow: ['**/*.png'], max_kb: 10}
- {rule: file-modes, id: modes, severity: block, reason: r, executable: ['scripts/**']}
- {rule: tests-with-code, id: tests, severity: review, reason: r, code: ['src/**'], tests: ['tests/**'], least_lines: 5}
- {rule: budget, id: money, severity: block, reason: r, per_pull_request: '5', warn_at: 50}
- {rule: actor, id: who, severity: block, reason: r, associations: [OWNER, MEMBER], allow: ['a[bot]'], deny: [mallory], bots: deny, same: true}
- {rule: data-labels, id: data, severity: block, reason: r, paths: ['src/customers/**'], any_of: ['data:eu'], none_of: ['data:out']}
- {rule: human-approval, id: people, severity: block, reason: r, approvals: 2, from: [bob, eve, kim]}
- {rule: title, id: title, severity: warn, reason: r, pattern: 'fix: .+', max_length: 50, min_length: 5}
- {rule: ci-code, id: ci, severity: review, reason: r, also: ['ci/**'], except: ['examples/**']}
- {rule: path-form, id: form, severity: block, reason: r, except: ['fixtures/**']}
";

/// What a repository writes under `rules:`, and the key that is named.
const ATTEMPTS: [(&str, &str); 46] = [
    (
        "{rule: protected-paths, id: protect, severity: review, reason: r, protect: ['deploy/**', CODEOWNERS]}",
        "severity",
    ),
    (
        "{rule: protected-paths, id: protect, severity: warn, reason: r, protect: ['deploy/**', CODEOWNERS]}",
        "severity",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**']}",
        "protect",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['other/**']}",
        "protect",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/*', CODEOWNERS]}",
        "protect",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS], except: ['deploy/**']}",
        "except",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS], except: ['deploy/notes.md', CODEOWNERS]}",
        "except",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS], expires: 2026-01-01}",
        "expires",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS], applies_to: agents}",
        "applies_to",
    ),
    (
        "{rule: protected-paths, id: protect, severity: block, reason: r, protect: ['deploy/**', CODEOWNERS], applies_to: {teams: [acme/sec]}}",
        "applies_to",
    ),
    (
        "{rule: title, id: protect, severity: block, reason: r, max_length: 500}",
        "rule",
    ),
    (
        "{rule: denied-paths, id: deny, severity: warn, reason: r, applies_to: [agents, forks], deny: ['**/.env']}",
        "severity",
    ),
    (
        "{rule: denied-paths, id: deny, severity: review, reason: r, applies_to: forks, deny: ['**/.env']}",
        "applies_to",
    ),
    (
        "{rule: denied-paths, id: deny, severity: review, reason: r, applies_to: agents, deny: ['**/.env']}",
        "applies_to",
    ),
    (
        "{rule: denied-paths, id: deny, severity: review, reason: r, deny: ['.env']}",
        "deny",
    ),
    (
        "{rule: denied-paths, id: deny, severity: review, reason: r, deny: ['**/.env'], except: ['**']}",
        "except",
    ),
    (
        "{rule: allowed-paths, id: allow, severity: block, reason: r, allow: ['**']}",
        "allow",
    ),
    (
        "{rule: allowed-paths, id: allow, severity: block, reason: r, allow: ['src/**', 'tests/**', 'deploy/**']}",
        "allow",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 6, max_lines: 50, max_kb: 10}",
        "max_files",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 5, max_lines: 5000, max_kb: 10}",
        "max_lines",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 5, max_lines: 50, max_kb: 4294967295}",
        "max_kb",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 5, max_lines: 50}",
        "max_kb",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_kb: 10, max_files: 1}",
        "max_lines",
    ),
    (
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 5, max_lines: 50, max_kb: 10, exclude: ['**']}",
        "exclude",
    ),
    (
        "{rule: binary-files, id: binary, severity: block, reason: r, allow: ['**'], max_kb: 10}",
        "allow",
    ),
    (
        "{rule: binary-files, id: binary, severity: block, reason: r, max_kb: 11}",
        "max_kb",
    ),
    (
        "{rule: file-modes, id: modes, severity: block, reason: r, links: allow}",
        "links",
    ),
    (
        "{rule: file-modes, id: modes, severity: block, reason: r, submodules: allow}",
        "submodules",
    ),
    (
        "{rule: file-modes, id: modes, severity: block, reason: r, executable: ['**']}",
        "executable",
    ),
    (
        "{rule: tests-with-code, id: tests, severity: review, reason: r, code: ['lib/**'], least_lines: 5}",
        "code",
    ),
    (
        "{rule: tests-with-code, id: tests, severity: review, reason: r, code: ['src/**'], tests: ['**'], least_lines: 5}",
        "tests",
    ),
    (
        "{rule: tests-with-code, id: tests, severity: review, reason: r, code: ['src/**'], least_lines: 6}",
        "least_lines",
    ),
    (
        "{rule: budget, id: money, severity: block, reason: r, per_pull_request: '50', warn_at: 50}",
        "per_pull_request",
    ),
    (
        "{rule: budget, id: money, severity: block, reason: r, warn_at: 50}",
        "per_pull_request",
    ),
    (
        "{rule: budget, id: money, severity: block, reason: r, per_pull_request: '5', warn_at: 99}",
        "warn_at",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER, NONE], deny: [mallory], bots: deny, same: true}",
        "associations",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, deny: [mallory], bots: deny, same: true}",
        "associations",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER], allow: ['a[bot]', mallory], deny: [mallory], bots: deny, same: true}",
        "allow",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER], deny: [nobody], bots: deny, same: true}",
        "deny",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER], deny: [mallory], same: true}",
        "bots",
    ),
    (
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER], deny: [mallory], bots: deny, same: false}",
        "same",
    ),
    (
        "{rule: data-labels, id: data, severity: block, reason: r, paths: ['other/**'], any_of: ['data:eu'], none_of: ['data:out']}",
        "paths",
    ),
    (
        "{rule: data-labels, id: data, severity: block, reason: r, any_of: ['data:eu', 'anything'], none_of: ['data:out']}",
        "any_of",
    ),
    (
        "{rule: human-approval, id: people, severity: block, reason: r, approvals: 1, from: [bob, eve, kim]}",
        "approvals",
    ),
    (
        "{rule: human-approval, id: people, severity: block, reason: r, paths: ['docs/**'], approvals: 2, from: [bob, eve, kim]}",
        "paths",
    ),
    (
        "{rule: title, id: title, severity: warn, reason: r, pattern: '.*', max_length: 50, min_length: 5}",
        "pattern",
    ),
];

/// What a repository writes at the top, and the key that is named.
const AROUND: [(&str, &str); 4] = [
    (
        "ignores: [{entry: protect, path: 'deploy/**', reason: r, owner: o, expires: 2030-01-01}]",
        "entry",
    ),
    (
        "ignores: [{entry: who, package: 'x', reason: r, owner: o, expires: 2030-01-01}]",
        "entry",
    ),
    (
        "ignores: [{entry: form, path: '**', reason: r, owner: o, expires: 2030-01-01}]",
        "entry",
    ),
    ("teams: {acme/sec: [mallory]}", "acme/sec"),
];

const OWN: &str = "{rule: path-form, id: own, severity: warn, reason: r}";

fn file(text: &str) -> PolicyFile {
    read(text, "p").unwrap_or_else(|error| panic!("{text}\n{error:?}"))
}

fn own(around: &str, rules: &[&str]) -> PolicyFile {
    let extends = "extends: //p.yaml@0123456789abcdef0123456789abcdef01234567";
    file(&format!(
        "schema: maestro.policy/v1\n{extends}\n{around}\nrules: [{}]\n",
        rules.join(", ")
    ))
}

#[test]
fn fifty_attempts_to_loosen_are_refused_by_name() {
    let refused = |own: PolicyFile| tighten(file(FLOOR), own).map(drop).unwrap_err();
    let named = |loosened: Vec<Loosened>| -> Vec<String> {
        loosened.into_iter().map(|one| one.key).collect()
    };
    for (rule, key) in ATTEMPTS {
        let keys = named(refused(own("", &[rule])));
        assert!(keys.iter().any(|one| one == key), "{rule}: {keys:?}");
    }
    for (around, key) in AROUND {
        assert_eq!(named(refused(own(around, &[OWN]))), [key], "{around}");
    }
    assert_eq!(ATTEMPTS.len() + AROUND.len(), 50);
}

#[test]
fn what_is_as_strict_or_stricter_is_taken() {
    for rule in [
        "{rule: protected-paths, id: protect, severity: block, reason: other, protect: [CODEOWNERS, 'deploy/**', 'keys/**']}",
        "{rule: denied-paths, id: deny, severity: block, reason: r, deny: ['**/.env', '**/*.pem']}",
        "{rule: allowed-paths, id: allow, severity: block, reason: r, allow: ['src/**']}",
        "{rule: diff-size, id: size, severity: block, reason: r, max_files: 1, max_lines: 50, max_kb: 9}",
        "{rule: actor, id: who, severity: block, reason: r, associations: [OWNER], deny: [mallory, x], bots: deny, same: true}",
        "{rule: human-approval, id: people, severity: block, reason: r, approvals: 3, from: [bob, eve, kim]}",
        "{rule: data-labels, id: data, severity: block, reason: r, any_of: ['data:eu'], none_of: ['data:out', 'x']}",
        "{rule: file-modes, id: modes, severity: block, reason: r, links: deny}",
        OWN,
    ] {
        assert!(tighten(file(FLOOR), own("", &[rule])).is_ok(), "{rule}");
    }
}

#[test]
fn what_is_not_locked_is_a_proposal() {
    let floor = FLOOR.replace("locked: all", "locked: [protect]");
    let policy = tighten(
        file(&floor),
        own(
            "",
            &["{rule: title, id: title, severity: warn, reason: r, max_length: 500}"],
        ),
    )
    .unwrap();
    let titles: Vec<_> = policy
        .entries
        .iter()
        .filter(|entry| entry.id == "title")
        .collect();
    assert!(titles.len() == 1 && titles[0].keys["max_length"] == 500 && !titles[0].is_locked);
    // What the repository says nothing of holds as it was proposed.
    assert!(policy.entries.iter().any(|entry| entry.id == "deny"));
    assert_eq!(policy.entries.len(), file(FLOOR).entries.len());
    assert!(
        policy
            .entries
            .iter()
            .any(|entry| entry.id == "protect" && entry.is_locked)
    );
}

#[test]
fn a_repository_may_ignore_what_is_its_own() {
    let around = "ignores: [{entry: own, path: 'a', reason: r, owner: o, expires: 2030-01-01}]";
    let policy = tighten(file(FLOOR), own(around, &[OWN])).unwrap();
    assert_eq!(policy.ignores.len(), 1);
    assert!(!policy.ignores[0].is_floors);
}

#[test]
fn what_is_looser_is_shown_with_both_values() {
    let size = |settings: &str| {
        let rule = format!("{{rule: diff-size, id: size, severity: block, reason: r, {settings}}}");
        let loosened = tighten(file(FLOOR), own("", &[OWN, &rule])).map(drop);
        let shown = loosened.unwrap_err().into_iter();
        shown
            .map(|one| {
                format!(
                    "{}[{}] {} {}: {} to {}",
                    one.list, one.at, one.id, one.key, one.floor, one.own
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        size("max_files: 6, max_lines: 50"),
        [
            "rules[1] size max_files: 5 to 6",
            "rules[1] size max_kb: 10 to nothing",
        ]
    );
}

#[test]
fn what_was_there_before_is_the_repositorys_own() {
    let floor = FLOOR.replace("locked: all", "locked: all\nbaseline: floor.json");
    let baseline = |around: &str| {
        let policy = tighten(file(&floor), own(around, &[OWN])).unwrap();
        policy.baseline
    };
    assert_eq!(baseline(""), None);
    assert_eq!(baseline("baseline: own.json"), Some("own.json".to_owned()));
}

#[test]
fn what_is_strict_depends_on_the_key() {
    use serde_json::json;
    let words = Order::Words(&["a", "b", "c"], "b");
    for (order, floor, mine, expected) in [
        (Order::Same, json!(null), json!("x"), true),
        (Order::Same, json!("x"), json!("x"), true),
        (Order::Same, json!("x"), json!(null), false),
        (Order::Less, json!(null), json!(9), true),
        (Order::Less, json!(5), json!(5), true),
        (Order::Less, json!("5"), json!("4.5"), true),
        (Order::Less, json!(5), json!(6), false),
        (Order::Less, json!(5), json!("x"), false),
        (Order::Less, json!(5), json!(null), false),
        (Order::More, json!(5), json!(5), true),
        (Order::More, json!(5), json!(4), false),
        (Order::Grows, json!(["a"]), json!(["a", "b"]), true),
        (Order::Grows, json!(["a"]), json!(["b"]), false),
        (Order::Shrinks, json!(["a"]), json!([]), true),
        (Order::Shrinks, json!(["a"]), json!(["a", "b"]), false),
        // No list is all.
        (Order::Scope, json!([]), json!([]), true),
        (Order::Scope, json!([]), json!(["a"]), false),
        (Order::Scope, json!(["a"]), json!([]), true),
        (Order::Scope, json!(["a"]), json!(["a", "b"]), true),
        (Order::Scope, json!(["a"]), json!(["b"]), false),
        (Order::Narrows, json!([]), json!(["a"]), true),
        (Order::Narrows, json!(["a", "b"]), json!(["a"]), true),
        (Order::Narrows, json!(["a"]), json!([]), false),
        (Order::Narrows, json!(["a"]), json!(["a", "b"]), false),
        (Order::False(true), json!(null), json!(true), true),
        (Order::False(true), json!(false), json!(null), false),
        (Order::False(true), json!(false), json!(false), true),
        (Order::False(false), json!(null), json!(true), false),
        (Order::False(false), json!(null), json!(null), true),
        (Order::True, json!(null), json!(null), true),
        (Order::True, json!(false), json!(null), true),
        (Order::True, json!(true), json!(true), true),
        (Order::True, json!(true), json!(null), false),
        (words, json!(null), json!("b"), true),
        (words, json!(null), json!("a"), false),
        (words, json!("b"), json!(null), true),
        (words, json!("c"), json!(null), false),
    ] {
        let is_there = |value: &Value| (!value.is_null()).then(|| value.clone());
        let (floor, mine) = (is_there(&floor), is_there(&mine));
        assert_eq!(
            is_as_strict(order, floor.as_ref(), mine.as_ref()),
            expected,
            "{order:?} {floor:?} {mine:?}"
        );
    }
}

#[test]
fn agents_are_those_that_either_policy_names() {
    let floor = FLOOR.replace(
        "locked: all",
        "locked: all\nagents: {authors: ['claude[bot]']}",
    );
    let around = "agents: {branches: ['agent/**']}";
    let policy = tighten(file(&floor), own(around, &[OWN])).unwrap();
    for (author, branch, expected) in [
        (Some("Claude[bot]"), Some("main"), true),
        (Some("ada"), Some("agent/x"), true),
        (Some("ada"), Some("main"), false),
        (None, Some("agent/x"), true),
        (None, None, false),
    ] {
        assert_eq!(
            policy.is_agent(author, branch),
            expected,
            "{author:?} {branch:?}"
        );
    }
}

fn outcome(policy: &Policy, case: &Case) -> Outcome {
    case.with(|subject| judge(policy, &Baseline::default(), subject, None).outcome)
}

/// Changes of which each breaks something of the floor, or nothing.
fn cases() -> Vec<Case> {
    let lines = "x\n".repeat(200);
    let all = [
        Case::paths(&["docs/a.md"]),
        Case::paths(&["deploy/a", "deploy/notes.md"]),
        Case::paths(&["src/a\\b", "config/.env"]),
        Case::paths(&["src/customers/a"]),
        Case::default().added("src/a.rs", &lines),
        Case::default().added("a.bin", "\0"),
        Case::default().link("a", "/etc/passwd").submodule("b"),
        Case::paths(&["build.rs", "ci/x"]),
    ];
    let asked = |case: Case| {
        [
            case.clone(),
            case.clone().asked(|asked| asked.is_agent = true),
            case.asked(|asked| {
                asked.number = Some(1);
                asked.author = Some("mallory".into());
                asked.title = Some("x".into());
                asked.approvals = vec!["bob".into()];
            }),
        ]
    };
    all.into_iter().flat_map(asked).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_taken_stops_all_that_the_floor_stops(
        picks in proptest::collection::vec((0..ATTEMPTS.len(), 0..FLOOR.lines().count() - 4), 0..4),
        is_other in any::<bool>(),
    ) {
        let floor_entries: Vec<&str> = FLOOR.lines().skip(4).map(|line| line.trim_start_matches("- ")).collect();
        let mut rules: Vec<String> = Vec::new();
        for (attempt, entry) in picks {
            // An attempt under another id, or the floor's own entry with an exception less.
            let text = if is_other { ATTEMPTS[attempt].0.replace("id: ", "id: own-") } else { floor_entries[entry].to_owned() };
            let id = |text: &str| text.split("id: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap().to_owned();
            if rules.iter().all(|one| id(one) != id(&text)) {
                rules.push(text);
            }
        }
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let floor = tighten(file(FLOOR), own("", &[])).unwrap();
        let policy = tighten(file(FLOOR), own("", &rules)).unwrap();
        for case in cases() {
            prop_assert!(outcome(&policy, &case) >= outcome(&floor, &case));
        }
    }
}
