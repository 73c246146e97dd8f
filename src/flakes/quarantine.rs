//! The quarantine: tests whose failures are forgiven for a while, each with a reason and a day on which it is looked at again.
//!
//! Written by people and reviewed, so that whatever is not known in it is an error. An entry that is overdue forgives nothing.

use jiff::civil::Date;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json;
use crate::order;
use crate::stats::upper_bound;

/// What `schema` must say.
pub(crate) const SCHEMA: &str = "maestro.quarantine/v1";

/// Where it lies, from the top of the repository.
pub(crate) const PATH: &str = ".maestro/quarantine.json";

/// Under this rate a test is well.
const WELL: f64 = 0.01;

/// Whether so many executions show that a test is well: with 95 % probability (one-sided, Jeffreys' prior) it fails less than once in a hundred.
pub(crate) fn is_well(failures: u64, runs: u64) -> bool {
    upper_bound(failures, runs) < WELL
}

/// So many days a test is forgiven, unless somebody says otherwise.
pub(crate) const USUAL_DAYS: u16 = 14;

/// No name, reason or list is longer.
const LONGEST: usize = 8 * 1024;

/// More tests are not quarantined but ignored.
const MOST: usize = 20_000;

/// `.maestro/quarantine.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.quarantine/v1", inline))]
pub(crate) struct Quarantine {
    /// `maestro.quarantine/v1`
    schema: String,
    /// In order of suite and test, each once: `find` relies on it.
    #[serde(default)]
    pub(crate) tests: Vec<Entry>,
}

/// A test in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// As `maestro flakes report` names it.
    pub(crate) suite: String,
    /// As `maestro flakes report` names it.
    pub(crate) test: String,
    /// `gate`: it runs, and does not fail the job; `skip`: it does not run.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Why, for whoever reads it later.
    pub(crate) reason: String,
    /// What was seen: sentences of `maestro flakes report`, links to runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<String>,
    /// Who looks after it: `@user`, `@org/team` or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// Where it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issue: Option<String>,
    /// The day on which it came in.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) since: Date,
    /// The last day (UTC) on which it forgives.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) review_by: Date,
}

/// What quarantine means for a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// It runs, and does not fail the job.
    #[default]
    Gate,
    /// It does not run.
    Skip,
}

impl Entry {
    /// Whether its day has passed.
    pub(crate) fn is_overdue(&self, today: Date) -> bool {
        today > self.review_by
    }

    fn key(&self) -> (&str, &str) {
        (&self.suite, &self.test)
    }

    /// Returns how messages name it.
    pub(crate) fn shown(&self) -> String {
        shown(&self.suite, &self.test)
    }
}

/// Returns how messages name a test.
pub(crate) fn shown(suite: &str, test: &str) -> String {
    if suite.is_empty() {
        test.to_owned()
    } else {
        format!("{suite} > {test}")
    }
}

/// Why a text is no quarantine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuarantineProblem {
    #[error("{0}")]
    Json(String),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("`{0}` is there twice")]
    Twice(String),
    #[error("`{test}`: {problem}")]
    Entry { test: String, problem: &'static str },
    #[error("it has more than {MOST} tests")]
    TooMany,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tests: Vec::new(),
        }
    }
}

impl Quarantine {
    /// Reads a quarantine; no bytes are an empty one.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, QuarantineProblem> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let json = |error: serde_json::Error| QuarantineProblem::Json(error.to_string());
        let head: Head = json::read(bytes).map_err(json)?;
        if head.schema != SCHEMA {
            return Err(QuarantineProblem::Schema(head.schema));
        }
        let mut this: Self = json::read(bytes).map_err(json)?;
        this.check()?;
        order::sort_by(&mut this.tests, |a, b| a.key().cmp(&b.key()));
        Ok(this)
    }

    fn check(&self) -> Result<(), QuarantineProblem> {
        if self.tests.len() > MOST {
            return Err(QuarantineProblem::TooMany);
        }
        let mut keys: Vec<(&str, &str)> = self.tests.iter().map(Entry::key).collect();
        order::sort(&mut keys);
        if let Some([(suite, test), _]) = keys.array_windows().find(|[a, b]| a == b) {
            return Err(QuarantineProblem::Twice(shown(suite, test)));
        }
        for entry in &self.tests {
            let problem = if entry.test.is_empty() && entry.suite.is_empty() {
                "it has no name"
            } else if entry.reason.trim().is_empty() {
                "it has no reason"
            } else if entry.review_by < entry.since {
                "`review_by` comes before `since`"
            } else if entry
                .suite
                .len()
                .max(entry.test.len())
                .max(entry.reason.len())
                > LONGEST
            {
                "a text of it is longer than 8192 bytes"
            } else {
                continue;
            };
            let test = entry.shown().chars().take(200).collect();
            return Err(QuarantineProblem::Entry { test, problem });
        }
        Ok(())
    }

    /// Writes it, unless it could not be read again: two equal ones are equal bytes.
    pub(crate) fn write(&self) -> Result<Vec<u8>, QuarantineProblem> {
        self.check()?;
        let mut bytes =
            json::pretty_bytes(self).map_err(|error| QuarantineProblem::Json(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Returns the entry of a test.
    pub(crate) fn find(&self, suite: &str, test: &str) -> Option<&Entry> {
        let at = self.place(suite, test).ok()?;
        self.tests.get(at)
    }

    /// Puts an entry in; returns the one that was there.
    pub(crate) fn put(&mut self, entry: Entry) -> Option<Entry> {
        match self.place(&entry.suite, &entry.test) {
            Ok(at) => Some(std::mem::replace(&mut self.tests[at], entry)),
            Err(at) => {
                self.tests.insert(at, entry);
                None
            }
        }
    }

    /// Takes an entry out.
    pub(crate) fn take(&mut self, suite: &str, test: &str) -> Option<Entry> {
        let at = self.place(suite, test).ok()?;
        Some(self.tests.remove(at))
    }

    fn place(&self, suite: &str, test: &str) -> Result<usize, usize> {
        self.tests
            .binary_search_by(|known| known.key().cmp(&(suite, test)))
    }
}

/// What is looked at before anything else, whatever the other keys are.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(test: &str) -> String {
        format!(
            r#"{{"suite": "s", "test": "{test}", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}}"#
        )
    }

    fn file(entries: &str) -> String {
        format!(r#"{{"schema": "maestro.quarantine/v1", "tests": [{entries}]}}"#)
    }

    fn problem(text: &str) -> String {
        Quarantine::read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_in_order() {
        let text = file(&format!("{}, {}", entry("b"), entry("a")));
        let mut read = Quarantine::read(text.as_bytes()).unwrap();
        let names: Vec<&str> = read.tests.iter().map(|entry| entry.test.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(Quarantine::read(&read.write().unwrap()).unwrap(), read);
        let before = read.take("s", "a").unwrap();
        assert_eq!(read.find("s", "a"), None);
        assert_eq!(read.put(before.clone()), None);
        assert_eq!(read.put(before.clone()), Some(before));
        assert_eq!(read.tests.len(), 2);
        assert!(Quarantine::read(b"\n").unwrap().tests.is_empty());
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let mut read = Quarantine::read(file(&entry("a")).as_bytes()).unwrap();
        let mut long = read.tests[0].clone();
        long.reason = "x".repeat(LONGEST + 1);
        read.put(long);
        assert!(matches!(read.write(), Err(QuarantineProblem::Entry { .. })));
    }

    #[test]
    fn an_entry_forgives_to_the_end_of_its_day() {
        let read = Quarantine::read(file(&entry("a")).as_bytes()).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(!read.tests[0].is_overdue(day("2026-01-15")));
        assert!(read.tests[0].is_overdue(day("2026-01-16")));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(problem("{").contains("line 1"));
        assert!(problem(r#"{"schema": "maestro.quarantine/v2", "rules": 1}"#).contains("v2"));
        assert!(problem(&file(&entry("a")).replace("reason", "raeson")).contains("raeson"));
        assert!(problem(&file(&format!("{}, {}", entry("a"), entry("a")))).contains("twice"));
        assert!(problem(&file(&entry("a")).replace("\"r\"", "\" \"")).contains("no reason"));
        assert!(problem(&file(&entry("a")).replace("01-15", "13-15")).contains("line 1"));
        assert!(
            problem(&file(&entry("a")).replace("2026-01-15", "2025-01-15")).contains("review_by")
        );
    }
}
