//! `budget`: models cost more than they may.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{About, Order};
use crate::money::Usd;
use crate::policy::subject::Subject;
use crate::policy::words::checked;
use crate::policy::{Breach, Rule, Target, Weight};

pub(super) const ABOUT: About = About {
    name: "budget",
    what: "a change whose models cost more than they may",
    fix: "find out what was dear (`maestro budget status --pr N`), or raise the cap in `.maestro/ci_budget.json`",
    keys: &[("per_pull_request", Order::Less), ("warn_at", Order::Less)],
};

/// `budget`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// The most US dollars, as a decimal; the cap of `.maestro/ci_budget.json` unless set, and never more.
    #[serde(default, deserialize_with = "amount")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    per_pull_request: Option<Usd>,
    /// The share of it, in hundredths, from which on it warns; 80 unless set.
    #[serde(default)]
    warn_at: Option<u8>,
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Usd>, D::Error> {
    checked(deserializer, "an amount, as \"10.00\"", |text| {
        text.parse().map_err(|error| format!("`{text}` is no amount: {error}"))
    })
    .map(Some)
}

impl Rule for Budget {
    fn is_sound(&self) -> Result<(), String> {
        match self.warn_at {
            Some(share) if !(1..=100).contains(&share) => Err(format!("`warn_at` is {share}, and no share from 1 to 100")),
            _ => Ok(()),
        }
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let target = Target::Said("budget");
        let Some(spent) = subject.asked.spent else {
            let breach = Breach::new(target, "nobody knows what the change did cost", "no sum", "a sum");
            breaches.push(
                breach
                    .fix("run it in a pull request's workflow")
                    .weight(subject.asked.weight_of_unknown()),
            );
            return;
        };
        let most = self.per_pull_request.map_or(spent.cap, |most| most.min(spent.cap));
        let share = u64::from(self.warn_at.unwrap_or(80));
        let limit = format!("at most ${most}");
        if spent.usd > most {
            breaches.push(Breach::new(target, "models cost more than they may", format!("${}", spent.usd), limit));
        } else if spent.usd > Usd::ZERO && spent.usd.times(100) >= most.times(share) {
            let breach = Breach::new(target, "models cost nearly as much as they may", format!("${}", spent.usd), limit);
            breaches.push(breach.weight(Some(Weight::Warn)));
        }
        if spent.unpriced > 0 {
            let observed = format!("{} calls without a price", spent.unpriced);
            let breach = Breach::new(Target::Said("budget"), "nobody could price some calls", observed, "a price for each call");
            breaches.push(breach.weight(Some(Weight::Warn)));
        }
    }
}

#[cfg(test)]
mod tests;
