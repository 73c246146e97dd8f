//! Policies that are refused, with what their writer is told.

use super::*;

const ENTRY: &str = "{rule: path-form, id: form, severity: warn, reason: r}";

const ELSEWHERE: &str = "extends: //p.yaml@0123456789abcdef0123456789abcdef01234567\n";

fn policy(around: &str, rules: &str) -> Result<PolicyFile, YamlError> {
    read(
        &format!("schema: maestro.policy/v1\n{around}rules: {rules}\n"),
        "policy.yaml",
    )
}

/// Expects that a policy is refused with these words.
#[track_caller]
fn check(around: &str, rules: &str, expected: &str) {
    let error = policy(around, rules).unwrap_err();
    assert!(error.message.ends_with(expected), "{}", error.message);
}

#[test]
fn who_owns_the_policy_owns_its_entries_that_name_nobody() {
    let owned = ENTRY.replace("reason: r", "reason: r, owner: ada");
    let rules = format!("[{ENTRY}, {}]", owned.replace("id: form", "id: hers"));
    let file = policy("owner: ' @acme/ci '\n", &rules).unwrap();
    let policy = super::super::tighten::Policy::alone(file);
    let owners: Vec<_> = policy
        .entries
        .iter()
        .map(|entry| entry.owner.as_deref())
        .collect();
    assert_eq!(owners, [Some("@acme/ci"), Some("ada")]);
}

#[test]
fn a_policy_that_guards_nothing_is_refused() {
    check(
        "",
        "[]",
        "it has no `rules`: a policy without rules guards nothing",
    );
    let file = policy(ELSEWHERE, "[]").unwrap();
    assert!(file.entries.is_empty() && file.extends.is_some());
}

#[test]
fn names_that_nothing_has_are_refused() {
    let rules = format!("[{ENTRY}]");
    check(
        "locked: [form, fom]\n",
        &rules,
        "`locked` names `fom`, and no entry is called so",
    );
    assert!(policy("locked: [form]\n", &rules).is_ok());
    let ignores = "ignores: [{entry: fom, path: a, reason: r, owner: o, expires: 2026-12-31}]\n";
    check(
        ignores,
        &rules,
        "`ignores` names `fom`, and no entry is called so",
    );
    // It may be one of the policy that is extended.
    assert!(policy(&format!("{ELSEWHERE}{ignores}"), &rules).is_ok());
    check(
        "",
        &rules.replace("id: form", "id: maestro-files"),
        "the id `maestro-files` is that of what stands in every policy; take another one",
    );
}

#[test]
fn what_is_ignored_is_a_path_or_a_package() {
    let rules = format!("[{ENTRY}]");
    let ignoring = |what: &str| {
        format!("ignores: [{{entry: form{what}, reason: r, owner: o, expires: 2026-12-31}}]\n")
    };
    let expected = "what is ignored of `form` needs either a `path` or a `package`";
    check(&ignoring(""), &rules, expected);
    check(&ignoring(", path: a, package: b"), &rules, expected);
    for what in [", path: a", ", package: b"] {
        assert!(policy(&ignoring(what), &rules).is_ok(), "{what}");
    }
}

#[test]
fn keys_that_nobody_knows_are_named_with_those_that_are() {
    let hinted = |around: &str, rules: &str| {
        let error = policy(around, rules).unwrap_err();
        (error.message, error.hint.unwrap_or_default())
    };
    assert_eq!(
        hinted("ignored: []\n", "[]"),
        (
            "unknown key `ignored`".to_owned(),
            "did you mean `ignores`?".to_owned()
        )
    );
    assert_eq!(
        hinted("", &format!("[{}]", ENTRY.replace("reason", "reasons"))),
        (
            "unknown key `reasons`".to_owned(),
            "did you mean `reason`?".to_owned()
        )
    );
    let (message, hint) = hinted("zzz: 1\n", "[]");
    assert_eq!(message, "unknown key `zzz`");
    assert_eq!(hint, format!("valid keys here: {}", TOP.join(", ")));
}

#[test]
fn values_of_another_kind_are_told_what_belongs_there() {
    let error = read("5\n", "policy.yaml").unwrap_err();
    assert!(
        error.message.ends_with("expected a mapping of keys"),
        "{}",
        error.message
    );
    check("", "5", "expected a list of entries");
    check("", "[5]", "expected an entry, which begins with `rule:`");
    let rules = format!("[{ENTRY}]");
    check(
        "locked: 5\n",
        &rules,
        "expected `all`, or a list of ids of entries",
    );
    let protect = "[{rule: protected-paths, id: a, severity: warn, reason: r, protect: [[]]}]";
    check("", protect, "expected a glob, as `src/**`");
}

#[test]
fn a_rule_that_nobody_knows_is_named_with_the_one_that_is_meant() {
    let error = policy("", "[{id: a, rule: titel, severity: warn, reason: r}]").unwrap_err();
    assert!(
        error.message.contains("unknown variant `titel`"),
        "{}",
        error.message
    );
    assert_eq!(error.hint.as_deref(), Some("did you mean `title`?"));
    assert_eq!(error.place, Some((2, 23)));
}

#[test]
fn a_baseline_is_a_file_of_the_repository() {
    let rules = format!("[{ENTRY}]");
    let file = policy("baseline: x/base.json\n", &rules).unwrap();
    assert_eq!(file.baseline.as_deref(), Some("x/base.json"));
    check(
        "baseline: ../base.json\n",
        &rules,
        "`../base.json` has `.` or `..`: name a file from the top of the repository",
    );
}

#[test]
fn a_policy_as_large_as_a_person_writes_is_read() {
    let whole = format!("schema: maestro.policy/v1\nrules: [{ENTRY}]\n#");
    let filled = |length: usize| format!("{whole}{}", "x".repeat(length - whole.len()));
    assert!(read(&filled(LARGEST), "p").is_ok());
    let error = read(&filled(LARGEST + 1), "p").unwrap_err();
    assert_eq!(error.message, "it has more than 256 KiB");
    assert_eq!(error.place, Some((1, 1)));
}
