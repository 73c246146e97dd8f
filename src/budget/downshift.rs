//! Which cheaper model of the same provider would do for what money is left.

use jiff::Timestamp;

use crate::llm::prices::Table;
use crate::llm::worst::{Demand, of_demand};
use crate::money::Usd;

/// A model is worth naming when it costs at most so many thirds of the one that is used.
const THIRDS: u64 = 2;

/// A cheaper model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) model: String,
    /// What the same call may cost with it.
    pub(crate) usd: Usd,
    /// What that saves.
    pub(crate) saves: Usd,
}

/// Returns the dearest model of the same provider that costs at most two thirds for the same call and, where that is known, fits into
/// what is left; of several that cost the same the last by name, which is the newest in most families.
pub(crate) fn advise(
    table: &Table,
    (provider, model): (&str, &str),
    demand: &Demand,
    room: Option<Usd>,
    at: Timestamp,
) -> Option<Advice> {
    let own = of_demand(table, (provider, model), demand, at).ok()?;
    let models = &table.provider(provider)?.models;
    let fits = |usd: Usd| {
        let is_cheaper = match (usd.times(3), own.times(THIRDS)) {
            (Some(three), Some(two)) => three <= two,
            _ => false,
        };
        is_cheaper && room.is_none_or(|room| usd <= room)
    };
    let priced = models.iter().filter_map(|model| {
        let usd = of_demand(table, (provider, &model.id), demand, at).ok()?;
        // A call that costs nothing is one that the model does not do, such as output of an embedding.
        (usd > Usd::ZERO && fits(usd)).then_some((usd, &model.id))
    });
    let (usd, model) = priced.max()?;
    Some(Advice {
        model: model.clone(),
        usd,
        saves: own.checked_sub(usd)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advised(model: &str, room: Option<&str>) -> Option<String> {
        let demand = Demand {
            input_tokens: 1_000_000,
            longest_input: 100_000,
            output_tokens: 100_000,
            ..Demand::default()
        };
        let at = "2026-11-01T00:00:00Z".parse().unwrap();
        let room = room.map(|room| room.parse().unwrap());
        let table = Table::built_in().unwrap();
        advise(&table, ("anthropic", model), &demand, room, at)
            .map(|advice| format!("{} ${} saves ${}", advice.model, advice.usd, advice.saves))
    }

    #[test]
    fn the_next_cheaper_model_of_the_provider_is_named_with_what_it_saves() {
        let advice = advised("claude-opus-4-5", None).unwrap();
        assert!(advice.starts_with("claude-sonnet-"), "{advice}");
        assert!(advice.ends_with("$5.25 saves $3.5"), "{advice}");
    }

    #[test]
    fn what_costs_nothing_cannot_do_the_call() {
        // Some tables say that the output of an embedding is free, because there is none.
        let price = |output: &str| format!(r#"{{"input_mtok": 1, "output_mtok": {output}}}"#);
        let model = |id: &str, output: &str| {
            let prices = price(output);
            format!(r#"{{"id": "{id}", "match": {{"equals": "{id}"}}, "prices": {prices}}}"#)
        };
        let models = [
            model("chat", "10"),
            model("embed", "0"),
            model("small", "5"),
        ];
        let named = |models: &[String]| {
            let provider = format!(r#"{{"id": "p", "models": [{}]}}"#, models.join(", "));
            let table = Table::read(&format!(
                r#"{{"schema": "maestro.prices/v1", "source": "s", "date": "2026-01-01", "currency": "USD", "providers": [{provider}]}}"#
            ));
            let demand = Demand {
                output_tokens: 1_000_000,
                ..Demand::default()
            };
            let at = "2026-11-01T00:00:00Z".parse().unwrap();
            let advice = advise(&table.unwrap(), ("p", "chat"), &demand, None, at);
            advice.map(|advice| advice.model)
        };
        assert_eq!(named(&models).as_deref(), Some("small"));
        assert_eq!(named(&models[..2]), None);
    }

    #[test]
    fn what_does_not_fit_into_what_is_left_is_no_advice() {
        let advice = advised("claude-opus-4-5", Some("2")).unwrap();
        assert!(advice.starts_with("claude-haiku-4-5"), "{advice}");
        assert_eq!(advised("claude-opus-4-5", Some("0.01")), None);
        assert_eq!(advised("no-such-model", None), None);
    }
}
