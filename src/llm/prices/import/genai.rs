//! The table of genai-prices (github.com/pydantic/genai-prices, `prices/data.json` and `prices/data_slim.json`; `data.schema.json` says what stands where).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    ImportProblem, Imported, NewDated, NewModel, NewPrices, NewRate, NewRates, NewTier, Whole,
    known,
};
use crate::json;
use crate::llm::prices::rates::Constraint;
use crate::llm::prices::rule::Rule;

#[derive(Deserialize)]
#[serde(expecting = "an object for each provider")]
struct RawProvider<'t> {
    id: String,
    #[serde(borrow, default)]
    currency: Option<&'t RawValue>,
    /// Providers whose models it has as well, at their prices.
    #[serde(default)]
    fallback_model_providers: Vec<String>,
    #[serde(borrow)]
    models: Vec<RawModel<'t>>,
}

#[derive(Deserialize)]
struct RawModel<'t> {
    id: String,
    #[serde(borrow, default)]
    currency: Option<&'t RawValue>,
    #[serde(borrow, rename = "match")]
    rule: &'t RawValue,
    #[serde(borrow)]
    prices: &'t RawValue,
}

#[derive(Deserialize)]
struct RawDated<'t> {
    #[serde(borrow, default)]
    constraint: Option<&'t RawValue>,
    #[serde(borrow)]
    prices: &'t RawValue,
}

#[derive(Deserialize)]
struct RawTiered<'t> {
    #[serde(borrow)]
    base: &'t RawValue,
    #[serde(borrow)]
    tiers: Vec<RawTier<'t>>,
}

#[derive(Deserialize)]
struct RawTier<'t> {
    start: u64,
    #[serde(borrow)]
    price: &'t RawValue,
}

/// Reads a table of genai-prices.
pub(crate) fn genai_prices(text: &str) -> Result<Imported, ImportProblem> {
    let whole = Whole(text);
    let raw: Vec<RawProvider<'_>> = json::read(text)?;
    let mut imported = Imported::default();
    let mut borrowed = Vec::new();
    for provider in raw {
        whole.in_dollars(&provider.id, provider.currency.as_ref())?;
        for model in &provider.models {
            let place = format!("{}/{}", provider.id, model.id);
            whole.in_dollars(&place, model.currency.as_ref())?;
            let rule = json::read::<Rule>(model.rule.get());
            let rule = rule.map_err(|error| error.to_string()).map(lower);
            match rule.and_then(|rule| rule.check().map(|()| rule)) {
                Ok(rule) => {
                    let prices = Prices {
                        whole,
                        place: &place,
                        imported: &mut imported,
                    };
                    match prices.read(model.prices)? {
                        Ok(prices) => {
                            let own = imported.providers.entry(provider.id.clone());
                            own.or_default().models.push(NewModel {
                                id: model.id.clone(),
                                rule,
                                prices,
                            });
                        }
                        Err(why) => imported.leave(&provider.id, &model.id, why),
                    }
                }
                Err(why) => imported.leave(&provider.id, &model.id, why),
            }
        }
        borrowed.push((provider.id, provider.fallback_model_providers));
    }
    borrow(&mut imported, borrowed);
    Ok(imported)
}

/// Gives providers the models of others, behind their own; what those have from others themselves does not count.
fn borrow(imported: &mut Imported, borrowed: Vec<(String, Vec<String>)>) {
    let own = imported.providers.clone();
    for (id, others) in borrowed
        .into_iter()
        .filter(|(_, others)| !others.is_empty())
    {
        let models = others.iter().filter_map(|other| own.get(other));
        let models = models.flat_map(|other| other.models.clone());
        imported
            .providers
            .entry(id)
            .or_default()
            .models
            .extend(models);
    }
}

/// Names are compared in lower case there; here names are in lower case, and so must rules be.
fn lower(rule: Rule) -> Rule {
    let all = |rules: Vec<Rule>| rules.into_iter().map(lower).collect();
    match rule {
        Rule::Equals(text) => Rule::Equals(text.to_lowercase()),
        Rule::StartsWith(text) => Rule::StartsWith(text.to_lowercase()),
        Rule::EndsWith(text) => Rule::EndsWith(text.to_lowercase()),
        Rule::Contains(text) => Rule::Contains(text.to_lowercase()),
        Rule::Regex(text) => Rule::Regex(text),
        Rule::Or(rules) => Rule::Or(all(rules)),
        Rule::And(rules) => Rule::And(all(rules)),
    }
}

/// Prices of one model.
struct Prices<'a, 't> {
    whole: Whole<'t>,
    place: &'a str,
    imported: &'a mut Imported,
}

/// Prices, or why the model is left out.
type Read = Result<Result<NewPrices, String>, ImportProblem>;

impl<'t> Prices<'_, 't> {
    fn read(mut self, raw: &'t RawValue) -> Read {
        if !raw.get().starts_with('[') {
            return Ok(self.rates(raw)?.map(NewPrices::Always));
        }
        let dated: Vec<RawDated<'t>> =
            json::read(raw.get()).map_err(|error| self.whole.form(self.place, raw, &error))?;
        let mut prices = Vec::new();
        for one in dated {
            if let Some(constraint) = one.constraint
                && let Err(error) = json::read::<Constraint>(constraint.get())
            {
                return Ok(Err(format!(
                    "its price holds at times that are not understood: {error}"
                )));
            }
            match self.rates(one.prices)? {
                Ok(rates) => prices.push(NewDated {
                    constraint: one.constraint.map(ToOwned::to_owned),
                    prices: rates,
                }),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(if prices.is_empty() {
            Err("it has no price".to_owned())
        } else {
            Ok(NewPrices::Dated(prices))
        })
    }

    fn rates(&mut self, raw: &'t RawValue) -> Result<Result<NewRates, String>, ImportProblem> {
        let found: BTreeMap<String, &'t RawValue> =
            json::read(raw.get()).map_err(|error| self.whole.form(self.place, raw, &error))?;
        self.whole.in_dollars(self.place, found.get("currency"))?;
        let mut rates = NewRates::new();
        for (key, value) in found {
            if value.get() == "null" || key == "currency" {
                continue;
            }
            let place = format!("{}: {key}", self.place);
            let rate = self.rate(&place, value)?;
            match known(&key) {
                Some(key) => {
                    rates.insert(key, rate);
                }
                None => *self.imported.unread.entry(key).or_default() += 1,
            }
        }
        Ok(if rates.is_empty() {
            Err("it has no price".to_owned())
        } else {
            Ok(rates)
        })
    }

    fn rate(&self, place: &str, raw: &'t RawValue) -> Result<NewRate, ImportProblem> {
        if !raw.get().starts_with('{') {
            return Ok(NewRate::Flat(self.whole.decimal(place, raw, 0)?));
        }
        let tiered: RawTiered<'t> =
            json::read(raw.get()).map_err(|error| self.whole.form(place, raw, &error))?;
        let tier = |tier: RawTier<'t>| {
            Ok(NewTier {
                start: tier.start,
                price: self.whole.decimal(place, tier.price, 0)?,
            })
        };
        Ok(NewRate::Tiered {
            base: self.whole.decimal(place, tiered.base, 0)?,
            tiers: tiered
                .tiers
                .into_iter()
                .map(tier)
                .collect::<Result<_, ImportProblem>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::llm::prices::Table;
    use crate::llm::prices::rates::Rates;

    fn problem(model: &str) -> String {
        let text = format!("[\n{{\"id\": \"p\", \"models\": [\n{model}]}}]");
        genai_prices(&text).unwrap_err().to_string()
    }

    #[test]
    fn a_table_is_taken_over_with_tiers_dates_and_rules() {
        let text = r#"[{"id": "p", "name": "P", "models": [
            {"id": "M-1", "match": {"or": [{"equals": "M-1"}, {"starts_with": "m-1-"}]}, "context_window": 5, "prices": [
                {"prices": {"input_mtok": {"base": 3, "tiers": [{"start": 128000, "price": 6.10}]}, "output_mtok": 15, "cache_audio_read_mtok": 1}},
                {"constraint": {"start_date": "2026-03-13"}, "prices": {"input_mtok": "2.5e0", "output_mtok": 15}}]}]},
            {"id": "q", "fallback_model_providers": ["p"], "models": []}]"#;
        let imported = genai_prices(text).unwrap();
        assert_eq!(imported.unread.get("cache_audio_read_mtok"), Some(&1));
        let table = Table::read(&imported.text("s", "d").unwrap()).unwrap();
        let at = |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().unwrap();
        for provider in ["p", "q"] {
            let (_, model) = table.model(provider, "m-1").unwrap();
            let input = |day, tokens| {
                model
                    .rates(at(day))
                    .of(Rates::INPUT, tokens)
                    .map(crate::money::Usd::pico)
            };
            assert_eq!(input("2026-03-12", 128_001), Some(6_100_000));
            assert_eq!(input("2026-03-13", 128_001), Some(2_500_000));
        }
    }

    #[test]
    fn a_price_that_is_none_refuses_the_table_and_says_where() {
        let model = |price: &str| {
            format!(
                r#"{{"id": "m", "match": {{"equals": "m"}}, "prices": {{"input_mtok": {price}}}}}"#
            )
        };
        assert_eq!(
            problem(&model("-1")),
            "line 3: `p/m: input_mtok`: `-1` is negative"
        );
        assert!(
            problem(&model("1e40"))
                .contains("line 3: `p/m: input_mtok`: `1e40` is more than can be counted")
        );
        assert!(problem(&model("NaN")).contains("line 3"));
        assert!(problem(&model("\"NaN\"")).contains("`NaN` is no decimal number"));
        let euro = model("1, \"currency\": \"EUR\"");
        assert_eq!(
            problem(&euro),
            "line 3: `p/m` is in EUR, and everything here is counted in USD"
        );
    }

    #[test]
    fn a_model_that_cannot_be_said_is_named() {
        let text = r#"[{"id": "p", "models": [
            {"id": "a", "match": {"regex": "("}, "prices": {"input_mtok": 1}},
            {"id": "b", "match": {"fuzzy": "b"}, "prices": {"input_mtok": 1}},
            {"id": "c", "match": {"equals": "c"}, "prices": {}},
            {"id": "d", "match": {"equals": "d"}, "prices": [{"constraint": {"moon": "full"}, "prices": {"input_mtok": 1}}]},
            {"id": "e", "match": {"equals": "e"}, "prices": {"input_mtok": 1}}]}]"#;
        let imported = genai_prices(text).unwrap();
        let names: Vec<&str> = imported
            .left_out
            .iter()
            .map(|one| one.model.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(imported.models(), 1);
    }
}
