//! Test reports in: a tolerant, streaming reader for every form of JUnit XML, and for the forms that other runners write.
//!
//! It takes bytes and hands out one [`Case`] at a time, in bounded memory whatever the file holds. What is not
//! well-formed is recovered where that is possible, and each recovery is a [`Note`] with a code and a byte offset.
//! Invariants: no entity is ever expanded from a DTD, nothing outside the given bytes is read, nothing panics.

mod attributes;
mod boost;
mod case;
mod ctest;
mod ctrf;
mod dialect;
mod elements;
mod encoding;
mod foreign;
mod go;
mod jest;
mod json;
mod libtest;
mod markup;
mod notes;
mod nunit2;
mod nunit3;
mod out;
mod playwright;
mod reader;
mod said;
mod tap;
mod trx;
mod window;
mod xunit;

#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod tests;

pub(crate) use case::{Case, Outcome, bound_name};
pub(crate) use dialect::{Form, form, read};
use encoding::ENCODING_PEEK;
pub(crate) use notes::{Note, NoteCode, Notes};
pub(crate) use reader::ReadError;

/// What one file held, counted from its elements and never from its headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// `<testsuite>` elements.
    pub(crate) suites: u64,
    /// `<testcase>` elements.
    pub(crate) cases: u64,
    /// Cases without a failing or skipping child.
    pub(crate) passed: u64,
    /// Cases with a `<failure>`.
    pub(crate) failed: u64,
    /// Cases with an `<error>`.
    pub(crate) errored: u64,
    /// Cases with a `<skipped>`, or whose `status=` or `result=` says that they did not run.
    pub(crate) skipped: u64,
    /// Cases among `passed` that only say `status="disabled"`: nobody ran them, so history takes them as skipped.
    pub(crate) disabled: u64,
    /// Executions: each case that ran counts one, and each `<rerunFailure>`, `<flakyFailure>` and their like one more.
    pub(crate) attempts: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.suites = self.suites.saturating_add(other.suites);
        self.cases = self.cases.saturating_add(other.cases);
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.errored = self.errored.saturating_add(other.errored);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.disabled = self.disabled.saturating_add(other.disabled);
        self.attempts = self.attempts.saturating_add(other.attempts);
    }
}
