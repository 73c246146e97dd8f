//! A run told afterwards: who did what when, what it cost, what was decided and why.

use serde::Serialize;
use serde_json::Value;

use super::graph::TaskSpec;
use super::record::{Head, Record};
use super::step::{End, Turn};
use crate::money::Usd;

/// A step of a turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StepRow {
    /// `model`, `run`, `plan` or `reports`.
    pub(crate) what: String,
    /// One line of what came of it.
    pub(crate) line: String,
    /// From the run's beginning, in milliseconds.
    pub(crate) from_ms: Option<i64>,
    pub(crate) took_ms: Option<i64>,
}

/// A turn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TurnRow {
    pub(crate) task: String,
    pub(crate) role: String,
    /// From 1.
    #[serde(rename = "try")]
    pub(crate) number: u8,
    /// How often the ground under it changed.
    pub(crate) round: u16,
    /// `done`, `refused`, `broken`, `rejected`, `hopeless`, `money` or `open`.
    pub(crate) end: &'static str,
    /// Why it is not done.
    pub(crate) why: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) usd: String,
    /// From the run's beginning, in milliseconds.
    pub(crate) from_ms: Option<i64>,
    pub(crate) took_ms: Option<i64>,
    pub(crate) commit: Option<String>,
    pub(crate) steps: Vec<StepRow>,
    /// What it wrote on the blackboard.
    pub(crate) says: Vec<Value>,
}

/// A run, told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.run-story/v1"))]
pub(crate) struct Story {
    /// `maestro.run-story/v1`
    pub(crate) schema: &'static str,
    pub(crate) run: String,
    /// The version of maestro.
    pub(crate) version: String,
    pub(crate) began: String,
    /// In milliseconds, pauses included.
    pub(crate) took_ms: Option<i64>,
    /// How it ended; `open` when it did not.
    pub(crate) outcome: String,
    pub(crate) title: String,
    pub(crate) base: String,
    pub(crate) commit: Option<String>,
    pub(crate) spent_usd: String,
    /// How often it was gone on with.
    pub(crate) resumed: u32,
    /// What the planner's answers came to, before there were tasks.
    pub(crate) planning: Vec<StepRow>,
    pub(crate) turns: Vec<TurnRow>,
    /// Why it was stopped, if it was.
    pub(crate) halts: Vec<String>,
}

pub(crate) fn end_name(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::Refused => "refused",
        End::Broken => "broken",
        End::Rejected(_) => "rejected",
        End::Hopeless => "hopeless",
        End::Money => "money",
    }
}

/// Tells a run by its records and their times.
pub(crate) fn tell(head: &Head, records: &[Record], times: &[Option<i64>]) -> Story {
    let zero = times.first().copied().flatten();
    let since = |ms: Option<i64>| Some(ms? - zero?);
    let mut story = Story {
        schema: "maestro.run-story/v1",
        run: head.run.clone(),
        version: head.version.clone(),
        began: head.at.to_string(),
        took_ms: since(times.last().copied().flatten()),
        outcome: "open".to_owned(),
        title: head.issue["title"].as_str().unwrap_or_default().to_owned(),
        base: head.base.clone(),
        commit: None,
        spent_usd: String::new(),
        resumed: 0,
        planning: Vec::new(),
        turns: Vec::new(),
        halts: Vec::new(),
    };
    let mut specs: &[TaskSpec] = &[];
    let mut spent = Usd::ZERO;
    let times = times.iter().copied().chain(std::iter::repeat(None));
    for (record, ms) in records.iter().zip(times) {
        let at = since(ms);
        match record {
            Record::Run(_) => {}
            Record::Plan { tasks, .. } => specs = tasks,
            Record::Begun { turn } => story.begin(specs, *turn, at),
            Record::Intent { step, .. } => story.step(step, at),
            Record::Outcome { step, result } => {
                if step.starts_with("plan/") {
                    let usd = result["usd"].as_str().and_then(|usd| usd.parse().ok());
                    spent = spent.saturating_add(usd.unwrap_or(Usd::ZERO));
                }
                story.stepped(step, result, at);
            }
            Record::Ended { turn, end, work } => {
                spent = spent.saturating_add(work.usd);
                if let Some(row) = story.open_turn(specs, *turn) {
                    row.end = end_name(end);
                    row.why = Some(work.why.clone()).filter(|why| !why.is_empty());
                    row.models.clone_from(&work.models);
                    row.usd = work.usd.to_string();
                    row.took_ms = at.zip(row.from_ms).map(|(to, from)| to - from);
                    row.commit.clone_from(&work.commit);
                    let says = work.entries.iter();
                    row.says = says
                        .filter_map(|entry| serde_json::to_value(&entry.body).ok())
                        .collect();
                }
            }
            Record::Halted { halt } => {
                let word = serde_json::to_value(halt).unwrap_or_default();
                story
                    .halts
                    .push(word.as_str().unwrap_or_default().to_owned());
            }
            Record::Resumed { .. } => story.resumed += 1,
            Record::Over {
                outcome, commit, ..
            } => {
                story.outcome.clone_from(outcome);
                story.commit.clone_from(commit);
            }
        }
    }
    story.spent_usd = spent.to_string();
    story
}

impl Story {
    fn begin(&mut self, specs: &[TaskSpec], turn: Turn, at: Option<i64>) {
        if self.open_turn(specs, turn).is_some() {
            // It goes on after a pause.
            return;
        }
        let spec = specs.get(turn.task.at());
        self.turns.push(TurnRow {
            task: spec.map(|spec| spec.id.clone()).unwrap_or_default(),
            role: spec.map(|spec| spec.role.clone()).unwrap_or_default(),
            number: turn.number,
            round: turn.round,
            end: "open",
            why: None,
            models: Vec::new(),
            usd: Usd::ZERO.to_string(),
            from_ms: at,
            took_ms: None,
            commit: None,
            steps: Vec::new(),
            says: Vec::new(),
        });
    }

    fn open_turn(&mut self, specs: &[TaskSpec], turn: Turn) -> Option<&mut TurnRow> {
        let id = &specs.get(turn.task.at())?.id;
        self.turns.iter_mut().rev().find(|row| {
            row.end == "open"
                && row.task == *id
                && row.number == turn.number
                && row.round == turn.round
        })
    }

    /// Returns the steps that a step's name belongs to, and what it is.
    fn steps_of(&mut self, step: &str) -> Option<(&mut Vec<StepRow>, String)> {
        let mut parts = step.split('/');
        let first = parts.next()?;
        if first == "plan" {
            return Some((&mut self.planning, parts.next()?.to_owned()));
        }
        let (round, number) = parts.next()?.split_once('.')?;
        let what = parts.next()?.to_owned();
        let row = self.turns.iter_mut().rev().find(|row| {
            row.task == first && row.round.to_string() == round && row.number.to_string() == number
        })?;
        Some((&mut row.steps, what))
    }

    fn step(&mut self, step: &str, at: Option<i64>) {
        if let Some((steps, what)) = self.steps_of(step) {
            steps.push(StepRow {
                what,
                line: "under way".to_owned(),
                from_ms: at,
                took_ms: None,
            });
        }
    }

    fn stepped(&mut self, step: &str, result: &Value, at: Option<i64>) {
        if let Some((steps, what)) = self.steps_of(step)
            && let Some(row) = steps.iter_mut().rev().find(|row| row.what == what)
        {
            row.line = line(&what, result);
            row.took_ms = at.zip(row.from_ms).map(|(to, from)| to - from);
        }
    }
}

/// Says in a line what came of a step.
fn line(what: &str, result: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let short = |text: String| -> String {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(160).collect()
    };
    match what {
        "model" => {
            for name in ["money", "refused", "broken"] {
                if result[name].is_string() {
                    return short(format!("{name}: {}", text(&result[name])));
                }
            }
            let parts = result["answer"]["parts"].as_array().into_iter().flatten();
            let said = parts.map(|part| match part["call"].as_str() {
                Some(call) => format!("{call} {}", text(&part["arguments"])),
                None => text(&part["text"]),
            });
            let said: Vec<String> = said.collect();
            short(format!("{}: {}", text(&result["model"]), said.join(" · ")))
        }
        "run" => {
            let end = match (&result["ended"], &result["code"]) {
                (Value::String(why), _) => why.clone(),
                (_, code) => format!("exit code {code}"),
            };
            let output = text(&result["output"]);
            let last = output.lines().rev().find(|line| !line.trim().is_empty());
            short(format!("{end}: {}", last.unwrap_or_default()))
        }
        _ => short(result.to_string()),
    }
}
