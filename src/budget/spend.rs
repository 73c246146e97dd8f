//! `spend`: what one call of a model did cost, as an event has it.
//!
//! An event's identity is a digest of this, and nothing here is made up when it is written: the purse numbers its calls, so that the same
//! call is the same event however often it is written, and two calls that cost the same are two.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Origin;
use crate::llm::usage::Usage;
use crate::money::Usd;

/// What is known of a call's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// The provider said what it used.
    Settled,
    /// Nobody knows what it used; it counts as all that was put aside.
    Unknown,
    /// There is no price for it, such as a seat that is paid for by the month.
    Unpriced,
}

/// The payload of a `spend` event. Readers ignore fields that they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spend {
    pub(crate) status: Status,
    pub(crate) provider: String,
    /// As the provider names it.
    pub(crate) model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pull_request: Option<u64>,
    /// Nothing where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    /// Nothing where there is no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usd: Option<Usd>,
    /// How much of it is above what was put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overshoot_usd: Option<Usd>,
    /// SHA-256 of the table of prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price_table_sha256: Option<String>,
    /// The provider's own name of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// The purse that it was paid from; nothing where it was paid elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purse: Option<String>,
    /// The number of the call in its purse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<u64>,
    /// The lease that the purse was filled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<String>,
    /// Who says so, where it was paid elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    /// What they reckon that it did cost; `usd` is by our table of prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reported_usd: Option<Usd>,
}

/// A call that is paid for, with where and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paid {
    /// When it was begun; the month that it counts in.
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) spend: Spend,
}

/// Returns the calendar month (UTC) of a time, as `2026-11`.
pub(crate) fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    pub(crate) fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A call of pull request 7 that did cost so much; on 2026-11-05 in run `r`.
    pub(crate) fn paid(cost: &str) -> Paid {
        Paid {
            at: time("2026-11-05T12:00:00Z"),
            origin: Origin {
                run: "r".to_owned(),
                ..Origin::default()
            },
            spend: Spend {
                status: Status::Settled,
                provider: "p".to_owned(),
                model: "m".to_owned(),
                role: None,
                task: None,
                pull_request: Some(7),
                usage: None,
                usd: Some(usd(cost)),
                overshoot_usd: None,
                price_table_sha256: None,
                request_id: None,
                purse: None,
                call: None,
                lease: None,
                source: None,
                reported_usd: None,
            },
        }
    }

    #[test]
    fn a_month_is_that_of_utc() {
        assert_eq!(month(time("2026-11-30T23:59:59Z")), "2026-11");
        assert_eq!(month(time("2026-12-01T00:30:00+01:00")), "2026-11");
    }
}
