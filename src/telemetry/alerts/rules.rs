//! The rules, group by group. Thresholds are those of the commands' own verdicts: caps warn at 80 and 95 %, the team's goals are 15 minutes, 1 % and 80 %.

use super::{Fires, Rule, Series, Urgency};
use crate::telemetry::instruments::{self as of, Instrument};

/// The labels of the repository in tests.
const REPOSITORY: (&str, &str) = ("vcs_repository_name", "shop");

pub(super) fn all() -> Vec<(&'static str, Vec<Rule>)> {
    vec![
        ("maestro-agents", agents()),
        ("maestro-ci", ci()),
        ("maestro-budget", budget()),
        ("maestro-flakes", flakes()),
        ("maestro-policy", policy()),
        ("maestro-supply", supply()),
        ("maestro-data", data()),
    ]
}

fn name(instrument: &Instrument) -> String {
    instrument.prometheus_name()
}

fn series(instrument: &Instrument, labels: &str, values: &'static str) -> Series {
    let comma = if labels.is_empty() { "" } else { "," };
    Series {
        series: format!(
            "{}{{vcs_repository_name=\"shop\"{comma}{labels}}}",
            name(instrument)
        ),
        values,
    }
}

/// A counter that grew within the hour, or came up where maestro had exported before: the first value of a new series is an increase too.
fn grew(instrument: &Instrument, matchers: &str) -> String {
    let of = format!("{}{matchers}", name(instrument));
    let known = name(&of::EXPORT_TIME);
    format!(
        "increase({of}[1h]) > 0 or ({of} unless {of} offset 1h) > 0 and on (vcs_repository_name) ({known} offset 1h)"
    )
}

fn agents() -> Vec<Rule> {
    vec![Rule {
        name: "MaestroAgentsFail",
        expression: format!("{} < 0.5", name(&of::AGENT_SUCCESS)),
        holds: "30m",
        urgency: Urgency::Warning,
        summary: "Agents fail in {{ $labels.vcs_repository_name }}",
        words: "Only {{ $value | humanizePercentage }} of the runs of agents of the last 7 days succeeded. `maestro run-agents show` says why.",
        dashboard: "maestro-agents",
        fires: Fires {
            series: vec![series(&of::AGENT_SUCCESS, "", "0.4x120")],
            labels: &[REPOSITORY],
            words: "Only 40% of the runs of agents of the last 7 days succeeded. `maestro run-agents show` says why.",
        },
        silent: vec![series(&of::AGENT_SUCCESS, "", "0.5x120")],
    }]
}

fn ci() -> Vec<Rule> {
    vec![
        Rule {
            name: "MaestroJobsQueued",
            expression: format!("{} > 900", name(&of::QUEUE_OLDEST)),
            holds: "5m",
            urgency: Urgency::Warning,
            summary: "Jobs wait for a runner in {{ $labels.vcs_repository_name }}",
            words: "A job has been waiting for {{ $value | humanizeDuration }}. Look for runners that are offline.",
            dashboard: "maestro-ci",
            fires: Fires {
                series: vec![series(&of::QUEUE_OLDEST, "", "1200x120")],
                labels: &[REPOSITORY],
                words: "A job has been waiting for 20m 0s. Look for runners that are offline.",
            },
            silent: vec![series(&of::QUEUE_OLDEST, "", "900x120")],
        },
        Rule {
            name: "MaestroInboxWaiting",
            expression: format!("{} > 86400", name(&of::INBOX_OLDEST)),
            holds: "15m",
            urgency: Urgency::Warning,
            summary: "Nobody folds the state of {{ $labels.vcs_repository_name }}",
            words: "Something has been in the inbox for {{ $value | humanizeDuration }}. Does the scheduled `maestro state sync` run?",
            dashboard: "maestro-ci",
            fires: Fires {
                series: vec![series(&of::INBOX_OLDEST, "", "90000x120")],
                labels: &[REPOSITORY],
                words: "Something has been in the inbox for 1d 1h 0m 0s. Does the scheduled `maestro state sync` run?",
            },
            silent: vec![series(&of::INBOX_OLDEST, "", "86400x120")],
        },
        Rule {
            name: "MaestroPipelineSlow",
            expression: format!(
                "{}{{maestro_quantile=\"p95\"}} > 900",
                name(&of::RUN_QUANTILE)
            ),
            holds: "30m",
            urgency: Urgency::Warning,
            summary: "{{ $labels.cicd_pipeline_name }} of {{ $labels.vcs_repository_name }} is slow",
            words: "The 95th percentile of the last 7 days is {{ $value | humanizeDuration }}; the goal is 15 minutes. `maestro plan` says which jobs a change needs.",
            dashboard: "maestro-ci",
            fires: Fires {
                series: vec![series(
                    &of::RUN_QUANTILE,
                    "cicd_pipeline_name=\"ci\",maestro_quantile=\"p95\"",
                    "1000x120",
                )],
                labels: &[
                    ("cicd_pipeline_name", "ci"),
                    ("maestro_quantile", "p95"),
                    REPOSITORY,
                ],
                words: "The 95th percentile of the last 7 days is 16m 40s; the goal is 15 minutes. `maestro plan` says which jobs a change needs.",
            },
            silent: vec![
                series(
                    &of::RUN_QUANTILE,
                    "cicd_pipeline_name=\"ci\",maestro_quantile=\"p95\"",
                    "900x120",
                ),
                series(
                    &of::RUN_QUANTILE,
                    "cicd_pipeline_name=\"ci\",maestro_quantile=\"p50\"",
                    "1000x120",
                ),
            ],
        },
    ]
}

fn budget() -> Vec<Rule> {
    let rule = |name: &'static str, expression, urgency, words, value, said, silent| Rule {
        name,
        expression,
        holds: "0m",
        urgency,
        summary: "The {{ $labels.maestro_budget_scope }} budget of {{ $labels.vcs_repository_name }} is nearly used up",
        words,
        dashboard: "maestro-cost",
        fires: Fires {
            series: vec![series(
                &of::BUDGET_USED,
                "maestro_budget_scope=\"month\"",
                value,
            )],
            labels: &[("maestro_budget_scope", "month"), REPOSITORY],
            words: said,
        },
        silent: vec![series(
            &of::BUDGET_USED,
            "maestro_budget_scope=\"month\"",
            silent,
        )],
    };
    let used = name(&of::BUDGET_USED);
    vec![
        rule(
            "MaestroBudget80",
            format!("{used} >= 0.8 < 0.95"),
            Urgency::Warning,
            "{{ $value | humanizePercentage }} of the cap is spent or put aside. `maestro budget report` says by whom.",
            "0.8x120",
            "80% of the cap is spent or put aside. `maestro budget report` says by whom.",
            // From 95 % on the other rule speaks.
            "0.79x30 0.95x90",
        ),
        rule(
            "MaestroBudget95",
            format!("{used} >= 0.95"),
            Urgency::Critical,
            "{{ $value | humanizePercentage }} of the cap is spent or put aside; at the cap runs of agents stop with exit code 11.",
            "0.96x120",
            "96% of the cap is spent or put aside; at the cap runs of agents stop with exit code 11.",
            "0.94x120",
        ),
    ]
}

fn flakes() -> Vec<Rule> {
    vec![
        Rule {
            name: "MaestroFlakeRate",
            expression: format!("{} > 0.01", name(&of::FLAKE_RATE)),
            holds: "30m",
            urgency: Urgency::Warning,
            summary: "Tests of {{ $labels.vcs_repository_name }} are flaky",
            words: "{{ $value | humanizePercentage }} of the test runs of the last 7 days failed and then passed on the same commit; the goal is 1 %. `maestro flakes report` names the tests.",
            dashboard: "maestro-ci",
            fires: Fires {
                series: vec![series(&of::FLAKE_RATE, "", "0.02x120")],
                labels: &[REPOSITORY],
                words: "2% of the test runs of the last 7 days failed and then passed on the same commit; the goal is 1 %. `maestro flakes report` names the tests.",
            },
            silent: vec![series(&of::FLAKE_RATE, "", "0.01x120")],
        },
        Rule {
            name: "MaestroQuarantineOverdue",
            expression: format!(
                "{}{{maestro_flake_state=\"overdue\"}} > 0",
                name(&of::FLAKE_TESTS)
            ),
            holds: "30m",
            urgency: Urgency::Warning,
            summary: "The quarantine of {{ $labels.vcs_repository_name }} has ended for some tests",
            words: "{{ $value }} tests are overdue and fail their gates again. `maestro flakes quarantine list` names them and their owners.",
            dashboard: "maestro-overview",
            fires: Fires {
                series: vec![series(
                    &of::FLAKE_TESTS,
                    "maestro_flake_state=\"overdue\"",
                    "3x120",
                )],
                labels: &[("maestro_flake_state", "overdue"), REPOSITORY],
                words: "3 tests are overdue and fail their gates again. `maestro flakes quarantine list` names them and their owners.",
            },
            silent: vec![
                series(&of::FLAKE_TESTS, "maestro_flake_state=\"overdue\"", "0x120"),
                series(&of::FLAKE_TESTS, "maestro_flake_state=\"flaky\"", "9x120"),
            ],
        },
    ]
}

fn policy() -> Vec<Rule> {
    vec![Rule {
        name: "MaestroPolicyViolated",
        expression: grew(&of::POLICY_VIOLATIONS, ""),
        holds: "0m",
        urgency: Urgency::Warning,
        summary: "A change to {{ $labels.vcs_repository_name }} breaks `{{ $labels.maestro_policy_rule }}`",
        words: "The policy found violations of this rule within the last hour. `maestro check-policy` says where and how to mend it.",
        dashboard: "maestro-security",
        fires: Fires {
            series: vec![
                series(&of::EXPORT_TIME, "", "0x120"),
                // It comes up after maestro had exported for an hour and more.
                series(
                    &of::POLICY_VIOLATIONS,
                    "maestro_policy_rule=\"paths\",maestro_severity=\"block\"",
                    "_x89 1x30",
                ),
            ],
            labels: &[
                ("maestro_policy_rule", "paths"),
                ("maestro_severity", "block"),
                REPOSITORY,
            ],
            words: "The policy found violations of this rule within the last hour. `maestro check-policy` says where and how to mend it.",
        },
        silent: vec![
            series(&of::EXPORT_TIME, "", "0x120"),
            series(
                &of::POLICY_VIOLATIONS,
                "maestro_policy_rule=\"paths\",maestro_severity=\"block\"",
                "7x120",
            ),
        ],
    }]
}

fn supply() -> Vec<Rule> {
    vec![Rule {
        name: "MaestroFindings",
        expression: format!("{} > 0", name(&of::FINDINGS)),
        holds: "15m",
        urgency: Urgency::Warning,
        summary: "{{ $labels.maestro_scanner }} finds something in {{ $labels.vcs_repository_name }}",
        words: "{{ $value }} findings stand in the newest statement of a run that is no pull request's. `maestro provenance show` lists its scans.",
        dashboard: "maestro-security",
        fires: Fires {
            series: vec![series(&of::FINDINGS, "maestro_scanner=\"trivy\"", "2x120")],
            labels: &[("maestro_scanner", "trivy"), REPOSITORY],
            words: "2 findings stand in the newest statement of a run that is no pull request's. `maestro provenance show` lists its scans.",
        },
        silent: vec![series(&of::FINDINGS, "maestro_scanner=\"trivy\"", "0x120")],
    }]
}

fn data() -> Vec<Rule> {
    let export = name(&of::EXPORT_TIME);
    vec![
        Rule {
            name: "MaestroDataMissing",
            expression: format!("absent({export})"),
            holds: "15m",
            urgency: Urgency::Warning,
            summary: "Prometheus has no data of maestro",
            words: "Nothing is scraped: look at the Pushgateway, the textfile or `maestro observe serve`, and at the scheduled export.",
            dashboard: "maestro-overview",
            fires: Fires {
                series: vec![series(
                    &of::RUN_SUCCESS,
                    "cicd_pipeline_name=\"ci\"",
                    "1x120",
                )],
                labels: &[],
                words: "Nothing is scraped: look at the Pushgateway, the textfile or `maestro observe serve`, and at the scheduled export.",
            },
            silent: vec![series(&of::EXPORT_TIME, "", "0x120")],
        },
        Rule {
            name: "MaestroDataOld",
            expression: format!("time() - {export} > 93600"),
            holds: "15m",
            urgency: Urgency::Warning,
            summary: "Data of {{ $labels.vcs_repository_name }} is old",
            words: "The last export was {{ $value | humanizeDuration }} ago. Does the scheduled `maestro observe export` run?",
            dashboard: "maestro-overview",
            fires: Fires {
                // Tests begin at the start of 1970.
                series: vec![series(&of::EXPORT_TIME, "", "-97200x120")],
                labels: &[REPOSITORY],
                words: "The last export was 1d 5h 0m 0s ago. Does the scheduled `maestro observe export` run?",
            },
            silent: vec![series(&of::EXPORT_TIME, "", "-80000x120")],
        },
    ]
}
