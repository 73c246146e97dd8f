//! The names of attributes: those of OpenTelemetry's semantic conventions v1.44.0 for CI/CD, version control, deployments and services
//! (open-telemetry/semantic-conventions, `model/`), those for generative AI, which are still in development and have an opt-in of their own, and ours
//! under `maestro.`.
//!
//! This is the only place where a `Key` is made, so that no other name can be emitted. `tests/interop/observe.py` holds this file against the
//! conventions themselves.

/// The version of the conventions that the names are of, as OTLP states it.
pub(crate) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The value of `error.type` where nothing better is known, as the conventions have it.
pub(crate) const OTHER_ERROR: &str = "_OTHER";

/// The name of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(&'static str);

impl Key {
    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// Tells whether the name is one of the conventions for generative AI.
    #[cfg(test)]
    pub(crate) fn is_gen_ai(self) -> bool {
        self.0.starts_with("gen_ai.")
    }
}

macro_rules! keys {
    ($($constant:ident = $name:literal,)*) => {
        $(pub(crate) const $constant: Key = Key($name);)*

        /// All names.
        #[cfg(test)]
        pub(crate) const KEYS: &[Key] = &[$($constant),*];
    };
}

keys! {
    SERVICE_NAME = "service.name",
    SERVICE_VERSION = "service.version",
    ERROR_TYPE = "error.type",

    PIPELINE_NAME = "cicd.pipeline.name",
    PIPELINE_ACTION = "cicd.pipeline.action.name",
    PIPELINE_RESULT = "cicd.pipeline.result",
    PIPELINE_RUN_ID = "cicd.pipeline.run.id",
    PIPELINE_RUN_URL = "cicd.pipeline.run.url.full",
    PIPELINE_RUN_STATE = "cicd.pipeline.run.state",
    TASK_NAME = "cicd.pipeline.task.name",
    TASK_TYPE = "cicd.pipeline.task.type",
    TASK_RUN_ID = "cicd.pipeline.task.run.id",
    TASK_RUN_URL = "cicd.pipeline.task.run.url.full",
    TASK_RUN_RESULT = "cicd.pipeline.task.run.result",
    WORKER_ID = "cicd.worker.id",
    WORKER_NAME = "cicd.worker.name",

    REPOSITORY_NAME = "vcs.repository.name",
    REPOSITORY_URL = "vcs.repository.url.full",
    OWNER_NAME = "vcs.owner.name",
    PROVIDER_NAME = "vcs.provider.name",
    HEAD_NAME = "vcs.ref.head.name",
    HEAD_REVISION = "vcs.ref.head.revision",
    HEAD_TYPE = "vcs.ref.head.type",
    CHANGE_ID = "vcs.change.id",
    CHANGE_STATE = "vcs.change.state",

    ENVIRONMENT_NAME = "deployment.environment.name",
    DEPLOYMENT_STATUS = "deployment.status",

    GEN_AI_OPERATION = "gen_ai.operation.name",
    GEN_AI_PROVIDER = "gen_ai.provider.name",
    GEN_AI_REQUEST_MODEL = "gen_ai.request.model",
    GEN_AI_AGENT_NAME = "gen_ai.agent.name",
    GEN_AI_WORKFLOW_NAME = "gen_ai.workflow.name",
    GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens",
    GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens",
    GEN_AI_CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens",
    GEN_AI_CACHE_CREATION_TOKENS = "gen_ai.usage.cache_creation.input_tokens",
    GEN_AI_REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens",

    RUN_ATTEMPT = "maestro.run.attempt",
    RUN_ID = "maestro.run.id",
    COMMAND = "maestro.command",
    JOB = "maestro.job",
    QUEUE = "maestro.queue",
    CLAMPED = "maestro.clamped",
    AGENT_RUN_ID = "maestro.agent.run.id",
    AGENT_ROLE = "maestro.agent.role",
    AGENT_TASK_ID = "maestro.agent.task.id",
    AGENT_ATTEMPT = "maestro.agent.attempt",
    AGENT_OUTCOME = "maestro.agent.outcome",
    LLM_PROVIDER = "maestro.llm.provider",
    LLM_MODEL = "maestro.llm.model",
    LLM_STATUS = "maestro.llm.status",
    LLM_TOKEN_TYPE = "maestro.llm.token.type",
    LLM_COST = "maestro.llm.cost",
    LLM_INPUT_TOKENS = "maestro.llm.input_tokens",
    LLM_OUTPUT_TOKENS = "maestro.llm.output_tokens",
    LLM_CACHE_READ_TOKENS = "maestro.llm.cache_read_tokens",
    LLM_CACHE_WRITE_TOKENS = "maestro.llm.cache_write_tokens",
    BUDGET_SCOPE = "maestro.budget.scope",
    FLAKE_STATE = "maestro.flake.state",
    POLICY_OUTCOME = "maestro.policy.outcome",
    POLICY_RULE = "maestro.policy.rule",
    SEVERITY = "maestro.severity",
    SCANNER = "maestro.scanner",
    QUANTILE = "maestro.quantile",
}

/// What came of a run, a job or a step: the values of `cicd.pipeline.result` and `cicd.pipeline.task.run.result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Error,
    Timeout,
    Cancellation,
    Skip,
}

impl Outcome {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Success,
        Self::Failure,
        Self::Error,
        Self::Timeout,
        Self::Cancellation,
        Self::Skip,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancellation => "cancellation",
            Self::Skip => "skip",
        }
    }

    /// Reads GitHub's `conclusion`. What waits for a person (`action_required`) and what is not known is no result.
    pub(crate) fn of_conclusion(word: &str) -> Option<Self> {
        Some(match word {
            "success" | "neutral" => Self::Success,
            "failure" => Self::Failure,
            "startup_failure" => Self::Error,
            "timed_out" => Self::Timeout,
            "cancelled" | "stale" => Self::Cancellation,
            "skipped" => Self::Skip,
            _ => return None,
        })
    }

    /// Tells whether somebody has to look at it.
    pub(crate) const fn is_trouble(self) -> bool {
        matches!(self, Self::Failure | Self::Error | Self::Timeout)
    }
}

/// What a task does: the values of `cicd.pipeline.task.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskType {
    Build,
    Test,
    Deploy,
}

impl TaskType {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Deploy => "deploy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_and_each_has_a_known_room() {
        let mut names: Vec<&str> = KEYS.iter().map(|key| key.name()).collect();
        names.sort_unstable();
        let many = names.len();
        names.dedup();
        assert_eq!(names.len(), many);
        let rooms = [
            "service.",
            "error.",
            "cicd.",
            "vcs.",
            "deployment.",
            "gen_ai.",
            "maestro.",
        ];
        for name in names {
            assert!(rooms.iter().any(|room| name.starts_with(room)), "{name}");
        }
    }

    #[test]
    fn conclusions_of_github_are_results_of_the_conventions() {
        for (conclusion, word) in [
            ("success", "success"),
            ("neutral", "success"),
            ("failure", "failure"),
            ("startup_failure", "error"),
            ("timed_out", "timeout"),
            ("cancelled", "cancellation"),
            ("skipped", "skip"),
        ] {
            assert_eq!(Outcome::of_conclusion(conclusion).unwrap().word(), word);
        }
        assert_eq!(Outcome::of_conclusion("action_required"), None);
    }
}
