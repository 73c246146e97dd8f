//! Flaky tests: what ran, how it went over time, and what that says about each test.

pub(crate) mod history;
pub(crate) mod neutral;
pub(crate) mod results;
pub(crate) mod verdict;
