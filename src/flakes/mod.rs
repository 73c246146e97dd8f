//! Flaky tests: what ran, how it went over time, and what that says about each test.

pub(crate) mod duration;
pub(crate) mod history;
pub(crate) mod lists;
pub(crate) mod neutral;
pub(crate) mod results;
mod stored_lists;
pub(crate) mod verdict;
