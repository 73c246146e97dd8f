//! What is asked: which time, which environment, which clocks.

use jiff::Timestamp;

use super::calendar::Calendar;
use super::definitions::Definition;
use super::rows::Author;

/// From when, inclusive, to when, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl Window {
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.since <= at && at < self.until
    }
}

/// Where deployments are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Deployments,
    Runs,
    Releases,
    Tags,
}

impl Source {
    pub(crate) const ALL: [Self; 4] = [Self::Deployments, Self::Runs, Self::Releases, Self::Tags];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Deployments => "deployments",
            Self::Runs => "runs",
            Self::Releases => "releases",
            Self::Tags => "tags",
        }
    }
}

/// When the clock of a change starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Start {
    /// With its first commit.
    #[default]
    Commit,
    /// When its pull request was opened.
    Opened,
    /// When it was marked as ready for review.
    Ready,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) window: Window,
    pub(crate) now: Timestamp,
    /// None: production, by GitHub's flag or by its name.
    pub(crate) environment: Option<&'a str>,
    /// A folder: only changes below it.
    pub(crate) path: Option<&'a str>,
    /// Only changes that were merged into it.
    pub(crate) branch: Option<&'a str>,
    /// Only changes of these.
    pub(crate) author: Option<Author>,
    /// Only changes of that team's label.
    pub(crate) team: Option<&'a str>,
    /// The first one that has any counts.
    pub(crate) sources: &'a [Source],
    /// What the name of a workflow that deploys has in it.
    pub(crate) workflow: &'a str,
    /// An incident is blamed on a deployment that is so old at most, in seconds.
    pub(crate) blame: i64,
    pub(crate) start: Start,
    pub(crate) calendar: Option<&'a Calendar>,
    pub(crate) definition: &'static Definition,
    /// Of fewer values nothing is said.
    pub(crate) least: usize,
}

/// Returns the seconds from one time to another; negative where the other comes first.
#[expect(clippy::cast_precision_loss, reason = "nobody waits for 2^52 seconds")]
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_millis() as f64 / 1000.0
}
