//! Whether a change may go in: entries of a policy, judged one by one. A rule says what it saw and what the limit is; the entry that it stands in
//! says why it matters, what helps, whose it is and until when it holds.
//!
//! To add a rule, see `rules/mod.rs`; the policy's form and the reference are made from it, and `maestro explain` has its page.

pub(crate) mod baseline;
pub(crate) mod change_record;
pub(crate) mod engine;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod globs;
pub(crate) mod packages;
#[cfg(test)]
pub(crate) mod published;
pub(crate) mod rules;
pub(crate) mod standing;
pub(crate) mod subject;
pub(crate) mod task;
pub(crate) mod tighten;
pub(crate) mod words;

pub(crate) use crate::change::paths;
use crate::finding::Location;

/// What follows from a breach.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weight {
    /// It is said.
    Warn,
    /// A person has to look at the change.
    Review,
    /// The change does not go in.
    Block,
}

impl Weight {
    /// Returns its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// What a breach is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A file, perhaps a line of it.
    Place(Location),
    /// A package, as `name@version` and its package URL (purl) where it is known.
    Package {
        name: String,
        version: String,
        purl: Option<String>,
    },
    /// The change as a whole.
    Change,
    /// What is said of it: `title`, `author`, `label`, `budget`.
    Said(&'static str),
    /// A report that was given or is missing.
    Report(String),
}

/// One thing that a rule does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) target: Target,
    /// One sentence.
    pub(crate) message: String,
    /// What was seen, as `612 lines` or `GPL-3.0-only`; never a secret.
    pub(crate) observed: String,
    /// What is allowed, as `at most 400 lines`.
    pub(crate) limit: String,
    /// What helps, where the rule knows better than the entry.
    pub(crate) fix: Option<String>,
    /// More or less than the entry's own weight: what is between one and two times a limit warns only.
    pub(crate) weight: Option<Weight>,
    /// Stays the same when lines move: what a baseline knows it by. None for what no baseline may forgive (secrets).
    pub(crate) fingerprint: Option<String>,
}

impl Breach {
    /// A breach of the entry's own weight that no baseline knows.
    pub(crate) fn new(
        target: Target,
        message: impl Into<String>,
        observed: impl Into<String>,
        limit: impl Into<String>,
    ) -> Self {
        Self {
            target,
            message: message.into(),
            observed: observed.into(),
            limit: limit.into(),
            fix: None,
            weight: None,
            fingerprint: None,
        }
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) fn weight(mut self, weight: Option<Weight>) -> Self {
        self.weight = weight;
        self
    }
}

/// A rule with its settings, as an entry of a policy has it.
pub(crate) trait Rule: std::fmt::Debug + Send + Sync {
    /// Whether its settings say something together.
    fn is_sound(&self) -> Result<(), String> {
        Ok(())
    }

    /// Says what it does not allow about this change. What it needs and was not given is a breach too: nothing passes unseen.
    fn check(&self, subject: &subject::Subject<'_>, breaches: &mut Vec<Breach>);
}
