//! What models cost for a pull request: all that was ever spent on each, on average over those on which the last call was made in the time that is
//! asked for. Sums are whole pico-dollars.
//!
//! Nothing was spent on most pull requests, and they are none of this; those that agents wrote are, whatever they cost, from the first call on that is
//! stored. One with a call that has no price is left out: what it cost is not known.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::facts::{Call, Facts, Piece};
use super::{Finding, of_window, undivided};
use crate::delivery::ask::Ask;
use crate::delivery::quantiles::around_mean;
use crate::delivery::reasons::Reason;
use crate::delivery::rows::Author;
use crate::money::Usd;

const SOURCE: &str = "calls of models";

/// What a pull request cost.
struct Bill {
    last: Timestamp,
    usd: Usd,
    has_unpriced: bool,
}

pub(super) fn find(facts: &Facts<'_>, ask: &Ask<'_>) -> Finding {
    if let Some(why) = undivided(ask, SOURCE) {
        return Finding::missing(SOURCE, why);
    }
    let past = || facts.calls.iter().filter(|call| call.at <= ask.now);
    let Some(first) = past().map(|call| call.at).min() else {
        let why = "no call of a model is stored; `maestro gateway`, `run-agents`, `budget call` and `budget import` store them";
        return Finding::missing(SOURCE, why);
    };
    let mut bills: BTreeMap<u64, Bill> = BTreeMap::new();
    let mut others = Others::default();
    for call in past() {
        let Some(number) = call.pull else {
            others.add(call);
            continue;
        };
        let bill = bills.entry(number).or_insert(Bill {
            last: call.at,
            usd: Usd::ZERO,
            has_unpriced: false,
        });
        bill.last = bill.last.max(call.at);
        bill.has_unpriced |= call.usd.is_none();
        bill.usd = bill.usd.saturating_add(call.usd.unwrap_or(Usd::ZERO));
    }
    let mut agents: BTreeMap<u64, Timestamp> = BTreeMap::new();
    for pull in &facts.rows.pulls {
        let end = pull.merged.or(pull.closed).filter(|end| *end >= first);
        if let (Author::Agent, Some(end), 1..) = (pull.author_kind, end, pull.number) {
            agents.insert(pull.number, end);
        }
    }
    for (number, end) in &agents {
        bills.entry(*number).or_insert(Bill {
            last: *end,
            usd: Usd::ZERO,
            has_unpriced: false,
        });
    }
    let known = facts.rows.pulls.iter();
    let urls = crate::order::map(known.map(|pull| (pull.number, pull.url.as_str())));
    let pieces = bills.iter().map(|(number, bill)| Piece {
        to: Some(bill.last),
        usd: Some(bill.usd),
        reason: if bill.has_unpriced {
            Some(Reason::Unpriced)
        } else if bill.usd == Usd::ZERO && !agents.contains_key(number) {
            Some(Reason::Free)
        } else {
            of_window(ask, bill.last)
        },
        ..Piece::new(
            "pull",
            number.to_string(),
            urls.get(number).copied().unwrap_or_default(),
        )
    });
    let pieces: Vec<Piece> = pieces.chain(others.piece()).collect();
    let (mean, interval) = mean(&pieces, ask.least).unzip();
    let value = (mean.map(dollars), interval.flatten());
    Finding {
        usd: mean,
        ..Finding::of(SOURCE, pieces, value, ask.least)
    }
}

/// Calls for no pull request.
#[derive(Default)]
struct Others {
    calls: usize,
    usd: Usd,
    last: Option<Timestamp>,
}

impl Others {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.usd = self.usd.saturating_add(call.usd.unwrap_or(Usd::ZERO));
        self.last = self.last.max(Some(call.at));
    }

    fn piece(&self) -> Option<Piece> {
        (self.calls > 0).then(|| Piece {
            to: self.last,
            usd: Some(self.usd),
            reason: Some(Reason::NoPull),
            ..Piece::new(
                "calls",
                format!("{} without a pull request", self.calls),
                "",
            )
        })
    }
}

/// Returns the mean of those that count, and its interval.
fn mean(pieces: &[Piece], least: usize) -> Option<(Usd, Option<(f64, f64)>)> {
    let counted = pieces.iter().filter(|piece| piece.reason.is_none());
    let counted: Vec<Usd> = counted.filter_map(|piece| piece.usd).collect();
    if counted.len() < least.max(1) {
        return None;
    }
    let all = counted.iter().copied().fold(Usd::ZERO, Usd::saturating_add);
    // Rounded up: a mean that is above a target by less than a pico-dollar is above it.
    let mean = Usd::from_pico(all.pico().div_ceil(counted.len() as u128));
    let values: Vec<f64> = counted.into_iter().map(dollars).collect();
    Some((mean, around_mean(dollars(mean), &values)))
}

/// Returns an amount as it is shown and compared.
#[expect(
    clippy::cast_precision_loss,
    reason = "only at the end, and exact below nine thousand dollars"
)]
fn dollars(usd: Usd) -> f64 {
    usd.pico() as f64 / 1e12
}
