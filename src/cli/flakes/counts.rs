//! The counts that every document about test reports carries: wire form of [`Counts`], written once.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::junit::Counts;

/// Counted from elements, never from headers.
#[derive(Debug, Default, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct CountsRow {
    /// `<testsuite>` elements.
    suites: u64,
    /// `<testcase>` elements.
    pub(crate) cases: u64,
    /// Cases without a failing or skipping child.
    pub(crate) passed: u64,
    /// Cases with a failure.
    pub(crate) failed: u64,
    /// Cases with an error.
    pub(crate) errored: u64,
    /// Cases that were skipped.
    pub(crate) skipped: u64,
    /// Cases among `passed` of which only `status="disabled"` says that they did not run; history takes them as skipped.
    disabled: u64,
    /// Executions: retries count, skipped cases do not.
    pub(crate) attempts: u64,
}

impl From<Counts> for CountsRow {
    fn from(counts: Counts) -> Self {
        Self {
            suites: counts.suites,
            cases: counts.cases,
            passed: counts.passed,
            failed: counts.failed,
            errored: counts.errored,
            skipped: counts.skipped,
            disabled: counts.disabled,
            attempts: counts.attempts,
        }
    }
}
