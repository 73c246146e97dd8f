//! The table of metrics: each with its OpenTelemetry name, kind, unit, words and labels. Its name in Prometheus follows from these.
//!
//! `cicd.` and `vcs.` are of the semantic conventions v1.44.0; the conventions know no metrics of delivery, budgets or flaky tests, so those are ours.
//! Labels have few values: never a pull request, a commit, a branch or a person.

use super::semconv::{
    AGENT_OUTCOME, AGENT_ROLE, BUDGET_SCOPE, CHANGE_STATE, DEPLOYMENT_STATUS, ENVIRONMENT_NAME,
    ERROR_TYPE, FLAKE_STATE, Key, LLM_MODEL, LLM_PROVIDER, LLM_STATUS, LLM_TOKEN_TYPE,
    PIPELINE_NAME, PIPELINE_RESULT, PIPELINE_RUN_STATE, POLICY_OUTCOME, POLICY_RULE, QUANTILE,
    QUEUE, REPOSITORY_URL, SCANNER, SEVERITY,
};

/// How a metric's numbers are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Grows only.
    Counter,
    /// A sum that also shrinks.
    UpDownCounter,
    /// A value that is not summed up.
    Gauge,
    /// How many values lie where.
    Histogram,
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Instrument {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// In UCUM's case-sensitive form, `1` for a ratio, `{thing}` for a count.
    pub(crate) unit: &'static str,
    pub(crate) help: &'static str,
    pub(crate) labels: &'static [Key],
    /// Whether Prometheus is told as well.
    pub(crate) in_prometheus: bool,
}

/// Upper bounds of durations in seconds, from a second to six hours.
pub(crate) const DURATIONS: &[f64] = &[
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0,
];

macro_rules! instruments {
    ($($constant:ident = $kind:ident $name:literal $unit:literal [$($label:ident),*] $help:literal $(, $otlp_only:ident)?;)*) => {
        $(pub(crate) static $constant: Instrument = Instrument {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            help: $help,
            labels: &[$($label),*],
            in_prometheus: !instruments!(@only $($otlp_only)?),
        };)*

        /// All of them.
        pub(crate) static INSTRUMENTS: &[&Instrument] = &[$(&$constant),*];
    };
    (@only) => { false };
    (@only otlp) => { true };
}

instruments! {
    RUN_DURATION = Histogram "cicd.pipeline.run.duration" "s" [PIPELINE_NAME, PIPELINE_RUN_STATE, PIPELINE_RESULT, ERROR_TYPE] "Duration of pipeline runs by state and result.";
    RUN_ACTIVE = UpDownCounter "cicd.pipeline.run.active" "{run}" [PIPELINE_NAME, PIPELINE_RUN_STATE] "Pipeline runs that are active now.";
    RUN_ERRORS = Counter "cicd.pipeline.run.errors" "{error}" [PIPELINE_NAME, ERROR_TYPE] "Errors met in pipeline runs.";
    // Its name in Prometheus would end as a histogram's count does, which promtool refuses; `maestro.changes` says the same there.
    CHANGE_COUNT = UpDownCounter "vcs.change.count" "{change}" [CHANGE_STATE, REPOSITORY_URL] "Changes by state.", otlp;

    CHANGES = Gauge "maestro.changes" "{change}" [CHANGE_STATE] "Changes by state.";
    RUNS = Counter "maestro.ci.runs" "{run}" [PIPELINE_NAME, PIPELINE_RESULT] "Pipeline runs that ended, by result.";
    RUN_SUCCESS = Gauge "maestro.ci.run.success" "1" [PIPELINE_NAME] "Share of pipeline runs of the last 7 days that succeeded.";
    RUN_QUANTILE = Gauge "maestro.ci.run.duration" "s" [PIPELINE_NAME, QUANTILE] "Quantiles of the duration of pipeline runs of the last 7 days.";
    QUEUE_DURATION = Histogram "maestro.ci.job.queue.duration" "s" [] "Time that jobs waited for a runner.";
    JOBS_QUEUED = Gauge "maestro.ci.jobs.queued" "{job}" [] "Jobs that wait for a runner now.";
    QUEUE_OLDEST = Gauge "maestro.ci.job.queue.oldest" "s" [] "How long the job that waits longest has been waiting.";
    TIME_SAVED = Counter "maestro.ci.time.saved" "s" [] "Time of tests in jobs that a plan left out.";
    INBOX_WAITING = Gauge "maestro.inbox.waiting" "{ref}" [] "Refs of the state's inbox that wait to be folded.";
    INBOX_OLDEST = Gauge "maestro.inbox.oldest" "s" [] "Age of the oldest ref in the state's inbox.";
    FLAKE_TESTS = Gauge "maestro.flake.tests" "{test}" [FLAKE_STATE] "Tests by what their history says.";
    FLAKE_RATE = Gauge "maestro.flake.rate" "1" [] "Share of test runs of the last 7 days that failed and then passed on the same commit.";
    FLAKE_TIME = Counter "maestro.flake.time" "s" [] "Time of tests that ran again, because some had failed and then passed on the same commit.";

    AGENT_RUNS = Counter "maestro.agent.runs" "{run}" [AGENT_OUTCOME] "Runs of agents that ended, by outcome.";
    AGENT_SUCCESS = Gauge "maestro.agent.success" "1" [] "Share of runs of agents of the last 7 days that succeeded.";
    AGENT_TASKS = Counter "maestro.agent.tasks" "{task}" [AGENT_ROLE, AGENT_OUTCOME] "Tasks of agents that ended, by role and outcome.";
    AGENT_TASK_DURATION = Histogram "maestro.agent.task.duration" "s" [AGENT_ROLE] "Duration of tasks of agents.";
    AGENT_CHANGES = Counter "maestro.agent.changes" "{change}" [CHANGE_STATE] "Changes that agents proposed, by what became of them.";
    LLM_CALLS = Counter "maestro.llm.calls" "{call}" [LLM_PROVIDER, LLM_MODEL, AGENT_ROLE, LLM_STATUS] "Calls of models.";
    LLM_TOKENS = Counter "maestro.llm.tokens" "{token}" [LLM_PROVIDER, LLM_MODEL, LLM_TOKEN_TYPE] "Tokens that models read and wrote.";
    LLM_SPENT = Counter "maestro.llm.cost" "USD" [LLM_PROVIDER, LLM_MODEL, AGENT_ROLE] "What calls of models cost.";

    BUDGET_SPENT = Gauge "maestro.budget.spent" "USD" [BUDGET_SCOPE] "What is spent of a cap, with what is put aside.";
    BUDGET_CAP = Gauge "maestro.budget.cap" "USD" [BUDGET_SCOPE] "The cap.";
    BUDGET_USED = Gauge "maestro.budget.used" "1" [BUDGET_SCOPE] "Share of the cap that is spent or put aside.";
    BUDGET_FORECAST = Gauge "maestro.budget.forecast" "USD" [BUDGET_SCOPE] "What will be spent by the end of the period at this pace.";
    CHANGE_COST = Gauge "maestro.budget.change.cost" "USD" [QUANTILE] "Quantiles of what models cost per change, last 30 days.";

    POLICY_VERDICTS = Counter "maestro.policy.verdicts" "{verdict}" [POLICY_OUTCOME] "Verdicts of the policy.";
    POLICY_VIOLATIONS = Counter "maestro.policy.violations" "{violation}" [POLICY_RULE, SEVERITY] "Violations of the policy, by rule.";
    FINDINGS = Gauge "maestro.supply.findings" "{finding}" [SCANNER] "Findings of each scanner in the newest statement of a run that is no pull request's.";
    STATEMENTS = Counter "maestro.provenance.runs" "{run}" [] "Runs that stated what they did.";

    LEAD_TIME = Gauge "maestro.dora.lead_time" "s" [QUANTILE] "Quantiles of change lead time, from the first commit to the deployment, last 30 days.";
    DEPLOYMENT_FREQUENCY = Gauge "maestro.dora.deployment.frequency" "{deployment}/d" [] "Deployments per day, last 30 days.";
    RECOVERY_TIME = Gauge "maestro.dora.recovery_time" "s" [QUANTILE] "Quantiles of failed deployment recovery time, last 30 days.";
    CHANGE_FAIL = Gauge "maestro.dora.change_fail" "1" [] "Share of deployments of the last 30 days that failed.";
    REWORK = Gauge "maestro.dora.rework" "1" [] "Share of deployments of the last 30 days that were unplanned work for an incident.";
    DEPLOYMENTS = Counter "maestro.dora.deployments" "{deployment}" [ENVIRONMENT_NAME, DEPLOYMENT_STATUS] "Deployments that ended.";

    EXPORT_TIME = Gauge "maestro.export.time" "s" [] "When this was exported, in seconds of Unix time.";
    STATE_EVENTS = Gauge "maestro.state.events" "{event}" [QUEUE] "Events in the state, by where they lie.";
}

impl Instrument {
    /// Returns the metric's name in Prometheus, by OpenTelemetry's compatibility specification (`compatibility/prometheus_and_openmetrics.md`):
    /// no dots, the unit's word at the end unless it stands there already, `_ratio` for a gauge without a dimension, `_total` for a counter.
    ///
    /// A counter's `_total` belongs to its samples only where `OpenMetrics` is written.
    pub(crate) fn prometheus_name(&self) -> String {
        let mut name = self.family();
        if self.kind == Kind::Counter {
            name.push_str("_total");
        }
        name
    }

    /// Returns that name without a counter's ending.
    pub(crate) fn family(&self) -> String {
        let mut name = plain(self.name);
        let unit = self.prometheus_unit();
        if !unit.is_empty() && !name.ends_with(&format!("_{unit}")) {
            name.push('_');
            name.push_str(&unit);
        }
        name
    }

    /// Returns the unit's word in Prometheus; empty where it has none.
    pub(crate) fn prometheus_unit(&self) -> String {
        match self.unit {
            "s" => "seconds".into(),
            "1" if self.kind == Kind::Gauge => "ratio".into(),
            "1" => String::new(),
            unit => {
                let (of, per) = unit.split_once('/').unwrap_or((unit, ""));
                let of = if of.starts_with('{') { "" } else { of };
                match (of, per) {
                    (of, "") => of.into(),
                    ("", "d") => "per_day".into(),
                    (of, per) => format!("{of}_per_{per}"),
                }
            }
        }
    }
}

/// Returns a name in which underscores stand for what Prometheus takes in no name.
pub(crate) fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(kept).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn names_in_prometheus_say_unit_and_kind() {
        for (instrument, name) in [
            (&RUN_DURATION, "cicd_pipeline_run_duration_seconds"),
            (&RUN_ACTIVE, "cicd_pipeline_run_active"),
            (&RUN_ERRORS, "cicd_pipeline_run_errors_total"),
            (&LLM_SPENT, "maestro_llm_cost_USD_total"),
            (&FLAKE_RATE, "maestro_flake_rate_ratio"),
            (
                &DEPLOYMENT_FREQUENCY,
                "maestro_dora_deployment_frequency_per_day",
            ),
        ] {
            assert_eq!(instrument.prometheus_name(), name);
        }
    }

    #[test]
    fn no_two_metrics_share_a_name_and_all_have_words() {
        let mut names: Vec<String> = INSTRUMENTS.iter().map(|i| i.family()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), INSTRUMENTS.len());
        assert!(INSTRUMENTS.iter().all(|i| i.help.ends_with('.')));
    }

    #[test]
    fn no_label_names_a_change_a_commit_a_run_or_a_person() {
        for instrument in INSTRUMENTS {
            for label in instrument.labels {
                let name = label.name();
                let many = [".id", "revision", "head", "author", "title"];
                assert!(!many.iter().any(|word| name.contains(word)), "{name}");
            }
        }
    }

    #[test]
    fn a_metric_is_of_the_conventions_or_ours() {
        let conventions = [
            ("cicd.pipeline.run.duration", Kind::Histogram, "s"),
            ("cicd.pipeline.run.active", Kind::UpDownCounter, "{run}"),
            ("cicd.pipeline.run.errors", Kind::Counter, "{error}"),
            ("vcs.change.count", Kind::UpDownCounter, "{change}"),
        ];
        for i in INSTRUMENTS {
            assert!(
                i.name.starts_with("maestro.") || conventions.contains(&(i.name, i.kind, i.unit)),
                "{}",
                i.name
            );
        }
    }

    /// Returns the metric as a row of docs/observe.md.
    pub(crate) fn row(instrument: &Instrument) -> String {
        let labels: Vec<String> = instrument
            .labels
            .iter()
            .map(|label| format!("`{}`", label.name()))
            .collect();
        let prometheus = if instrument.in_prometheus {
            format!("`{}`", instrument.prometheus_name())
        } else {
            "–".into()
        };
        format!(
            "| `{}` | {prometheus} | {:?} | `{}` | {} | {} |",
            instrument.name,
            instrument.kind,
            instrument.unit,
            labels.join(", "),
            instrument.help
        )
    }

    #[test]
    fn the_documentation_has_this_table() {
        let docs = include_str!("../../docs/observe.md");
        let rows: Vec<String> = INSTRUMENTS.iter().map(|i| row(i)).collect();
        let table = rows.join("\n");
        assert!(docs.contains(&table), "docs/observe.md must have:\n{table}");
    }
}
