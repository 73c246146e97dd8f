//! The table of prices: reading, and the one that is built in.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::rates::{Constraint, RateProblem, Rates};
use super::rule::Rule;
use crate::json;
use crate::money::{Usd, scaled};
use crate::sha::Sha;

/// What `schema` must say.
pub(crate) const SCHEMA: &str = "maestro.prices/v1";

/// No table is longer.
const LONGEST: usize = 64 * 1024 * 1024;

/// Prices of many models.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Where the figures are from.
    pub(crate) source: String,
    /// The day of the figures.
    pub(crate) date: String,
    /// SHA-256 of the table's text.
    pub(crate) sha256: Sha,
    pub(crate) providers: Vec<Provider>,
}

/// Who is paid.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) id: String,
    /// A search that it runs.
    pub(crate) web_search: Option<Usd>,
    pub(crate) models: Vec<Model>,
}

/// What one model costs.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) rule: Rule,
    /// What it cost, oldest first; the last that holds counts.
    prices: Vec<(Option<Constraint>, Rates)>,
}

/// Why a text is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableProblem {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("its currency is `{0}`, and everything here is counted in USD")]
    Currency(String),
    #[error("model `{0}`: {1}")]
    Model(String, String),
    #[error("it has no model")]
    Empty,
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

#[derive(Deserialize)]
struct RawTable<'t> {
    schema: String,
    source: String,
    date: String,
    currency: String,
    #[serde(borrow)]
    providers: Vec<RawProvider<'t>>,
}

#[derive(Deserialize)]
struct RawProvider<'t> {
    id: String,
    #[serde(borrow, default)]
    web_search_kcount: Option<&'t RawValue>,
    #[serde(borrow)]
    models: Vec<RawModel<'t>>,
}

#[derive(Deserialize)]
struct RawModel<'t> {
    id: String,
    #[serde(rename = "match")]
    rule: Rule,
    #[serde(borrow)]
    prices: &'t RawValue,
}

#[derive(Deserialize)]
struct RawDated<'t> {
    #[serde(default)]
    constraint: Option<Constraint>,
    #[serde(borrow)]
    prices: &'t RawValue,
}

impl Table {
    /// Reads the table that is built in.
    pub(crate) fn built_in() -> Result<Self, TableProblem> {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/prices"));
        Self::read(&crate::packed::text(packed, "table.json"))
    }

    pub(crate) fn read(text: &str) -> Result<Self, TableProblem> {
        if text.len() > LONGEST {
            return Err(TableProblem::TooLong);
        }
        let raw: RawTable<'_> = json::read(text)?;
        if raw.schema != SCHEMA {
            return Err(TableProblem::Schema(raw.schema));
        }
        if raw.currency != "USD" {
            return Err(TableProblem::Currency(raw.currency));
        }
        let providers: Vec<Provider> = raw
            .providers
            .into_iter()
            .map(provider)
            .collect::<Result<_, _>>()?;
        if providers.iter().all(|provider| provider.models.is_empty()) {
            return Err(TableProblem::Empty);
        }
        Ok(Self {
            source: raw.source,
            date: raw.date,
            sha256: Sha::of(text.as_bytes()),
            providers,
        })
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }
}

fn provider(raw: RawProvider<'_>) -> Result<Provider, TableProblem> {
    let web_search = match raw.web_search_kcount {
        Some(price) => {
            let scaled = scaled(price.get().trim_matches('"'), 9);
            let (pico, _) = scaled
                .map_err(|problem| TableProblem::Model(raw.id.clone(), problem.to_string()))?;
            Some(Usd::from_pico(pico))
        }
        None => None,
    };
    let models = raw
        .models
        .into_iter()
        .map(model)
        .collect::<Result<_, _>>()?;
    Ok(Provider {
        id: raw.id,
        web_search,
        models,
    })
}

fn model(raw: RawModel<'_>) -> Result<Model, TableProblem> {
    let wrong = |words: String| TableProblem::Model(raw.id.clone(), words);
    raw.rule.check().map_err(wrong)?;
    let prices = prices(raw.prices).map_err(|problem| wrong(problem.to_string()))?;
    if prices.is_empty() {
        return Err(wrong("it has no price".to_owned()));
    }
    Ok(Model {
        id: raw.id,
        rule: raw.rule,
        prices,
    })
}

fn prices(text: &RawValue) -> Result<Vec<(Option<Constraint>, Rates)>, RateProblem> {
    if !text.get().starts_with('[') {
        return Ok(vec![(None, Rates::read(text)?)]);
    }
    let dated: Vec<RawDated<'_>> = json::read(text.get())?;
    let read = |dated: RawDated<'_>| Ok((dated.constraint, Rates::read(dated.prices)?));
    dated.into_iter().map(read).collect()
}

impl Provider {
    /// Returns a name of the table that looks like one that it does not have.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let mut names: Vec<&str> = self
            .models
            .iter()
            .flat_map(|model| model.rule.names())
            .collect();
        names.extend(self.models.iter().map(|model| model.id.as_str()));
        crate::config::nearest(name, &names).map(str::to_owned)
    }
}

impl Model {
    /// Returns the rates that hold at a time; before the first of them holds, the first.
    pub(crate) fn rates(&self, at: Timestamp) -> &Rates {
        let holds = |(constraint, _): &&(Option<Constraint>, Rates)| {
            constraint
                .as_ref()
                .is_none_or(|constraint| constraint.holds(at))
        };
        let found = self.prices.iter().rev().find(holds);
        let (_, rates) = found.unwrap_or(&self.prices[0]);
        rates
    }
}
