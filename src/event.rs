//! The event: one immutable fact, and the identity that makes writing it twice harmless.
//!
//! `id` is the SHA-256 over kind, run, attempt, job and the payload's bytes. It has no random part and no time, so that
//! the same fact written by two machines, or twice by one, is one event.

use jiff::Timestamp;

use crate::sha::{Hasher, Sha};

/// The version of the envelope.
pub(crate) const EVENT_SCHEMA: &str = "maestro.event/v1";

/// Where a fact comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// The CI run, or `local-` and a digest of what was recorded.
    pub(crate) run: String,
    /// Which try of the run, from one.
    pub(crate) attempt: u32,
    /// The job.
    pub(crate) job: String,
    /// The full commit id, or empty.
    pub(crate) commit: String,
    /// The branch, or empty.
    pub(crate) branch: String,
}

/// A run, job, commit or branch has no longer name.
pub(crate) const LONGEST_NAME: usize = 512;

/// Returns a name on one line, of a length that is taken in everywhere.
pub(crate) fn plain_name(name: String) -> String {
    if name.len() <= LONGEST_NAME && !name.chars().any(char::is_control) {
        return name;
    }
    let plain = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.collect();
    plain[..plain.floor_char_boundary(LONGEST_NAME)].to_owned()
}

impl Origin {
    /// Makes its names plain ones.
    pub(crate) fn plain(self) -> Self {
        Self {
            run: plain_name(self.run),
            attempt: self.attempt,
            job: plain_name(self.job),
            commit: plain_name(self.commit),
            branch: plain_name(self.branch),
        }
    }
}

/// An event whose payload is already in its final bytes.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    /// One JSON value on one line.
    pub(crate) payload: String,
    /// The identity, from all of the above but the time, commit and branch.
    pub(crate) id: Sha,
}

impl Event {
    pub(crate) fn new(kind: &'static str, at: Timestamp, origin: Origin, payload: String) -> Self {
        let id = event_id(kind, &origin, payload.as_bytes());
        Self {
            kind,
            at,
            origin,
            payload,
            id,
        }
    }
}

/// Returns the identity of an event; each part goes in with its length before it, so that no two events share their
/// bytes by accident or intent.
pub(crate) fn event_id(kind: &str, origin: &Origin, payload: &[u8]) -> Sha {
    let attempt = origin.attempt.to_string();
    let mut hasher = Hasher::default();
    for part in [
        EVENT_SCHEMA.as_bytes(),
        kind.as_bytes(),
        origin.run.as_bytes(),
        attempt.as_bytes(),
        origin.job.as_bytes(),
        payload,
    ] {
        hasher.part(part);
    }
    hasher.sha()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(run: &str, job: &str) -> Origin {
        Origin {
            run: run.into(),
            attempt: 1,
            job: job.into(),
            ..Origin::default()
        }
    }

    #[test]
    fn neighbouring_fields_cannot_trade_characters() {
        let one = event_id("k", &origin("ab", "c"), b"{}");
        let other = event_id("k", &origin("a", "bc"), b"{}");
        assert_ne!(one, other);
    }

    #[test]
    fn a_digest_reads_back_as_written() {
        let sha = Sha::of(b"x");
        assert_eq!(Sha::parse(&sha.to_string()), Some(sha));
        assert_eq!(Sha::parse("zz"), None);
    }
}
