//! What the metrics mean: one file a definition. They differ in what they count, and are told apart by what they do, not by code of their own.

mod devlake;
mod dora2025;
mod fourkeys;

/// How a metric reads the same rows.
#[derive(Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that definitions do differently"
)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    /// What it follows, with its version.
    pub(crate) source: &'static str,
    /// What a lead time is of.
    pub(crate) lead: Lead,
    /// What becomes of lead times that are not positive.
    pub(crate) odd: Odd,
    /// Whether a lead time is the sum of its parts, each in whole minutes, rounded up, without those that are negative.
    pub(crate) sums_parts: bool,
    /// Whether incidents are counted instead of the deployments that failed.
    pub(crate) counts_incidents: bool,
    /// Whether recovery begins when somebody noticed, instead of with the deployment.
    pub(crate) from_detection: bool,
    /// Whether open failures count for recovery.
    pub(crate) counts_open: bool,
    /// Whether an incident that names nothing is blamed on the last deployment.
    pub(crate) infers: bool,
    /// Whether a deployment in the very second is not before it.
    pub(crate) strictly_before: bool,
    /// Whether the last deployment is blamed however old it is.
    pub(crate) blames_forever: bool,
    /// Whether reverts, hotfixes, roll-backs and later failures of a deployment are failures.
    pub(crate) reads_pulls: bool,
    /// Whether there is a fifth metric.
    pub(crate) has_rework: bool,
    /// What it does otherwise than `dora2025`.
    pub(crate) differences: &'static [(&'static str, &'static str)],
}

/// What a lead time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// A pull request.
    Pull,
    /// A commit that a deployment brought.
    Commit,
}

/// What becomes of lead times that are not positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    /// They count as zero, with a remark.
    Keep,
    /// They are dropped.
    DropAll,
}

/// Every definition, the default one first.
pub(crate) const ALL: [&Definition; 3] = [
    &dora2025::DEFINITION,
    &fourkeys::DEFINITION,
    &devlake::DEFINITION,
];

/// Returns the default one.
pub(crate) fn standard() -> &'static Definition {
    ALL[0]
}

pub(crate) fn find(name: &str) -> Option<&'static Definition> {
    ALL.into_iter().find(|known| known.name == name)
}
