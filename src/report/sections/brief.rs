//! A week in short: what a repository comes to in one row beside others.

use super::{Verdicts, ci, flakes, kpi, money};
use crate::delivery::kpi::Measured;
use crate::money::Usd;
use crate::report::facts::Facts;

/// The indicator of how long CI takes.
const CI: &str = "ci-p95";

/// What a repository comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brief {
    pub(crate) indicators: Verdicts,
    /// How long CI takes, in the week and in the one before.
    pub(crate) ci: (Measured, Measured),
    pub(crate) models: Option<Models>,
    /// Tests that are flaky, and those that are overdue in quarantine.
    pub(crate) flaky: Option<(usize, usize)>,
    pub(crate) plans: Option<Plans>,
}

/// What models cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Models {
    /// Nothing where no call has a price.
    pub(crate) usd: Option<Usd>,
    pub(crate) unpriced: u64,
}

/// What plans left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plans {
    /// Nothing where it is not known how long the tests of those jobs take.
    pub(crate) minutes: Option<f64>,
    pub(crate) escapes: usize,
}

/// Says in short what the parts of the page say at length.
pub(crate) fn brief(facts: &Facts) -> Brief {
    let ci = facts.indicator(CI);
    Brief {
        indicators: kpi::verdicts(facts),
        ci: (ci.now, ci.before),
        models: money::in_short(facts).map(|(usd, unpriced)| Models { usd, unpriced }),
        flaky: flakes::standing(facts),
        plans: ci::in_short(facts),
    }
}
