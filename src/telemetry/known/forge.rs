//! An attempt of a run and its jobs, as GitHub has them.

use crate::forge::api::runs;
use crate::telemetry::semconv::{Outcome, TaskType};
use crate::telemetry::spans::{Job, Run, Step, Worker};

/// Returns an attempt of a run with its jobs. A job that nobody began has no time, and is left out.
pub(crate) fn run(run: &runs::Run, change: Option<u64>, jobs: &[runs::Job]) -> Run {
    let conclusion = run.conclusion.as_deref().unwrap_or_default();
    let is_over = run.status.as_deref() == Some("completed");
    Run {
        id: run.id,
        attempt: run.attempt,
        workflow: run.name.clone().unwrap_or_else(|| run.path.clone()),
        url: run.html_url.clone(),
        branch: run.head_branch.clone().unwrap_or_default(),
        commit: run.head_sha.clone(),
        change,
        started: run.started_at.unwrap_or(run.created_at),
        ended: is_over.then_some(run.updated_at),
        result: Outcome::of_conclusion(conclusion).filter(|_| is_over),
        jobs: jobs.iter().filter_map(job).collect(),
    }
}

fn job(job: &runs::Job) -> Option<Job> {
    let started = job.started_at?;
    let is_over = job.status == "completed";
    let conclusion = job.conclusion.as_deref().unwrap_or_default();
    Some(Job {
        id: Some(job.id),
        name: job.name.clone(),
        url: job.html_url.clone().unwrap_or_default(),
        queued: job.created_at,
        started,
        ended: job.completed_at.filter(|_| is_over),
        result: Outcome::of_conclusion(conclusion).filter(|_| is_over),
        does: does(&job.name),
        worker: job.runner_name.as_ref().map(|name| Worker {
            id: None,
            name: name.clone(),
        }),
        steps: job.steps.iter().filter_map(step).collect(),
    })
}

fn step(step: &runs::Step) -> Option<Step> {
    let conclusion = step.conclusion.as_deref().unwrap_or_default();
    Some(Step {
        number: step.number,
        name: step.name.clone(),
        started: step.started_at?,
        ended: step.completed_at,
        result: Outcome::of_conclusion(conclusion),
    })
}

/// Returns what a job does, where its name says so.
fn does(name: &str) -> Option<TaskType> {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| match word {
        "build" => Some(TaskType::Build),
        "test" | "tests" => Some(TaskType::Test),
        "deploy" => Some(TaskType::Deploy),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: &str) -> Run {
        let text = format!(
            r#"{{"id":7,"name":"ci","workflow_id":1,"event":"push","status":"{status}","conclusion":"failure","run_attempt":2,"head_branch":"main",
            "head_sha":"s","created_at":"2026-01-05T09:00:00Z","run_started_at":"2026-01-05T10:00:00Z","updated_at":"2026-01-05T10:09:00Z",
            "repository":{{"id":1,"full_name":"o/n"}},"head_repository":null,"html_url":"u"}}"#
        );
        let jobs = r#"[{"id":70,"run_id":7,"name":"unit-test (1)","status":"completed","conclusion":"failure","created_at":"2026-01-05T10:00:01Z",
            "started_at":"2026-01-05T10:00:05Z","completed_at":"2026-01-05T10:08:00Z","runner_name":"r","html_url":"j","steps":[
            {"name":"Set up job","number":1,"status":"completed","conclusion":"success","started_at":"2026-01-05T10:00:05Z","completed_at":"2026-01-05T10:00:06Z"},
            {"name":"never","number":2,"status":"queued","conclusion":null,"started_at":null,"completed_at":null}]},
            {"id":71,"run_id":7,"name":"waits","status":"queued","conclusion":null,"created_at":"2026-01-05T10:00:01Z","started_at":null}]"#;
        let row: runs::Run = serde_json::from_str(&text).unwrap();
        let jobs: Vec<runs::Job> = serde_json::from_str(jobs).unwrap();
        run(&row, Some(3), &jobs)
    }

    #[test]
    fn an_attempt_has_its_own_beginning_and_the_jobs_that_began() {
        let run = asked("completed");
        assert_eq!(run.started.to_string(), "2026-01-05T10:00:00Z");
        assert_eq!(run.result, Some(Outcome::Failure));
        assert_eq!((run.jobs.len(), run.jobs[0].steps.len()), (1, 1));
        assert_eq!(run.jobs[0].does, Some(TaskType::Test));
    }

    #[test]
    fn what_goes_on_has_neither_end_nor_result() {
        let run = asked("in_progress");
        assert_eq!((run.ended, run.result), (None, None));
        assert!(run.jobs[0].ended.is_some());
    }
}
