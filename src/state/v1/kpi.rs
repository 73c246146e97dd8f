//! `kpi`: a table of indicators, as `dora kpi` found it.

use jiff::Timestamp;

use super::{KPI, LineProblem, StoredEvent, bad_payload};
use crate::delivery::kpi::record::KpiRecord;
use crate::event::{Event, Origin};
use crate::json;

/// No table has more indicators.
const MOST: usize = 100;

/// Writes a table.
pub(crate) fn encode_kpi(
    record: &KpiRecord,
    at: Timestamp,
    origin: Origin,
) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(record)?;
    Ok(Event::new(KPI, at, origin, payload))
}

/// Reads a table.
fn decode_kpi(event: &StoredEvent<'_>) -> Result<KpiRecord, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    if decode_kpi(event)?.indicators.len() > MOST {
        return Err(LineProblem::BadPayload(format!(
            "it has more than {MOST} indicators"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it when the kind was frozen.
    const FROZEN: &str = r#"{"baseline_since":"2025-11-06T00:00:00Z","baseline_until":"2025-12-06T00:00:00Z","indicators":[{"baseline":0.9,"high":0.97,"id":"merge-success","low":0.9,"n":200,"target":">=0.95","unit":"share","usd":null,"value":0.945,"verdict":"missed"},{"baseline":null,"high":4.5,"id":"llm-per-pull","low":2.25,"n":6,"target":null,"unit":"usd","usd":"3.450000000001","value":3.450000000001,"verdict":null}],"repository":"o/n","since":"2025-12-06T00:00:00Z","until":"2026-01-05T00:00:00Z"}"#;

    #[test]
    fn the_frozen_payload_is_read_and_written_as_it_was() {
        let record: KpiRecord = serde_json::from_str(FROZEN).unwrap();
        let event = encode_kpi(&record, Timestamp::UNIX_EPOCH, Origin::default()).unwrap();
        assert_eq!(event.payload, FROZEN);
        let least = r#"{"baseline_since":"a","baseline_until":"b","indicators":[{"id":"i","n":0,"unit":"share","later":1}],"since":"b","until":"c","later":1}"#;
        assert!(serde_json::from_str::<KpiRecord>(least).is_ok());
    }
}
