//! The values of all metrics, from plain facts of the state. What nobody knows is not told: no metric is zero because its source is missing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::instruments as of;
use super::metrics::{Buckets, Collector};
use super::semconv::{self as key, Key, OTHER_ERROR, Outcome};
use super::spans::{AgentRun, Call, Run};
use crate::money::Usd;

/// What "the last 7 days" are.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A quantile of numbers that are sorted; the rule comes in, so that there is one of it.
pub(crate) type Quantile = fn(&[f64], f64) -> Option<f64>;

/// What is known. A list that is empty and an option that is none are not told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) now: Timestamp,
    pub(crate) quantile: Quantile,
    /// The page of the repository.
    pub(crate) repository_url: &'a str,
    pub(crate) runs: &'a [Run],
    /// Since when jobs wait for a runner; none where nobody asked.
    pub(crate) waiting: Option<&'a [Timestamp]>,
    /// Since when refs wait in the inbox.
    pub(crate) inbox: Option<&'a [Timestamp]>,
    pub(crate) agents: &'a [AgentRun],
    pub(crate) budgets: &'a [Budget],
    /// What models cost for each change of the last 30 days.
    pub(crate) change_costs: &'a [Usd],
    pub(crate) tallies: &'a [Tally<'a>],
    pub(crate) figures: &'a [Figure<'a>],
}

/// A cap.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Such as `month`.
    pub(crate) scope: String,
    /// With what is put aside.
    pub(crate) spent: Usd,
    pub(crate) cap: Usd,
    pub(crate) forecast: Option<Usd>,
}

/// A count that other rooms made: of the policy, of changes, of tests, of deployments.
#[derive(Debug, Clone)]
pub(crate) struct Tally<'a> {
    pub(crate) of: &'static of::Instrument,
    pub(crate) labels: &'a [(Key, &'a str)],
    pub(crate) count: u64,
}

/// A number that other rooms reckoned: of delivery, of flaky tests.
#[derive(Debug, Clone)]
pub(crate) struct Figure<'a> {
    pub(crate) of: &'static of::Instrument,
    pub(crate) labels: &'a [(Key, &'a str)],
    pub(crate) value: f64,
}

/// Returns the metrics of what is known.
pub(crate) fn gather(facts: &Facts<'_>) -> Collector {
    let mut out = Collector::default();
    let now = facts.now;
    let second = u64::try_from(now.as_second()).unwrap_or(0);
    out.count(&of::EXPORT_TIME, &[], now, second);
    runs(facts, &mut out);
    waiting(
        &mut out,
        now,
        facts.waiting,
        [&of::JOBS_QUEUED, &of::QUEUE_OLDEST],
    );
    waiting(
        &mut out,
        now,
        facts.inbox,
        [&of::INBOX_WAITING, &of::INBOX_OLDEST],
    );
    agents(facts, &mut out);
    budgets(facts, &mut out);
    for tally in facts.tallies {
        out.count(tally.of, tally.labels, now, tally.count);
        // The conventions' own metric of the same, which needs the repository's page.
        if *tally.of == of::CHANGES {
            let mut labels = tally.labels.to_vec();
            labels.push((key::REPOSITORY_URL, facts.repository_url));
            out.count(&of::CHANGE_COUNT, &labels, now, tally.count);
        }
    }
    for figure in facts.figures {
        out.number(figure.of, figure.labels, now, figure.value);
    }
    out
}

/// What a pipeline's runs come to.
#[derive(Default)]
struct Pipeline {
    ended: BTreeMap<&'static str, (u64, Option<Buckets>)>,
    active: u64,
    errors: u64,
    /// Of the last week: durations, and how many succeeded of those that say something.
    recent: Vec<f64>,
    good: u32,
    bad: u32,
}

fn runs(facts: &Facts<'_>, out: &mut Collector) {
    let mut pipelines: BTreeMap<&str, Pipeline> = BTreeMap::new();
    let mut queue = None;
    for run in facts.runs {
        pipelines
            .entry(&run.workflow)
            .or_default()
            .add(run, facts.now);
        for job in &run.jobs {
            if let Some(queued) = job.queued {
                let queue = queue.get_or_insert_with(|| Buckets::new(of::DURATIONS));
                queue.add(between(queued, job.started));
            }
        }
    }
    if let Some(queue) = queue {
        out.buckets(&of::QUEUE_DURATION, &[], facts.now, queue);
    }
    for (name, pipeline) in pipelines {
        pipeline.tell(name, facts, out);
    }
}

impl Pipeline {
    fn add(&mut self, run: &Run, now: Timestamp) {
        let (Some(ended), Some(result)) = (run.ended, run.result) else {
            self.active += u64::from(run.ended.is_none());
            return;
        };
        let took = between(run.started, ended);
        let (count, buckets) = self.ended.entry(result.word()).or_default();
        *count += 1;
        buckets
            .get_or_insert_with(|| Buckets::new(of::DURATIONS))
            .add(took);
        self.errors += u64::from(result.is_trouble());
        if ended > now || now.duration_since(ended) > WEEK {
            return;
        }
        match result {
            Outcome::Success => self.good += 1,
            Outcome::Failure | Outcome::Error | Outcome::Timeout => self.bad += 1,
            // These say nothing about how long a run takes, nor whether it is well.
            Outcome::Cancellation | Outcome::Skip => return,
        }
        self.recent.push(took);
    }

    fn tell(mut self, name: &str, facts: &Facts<'_>, out: &mut Collector) {
        let now = facts.now;
        let pipeline = (key::PIPELINE_NAME, name);
        for (result, (count, buckets)) in self.ended {
            let mut labels = vec![pipeline, (key::PIPELINE_RESULT, result)];
            out.count(&of::RUNS, &labels, now, count);
            labels.push((key::PIPELINE_RUN_STATE, "executing"));
            if matches!(result, "failure" | "error" | "timeout") {
                labels.push((key::ERROR_TYPE, OTHER_ERROR));
            }
            if let Some(buckets) = buckets {
                out.buckets(&of::RUN_DURATION, &labels, now, buckets);
            }
        }
        let executing = [pipeline, (key::PIPELINE_RUN_STATE, "executing")];
        out.count(&of::RUN_ACTIVE, &executing, now, self.active);
        let other = [pipeline, (key::ERROR_TYPE, OTHER_ERROR)];
        out.count(&of::RUN_ERRORS, &other, now, self.errors);
        if let Some(share) = share(self.good, self.bad) {
            out.number(&of::RUN_SUCCESS, &[pipeline], now, share);
        }
        let labels = [pipeline];
        quantiles(
            out,
            facts,
            &of::RUN_QUANTILE,
            &labels,
            &mut self.recent,
            &[("p50", 0.5), ("p95", 0.95)],
        );
    }
}

/// Tells how many wait and how long the one that waits longest.
fn waiting(
    out: &mut Collector,
    now: Timestamp,
    since: Option<&[Timestamp]>,
    [many, oldest]: [&'static of::Instrument; 2],
) {
    let Some(since) = since else { return };
    out.count(many, &[], now, since.len() as u64);
    let longest = since.iter().min().map_or(0.0, |&since| between(since, now));
    out.number(oldest, &[], now, longest);
}

fn agents(facts: &Facts<'_>, out: &mut Collector) {
    let now = facts.now;
    let (mut good, mut bad) = (0, 0);
    let mut durations: BTreeMap<&str, Buckets> = BTreeMap::new();
    let mut money: BTreeMap<[&str; 3], Usd> = BTreeMap::new();
    for run in facts.agents {
        out.count(
            &of::AGENT_RUNS,
            &[(key::AGENT_OUTCOME, &run.outcome)],
            now,
            1,
        );
        if run.ended <= now && now.duration_since(run.ended) <= WEEK {
            good += u32::from(run.succeeded);
            bad += u32::from(!run.succeeded);
        }
        for task in &run.tasks {
            let role = (key::AGENT_ROLE, task.role.as_str());
            let outcome = (key::AGENT_OUTCOME, task.outcome.as_str());
            out.count(&of::AGENT_TASKS, &[role, outcome], now, 1);
            durations
                .entry(&task.role)
                .or_insert_with(|| Buckets::new(of::DURATIONS))
                .add(between(task.started, task.ended));
            for call in &task.calls {
                tell_call(out, now, call, &task.role, &mut money);
            }
        }
        for call in &run.calls {
            tell_call(out, now, call, "", &mut money);
        }
    }
    if let Some(share) = share(good, bad) {
        out.number(&of::AGENT_SUCCESS, &[], now, share);
    }
    for (role, buckets) in durations {
        out.buckets(
            &of::AGENT_TASK_DURATION,
            &[(key::AGENT_ROLE, role)],
            now,
            buckets,
        );
    }
    for ([provider, model, role], usd) in money {
        let labels = [
            (key::LLM_PROVIDER, provider),
            (key::LLM_MODEL, model),
            (key::AGENT_ROLE, role),
        ];
        out.number(&of::LLM_SPENT, &labels, now, dollars(usd));
    }
}

fn tell_call<'a>(
    out: &mut Collector,
    now: Timestamp,
    call: &'a Call,
    role: &'a str,
    money: &mut BTreeMap<[&'a str; 3], Usd>,
) {
    let model = [
        (key::LLM_PROVIDER, call.provider.as_str()),
        (key::LLM_MODEL, call.model.as_str()),
    ];
    let labels = [
        model[0],
        model[1],
        (key::AGENT_ROLE, role),
        (key::LLM_STATUS, call.status.as_str()),
    ];
    out.count(&of::LLM_CALLS, &labels, now, 1);
    if let Some(usd) = call.usd {
        let sum = money
            .entry([&call.provider, &call.model, role])
            .or_default();
        *sum = sum.saturating_add(usd);
    }
    let Some(tokens) = call.tokens else { return };
    // Disjoint, so that their sum is what there is.
    let cached = tokens.cache_read.saturating_add(tokens.cache_write);
    for (kind, count) in [
        ("input", tokens.input.saturating_sub(cached)),
        ("cache_read", tokens.cache_read),
        ("cache_write", tokens.cache_write),
        ("output", tokens.output),
    ] {
        let labels = [model[0], model[1], (key::LLM_TOKEN_TYPE, kind)];
        out.count(&of::LLM_TOKENS, &labels, now, count);
    }
}

fn budgets(facts: &Facts<'_>, out: &mut Collector) {
    for budget in facts.budgets {
        let labels = [(key::BUDGET_SCOPE, budget.scope.as_str())];
        let (spent, cap) = (dollars(budget.spent), dollars(budget.cap));
        out.number(&of::BUDGET_SPENT, &labels, facts.now, spent);
        out.number(&of::BUDGET_CAP, &labels, facts.now, cap);
        // Of a cap of nothing all is used.
        let used = if budget.cap == Usd::ZERO {
            1.0
        } else {
            spent / cap
        };
        out.number(&of::BUDGET_USED, &labels, facts.now, used);
        if let Some(forecast) = budget.forecast {
            out.number(&of::BUDGET_FORECAST, &labels, facts.now, dollars(forecast));
        }
    }
    let mut costs: Vec<f64> = facts.change_costs.iter().map(|&usd| dollars(usd)).collect();
    let shares = [("p50", 0.5), ("p90", 0.9)];
    quantiles(out, facts, &of::CHANGE_COST, &[], &mut costs, &shares);
}

fn quantiles(
    out: &mut Collector,
    facts: &Facts<'_>,
    instrument: &'static of::Instrument,
    labels: &[(Key, &str)],
    values: &mut [f64],
    shares: &[(&str, f64)],
) {
    values.sort_unstable_by(f64::total_cmp);
    for (word, share) in shares {
        if let Some(value) = (facts.quantile)(values, *share) {
            let mut labels = labels.to_vec();
            labels.push((key::QUANTILE, word));
            out.number(instrument, &labels, facts.now, value);
        }
    }
}

/// Returns the share of the good; nothing where there is neither.
fn share(good: u32, bad: u32) -> Option<f64> {
    (good + bad > 0).then(|| f64::from(good) / (f64::from(good) + f64::from(bad)))
}

/// Returns seconds from one time to another, never less than none.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Returns the number nearest to an amount.
fn dollars(usd: Usd) -> f64 {
    usd.to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::prometheus::{Form, write};
    use super::super::sample;
    use super::*;

    fn middle(sorted: &[f64], share: f64) -> Option<f64> {
        let last = sorted.len().checked_sub(1)?;
        sorted
            .get(if share > 0.5 { last } else { last / 2 })
            .copied()
    }

    fn nothing() -> Facts<'static> {
        Facts {
            now: sample::at(1000),
            quantile: middle,
            repository_url: "https://github.com/acme/shop",
            runs: &[],
            waiting: None,
            inbox: None,
            agents: &[],
            budgets: &[],
            change_costs: &[],
            tallies: &[],
            figures: &[],
        }
    }

    fn told(facts: &Facts<'_>) -> String {
        let collector = gather(facts);
        assert_eq!(collector.left_out, 0);
        let text = write(collector.metrics(), &Vec::new(), Form::Text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<&str> = lines.collect();
        lines.join("\n") + "\n"
    }

    #[test]
    fn of_an_empty_state_only_the_time_is_told() {
        assert_eq!(told(&nothing()), "maestro_export_time_seconds 1764001000\n");
    }

    #[test]
    fn runs_are_counted_timed_and_judged_by_the_last_week() {
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
        let facts = Facts {
            runs: &runs,
            ..nothing()
        };
        let text = told(&facts);
        for line in [
            r#"maestro_ci_runs_total{cicd_pipeline_name="ci",cicd_pipeline_result="failure"} 2"#,
            r#"maestro_ci_run_success_ratio{cicd_pipeline_name="ci"} 0.5"#,
            r#"maestro_ci_run_duration_seconds{cicd_pipeline_name="ci",maestro_quantile="p95"} 300"#,
            r#"cicd_pipeline_run_active{cicd_pipeline_name="ci",cicd_pipeline_run_state="executing"} 1"#,
            r#"cicd_pipeline_run_errors_total{cicd_pipeline_name="ci",error_type="_OTHER"} 2"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        }
    }

    #[test]
    fn money_is_summed_up_exactly_and_tokens_are_disjoint() {
        let runs = [sample::agents(None), sample::agents(Some((1, 1)))];
        let facts = Facts {
            agents: &runs,
            ..nothing()
        };
        let text = told(&facts);
        for line in [
            r#"maestro_llm_cost_USD_total{maestro_agent_role="planner",maestro_llm_model="claude-haiku-4-5",maestro_llm_provider="anthropic"} 0.05"#,
            r#"maestro_llm_tokens_total{maestro_llm_model="claude-haiku-4-5",maestro_llm_provider="anthropic",maestro_llm_token_type="input"} 5000"#,
            "maestro_agent_success_ratio 1",
            r#"maestro_agent_tasks_total{maestro_agent_outcome="failed",maestro_agent_role="implementer"} 2"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        }
    }

    #[test]
    fn what_waits_and_what_is_spent_is_told() {
        let since = [sample::at(400), sample::at(900)];
        let budget = Budget {
            scope: "month".into(),
            spent: "48".parse().unwrap(),
            cap: "50".parse().unwrap(),
            forecast: None,
        };
        let labels = [(key::CHANGE_STATE, "open")];
        let facts = Facts {
            waiting: Some(&since),
            inbox: Some(&[]),
            budgets: &[budget],
            change_costs: &["1.5".parse().unwrap()],
            tallies: &[Tally {
                of: &of::CHANGES,
                labels: &labels,
                count: 3,
            }],
            figures: &[Figure {
                of: &of::REWORK,
                labels: &[],
                value: 0.25,
            }],
            ..nothing()
        };
        assert_eq!(
            told(&facts),
            r#"maestro_changes{vcs_change_state="open"} 3
maestro_ci_jobs_queued 2
maestro_ci_job_queue_oldest_seconds 600
maestro_inbox_waiting 0
maestro_inbox_oldest_seconds 0
maestro_budget_spent_USD{maestro_budget_scope="month"} 48
maestro_budget_cap_USD{maestro_budget_scope="month"} 50
maestro_budget_used_ratio{maestro_budget_scope="month"} 0.96
maestro_budget_change_cost_USD{maestro_quantile="p50"} 1.5
maestro_budget_change_cost_USD{maestro_quantile="p90"} 1.5
maestro_dora_rework_ratio 0.25
maestro_export_time_seconds 1764001000
"#
        );
        let collector = gather(&facts);
        let conventional = collector
            .metrics()
            .find(|m| *m.instrument == of::CHANGE_COUNT);
        assert!(conventional.is_some());
    }
}
