//! A workflow run's attempt as spans: the run, its jobs, their time in the queue, their steps; by the conventions for CI/CD v1.44.0 (`model/cicd/spans.yaml`).
//!
//! Times that run backwards, as GitHub has them for skipped jobs, become spans without length that say so. What has not ended has no span yet: an
//! export from within a run tells of finished jobs only.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::telemetry::attributes::Attributes;
use crate::telemetry::ids::{JobRef, SpanId, TraceId};
use crate::telemetry::otlp::{Span, SpanKind};
use crate::telemetry::semconv::{
    CHANGE_ID, CLAMPED, ERROR_TYPE, HEAD_NAME, HEAD_REVISION, HEAD_TYPE, OTHER_ERROR, OWNER_NAME,
    Outcome, PIPELINE_ACTION, PIPELINE_NAME, PIPELINE_RESULT, PIPELINE_RUN_ID, PIPELINE_RUN_URL,
    PROVIDER_NAME, QUEUE, REPOSITORY_NAME, REPOSITORY_URL, RUN_ATTEMPT, SERVICE_NAME,
    SERVICE_VERSION, TASK_NAME, TASK_RUN_ID, TASK_RUN_RESULT, TASK_RUN_URL, TASK_TYPE, TaskType,
    WORKER_ID, WORKER_NAME,
};

/// The repository that all of it is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Its page, without `.git`.
    pub(crate) url: String,
    /// Such as `github`.
    pub(crate) provider: String,
}

/// An attempt of a workflow run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) attempt: u32,
    pub(crate) workflow: String,
    pub(crate) url: String,
    /// The branch that it is for; empty where it is for a tag.
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) change: Option<u64>,
    /// When this attempt was begun (`run_started_at`), not the first one.
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) result: Option<Outcome>,
    pub(crate) jobs: Vec<Job>,
}

/// A job of it.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Nothing where only its name is known.
    pub(crate) id: Option<u64>,
    pub(crate) name: String,
    pub(crate) url: String,
    /// When it came into the queue.
    pub(crate) queued: Option<Timestamp>,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) result: Option<Outcome>,
    pub(crate) does: Option<TaskType>,
    pub(crate) worker: Option<Worker>,
    pub(crate) steps: Vec<Step>,
}

/// What ran a job.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    /// Nothing where only its name is known.
    pub(crate) id: Option<u64>,
    pub(crate) name: String,
}

/// A step of a job.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) result: Option<Outcome>,
}

/// Returns what all that is exported of a repository has in common.
pub(crate) fn resource(repository: &Repository, version: &str) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.text(SERVICE_NAME, "maestro");
    attributes.text(SERVICE_VERSION, version);
    attributes.text(OWNER_NAME, &repository.owner);
    attributes.text(REPOSITORY_NAME, &repository.name);
    attributes.text(REPOSITORY_URL, &repository.url);
    attributes.text(PROVIDER_NAME, &repository.provider);
    attributes
}

/// Returns the spans of an attempt of a run.
pub(crate) fn of_run(run: &Run) -> Vec<Span> {
    let trace = TraceId::of_run(run.id, run.attempt);
    let root = SpanId::of_run(run.id, run.attempt);
    let mut spans = Vec::new();
    if let (Some(ended), Some(result)) = (run.ended, run.result) {
        spans.push(root_span(run, trace, root, ended, result));
    }
    for job in &run.jobs {
        of_job(run, job, trace, root, &mut spans);
    }
    spans
}

fn root_span(run: &Run, trace: TraceId, root: SpanId, ended: Timestamp, result: Outcome) -> Span {
    let mut attributes = Attributes::new();
    attributes.text(PIPELINE_NAME, &run.workflow);
    attributes.text(PIPELINE_ACTION, "RUN");
    attributes.text(PIPELINE_RESULT, result.word());
    error_type(&mut attributes, result);
    attributes.text(PIPELINE_RUN_ID, &run.id.to_string());
    attributes.text(PIPELINE_RUN_URL, &run.url);
    attributes.int(RUN_ATTEMPT, run.attempt.into());
    if !run.branch.is_empty() {
        attributes.text(HEAD_NAME, &run.branch);
        attributes.text(HEAD_TYPE, "branch");
    }
    attributes.text(HEAD_REVISION, &run.commit);
    if let Some(change) = run.change {
        attributes.text(CHANGE_ID, &change.to_string());
    }
    let before = run.attempt.checked_sub(1).filter(|&before| before > 0);
    let links = before
        .map(|before| {
            let root = SpanId::of_run(run.id, before);
            (TraceId::of_run(run.id, before), root)
        })
        .into_iter()
        .collect();
    Span {
        trace,
        id: root,
        parent: None,
        name: format!("RUN {}", run.workflow),
        kind: SpanKind::Server,
        start: run.started,
        end: clamped(run.started, ended, &mut attributes),
        attributes,
        links,
        failed: failed(result),
    }
}

fn of_job(run: &Run, job: &Job, trace: TraceId, root: SpanId, spans: &mut Vec<Span>) {
    let (Some(ended), Some(result)) = (job.ended, job.result) else {
        return;
    };
    let known = match job.id {
        Some(id) => JobRef::Id(id),
        None => JobRef::Name {
            run: run.id,
            attempt: run.attempt,
            name: &job.name,
        },
    };
    let id = match job.id {
        Some(id) => id.to_string(),
        None => format!("{}/{}/{}", run.id, run.attempt, job.name),
    };
    let span = SpanId::of_job(known);
    let mut attributes = task(&job.name, &id, &job.url, result);
    attributes.maybe(TASK_TYPE, job.does.map(TaskType::word));
    if let Some(worker) = &job.worker {
        if let Some(id) = worker.id {
            attributes.text(WORKER_ID, &id.to_string());
        }
        attributes.text(WORKER_NAME, &worker.name);
    }
    let start = job.queued.unwrap_or(job.started);
    let end = clamped(start, ended, &mut attributes);
    spans.push(Span {
        trace,
        id: span,
        parent: Some(root),
        name: job.name.clone(),
        kind: SpanKind::Internal,
        start,
        end,
        attributes,
        links: Vec::new(),
        failed: failed(result),
    });
    if let Some(queued) = job.queued {
        spans.push(queue_span(job, known, trace, span, queued));
    }
    of_steps(job, known, &id, trace, span, spans);
}

fn queue_span(
    job: &Job,
    known: JobRef<'_>,
    trace: TraceId,
    parent: SpanId,
    queued: Timestamp,
) -> Span {
    let mut attributes = Attributes::new();
    attributes.flag(QUEUE, true);
    let end = clamped(queued, job.started, &mut attributes);
    Span {
        trace,
        id: SpanId::of_queue(known),
        parent: Some(parent),
        name: format!("queue-{}", job.name),
        kind: SpanKind::Internal,
        start: queued,
        end,
        attributes,
        links: Vec::new(),
        failed: None,
    }
}

fn of_steps(
    job: &Job,
    known: JobRef<'_>,
    job_id: &str,
    trace: TraceId,
    parent: SpanId,
    spans: &mut Vec<Span>,
) {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for step in &job.steps {
        let again = seen.entry(&step.name).or_insert(0);
        let span = SpanId::of_step(known, &step.name, step.number, *again);
        *again += 1;
        let (Some(ended), Some(result)) = (step.ended, step.result) else {
            continue;
        };
        let id = format!("{job_id}/{}", step.number);
        // The page of a job takes a step's number this way.
        let url = format!("{}#step:{}:1", job.url, step.number);
        let mut attributes = task(&step.name, &id, &url, result);
        let end = clamped(step.started, ended, &mut attributes);
        spans.push(Span {
            trace,
            id: span,
            parent: Some(parent),
            name: step.name.clone(),
            kind: SpanKind::Internal,
            start: step.started,
            end,
            attributes,
            links: Vec::new(),
            failed: failed(result),
        });
    }
}

/// Returns what the conventions require of a task.
fn task(name: &str, id: &str, url: &str, result: Outcome) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.text(TASK_NAME, name);
    attributes.text(TASK_RUN_ID, id);
    attributes.text(TASK_RUN_URL, url);
    attributes.text(TASK_RUN_RESULT, result.word());
    error_type(&mut attributes, result);
    attributes
}

fn error_type(attributes: &mut Attributes, result: Outcome) {
    if matches!(result, Outcome::Failure | Outcome::Error) {
        attributes.text(ERROR_TYPE, OTHER_ERROR);
    }
}

fn failed(result: Outcome) -> Option<&'static str> {
    result.is_trouble().then(|| result.word())
}

/// Returns when something ended, never before it began.
fn clamped(start: Timestamp, end: Timestamp, attributes: &mut Attributes) -> Timestamp {
    if end < start {
        attributes.flag(CLAMPED, true);
    }
    end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::attributes::Value;
    use crate::telemetry::semconv::Key;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_744_837_700 + second).unwrap()
    }

    fn run() -> Run {
        let step = |number, name: &str, result| Step {
            number,
            name: name.into(),
            started: at(42),
            ended: Some(at(44)),
            result: Some(result),
        };
        let job = Job {
            id: Some(40_685_651_258),
            name: "test (1.23)".into(),
            url: "https://github.com/o/r/actions/runs/14460881260/job/40685651258".into(),
            queued: Some(at(38)),
            started: at(43),
            ended: Some(at(125)),
            result: Some(Outcome::Failure),
            does: Some(TaskType::Test),
            worker: Some(Worker {
                id: Some(346),
                name: "GitHub Actions 320".into(),
            }),
            steps: vec![
                step(1, "Set up job", Outcome::Success),
                step(2, "Build", Outcome::Success),
                step(3, "Build", Outcome::Skip),
            ],
        };
        Run {
            id: 14_460_881_260,
            attempt: 13,
            workflow: "build-and-test".into(),
            url: "https://github.com/o/r/actions/runs/14460881260".into(),
            branch: "main".into(),
            commit: "6077d805".into(),
            change: Some(7),
            started: at(33),
            ended: Some(at(127)),
            result: Some(Outcome::Failure),
            jobs: vec![job],
        }
    }

    fn text(span: &Span, key: Key) -> Option<&str> {
        span.attributes
            .iter()
            .find_map(|(held, value)| match value {
                Value::Text(text) if *held == key => Some(text.as_str()),
                _ => None,
            })
    }

    #[test]
    fn a_run_is_a_tree_of_the_receivers_spans() {
        let spans = of_run(&run());
        let lines: Vec<String> = spans
            .iter()
            .map(|span| {
                let parent = span.parent.map_or("-".into(), |parent| parent.to_string());
                format!("{} {} {}", span.id, parent, span.name)
            })
            .collect();
        assert_eq!(
            lines[..4],
            [
                "aba151af7cfbcf0f - RUN build-and-test",
                "2b09b38c69b64a9c aba151af7cfbcf0f test (1.23)",
                "79ff76cc79430e14 2b09b38c69b64a9c queue-test (1.23)",
                "d592338e114eb265 2b09b38c69b64a9c Set up job",
            ]
        );
        let mut ids: Vec<SpanId> = spans.iter().map(|span| span.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn a_retry_links_to_the_attempt_before() {
        let links = |attempt| {
            let spans = of_run(&Run { attempt, ..run() });
            spans[0].links.clone()
        };
        assert_eq!(
            links(13)[0].0.to_string(),
            "3ab150c94bf95169f4958bc860bddc3b"
        );
        assert!(links(1).is_empty());
    }

    #[test]
    fn what_the_conventions_require_is_there() {
        let spans = of_run(&run());
        assert_eq!(spans[0].kind, SpanKind::Server);
        assert_eq!(text(&spans[0], PIPELINE_RESULT), Some("failure"));
        assert_eq!(text(&spans[0], ERROR_TYPE), Some(OTHER_ERROR));
        assert_eq!(spans[0].failed, Some("failure"));
        for span in [&spans[1], &spans[3], &spans[4], &spans[5]] {
            for key in [TASK_NAME, TASK_RUN_ID, TASK_RUN_URL, TASK_RUN_RESULT] {
                assert!(text(span, key).is_some(), "{} of {}", key.name(), span.name);
            }
        }
        assert_eq!(text(&spans[5], TASK_RUN_RESULT), Some("skip"));
        assert_eq!(spans[5].failed, None);
    }

    #[test]
    fn times_that_run_backwards_have_no_length_and_say_so() {
        let mut run = run();
        run.jobs[0].ended = Some(at(0));
        let spans = of_run(&run);
        assert_eq!(spans[1].start, spans[1].end);
        let said = spans[1].attributes.iter().any(|(key, _)| *key == CLAMPED);
        assert!(said);
    }

    #[test]
    fn what_has_not_ended_has_no_span_yet() {
        let mut run = run();
        run.ended = None;
        run.jobs[0].steps[1].ended = None;
        let names: Vec<String> = of_run(&run).into_iter().map(|span| span.name).collect();
        let there = ["test (1.23)", "queue-test (1.23)", "Set up job", "Build"];
        assert_eq!(names, there);
        run.jobs[0].result = None;
        assert!(of_run(&run).is_empty());
    }
}
