//! Failed deployment recovery time: how long a deployment that failed was in its users' hands, or how long it took since somebody noticed.
//!
//! A deployment that failed in several ways is recovered from when the last one is over. What is still open has lasted until now, at least: the
//! median is Kaplan and Meier's then. A failure is of the time in which its deployment was.

use std::collections::BTreeMap;

use super::{Evidence, Metric, Value, shipments};
use crate::delivery::ask::{Ask, seconds};
use crate::delivery::failures::Failure;
use crate::delivery::history::History;
use crate::delivery::quantiles::{Estimate, Lived, Spread, spread, survival_quantile};
use crate::delivery::reasons::{Reason, Remark};
use crate::delivery::shipments::{LeftOut, Shipment};

pub(super) const ID: &str = "recovery";

pub(super) fn metric(history: &History<'_>) -> Metric {
    let ask = history.ask;
    // Deployments that went well have nothing to recover from: the rows of this metric are failures.
    let (counted, _) = shipments(history);
    let numbers = crate::order::map(counted.into_iter());
    let mut failed: BTreeMap<usize, Vec<&Failure>> = BTreeMap::new();
    let mut left_out: Vec<LeftOut> = history.failures.left_out.clone();
    for failure in &history.failures.list {
        if numbers.contains_key(&failure.shipment) {
            failed.entry(failure.shipment).or_default().push(failure);
        } else {
            left_out.push(LeftOut {
                row: failure.row,
                reason: Reason::OutsideWindow,
            });
        }
    }
    let mut evidence = Vec::new();
    let mut counted = 0;
    for (number, failures) in failed {
        counted += failures.len();
        let Some(shipment) = numbers.get(&number) else {
            continue;
        };
        evidence.push(row(shipment, &failures, history));
    }
    Metric {
        id: ID,
        name: "Failed deployment recovery time",
        value: value(&evidence, ask),
        business: None,
        rows: history.failures.list.len() + history.failures.left_out.len(),
        counted,
        evidence,
        left_out,
    }
}

pub(super) fn value(evidence: &[Evidence], ask: &Ask<'_>) -> Value {
    let is_counted = |row: &&Evidence| row.is_part || ask.definition.counts_open;
    let lived = evidence.iter().filter(is_counted);
    let lived: Vec<Lived> = lived
        .filter_map(|row| Some((row.seconds?, row.is_part)))
        .collect();
    Value::Spread(of_lived(&lived, ask.least))
}

/// One deployment that failed.
fn row(shipment: &Shipment<'_>, failures: &[&Failure], history: &History<'_>) -> Evidence {
    let noticed = failures.iter().map(|failure| failure.opened).min();
    let is_over = failures.iter().all(|failure| failure.closed.is_some());
    let last = failures.iter().filter_map(|failure| failure.closed).max();
    let from = if history.ask.definition.from_detection {
        noticed.unwrap_or(shipment.at)
    } else {
        shipment.at
    };
    let to = last.filter(|_| is_over).unwrap_or(history.ask.now);
    let mut remarks: Vec<Remark> = failures.iter().filter_map(|failure| failure.link).collect();
    if !is_over {
        remarks.push(Remark::StillOpen);
    }
    if to < from {
        remarks.push(Remark::Clamped);
    }
    let linked = failures.iter();
    Evidence {
        row: shipment.row,
        from: Some(from),
        to,
        seconds: Some(seconds(from, to).max(0.0)),
        is_part: is_over,
        remarks,
        linked: linked.map(|failure| failure.row).collect(),
        noticed,
    }
}

/// Returns what is said of the other clock: since somebody noticed.
pub(crate) fn since_noticed(metric: &Metric, least: usize) -> Spread {
    let lived = metric.evidence.iter().filter_map(|row| {
        let from = row.noticed?;
        Some((seconds(from, row.to).max(0.0), row.is_part))
    });
    let lived: Vec<Lived> = lived.collect();
    of_lived(&lived, least)
}

fn of_lived(lived: &[Lived], least: usize) -> Spread {
    let n = lived.len();
    if n < least.max(1) || lived.iter().all(|(_, has_ended)| *has_ended) {
        return spread(lived.iter().map(|(seconds, _)| *seconds).collect(), least);
    }
    let of = |share: f64| {
        survival_quantile(lived, share).map(|value| Estimate {
            value,
            interval: None,
        })
    };
    Spread {
        n,
        median: of(0.5),
        p90: of(0.9),
        mean: None,
    }
}
