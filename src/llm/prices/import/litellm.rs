//! LiteLLM's table (github.com/BerriAI/litellm, `model_prices_and_context_window.json`): dollars a token, as floats.
//!
//! `_above_200k_tokens` and its like hold for the whole request, as tiers of our table do. Other service classes (`_batches`, `_flex`, `_priority`) have no place
//! in it and are counted by key. A model whose input and output cost nothing is left out: that is what LiteLLM writes where a seat is paid for, or nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::{
    ImportProblem, Imported, NewModel, NewPrices, NewRate, NewRates, NewTier, REQUESTS, Whole,
};
use crate::json;
use crate::llm::prices::rule::Rule;

/// Keys of prices, and our own words for them.
const KEYS: [(&str, &str, u32); 8] = [
    ("input_cost_per_token", "input_mtok", 6),
    ("output_cost_per_token", "output_mtok", 6),
    ("cache_read_input_token_cost", "cache_read_mtok", 6),
    ("cache_creation_input_token_cost", "cache_write_mtok", 6),
    (
        "cache_creation_input_token_cost_above_1hr",
        "cache_write_1h_mtok",
        6,
    ),
    ("input_cost_per_audio_token", "input_audio_mtok", 6),
    ("output_cost_per_audio_token", "output_audio_mtok", 6),
    ("input_cost_per_request", REQUESTS, 3),
];

/// Providers under the names of our table.
const PROVIDERS: [(&str, &str); 7] = [
    ("gemini", "google"),
    ("xai", "x-ai"),
    ("text-completion-openai", "openai"),
    ("moonshot", "moonshotai"),
    ("zai", "zhipuai"),
    ("cohere_chat", "cohere"),
    ("fireworks_ai", "fireworks"),
];

/// The entry that says what the others mean.
const SAMPLE: &str = "sample_spec";

/// A search of the web, by how much it brings; one price only where all are the same.
const SEARCH: &str = "search_context_cost_per_query";

type Entry<'t> = BTreeMap<String, &'t RawValue>;

/// Reads LiteLLM's table.
pub(crate) fn litellm(text: &str) -> Result<Imported, ImportProblem> {
    let whole = Whole(text);
    let raw: BTreeMap<String, &RawValue> = json::read(text)?;
    let mut imported = Imported::default();
    let mut searches: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in raw.into_iter().filter(|(name, _)| name != SAMPLE) {
        let entry: Entry<'_> =
            json::read(value.get()).map_err(|error| whole.form(&name, value, &error))?;
        whole.in_dollars(&name, entry.get("currency"))?;
        let provider = entry.get("litellm_provider").map_or("", |raw| raw.get());
        let provider = provider.trim_matches('"').to_owned();
        let prefix = format!("{provider}/");
        let own = PROVIDERS.iter().find(|(theirs, _)| *theirs == provider);
        let provider = own.map_or(provider.clone(), |(_, ours)| (*ours).to_owned());
        if provider.is_empty() {
            imported.leave("", &name, "it names no provider");
            continue;
        }
        let rates = rates(whole, &name, &entry, &mut imported)?;
        if let Some(why) = why_not(&rates, &entry) {
            imported.leave(&provider, &name, why);
            continue;
        }
        if let Some(raw) = entry.get(SEARCH) {
            let prices = json::read::<Entry<'_>>(raw.get()).unwrap_or_default();
            for price in prices.values() {
                let price = whole.decimal(&format!("{name}: {SEARCH}"), price, 3)?;
                searches.entry(provider.clone()).or_default().insert(price);
            }
        }
        let full = name.to_lowercase();
        let short = full.strip_prefix(&prefix).map(str::to_owned);
        let rule = match short {
            Some(short) => Rule::Or(vec![Rule::Equals(full), Rule::Equals(short)]),
            None => Rule::Equals(full),
        };
        imported
            .providers
            .entry(provider)
            .or_default()
            .models
            .push(NewModel {
                id: name,
                rule,
                prices: NewPrices::Always(rates),
            });
    }
    for (provider, prices) in searches {
        if let (Some(price), Some(provider)) =
            (prices.first(), imported.providers.get_mut(&provider))
            && prices.len() == 1
        {
            provider.web_search = Some(price.clone());
        } else {
            *imported.unread.entry(SEARCH.to_owned()).or_default() += 1;
        }
    }
    Ok(imported)
}

/// Reads the prices that our table has, and counts the others.
fn rates<'t>(
    whole: Whole<'t>,
    name: &str,
    entry: &Entry<'t>,
    imported: &mut Imported,
) -> Result<NewRates, ImportProblem> {
    let mut bases: BTreeMap<&'static str, String> = BTreeMap::new();
    let mut tiers: BTreeMap<&'static str, Vec<NewTier>> = BTreeMap::new();
    for (key, raw) in entry {
        let is_price = key.contains("cost") && key != SEARCH && raw.get() != "null";
        if !is_price {
            continue;
        }
        let place = format!("{name}: {key}");
        match meaning(key) {
            Some((ours, power, None)) => {
                bases.insert(ours, whole.decimal(&place, raw, power)?);
            }
            Some((ours, power, Some(start))) => {
                let price = whole.decimal(&place, raw, power)?;
                tiers
                    .entry(ours)
                    .or_default()
                    .push(NewTier { start, price });
            }
            None => {
                // What is not taken over is looked at all the same, if it is a number.
                if raw
                    .get()
                    .starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                {
                    whole.decimal(&place, raw, 0)?;
                }
                *imported.unread.entry(key.clone()).or_default() += 1;
            }
        }
    }
    let mut rates = NewRates::new();
    for (key, base) in bases {
        let rate = match tiers.remove(key) {
            Some(mut tiers) => {
                crate::order::sort_by_key(&mut tiers, |tier| tier.start);
                NewRate::Tiered { base, tiers }
            }
            None => NewRate::Flat(base),
        };
        rates.insert(key, rate);
    }
    // A price above a length alone says nothing of shorter requests.
    for key in tiers.keys() {
        *imported
            .unread
            .entry(format!("{key} above a length only"))
            .or_default() += 1;
    }
    Ok(rates)
}

/// Returns our word for a key, the power of ten between the units, and the length above which the price holds.
fn meaning(key: &str) -> Option<(&'static str, u32, Option<u64>)> {
    KEYS.iter().find_map(|(theirs, ours, power)| {
        let rest = key.strip_prefix(theirs)?;
        if rest.is_empty() {
            return Some((*ours, *power, None));
        }
        let thousands = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?;
        let start: u64 = thousands.parse().ok()?;
        Some((*ours, *power, Some(start.checked_mul(1000)?)))
    })
}

/// Says why a model cannot stand in our table.
fn why_not(rates: &NewRates, entry: &Entry<'_>) -> Option<String> {
    let is_nothing = |key: &str| match rates.get(key) {
        Some(NewRate::Flat(price)) => price == "0",
        Some(NewRate::Tiered { .. }) => false,
        None => true,
    };
    if entry.contains_key("tiered_pricing") {
        return Some("its price depends on the length in steps (`tiered_pricing`)".to_owned());
    }
    let has_tokens = rates.contains_key("input_mtok") || rates.contains_key("output_mtok");
    if !has_tokens {
        let mode = entry
            .get("mode")
            .map_or("?", |raw| raw.get().trim_matches('"'));
        return Some(format!("it has no price for tokens ({mode})"));
    }
    if is_nothing("input_mtok") && is_nothing("output_mtok") && is_nothing(REQUESTS) {
        return Some("its price is nothing: a seat, a model of your own, or not known".to_owned());
    }
    let reasoning = entry.get("output_cost_per_reasoning_token");
    let reasoning = reasoning.and_then(|raw| super::decimal(raw.get().trim_matches('"'), 6).ok());
    let output = match rates.get("output_mtok") {
        Some(NewRate::Flat(price)) => Some(price.as_str()),
        Some(NewRate::Tiered { base, .. }) => Some(base.as_str()),
        None => None,
    };
    match (reasoning, output) {
        (Some(reasoning), Some(output)) if reasoning != output => {
            Some("its reasoning costs something else than its output".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::llm::prices::Table;
    use crate::llm::prices::rates::Rates;
    use crate::money::Usd;

    #[test]
    fn floats_become_decimals_and_lengths_become_tiers() {
        let text = r#"{"sample_spec": {"input_cost_per_token": "what it is"},
            "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                "input_cost_per_token_above_200k_tokens": 6e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
                "input_cost_per_token_batches": 1.5e-06, "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01}},
            "gemini/G-1": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 1.25e-07, "output_cost_per_token": 1e-06}}"#;
        let imported = litellm(text).unwrap();
        assert_eq!(
            imported.unread.get("input_cost_per_token_batches"),
            Some(&1)
        );
        let table = Table::read(&imported.text("s", "d").unwrap()).unwrap();
        let (provider, model) = table.model("anthropic", "claude-x").unwrap();
        assert_eq!(provider.web_search.map(Usd::pico), Some(10_000_000_000));
        let rates = model.rates(Timestamp::UNIX_EPOCH);
        let of = |kind, input| rates.of(kind, input).map(Usd::pico);
        assert_eq!(
            (of(Rates::INPUT, 200_000), of(Rates::INPUT, 200_001)),
            (Some(3_000_000), Some(6_000_000))
        );
        assert_eq!(of(Rates::CACHE_WRITE_1H, 1), Some(6_000_000));
        for name in ["gemini/g-1", "g-1", "models/G-1"] {
            let (_, model) = table.model("google", name).unwrap();
            assert_eq!(
                model
                    .rates(Timestamp::UNIX_EPOCH)
                    .of(Rates::INPUT, 1)
                    .map(Usd::pico),
                Some(125_000)
            );
        }
    }

    #[test]
    fn what_has_no_price_in_dollars_a_token_is_named() {
        let text = r#"{
            "a": {"litellm_provider": "x", "mode": "image_generation", "output_cost_per_image": 0.04},
            "b": {"litellm_provider": "github_copilot", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
            "c": {"litellm_provider": "x", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "output_cost_per_reasoning_token": 3e-6},
            "d": {"litellm_provider": "x", "tiered_pricing": []},
            "e": {"mode": "chat", "input_cost_per_token": 1e-6},
            "f": {"litellm_provider": "x", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "output_cost_per_reasoning_token": 1e-6}}"#;
        let imported = litellm(text).unwrap();
        let names: Vec<&str> = imported
            .left_out
            .iter()
            .map(|one| one.model.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(imported.models(), 1);
    }

    #[test]
    fn a_price_that_is_none_refuses_the_table_and_says_where() {
        let problem = |price: &str| {
            litellm(&format!(
                "{{\n\"m\": {{\"litellm_provider\": \"x\",\n {price}}}}}"
            ))
            .unwrap_err()
            .to_string()
        };
        assert_eq!(
            problem("\"input_cost_per_token\": -1e-06"),
            "line 3: `m: input_cost_per_token`: `-1e-06` is negative"
        );
        assert!(
            problem("\"input_cost_per_token_flex\": -1").contains("`m: input_cost_per_token_flex`")
        );
        assert!(problem("\"output_cost_per_token\": 1e99").contains("more than can be counted"));
        assert!(problem("\"currency\": \"CNY\"").contains("line 3: `m` is in CNY"));
        assert!(problem("\"input_cost_per_token\": NaN").contains("line 3"));
    }
}
