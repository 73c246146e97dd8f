//! `retention.json`: which months have been rolled up, beside the segments.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;
use crate::sha::Sha;

/// Where it lies.
pub(crate) const RETENTION: &str = "retention.json";

const SCHEMA: &str = "maestro.retention/v1";

/// So long a list stays that no kept run needs: whoever stored a run that stands on it has published by then.
const GRACE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Which months have been rolled up. What a newer writer adds survives a rewrite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retention {
    schema: String,
    /// For each kind, the first month that is not rolled up.
    #[serde(default)]
    kept_from: BTreeMap<String, String>,
    /// Lists that no kept run needs, and since when. A run that stands on one may still be on its way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unneeded: BTreeMap<String, Timestamp>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            kept_from: BTreeMap::new(),
            unneeded: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }
}

/// Why it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RetentionProblem {
    /// Its schema.
    Newer(String),
    Damaged(String),
}

impl Retention {
    /// Reads it; no bytes are the document of a state that was never compacted.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, RetentionProblem> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let value: Value =
            json::read(bytes).map_err(|error| RetentionProblem::Damaged(error.to_string()))?;
        if let Some(schema) = value["schema"].as_str()
            && schema != SCHEMA
        {
            return Err(RetentionProblem::Newer(schema.to_owned()));
        }
        serde_json::from_value(value).map_err(|error| RetentionProblem::Damaged(error.to_string()))
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Whether nothing was ever rolled up.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept_from.is_empty()
    }

    /// Whether the events of a kind and month (`2026-01`) have been rolled up.
    pub(crate) fn is_rolled_up(&self, kind: &str, month: &str) -> bool {
        self.kept_from
            .get(kind)
            .is_some_and(|from| month < from.as_str())
    }

    /// Notes which lists no kept run needs; returns those that nobody has needed for a month.
    pub(crate) fn note_unneeded(
        &mut self,
        unneeded: &BTreeSet<Sha>,
        now: Timestamp,
    ) -> BTreeSet<Sha> {
        let before = std::mem::take(&mut self.unneeded);
        let limit = now.saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
        let mut gone = BTreeSet::new();
        for list in unneeded {
            let name = list.to_string();
            let since = before.get(&name).copied().unwrap_or(now);
            if since <= limit {
                gone.insert(*list);
            } else {
                self.unneeded.insert(name, since);
            }
        }
        gone
    }

    /// Takes the later month of each kind.
    pub(crate) fn join(&mut self, other: &Self) {
        for (kind, month) in &other.kept_from {
            self.keep_from(kind, month);
        }
    }

    /// Moves the first month that is kept, never back.
    pub(crate) fn keep_from(&mut self, kind: &str, month: &str) {
        let from = self.kept_from.entry(kind.to_owned()).or_default();
        if from.as_str() < month {
            month.clone_into(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_before_the_first_kept_one_are_rolled_up() {
        let mut retention = Retention::default();
        assert!(!retention.is_rolled_up("test_run", "2024-01"));
        retention.keep_from("test_run", "2025-03");
        retention.keep_from("test_run", "2025-02");
        assert!(retention.is_rolled_up("test_run", "2025-02"));
        assert!(!retention.is_rolled_up("test_run", "2025-03"));
        assert!(!retention.is_rolled_up("spend", "2025-02"));
    }

    #[test]
    fn what_a_newer_writer_adds_survives() {
        let text = r#"{"schema":"maestro.retention/v1","kept_from":{},"legal_hold":["2024-05"]}"#;
        let retention = Retention::read(text.as_bytes()).unwrap();
        let written = String::from_utf8(retention.write().unwrap()).unwrap();
        assert!(written.contains("legal_hold"));
    }

    #[test]
    fn another_major_version_is_not_read() {
        let problem = Retention::read(br#"{"schema":"maestro.retention/v2"}"#).unwrap_err();
        assert_eq!(
            problem,
            RetentionProblem::Newer("maestro.retention/v2".into())
        );
    }
}
