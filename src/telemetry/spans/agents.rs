//! A run of agents as spans: the run, its tasks, the calls of models. Inside CI they hang below the job that ran them, in the run's own trace.
//!
//! Names of the conventions for generative AI (open-telemetry/semantic-conventions-genai, in development) come with the opt-in only, as
//! `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` has it; costs are ours in any case. No prompt and no answer is here.

use jiff::Timestamp;

use crate::money::Usd;
use crate::telemetry::attributes::Attributes;
use crate::telemetry::ids::{JobRef, SpanId, TraceId};
use crate::telemetry::otlp::{Span, SpanKind};
use crate::telemetry::semconv::{
    AGENT_ATTEMPT, AGENT_OUTCOME, AGENT_ROLE, AGENT_RUN_ID, AGENT_TASK_ID, CHANGE_ID, ERROR_TYPE,
    GEN_AI_AGENT_NAME, GEN_AI_CACHE_CREATION_TOKENS, GEN_AI_CACHE_READ_TOKENS, GEN_AI_INPUT_TOKENS,
    GEN_AI_OPERATION, GEN_AI_OUTPUT_TOKENS, GEN_AI_PROVIDER, GEN_AI_REASONING_TOKENS,
    GEN_AI_REQUEST_MODEL, GEN_AI_WORKFLOW_NAME, LLM_CACHE_READ_TOKENS, LLM_CACHE_WRITE_TOKENS,
    LLM_COST, LLM_INPUT_TOKENS, LLM_MODEL, LLM_OUTPUT_TOKENS, LLM_PROVIDER, LLM_STATUS,
    OTHER_ERROR,
};

/// Whether names of the conventions for generative AI are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GenAi {
    Off,
    Latest,
}

/// A run of agents.
#[derive(Debug, Clone)]
pub(crate) struct AgentRun {
    pub(crate) id: String,
    /// The run of CI and its attempt, and the job in it.
    pub(crate) ci: Option<(u64, u32)>,
    pub(crate) job: Option<u64>,
    pub(crate) change: Option<u64>,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    /// What came of it, in a word.
    pub(crate) outcome: String,
    pub(crate) succeeded: bool,
    pub(crate) usd: Option<Usd>,
    pub(crate) tasks: Vec<Task>,
    /// Calls that no task is known for.
    pub(crate) calls: Vec<Call>,
}

/// A task of it.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) role: String,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    pub(crate) outcome: String,
    pub(crate) succeeded: bool,
    pub(crate) calls: Vec<Call>,
}

/// A call of a model.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its number in its purse, or whatever tells it from others of the run.
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) started: Timestamp,
    /// The same as `started` where nobody knows.
    pub(crate) ended: Timestamp,
    /// As the ledger has it: `settled`, `unknown`, `unpriced`.
    pub(crate) status: String,
    pub(crate) usd: Option<Usd>,
    pub(crate) tokens: Option<Tokens>,
}

/// What a call used. Input is all of it, whether it was cached or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// Returns the spans of a run of agents.
pub(crate) fn of_agents(run: &AgentRun, gen_ai: GenAi) -> Vec<Span> {
    let trace = match run.ci {
        Some((id, attempt)) => TraceId::of_run(id, attempt),
        None => TraceId::of_agents(&run.id),
    };
    let parent = match (run.ci, run.job) {
        (Some(_), Some(job)) => Some(SpanId::of_job(JobRef::Id(job))),
        (Some((id, attempt)), None) => Some(SpanId::of_run(id, attempt)),
        (None, _) => None,
    };
    let maker = Maker { run, trace, gen_ai };
    let root = SpanId::of_agents(&run.id, &[]);
    let mut spans = vec![maker.run(root, parent)];
    for task in &run.tasks {
        let attempt = task.attempt.to_string();
        let parts = [task.id.as_str(), &attempt];
        let span = SpanId::of_agents(&run.id, &parts);
        spans.push(maker.task(task, span, root));
        for call in &task.calls {
            let id = SpanId::of_agents(&run.id, &[parts[0], parts[1], &call.id]);
            spans.push(maker.call(call, id, span));
        }
    }
    for call in &run.calls {
        let id = SpanId::of_agents(&run.id, &["", "", &call.id]);
        spans.push(maker.call(call, id, root));
    }
    spans
}

struct Maker<'a> {
    run: &'a AgentRun,
    trace: TraceId,
    gen_ai: GenAi,
}

impl Maker<'_> {
    fn run(&self, span: SpanId, parent: Option<SpanId>) -> Span {
        let mut attributes = Attributes::new();
        attributes.text(AGENT_RUN_ID, &self.run.id);
        attributes.text(AGENT_OUTCOME, &self.run.outcome);
        if let Some(change) = self.run.change {
            attributes.text(CHANGE_ID, &change.to_string());
        }
        cost(&mut attributes, self.run.usd);
        if self.gen_ai == GenAi::Latest {
            attributes.text(GEN_AI_OPERATION, "invoke_workflow");
            attributes.text(GEN_AI_WORKFLOW_NAME, "run-agents");
        }
        let name = match self.gen_ai {
            GenAi::Latest => "invoke_workflow run-agents",
            GenAi::Off => "run-agents",
        };
        Span {
            trace: self.trace,
            id: span,
            parent,
            name: name.into(),
            kind: SpanKind::Internal,
            start: self.run.started,
            end: self.run.ended,
            failed: failed(&mut attributes, self.run.succeeded),
            attributes,
            links: Vec::new(),
        }
    }

    fn task(&self, task: &Task, span: SpanId, parent: SpanId) -> Span {
        let mut attributes = Attributes::new();
        attributes.text(AGENT_RUN_ID, &self.run.id);
        attributes.text(AGENT_TASK_ID, &task.id);
        attributes.int(AGENT_ATTEMPT, task.attempt.into());
        attributes.text(AGENT_ROLE, &task.role);
        attributes.text(AGENT_OUTCOME, &task.outcome);
        if self.gen_ai == GenAi::Latest {
            attributes.text(GEN_AI_OPERATION, "invoke_agent");
            attributes.text(GEN_AI_AGENT_NAME, &task.role);
        }
        let name = match self.gen_ai {
            GenAi::Latest => format!("invoke_agent {}", task.role),
            GenAi::Off => format!("task {}", task.role),
        };
        Span {
            trace: self.trace,
            id: span,
            parent: Some(parent),
            name,
            kind: SpanKind::Internal,
            start: task.started,
            end: task.ended,
            failed: failed(&mut attributes, task.succeeded),
            attributes,
            links: Vec::new(),
        }
    }

    fn call(&self, call: &Call, span: SpanId, parent: SpanId) -> Span {
        let mut attributes = Attributes::new();
        attributes.text(LLM_STATUS, &call.status);
        cost(&mut attributes, call.usd);
        let names = match self.gen_ai {
            GenAi::Latest => {
                attributes.text(GEN_AI_OPERATION, "chat");
                [GEN_AI_PROVIDER, GEN_AI_REQUEST_MODEL]
            }
            GenAi::Off => [LLM_PROVIDER, LLM_MODEL],
        };
        attributes.text(names[0], &call.provider);
        attributes.text(names[1], &call.model);
        if let Some(tokens) = call.tokens {
            let [input, read, write, output] = match self.gen_ai {
                GenAi::Latest => {
                    attributes.int(GEN_AI_REASONING_TOKENS, tokens.reasoning);
                    [
                        GEN_AI_INPUT_TOKENS,
                        GEN_AI_CACHE_READ_TOKENS,
                        GEN_AI_CACHE_CREATION_TOKENS,
                        GEN_AI_OUTPUT_TOKENS,
                    ]
                }
                GenAi::Off => [
                    LLM_INPUT_TOKENS,
                    LLM_CACHE_READ_TOKENS,
                    LLM_CACHE_WRITE_TOKENS,
                    LLM_OUTPUT_TOKENS,
                ],
            };
            attributes.int(input, tokens.input);
            attributes.int(read, tokens.cache_read);
            attributes.int(write, tokens.cache_write);
            attributes.int(output, tokens.output);
        }
        Span {
            trace: self.trace,
            id: span,
            parent: Some(parent),
            name: format!("chat {}", call.model),
            kind: SpanKind::Client,
            start: call.started,
            end: call.ended,
            attributes,
            links: Vec::new(),
            failed: None,
        }
    }
}

fn cost(attributes: &mut Attributes, usd: Option<Usd>) {
    // The nearest number to the exact decimal.
    if let Some(Ok(usd)) = usd.map(|usd| usd.to_string().parse()) {
        attributes.double(LLM_COST, usd);
    }
}

fn failed(attributes: &mut Attributes, succeeded: bool) -> Option<&'static str> {
    if succeeded {
        return None;
    }
    attributes.text(ERROR_TYPE, OTHER_ERROR);
    Some("failure")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ci: Option<(u64, u32)>) -> AgentRun {
        let at = |second| Timestamp::from_second(second).unwrap();
        let call = |id: &str| Call {
            id: id.into(),
            provider: "anthropic".into(),
            model: "m-1".into(),
            started: at(12),
            ended: at(15),
            status: "settled".into(),
            usd: "0.25".parse().ok(),
            tokens: Some(Tokens {
                input: 10,
                output: 3,
                ..Tokens::default()
            }),
        };
        let task = |attempt, succeeded| Task {
            id: "t1".into(),
            attempt,
            role: "implementer".into(),
            started: at(11),
            ended: at(20),
            outcome: "done".into(),
            succeeded,
            calls: vec![call("1"), call("2")],
        };
        AgentRun {
            id: "r1".into(),
            ci,
            job: Some(40_685_651_258),
            change: Some(7),
            started: at(10),
            ended: at(30),
            outcome: "delivered".into(),
            succeeded: true,
            usd: "1".parse().ok(),
            tasks: vec![task(1, false), task(2, true)],
            calls: vec![call("1")],
        }
    }

    #[test]
    fn in_ci_agents_hang_below_their_job_in_the_runs_trace() {
        let spans = of_agents(&run(Some((14_460_881_260, 13))), GenAi::Off);
        assert_eq!(spans.len(), 8);
        let trace = "731ec8a47fd7450f753a812a4a8aa5a0";
        assert!(spans.iter().all(|span| span.trace.to_string() == trace));
        assert_eq!(spans[0].parent.unwrap().to_string(), "2b09b38c69b64a9c");
        let mut ids: Vec<SpanId> = spans.iter().map(|span| span.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 8);
        assert_eq!(spans[1].failed, Some("failure"));
        assert_eq!(spans[4].failed, None);
    }

    #[test]
    fn on_somebodys_machine_a_run_has_a_trace_of_its_own() {
        let spans = of_agents(&run(None), GenAi::Off);
        assert_eq!(spans[0].parent, None);
        assert_eq!(spans[0].trace, TraceId::of_agents("r1"));
    }

    #[test]
    fn names_for_generative_ai_come_with_the_opt_in_only() {
        let gen_ai = |choice| {
            let spans = of_agents(&run(None), choice);
            let keys = spans.iter().flat_map(|span| span.attributes.iter());
            keys.filter(|(key, _)| key.is_gen_ai()).count()
        };
        assert_eq!(gen_ai(GenAi::Off), 0);
        // Two of the run, two of each task, eight of each call.
        assert_eq!(gen_ai(GenAi::Latest), 2 + 2 * 2 + 5 * 8);
        let spans = of_agents(&run(None), GenAi::Latest);
        let names: Vec<&str> = spans[..3].iter().map(|span| span.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "invoke_workflow run-agents",
                "invoke_agent implementer",
                "chat m-1"
            ]
        );
    }
}
