//! Golden cases: variables in, and what must come out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::diff::diff;
use super::file::{GoldenFile, PromptFile};
use super::output_schema::check;
use super::prepared::{DELIMITER, Message, Prepared};
use super::references::name_fault;

/// What stands for a run's delimiter in a case that gives none.
pub(super) const GOLDEN_DELIMITER: &str = "GoldenDelimiter00";

/// One expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) words: String,
    /// The difference line by line: `-` expected, `+` found.
    pub(crate) diff: Option<String>,
}

/// What became of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) mismatches: Vec<Mismatch>,
    /// The file below `golden/` that holds the messages to the byte, and what it should hold.
    pub(crate) rendering: Option<(String, String)>,
}

/// Writes messages as a file of golden cases holds them.
pub(crate) fn written(messages: &[Message]) -> String {
    let messages = messages.iter();
    let messages =
        messages.map(|message| format!("=== {}\n{}\n", message.role.name(), message.content));
    messages.collect()
}

/// Runs a case.
pub(crate) fn run(
    file: &PromptFile,
    prepared: &Prepared,
    case: &GoldenFile,
    golden: &BTreeMap<String, String>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut complain = |words: String, diff: Option<String>| {
        outcome.mismatches.push(Mismatch { words, diff });
    };
    let expect = &case.expect;
    if expect.is_empty() {
        complain("it expects nothing".into(), None);
    }
    answers(file, case, &mut complain);
    let mut values: serde_json::Map<_, _> = case.variables.clone().into_iter().collect();
    let delimiter = Value::from(GOLDEN_DELIMITER);
    values.entry(DELIMITER).or_insert(delimiter);
    let messages = match (prepared.render(values), &expect.error) {
        (Err(problem), Some(error)) if problem.words.contains(error.as_str()) => return outcome,
        (Err(problem), Some(error)) => {
            complain(
                format!("expected an error with `{error}`, found: {}", problem.words),
                None,
            );
            return outcome;
        }
        (Err(problem), None) => {
            complain(format!("does not render: {}", problem.words), None);
            return outcome;
        }
        (Ok(_), Some(error)) => {
            complain(
                format!("expected an error with `{error}`, and it renders"),
                None,
            );
            return outcome;
        }
        (Ok(messages), None) => messages,
    };
    let has = |text: &str| {
        messages
            .iter()
            .any(|message| message.content.contains(text))
    };
    for text in expect.contains.iter().filter(|text| !has(text)) {
        complain(format!("no message has `{text}`"), None);
    }
    for text in expect.excludes.iter().filter(|text| has(text)) {
        complain(format!("a message has `{text}`"), None);
    }
    if let Some(name) = &expect.rendering {
        let found = written(&messages);
        match golden.get(name) {
            _ if name_fault(name).is_some() => {
                complain(format!("`{name}` leaves `prompts/golden/`"), None);
            }
            None => complain(format!("there is no `prompts/golden/{name}`"), None),
            Some(expected) if *expected != found => {
                let words = format!("differs from `prompts/golden/{name}`");
                complain(words, Some(diff(expected, &found)));
            }
            Some(_) => {}
        }
        if name_fault(name).is_none() {
            outcome.rendering = Some((name.clone(), found));
        }
    }
    outcome
}

/// Holds the answers of a case against the output schema.
fn answers(file: &PromptFile, case: &GoldenFile, complain: &mut dyn FnMut(String, Option<String>)) {
    let expect = &case.expect;
    if expect.valid_output.is_none() && expect.invalid_output.is_none() {
        return;
    }
    let Some(schema) = &file.output else {
        return complain(
            "there is no `output` to hold an answer against".into(),
            None,
        );
    };
    if let Some(Err(mismatches)) = expect
        .valid_output
        .as_ref()
        .map(|answer| check(schema, answer))
    {
        complain(
            format!("`valid_output` is refused: {}", mismatches.join("; ")),
            None,
        );
    }
    if expect
        .invalid_output
        .as_ref()
        .is_some_and(|answer| check(schema, answer).is_ok())
    {
        complain("`invalid_output` is taken".into(), None);
    }
}
