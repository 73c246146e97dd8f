//! How a pull request stands: six factors, each with its evidence, a level of risk with its reason, and how long pull requests like it took.
//!
//! Pure: what is known comes in as values. What nobody knows is `unknown`, which is neither good nor bad, and never 100. No score is of a person.

mod branches;
pub(crate) mod comment;
pub(crate) mod factors;
pub(crate) mod merge_time;
pub(crate) mod moved;
mod past;
mod risk;

use jiff::Timestamp;

use crate::finding::Location;
use crate::money::Usd;
use crate::policy::subject::FileLines;
use crate::supply::coverage::Coverage;
use crate::supply::severity::Severity;
pub(crate) use past::{Rows, rows};
pub(crate) use risk::Risk;

/// Something that a score rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Evidence {
    /// What it is about, in others' words: a path, a test, a message.
    pub(crate) about: String,
    /// What is said of it.
    pub(crate) text: String,
    pub(crate) place: Option<Location>,
    pub(crate) url: Option<String>,
}

impl Evidence {
    fn of(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            text: text.into(),
            ..Self::default()
        }
    }

    fn at(mut self, path: &str, line: Option<u32>) -> Self {
        self.place = Some(Location {
            path: path.to_owned(),
            line,
            column: None,
        });
        self
    }
}

/// What somebody can do, and the evidence that it follows from, by place in its factor's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) text: String,
    pub(crate) because_of: Vec<usize>,
}

/// A factor, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Factor {
    pub(crate) name: &'static str,
    /// From 0 to 100; none where nobody knows.
    pub(crate) score: Option<u8>,
    /// Why, in one line.
    pub(crate) why: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) advice: Vec<Advice>,
    pub(crate) weight: u32,
}

impl Factor {
    fn unknown(name: &'static str, why: impl Into<String>) -> Self {
        Self {
            name,
            score: None,
            why: why.into(),
            evidence: Vec::new(),
            advice: Vec::new(),
            weight: 0,
        }
    }

    fn known(
        name: &'static str,
        score: u8,
        why: impl Into<String>,
        evidence: Vec<Evidence>,
    ) -> Self {
        Self {
            score: Some(score),
            evidence,
            ..Self::unknown(name, why)
        }
    }

    /// Adds what to do, where there is something that it follows from.
    fn advise(mut self, text: impl Into<String>, because_of: Vec<usize>) -> Self {
        if !because_of.is_empty() {
            self.advice.push(Advice {
                text: text.into(),
                because_of,
            });
        }
        self
    }
}

/// The pull request, as the forge has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) is_draft: bool,
    pub(crate) is_bot: bool,
    /// Since when it waits for a review: when it was opened, or marked as ready.
    pub(crate) opened: Timestamp,
    /// The first review by somebody else.
    pub(crate) first_review: Option<Timestamp>,
    pub(crate) is_approved: bool,
    /// How many reviewers' last word is that something has to change.
    pub(crate) changes_requested: u64,
    /// When it was merged or closed.
    pub(crate) ended: Option<Timestamp>,
    pub(crate) commits: u64,
}

/// A flaky test in a file that the change touches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flaky {
    pub(crate) name: String,
    pub(crate) path: String,
    /// How often one execution fails.
    pub(crate) rate: f64,
    pub(crate) failures: u64,
    pub(crate) runs: u64,
}

/// What the history says of tests that the change touches.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tests {
    /// Tests in files that the change touches.
    pub(crate) touched: u64,
    /// Those of them that are flaky.
    pub(crate) flaky: Vec<Flaky>,
}

/// Something that the policy, a scanner or a list of vulnerabilities has against the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    pub(crate) severity: Severity,
    /// In others' words.
    pub(crate) about: String,
    /// Which rule or scanner says it.
    pub(crate) source: String,
    pub(crate) place: Option<Location>,
    pub(crate) url: Option<String>,
}

/// What is known of its safety.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Security {
    /// What was looked at, as `check-policy` or `scan.sarif`.
    pub(crate) sources: Vec<String>,
    pub(crate) concerns: Vec<Concern>,
}

/// What models cost so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spending {
    pub(crate) spent: Usd,
    pub(crate) cap: Usd,
    /// Calls that nobody could price.
    pub(crate) unpriced: u64,
}

/// All that is known of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) files: &'a [FileLines<'a>],
    pub(crate) coverage: Option<&'a Coverage>,
    pub(crate) pull: Option<&'a Pull>,
    pub(crate) tests: Option<&'a Tests>,
    pub(crate) security: Option<&'a Security>,
    pub(crate) spending: Option<&'a Spending>,
    pub(crate) now: Timestamp,
}

/// How a pull request stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Health {
    pub(crate) factors: Vec<Factor>,
    pub(crate) risk: Risk,
    /// The mean of what is known, by weight.
    pub(crate) score: Option<u8>,
    /// Why the risk is what it is.
    pub(crate) reason: String,
}

/// Judges a change; `weight` says how much a factor counts, where somebody set it.
pub(crate) fn judge(subject: &Subject<'_>, weight: &dyn Fn(&str) -> Option<u32>) -> Health {
    let judged = factors::FACTORS.iter().map(|about| Factor {
        weight: weight(about.name).unwrap_or(about.weight),
        ..(about.judge)(subject)
    });
    let factors: Vec<Factor> = judged.collect();
    let (risk, score, reason) = risk::of(&factors);
    Health {
        factors,
        risk,
        score,
        reason,
    }
}

/// Returns the part of 100 that is left, rounded down: nothing comes to 100 that is not whole.
fn percent(part: f64) -> u8 {
    let whole = (part.clamp(0.0, 1.0) * 100.0).floor();
    // Between 0 and 100.
    format!("{whole:.0}").parse().unwrap_or(0)
}

/// Returns a count as a number; counts here are far below what would not fit.
fn count(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests;
