//! `maestro.dora-kpi/v1`: the indicators, what they are held against, and where their rows are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Loaded;
use super::targets::TargetsWord;
use crate::cli::dora::gather::Gathered;
use crate::cli::dora::wire::{CodeRow, reasons};
use crate::delivery::ask::Window;
use crate::delivery::kpi::record::{KpiIndicator, KpiRecord};
use crate::delivery::kpi::words::value;
use crate::delivery::kpi::{
    Finding, INDICATORS, Indicator, Measured, Target, Trend, Unit, Verdict, judge, trend,
};
use crate::delivery::reasons::Reason;
use crate::output::{Page, Report, json_line};

/// What a document is made of.
pub(super) struct Said<'a> {
    pub(super) found: &'a Gathered,
    pub(super) loaded: &'a Loaded,
    pub(super) window: Window,
    pub(super) baseline: Window,
    pub(super) now: Timestamp,
    pub(super) targets: TargetsWord,
    pub(super) target: &'a dyn Fn(&Indicator) -> Option<Target>,
    /// In the order of the indicators.
    pub(super) findings: &'a [Finding],
    pub(super) earlier: &'a [Finding],
}

/// Seven indicators.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.dora-kpi/v1"))]
pub(crate) struct DoraKpiDocument {
    /// `maestro.dora-kpi/v1`
    schema: &'static str,
    /// As `owner/name`; none where no forge is meant.
    repository: Option<String>,
    /// Where rows of deliveries are from: `github`, `git` (a fallback) or `file`.
    pub(super) rows_from: &'static str,
    /// From then on, inclusive.
    pub(super) since: String,
    /// Until then, exclusive.
    pub(super) until: String,
    /// The time that it is compared with.
    pub(super) baseline_since: String,
    pub(super) baseline_until: String,
    /// Whose targets count: `config` or `example`; none where none is set.
    pub(super) targets: Option<&'static str>,
    /// Whether the time has not ended, so that nothing is met yet.
    pub(super) is_projection: bool,
    pub(super) indicators: Vec<IndicatorRow>,
    /// Requests to GitHub.
    calls: u64,
    /// Whether the table was kept as an event.
    pub(super) saved: bool,
    /// What there is to know before anybody believes a number.
    pub(super) notes: Vec<String>,
}

/// An indicator.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct IndicatorRow {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// `seconds`, `share` (0 to 1), `usd` or `per_week`.
    unit: &'static str,
    /// What it was measured from.
    source: &'static str,
    /// The value in words, on its own side of the target.
    pub(super) words: String,
    /// None where there is too little to say.
    pub(super) value: Option<f64>,
    /// Of money: the value, exactly.
    usd: Option<String>,
    /// The 95 % interval.
    low: Option<f64>,
    high: Option<f64>,
    /// How many values it stands on.
    pub(super) n: usize,
    /// Why there is no value.
    pub(super) why: Option<String>,
    /// The same over the time before.
    pub(super) baseline: BaselineRow,
    /// `better`, `worse` or `no clear change` (the intervals overlap); none where an interval is missing.
    pub(super) trend: Option<&'static str>,
    /// None where none is set.
    pub(super) target: Option<TargetRow>,
    /// `met`, `missed` or `not enough data`; none where no target is set.
    pub(super) verdict: Option<&'static str>,
    /// Rows that were looked at.
    rows: usize,
    /// Why others than `n` were left out.
    left_out: Vec<CodeRow>,
    /// The command that lists the rows.
    explain: String,
    #[serde(skip)]
    pub(super) interval: String,
    #[serde(skip)]
    pub(super) judged: Option<Verdict>,
}

/// An indicator over the time before.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct BaselineRow {
    pub(super) words: String,
    pub(super) value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    n: usize,
}

/// What an indicator should be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct TargetRow {
    pub(super) words: String,
    /// `at_least`, `at_most` or `below`.
    kind: &'static str,
    /// In the unit of the value.
    value: f64,
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Share => "share",
        Unit::Dollars => "usd",
        Unit::AWeek => "per_week",
    }
}

/// Says a value, or that there is none.
pub(super) fn words(finding: &Finding, unit: Unit, target: Option<Target>) -> String {
    let measured = &finding.measured;
    measured
        .value
        .map_or_else(nothing, |found| value(found, unit, target))
}

fn nothing() -> String {
    "not enough data".to_owned()
}

fn ends(measured: &Measured) -> (Option<f64>, Option<f64>) {
    measured.interval.unzip()
}

impl TargetRow {
    fn new(target: Target, unit: Unit) -> Self {
        Self {
            words: target.words(unit),
            kind: match target {
                Target::AtLeast(_) => "at_least",
                Target::AtMost(_) => "at_most",
                Target::Below(_) => "below",
            },
            value: target.bound(),
        }
    }

    /// Says it as somebody would write it, in the unit of the value.
    fn short(&self) -> String {
        let sign = match self.kind {
            "at_least" => ">=",
            "at_most" => "<=",
            _ => "<",
        };
        format!("{sign}{}", self.value)
    }
}

impl IndicatorRow {
    fn new(said: &Said<'_>, indicator: &Indicator, finding: &Finding, before: &Finding) -> Self {
        let measured = &finding.measured;
        let target = (said.target)(indicator);
        let verdict = judge(measured, target);
        let (low, high) = ends(measured);
        let interval = measured.interval.map_or(String::new(), |(low, high)| {
            let say = |end: f64| value(end, indicator.unit, None);
            format!("{} – {}", say(low), say(high))
        });
        let mut left: BTreeMap<Reason, usize> = BTreeMap::new();
        for reason in finding.pieces.iter().filter_map(|piece| piece.reason) {
            *left.entry(reason).or_default() += 1;
        }
        let (before_low, before_high) = ends(&before.measured);
        Self {
            id: indicator.id,
            name: indicator.name,
            unit: unit(indicator.unit),
            source: finding.source,
            words: words(finding, indicator.unit, target),
            value: measured.value,
            usd: finding.usd.map(|usd| usd.to_string()),
            low,
            high,
            n: measured.n,
            why: finding.why.clone(),
            baseline: BaselineRow {
                words: words(before, indicator.unit, None),
                value: before.measured.value,
                low: before_low,
                high: before_high,
                n: before.measured.n,
            },
            trend: trend(indicator, measured, &before.measured).map(Trend::word),
            target: target.map(|target| TargetRow::new(target, indicator.unit)),
            verdict: verdict.map(Verdict::word),
            rows: finding.pieces.len(),
            left_out: reasons(left),
            explain: format!(
                "maestro dora explain kpi:{} --since {} --until {}",
                indicator.id, said.window.since, said.window.until
            ),
            interval,
            judged: verdict,
        }
    }
}

impl DoraKpiDocument {
    pub(super) fn new(said: &Said<'_>) -> Self {
        let pairs = said.findings.iter().zip(said.earlier);
        let indicators = INDICATORS.iter().zip(pairs);
        let indicators: Vec<IndicatorRow> = indicators
            .map(|(indicator, (finding, before))| {
                IndicatorRow::new(said, indicator, finding, before)
            })
            .collect();
        let is_projection = said.window.until > said.now;
        let mut notes = said.found.notes.clone();
        notes.extend(said.loaded.notes.iter().cloned());
        if is_projection {
            notes.push(
                "that time has not ended: what it says so far is a projection, which is never met"
                    .to_owned(),
            );
        }
        let has_targets = indicators.iter().any(|row| row.target.is_some());
        Self {
            schema: "maestro.dora-kpi/v1",
            repository: said.found.repository.clone(),
            rows_from: said.found.from,
            since: said.window.since.to_string(),
            until: said.window.until.to_string(),
            baseline_since: said.baseline.since.to_string(),
            baseline_until: said.baseline.until.to_string(),
            targets: has_targets.then_some(match said.targets {
                TargetsWord::Config => "config",
                TargetsWord::Example => "example",
            }),
            is_projection,
            indicators,
            calls: said.found.calls,
            saved: false,
            notes,
        }
    }

    /// Returns what is kept of it.
    pub(super) fn record(&self) -> KpiRecord {
        let rows = self.indicators.iter();
        let indicators = rows.map(|row| KpiIndicator {
            baseline: row.baseline.value,
            high: row.high,
            id: row.id.to_owned(),
            low: row.low,
            n: row.n as u64,
            target: row.target.as_ref().map(TargetRow::short),
            unit: row.unit.to_owned(),
            usd: row.usd.as_ref().and_then(|usd| usd.parse().ok()),
            value: row.value,
            verdict: row.verdict.map(str::to_owned),
        });
        KpiRecord {
            baseline_since: self.baseline_since.clone(),
            baseline_until: self.baseline_until.clone(),
            indicators: indicators.collect(),
            repository: self.repository.clone(),
            since: self.since.clone(),
            until: self.until.clone(),
        }
    }

    fn of_verdict(&self, verdict: Verdict) -> String {
        let rows = self.indicators.iter();
        let rows = rows.filter(|row| row.judged == Some(verdict));
        rows.map(|row| row.id).collect::<Vec<_>>().join(",")
    }
}

impl Report for DoraKpiDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            schema: &'static str,
            since: &'a str,
            until: &'a str,
            #[serde(flatten)]
            row: &'a IndicatorRow,
        }
        for row in &self.indicators {
            let line = Line {
                schema: "maestro.dora-indicator/v1",
                since: &self.since,
                until: &self.until,
                row,
            };
            json_line(out, &line)?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        super::page::page(self)
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("met".to_owned(), self.of_verdict(Verdict::Met)),
            ("missed".to_owned(), self.of_verdict(Verdict::Missed)),
        ]
    }
}
