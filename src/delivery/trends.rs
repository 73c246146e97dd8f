//! The metrics by week or month: values are pooled in each, and never averaged over periods.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ask::Window;
use super::calendar::{month, week};
use super::metrics::{Evidence, Metric, frequency};
use super::quantiles::{Share, Spread, share, spread};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Step {
    #[default]
    Week,
    Month,
}

/// What happened in a period (UTC).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Period {
    pub(crate) from: Date,
    pub(crate) deployments: usize,
    pub(crate) lead: Spread,
    pub(crate) merge: Spread,
    pub(crate) failed: Share,
    pub(crate) rework: Share,
}

/// Returns every period that a time touches, those without anything too.
pub(crate) fn periods(metrics: &[Metric], window: Window, step: Step, least: usize) -> Vec<Period> {
    let (first, length): (fn(_) -> Date, i64) = match step {
        Step::Week => (week, 7),
        Step::Month => (month, 31),
    };
    let by_period = |id: &str| {
        let mut sorted: BTreeMap<Date, Vec<&Evidence>> = BTreeMap::new();
        let metric = metrics.iter().find(|metric| metric.id == id);
        for row in metric.into_iter().flat_map(|metric| &metric.evidence) {
            sorted.entry(first(row.to)).or_default().push(row);
        }
        sorted
    };
    let deployments = by_period("deployment-frequency");
    let (lead, merge) = (by_period("lead-time-deploy"), by_period("lead-time-merge"));
    let (failed, rework) = (by_period("change-fail-rate"), by_period("rework-rate"));
    let found = frequency::periods(window, first, length).into_iter();
    found
        .map(|from| Period {
            from,
            deployments: deployments.get(&from).map_or(0, Vec::len),
            lead: spread_of(lead.get(&from), least),
            merge: spread_of(merge.get(&from), least),
            failed: share_of(failed.get(&from), least),
            rework: share_of(rework.get(&from), least),
        })
        .collect()
}

fn spread_of(rows: Option<&Vec<&Evidence>>, least: usize) -> Spread {
    let rows = rows.into_iter().flatten();
    spread(rows.filter_map(|row| row.seconds).collect(), least)
}

fn share_of(rows: Option<&Vec<&Evidence>>, least: usize) -> Share {
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    let part = rows.iter().filter(|row| row.is_part).count();
    share(part, rows.len(), least)
}
