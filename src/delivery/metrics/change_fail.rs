//! Change fail rate: deployments that failed, each once, over all deployments. It cannot be above one.

use std::collections::BTreeMap;

use super::{Evidence, Metric, Value, candidates, share_of, shipments};
use crate::delivery::ask::Ask;
use crate::delivery::failures::Failure;
use crate::delivery::history::History;
use crate::delivery::quantiles::{Share, float};

pub(super) const ID: &str = "change-fail-rate";
const NAME: &str = "Change fail rate";

pub(super) fn metric(history: &History<'_>) -> Metric {
    let (counted, left_out) = shipments(history);
    let mut failed: BTreeMap<usize, Vec<&Failure>> = BTreeMap::new();
    for failure in &history.failures.list {
        failed.entry(failure.shipment).or_default().push(failure);
    }
    let evidence: Vec<Evidence> = counted
        .iter()
        .map(|(number, shipment)| {
            let failures = failed.get(number).map(Vec::as_slice).unwrap_or_default();
            let linked = failures.iter();
            Evidence {
                row: shipment.row,
                from: None,
                to: shipment.at,
                seconds: None,
                is_part: !failures.is_empty(),
                remarks: failures.iter().filter_map(|failure| failure.link).collect(),
                linked: linked.map(|failure| failure.row).collect(),
                noticed: None,
            }
        })
        .collect();
    Metric {
        id: ID,
        name: NAME,
        value: value(&evidence, history.ask),
        business: None,
        rows: candidates(history),
        counted: evidence.len(),
        evidence,
        left_out,
    }
}

pub(super) fn value(evidence: &[Evidence], ask: &Ask<'_>) -> Value {
    Value::Share(if ask.definition.counts_incidents {
        let incidents = evidence.iter().map(|row| row.linked.len()).sum();
        over(incidents, evidence.len(), ask.least)
    } else {
        share_of(evidence, ask.least)
    })
}

/// Incidents over deployments, which is no share: it has no interval and may be above one.
fn over(incidents: usize, deployments: usize, least: usize) -> Share {
    let enough = deployments >= least.max(1);
    Share {
        part: incidents,
        of: deployments,
        rate: enough.then(|| float(incidents) / float(deployments)),
        interval: None,
    }
}
