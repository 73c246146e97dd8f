//! Runs of agents: by their journals, which know each task and call; by their accounts, which know what came of it.
//!
//! Of a journal only names, times, ends and costs are taken: what models were told and answered stays there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::agents::account::Account;
use crate::agents::record::{Head, Record};
use crate::agents::story::{Story, tell};
use crate::event::Origin;
use crate::telemetry::spans::{AgentRun, Call, Task};

/// Where a run of CI is, if its name is a number.
pub(crate) fn place(run: &str, attempt: u32) -> Option<(u64, u32)> {
    Some((run.parse().ok()?, attempt.max(1)))
}

/// Returns a run by what it came to. The length of a task is known, not when it began.
pub(crate) fn accounted(account: &Account, at: Timestamp, origin: &Origin) -> AgentRun {
    let started = account.began.unwrap_or(at);
    let ended = account.took_ms.map_or(at, |took| after(started, took));
    let tasks = account.tasks.iter().map(|task| Task {
        id: task.task.clone(),
        attempt: u32::try_from(task.attempts).unwrap_or(u32::MAX),
        role: task.role.clone(),
        started,
        ended: after(started, task.took_ms.unwrap_or(0)),
        outcome: task.state.clone(),
        succeeded: task.state == "done",
        calls: Vec::new(),
    });
    AgentRun {
        id: account.run.clone(),
        ci: place(&origin.run, origin.attempt),
        job: None,
        change: account.pull_request,
        started,
        ended: ended.max(started),
        outcome: account.outcome.clone(),
        succeeded: account.outcome == "complete",
        usd: Some(account.spent_usd),
        tasks: tasks.collect(),
        calls: Vec::new(),
    }
}

/// Returns a run by its journal; nothing of one that has not come to its end. `times` are when its records were written, in milliseconds.
pub(crate) fn journal(
    head: &Head,
    records: &[Record],
    times: &[Option<i64>],
    ci: Option<(u64, u32)>,
) -> Option<AgentRun> {
    let story = tell(head, records, times);
    if story.outcome == "open" {
        return None;
    }
    let zero = times.first().copied().flatten();
    let zero = zero.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let zero = zero.unwrap_or(head.at);
    let mut calls = calls(head, records, times, zero);
    let mut run = AgentRun {
        id: head.run.clone(),
        ci,
        job: None,
        change: None,
        started: zero,
        ended: after(zero, whole(story.took_ms)),
        outcome: story.outcome.clone(),
        succeeded: story.outcome == "complete",
        usd: story.spent_usd.parse().ok(),
        tasks: tasks(&story, zero, &mut calls),
        calls: Vec::new(),
    };
    // The planner's, which belong to no task of the plan.
    run.calls = calls.into_values().flatten().collect();
    Some(run)
}

fn tasks(story: &Story, zero: Timestamp, calls: &mut BTreeMap<String, Vec<Call>>) -> Vec<Task> {
    let mut turns: BTreeMap<&str, u32> = BTreeMap::new();
    let rows = story.turns.iter().filter(|turn| turn.end != "open");
    let task = rows.map(|turn| {
        let attempt = turns.entry(&turn.task).or_insert(0);
        *attempt += 1;
        let started = after(zero, whole(turn.from_ms));
        let key = format!("{}/{}.{}", turn.task, turn.round, turn.number);
        Task {
            id: turn.task.clone(),
            attempt: *attempt,
            role: turn.role.clone(),
            started,
            ended: after(started, whole(turn.took_ms)),
            outcome: turn.end.into(),
            succeeded: turn.end == "done",
            calls: calls.remove(&key).unwrap_or_default(),
        }
    });
    task.collect()
}

/// Returns the calls of models by the turn that they are of: `task/round.try`, or `plan`.
fn calls(
    head: &Head,
    records: &[Record],
    times: &[Option<i64>],
    zero: Timestamp,
) -> BTreeMap<String, Vec<Call>> {
    let at = |place: usize| {
        let ms = times.get(place).copied().flatten();
        let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        at.unwrap_or(zero)
    };
    let mut begun: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        match record {
            Record::Intent { step, .. } => {
                begun.insert(step, at(number));
            }
            Record::Outcome { step, result } => {
                let Some(turn) = turn_of(step) else { continue };
                let ended = at(number);
                let started = begun.remove(step.as_str()).unwrap_or(ended);
                let call = call(head, step, result, (started, ended));
                if let Some(call) = call {
                    calls.entry(turn.to_owned()).or_default().push(call);
                }
            }
            _ => {}
        }
    }
    calls
}

/// Returns the turn of a step that asks a model: what stands before `/model`.
fn turn_of(step: &str) -> Option<&str> {
    let (turn, rest) = step.split_once("/model")?;
    (rest.is_empty() || rest.starts_with('/')).then_some(turn)
}

fn call(
    head: &Head,
    step: &str,
    result: &Value,
    (started, ended): (Timestamp, Timestamp),
) -> Option<Call> {
    let text = |name: &str| result[name].as_str().map(str::to_owned);
    let usd = text("usd").and_then(|usd| usd.parse().ok());
    // Where there was no money nobody was asked.
    let (status, model) = match (text("model"), result["broken"].is_string()) {
        (Some(model), _) => ("settled", model),
        (None, true) => ("broken", String::new()),
        (None, false) => return None,
    };
    let tiers = head.settings["models"].as_array().into_iter().flatten();
    let mut pairs = tiers.filter(|pair| pair[1].as_str() == Some(&model));
    let provider = pairs.next().and_then(|pair| pair[0].as_str());
    Some(Call {
        id: step.to_owned(),
        provider: provider.unwrap_or_default().to_owned(),
        model,
        started,
        ended: ended.max(started),
        status: status.into(),
        usd,
        tokens: None,
    })
}

fn whole(ms: Option<i64>) -> u64 {
    u64::try_from(ms.unwrap_or(0)).unwrap_or(0)
}

fn after(from: Timestamp, ms: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    from.saturating_add(span).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn head() -> Head {
        serde_json::from_value(json!({
            "schema": "maestro.run-journal/v1", "run": "r1", "version": "0.1.0", "at": "2026-01-05T09:00:00Z", "base": "b", "delimiter": "d",
            "issue": {"title": "SECRET TITLE"}, "settings": {"models": [["anthropic", "small"], ["openai", "big"]]}, "inputs": {},
        }))
        .unwrap()
    }

    fn records(over: bool) -> (Vec<Record>, Vec<Option<i64>>) {
        let mut lines = vec![
            json!({"kind": "intent", "step": "plan/model/1", "input": "i"}),
            json!({"kind": "outcome", "step": "plan/model/1", "result": {"answer": {"parts": [{"text": "SECRET WORDS"}]}, "model": "big", "usd": "0.5"}}),
            json!({"kind": "plan", "tasks": [{"id": "mend", "role": "implementer", "title": "t", "goal": "g"}], "entries": []}),
            json!({"kind": "begun", "turn": {"task": 0, "try": 1, "round": 0, "climb": 0}}),
            json!({"kind": "intent", "step": "mend/0.1/model/1", "input": "i"}),
            json!({"kind": "outcome", "step": "mend/0.1/model/1", "result": {"answer": {}, "model": "small", "usd": "0.25"}}),
            json!({"kind": "intent", "step": "mend/0.1/model/2", "input": "i"}),
            json!({"kind": "outcome", "step": "mend/0.1/model/2", "result": {"money": "none"}}),
            json!({"kind": "ended", "turn": {"task": 0, "try": 1, "round": 0, "climb": 0}, "end": "done", "work": {"usd": "0.25"}}),
        ];
        if over {
            lines.push(json!({"kind": "over", "outcome": "complete", "board": "b"}));
        }
        let mut records = vec![Record::Run(head())];
        let rest = lines.into_iter();
        records.extend(rest.map(|line| serde_json::from_value::<Record>(line).unwrap()));
        let times = (0..).take(records.len());
        let times = times.map(|n| Some(1_767_603_600_000 + n * 1000)).collect();
        (records, times)
    }

    #[test]
    fn a_journal_is_a_run_with_tasks_and_the_calls_that_were_made() {
        let (records, times) = records(true);
        let run = journal(&head(), &records, &times, Some((7, 1))).unwrap();
        assert_eq!((run.outcome.as_str(), run.succeeded), ("complete", true));
        assert_eq!(run.usd, "0.75".parse().ok());
        assert_eq!(
            (run.calls.len(), run.calls[0].provider.as_str()),
            (1, "openai")
        );
        let task = &run.tasks[0];
        assert_eq!(
            (task.role.as_str(), task.outcome.as_str()),
            ("implementer", "done")
        );
        assert_eq!(
            (task.calls.len(), task.calls[0].model.as_str()),
            (1, "small")
        );
        assert_eq!(task.calls[0].started.to_string(), "2026-01-05T09:00:05Z");
        assert_eq!(task.calls[0].ended.to_string(), "2026-01-05T09:00:06Z");
        // What models were told is not in it.
        assert!(!format!("{run:?}").contains("SECRET"));
    }

    #[test]
    fn a_run_that_goes_on_has_no_spans_yet() {
        let (records, times) = records(false);
        assert!(journal(&head(), &records, &times, None).is_none());
    }

    #[test]
    fn an_account_knows_what_came_of_it() {
        let account: Account = serde_json::from_value(json!({
            "base": "b", "began": "2026-01-05T09:00:00Z", "outcome": "partial", "run": "r", "spent_usd": "1.5", "stage": "ended", "took_ms": 5000,
            "tasks": [{"attempts": 2, "role": "docs", "state": "failed", "task": "d", "usd": "1", "took_ms": null}],
        }))
        .unwrap();
        let origin = Origin {
            run: "14460881260".into(),
            attempt: 2,
            ..Origin::default()
        };
        let run = accounted(&account, Timestamp::UNIX_EPOCH, &origin);
        assert_eq!(run.ended.to_string(), "2026-01-05T09:00:05Z");
        assert_eq!((run.succeeded, run.ci), (false, Some((14_460_881_260, 2))));
        assert_eq!(run.tasks[0].started, run.tasks[0].ended);
    }
}
