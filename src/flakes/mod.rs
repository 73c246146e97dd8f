//! Flaky tests: what ran, how it went over time, and what that says about each test.

pub(crate) mod admission;
pub(crate) mod backfill;
pub(crate) mod causes;
pub(crate) mod changepoint;
pub(crate) mod clusters;
pub(crate) mod codeowners;
pub(crate) mod detect;
pub(crate) mod duration;
pub(crate) mod escalation;
mod failures;
mod former_names;
pub(crate) mod gate;
pub(crate) mod history;
pub(crate) mod issue;
pub(crate) mod lists;
pub(crate) mod messages;
pub(crate) mod muted;
pub(crate) mod neutral;
mod observe;
pub(crate) mod outage;
pub(crate) mod places;
pub(crate) mod proposal;
pub(crate) mod quarantine;
mod renames;
pub(crate) mod results;
pub(crate) mod rollup;
pub(crate) mod runners;
pub(crate) mod said;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "outages by signature are the first to use it")
)]
pub(crate) mod signature;
mod since;
pub(crate) mod stable_names;
pub(crate) mod stated;
pub(crate) mod stored_lists;
mod tally;
pub(crate) mod test_paths;
pub(crate) mod test_table;
pub(crate) mod timing;
#[cfg(feature = "bench")]
pub mod trial;
pub(crate) mod trusted;
pub(crate) mod verdict;
