//! The values of all metrics at a time, from what is known. What nobody knows is not told: no metric is zero because its source is missing.
//!
//! A counter is what had happened by then, so that the same material gives the past as well as the present. What has no past (caps, what waits) is told
//! of the present only.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::clean::Redact;
use super::instruments::{self as of, Instrument};
use super::metrics::{Buckets, Collector};
use super::semconv::{self as key, Key, OTHER_ERROR, Outcome};
use super::spans::{AgentRun, Call, Run};
use crate::money::Usd;

/// What "the last 7 days" are.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What "the last 30 days" are.
pub(crate) const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A quantile of numbers that are sorted; the rule comes in, so that there is one of it.
pub(crate) type Quantile = fn(&[f64], f64) -> Option<f64>;

/// Labels as they are gathered.
pub(crate) type Marks = Vec<(Key, String)>;

/// What is known. A list that is empty and an option that is none are not told.
#[derive(Debug, Default)]
pub(crate) struct Material {
    /// The page of the repository.
    pub(crate) repository_url: String,
    pub(crate) runs: Vec<Run>,
    pub(crate) agents: Vec<AgentRun>,
    pub(crate) calls: Vec<Spent>,
    pub(crate) changes: Vec<Change>,
    pub(crate) test_runs: Vec<TestRun>,
    pub(crate) happened: Vec<Happened>,
    /// Of the present: since when jobs wait for a runner; none where nobody asked.
    pub(crate) waiting: Option<Vec<Timestamp>>,
    /// Of the present: since when refs wait in the inbox.
    pub(crate) inbox: Option<Vec<Timestamp>>,
    /// Of the present.
    pub(crate) budgets: Vec<Budget>,
    /// Of the present.
    pub(crate) figures: Vec<Figure>,
}

/// A call of a model that somebody paid for.
#[derive(Debug, Clone)]
pub(crate) struct Spent {
    /// Empty where none is known.
    pub(crate) role: String,
    pub(crate) change: Option<u64>,
    pub(crate) call: Call,
}

/// A change that was proposed.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) opened: Timestamp,
    /// When it was merged or closed, and which of them.
    pub(crate) ended: Option<(Timestamp, &'static str)>,
    pub(crate) is_agents: bool,
}

/// A run of tests: a job's leg in a run, all its attempts on one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestRun {
    pub(crate) at: Timestamp,
    /// Whether something failed and then passed.
    pub(crate) is_flaky: bool,
}

/// A cap.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// Such as `month`.
    pub(crate) scope: String,
    /// With what is put aside.
    pub(crate) spent: Usd,
    pub(crate) cap: Option<Usd>,
    pub(crate) forecast: Option<Usd>,
}

/// Something that happened and is counted, or took so many seconds.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) of: &'static Instrument,
    pub(crate) labels: Marks,
    pub(crate) at: Timestamp,
    pub(crate) seconds: Option<f64>,
}

/// A number that other rooms reckoned: of delivery, of flaky tests.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) of: &'static Instrument,
    pub(crate) labels: Marks,
    pub(crate) value: f64,
}

impl Material {
    /// Takes secrets out of everything that becomes a label.
    pub(crate) fn clean(&mut self, redact: Redact<'_>) {
        let mut text = |text: &mut String| {
            if let Some(clean) = redact(text) {
                *text = clean;
            }
        };
        self.runs.iter_mut().for_each(|run| text(&mut run.workflow));
        for run in &mut self.agents {
            text(&mut run.outcome);
            for task in &mut run.tasks {
                text(&mut task.role);
                text(&mut task.outcome);
            }
        }
        for Spent { role, call, .. } in &mut self.calls {
            [role, &mut call.provider, &mut call.model, &mut call.status]
                .into_iter()
                .for_each(&mut text);
        }
        let happened = self.happened.iter_mut().map(|one| &mut one.labels);
        let figures = self.figures.iter_mut().map(|one| &mut one.labels);
        for labels in happened.chain(figures) {
            for (_, value) in labels {
                text(value);
            }
        }
    }

    /// Returns when the first of what is counted happened.
    pub(crate) fn began(&self) -> Option<Timestamp> {
        let runs = self.runs.iter().map(|run| run.started);
        let agents = self.agents.iter().map(|run| run.started);
        let calls = self.calls.iter().map(|spent| spent.call.started);
        let happened = self.happened.iter().map(|one| one.at);
        runs.chain(agents).chain(calls).chain(happened).min()
    }
}

/// When values are of, and the rule of quantiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) at: Timestamp,
    /// Whether that is the present.
    pub(crate) is_now: bool,
    pub(crate) quantile: Quantile,
}

impl When {
    /// Whether something had happened. What is known now has happened: clocks of other machines may be ahead.
    fn has(&self, at: Timestamp) -> bool {
        self.is_now || at <= self.at
    }

    fn is_within(&self, span: SignedDuration, at: Timestamp) -> bool {
        self.has(at) && self.at.duration_since(at) <= span
    }
}

/// Adds the metrics of what is known at a time.
pub(crate) fn gather(material: &Material, when: When, out: &mut Collector) {
    let second = u64::try_from(when.at.as_second()).unwrap_or(0);
    out.count(&of::EXPORT_TIME, &[], when.at, second);
    runs(material, when, out);
    agents(material, when, out);
    calls(material, when, out);
    changes(material, when, out);
    flakes(material, when, out);
    for one in material.happened.iter().filter(|one| when.has(one.at)) {
        let labels = borrowed(&one.labels);
        match one.seconds {
            Some(seconds) => out.number(one.of, &labels, when.at, seconds),
            None => out.count(one.of, &labels, when.at, 1),
        }
    }
    if when.is_now {
        let jobs = [&of::JOBS_QUEUED, &of::QUEUE_OLDEST];
        waiting(out, when.at, material.waiting.as_deref(), jobs);
        let refs = [&of::INBOX_WAITING, &of::INBOX_OLDEST];
        waiting(out, when.at, material.inbox.as_deref(), refs);
        budgets(material, when, out);
        tell(&material.figures, when.at, out);
    }
}

/// Adds numbers that others reckoned.
pub(crate) fn tell(figures: &[Figure], at: Timestamp, out: &mut Collector) {
    for figure in figures {
        out.number(figure.of, &borrowed(&figure.labels), at, figure.value);
    }
}

fn borrowed(labels: &Marks) -> Vec<(Key, &str)> {
    let labels = labels.iter();
    labels.map(|(key, value)| (*key, value.as_str())).collect()
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

fn runs(material: &Material, when: When, out: &mut Collector) {
    let mut pipelines: BTreeMap<&str, Pipeline> = BTreeMap::new();
    let mut queue = None;
    for run in material.runs.iter().filter(|run| when.has(run.started)) {
        let pipeline = pipelines.entry(&run.workflow).or_default();
        pipeline.add(run, when);
        for job in run.jobs.iter().filter(|job| when.has(job.started)) {
            if let Some(queued) = job.queued {
                let queue = queue.get_or_insert_with(|| Buckets::new(of::DURATIONS));
                queue.add(between(queued, job.started));
            }
        }
    }
    if let Some(queue) = queue {
        out.buckets(&of::QUEUE_DURATION, &[], when.at, queue);
    }
    for (name, pipeline) in pipelines {
        pipeline.tell(name, when, out);
    }
}

impl Pipeline {
    fn add(&mut self, run: &Run, when: When) {
        let ended = run.ended.filter(|&ended| when.has(ended));
        let (Some(ended), Some(result)) = (ended, run.result) else {
            self.active += u64::from(ended.is_none());
            return;
        };
        let took = between(run.started, ended);
        let (count, buckets) = self.ended.entry(result.word()).or_default();
        *count += 1;
        buckets
            .get_or_insert_with(|| Buckets::new(of::DURATIONS))
            .add(took);
        self.errors += u64::from(result.is_trouble());
        if !when.is_within(WEEK, ended) {
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

    fn tell(mut self, name: &str, when: When, out: &mut Collector) {
        let pipeline = (key::PIPELINE_NAME, name);
        for (result, (count, buckets)) in self.ended {
            let mut labels = vec![pipeline, (key::PIPELINE_RESULT, result)];
            out.count(&of::RUNS, &labels, when.at, count);
            labels.push((key::PIPELINE_RUN_STATE, "executing"));
            if matches!(result, "failure" | "error" | "timeout") {
                labels.push((key::ERROR_TYPE, OTHER_ERROR));
            }
            if let Some(buckets) = buckets {
                out.buckets(&of::RUN_DURATION, &labels, when.at, buckets);
            }
        }
        let executing = [pipeline, (key::PIPELINE_RUN_STATE, "executing")];
        out.count(&of::RUN_ACTIVE, &executing, when.at, self.active);
        let other = [pipeline, (key::ERROR_TYPE, OTHER_ERROR)];
        out.count(&of::RUN_ERRORS, &other, when.at, self.errors);
        if let Some(share) = share(self.good, self.bad) {
            out.number(&of::RUN_SUCCESS, &[pipeline], when.at, share);
        }
        let shares = [("p50", 0.5), ("p95", 0.95)];
        let labels = [pipeline];
        quantiles(
            out,
            when,
            &of::RUN_QUANTILE,
            &labels,
            &mut self.recent,
            &shares,
        );
    }
}

/// Tells how many wait and how long the one that waits longest.
fn waiting(
    out: &mut Collector,
    now: Timestamp,
    since: Option<&[Timestamp]>,
    [many, oldest]: [&'static Instrument; 2],
) {
    let Some(since) = since else { return };
    out.count(many, &[], now, since.len() as u64);
    let longest = since.iter().min().map_or(0.0, |&since| between(since, now));
    out.number(oldest, &[], now, longest);
}

fn agents(material: &Material, when: When, out: &mut Collector) {
    let (mut good, mut bad) = (0, 0);
    let mut durations: BTreeMap<&str, Buckets> = BTreeMap::new();
    for run in material.agents.iter().filter(|run| when.has(run.ended)) {
        let outcome = (key::AGENT_OUTCOME, run.outcome.as_str());
        out.count(&of::AGENT_RUNS, &[outcome], when.at, 1);
        if when.is_within(WEEK, run.ended) {
            good += u32::from(run.succeeded);
            bad += u32::from(!run.succeeded);
        }
        for task in &run.tasks {
            let role = (key::AGENT_ROLE, task.role.as_str());
            let outcome = (key::AGENT_OUTCOME, task.outcome.as_str());
            out.count(&of::AGENT_TASKS, &[role, outcome], when.at, 1);
            // Of what has no length nobody knows it.
            if task.ended > task.started {
                durations
                    .entry(&task.role)
                    .or_insert_with(|| Buckets::new(of::DURATIONS))
                    .add(between(task.started, task.ended));
            }
        }
    }
    if let Some(share) = share(good, bad) {
        out.number(&of::AGENT_SUCCESS, &[], when.at, share);
    }
    for (role, buckets) in durations {
        let role = [(key::AGENT_ROLE, role)];
        out.buckets(&of::AGENT_TASK_DURATION, &role, when.at, buckets);
    }
}

/// Tells calls, tokens and money; sums of money are exact.
fn calls(material: &Material, when: When, out: &mut Collector) {
    let mut money: BTreeMap<[&str; 3], Usd> = BTreeMap::new();
    let mut by_change: BTreeMap<u64, Usd> = BTreeMap::new();
    for spent in &material.calls {
        let (role, call) = (spent.role.as_str(), &spent.call);
        if !when.has(call.started) {
            continue;
        }
        tell_call(out, when.at, call, role);
        let Some(usd) = call.usd else { continue };
        let of_model = [call.provider.as_str(), call.model.as_str(), role];
        let sum = money.entry(of_model).or_default();
        *sum = sum.saturating_add(usd);
        if let Some(change) = spent.change
            && when.is_within(MONTH, call.started)
        {
            let sum = by_change.entry(change).or_default();
            *sum = sum.saturating_add(usd);
        }
    }
    for ([provider, model, role], usd) in money {
        let labels = [
            (key::LLM_PROVIDER, provider),
            (key::LLM_MODEL, model),
            (key::AGENT_ROLE, role),
        ];
        out.number(&of::LLM_SPENT, &labels, when.at, dollars(usd));
    }
    let mut costs: Vec<f64> = by_change.into_values().map(dollars).collect();
    let shares = [("p50", 0.5), ("p90", 0.9)];
    quantiles(out, when, &of::CHANGE_COST, &[], &mut costs, &shares);
}

fn tell_call(out: &mut Collector, at: Timestamp, call: &Call, role: &str) {
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
    out.count(&of::LLM_CALLS, &labels, at, 1);
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
        out.count(&of::LLM_TOKENS, &labels, at, count);
    }
}

fn changes(material: &Material, when: When, out: &mut Collector) {
    let mut states: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for change in material.changes.iter().filter(|one| when.has(one.opened)) {
        let ended = change.ended.filter(|(at, _)| when.has(*at));
        let state = ended.map_or("open", |(_, state)| state);
        let (all, agents) = states.entry(state).or_default();
        *all += 1;
        *agents += u64::from(change.is_agents);
    }
    for (state, (all, agents)) in states {
        let labels = [(key::CHANGE_STATE, state)];
        out.count(&of::CHANGES, &labels, when.at, all);
        // The conventions' own metric of the same, which needs the repository's page.
        let page = (key::REPOSITORY_URL, material.repository_url.as_str());
        out.count(&of::CHANGE_COUNT, &[labels[0], page], when.at, all);
        // What is open may still become anything.
        if agents > 0 && state != "open" {
            out.count(&of::AGENT_CHANGES, &labels, when.at, agents);
        }
    }
}

fn flakes(material: &Material, when: When, out: &mut Collector) {
    let recent = material.test_runs.iter();
    let recent = recent.filter(|run| when.is_within(WEEK, run.at));
    let (mut flaky, mut steady) = (0, 0);
    for run in recent {
        flaky += u32::from(run.is_flaky);
        steady += u32::from(!run.is_flaky);
    }
    if let Some(share) = share(flaky, steady) {
        out.number(&of::FLAKE_RATE, &[], when.at, share);
    }
}

fn budgets(material: &Material, when: When, out: &mut Collector) {
    for budget in &material.budgets {
        let labels = [(key::BUDGET_SCOPE, budget.scope.as_str())];
        let spent = dollars(budget.spent);
        out.number(&of::BUDGET_SPENT, &labels, when.at, spent);
        if let Some(cap) = budget.cap {
            let limit = dollars(cap);
            out.number(&of::BUDGET_CAP, &labels, when.at, limit);
            // Of a cap of nothing all is used.
            let used = if cap == Usd::ZERO { 1.0 } else { spent / limit };
            out.number(&of::BUDGET_USED, &labels, when.at, used);
        }
        if let Some(forecast) = budget.forecast {
            out.number(&of::BUDGET_FORECAST, &labels, when.at, dollars(forecast));
        }
    }
}

fn quantiles(
    out: &mut Collector,
    when: When,
    instrument: &'static Instrument,
    labels: &[(Key, &str)],
    values: &mut [f64],
    shares: &[(&str, f64)],
) {
    crate::order::sort_numbers(values);
    for (word, share) in shares {
        if let Some(value) = (when.quantile)(values, *share) {
            let mut labels = labels.to_vec();
            labels.push((key::QUANTILE, word));
            out.number(instrument, &labels, when.at, value);
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
#[path = "tests/gather.rs"]
mod tests;
