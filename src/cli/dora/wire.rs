//! `maestro.dora/v1`: the metrics, what they stand on, and what became of every row.

use std::collections::BTreeMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::gather::Gathered;
use super::repositories::{self, RepositoryRow};
use super::words;
use crate::delivery::account::Account;
use crate::delivery::ask::Ask;
use crate::delivery::editions::{self, EDITIONS, Key};
use crate::delivery::metrics::{Metric, Value, recovery};
use crate::delivery::pool::Measured;
use crate::delivery::quantiles::{Share, Spread};
use crate::delivery::reasons::{Reason, Remark};
use crate::delivery::splits::By;
use crate::delivery::table::Kind;
use crate::delivery::trends::Period;
use crate::order;
use crate::output::{Page, Report, json_line};
use crate::stats::rounded;

/// What a document is made of.
pub(super) struct Said<'a> {
    pub(super) found: &'a Gathered,
    pub(super) measured: &'a Measured,
    pub(super) ask: &'a Ask<'a>,
    pub(super) trend: &'a [Period],
    pub(super) parts: Option<(By, Vec<Part>)>,
    pub(super) standard: Option<Vec<Metric>>,
}

/// The metrics of a part, by its name.
type Part = (String, Vec<Metric>);

/// How a team delivers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.dora/v1"))]
pub(crate) struct DoraDocument {
    /// `maestro.dora/v1`
    schema: &'static str,
    /// As `owner/name`; none where no forge is meant, or many repositories are.
    pub(super) repository: Option<String>,
    /// `github`, `git` (a fallback), `file`, or `states` of many repositories.
    pub(super) rows_from: &'static str,
    /// What stands for deployments: `deployments`, `runs`, `releases` or `tags`, `several` where repositories differ; none where there are none.
    pub(super) source: Option<&'static str>,
    /// The definition, and what it follows.
    pub(super) definition: &'static str,
    pub(super) definition_source: &'static str,
    /// From then on, inclusive.
    pub(super) since: String,
    /// Until then, exclusive.
    pub(super) until: String,
    /// The environment that was named; none for production.
    pub(super) environment: Option<String>,
    /// Whether the clone is cut off, so that older commits and tags are missing.
    is_shallow: bool,
    /// Requests to GitHub.
    pub(super) calls: u64,
    pub(super) metrics: Vec<MetricRow>,
    /// The metrics by week or month (UTC).
    pub(super) trend: Vec<PeriodRow>,
    /// What parts are told apart by; none where nobody asked.
    pub(super) by: Option<&'static str>,
    pub(super) parts: Vec<PartRow>,
    /// Of `--repos`: every repository that the list names, those too that could not be read.
    pub(super) repositories: Vec<RepositoryRow>,
    /// What became of the rows of each kind.
    pub(super) rows: Vec<AccountRow>,
    /// Readings of a row of which there is a later one.
    repeated: usize,
    /// What another definition does otherwise than `dora2025`, with both values.
    pub(super) differences: Vec<DifferenceRow>,
    /// What there is to know before anybody believes a number.
    pub(super) notes: Vec<String>,
}

/// What is said of durations, in seconds.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Figures {
    pub(super) n: usize,
    /// The 50th percentile (type 7); none for fewer than five values.
    pub(super) median: Option<f64>,
    /// Its 95 % interval by order statistics; none for fewer than six values.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) p90: Option<f64>,
    p90_low: Option<f64>,
    p90_high: Option<f64>,
    mean: Option<f64>,
}

/// A part of deployments.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ShareFigures {
    pub(super) part: usize,
    pub(super) of: usize,
    /// None for fewer than five deployments.
    pub(super) rate: Option<f64>,
    /// Wilson's 95 % interval.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

/// A metric.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct MetricRow {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// `said`, `not enough data`, `not reached` (too much is still open) or `not defined`.
    pub(super) verdict: &'static str,
    /// The value in words.
    pub(super) words: String,
    /// Of metrics that are durations.
    pub(super) duration: Option<Figures>,
    /// The same in hours of work, where they were given.
    pub(super) business: Option<Figures>,
    /// Of the recovery time: since somebody noticed, instead of since the deployment.
    pub(super) since_noticed: Option<Figures>,
    /// Of metrics that are shares.
    pub(super) share: Option<ShareFigures>,
    /// Of the deployment frequency.
    pub(super) frequency: Option<FrequencyFigures>,
    /// What dora.dev's quick check calls it (2025), with points from 0 to 10, and what others had: their mean and standard deviation.
    pub(super) answer: Option<AnswerRow>,
    /// Tiers of earlier reports, by year; the report of 2025 has none.
    pub(super) tiers: Vec<TierRow>,
    /// Rows that it was made from.
    pub(super) rows: usize,
    pub(super) counted: usize,
    /// Why the others were left out.
    pub(super) left_out: Vec<CodeRow>,
    /// What there is to say of rows that were counted.
    pub(super) remarks: Vec<CodeRow>,
}

/// How often something was deployed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct FrequencyFigures {
    pub(super) deployments: usize,
    /// Length of the time that was asked for.
    pub(super) days: f64,
    pub(super) per_day: f64,
    /// Days with a deployment.
    pub(super) active_days: usize,
    /// As Four Keys puts it: `daily`, `weekly`, `monthly` or `yearly`.
    pub(super) fourkeys: &'static str,
}

/// An answer of dora.dev's quick check.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct AnswerRow {
    pub(super) words: &'static str,
    pub(super) points: f64,
    pub(super) others_mean: f64,
    pub(super) others_sd: f64,
}

/// A tier of an earlier report.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct TierRow {
    pub(super) year: u16,
    pub(super) tier: &'static str,
    source: &'static str,
}

/// A reason or remark, and how many rows have it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct CodeRow {
    pub(super) code: &'static str,
    pub(super) rows: usize,
    pub(super) words: &'static str,
}

/// A week or month.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct PeriodRow {
    /// Its first day.
    pub(super) from: String,
    pub(super) deployments: usize,
    pub(super) lead_time_deploy: Figures,
    pub(super) lead_time_merge: Figures,
    pub(super) change_fail_rate: ShareFigures,
    rework_rate: ShareFigures,
}

/// A part: an environment, a folder, a team or a kind of author.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct PartRow {
    pub(super) name: String,
    pub(super) deployments: usize,
    pub(super) lead_time_deploy: Figures,
    pub(super) lead_time_merge: Figures,
    pub(super) change_fail_rate: ShareFigures,
}

/// What became of the rows of a kind: `rows` = `counted` + `context` + those left out.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct AccountRow {
    pub(super) kind: &'static str,
    pub(super) rows: usize,
    pub(super) counted: usize,
    /// Commits that tell what a deployment holds.
    pub(super) context: usize,
    pub(super) left_out: Vec<CodeRow>,
}

/// What a definition does otherwise.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct DifferenceRow {
    pub(super) metric: &'static str,
    pub(super) how: &'static str,
    /// What this definition says.
    pub(super) value: String,
    /// What `dora2025` says of the same rows.
    pub(super) dora2025: String,
}

fn second(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Figures {
    pub(super) fn new(spread: &Spread) -> Self {
        let both = |interval: Option<(f64, f64)>| match interval {
            Some((low, high)) => (Some(second(low)), Some(second(high))),
            None => (None, None),
        };
        let (low, high) = both(spread.median.and_then(|found| found.interval));
        let (p90_low, p90_high) = both(spread.p90.and_then(|found| found.interval));
        Self {
            n: spread.n,
            median: spread.median.map(|found| second(found.value)),
            low,
            high,
            p90: spread.p90.map(|found| second(found.value)),
            p90_low,
            p90_high,
            mean: spread.mean.map(second),
        }
    }
}

impl ShareFigures {
    pub(super) fn new(share: &Share) -> Self {
        Self {
            part: share.part,
            of: share.of,
            rate: share.rate.map(rounded),
            low: share.interval.map(|(low, _)| rounded(low)),
            high: share.interval.map(|(_, high)| rounded(high)),
        }
    }
}

pub(super) fn reasons(counts: BTreeMap<Reason, usize>) -> Vec<CodeRow> {
    let rows = counts.into_iter();
    rows.map(|(reason, rows)| CodeRow {
        code: reason.code(),
        rows,
        words: reason.words(),
    })
    .collect()
}

/// Counts why rows of a metric were left out.
pub(super) fn left_out(metric: &Metric) -> Vec<CodeRow> {
    let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
    for left in &metric.left_out {
        *counts.entry(left.reason).or_default() += 1;
    }
    reasons(counts)
}

fn remarks(metric: &Metric) -> Vec<CodeRow> {
    let mut counts: BTreeMap<Remark, usize> = BTreeMap::new();
    for row in &metric.evidence {
        let mut seen = row.remarks.clone();
        order::sort(&mut seen);
        seen.dedup();
        for remark in seen {
            *counts.entry(remark).or_default() += 1;
        }
    }
    let rows = counts.into_iter();
    rows.map(|(remark, rows)| CodeRow {
        code: remark.code(),
        rows,
        words: remark.words(),
    })
    .collect()
}

/// Returns what reports call a metric.
fn key(id: &str) -> Option<Key> {
    match id {
        "lead-time-deploy" => Some(Key::LeadTime),
        "deployment-frequency" => Some(Key::Frequency),
        "change-fail-rate" => Some(Key::ChangeFail),
        "recovery" => Some(Key::Recovery),
        "rework-rate" => Some(Key::Rework),
        _ => None,
    }
}

impl MetricRow {
    pub(super) fn new(metric: &Metric, least: usize) -> Self {
        let mut row = Self {
            id: metric.id,
            name: metric.name,
            verdict: "said",
            words: words::value(metric, least),
            rows: metric.rows,
            counted: metric.counted,
            left_out: left_out(metric),
            remarks: remarks(metric),
            business: metric.business.as_ref().map(Figures::new),
            ..Self::default()
        };
        let value = match &metric.value {
            Value::Spread(spread) => {
                if spread.n < least {
                    row.verdict = "not enough data";
                } else if spread.median.is_none() {
                    row.verdict = "not reached";
                }
                row.duration = Some(Figures::new(spread));
                spread.median.map(|median| median.value)
            }
            Value::Share(share) => {
                if share.rate.is_none() {
                    row.verdict = "not enough data";
                }
                row.share = Some(ShareFigures::new(share));
                share.rate
            }
            Value::Rhythm(rhythm) => {
                row.frequency = Some(FrequencyFigures {
                    deployments: rhythm.deployments,
                    days: second(rhythm.days),
                    per_day: rounded(rhythm.per_day),
                    active_days: rhythm.active_days,
                    fourkeys: rhythm.bucket,
                });
                Some(rhythm.per_day)
            }
            Value::Undefined => {
                row.verdict = "not defined";
                None
            }
        };
        if metric.id == "recovery" {
            let noticed = recovery::since_noticed(metric, least);
            row.since_noticed = Some(Figures::new(&noticed));
        }
        if let (Some(key), Some(value)) = (key(metric.id), value) {
            let answer = editions::answer(key, value);
            let (others_mean, others_sd) = editions::others(key);
            row.answer = Some(AnswerRow {
                words: answer.words,
                points: second(answer.points),
                others_mean,
                others_sd,
            });
            let tiers = EDITIONS.iter().filter_map(|edition| {
                Some(TierRow {
                    year: edition.year,
                    tier: edition.tier(key, value)?,
                    source: edition.source,
                })
            });
            row.tiers = tiers.collect();
        }
        row
    }
}

pub(super) fn find<'m>(metrics: &'m [Metric], id: &str) -> Option<&'m Value> {
    let found = metrics.iter().find(|metric| metric.id == id);
    found.map(|metric| &metric.value)
}

/// Says what metrics have of a duration.
pub(super) fn duration_of(metrics: &[Metric], id: &str) -> Figures {
    match find(metrics, id) {
        Some(Value::Spread(spread)) => Figures::new(spread),
        _ => Figures::default(),
    }
}

/// Says what metrics have of a share.
pub(super) fn share_of(metrics: &[Metric], id: &str) -> ShareFigures {
    match find(metrics, id) {
        Some(Value::Share(share)) => ShareFigures::new(share),
        _ => ShareFigures::default(),
    }
}

/// Says how many deployments metrics count.
pub(super) fn deployments_of(metrics: &[Metric]) -> usize {
    match find(metrics, "deployment-frequency") {
        Some(Value::Rhythm(rhythm)) => rhythm.deployments,
        _ => 0,
    }
}

fn part((name, metrics): &Part) -> PartRow {
    PartRow {
        name: name.clone(),
        deployments: deployments_of(metrics),
        lead_time_deploy: duration_of(metrics, "lead-time-deploy"),
        lead_time_merge: duration_of(metrics, "lead-time-merge"),
        change_fail_rate: share_of(metrics, "change-fail-rate"),
    }
}

fn period(period: &Period) -> PeriodRow {
    PeriodRow {
        from: period.from.to_string(),
        deployments: period.deployments,
        lead_time_deploy: Figures::new(&period.lead),
        lead_time_merge: Figures::new(&period.merge),
        change_fail_rate: ShareFigures::new(&period.failed),
        rework_rate: ShareFigures::new(&period.rework),
    }
}

fn account(account: &Account) -> AccountRow {
    AccountRow {
        kind: account.kind.word(),
        rows: account.rows,
        counted: account.counted,
        context: account.context,
        left_out: reasons(account.left_out.clone()),
    }
}

/// What another definition does otherwise, with both values.
fn differences(said: &Said<'_>) -> Vec<DifferenceRow> {
    let Some(standard) = &said.standard else {
        return Vec::new();
    };
    let least = said.ask.least;
    let words = |metrics: &[Metric], id: &str| {
        let found = metrics.iter().find(|metric| metric.id == id);
        found.map_or(String::new(), |metric| words::value(metric, least))
    };
    let rows = said.ask.definition.differences.iter();
    rows.map(|(metric, how)| DifferenceRow {
        metric,
        how,
        value: words(&said.measured.metrics, metric),
        dora2025: words(standard, metric),
    })
    .collect()
}

/// What there is to know before anybody believes a number.
fn notes(said: &Said<'_>) -> Vec<String> {
    let mut notes = said.found.notes.clone();
    let source = said.measured.source();
    if source.is_none() {
        notes.push(
            "nothing stands for a deployment: there are no lead times to deploy, and no rates"
                .to_owned(),
        );
    }
    let pool = &said.found.pool;
    let has_others = pool.count(Kind::Deployment) + pool.count(Kind::Run) > 0;
    if let Some(source @ ("releases" | "tags")) = source {
        let beside = if has_others {
            ", because no deployment or run counts"
        } else {
            ""
        };
        notes.push(format!("{source} stand for deployments{beside}"));
    }
    if pool.list.len() > 1 {
        notes.push(format!(
            "the rows of {} repositories are pooled: a median is that of all rows, and how often something was deployed is how often all of them were",
            pool.list.len()
        ));
    }
    if pool.count(Kind::Incident) == 0 {
        notes.push("no incident is known: failures are reverts, hotfixes, roll-backs and deployments that failed later".to_owned());
    }
    notes
}

impl DoraDocument {
    pub(super) fn new(said: &Said<'_>) -> Self {
        let (ask, measured) = (said.ask, said.measured);
        let metrics = measured.metrics.iter();
        Self {
            schema: "maestro.dora/v1",
            repository: said.found.repository.clone(),
            rows_from: said.found.from,
            source: measured.source(),
            definition: ask.definition.name,
            definition_source: ask.definition.source,
            since: ask.window.since.to_string(),
            until: ask.window.until.to_string(),
            environment: ask.environment.map(str::to_owned),
            is_shallow: said.found.is_shallow,
            calls: said.found.calls,
            metrics: metrics
                .map(|metric| MetricRow::new(metric, ask.least))
                .collect(),
            trend: said.trend.iter().map(period).collect(),
            by: said.parts.as_ref().map(|(by, _)| by.word()),
            parts: said
                .parts
                .as_ref()
                .map_or(Vec::new(), |(_, parts)| parts.iter().map(part).collect()),
            repositories: repositories::rows(said.found, measured),
            rows: measured.accounts.iter().map(account).collect(),
            repeated: said.found.pool.repeated(),
            differences: differences(said),
            notes: notes(said),
        }
    }
}

impl Report for DoraDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Of<'a> {
            since: &'a str,
            until: &'a str,
            definition: &'static str,
        }
        let of = Of {
            since: &self.since,
            until: &self.until,
            definition: self.definition,
        };
        row_lines(out, "maestro.dora-metric/v1", &of, &self.metrics)
    }

    fn page(&self) -> Page {
        super::page::page(self)
    }
}

/// Writes a line for each row: its schema, what all have in common, and the row.
pub(super) fn row_lines<C: Serialize, R: Serialize>(
    out: &mut dyn Write,
    schema: &'static str,
    common: &C,
    rows: &[R],
) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, C, R> {
        schema: &'static str,
        #[serde(flatten)]
        common: &'a C,
        #[serde(flatten)]
        row: &'a R,
    }
    rows.iter().try_for_each(|row| {
        json_line(
            out,
            &Line {
                schema,
                common,
                row,
            },
        )
    })
}
