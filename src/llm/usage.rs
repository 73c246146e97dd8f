//! What a provider says that a call used, as disjoint buckets.
//!
//! Fields: Anthropic, "Messages" (`usage`; its `input_tokens` are without what was read from or written to the cache); OpenAI, "Chat
//! Completions", "Responses" and "Embeddings" (its input tokens are all of them).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tokens and other things that are paid for; no token is in two of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Usage {
    /// Input that was neither read from the cache nor written to it, nor audio.
    pub(crate) net_input_tokens: u64,
    /// Input that was read from the cache.
    pub(crate) cache_read_tokens: u64,
    /// Input that was written to the cache, for five minutes or for as long as the provider keeps it.
    pub(crate) cache_write_5m_tokens: u64,
    /// Input that was written to the cache for an hour.
    pub(crate) cache_write_1h_tokens: u64,
    /// Input that is audio.
    pub(crate) input_audio_tokens: u64,
    /// Output that is not audio; reasoning is a part of it.
    pub(crate) output_tokens: u64,
    /// Output that is audio.
    pub(crate) output_audio_tokens: u64,
    /// Of the output, what the model thought.
    pub(crate) reasoning_tokens: u64,
    /// Searches that the provider ran.
    pub(crate) web_searches: u64,
}

impl Usage {
    /// Returns all input, whatever it costs; nothing when that is more than can be counted.
    pub(crate) fn input_tokens(&self) -> Option<u64> {
        self.net_input_tokens
            .checked_add(self.cache_read_tokens)?
            .checked_add(self.cache_write_5m_tokens)?
            .checked_add(self.cache_write_1h_tokens)?
            .checked_add(self.input_audio_tokens)
    }
}

/// Whose words an answer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// Anthropic's Messages.
    Messages,
    /// OpenAI's Chat Completions, which others speak as well.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// OpenAI's Embeddings.
    Embeddings,
}

impl Flavor {
    /// Names, as the price table's source has them; `messages` is ours for its `default`.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("messages", Self::Messages),
        ("default", Self::Messages),
        ("chat", Self::Chat),
        ("responses", Self::Responses),
        ("embeddings", Self::Embeddings),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names
            .find(|(known, _)| *known == name)
            .map(|(_, flavor)| *flavor)
    }

    /// Returns the flavor that an answer's own words tell.
    pub(crate) fn of(body: &Value) -> Option<Self> {
        let usage = usage_of(body)?;
        let has = |key: &str| usage.get(key).is_some();
        Some(if has("prompt_tokens") {
            let is_embedding = !has("completion_tokens") || body["object"] == "list";
            if is_embedding {
                Self::Embeddings
            } else {
                Self::Chat
            }
        } else if has("total_tokens") || has("input_tokens_details") {
            Self::Responses
        } else if has("input_tokens") {
            Self::Messages
        } else {
            return None;
        })
    }
}

/// Why an answer does not say what it used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageProblem {
    #[error("the body has no `usage`")]
    Missing,
    #[error("`usage.{0}` is missing")]
    NoField(String),
    #[error("`usage.{field}` is `{value}`, which is no number of tokens")]
    NotANumber { field: String, value: String },
    #[error("`usage.{part}` is more than `usage.{whole}`, which it is part of")]
    MoreThanAll { part: String, whole: String },
    #[error("`usage` counts more tokens than there are numbers")]
    TooLarge,
}

fn usage_of(body: &Value) -> Option<&Value> {
    let found = body
        .get("usage")
        .or_else(|| body.get("response")?.get("usage"));
    found.filter(|usage| usage.is_object())
}

/// The fields of an answer's usage.
struct Fields<'v>(&'v Value);

impl Fields<'_> {
    /// Returns a number; what is not there or null is none.
    fn get(&self, path: &[&str]) -> Result<Option<u64>, UsageProblem> {
        let mut value = self.0;
        for key in path {
            match value.get(key) {
                Some(found) if !found.is_null() => value = found,
                _ => return Ok(None),
            }
        }
        // Some servers write whole numbers as `12.0`.
        let number = value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            let is_whole =
                number >= 0.0 && number.fract() == 0.0 && number < 9_007_199_254_740_992.0;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a whole number below 2^53"
            )]
            is_whole.then_some(number as u64)
        });
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(UsageProblem::NotANumber {
                field: path.join("."),
                value: value.to_string().chars().take(40).collect(),
            }),
        }
    }

    fn or_none(&self, path: &[&str]) -> Result<u64, UsageProblem> {
        Ok(self.get(path)?.unwrap_or(0))
    }

    fn needed(&self, field: &str) -> Result<u64, UsageProblem> {
        self.get(&[field])?
            .ok_or_else(|| UsageProblem::NoField(field.to_owned()))
    }

    /// Takes parts off a whole.
    fn less(&self, whole: &str, parts: &[&[&str]]) -> Result<u64, UsageProblem> {
        let mut rest = self.needed(whole)?;
        for part in parts {
            let count = self.or_none(part)?;
            rest = rest
                .checked_sub(count)
                .ok_or_else(|| UsageProblem::MoreThanAll {
                    part: part.join("."),
                    whole: whole.to_owned(),
                })?;
        }
        Ok(rest)
    }
}

/// Reads what an answer says that it used.
pub(crate) fn read(body: &Value, flavor: Flavor) -> Result<Usage, UsageProblem> {
    let fields = Fields(usage_of(body).ok_or(UsageProblem::Missing)?);
    let usage = match flavor {
        Flavor::Messages => messages(&fields)?,
        Flavor::Chat => chat(&fields)?,
        Flavor::Responses => responses(&fields)?,
        Flavor::Embeddings => Usage {
            net_input_tokens: fields.needed("prompt_tokens")?,
            ..Usage::default()
        },
    };
    usage.input_tokens().ok_or(UsageProblem::TooLarge)?;
    Ok(usage)
}

/// Reads what other models did inside an answer: an advisor is a model of its own, and `usage` beside it does not count its tokens
/// (Anthropic, "Advisor tool", `usage.iterations`).
pub(crate) fn others(body: &Value) -> Result<Vec<(String, Usage)>, UsageProblem> {
    let iterations = usage_of(body).and_then(|usage| usage["iterations"].as_array());
    let advisors = iterations
        .into_iter()
        .flatten()
        .filter(|iteration| iteration["type"] == "advisor_message");
    advisors
        .map(|iteration| {
            let usage = messages(&Fields(iteration))?;
            usage.input_tokens().ok_or(UsageProblem::TooLarge)?;
            let model = iteration["model"].as_str().unwrap_or_default();
            Ok((model.to_owned(), usage))
        })
        .collect()
}

fn messages(fields: &Fields<'_>) -> Result<Usage, UsageProblem> {
    let written = fields.or_none(&["cache_creation_input_tokens"])?;
    let hour = fields.or_none(&["cache_creation", "ephemeral_1h_input_tokens"])?;
    let five = fields.or_none(&["cache_creation", "ephemeral_5m_input_tokens"])?;
    // Older answers only have the sum; where both are there and differ, the greater one is paid for.
    let five = five.max(written.saturating_sub(hour));
    Ok(Usage {
        net_input_tokens: fields.needed("input_tokens")?,
        cache_read_tokens: fields.or_none(&["cache_read_input_tokens"])?,
        cache_write_5m_tokens: five,
        cache_write_1h_tokens: hour,
        output_tokens: fields.needed("output_tokens")?,
        reasoning_tokens: fields.or_none(&["output_tokens_details", "thinking_tokens"])?,
        web_searches: fields.or_none(&["server_tool_use", "web_search_requests"])?,
        ..Usage::default()
    })
}

fn chat(fields: &Fields<'_>) -> Result<Usage, UsageProblem> {
    let read = &["prompt_tokens_details", "cached_tokens"][..];
    let written = &["prompt_tokens_details", "cache_write_tokens"][..];
    let heard = &["prompt_tokens_details", "audio_tokens"][..];
    let spoken = &["completion_tokens_details", "audio_tokens"][..];
    // Anthropic's own form of this protocol has it beside the others.
    let read = if fields.get(read)?.is_some() {
        read
    } else {
        &["cached_tokens"]
    };
    let rest = fields.less("prompt_tokens", &[read, written])?;
    // Audio that was read from the cache is counted as both; it is paid for as what was read.
    let audio = fields.or_none(heard)?.min(rest);
    Ok(Usage {
        net_input_tokens: rest - audio,
        cache_read_tokens: fields.or_none(read)?,
        cache_write_5m_tokens: fields.or_none(written)?,
        input_audio_tokens: audio,
        output_tokens: fields.less("completion_tokens", &[spoken])?,
        output_audio_tokens: fields.or_none(spoken)?,
        reasoning_tokens: fields.or_none(&["completion_tokens_details", "reasoning_tokens"])?,
        ..Usage::default()
    })
}

fn responses(fields: &Fields<'_>) -> Result<Usage, UsageProblem> {
    let read = &["input_tokens_details", "cached_tokens"][..];
    let written = &["input_tokens_details", "cache_write_tokens"][..];
    Ok(Usage {
        net_input_tokens: fields.less("input_tokens", &[read, written])?,
        cache_read_tokens: fields.or_none(read)?,
        cache_write_5m_tokens: fields.or_none(written)?,
        output_tokens: fields.needed("output_tokens")?,
        reasoning_tokens: fields.or_none(&["output_tokens_details", "reasoning_tokens"])?,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(flavor: Flavor, usage: &Value, buckets: [u64; 4]) {
        let body = json!({ "usage": usage });
        assert_eq!(Flavor::of(&body), Some(flavor));
        let usage = read(&body, flavor).unwrap();
        let found = [
            usage.net_input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_5m_tokens,
            usage.output_tokens,
        ];
        assert_eq!(found, buckets);
    }

    #[test]
    fn the_input_of_anthropic_is_net_and_that_of_openai_is_all() {
        check(
            Flavor::Messages,
            &json!({"input_tokens": 16, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 100, "output_tokens": 3}),
            [16, 100, 7, 3],
        );
        check(
            Flavor::Chat,
            &json!({"prompt_tokens": 120, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 100}}),
            [20, 100, 0, 3],
        );
        check(
            Flavor::Responses,
            &json!({"input_tokens": 120, "output_tokens": 3, "total_tokens": 123, "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 5}}),
            [15, 100, 5, 3],
        );
        check(
            Flavor::Embeddings,
            &json!({"prompt_tokens": 8, "total_tokens": 8}),
            [8, 0, 0, 0],
        );
    }

    #[test]
    fn writes_for_an_hour_are_told_apart() {
        let body = json!({"usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}, "server_tool_use": {"web_search_requests": 2}}});
        let usage = read(&body, Flavor::Messages).unwrap();
        assert_eq!(
            (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens),
            (10, 20)
        );
        assert_eq!((usage.input_tokens(), usage.web_searches), (Some(31), 2));
    }

    #[test]
    fn an_advisor_is_a_model_of_its_own() {
        let body = json!({"usage": {"input_tokens": 5, "output_tokens": 1, "iterations": [
            {"type": "message", "input_tokens": 5, "output_tokens": 1},
            {"type": "advisor_message", "model": "m", "input_tokens": 7, "output_tokens": 2}]}});
        let others = others(&body).unwrap();
        assert_eq!(others.len(), 1);
        assert_eq!(
            (others[0].0.as_str(), others[0].1.net_input_tokens),
            ("m", 7)
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let problem = |usage: &Value, flavor| {
            read(&json!({ "usage": usage }), flavor)
                .unwrap_err()
                .to_string()
        };
        let more = json!({"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}});
        assert!(problem(&more, Flavor::Chat).contains("more than `usage.prompt_tokens`"));
        for bad in [json!(-1), json!(1.5), json!("1"), json!(1e300), json!([1])] {
            let usage = json!({"input_tokens": bad, "output_tokens": 1});
            assert!(problem(&usage, Flavor::Messages).contains("no number of tokens"));
        }
        let huge =
            json!({"input_tokens": u64::MAX, "cache_read_input_tokens": 1, "output_tokens": 1});
        assert!(problem(&huge, Flavor::Messages).contains("more tokens than"));
        assert!(
            problem(&json!({"output_tokens": 1}), Flavor::Messages)
                .contains("`usage.input_tokens` is missing")
        );
        assert_eq!(read(&json!({}), Flavor::Chat), Err(UsageProblem::Missing));
        let whole = json!({"usage": {"input_tokens": 12.0, "output_tokens": null, "cache_read_input_tokens": null}});
        assert_eq!(
            read(&whole, Flavor::Messages),
            Err(UsageProblem::NoField("output_tokens".into()))
        );
    }
}
