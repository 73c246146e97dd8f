//! Rates of a model: what a token of each kind costs, by the length of the request, and since when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::money::{MoneyProblem, Usd, scaled};

/// What a token of a kind costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    /// A token's price.
    base: Usd,
    /// Prices of requests with more input than so many tokens, in order; the whole request is priced by the last that holds.
    above: Vec<(u64, Usd)>,
}

/// What tokens of all kinds cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rates {
    kinds: BTreeMap<usize, Rate>,
    /// For each request, whatever it holds.
    pub(crate) request: Option<Usd>,
    /// Whether a rate did not fit and was rounded up.
    pub(crate) is_rounded: bool,
}

impl Rates {
    pub(crate) const INPUT: usize = 0;
    pub(crate) const CACHE_READ: usize = 1;
    pub(crate) const CACHE_WRITE: usize = 2;
    pub(crate) const CACHE_WRITE_1H: usize = 3;
    pub(crate) const OUTPUT: usize = 4;
    pub(crate) const INPUT_AUDIO: usize = 5;
    pub(crate) const OUTPUT_AUDIO: usize = 6;

    /// What the table calls each kind.
    pub(crate) const KEYS: [&'static str; 7] = [
        "input_mtok",
        "cache_read_mtok",
        "cache_write_mtok",
        "cache_write_1h_mtok",
        "output_mtok",
        "input_audio_mtok",
        "output_audio_mtok",
    ];

    /// Returns what a token costs in a request with so much input.
    pub(crate) fn of(&self, kind: usize, input: u64) -> Option<Usd> {
        let rate = self.kinds.get(&kind)?;
        let above = rate.above.iter().rev().find(|(start, _)| input > *start);
        Some(above.map_or(rate.base, |(_, price)| *price))
    }

    /// Returns the lengths of requests above which others hold.
    pub(crate) fn starts(&self) -> BTreeSet<u64> {
        let above = self.kinds.values().flat_map(|rate| &rate.above);
        above.map(|(start, _)| *start).collect()
    }

    /// Reads rates; what is not known of them is left alone.
    pub(super) fn read(text: &RawValue) -> Result<Self, RateProblem> {
        let raw: BTreeMap<&str, &RawValue> = json::read(text.get())?;
        let mut rates = Self::default();
        for (kind, key) in Self::KEYS.iter().enumerate() {
            if let Some(value) = raw.get(key) {
                let rate = rates.rate(value).map_err(|problem| problem.of(key))?;
                rates.kinds.insert(kind, rate);
            }
        }
        if let Some(value) = raw.get("requests_kcount") {
            let (pico, is_exact) = scaled(number(value), 9)?;
            rates.request = Some(Usd::from_pico(pico));
            rates.is_rounded |= !is_exact;
        }
        Ok(rates)
    }

    fn rate(&mut self, value: &RawValue) -> Result<Rate, RateProblem> {
        if !value.get().starts_with('{') {
            let base = self.token(value)?;
            return Ok(Rate {
                base,
                above: Vec::new(),
            });
        }
        let tiered: Tiered<'_> = json::read(value.get())?;
        let mut above = Vec::new();
        for tier in &tiered.tiers {
            above.push((tier.start, self.token(tier.price)?));
        }
        crate::order::sort_by_key(&mut above, |(start, _)| *start);
        Ok(Rate {
            base: self.token(tiered.base)?,
            above,
        })
    }

    /// Reads dollars a million tokens.
    fn token(&mut self, value: &RawValue) -> Result<Usd, RateProblem> {
        let (pico, is_exact) = scaled(number(value), 6)?;
        self.is_rounded |= !is_exact;
        Ok(Usd::from_pico(pico))
    }
}

/// Returns a number's own digits; decimals may stand in quotes.
fn number(value: &RawValue) -> &str {
    value.get().trim_matches('"')
}

#[derive(Deserialize)]
struct Tiered<'t> {
    #[serde(borrow)]
    base: &'t RawValue,
    #[serde(borrow)]
    tiers: Vec<Tier<'t>>,
}

#[derive(Deserialize)]
struct Tier<'t> {
    start: u64,
    #[serde(borrow)]
    price: &'t RawValue,
}

/// Why rates cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RateProblem {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Money(#[from] MoneyProblem),
    #[error("`{0}`: {1}")]
    Of(&'static str, Box<Self>),
}

impl RateProblem {
    fn of(self, key: &'static str) -> Self {
        Self::Of(key, Box::new(self))
    }
}

/// When rates hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constraint {
    /// From this day on (UTC).
    #[serde(default)]
    start_date: Option<Date>,
    /// From this time of the day (UTC).
    #[serde(default)]
    start_time: Option<TimeOfDay>,
    /// To this time of the day.
    #[serde(default)]
    end_time: Option<TimeOfDay>,
    /// What the source adds to tell the kinds apart.
    #[serde(default, rename = "type")]
    _kind: Option<String>,
}

/// A time of the day, with or without `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TimeOfDay(Time);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.trim_end_matches('Z');
        let plain = plain.strip_suffix("+00:00").unwrap_or(plain);
        plain.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Constraint {
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        let at = at.to_zoned(TimeZone::UTC);
        let since = self.start_date.is_none_or(|start| at.date() >= start);
        let time = at.time();
        let of_day = match (self.start_time, self.end_time) {
            (Some(start), Some(end)) if start.0 <= end.0 => start.0 <= time && time < end.0,
            // Over midnight.
            (Some(start), Some(end)) => start.0 <= time || time < end.0,
            (Some(start), None) => start.0 <= time,
            (None, Some(end)) => time < end.0,
            (None, None) => true,
        };
        since && of_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(text: &str) -> Rates {
        Rates::read(&RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn rates_are_pico_dollars_a_token() {
        let rates = rates(
            r#"{"input_mtok": 2.5, "output_mtok": "15", "cache_read_mtok": 1e-1, "requests_kcount": 5, "other": null}"#,
        );
        let of = |kind| rates.of(kind, 1).map(Usd::pico);
        assert_eq!(of(Rates::INPUT), Some(2_500_000));
        assert_eq!(of(Rates::OUTPUT), Some(15_000_000));
        assert_eq!(of(Rates::CACHE_READ), Some(100_000));
        assert_eq!(of(Rates::CACHE_WRITE), None);
        assert_eq!(rates.request.map(Usd::pico), Some(5_000_000_000));
        assert!(!rates.is_rounded);
    }

    #[test]
    fn a_long_request_is_priced_as_a_whole() {
        let rates = rates(
            r#"{"input_mtok": {"base": 3, "tiers": [{"start": 272000, "price": 9}, {"start": 200000, "price": 6}]}}"#,
        );
        let at = |input| rates.of(Rates::INPUT, input).map(Usd::pico);
        assert_eq!(at(200_000), Some(3_000_000));
        assert_eq!(at(200_001), Some(6_000_000));
        assert_eq!(at(300_000), Some(9_000_000));
    }

    #[test]
    fn what_is_no_rate_is_an_error_and_what_does_not_fit_is_rounded_up() {
        let problem = |text: &str| {
            let raw = RawValue::from_string(text.to_owned()).unwrap();
            Rates::read(&raw).unwrap_err().to_string()
        };
        assert!(problem(r#"{"input_mtok": -1}"#).contains("negative"));
        assert!(problem(r#"{"input_mtok": 1e40}"#).contains("more than can be counted"));
        assert!(
            problem(r#"{"output_mtok": true}"#)
                .contains("`output_mtok`: `true` is no decimal number")
        );
        let fine = rates(r#"{"input_mtok": 0.0000001}"#);
        assert_eq!(
            (fine.of(0, 1).map(Usd::pico), fine.is_rounded),
            (Some(1), true)
        );
    }

    #[test]
    fn a_price_holds_from_its_day_and_at_its_hours() {
        let holds = |text: &str, at: &str| {
            let constraint: Constraint = serde_json::from_str(text).unwrap();
            constraint.holds(at.parse().unwrap())
        };
        let dated = r#"{"start_date": "2026-09-01"}"#;
        assert!(!holds(dated, "2026-08-31T23:59:59Z"));
        assert!(holds(dated, "2026-09-01T00:00:00Z"));
        let night =
            r#"{"type": "time_of_date", "start_time": "16:30:00Z", "end_time": "00:30:00Z"}"#;
        for (at, expected) in [
            ("16:29:59", false),
            ("16:30:00", true),
            ("00:10:00", true),
            ("00:30:00", false),
        ] {
            assert_eq!(holds(night, &format!("2026-01-01T{at}Z")), expected, "{at}");
        }
    }
}
