//! The rules against failures that people read: the labels of `tests/causes`, over other people's reports (`MAESTRO_CORPUS`).
//!
//! The sample's rule is that of `tests/causes/sample.py`, written again; that both find the same ids is a part of the test. Rules were written on
//! the failures whose id begins with an even digit; the others were only counted.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the corpus and what a skipped test says lie outside"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{Strength, Test, cascade, cause};
use crate::stats::failure_rate;

const PER_YEAR: usize = 75;
const SKIPS: usize = 20;
const HEAD: usize = 4000;
const TAIL: usize = 2000;
const SKIP: &str = "FailFastNotifier$FailFastSkipException";

/// A full stack trace of a report.
struct Entry {
    id: String,
    digest: String,
    period: String,
    test: String,
    text: String,
}

#[derive(Deserialize)]
struct Label {
    kind: String,
    #[serde(default)]
    cause: String,
}

fn labels(name: &str) -> BTreeMap<String, Label> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causes");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn sha(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Returns every entry of the corpus; nothing without one.
fn entries() -> Option<Vec<Entry>> {
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        assert!(std::env::var_os("MAESTRO_REQUIRE").is_none());
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return None;
    };
    let root = PathBuf::from(corpus).join("flaky/pulsar");
    let name = Regex::new(r"(?m)^Flaky-test: (.*)$").unwrap();
    let full = Regex::new(r"(?s)<code><pre>\n(.*?)</pre></code>").unwrap();
    let mut entries = Vec::new();
    for file in WalkDir::new(&root) {
        let path = file.unwrap().into_path();
        let is_report = path.extension().is_some_and(|ending| ending == "md");
        if !is_report || path.ends_with("README.md") {
            continue;
        }
        let period = path.strip_prefix(&root).unwrap().iter().next().unwrap();
        let period = period.to_str().unwrap().to_owned();
        let report = fs::read_to_string(&path).unwrap();
        let report = report.replace("\r\n", "\n").replace('\r', "\n");
        let test = name.captures(&report).unwrap()[1].trim().to_owned();
        for found in full.captures_iter(&report) {
            let trace = found[1].trim_matches('\n').to_owned();
            let digest = sha(&[&period, &test, &trace]);
            entries.push(Entry {
                id: digest[..12].to_owned(),
                digest,
                period: period.clone(),
                test: test.clone(),
                text: trace,
            });
        }
    }
    Some(entries)
}

/// Returns the type of the topmost exception; the first line when there is none.
fn exception(text: &str) -> String {
    static KIND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\s*((?:[\w$]+\.)+[A-Z][\w$]*)(?::|\s|$)").unwrap());
    let found = text.split('\n').find_map(|line| KIND.captures(line));
    found.map_or_else(
        || text.split('\n').next().unwrap().trim().to_owned(),
        |found| found[1].to_owned(),
    )
}

fn cut(text: &str) -> String {
    let raw = text.as_bytes();
    if raw.len() <= HEAD + TAIL {
        return text.to_owned();
    }
    let mut cut = raw[..HEAD].to_vec();
    cut.extend(b"\n[... cut ...]\n");
    cut.extend(&raw[raw.len() - TAIL..]);
    String::from_utf8_lossy(&cut).into_owned()
}

/// Returns the sample: the failures, and the skips that are its controls.
fn sample(entries: &[Entry]) -> (Vec<&Entry>, Vec<&Entry>) {
    let mut chosen: BTreeMap<(String, String), &Entry> = BTreeMap::new();
    for entry in entries {
        let key = (entry.test.clone(), exception(&entry.text));
        let kept = chosen.entry(key).or_insert(entry);
        if entry.digest < kept.digest {
            *kept = entry;
        }
    }
    let mut strata: BTreeMap<String, Vec<(String, &Entry)>> = BTreeMap::new();
    for ((test, kind), entry) in &chosen {
        let stratum = if kind.ends_with(SKIP) {
            "skip"
        } else {
            &entry.period[..4]
        };
        let order = sha(&[test, kind]);
        strata
            .entry(stratum.to_owned())
            .or_default()
            .push((order, entry));
    }
    let (mut failures, mut skips) = (Vec::new(), Vec::new());
    for (stratum, mut found) in strata {
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let found = found.into_iter().map(|(_, entry)| entry);
        if stratum == "skip" {
            skips.extend(found.take(SKIPS));
        } else {
            failures.extend(found.take(PER_YEAR));
        }
    }
    (failures, skips)
}

fn test_of(name: &str) -> Test<'_> {
    let (suite, name) = name.rsplit_once('.').unwrap_or(("", name));
    Test { suite, name }
}

/// What Surefire's report holds of a failure and how much of it is stored: the message, the stack, 1,024 bytes.
fn stored(text: &str) -> String {
    let first = text.split('\n').next().unwrap_or_default();
    let message = first.split_once(": ").map_or("", |(_, message)| message);
    let mut text = format!("{message}\n{text}");
    // What the reader of reports hands out, and what of that is kept.
    text.truncate(text.floor_char_boundary(4096));
    super::fit(&text, 1024).into_owned()
}

/// Counts of truths and answers.
#[derive(Default)]
struct Figures {
    answers: BTreeMap<(String, String), u32>,
}

impl Figures {
    fn sum(&self, is_counted: impl Fn(&str, &str) -> bool) -> f64 {
        let counted = self
            .answers
            .iter()
            .filter(|((truth, answer), _)| is_counted(truth, answer));
        f64::from(counted.map(|(_, n)| *n).sum::<u32>())
    }

    /// Precision, recall and F1 of a class.
    fn of(&self, class: &str) -> (f64, f64, f64) {
        let right = self.sum(|truth, answer| truth == class && answer == class);
        let share = |all: f64| if all > 0.0 { right / all } else { 0.0 };
        let precision = share(self.sum(|_, answer| answer == class));
        let recall = share(self.sum(|truth, _| truth == class));
        let f1 = if right > 0.0 {
            2.0 * precision * recall / (precision + recall)
        } else {
            0.0
        };
        (precision, recall, f1)
    }

    /// The mean of F1 over the classes of which there are so many.
    fn macro_f1(&self, least: f64) -> f64 {
        let n = |class: &str| self.sum(|truth, _| truth == class);
        let classes: Vec<&str> = CLASSES
            .into_iter()
            .filter(|class| n(class) >= least)
            .collect();
        let sum: f64 = classes.iter().map(|class| self.of(class).2).sum();
        sum / f64::from(u32::try_from(classes.len()).unwrap())
    }

    /// Of what has a cause, the share that is given one; of all, the share that is given a class; of what is given one, the share that is right.
    fn coverage(&self) -> (f64, f64, f64) {
        let given = self.sum(|_, answer| answer != "unsure");
        let caused = self.sum(|truth, _| truth != "unsure");
        let both = self.sum(|truth, answer| truth != "unsure" && answer != "unsure");
        let right = self.sum(|truth, answer| truth == answer && answer != "unsure");
        (both / caused, given / self.sum(|_, _| true), right / given)
    }

    fn print(&self, title: &str) {
        let all = self.sum(|_, _| true);
        eprintln!("\n{title}: {all} failures\n");
        eprintln!(
            "| truth \\ answer | {} | unsure | n | precision | recall | F1 |",
            CLASSES.join(" | ")
        );
        for truth in CLASSES.into_iter().chain(["unsure"]) {
            let mut line = format!("| {truth} |");
            for answer in CLASSES.into_iter().chain(["unsure"]) {
                let n = self.sum(|t, a| t == truth && a == answer);
                write!(line, " {n} |").unwrap();
            }
            let n = self.sum(|t, _| t == truth);
            let (precision, recall, f1) = self.of(truth);
            eprintln!("{line} {n} | {precision:.2} | {recall:.2} | {f1:.2} |");
        }
        let (caused, given, right) = self.coverage();
        eprintln!(
            "macro-F1 {:.3}, over classes of ten or more {:.3}; given one of what has a cause {caused:.3}, of all {given:.3}; right of those given {right:.3}",
            self.macro_f1(1.0),
            self.macro_f1(10.0),
        );
    }
}

const CLASSES: [&str; 8] = [
    "resource-dependent",
    "environment",
    "network",
    "intermittent-concurrency",
    "order-dependent",
    "randomness",
    "time-dependent",
    "async-wait",
];

fn is_for_development(id: &str) -> bool {
    u32::from_str_radix(&id[..1], 16).unwrap().is_multiple_of(2)
}

#[test]
fn causes_are_those_that_a_reader_finds() {
    let Some(entries) = entries() else { return };
    let (failures, skips) = sample(&entries);
    let labels = labels("labels-first.json");
    let ids: BTreeSet<&str> = failures
        .iter()
        .chain(&skips)
        .map(|entry| entry.id.as_str())
        .collect();
    assert!(
        ids.iter().copied().eq(labels.keys().map(String::as_str)),
        "another sample than sample.py's"
    );
    assert_eq!(failures.len(), 300);
    let mut figures: BTreeMap<(&str, &str), Figures> = BTreeMap::new();
    let mut strengths: BTreeMap<Strength, (u64, u64)> = BTreeMap::new();
    for entry in &failures {
        let truth = &labels[&entry.id].cause;
        let is_development = is_for_development(&entry.id);
        for (form, text) in forms(&entry.text) {
            let found = cause(test_of(&entry.test), &text);
            let answer = found.as_ref().map_or("unsure", |cause| cause.class.name());
            if let Some(found) = found.as_ref().filter(|_| is_development && form == "whole") {
                let (wrong, all) = strengths.entry(found.strength).or_default();
                *wrong += u64::from(answer != truth);
                *all += 1;
            }
            if is_development && answer != truth {
                eprintln!("{form} {}: {truth}, not {answer}: {found:?}", entry.id);
            }
            let half = if is_development {
                "development"
            } else {
                "held out"
            };
            for part in ["all", half] {
                let figures = figures.entry((form, part)).or_default();
                *figures
                    .answers
                    .entry((truth.clone(), answer.to_owned()))
                    .or_default() += 1;
            }
        }
    }
    for ((form, part), figures) in &figures {
        figures.print(&format!("{form} texts, {part}"));
    }
    for (form, part, least, least_of_many, caused, right) in REACHED {
        let figures = &figures[&(form, part)];
        let (given, _, correct) = figures.coverage();
        let reached = [
            figures.macro_f1(1.0),
            figures.macro_f1(10.0),
            given,
            correct,
        ];
        let wanted = [least, least_of_many, caused, right];
        let is_reached = reached
            .iter()
            .zip(wanted)
            .all(|(reached, wanted)| *reached >= wanted - 0.0005);
        assert!(
            is_reached,
            "{form}, {part}: {reached:.3?}, and docs/causes.md says {wanted:?}"
        );
    }
    for (strength, (wrong, all)) in strengths {
        let low = 1.0 - failure_rate(wrong, all).high;
        eprintln!("{strength:?}: {wrong} of {all} wrong, at least {low:.3} right");
        assert!(
            (0.0..0.01).contains(&(low - strength.confidence())),
            "{strength:?}"
        );
    }
}

/// Form, part, macro-F1, the same over classes of ten or more, share of what has a cause that is given one, share of these that is right.
const REACHED: [(&str, &str, f64, f64, f64, f64); 6] = [
    ("whole", "all", 0.996, 0.994, 0.989, 0.995),
    ("whole", "development", 1.0, 1.0, 1.0, 1.0),
    ("whole", "held out", 0.992, 0.969, 0.976, 0.988),
    ("stored", "all", 0.959, 0.934, 0.947, 0.994),
    ("stored", "development", 0.943, 1.0, 0.951, 1.0),
    ("stored", "held out", 0.966, 0.947, 0.941, 0.988),
];

/// The text as the labeller read it, and as it is stored.
fn forms(text: &str) -> [(&'static str, String); 2] {
    [("whole", cut(text)), ("stored", stored(text))]
}

#[test]
fn knock_ons_are_told_from_failures() {
    let Some(entries) = entries() else { return };
    let nulls = labels("kinds.json");
    let (mut confused, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for entry in &entries {
        let has_null = entry.text.contains("NullPointer") && entry.text.contains("is null")
            || exception(&entry.text).ends_with("NullPointerException");
        assert_eq!(has_null, nulls.contains_key(&entry.id), "{}", entry.id);
        if has_null {
            seen.insert(entry.id.as_str());
        }
        let is_skip = exception(&entry.text).ends_with(SKIP);
        let truth = is_skip
            || nulls
                .get(&entry.id)
                .is_some_and(|label| label.kind == "cascade");
        for (form, text) in forms(&entry.text) {
            let answer = cascade::form(test_of(&entry.test), &text).is_some();
            assert!(cascade::may_be(&text) || !answer, "{}", entry.id);
            if answer != truth {
                eprintln!("{form} {} {}", entry.id, entry.test);
            }
            *confused.entry((form, truth, answer)).or_insert(0) += 1;
        }
    }
    eprintln!(
        "{} entries; (form, is a knock-on, is called one): {confused:?}",
        entries.len()
    );
    assert_eq!((entries.len(), seen.len()), (3503, nulls.len()));
    for form in ["whole", "stored"] {
        let n = |truth, answer| confused.get(&(form, truth, answer)).copied().unwrap_or(0);
        assert_eq!(
            (n(true, true), n(true, false), n(false, true)),
            (1639, 0, 0),
            "{form}"
        );
    }
}

#[test]
fn the_two_readings_agree() {
    let (first, second) = (labels("labels-first.json"), labels("labels-second.json"));
    let of = |labels: &BTreeMap<String, Label>| -> Vec<(String, String, String)> {
        let labels = labels.iter();
        labels
            .map(|(id, label)| (id.clone(), label.kind.clone(), label.cause.clone()))
            .collect()
    };
    // Without a disagreement kappa is 1, which documents say.
    assert_eq!((first.len(), of(&first)), (320, of(&second)));
}
