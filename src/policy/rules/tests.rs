//! What the tests of rules share: changes in few words.
#![expect(
    clippy::needless_pass_by_value,
    reason = "tests hand over what they make in place"
)]

use std::collections::BTreeMap;

use jiff::civil::date;

use super::{RULES, find};
use crate::change::lines::{compare, is_binary};
use crate::change::{Change, Entry, parse_one};
use crate::policy::file;
use crate::policy::subject::{AddedLine, Asked, FileLines, Subject};
use crate::policy::{Breach, Target, Weight};

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

#[test]
fn rules_stand_in_order_of_name_and_each_is_known() {
    assert!(RULES.is_sorted_by(|a, b| a.name < b.name));
    for about in RULES {
        assert_eq!(find(about.name).unwrap().name, about.name);
        assert!(
            !about.what.ends_with('.') && !about.fix.is_empty() && about.why.len() > 200,
            "{}",
            about.name
        );
    }
}
