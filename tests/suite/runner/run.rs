//! A run: which jobs, in which order, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::artifacts::Artifacts;
use super::expressions::{Scope, Status, holds, text};
use super::matrix::strategy;
use super::workflow::{Job, Workflow};
use super::{Outcome, Ran, Runner, job};

/// When everything happens.
pub(super) const NOW: &str = "2026-01-05T09:00:00Z";

/// A job that others may need.
struct Ended {
    result: String,
    outputs: BTreeMap<String, String>,
}

/// A run on its way.
pub(super) struct Run<'w> {
    pub(super) id: u64,
    pub(super) workflow: &'w Workflow,
    pub(super) is_cancelled: bool,
    pub(super) artifacts: Artifacts,
}

pub(super) fn run(runner: &mut Runner, text: &str) -> Outcome {
    let workflow = Workflow::read(text);
    let event = runner.event.clone().expect("an event starts a run");
    assert!(
        workflow.is_started_by(&event.name, event.branch()),
        "`{}` of `{}` does not start this workflow: {}",
        event.name,
        event.branch(),
        workflow.on
    );
    let mut run = Run {
        id: runner.next_run,
        workflow: &workflow,
        is_cancelled: false,
        artifacts: Artifacts::default(),
    };
    runner.next_run += 1;
    runner.begins(&run);
    let scope = Scope::default()
        .with("github", runner.github_context(&run, "", ""))
        .with("inputs", runner.inputs())
        .with("vars", json!(runner.vars));
    if let Some(concurrency) = &workflow.concurrency {
        let _ = concurrency_of(concurrency, &scope).unwrap();
    }
    let mut ended: BTreeMap<String, Ended> = BTreeMap::new();
    let mut jobs = Vec::new();
    while ended.len() < workflow.jobs.len() {
        let is_ready = |job: &&Job| {
            !ended.contains_key(&job.id) && job.needs.iter().all(|need| ended.contains_key(need))
        };
        let next = workflow.jobs.iter().find(is_ready);
        let next = next.expect("jobs need one another in a circle");
        let ran = legs(runner, &mut run, next, &ended, &scope);
        let whole = together(&ran);
        ended.insert(next.id.clone(), whole);
        jobs.extend(ran);
    }
    let outcome = Outcome {
        run: run.id,
        jobs,
        artifacts: run.artifacts.files,
    };
    let conclusion = if run.is_cancelled {
        "cancelled"
    } else if outcome.is_green() {
        "success"
    } else {
        "failure"
    };
    runner.ends(outcome.run, conclusion);
    outcome
}

/// Evaluates `concurrency:`.
pub(super) fn concurrency_of(value: &Value, scope: &Scope) -> Result<String, String> {
    match value {
        Value::String(group) => text(group, scope),
        other => text(other["group"].as_str().unwrap(), scope),
    }
}

/// Runs every leg of a job, or none.
fn legs(
    runner: &mut Runner,
    run: &mut Run<'_>,
    job: &Job,
    ended: &BTreeMap<String, Ended>,
    scope: &Scope,
) -> Vec<Ran> {
    let needs: Map<String, Value> = job
        .needs
        .iter()
        .map(|need| {
            let of = &ended[need];
            let value = json!({ "result": of.result, "outputs": of.outputs });
            (need.clone(), value)
        })
        .collect();
    let scope = scope.clone().with("needs", Value::Object(needs));
    let before = ancestors(run.workflow, &job.id);
    let any = |result: &str| before.iter().any(|id| ended[id].result == result);
    let all_well = before.iter().all(|id| ended[id].result == "success");
    let mut asked = scope.clone();
    asked.status = Some(Status {
        is_success: all_well && !run.is_cancelled,
        is_failure: any("failure"),
        is_cancelled: run.is_cancelled,
    });
    let plain = |result: &str, log: String| Ran {
        id: job.id.clone(),
        name: job.id.clone(),
        result: result.to_owned(),
        log,
        ..Ran::default()
    };
    let fails = |error: String| vec![plain("failure", format!("##[error]{error}\n"))];
    let ran = match holds(job.condition.as_ref(), &asked) {
        Err(error) => fails(error),
        Ok(false) => vec![plain("skipped", String::new())],
        Ok(true) => {
            if runner.cancelled_at.as_ref() == Some(&job.id) {
                run.is_cancelled = true;
            }
            match strategy(job.strategy.as_ref(), &scope) {
                Err(error) => fails(error),
                Ok(strategy) => {
                    let mut ran: Vec<Ran> = Vec::new();
                    let total = strategy.legs.len();
                    for (index, leg) in strategy.legs.iter().enumerate() {
                        let strategy = json!({
                            "fail-fast": strategy.fails_fast, "job-index": index, "job-total": total, "max-parallel": total,
                        });
                        let failed = ran.iter().any(|ran| ran.result == "failure");
                        let is_stopped = failed && strategy["fail-fast"] == true;
                        let scope = scope.clone().with("strategy", strategy);
                        ran.push(job::run(runner, run, job, &scope, leg, is_stopped));
                    }
                    return ran;
                }
            }
        }
    };
    for ran in &ran {
        let record = runner.record(run, &ran.name);
        runner.recorded(run, record, &ran.result);
    }
    ran
}

/// What those who need a job see of its legs.
fn together(legs: &[Ran]) -> Ended {
    let has = |result: &str| legs.iter().any(|leg| leg.result == result);
    let result = ["failure", "cancelled", "success"]
        .into_iter()
        .find(|result| has(result));
    let mut outputs = BTreeMap::new();
    for leg in legs {
        for (name, value) in &leg.outputs {
            if !value.is_empty() || !outputs.contains_key(name) {
                outputs.insert(name.clone(), value.clone());
            }
        }
    }
    Ended {
        result: result.unwrap_or("skipped").to_owned(),
        outputs,
    }
}

/// Every job that comes before one.
fn ancestors(workflow: &Workflow, id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![id.to_owned()];
    while let Some(id) = waiting.pop() {
        let job = workflow.jobs.iter().find(|job| job.id == id).unwrap();
        for need in &job.needs {
            if found.insert(need.clone()) {
                waiting.push(need.clone());
            }
        }
    }
    found
}

impl Runner {
    /// The inputs of somebody who pressed the button.
    fn inputs(&self) -> Value {
        let inputs = self.event.as_ref().unwrap().payload["inputs"].clone();
        if inputs.is_null() { json!({}) } else { inputs }
    }

    /// The context `github`.
    pub(super) fn github_context(&self, run: &Run<'_>, job: &str, token: &str) -> Value {
        let event = self.event.as_ref().unwrap();
        let name = event.reference.trim_start_matches("refs/");
        let name = name.split_once('/').map_or(name, |(kind, name)| {
            if kind == "pull" {
                &event.reference[10..]
            } else {
                name
            }
        });
        json!({
            "event": event.payload, "event_name": event.name, "ref": event.reference, "ref_name": name,
            "ref_type": if event.reference.starts_with("refs/tags/") { "tag" } else { "branch" },
            "sha": event.commit, "base_ref": event.base, "head_ref": event.head, "repository": "o/n", "repository_owner": "o",
            "repository_id": "1", "run_id": run.id.to_string(), "run_number": run.id.to_string(), "run_attempt": "1", "job": job,
            "workflow": run.workflow.name, "workflow_ref": format!("o/n/.github/workflows/w.yml@{}", event.reference),
            "actor": "ada", "triggering_actor": "ada", "server_url": self.github.api(), "api_url": self.github.api(),
            "graphql_url": format!("{}/graphql", self.github.api()), "token": token, "retention_days": "90",
        })
    }

    /// Tells the API that a run has begun.
    fn begins(&self, run: &Run<'_>) {
        let event = self.event.as_ref().unwrap();
        let head = &event.payload["pull_request"]["head"];
        let commit = head["sha"].as_str().unwrap_or(&event.commit);
        let fields = json!({
            "name": run.workflow.name, "event": event.name, "head_sha": commit, "status": "in_progress", "conclusion": null,
            "head_branch": head["ref"].as_str().unwrap_or(event.branch()), "run_started_at": NOW, "created_at": NOW,
            "path": ".github/workflows/w.yml",
        });
        self.github.run(run.id, 1, fields);
        let mut store = self.github.store();
        let whole = store.things[&format!("/actions/runs/{}", run.id)].clone();
        let attempt = format!("/actions/runs/{}/attempts/1", run.id);
        store.things.insert(attempt, whole.clone());
        let runs = store.lists.entry("/actions/runs".to_owned()).or_default();
        runs.push(whole);
    }

    /// Tells the API that it has ended.
    fn ends(&self, run: u64, conclusion: &str) {
        let mut store = self.github.store();
        let place = format!("/actions/runs/{run}");
        for path in [place.clone(), format!("{place}/attempts/1")] {
            let thing = store.things.get_mut(&path).unwrap();
            thing["status"] = json!("completed");
            thing["conclusion"] = json!(conclusion);
        }
        let whole = store.things[&place].clone();
        let runs = store.lists.get_mut("/actions/runs").unwrap();
        runs.retain(|run| run["id"] != whole["id"]);
        runs.push(whole);
    }

    /// Tells the API that a job has begun; returns its number.
    pub(super) fn record(&self, run: &Run<'_>, name: &str) -> u64 {
        let list = format!("/actions/runs/{}/attempts/1/jobs", run.id);
        let fields = json!({
            "run_id": run.id, "run_attempt": 1, "name": name, "status": "in_progress", "conclusion": null, "started_at": NOW,
            "created_at": NOW, "completed_at": null, "workflow_name": run.workflow.name,
        });
        self.github.add(&list, "job", fields)
    }

    /// Tells the API how a job ended.
    pub(super) fn recorded(&self, run: &Run<'_>, number: u64, result: &str) {
        let list = format!("/actions/runs/{}/attempts/1/jobs", run.id);
        let mut store = self.github.store();
        let jobs = store.lists.get_mut(&list).unwrap();
        let job = jobs.iter_mut().find(|job| job["id"] == number).unwrap();
        job["status"] = json!("completed");
        job["conclusion"] = json!(result);
        job["completed_at"] = json!(NOW);
    }
}
