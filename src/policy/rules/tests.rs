//! What the tests of rules share, changes in few words; and that each rule has all of its parts.
#![expect(
    clippy::needless_pass_by_value,
    reason = "tests hand over what they make in place"
)]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;

use super::{RULES, find};
use crate::change::lines::{compare, is_binary};
use crate::change::{Change, Entry, parse_one};
use crate::policy::file;
use crate::policy::standing::STANDING;
use crate::policy::subject::{AddedLine, Asked, FileLines, Subject};
use crate::policy::{Breach, Target, Weight};

mod parts;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A change to judge.
#[derive(Default, Clone)]
pub(crate) struct Case {
    changes: BTreeMap<String, Change>,
    sides: BTreeMap<String, [Option<String>; 2]>,
    pub(crate) asked: Asked,
}

fn entry(mode: &str) -> Option<Entry> {
    let head = format!(
        ":000000 {mode} {0} 1111111111111111111111111111111111111111 A",
        "0".repeat(40)
    );
    parse_one(head.as_bytes(), b"x").unwrap().new
}

impl Case {
    /// New files of one line.
    pub(crate) fn paths(paths: &[&str]) -> Self {
        paths
            .iter()
            .fold(Self::default(), |case, path| case.added(path, "x\n"))
    }

    fn change(mut self, path: &str, modes: [Option<&str>; 2], sides: [Option<&str>; 2]) -> Self {
        let [old, new] = modes.map(|mode| mode.and_then(entry));
        let change = Change {
            path: path.to_owned(),
            is_text: true,
            old,
            new,
        };
        self.changes.insert(path.to_owned(), change);
        self.sides
            .insert(path.to_owned(), sides.map(|side| side.map(str::to_owned)));
        self
    }

    pub(crate) fn added(self, path: &str, text: &str) -> Self {
        self.change(path, [None, Some("100644")], [None, Some(text)])
    }

    pub(crate) fn changed(self, path: &str, old: &str, new: &str) -> Self {
        self.change(
            path,
            [Some("100644"), Some("100644")],
            [Some(old), Some(new)],
        )
    }

    pub(crate) fn removed(self, path: &str) -> Self {
        self.change(path, [Some("100644"), None], [Some("x\n"), None])
    }

    pub(crate) fn program(self, path: &str) -> Self {
        self.change(
            path,
            [Some("100644"), Some("100755")],
            [Some("x\n"), Some("x\n")],
        )
    }

    pub(crate) fn added_program(self, path: &str, text: &str) -> Self {
        self.change(path, [None, Some("100755")], [None, Some(text)])
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.change(path, [None, Some("120000")], [None, Some(target)])
    }

    pub(crate) fn link_to_file(self, path: &str) -> Self {
        self.change(
            path,
            [Some("120000"), Some("100644")],
            [Some("y"), Some("x\n")],
        )
    }

    pub(crate) fn submodule(self, path: &str) -> Self {
        self.change(path, [None, Some("160000")], [None, None])
    }

    /// A path that is no UTF-8.
    pub(crate) fn bytes(self, path: &str) -> Self {
        let mut case = self.added(path, "x\n");
        case.changes.get_mut(path).unwrap().is_text = false;
        case
    }

    pub(crate) fn asked(mut self, fill: impl FnOnce(&mut Asked)) -> Self {
        fill(&mut self.asked);
        self
    }

    /// Hands it over as what is judged.
    pub(crate) fn with<T>(&self, judge: impl FnOnce(&Subject<'_>) -> T) -> T {
        let changes: Vec<Change> = self.changes.values().cloned().collect();
        let lines: Vec<FileLines<'_>> = self
            .sides
            .iter()
            .map(|(path, [old, new])| lines(path, old.as_deref(), new.as_deref()))
            .collect();
        judge(&Subject {
            changes: &changes,
            lines: &lines,
            asked: &self.asked,
            supplied: None,
            today: date(2026, 1, 5),
        })
    }
}

fn lines<'a>(path: &str, old: Option<&'a str>, new: Option<&'a str>) -> FileLines<'a> {
    let (old, new) = (old.map(str::as_bytes), new.map(str::as_bytes));
    let found = compare(old.unwrap_or_default(), new.unwrap_or_default());
    let added = found
        .added
        .into_iter()
        .map(|(number, text)| AddedLine { number, text });
    FileLines {
        path: path.to_owned(),
        is_binary: is_binary(old.unwrap_or_default()) || is_binary(new.unwrap_or_default()),
        added: added.collect(),
        deleted: found.deleted,
        old,
        new,
    }
}

/// Returns what a rule, written as the start of an entry in flow style, says about a change.
pub(crate) fn breaches(rule: &str, case: &Case) -> Vec<Breach> {
    let rest = rule.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    let text = format!(
        "schema: maestro.policy/v1\nrules:\n- {{{rest}, id: a, severity: block, reason: r}}\n"
    );
    let file = file::read(&text, "policy.yaml").unwrap_or_else(|error| panic!("{error:?}"));
    let mut breaches = Vec::new();
    case.with(|subject| file.entries[0].check.check(subject, &mut breaches));
    breaches
}

/// Expects breaches about these files, or about `(change)` or `(title)` and the like.
#[track_caller]
pub(crate) fn check(rule: &str, case: Case, expected: &[&str]) {
    let breaches = breaches(rule, &case);
    let targets = breaches.iter().map(|breach| match &breach.target {
        Target::Place(place) => place.path.clone(),
        Target::Package { name, version, .. } => format!("{name}@{version}"),
        Target::Change => "(change)".to_owned(),
        Target::Said(what) => format!("({what})"),
        Target::Report(name) => name.clone(),
    });
    let mut targets: Vec<String> = targets.collect();
    let mut expected: Vec<&str> = expected.to_vec();
    targets.sort_unstable();
    expected.sort_unstable();
    assert_eq!(targets, expected);
}

/// Expects breaches that saw this and weigh so much.
#[track_caller]
pub(crate) fn check_weights(rule: &str, case: Case, expected: &[(&str, Option<Weight>)]) {
    let breaches = breaches(rule, &case);
    let seen: Vec<_> = breaches
        .iter()
        .map(|breach| (breach.observed.as_str(), breach.weight))
        .collect();
    assert_eq!(seen, expected);
}

/// Expects that settings of a rule are read, or refused with these words.
#[track_caller]
pub(crate) fn check_settings(rule: &str, settings: &str, refused: Option<&str>) {
    let text = format!(
        "schema: maestro.policy/v1\nrules:\n- {{rule: {rule}, {settings}, id: a, severity: block, reason: r}}\n"
    );
    match (file::read(&text, "policy.yaml"), refused) {
        (Ok(_), None) => {}
        (Err(error), Some(words)) => assert!(error.message.ends_with(words), "{}", error.message),
        (read, _) => panic!("{settings}: {:?}", read.map(drop)),
    }
}

#[test]
fn no_part_of_a_rule_is_missing() {
    if let Some(next) = parts::missing(root()) {
        panic!("{next}");
    }
}

#[test]
fn rules_stand_in_order_of_name_and_each_is_known() {
    for pair in RULES.windows(2) {
        let [before, after] = [pair[0].name, pair[1].name];
        assert!(
            before < after,
            "`{after}` should stand before `{before}` in `rules!` of src/policy/rules/mod.rs"
        );
    }
    for about in RULES {
        assert_eq!(find(about.name).unwrap().name, about.name);
        assert!(!about.what.ends_with('.') && !about.fix.is_empty());
        for (key, _) in about.keys {
            assert!(
                !file::COMMON.contains(key),
                "`{key}` of `{}` is a key of every entry: call it something else",
                about.name
            );
        }
    }
}

#[test]
fn pages_say_what_rules_say() {
    let mut names = Vec::new();
    for about in RULES.iter().chain(&STANDING) {
        let name = about.name;
        names.push(parts::page_path(name));
        let path = parts::page_path(name);
        let Some(page) = parts::page(root(), name) else {
            panic!("`{name}` has no page: write {path}");
        };
        let what = about.what[..1].to_uppercase() + &about.what[1..];
        let head = format!("# `policy/{name}`\n\n{what}.\n\n");
        assert!(page.starts_with(&head), "{path} should begin with\n{head}");
        let end = format!("\n\nWhat helps: {}.\n", about.fix);
        assert!(page.ends_with(&end), "{path} should end with{end}");
        let why = page.lines().nth(4).unwrap_or_default();
        assert!(
            why.len() > 100,
            "{path} should say in its third paragraph why the rule matters and how it judges"
        );
        for (key, _) in about.keys {
            let is_named = [format!("`{key}`"), format!("`{key}: ")]
                .iter()
                .any(|words| page.contains(words));
            assert!(is_named, "{path} should say what `{key}` does");
        }
    }
    let strays = parts::pages_without_rule(root());
    let strays: Vec<_> = strays.iter().filter(|path| !names.contains(path)).collect();
    assert!(
        strays.is_empty(),
        "pages of no rule: take them away: {strays:?}"
    );
}

#[test]
fn examples_of_pages_are_read() {
    for about in RULES.iter().filter(|about| !about.keys.is_empty()) {
        let (name, path) = (about.name, parts::page_path(about.name));
        let page = parts::page(root(), name).unwrap_or_default();
        let mut lines = page.lines();
        let Some(example) = lines.find_map(|line| line.strip_prefix("Example: ")) else {
            panic!("{path} should have a paragraph that begins with `Example: `");
        };
        let is_setting = |span: &&str| {
            let mut keys = about.keys.iter();
            keys.any(|(key, _)| span.starts_with(&format!("{key}: ")))
        };
        let spans: Vec<&str> = example.split('`').skip(1).step_by(2).collect();
        let settings: Vec<&str> = spans.into_iter().filter(is_setting).collect();
        assert!(
            !settings.is_empty(),
            "the example of {path} should have settings in backticks, as `{}: …`",
            about.keys[0].0
        );
        let settings = settings.join(", ");
        let text = format!(
            "schema: maestro.policy/v1\nrules:\n- {{rule: {name}, {settings}, id: a, severity: block, reason: r}}\n"
        );
        if let Err(error) = file::read(&text, "policy.yaml") {
            panic!("the example of {path} is no setting of `{name}`: {error:?}\n{text}");
        }
    }
}
