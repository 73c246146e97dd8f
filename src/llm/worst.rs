//! What a call may cost at worst, before it is made.
//!
//! Input: a token is at least one byte, so that a request has no more tokens than bytes, and what the provider adds; at the dearest rate
//! that can hold for it. Output: as much as the request allows. What a request brings in from elsewhere (an earlier answer, a file, the
//! pages that a search finds) has no bound of its own but the model's context.
//! Fields: Anthropic, "Messages", "Web search tool"; OpenAI, "Chat Completions", "Responses", "Embeddings". Tokens of an image: OpenAI,
//! "Images and vision"; of tools: Anthropic, "Tool use", pricing.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::prices::rates::Rates;
use super::prices::{Model, PriceProblem, Provider, Table};
use super::usage::Flavor;
use crate::money::Usd;

/// What a provider adds to a request: marks around messages, and a text about tools.
pub(crate) const FRAMING: u64 = 2_048;

/// A tool that the provider knows brings a description of its own.
const KNOWN_TOOL: u64 = 4_096;

/// No image is more; one of a few bytes may be as large as any.
const IMAGE: u64 = 65_536;

/// A price may change while a call is under way.
const LONGEST_CALL: SignedDuration = SignedDuration::from_hours(1);

/// What bounds a request that does not bound itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// The model's context, in tokens.
    pub(crate) context: Option<u64>,
    /// The model's largest output, in tokens, where the request sets none.
    pub(crate) output: Option<u64>,
}

/// How much a call may use at worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// All input together.
    pub(crate) input_tokens: u64,
    /// The most that one round has: what decides about the rate of long requests.
    pub(crate) longest_input: u64,
    pub(crate) output_tokens: u64,
    pub(crate) web_searches: u64,
    /// Whether input may be written to the cache for an hour.
    pub(crate) writes_for_an_hour: bool,
}

/// Why nobody can say what a call may cost at worst.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WorstProblem {
    #[error("the request does not say how much output it wants at most: `{0}`")]
    NoLimit(&'static str),
    #[error("`{field}` is `{value}`, which is no number of tokens")]
    NotANumber { field: &'static str, value: String },
    #[error("`{0}` brings in what has no bound")]
    Unbounded(&'static str),
    #[error("the tool `{0}` may be used without limit")]
    UnlimitedTool(String),
    #[error("`{0}` has a price of its own, which the table does not have")]
    NoPrice(&'static str),
    #[error("more tokens than there are numbers")]
    TooLarge,
    #[error(transparent)]
    Price(#[from] PriceProblem),
}

/// Returns what a request may cost at worst; `length` is that of its body.
pub(crate) fn of_request(
    table: &Table,
    (provider, model): (&str, &str),
    (body, length, flavor): (&Value, u64, Flavor),
    limits: Limits,
    at: Timestamp,
) -> Result<Usd, WorstProblem> {
    let demand = demand(body, length, flavor, limits)?;
    Ok(of_demand(table, (provider, model), &demand, at)?)
}

/// Returns what so much may cost at worst.
pub(crate) fn of_demand(
    table: &Table,
    (provider, model): (&str, &str),
    demand: &Demand,
    at: Timestamp,
) -> Result<Usd, PriceProblem> {
    let (payee, model) = table.model(provider, model)?;
    let later = at.saturating_add(LONGEST_CALL).unwrap_or(at);
    let now = at_rates(payee, model, model.rates(at), demand)?;
    let then = at_rates(payee, model, model.rates(later), demand)?;
    Ok(now.max(then))
}

fn at_rates(
    payee: &Provider,
    model: &Model,
    rates: &Rates,
    demand: &Demand,
) -> Result<Usd, PriceProblem> {
    let missing = |what: &'static str| PriceProblem::NoRate(what, model.id.clone());
    let mut inputs = vec![
        Rates::INPUT,
        Rates::CACHE_READ,
        Rates::CACHE_WRITE,
        Rates::INPUT_AUDIO,
    ];
    if demand.writes_for_an_hour {
        inputs.push(Rates::CACHE_WRITE_1H);
    }
    let mut input = dearest(rates, &inputs, demand.longest_input);
    if demand.writes_for_an_hour {
        let once = dearest(rates, &[Rates::INPUT], demand.longest_input);
        let twice = once.and_then(|once| once.times(2));
        input = input.max(twice);
    }
    let outputs = [Rates::OUTPUT, Rates::OUTPUT_AUDIO];
    let output = dearest(rates, &outputs, demand.longest_input);
    let parts = [
        (demand.input_tokens, input, "input"),
        (demand.output_tokens, output, "output"),
        (demand.web_searches, payee.web_search, "web searches"),
        (1, Some(rates.request.unwrap_or(Usd::ZERO)), "request"),
    ];
    let mut sum = Usd::ZERO;
    for (count, rate, what) in parts.into_iter().filter(|part| part.0 > 0) {
        let cost = rate.ok_or_else(|| missing(what))?.times(count);
        let cost = cost.ok_or(PriceProblem::TooLarge)?;
        sum = sum.checked_add(cost).ok_or(PriceProblem::TooLarge)?;
    }
    Ok(sum)
}

/// Returns the dearest of some rates for requests of any length up to one.
fn dearest(rates: &Rates, kinds: &[usize], longest: u64) -> Option<Usd> {
    let starts = rates.starts().into_iter().filter(|start| *start < longest);
    let lengths: Vec<u64> = starts.map(|start| start + 1).chain([0]).collect();
    let all = kinds
        .iter()
        .flat_map(|kind| lengths.iter().filter_map(|length| rates.of(*kind, *length)));
    all.max()
}

/// Returns how much a request may use at worst.
pub(crate) fn demand(
    body: &Value,
    length: u64,
    flavor: Flavor,
    limits: Limits,
) -> Result<Demand, WorstProblem> {
    refuse_other_prices(body)?;
    let seen = Seen::of(body);
    let tools = Tools::of(body)?;
    let bound = length
        .checked_add(FRAMING)
        .and_then(|bound| bound.checked_add(seen.images.checked_mul(IMAGE)?))
        .and_then(|bound| bound.checked_add(tools.known.checked_mul(KNOWN_TOOL)?))
        .ok_or(WorstProblem::TooLarge)?;
    let from_elsewhere = seen.elsewhere.or(tools.searches.map(|_| "tools"));
    let input = match (from_elsewhere, limits.context) {
        (None, _) => bound,
        (Some(_), Some(context)) => context,
        (Some(field), None) => return Err(WorstProblem::Unbounded(field)),
    };
    let rounds = tools.searches.unwrap_or(0).checked_add(1);
    let all = rounds.and_then(|rounds| input.checked_mul(rounds));
    Ok(Demand {
        input_tokens: all.ok_or(WorstProblem::TooLarge)?,
        longest_input: input,
        output_tokens: output(body, length, flavor, limits)?,
        web_searches: tools.searches.unwrap_or(0),
        writes_for_an_hour: seen.hour,
    })
}

fn output(body: &Value, length: u64, flavor: Flavor, limits: Limits) -> Result<u64, WorstProblem> {
    let fields: &[&'static str] = match flavor {
        Flavor::Messages => &["max_tokens"],
        Flavor::Chat => &["max_completion_tokens", "max_tokens"],
        Flavor::Responses => &["max_output_tokens"],
        Flavor::Embeddings => return Ok(0),
    };
    let mut most = None;
    for field in fields {
        // Where both are there, nobody knows which one counts.
        most = most.max(count(body, field)?);
    }
    let each = most
        .or(limits.output)
        .ok_or(WorstProblem::NoLimit(fields[0]))?;
    let mut answers = 1;
    for field in ["n", "best_of"] {
        answers = answers.max(count(body, field)?.unwrap_or(1));
    }
    // What was predicted and did not come true is paid for as output.
    let predicted = if body["prediction"].is_null() {
        0
    } else {
        length
    };
    each.checked_add(predicted)
        .and_then(|each| each.checked_mul(answers))
        .ok_or(WorstProblem::TooLarge)
}

fn count(body: &Value, field: &'static str) -> Result<Option<u64>, WorstProblem> {
    match &body[field] {
        Value::Null => Ok(None),
        value => match value.as_u64() {
            Some(count) => Ok(Some(count)),
            None => Err(WorstProblem::NotANumber {
                field,
                value: value.to_string().chars().take(40).collect(),
            }),
        },
    }
}

/// Some ways to be served have prices of their own.
fn refuse_other_prices(body: &Value) -> Result<(), WorstProblem> {
    let others = [
        ("service_tier", &["priority"][..]),
        ("speed", &["fast"]),
        ("inference_geo", &["us"]),
    ];
    for (field, values) in others {
        if body[field]
            .as_str()
            .is_some_and(|value| values.contains(&value))
        {
            return Err(WorstProblem::NoPrice(field));
        }
    }
    Ok(())
}

/// What stands anywhere in a request.
#[derive(Debug, Default)]
struct Seen {
    images: u64,
    /// What brings in more than the request has.
    elsewhere: Option<&'static str>,
    hour: bool,
}

impl Seen {
    fn of(body: &Value) -> Self {
        let mut seen = Self::default();
        for field in [
            "previous_response_id",
            "conversation",
            "container",
            "mcp_servers",
        ] {
            if !body[field].is_null() && body[field].as_array().is_none_or(|all| !all.is_empty()) {
                seen.elsewhere = Some(field);
            }
        }
        if body["prompt"].is_object() {
            seen.elsewhere = Some("prompt");
        }
        let mut open = vec![body];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(values) => open.extend(values),
                Value::Object(fields) => {
                    seen.part(value);
                    open.extend(fields.values());
                }
                _ => {}
            }
        }
        seen
    }

    fn part(&mut self, part: &Value) {
        match part["type"].as_str() {
            Some("image" | "image_url" | "input_image" | "computer_screenshot") => self.images += 1,
            Some("document" | "file" | "input_file" | "container_upload" | "item_reference") => {
                let is_text = ["text", "content"]
                    .contains(&part["source"]["type"].as_str().unwrap_or_default());
                if !is_text {
                    self.elsewhere = Some("file");
                }
            }
            Some("ephemeral") if part["ttl"] == "1h" => self.hour = true,
            _ => {}
        }
    }
}

/// What a provider may do by itself.
#[derive(Debug, Default)]
struct Tools {
    /// Searches, where there may be any.
    searches: Option<u64>,
    /// Tools that the provider describes by itself.
    known: u64,
}

impl Tools {
    fn of(body: &Value) -> Result<Self, WorstProblem> {
        let mut found = Self::default();
        if !body["web_search_options"].is_null() {
            return Err(WorstProblem::UnlimitedTool("web_search_options".to_owned()));
        }
        let mut open: Vec<&Value> = tools_of(body).collect();
        // Codex gives some of its tools in the conversation.
        let items = body["input"].as_array().into_iter().flatten();
        open.extend(
            items
                .filter(|item| item["type"] == "additional_tools")
                .flat_map(tools_of),
        );
        while let Some(tool) = open.pop() {
            let kind = tool["type"].as_str().unwrap_or("custom");
            if ["custom", "function"].contains(&kind) {
                continue;
            }
            // A group of other tools.
            if kind == "namespace" {
                open.extend(tools_of(tool));
                continue;
            }
            found.known += 1;
            let is_hosted = tool["environment"]["type"]
                .as_str()
                .is_some_and(|place| place.starts_with("container"));
            if is_run_by_the_caller(kind) && !is_hosted {
                continue;
            }
            let most = tool["max_uses"]
                .as_u64()
                .filter(|_| kind.starts_with("web_search_"));
            let most = most.ok_or_else(|| WorstProblem::UnlimitedTool(kind.to_owned()))?;
            let all = found.searches.unwrap_or(0).checked_add(most);
            found.searches = Some(all.ok_or(WorstProblem::TooLarge)?);
        }
        Ok(found)
    }
}

/// Returns the tools that stand in a request, an item of it or a group.
fn tools_of(value: &Value) -> impl Iterator<Item = &Value> {
    value["tools"].as_array().into_iter().flatten()
}

/// Tools that a provider describes and the caller runs: each use is a call of its own.
fn is_run_by_the_caller(kind: &str) -> bool {
    let kinds = [
        "bash_",
        "text_editor_",
        "computer_",
        "memory_",
        "local_shell",
        "apply_patch",
        "shell",
    ];
    kinds.iter().any(|known| kind.starts_with(known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::llm::usage::Usage;

    fn table() -> Table {
        let text = json!({"schema": "maestro.prices/v1", "source": "t", "date": "2026-01-01", "currency": "USD", "providers": [
            {"id": "p", "web_search_kcount": 10, "models": [
                {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": {"base": 3, "tiers": [{"start": 200_000, "price": 6}]},
                 "cache_write_mtok": {"base": 3.75, "tiers": [{"start": 200_000, "price": 7.5}]}, "cache_read_mtok": 0.3, "output_mtok": {"base": 15, "tiers": [{"start": 200_000, "price": 22.5}]}}},
                {"id": "d", "match": {"equals": "d"}, "prices": [{"prices": {"input_mtok": 1, "output_mtok": 1}},
                 {"constraint": {"start_date": "2026-02-01"}, "prices": {"input_mtok": 2, "output_mtok": 2}}]}]}]});
        Table::read(&text.to_string()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn worst(body: &Value, flavor: Flavor) -> Result<String, WorstProblem> {
        let length = body.to_string().len() as u64;
        let limits = Limits::default();
        let found = of_request(
            &table(),
            ("p", "m"),
            (body, length, flavor),
            limits,
            at("2026-01-01T00:00:00Z"),
        );
        found.map(|usd| usd.to_string())
    }

    #[test]
    fn the_worst_case_is_every_byte_as_a_token_that_is_written_to_the_cache_and_all_output() {
        let body = json!({"model": "m", "max_tokens": 1000, "messages": []});
        let length = body.to_string().len() as u64;
        let usd = Usd::from_pico(u128::from(length + FRAMING) * 3_750_000 + 1000 * 15_000_000);
        assert_eq!(worst(&body, Flavor::Messages).unwrap(), usd.to_string());
        // An hour in the cache costs twice the input.
        let hour = json!({"max_tokens": 1, "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]});
        let length = hour.to_string().len() as u64;
        let usd = Usd::from_pico(u128::from(length + FRAMING) * 6_000_000 + 15_000_000);
        assert_eq!(worst(&hour, Flavor::Messages).unwrap(), usd.to_string());
    }

    #[test]
    fn a_request_that_may_be_long_is_priced_as_a_long_one() {
        let demand = |input| Demand {
            input_tokens: input,
            longest_input: input,
            output_tokens: 1,
            ..Demand::default()
        };
        let usd = |input| {
            of_demand(
                &table(),
                ("p", "m"),
                &demand(input),
                at("2026-01-01T00:00:00Z"),
            )
            .unwrap()
        };
        assert_eq!(
            usd(200_000),
            Usd::from_pico(200_000 * 3_750_000 + 15_000_000)
        );
        assert_eq!(
            usd(200_001),
            Usd::from_pico(200_001 * 7_500_000 + 22_500_000)
        );
    }

    #[test]
    fn tools_are_found_in_groups_and_in_the_conversation() {
        let function = json!({"type": "function", "name": "f"});
        let groups = json!({"max_output_tokens": 1, "tools": [{"type": "namespace", "name": "n", "tools": [function]}]});
        assert!(worst(&groups, Flavor::Responses).is_ok());
        for hidden in [
            json!({"max_output_tokens": 1, "tools": [{"type": "namespace", "tools": [{"type": "web_search"}]}]}),
            json!({"max_output_tokens": 1, "input": [{"type": "additional_tools", "tools": [{"type": "namespace", "tools": [{"type": "web_search"}]}]}]}),
            json!({"max_output_tokens": 1, "tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}),
        ] {
            let problem = worst(&hidden, Flavor::Responses).unwrap_err();
            assert!(
                matches!(problem, WorstProblem::UnlimitedTool(_)),
                "{hidden}"
            );
        }
    }

    #[test]
    fn a_price_that_rises_while_the_call_is_under_way_counts() {
        let demand = Demand {
            input_tokens: 1,
            longest_input: 1,
            ..Demand::default()
        };
        let usd = |time| {
            of_demand(&table(), ("p", "d"), &demand, at(time))
                .unwrap()
                .to_string()
        };
        assert_eq!(usd("2026-01-31T22:00:00Z"), "0.000001");
        assert_eq!(usd("2026-01-31T23:30:00Z"), "0.000002");
    }

    #[test]
    fn several_answers_and_predictions_are_output_too() {
        let body = json!({"max_completion_tokens": 10, "max_tokens": 20, "n": 3});
        let found = demand(&body, 100, Flavor::Chat, Limits::default()).unwrap();
        assert_eq!(found.output_tokens, 60);
        let body = json!({"max_tokens": 20, "prediction": {"type": "content", "content": "x"}});
        assert_eq!(
            demand(&body, 100, Flavor::Chat, Limits::default())
                .unwrap()
                .output_tokens,
            120
        );
    }

    #[test]
    fn what_has_no_bound_is_refused_unless_somebody_gives_one() {
        let problem = |body: Value, flavor| {
            demand(&body, 10, flavor, Limits::default())
                .unwrap_err()
                .to_string()
        };
        assert!(problem(json!({"messages": []}), Flavor::Messages).contains("`max_tokens`"));
        assert!(
            problem(json!({"max_tokens": -1}), Flavor::Messages).contains("no number of tokens")
        );
        assert!(
            problem(
                json!({"max_output_tokens": 1, "previous_response_id": "r"}),
                Flavor::Responses
            )
            .contains("previous_response_id")
        );
        assert!(
            problem(
                json!({"max_tokens": 1, "tools": [{"type": "web_search_20250305"}]}),
                Flavor::Messages
            )
            .contains("without limit")
        );
        assert!(
            problem(
                json!({"max_output_tokens": 1, "tools": [{"type": "code_interpreter"}]}),
                Flavor::Responses
            )
            .contains("code_interpreter")
        );
        assert!(
            problem(
                json!({"max_tokens": 1, "service_tier": "priority"}),
                Flavor::Chat
            )
            .contains("service_tier")
        );
        assert!(
            problem(json!({"max_tokens": u64::MAX, "n": 2}), Flavor::Chat)
                .contains("than there are numbers")
        );
        let limits = Limits {
            context: Some(1000),
            output: Some(50),
        };
        let body = json!({"tools": [{"type": "web_search_20250305", "max_uses": 2}]});
        let found = demand(&body, 10, Flavor::Messages, limits).unwrap();
        assert_eq!(
            (found.input_tokens, found.web_searches, found.output_tokens),
            (3000, 2, 50)
        );
    }

    #[test]
    fn an_image_may_have_more_tokens_than_bytes() {
        let body = json!({"max_tokens": 1, "messages": [{"content": [{"type": "image", "source": {"type": "url", "url": "u"}}]}]});
        let found = demand(&body, 10, Flavor::Messages, Limits::default()).unwrap();
        assert_eq!(found.input_tokens, 10 + FRAMING + IMAGE);
    }

    #[test]
    fn an_unknown_model_is_refused() {
        let found = of_demand(
            &table(),
            ("p", "other"),
            &Demand::default(),
            at("2026-01-01T00:00:00Z"),
        );
        assert!(matches!(found, Err(PriceProblem::UnknownModel { .. })));
    }

    #[test]
    fn no_bill_within_the_bounds_is_above_the_worst_case() {
        let table = Table::built_in().unwrap();
        let time = at("2026-11-01T00:00:00Z");
        let mut checked = 0;
        for payee in &table.providers {
            for model in &payee.models {
                for input in [1_000, 250_000, 300_000] {
                    for share in 0..4_u64 {
                        let part = |kind: u64| if kind == share { input } else { 0 };
                        let usage = Usage {
                            net_input_tokens: part(0),
                            cache_read_tokens: part(1),
                            cache_write_5m_tokens: part(2),
                            cache_write_1h_tokens: part(3),
                            output_tokens: 500,
                            ..Usage::default()
                        };
                        let demand = Demand {
                            input_tokens: input,
                            longest_input: input,
                            output_tokens: 500,
                            writes_for_an_hour: true,
                            ..Demand::default()
                        };
                        let worst = at_rates(payee, model, model.rates(time), &demand);
                        let bill = payee.bill(model, &usage, time);
                        if let (Ok(worst), Ok(bill)) = (worst, bill) {
                            assert!(bill.total <= worst, "{} {input} {share}", model.id);
                            checked += 1;
                        }
                    }
                }
            }
        }
        assert!(checked > 500, "{checked}");
    }
}
