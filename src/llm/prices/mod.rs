//! What models cost: a table, the price that holds for a model on a day, and the bill of a call.
//!
//! The table has the shape of genai-prices (MIT, github.com/pydantic/genai-prices, "data_slim.json"), with its source and date
//! beside it; figures are from there unless [`Table::source`] says otherwise. Rates are whole pico-dollars a token; one that does not
//! fit is rounded up.

pub(crate) mod diff;
pub(crate) mod import;
pub(crate) mod rates;
pub(crate) mod rule;
pub(crate) mod table;

use jiff::Timestamp;

use super::usage::Usage;
use crate::money::Usd;
use rates::Rates;
pub(crate) use table::{Model, Provider, Table};

/// What a call costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bill {
    pub(crate) input: Usd,
    pub(crate) output: Usd,
    /// Searches that the provider ran, and what is paid for each request.
    pub(crate) other: Usd,
    pub(crate) total: Usd,
}

/// Why a call cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PriceProblem {
    #[error("the price table has no provider `{0}`")]
    UnknownProvider(String),
    #[error("the price table has no model `{model}` of {provider}")]
    UnknownModel {
        provider: String,
        model: String,
        /// Names of the table that look like it.
        near: Option<String>,
    },
    #[error("the price table has no price for the {0} of `{1}`")]
    NoRate(&'static str, String),
    #[error("the price is more than can be counted")]
    TooLarge,
}

impl Table {
    /// Returns the model of the table that a name means.
    pub(crate) fn model(
        &self,
        provider: &str,
        name: &str,
    ) -> Result<(&Provider, &Model), PriceProblem> {
        let provider = self
            .provider(provider)
            .ok_or_else(|| PriceProblem::UnknownProvider(provider.to_owned()))?;
        // Some providers have names with a maker before them, as `anthropic/claude-sonnet-5`; elsewhere that is what a router adds.
        let full = name.trim().to_lowercase();
        let plain = plain(&full);
        let named = |name: &str| provider.models.iter().find(|model| model.rule.means(name));
        let found = named(&full).or_else(|| named(plain));
        match found {
            Some(model) => Ok((provider, model)),
            None => Err(PriceProblem::UnknownModel {
                provider: provider.id.clone(),
                model: name.to_owned(),
                near: provider.nearest(plain),
            }),
        }
    }
}

impl Provider {
    /// Returns what a call of one of its models costs at a time.
    pub(crate) fn bill(
        &self,
        model: &Model,
        usage: &Usage,
        at: Timestamp,
    ) -> Result<Bill, PriceProblem> {
        let rates = model.rates(at);
        let all = usage.input_tokens().ok_or(PriceProblem::TooLarge)?;
        let rates = Applied {
            rates,
            model: &model.id,
            all,
        };
        let input = rates.sum(&[
            (usage.net_input_tokens, "input", &[Rates::INPUT]),
            (
                usage.cache_read_tokens,
                "input read from the cache",
                &[Rates::CACHE_READ, Rates::INPUT],
            ),
            (
                usage.cache_write_5m_tokens,
                "input written to the cache",
                &[Rates::CACHE_WRITE, Rates::INPUT],
            ),
            (
                usage.input_audio_tokens,
                "audio input",
                &[Rates::INPUT_AUDIO, Rates::INPUT],
            ),
        ])?;
        let hour = rates.hour(usage.cache_write_1h_tokens)?;
        let output = rates.sum(&[
            (usage.output_tokens, "output", &[Rates::OUTPUT]),
            (
                usage.output_audio_tokens,
                "audio output",
                &[Rates::OUTPUT_AUDIO, Rates::OUTPUT],
            ),
        ])?;
        let searches = match (self.web_search, usage.web_searches) {
            (_, 0) => Usd::ZERO,
            (Some(each), count) => each.times(count).ok_or(PriceProblem::TooLarge)?,
            (None, _) => return Err(PriceProblem::NoRate("web searches", model.id.clone())),
        };
        let request = rates.rates.request.unwrap_or(Usd::ZERO);
        let add = |a: Usd, b: Usd| a.checked_add(b).ok_or(PriceProblem::TooLarge);
        let input = add(input, hour)?;
        let other = add(searches, request)?;
        Ok(Bill {
            input,
            output,
            other,
            total: add(add(input, output)?, other)?,
        })
    }
}

/// Rates as they hold for a request of some length.
struct Applied<'t> {
    rates: &'t Rates,
    model: &'t str,
    all: u64,
}

/// A number of tokens, what they are, and which rates may hold for them, the best one first.
type Part = (u64, &'static str, &'static [usize]);

impl Applied<'_> {
    fn sum(&self, parts: &[Part]) -> Result<Usd, PriceProblem> {
        let mut sum = Usd::ZERO;
        for (tokens, what, rates) in parts.iter().filter(|part| part.0 > 0) {
            let rate = rates.iter().find_map(|rate| self.rates.of(*rate, self.all));
            let rate = rate.ok_or_else(|| PriceProblem::NoRate(what, self.model.to_owned()))?;
            let cost = rate.times(*tokens).ok_or(PriceProblem::TooLarge)?;
            sum = sum.checked_add(cost).ok_or(PriceProblem::TooLarge)?;
        }
        Ok(sum)
    }

    /// Returns what writes for an hour cost: twice the input where no rate is given (Anthropic, "Prompt caching", pricing).
    fn hour(&self, tokens: u64) -> Result<Usd, PriceProblem> {
        if tokens == 0 || self.rates.of(Rates::CACHE_WRITE_1H, self.all).is_some() {
            return self.sum(&[(
                tokens,
                "input written to the cache for an hour",
                &[Rates::CACHE_WRITE_1H],
            )]);
        }
        let once = self.sum(&[(
            tokens,
            "input written to the cache for an hour",
            &[Rates::INPUT],
        )])?;
        once.times(2).ok_or(PriceProblem::TooLarge)
    }
}

/// Returns a model's name without what routers put before it.
fn plain(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((_, last)) if !last.is_empty() => last,
        _ => name,
    }
}
