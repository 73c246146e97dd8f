//! What is told, as Prometheus would read it.

use super::super::prometheus::{Form, write};
use super::super::sample;
use super::*;

fn middle(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = if share > 0.5 { last } else { last / 2 };
    sorted.get(place).copied()
}

fn now() -> When {
    When {
        at: sample::at(1000),
        is_now: true,
        quantile: middle,
    }
}

fn told(material: &Material, when: When) -> String {
    let mut collector = Collector::default();
    gather(material, when, &mut collector);
    assert_eq!(collector.left_out, 0);
    let text = write(collector.metrics(), &Vec::new(), Form::Text);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    lines.join("\n") + "\n"
}

fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
    }
}

#[test]
fn of_an_empty_state_only_the_time_is_told() {
    let text = told(&Material::default(), now());
    assert_eq!(text, "maestro_export_time_seconds 1764001000\n");
}

fn runs() -> Vec<Run> {
    let run = |id, began, took, result| Run {
        workflow: "ci".into(),
        jobs: Vec::new(),
        started: sample::at(began),
        ended: Some(sample::at(began + took)),
        result: Some(result),
        ..sample::run(id, 0)
    };
    let mut runs = vec![
        run(1, 0, 100, Outcome::Success),
        run(2, 0, 300, Outcome::Failure),
        run(3, 0, 9, Outcome::Cancellation),
        run(4, -800_000, 7, Outcome::Failure),
    ];
    runs.push(Run {
        ended: None,
        result: None,
        ..runs[0].clone()
    });
    runs
}

#[test]
fn runs_are_counted_timed_and_judged_by_the_last_week() {
    let material = Material {
        runs: runs(),
        ..Material::default()
    };
    has(
        &told(&material, now()),
        &[
            r#"maestro_ci_runs_total{cicd_pipeline_name="ci",cicd_pipeline_result="failure"} 2"#,
            r#"maestro_ci_run_success_ratio{cicd_pipeline_name="ci"} 0.5"#,
            r#"maestro_ci_run_duration_seconds{cicd_pipeline_name="ci",maestro_quantile="p95"} 300"#,
            r#"cicd_pipeline_run_active{cicd_pipeline_name="ci",cicd_pipeline_run_state="executing"} 1"#,
            r#"cicd_pipeline_run_errors_total{cicd_pipeline_name="ci",error_type="_OTHER"} 2"#,
        ],
    );
}

#[test]
fn the_past_is_told_as_it_was_and_without_what_has_none() {
    let material = Material {
        runs: runs(),
        inbox: Some(vec![sample::at(0)]),
        changes: vec![Change {
            opened: sample::at(50),
            ended: Some((sample::at(500), "merged")),
            is_agents: true,
        }],
        ..Material::default()
    };
    let then = |second| When {
        at: sample::at(second),
        is_now: false,
        ..now()
    };
    let text = told(&material, then(150));
    has(
        &text,
        &[
            r#"cicd_pipeline_run_active{cicd_pipeline_name="ci",cicd_pipeline_run_state="executing"} 2"#,
            r#"maestro_changes{vcs_change_state="open"} 1"#,
            r#"maestro_ci_run_success_ratio{cicd_pipeline_name="ci"} 1"#,
        ],
    );
    assert!(!text.contains("inbox") && !text.contains("merged"));
    has(
        &told(&material, then(500)),
        &[
            r#"maestro_changes{vcs_change_state="merged"} 1"#,
            r#"maestro_agent_changes_total{vcs_change_state="merged"} 1"#,
        ],
    );
}

#[test]
fn money_is_summed_up_exactly_and_tokens_are_disjoint() {
    let mut material = Material {
        agents: vec![sample::agents(None), sample::agents(Some((1, 1)))],
        ..Material::default()
    };
    for run in &material.agents {
        for task in &run.tasks {
            material
                .calls
                .extend(task.calls.iter().cloned().map(|call| Spent {
                    role: task.role.clone(),
                    change: Some(7),
                    call,
                }));
        }
    }
    has(
        &told(&material, now()),
        &[
            r#"maestro_llm_cost_USD_total{maestro_agent_role="planner",maestro_llm_model="claude-haiku-4-5",maestro_llm_provider="anthropic"} 0.05"#,
            r#"maestro_llm_tokens_total{maestro_llm_model="claude-haiku-4-5",maestro_llm_provider="anthropic",maestro_llm_token_type="input"} 4000"#,
            r#"maestro_budget_change_cost_USD{maestro_quantile="p90"} 0.1"#,
            "maestro_agent_success_ratio 1",
            r#"maestro_agent_tasks_total{maestro_agent_outcome="failed",maestro_agent_role="implementer"} 2"#,
        ],
    );
}

#[test]
fn what_waits_and_what_is_spent_is_told() {
    let test_run = |second, is_flaky| TestRun {
        at: sample::at(second),
        is_flaky,
    };
    let verdict = |second| Happened {
        of: &of::POLICY_VERDICTS,
        labels: vec![(key::POLICY_OUTCOME, "blocked".into())],
        at: sample::at(second),
        seconds: None,
    };
    let material = Material {
        waiting: Some(vec![sample::at(400), sample::at(900)]),
        inbox: Some(Vec::new()),
        budgets: vec![Budget {
            scope: "month".into(),
            spent: "48".parse().unwrap(),
            cap: "50".parse().ok(),
            forecast: None,
        }],
        test_runs: vec![
            test_run(0, true),
            test_run(1, false),
            test_run(-700_000, true),
        ],
        // The clock of whoever wrote the last one is ahead.
        happened: vec![verdict(1), verdict(2), verdict(1001)],
        figures: vec![Figure {
            of: &of::REWORK,
            labels: Vec::new(),
            value: 0.25,
        }],
        ..Material::default()
    };
    assert_eq!(
        told(&material, now()),
        r#"maestro_ci_jobs_queued 2
maestro_ci_job_queue_oldest_seconds 600
maestro_inbox_waiting 0
maestro_inbox_oldest_seconds 0
maestro_flake_rate_ratio 0.5
maestro_budget_spent_USD{maestro_budget_scope="month"} 48
maestro_budget_cap_USD{maestro_budget_scope="month"} 50
maestro_budget_used_ratio{maestro_budget_scope="month"} 0.96
maestro_policy_verdicts_total{maestro_policy_outcome="blocked"} 3
maestro_dora_rework_ratio 0.25
maestro_export_time_seconds 1764001000
"#
    );
}

#[test]
fn no_secret_becomes_a_label() {
    let canary = "ghp_CANARY";
    let redact = |text: &str| text.contains(canary).then(|| text.replace(canary, "***"));
    let mut material = Material {
        runs: runs(),
        agents: vec![sample::agents(None)],
        happened: vec![Happened {
            of: &of::POLICY_VIOLATIONS,
            labels: vec![(key::POLICY_RULE, canary.into())],
            at: sample::at(0),
            seconds: None,
        }],
        figures: vec![Figure {
            of: &of::FINDINGS,
            labels: vec![(key::SCANNER, canary.into())],
            value: 1.0,
        }],
        ..Material::default()
    };
    material.runs[0].workflow = canary.into();
    material.agents[0].outcome = canary.into();
    let mut call = material.agents[0].calls[0].clone();
    call.model = canary.into();
    material.calls.push(Spent {
        role: canary.into(),
        change: None,
        call,
    });
    assert!(told(&material, now()).matches(canary).count() > 6);
    material.clean(&redact);
    assert_eq!(told(&material, now()).matches(canary).count(), 0);
}
