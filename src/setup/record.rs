//! `init.json`: which files `maestro init` wrote, and what was in them, so that `--remove` takes away these and no others.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workflows::{PIPELINE, WEEKLY};
use crate::json;
use crate::sha::Sha;

/// What `schema` must say.
const SCHEMA: &str = "maestro.init-files/v1";

/// Its name, in the folder of the configuration.
pub(crate) const NAME: &str = "init.json";

/// Files of the folder that are written, beside the record.
pub(crate) const OWN: [&str; 3] = ["maestro.yaml", "policy.yaml", "ci_budget.json"];

/// Which files were written by `maestro init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.init-files/v1"))]
pub(crate) struct Record {
    /// `maestro.init-files/v1`
    schema: String,
    /// Of each file, from the repository's top, the SHA-256 of what was written; line ends do not count.
    files: BTreeMap<String, String>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            files: BTreeMap::new(),
        }
    }
}

impl Record {
    /// Reads a record; the error says why it is none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let record: Self = json::read(bytes).map_err(|error| error.to_string())?;
        if record.schema == SCHEMA {
            Ok(record)
        } else {
            Err(format!(
                "its schema is `{}`, and this version reads `{SCHEMA}`",
                record.schema
            ))
        }
    }

    /// Notes that a file was written.
    pub(crate) fn note(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), digest(bytes));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns it as it is stored.
    pub(crate) fn text(&self) -> String {
        let text = json::pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    /// Says what is to become of a file, of which this is there now.
    pub(crate) fn fate(&self, path: &str, now: Option<&[u8]>) -> Fate {
        match (self.files.get(path), now) {
            (_, None) => Fate::Gone,
            (None, Some(_)) => Fate::Foreign,
            (Some(known), Some(bytes)) if *known == digest(bytes) => Fate::Unchanged,
            (Some(_), Some(_)) => Fate::Changed,
        }
    }
}

/// What a file is to `--remove`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is as it was written.
    Unchanged,
    /// Somebody went on with it.
    Changed,
    /// Somebody else wrote it.
    Foreign,
    Gone,
}

/// Git may give a file other line ends than it was written with.
fn digest(bytes: &[u8]) -> String {
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if !(*byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')) {
            plain.push(*byte);
        }
    }
    Sha::of(&plain).to_string()
}

/// Returns every path that may be written, from the repository's top: a record that names another one is not believed.
pub(crate) fn places(folder: &str) -> Vec<String> {
    let own = OWN.iter().map(|name| format!("{folder}/{name}"));
    own.chain([PIPELINE.to_owned(), WEEKLY.to_owned()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unchanged_is_taken_away() {
        let mut record = Record::default();
        record.note("a", b"x\ny\n");
        let record = Record::read(record.text().as_bytes()).unwrap();
        assert_eq!(record.fate("a", Some(b"x\ny\n")), Fate::Unchanged);
        assert_eq!(record.fate("a", Some(b"x\r\ny\r\n")), Fate::Unchanged);
        assert_eq!(record.fate("a", Some(b"x\n")), Fate::Changed);
        assert_eq!(record.fate("a", None), Fate::Gone);
        assert_eq!(record.fate("b", Some(b"x")), Fate::Foreign);
    }

    #[test]
    fn another_document_is_no_record() {
        assert!(Record::read(b"{}").is_err());
        let other = br#"{"schema": "maestro.init-files/v2", "files": {}}"#;
        assert!(Record::read(other).unwrap_err().contains("v2"));
    }
}
