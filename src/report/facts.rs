//! What the page is made from, as other commands know it: plain values, gathered by whoever writes the page.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::week::Week;
use crate::delivery::kpi::{INDICATORS, Measured, Target};
use crate::delivery::metrics::Metric;
use crate::delivery::table::Rows;
use crate::money::Usd;

/// What is known, or why nothing is.
pub(crate) type Known<T> = Result<T, String>;

/// Everything that a page is made from.
pub(crate) struct Facts {
    pub(crate) week: Week,
    pub(crate) now: Timestamp,
    pub(crate) repository: String,
    /// The repository's address in a browser.
    pub(crate) web: Option<String>,
    pub(crate) tests: Known<Tests>,
    pub(crate) money: Known<Money>,
    pub(crate) delivery: Known<Delivery>,
    /// In the order of [`crate::delivery::kpi::INDICATORS`].
    pub(crate) indicators: Vec<Indicated>,
    pub(crate) agents: Known<Vec<AgentRun>>,
    pub(crate) verdicts: Known<Vec<Verdict>>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) plans: Known<Vec<Planned>>,
    /// Decisions of this week and of the one before.
    pub(crate) decided: Vec<Decided>,
    /// What is wrong with what was read.
    pub(crate) troubles: Vec<String>,
}

/// How tests went.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "they are tests, and runs of tests"
)]
pub(crate) struct Tests {
    /// In order of time.
    pub(crate) runs: Vec<TestRun>,
    pub(crate) tests: Vec<Test>,
    pub(crate) clusters: Vec<Cluster>,
    /// What the tests of a job take, in minutes.
    pub(crate) minutes: BTreeMap<String, f64>,
}

/// A stored run of tests.
#[derive(Debug, Clone)]
pub(crate) struct TestRun {
    pub(crate) at: Timestamp,
    pub(crate) run: String,
    pub(crate) job: String,
    pub(crate) commit: String,
    /// Tests that failed for good.
    pub(crate) failed: u64,
    /// Whether it says nothing about single tests.
    pub(crate) is_outage: bool,
}

/// A test that failed, or is in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// Suite and name, as people know it.
    pub(crate) name: String,
    /// `flaky`, `broken`, `fixed`, `unknown` or `healthy`.
    pub(crate) verdict: &'static str,
    /// Failure rate with its interval.
    pub(crate) rate: (f64, f64, f64),
    /// Places of the runs in which it failed.
    pub(crate) failed_in: Vec<usize>,
    /// The class of its cause.
    pub(crate) cause: Option<&'static str>,
    pub(crate) owner: Option<String>,
    pub(crate) quarantine: Option<Quarantined>,
}

#[derive(Debug, Clone)]
pub(crate) struct Quarantined {
    pub(crate) since: Date,
    pub(crate) review_by: Date,
    pub(crate) issue: Option<String>,
}

/// Tests that fail together.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// Places among the tests.
    pub(crate) tests: Vec<usize>,
    pub(crate) issue: Option<String>,
}

/// What models cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Money {
    pub(crate) calls: Vec<Call>,
    /// Of each week with any, as `budget status` sums it: dollars, and calls without a price.
    pub(crate) weeks: BTreeMap<String, (Option<Usd>, u64)>,
    /// Caps of a pull request and of a month.
    pub(crate) caps: Option<(Usd, Option<Usd>)>,
}

/// A call of a model.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Timestamp,
    /// Nothing where it has no price.
    pub(crate) usd: Option<Usd>,
    /// Nothing where nobody named one.
    pub(crate) role: Option<String>,
    pub(crate) model: String,
    pub(crate) pull_request: Option<u64>,
}

/// How changes reach their users.
pub(crate) struct Delivery {
    /// When pull requests were merged.
    pub(crate) merged: Vec<Timestamp>,
    /// The earliest time that a change or deployment tells of.
    pub(crate) earliest: Option<Timestamp>,
    /// Of the week.
    pub(crate) now: Vec<Metric>,
    /// Of the week before.
    pub(crate) before: Vec<Metric>,
    /// Of the twelve weeks up to this one's end.
    pub(crate) long: Vec<Metric>,
    /// `github`, `git`, `file`, or `states` of many repositories.
    pub(crate) from: &'static str,
    pub(crate) notes: Vec<String>,
}

/// Returns when pull requests were merged.
pub(crate) fn merges(rows: &Rows) -> impl Iterator<Item = Timestamp> {
    rows.pulls.iter().filter_map(|pull| pull.merged)
}

/// An indicator in the week and in the one before, as `dora kpi` has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indicated {
    pub(crate) now: Measured,
    pub(crate) before: Measured,
    /// Why there is no value.
    pub(crate) why: Option<String>,
    /// What the team wants.
    pub(crate) target: Option<Target>,
}

impl Facts {
    /// Returns an indicator by its id.
    pub(crate) fn indicator(&self, id: &str) -> Indicated {
        let at = INDICATORS.iter().position(|known| known.id == id);
        let found = at.and_then(|at| self.indicators.get(at));
        found.cloned().unwrap_or_default()
    }
}

/// A run of agents.
#[derive(Debug, Clone)]
pub(crate) struct AgentRun {
    pub(crate) at: Timestamp,
    pub(crate) run: String,
    pub(crate) outcome: String,
    pub(crate) usd: Usd,
    pub(crate) pull_request: Option<u64>,
    pub(crate) tasks: Vec<AgentTask>,
}

#[derive(Debug, Clone)]
pub(crate) struct AgentTask {
    pub(crate) role: String,
    /// `done`, `failed`, `skipped` or `open`.
    pub(crate) state: String,
    pub(crate) attempts: u64,
    pub(crate) usd: Usd,
    /// How each failure ended, and in one line why.
    pub(crate) failures: Vec<(String, String)>,
}

/// What a policy said of a change.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) at: Timestamp,
    pub(crate) outcome: String,
    pub(crate) enforced: bool,
    pub(crate) blocked_by: Vec<String>,
    pub(crate) review_by: Vec<String>,
    pub(crate) warned_by: Vec<String>,
    pub(crate) forgiven: u64,
    pub(crate) head: String,
    pub(crate) pull_request: Option<u64>,
}

/// A person overruled a rule.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    pub(crate) at: Timestamp,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) pull_request: Option<u64>,
}

/// A plan of a run.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) at: Timestamp,
    pub(crate) head: String,
    pub(crate) enforced: bool,
    /// `affected`, `all` or `none`.
    pub(crate) mode: String,
    pub(crate) selected: Vec<String>,
    pub(crate) unselected: Vec<String>,
    /// Why everything ran.
    pub(crate) reasons: Vec<String>,
}

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decided {
    pub(crate) week: String,
    pub(crate) rank: u32,
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) measure: String,
    pub(crate) unit: String,
    pub(crate) value: f64,
    pub(crate) section: String,
}

impl Facts {
    /// Returns the address of a pull request.
    pub(crate) fn pull(&self, number: u64) -> super::words::Words {
        let text = format!("#{number}");
        match &self.web {
            Some(web) => super::words::Words::link(text, format!("{web}/pull/{number}")),
            None => super::words::Words::foreign(text),
        }
    }

    /// Returns the address of a run, where it is one of GitHub's.
    pub(crate) fn run(&self, run: &str) -> super::words::Words {
        match &self.web {
            Some(web) if !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()) => {
                super::words::Words::link(run, format!("{web}/actions/runs/{run}"))
            }
            _ => super::words::Words::foreign(run),
        }
    }
}
