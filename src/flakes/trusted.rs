//! `maestro.trusted/v1`: the quarantine of the branch that a change goes to, handed from the plan to jobs that hold no credentials.

use serde::{Deserialize, Serialize};

use super::quarantine::{Quarantine, QuarantineProblem};
use crate::event::Sha;

/// What `schema` must say.
pub(crate) const SCHEMA: &str = "maestro.trusted/v1";

/// The outputs of a job are a megabyte in UTF-16; the matrix needs most of it.
pub(crate) const LONGEST: usize = 192 * 1024;

/// Rules, and where they are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trusted {
    schema: String,
    /// The commit that they were read from.
    pub(crate) base: String,
    /// Of the quarantine, as it is written.
    sha256: String,
    /// Whether the quarantine forgives.
    pub(crate) enforced: bool,
    /// Globs of tests that are never forgiven.
    pub(crate) never: Vec<String>,
    pub(crate) quarantine: Quarantine,
}

/// Why a text is no such document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    #[error("{0}")]
    Json(String),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("its quarantine is not the one that its digest was made of")]
    Digest,
    #[error("its quarantine: {0}")]
    Quarantine(#[from] QuarantineProblem),
}

impl Trusted {
    pub(crate) fn new(
        base: String,
        enforced: bool,
        never: Vec<String>,
        quarantine: Quarantine,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            base,
            sha256: digest(&quarantine),
            enforced,
            never,
            quarantine,
        }
    }

    /// Returns the digest of the quarantine.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns its text, unless that is longer than outputs are.
    pub(crate) fn text(&self) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        (text.encode_utf16().count() * 2 <= LONGEST).then_some(text)
    }

    pub(crate) fn read(text: &str) -> Result<Self, NotTrusted> {
        let this: Self =
            serde_json::from_str(text).map_err(|error| NotTrusted::Json(error.to_string()))?;
        if this.schema != SCHEMA {
            return Err(NotTrusted::Schema(this.schema));
        }
        let bytes = serde_json::to_vec(&this.quarantine);
        let bytes = bytes.map_err(|error| NotTrusted::Json(error.to_string()))?;
        let quarantine = Quarantine::read(&bytes)?;
        if digest(&quarantine) != this.sha256 {
            return Err(NotTrusted::Digest);
        }
        Ok(Self { quarantine, ..this })
    }
}

fn digest(quarantine: &Quarantine) -> String {
    Sha::of(&quarantine.write().unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted() -> Trusted {
        let text = r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "a", "reason": "r", "since": "2026-01-01", "review_by": "2026-01-15"}]}"#;
        let quarantine = Quarantine::read(text.as_bytes()).unwrap();
        Trusted::new("c".into(), true, vec!["sec/**".into()], quarantine)
    }

    #[test]
    fn it_reads_back_and_nothing_can_be_slipped_in() {
        let text = trusted().text().unwrap();
        assert_eq!(Trusted::read(&text), Ok(trusted()));
        let more = text.replace("\"test\":\"a\"", "\"test\":\"b\"");
        assert_eq!(Trusted::read(&more), Err(NotTrusted::Digest));
        let newer = text.replace("trusted/v1", "trusted/v2");
        assert!(matches!(Trusted::read(&newer), Err(NotTrusted::Schema(_))));
    }

    #[test]
    fn what_would_not_fit_is_left_out() {
        let mut trusted = trusted();
        trusted.never = vec!["x".repeat(LONGEST)];
        assert_eq!(trusted.text(), None);
    }
}
