//! What `codex exec --json` prints: one event a line (openai/codex, `codex-rs/exec/src/exec_events.rs`).
//!
//! `usage` of `turn.completed` counts the whole thread so far, cached input as a part of the input. No event names the model.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ForeignProblem, Found, Row};
use crate::json;
use crate::llm::usage::{self, Flavor};

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    thread_id: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    item: Option<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(rename = "input_tokens")]
    input: Value,
    #[serde(default, rename = "cached_input_tokens")]
    cached: Value,
    #[serde(rename = "output_tokens")]
    output: Value,
    #[serde(default, rename = "reasoning_output_tokens")]
    reasoning: Value,
}

/// Reads events of Codex; lines that are no JSON objects are what other programs printed.
pub(crate) fn codex(text: &str) -> Result<Found, ForeignProblem> {
    let mut found = Found::default();
    let mut thread = String::new();
    let mut searches = 0;
    for (number, line) in (1_u64..).zip(text.lines()) {
        if !line.trim_ascii_start().starts_with('{') {
            continue;
        }
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let event: Event = json::read(line).map_err(|error| ForeignProblem::Json(place, error))?;
        match event.kind.as_str() {
            "thread.started" => {
                thread = event.thread_id.unwrap_or_default();
                searches = 0;
            }
            "item.completed" => {
                let kind = event.item.and_then(|item| item.kind);
                searches += u64::from(kind.as_deref() == Some("web_search"));
            }
            "turn.completed" => match event.usage {
                Some(counts) => {
                    let usage = counts.read(number)?;
                    found.rows.push(Row {
                        line: number,
                        key: thread.clone(),
                        usage: usage::Usage {
                            web_searches: searches,
                            ..usage
                        },
                        is_running: true,
                        ..Row::default()
                    });
                }
                None => found
                    .notes
                    .push((number, "a turn says nothing of what was used".to_owned())),
            },
            "turn.failed" => found.notes.push((
                number,
                "a turn failed, and Codex does not say what it had used".to_owned(),
            )),
            _ => {}
        }
    }
    if found.rows.is_empty() && found.notes.is_empty() {
        return Err(ForeignProblem::Nothing);
    }
    Ok(found)
}

impl Usage {
    fn read(self, line: u64) -> Result<usage::Usage, ForeignProblem> {
        let body = json!({"usage": {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
        }});
        usage::read(&body, Flavor::Responses)
            .map_err(|problem| ForeignProblem::Usage { line, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_a_thread_are_read() {
        let text = r#"Reading prompt from stdin...
{"type":"thread.started","thread_id":"t-1"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"item_0","type":"web_search","query":"q"}}
{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}
{"type":"turn.failed","error":{"message":"m"}}"#;
        let found = codex(text).unwrap();
        let row = &found.rows[0];
        assert_eq!(
            (row.line, row.key.as_str(), row.is_running),
            (5, "t-1", true)
        );
        let usage = row.usage;
        assert_eq!(
            (
                usage.net_input_tokens,
                usage.cache_read_tokens,
                usage.output_tokens,
                usage.web_searches
            ),
            (315, 24448, 122, 1)
        );
        assert_eq!(found.notes[0].0, 6);
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        let problem = |usage: &str| {
            codex(&format!(
                "{{\"type\":\"turn.completed\",\"usage\":{usage}}}"
            ))
            .unwrap_err()
            .to_string()
        };
        assert!(
            problem(r#"{"input_tokens":5,"cached_input_tokens":6,"output_tokens":1}"#)
                .contains("line 1: `usage.input_tokens_details.cached_tokens` is more than")
        );
        assert!(
            problem(r#"{"input_tokens":-5,"output_tokens":1}"#).contains("no number of tokens")
        );
        assert_eq!(
            codex("{}").unwrap_err().to_string(),
            "it says nothing of what was used"
        );
    }

    #[test]
    fn turns_alone_and_failures_alone_say_something() {
        let turn = r#"{"type":"turn.completed","usage":{"input_tokens":2,"output_tokens":1}}"#;
        let found = codex(turn).unwrap();
        assert_eq!((found.rows.len(), found.notes.len()), (1, 0));
        let found = codex(r#"{"type":"turn.failed","error":{"message":"m"}}"#).unwrap();
        assert_eq!((found.rows.len(), found.notes.len()), (0, 1));
    }
}
