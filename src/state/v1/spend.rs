//! `spend`: what one call of a model did cost; and `lease`: money that was lent to a job, as it was then.
//!
//! A `lease` has no origin but what it says itself, so that it is the same event whoever finds that it has ended.

use jiff::Timestamp;

use super::{LEASE, LineProblem, SPEND, StoredEvent, bad_payload};
use crate::budget::lease::Lease;
use crate::budget::spend::{Paid, Spend};
use crate::event::{Event, Origin};

/// Writes what a call did cost.
pub(crate) fn encode_spend(paid: &Paid) -> Result<Event, serde_json::Error> {
    let payload = serde_json::to_string(&paid.spend)?;
    Ok(Event::new(SPEND, paid.at, paid.origin.clone(), payload))
}

/// Reads what a call did cost.
pub(crate) fn decode_spend(event: &StoredEvent<'_>) -> Result<Paid, LineProblem> {
    let spend: Spend = serde_json::from_str(event.payload).map_err(bad_payload)?;
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
    serde_json::from_str(event.payload).map_err(bad_payload)
}

pub(super) fn check_spend(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_spend(event).map(drop)
}

pub(super) fn check_lease(event: &StoredEvent<'_>) -> Result<(), LineProblem> {
    decode_lease(event).map(drop)
}
