//! `spend`: what one call of a model did cost; and `lease`: money that was lent to a job, as it was then.
//!
//! A `lease` has no origin but what it says itself, so that it is the same event whoever finds that it has ended.

use jiff::Timestamp;

use super::{LEASE, LineProblem, SPEND, StoredEvent, bad_payload};
use crate::budget::lease::Lease;
use crate::budget::spend::{Paid, Spend};
use crate::event::{Event, Origin};
use crate::json;

/// Writes what a call did cost.
pub(crate) fn encode_spend(paid: &Paid) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(&paid.spend)?;
    Ok(Event::new(SPEND, paid.at, paid.origin.clone(), payload))
}

/// Reads what a call did cost.
pub(crate) fn decode_spend(event: &StoredEvent<'_>) -> Result<Paid, LineProblem> {
    let spend: Spend = json::read(event.payload).map_err(bad_payload)?;
    Ok(Paid {
        at: event.at,
        origin: event.origin.clone(),
        spend,
    })
}

/// Writes what is known of a lease.
pub(crate) fn encode_lease(lease: &Lease, at: Timestamp) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(lease)?;
    Ok(Event::new(LEASE, at, Origin::default(), payload))
}

/// Reads what is known of a lease.
pub(crate) fn decode_lease(event: &StoredEvent<'_>) -> Result<Lease, LineProblem> {
    json::read(event.payload).map_err(bad_payload)
}

pub(super) fn check_spend(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_spend(event).map(drop)
}

pub(super) fn check_lease(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_lease(event).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote them when the kinds were frozen.
    const CALL: &str = r#"{"status":"settled","provider":"anthropic","model":"claude-haiku-4-5","role":"reviewer","task":"t1","pull_request":7,"usage":{"net_input_tokens":1,"cache_read_tokens":2,"cache_write_5m_tokens":3,"cache_write_1h_tokens":4,"input_audio_tokens":5,"output_tokens":6,"output_audio_tokens":7,"reasoning_tokens":8,"web_searches":9},"usd":"0.000000000001","overshoot_usd":"0.5","price_table_sha256":"ab","request_id":"msg_1","purse":"p1","call":3,"lease":"l1","source":"codex","reported_usd":"0.25"}"#;
    const LENT: &str = r#"{"lease":"l1","stage":"settled","pull_request":7,"usd":"2","taken":"2026-01-05T09:00:00Z","expires":"2026-01-05T11:00:00Z","run":"1","attempt":2,"job":"lease","settled":"2026-01-05T10:00:00Z","spent_usd":"1.25"}"#;

    #[test]
    fn the_frozen_payload_of_a_call_is_read_and_written_as_it_was() {
        let at = "2026-01-05T09:00:00Z".parse().unwrap();
        let spend: Spend = serde_json::from_str(CALL).unwrap();
        let origin = Origin::default();
        assert_eq!(
            encode_spend(&Paid { at, origin, spend }).unwrap().payload,
            CALL
        );
        for status in ["settled", "unknown", "unpriced"] {
            let short = format!(r#"{{"status":"{status}","provider":"p","model":"m","later":1}}"#);
            assert!(serde_json::from_str::<Spend>(&short).is_ok());
        }
    }

    #[test]
    fn the_frozen_payload_of_a_lease_is_read_and_written_as_it_was() {
        let lease: Lease = serde_json::from_str(LENT).unwrap();
        assert_eq!(encode_lease(&lease, lease.since()).unwrap().payload, LENT);
        for stage in ["taken", "expired", "settled"] {
            let short = format!(
                r#"{{"lease":"l","stage":"{stage}","pull_request":1,"usd":"1","taken":"2026-01-05T09:00:00Z","expires":"2026-01-05T11:00:00Z","run":"1","attempt":1,"job":"j","later":1}}"#
            );
            assert!(serde_json::from_str::<Lease>(&short).is_ok());
        }
    }
}
