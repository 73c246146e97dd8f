//! Tables of others, as one of ours.
//!
//! Decimals go over digit by digit: no number passes a float. What cannot be said in our table is left out and named. A price that is
//! negative, too large or in another currency refuses the whole table: nobody should pay by half of it.

mod genai;
mod litellm;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::rates::Rates;
use super::rule::Rule;
use super::table::SCHEMA;
use crate::money::{MoneyProblem, scaled};

pub(crate) use genai::genai_prices;
pub(crate) use litellm::litellm;

/// A table that was taken over.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    providers: BTreeMap<String, NewProvider>,
    /// Models that are not in it, and why.
    pub(crate) left_out: Vec<LeftOut>,
    /// Prices that have no place in it, by their key: in how many models.
    pub(crate) unread: BTreeMap<String, u64>,
}

/// A model that is not taken over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) why: String,
}

/// Why a text is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportProblem {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("line {line}: `{place}`: {problem}")]
    Price {
        line: usize,
        place: String,
        problem: MoneyProblem,
    },
    #[error("line {line}: `{place}` is in {currency}, and everything here is counted in USD")]
    Currency {
        line: usize,
        place: String,
        currency: String,
    },
    #[error("line {line}: `{place}`: {problem}")]
    Form {
        line: usize,
        place: String,
        problem: String,
    },
    #[error("it has no model that can be taken over")]
    Empty,
    #[error("the table that comes of it cannot be read: {0}")]
    Result(String),
}

#[derive(Debug, Default, Clone)]
struct NewProvider {
    web_search: Option<String>,
    models: Vec<NewModel>,
}

/// A model of a provider, on a line of its own.
#[derive(Debug, Clone, Serialize)]
struct NewModel {
    id: String,
    #[serde(rename = "match")]
    rule: Rule,
    prices: NewPrices,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum NewPrices {
    Always(NewRates),
    Dated(Vec<NewDated>),
}

#[derive(Debug, Clone, Serialize)]
struct NewDated {
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint: Option<Box<RawValue>>,
    prices: NewRates,
}

/// Rates by the keys of our table.
type NewRates = BTreeMap<&'static str, NewRate>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum NewRate {
    Flat(String),
    Tiered { base: String, tiers: Vec<NewTier> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct NewTier {
    start: u64,
    price: String,
}

/// The key of what each request costs.
const REQUESTS: &str = "requests_kcount";

/// Returns our own word for a key of a price, where there is one.
fn known(key: &str) -> Option<&'static str> {
    let keys = Rates::KEYS.into_iter().chain([REQUESTS]);
    keys.into_iter().find(|known| *known == key)
}

impl Imported {
    pub(crate) fn models(&self) -> usize {
        let providers = self.providers.values();
        providers.map(|provider| provider.models.len()).sum()
    }

    pub(crate) fn providers(&self) -> usize {
        self.providers.len()
    }

    /// Takes prices of web searches from another table where this one has none; returns whether it has any.
    pub(crate) fn borrow_searches(&mut self, other: &super::Table) -> bool {
        let mut has_any = false;
        for (id, provider) in &mut self.providers {
            let price = other.provider(id).and_then(|other| other.web_search);
            let price = price.and_then(|price| price.times(1000));
            if provider.web_search.is_none()
                && let Some(price) = price
            {
                provider.web_search = Some(price.to_string());
                has_any = true;
            }
        }
        has_any
    }

    /// Returns the table's text, a model a line.
    pub(crate) fn text(&self, source: &str, date: &str) -> Result<String, ImportProblem> {
        if self.models() == 0 {
            return Err(ImportProblem::Empty);
        }
        let word = |text: &str| crate::json::text(text);
        let mut text = format!(
            "{{\n\"schema\": {},\n\"source\": {},\n\"date\": {},\n\"currency\": \"USD\",\n\"providers\": [\n",
            word(SCHEMA)?,
            word(source)?,
            word(date)?
        );
        let mut providers = Vec::new();
        for (id, provider) in &self.providers {
            let models = provider.models.iter().map(serde_json::to_string);
            let models = models.collect::<Result<Vec<_>, _>>()?;
            let search = match &provider.web_search {
                Some(price) => format!("\"web_search_kcount\": {}, ", word(price)?),
                None => String::new(),
            };
            let id = word(id)?;
            let models = models.join(",\n");
            providers.push(format!(
                "{{\"id\": {id}, {search}\"models\": [\n{models}\n]}}"
            ));
        }
        text.push_str(&providers.join(",\n"));
        text.push_str("\n]}\n");
        super::Table::read(&text).map_err(|problem| ImportProblem::Result(problem.to_string()))?;
        Ok(text)
    }

    fn leave(&mut self, provider: &str, model: &str, why: impl Into<String>) {
        self.left_out.push(LeftOut {
            provider: provider.to_owned(),
            model: model.to_owned(),
            why: why.into(),
        });
    }
}

/// A text of somebody else, for places in it.
#[derive(Clone, Copy)]
struct Whole<'t>(&'t str);

impl<'t> Whole<'t> {
    /// Returns the line that a part of the text begins on.
    fn line(self, part: &RawValue) -> usize {
        let before = (part.get().as_ptr() as usize).checked_sub(self.0.as_ptr() as usize);
        let before = before.and_then(|length| self.0.get(..length));
        before.map_or(1, |text| text.matches('\n').count() + 1)
    }

    /// Returns a price times a power of ten, as a decimal.
    fn decimal(self, place: &str, raw: &'t RawValue, power: u32) -> Result<String, ImportProblem> {
        decimal(raw.get().trim_matches('"'), power).map_err(|problem| ImportProblem::Price {
            line: self.line(raw),
            place: place.to_owned(),
            problem,
        })
    }

    fn form(self, place: &str, raw: &RawValue, problem: &serde_json::Error) -> ImportProblem {
        ImportProblem::Form {
            line: self.line(raw),
            place: place.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// Refuses a part that says that it is in another currency.
    fn in_dollars(self, place: &str, raw: Option<&&'t RawValue>) -> Result<(), ImportProblem> {
        let Some(raw) = raw else {
            return Ok(());
        };
        let currency = raw.get().trim_matches('"');
        if currency.eq_ignore_ascii_case("usd") || currency == "null" {
            return Ok(());
        }
        Err(ImportProblem::Currency {
            line: self.line(raw),
            place: place.to_owned(),
            currency: currency.chars().take(40).collect(),
        })
    }
}

/// Places of the decimals that are written. Floats of tables have up to 17 digits, of which the last is some 10⁻²².
const PLACES: u32 = 24;

/// Returns a number times a power of ten, without an exponent and without zeros at its end.
fn decimal(text: &str, power: u32) -> Result<String, MoneyProblem> {
    let (units, _) = scaled(text, PLACES + power)?;
    let one = 10_u128.pow(PLACES);
    let (whole, rest) = (units / one, units % one);
    if rest == 0 {
        return Ok(whole.to_string());
    }
    let rest = format!("{rest:0width$}", width = PLACES as usize);
    Ok(format!("{whole}.{}", rest.trim_end_matches('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (text, power, expected) in [
            ("3", 0, "3"),
            ("2.50", 0, "2.5"),
            ("2.5e-06", 6, "2.5"),
            ("1.0000000000000002e-07", 6, "0.10000000000000002"),
            ("0", 6, "0"),
            ("1e-05", 6, "10"),
        ] {
            assert_eq!(decimal(text, power).as_deref(), Ok(expected), "{text}");
        }
        assert!(decimal("1e30", 6).is_err());
        assert!(decimal("-1e-7", 6).is_err());
    }
}
