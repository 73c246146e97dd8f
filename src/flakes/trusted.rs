//! `maestro.trusted/v1`: the quarantine of the branch that a change goes to, handed from the plan to jobs that hold no credentials.

use serde::{Deserialize, Serialize};

use super::quarantine::{Quarantine, QuarantineProblem};
use crate::json;
use crate::sha::Sha;

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
    /// Of all the rest.
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
    #[error("it is not what its digest was made of: it was changed, or cut, on its way")]
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
        let mut this = Self {
            schema: SCHEMA.to_owned(),
            base,
            sha256: String::new(),
            enforced,
            never,
            quarantine,
        };
        this.sha256 = this.digest();
        this
    }

    /// Rules of nobody, which forgive nothing.
    pub(crate) fn nobodys() -> Self {
        Self::new(String::new(), false, Vec::new(), Quarantine::default())
    }

    /// Returns the digest of all that it says.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// It tells an accident, and not an attack: whoever can change the text can make the digest anew.
    fn digest(&self) -> String {
        let parts = (&self.base, self.enforced, &self.never, &self.quarantine);
        Sha::of(&json::bytes(&parts).unwrap_or_default()).to_string()
    }

    /// Returns its text, unless that is longer than outputs are.
    pub(crate) fn text(&self) -> Option<String> {
        let text = json::text(self).ok()?;
        (text.encode_utf16().count() * 2 <= LONGEST).then_some(text)
    }

    pub(crate) fn read(text: &str) -> Result<Self, NotTrusted> {
        let this: Self = json::read(text).map_err(|error| NotTrusted::Json(error.to_string()))?;
        if this.schema != SCHEMA {
            return Err(NotTrusted::Schema(this.schema));
        }
        let bytes = json::bytes(&this.quarantine);
        let bytes = bytes.map_err(|error| NotTrusted::Json(error.to_string()))?;
        let quarantine = Quarantine::read(&bytes)?;
        let this = Self { quarantine, ..this };
        if this.digest() != this.sha256 {
            return Err(NotTrusted::Digest);
        }
        Ok(this)
    }
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
    fn it_reads_back_whole_or_not_at_all() {
        let text = trusted().text().unwrap();
        assert_eq!(Trusted::read(&text), Ok(trusted()));
        for (from, to) in [
            ("\"test\":\"a\"", "\"test\":\"b\""),
            ("\"base\":\"c\"", "\"base\":\"d\""),
            ("\"enforced\":true", "\"enforced\":false"),
            ("sec/**", "sec/*"),
        ] {
            let other = text.replace(from, to);
            assert_ne!(other, text);
            assert_eq!(Trusted::read(&other), Err(NotTrusted::Digest), "{to}");
        }
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
