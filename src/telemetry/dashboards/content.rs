//! What the six dashboards show.

use super::board::{Dashboard, Panel, Shape};
use super::query::{Query, age, each, quantile, sum};
use crate::telemetry::instruments as of;
use crate::telemetry::semconv as key;

/// Returns a panel.
fn panel(
    shape: Shape,
    width: u32,
    unit: &'static str,
    title: &'static str,
    words: &'static str,
    queries: Vec<Query>,
) -> Panel {
    Panel {
        title,
        words,
        shape,
        width,
        unit,
        steps: None,
        queries,
    }
}

impl Panel {
    /// Gives the values from which on it is yellow, and red; the other way round where less is worse.
    fn steps(mut self, yellow: f64, red: f64) -> Self {
        self.steps = Some((yellow, red));
        self
    }
}

use Shape::{Bars, Gauge, Line, Stat, Table};

pub(super) fn all() -> Vec<Dashboard> {
    vec![
        Dashboard {
            uid: "maestro-overview",
            title: "maestro / Overview",
            words: "Whether CI, agents, money and safety are well, at a glance.",
            panels: overview(),
        },
        Dashboard {
            uid: "maestro-agents",
            title: "maestro / Agents",
            words: "What agents did, how often they succeeded, what they used.",
            panels: agents(),
        },
        Dashboard {
            uid: "maestro-ci",
            title: "maestro / CI and CD",
            words: "How long pipelines take, what waits, what fails, what is flaky.",
            panels: ci(),
        },
        Dashboard {
            uid: "maestro-security",
            title: "maestro / Security",
            words: "What the policy stopped, what is vulnerable, what was verified.",
            panels: security(),
        },
        Dashboard {
            uid: "maestro-dora",
            title: "maestro / DORA",
            words: "The five metrics of software delivery (dora.dev), of each repository by itself: compare a team with its own past.",
            panels: dora(),
        },
        Dashboard {
            uid: "maestro-cost",
            title: "maestro / Cost",
            words: "What models cost, by whom, against which cap.",
            panels: cost(),
        },
    ]
}

fn overview() -> Vec<Panel> {
    [overview_now(), overview_more()].concat()
}

fn overview_now() -> Vec<Panel> {
    vec![
        panel(Stat, 4, "percentunit", "Runs that succeeded", "Share of pipeline runs of the last 7 days that succeeded.", vec![each(&of::RUN_SUCCESS, &[key::PIPELINE_NAME], &[])]).steps(0.95, 0.8),
        panel(Stat, 4, "s", "Pipeline p95", "95th percentile of the duration of runs of the last 7 days; the team's goal is 15 minutes.", vec![each(&of::RUN_QUANTILE, &[key::PIPELINE_NAME], P95)]).steps(600.0, 900.0),
        panel(Stat, 4, "percentunit", "Agents that succeeded", "Share of runs of agents of the last 7 days that succeeded.", vec![each(&of::AGENT_SUCCESS, &[], &[])]).steps(0.8, 0.5),
        panel(Stat, 4, "percentunit", "Budget used", "Share of each cap that is spent or put aside.", vec![each(&of::BUDGET_USED, &[key::BUDGET_SCOPE], &[])]).steps(0.8, 0.95),
        panel(Stat, 4, "percentunit", "Flake rate", "Share of test runs of the last 7 days that failed and then passed on the same commit.", vec![each(&of::FLAKE_RATE, &[], &[])]).steps(0.005, 0.01),
        panel(Stat, 4, "s", "Age of this data", "How long ago maestro exported. Over a day means that the scheduled export does not run.", vec![age(&of::EXPORT_TIME)]).steps(43_200.0, 93_600.0),
    ]
}

fn overview_more() -> Vec<Panel> {
    vec![
        panel(
            Line,
            12,
            "s",
            "Pipeline p50 and p95",
            "Duration of runs, last 7 days at each time.",
            vec![each(
                &of::RUN_QUANTILE,
                &[key::PIPELINE_NAME, key::QUANTILE],
                &[],
            )],
        ),
        panel(
            Line,
            12,
            "currencyUSD",
            "Spent and forecast",
            "What is spent of each cap, and what will be by the end of the period at this pace.",
            vec![
                each(&of::BUDGET_SPENT, &[key::BUDGET_SCOPE], &[]),
                each(&of::BUDGET_FORECAST, &[key::BUDGET_SCOPE], &[]),
            ],
        ),
        panel(
            Bars,
            8,
            "short",
            "Changes by state",
            "Changes that are open, in work, merged or closed.",
            vec![sum(&of::CHANGES, &[key::CHANGE_STATE], &[])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Verdicts of the policy",
            "How often the policy let a change in, blocked it, or was overridden.",
            vec![sum(&of::POLICY_VERDICTS, &[key::POLICY_OUTCOME], &[])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Tests by history",
            "Tests that are flaky, broken, quarantined, or overdue in quarantine.",
            vec![sum(&of::FLAKE_TESTS, &[key::FLAKE_STATE], &[])],
        ),
        panel(
            Stat,
            12,
            "s",
            "Runner time saved",
            "Runner time of jobs that a plan left out.",
            vec![sum(&of::TIME_SAVED, &[], &[])],
        ),
        panel(
            Stat,
            12,
            "short",
            "Events in the state",
            "Events by where they lie; what waits for long is not shared yet.",
            vec![sum(&of::STATE_EVENTS, &[key::QUEUE], &[])],
        ),
    ]
}

fn agents() -> Vec<Panel> {
    [agents_runs(), agents_calls()].concat()
}

fn agents_runs() -> Vec<Panel> {
    vec![
        panel(
            Gauge,
            6,
            "percentunit",
            "Runs that succeeded",
            "Share of runs of agents of the last 7 days that succeeded.",
            vec![each(&of::AGENT_SUCCESS, &[], &[])],
        )
        .steps(0.8, 0.5),
        panel(
            Bars,
            6,
            "short",
            "Runs by outcome",
            "Runs of agents that ended.",
            vec![sum(&of::AGENT_RUNS, &[key::AGENT_OUTCOME], &[])],
        ),
        panel(
            Bars,
            6,
            "short",
            "Changes of agents",
            "What became of the changes that agents proposed.",
            vec![sum(&of::AGENT_CHANGES, &[key::CHANGE_STATE], &[])],
        ),
        panel(
            Stat,
            6,
            "short",
            "Runs in all",
            "All runs of agents in the state.",
            vec![sum(&of::AGENT_RUNS, &[], &[])],
        ),
        panel(
            Table,
            12,
            "short",
            "Tasks by role and outcome",
            "Which role fails tells which prompt or tool to mend.",
            vec![sum(
                &of::AGENT_TASKS,
                &[key::AGENT_ROLE, key::AGENT_OUTCOME],
                &[],
            )],
        ),
    ]
}

fn agents_calls() -> Vec<Panel> {
    vec![
        panel(
            Bars,
            12,
            "s",
            "Task duration p95",
            "95th percentile of the duration of tasks, by role.",
            vec![quantile(
                "0.95",
                &of::AGENT_TASK_DURATION,
                &[key::AGENT_ROLE],
            )],
        ),
        panel(
            Bars,
            8,
            "short",
            "Calls by status",
            "Calls of models: settled, unknown, unpriced.",
            vec![sum(&of::LLM_CALLS, &[key::LLM_STATUS], &[])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Calls by model",
            "Calls by the model that was asked.",
            vec![sum(&of::LLM_CALLS, &[key::LLM_MODEL], &[])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Tokens by kind",
            "Tokens read, cached and written.",
            vec![sum(&of::LLM_TOKENS, &[key::LLM_TOKEN_TYPE], &[])],
        ),
        panel(
            Line,
            24,
            "short",
            "Tokens by model",
            "All tokens so far, by model.",
            vec![sum(&of::LLM_TOKENS, &[key::LLM_MODEL], &[])],
        ),
    ]
}

fn ci() -> Vec<Panel> {
    [ci_waiting(), ci_runs()].concat()
}

fn ci_waiting() -> Vec<Panel> {
    vec![
        panel(
            Stat,
            4,
            "short",
            "Runs now",
            "Runs that wait or are being executed.",
            vec![sum(&of::RUN_ACTIVE, &[key::PIPELINE_RUN_STATE], &[])],
        ),
        panel(
            Stat,
            4,
            "short",
            "Jobs in the queue",
            "Jobs that wait for a runner.",
            vec![sum(&of::JOBS_QUEUED, &[], &[])],
        )
        .steps(10.0, 30.0),
        panel(
            Stat,
            4,
            "s",
            "Longest wait",
            "How long the job that waits longest has been waiting.",
            vec![each(&of::QUEUE_OLDEST, &[], &[])],
        )
        .steps(300.0, 900.0),
        panel(
            Stat,
            4,
            "s",
            "Wait p95",
            "95th percentile of the time that jobs waited for a runner.",
            vec![quantile("0.95", &of::QUEUE_DURATION, &[])],
        )
        .steps(60.0, 300.0),
        panel(
            Stat,
            4,
            "short",
            "Refs in the inbox",
            "What jobs left and nobody folded yet.",
            vec![sum(&of::INBOX_WAITING, &[], &[])],
        )
        .steps(50.0, 200.0),
        panel(
            Stat,
            4,
            "s",
            "Oldest in the inbox",
            "Over a day means that the scheduled `state sync` does not run.",
            vec![each(&of::INBOX_OLDEST, &[], &[])],
        )
        .steps(43_200.0, 86_400.0),
    ]
}

fn ci_runs() -> Vec<Panel> {
    vec![
        panel(
            Line,
            12,
            "percentunit",
            "Runs that succeeded",
            "Share of runs of the last 7 days at each time.",
            vec![each(&of::RUN_SUCCESS, &[key::PIPELINE_NAME], &[])],
        ),
        panel(
            Line,
            12,
            "s",
            "Duration p95",
            "Of runs of the last 7 days at each time.",
            vec![each(&of::RUN_QUANTILE, &[key::PIPELINE_NAME], P95)],
        ),
        panel(
            Table,
            12,
            "short",
            "Runs by pipeline and result",
            "Runs that ended.",
            vec![sum(
                &of::RUNS,
                &[key::PIPELINE_NAME, key::PIPELINE_RESULT],
                &[],
            )],
        ),
        panel(
            Bars,
            12,
            "s",
            "Median duration by pipeline",
            "Of all runs in the state.",
            vec![quantile("0.5", &of::RUN_DURATION, &[key::PIPELINE_NAME])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Errors by class",
            "Errors met in runs.",
            vec![sum(&of::RUN_ERRORS, &[key::ERROR_TYPE], &[])],
        ),
        panel(
            Line,
            8,
            "percentunit",
            "Flake rate",
            "Share of test runs of the last 7 days that failed and then passed on the same commit.",
            vec![each(&of::FLAKE_RATE, &[], &[])],
        ),
        panel(
            Stat,
            8,
            "s",
            "Time lost to flaky tests",
            "Runner time that went into runs again because of flaky tests.",
            vec![sum(&of::FLAKE_TIME, &[], &[])],
        ),
    ]
}

fn security() -> Vec<Panel> {
    vec![
        panel(
            Bars,
            8,
            "short",
            "Verdicts",
            "How often the policy let a change in, blocked it, or was overridden.",
            vec![sum(&of::POLICY_VERDICTS, &[key::POLICY_OUTCOME], &[])],
        ),
        panel(
            Stat,
            8,
            "short",
            "Runs with a statement",
            "Runs that stated what they built, tested and scanned; what is released should have one.",
            vec![sum(&of::STATEMENTS, &[], &[])],
        ),
        panel(
            Bars,
            8,
            "short",
            "Findings of scanners",
            "In the newest statement of a run that is no pull request's, by scanner.",
            vec![sum(&of::FINDINGS, &[key::SCANNER], &[])],
        ),
        panel(
            Table,
            24,
            "short",
            "Violations by rule",
            "Which rule stops most; one that is always overridden should be changed.",
            vec![sum(
                &of::POLICY_VIOLATIONS,
                &[key::POLICY_RULE, key::SEVERITY],
                &[],
            )],
        ),
        panel(
            Line,
            24,
            "short",
            "Violations so far",
            "All violations, by rule.",
            vec![sum(&of::POLICY_VIOLATIONS, &[key::POLICY_RULE], &[])],
        ),
    ]
}

fn dora() -> Vec<Panel> {
    [dora_now(), dora_over_time()].concat()
}

fn dora_now() -> Vec<Panel> {
    vec![
        panel(
            Stat,
            8,
            "s",
            "Change lead time, median",
            "From the first commit to the deployment, last 30 days.",
            vec![each(&of::LEAD_TIME, &[], P50)],
        ),
        panel(
            Stat,
            4,
            "short",
            "Deployments a day",
            "Last 30 days.",
            vec![each(&of::DEPLOYMENT_FREQUENCY, &[], &[])],
        ),
        panel(
            Stat,
            4,
            "s",
            "Recovery time, median",
            "From a failed deployment to the one that mended it, last 30 days.",
            vec![each(&of::RECOVERY_TIME, &[], P50)],
        ),
        panel(
            Stat,
            4,
            "percentunit",
            "Change fail rate",
            "Share of deployments of the last 30 days that failed.",
            vec![each(&of::CHANGE_FAIL, &[], &[])],
        ),
        panel(
            Stat,
            4,
            "percentunit",
            "Deployment rework rate",
            "Share of deployments of the last 30 days that were unplanned work for an incident.",
            vec![each(&of::REWORK, &[], &[])],
        ),
    ]
}

fn dora_over_time() -> Vec<Panel> {
    vec![
        panel(
            Line,
            12,
            "s",
            "Change lead time",
            "Median and 90th percentile, last 30 days at each time.",
            vec![each(&of::LEAD_TIME, &[key::QUANTILE], &[])],
        ),
        panel(
            Line,
            12,
            "short",
            "Deployment frequency",
            "Deployments a day, last 30 days at each time.",
            vec![each(&of::DEPLOYMENT_FREQUENCY, &[], &[])],
        ),
        panel(
            Line,
            12,
            "s",
            "Recovery time",
            "Median and 90th percentile, last 30 days at each time.",
            vec![each(&of::RECOVERY_TIME, &[key::QUANTILE], &[])],
        ),
        panel(
            Line,
            12,
            "percentunit",
            "Instability",
            "Change fail rate and rework rate, last 30 days at each time.",
            vec![
                each(&of::CHANGE_FAIL, &[], &[]).called("{{vcs_repository_name}} fail"),
                each(&of::REWORK, &[], &[]).called("{{vcs_repository_name}} rework"),
            ],
        ),
        panel(
            Table,
            24,
            "short",
            "Deployments by environment",
            "All deployments in the state.",
            vec![sum(
                &of::DEPLOYMENTS,
                &[key::ENVIRONMENT_NAME, key::DEPLOYMENT_STATUS],
                &[],
            )],
        ),
    ]
}

fn cost() -> Vec<Panel> {
    vec![
        panel(Gauge, 8, "percentunit", "Budget used", "Share of each cap that is spent or put aside; at 95 % cheaper models are taken, at the cap nothing more is granted.", vec![each(&of::BUDGET_USED, &[key::BUDGET_SCOPE], &[])]).steps(0.8, 0.95),
        panel(Stat, 4, "currencyUSD", "Spent", "Of each cap, with what is put aside.", vec![each(&of::BUDGET_SPENT, &[key::BUDGET_SCOPE], &[])]),
        panel(Stat, 4, "currencyUSD", "Cap", "The caps.", vec![each(&of::BUDGET_CAP, &[key::BUDGET_SCOPE], &[])]),
        panel(Stat, 4, "currencyUSD", "Forecast", "By the end of the period, at this pace.", vec![each(&of::BUDGET_FORECAST, &[key::BUDGET_SCOPE], &[])]),
        panel(Stat, 4, "currencyUSD", "Cost per change", "Median and 90th percentile, last 30 days.", vec![each(&of::CHANGE_COST, &[key::QUANTILE], &[])]),
        panel(Bars, 12, "currencyUSD", "Cost by model", "All that was spent, by model.", vec![sum(&of::LLM_SPENT, &[key::LLM_MODEL], &[])]),
        panel(Bars, 12, "currencyUSD", "Cost by role", "All that was spent, by the agents' role.", vec![sum(&of::LLM_SPENT, &[key::AGENT_ROLE], &[])]),
        panel(Line, 12, "currencyUSD", "Cost so far", "All that was spent, by provider.", vec![sum(&of::LLM_SPENT, &[key::LLM_PROVIDER], &[])]),
        panel(Line, 12, "short", "Tokens so far", "By kind; much that is read and little from the cache is worth a look.", vec![sum(&of::LLM_TOKENS, &[key::LLM_TOKEN_TYPE], &[])]),
        panel(Table, 24, "currencyUSD", "Cost by provider, model and role", "All that was spent.", vec![sum(&of::LLM_SPENT, &[key::LLM_PROVIDER, key::LLM_MODEL, key::AGENT_ROLE], &[])]),
    ]
}

const P50: &[(key::Key, &str)] = &[(key::QUANTILE, "p50")];
const P95: &[(key::Key, &str)] = &[(key::QUANTILE, "p95")];
