//! Answers of models from a file: a team at work without a model, for a demonstration, or to try out what a configuration lets roles do.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::oracle::MoneyProblem;
use super::place::read_bytes;
use crate::cli::session::Session;
use crate::conduct::model::{NoAnswer, Till};
use crate::error::{CommandError, ErrorKind};
use crate::json;
use crate::llm::reply::{Answer, Part, Stop};

const SCHEMA: &str = "maestro.agent-answers/v1";

/// No file of answers is larger.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What models answered, by task.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.agent-answers/v1"))]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswersFile {
    /// `maestro.agent-answers/v1`
    schema: String,
    /// Those of one task in the order in which they are given.
    answers: Vec<AnswerFile>,
}

/// One answer.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
struct AnswerFile {
    /// The task's id; `plan` is the planner's.
    task: String,
    /// The last word: a text, or the object that the role's prompt wants.
    says: Value,
    /// What it used, as Anthropic's Messages have it (`input_tokens`, `output_tokens`, …): it is priced as if it had been paid.
    usage: Value,
}

/// Answers that are left.
pub(super) struct Recorded(Mutex<BTreeMap<String, VecDeque<Answer>>>);

impl Recorded {
    pub(super) fn read(session: &Session<'_>, path: &Path) -> Result<Self, CommandError> {
        let path = session.base.join(path);
        let bytes = read_bytes(session, &path, LARGEST)?;
        let bad = |what: String| {
            let message = format!("`{}` is no file of answers: {what}", path.display());
            CommandError::message(ErrorKind::BadInput, message)
                .hint("`maestro util schema agent-answers` prints what may stand where")
        };
        let file: AnswersFile = json::read(&bytes).map_err(|error| bad(error.to_string()))?;
        if file.schema != SCHEMA {
            return Err(bad(format!(
                "its schema is `{}`, and not `{SCHEMA}`",
                file.schema
            )));
        }
        let mut left: BTreeMap<String, VecDeque<Answer>> = BTreeMap::new();
        for one in file.answers {
            let text = match one.says {
                Value::String(text) => text,
                says => says.to_string(),
            };
            left.entry(one.task).or_default().push_back(Answer {
                id: None,
                model: None,
                parts: vec![Part::Text(text)],
                stop: Stop::End,
                usage: Some(one.usage),
            });
        }
        Ok(Self(Mutex::new(left)))
    }

    /// Gives the next answer of a task, and has it paid for.
    pub(super) fn next<T: Till<Problem = MoneyProblem>>(
        &self,
        task: &str,
        till: &mut T,
    ) -> Result<Answer, NoAnswer<MoneyProblem>> {
        let ticket = till.reserve().map_err(NoAnswer::Money)?;
        let next = {
            let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            left.get_mut(task).and_then(VecDeque::pop_front)
        };
        let Some(answer) = next else {
            till.release(ticket).map_err(NoAnswer::Money)?;
            let words = format!("no answer of the task `{task}` is left");
            return Err(NoAnswer::Refused { status: 404, words });
        };
        till.settle(ticket, &answer).map_err(NoAnswer::Money)?;
        Ok(answer)
    }
}
