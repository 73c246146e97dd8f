//! Rework rate: deployments that nobody had planned, because they repair what an earlier one broke, over all deployments.

use super::{Evidence, Metric, Value, candidates, shipments};
use crate::delivery::history::History;
use crate::delivery::quantiles::share;

const ID: &str = "rework-rate";
const NAME: &str = "Deployment rework rate";

pub(super) fn metric(history: &History<'_>) -> Metric {
    if !history.ask.definition.has_rework {
        return Metric::undefined(ID, NAME);
    }
    let (counted, left_out) = shipments(history);
    let evidence: Vec<Evidence> = counted
        .iter()
        .map(|(number, shipment)| {
            let repaired = history.failures.repairs.get(number);
            Evidence {
                row: shipment.row,
                from: None,
                to: shipment.at,
                seconds: None,
                is_part: repaired.is_some(),
                remarks: Vec::new(),
                linked: repaired.into_iter().copied().collect(),
            }
        })
        .collect();
    let part = evidence.iter().filter(|row| row.is_part).count();
    Metric {
        id: ID,
        name: NAME,
        value: Value::Share(share(part, evidence.len(), history.ask.least)),
        business: None,
        rows: candidates(history),
        counted: evidence.len(),
        evidence,
        left_out,
    }
}
