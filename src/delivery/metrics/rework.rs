//! Rework rate: deployments that nobody had planned, because they repair what an earlier one broke, over all deployments.

use super::{Evidence, Metric, Value, candidates, share_of, shipments};
use crate::delivery::ask::Ask;
use crate::delivery::history::History;

pub(super) const ID: &str = "rework-rate";
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
    if ask.definition.has_rework {
        Value::Share(share_of(evidence, ask.least))
    } else {
        Value::Undefined
    }
}
