//! `maestro.flakes-report/v1`: the tests and what the history says of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::cause::{CauseRow, MOST_MESSAGES, MessageRow};
use crate::cli::flakes::counts::CountsRow;
use crate::finding::{Finding, Severity};
use crate::flakes::causes::past::Causes;
use crate::flakes::detect::Analysis;
use crate::flakes::history::History;
use crate::flakes::quarantine::shown;
use crate::flakes::signature::Signature;
use crate::flakes::verdict::{Counted, Verdict, percent, times};
use crate::junit::Counts;
use crate::output::{Cell, Column, Inline, Page, Report, Tone, json_line};
use crate::stats::{Rate, rounded};

/// What the stored history says about each test.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-report/v1"))]
pub(crate) struct FlakesDocument<'h> {
    /// `maestro.flakes-report/v1`
    schema: &'static str,
    /// The sums over all stored runs.
    totals: ReportTotals,
    /// Runs that were outages, oldest first: their failures are no evidence.
    outages: Vec<OutageRow>,
    /// The tests: flaky first, then broken, fixed, unknown and healthy, each in order of suite and name.
    #[cfg_attr(test, schemars(with = "Vec<TestRow>"))]
    tests: Rows<'h>,
}

/// The tests, each laid out only when it is written: a million rows with their words would take half a gigabyte.
#[derive(Debug)]
struct Rows<'h> {
    history: &'h History,
    analysis: &'h Analysis,
    /// Verdict and number, in the order of the document.
    order: Vec<(Verdict, u32)>,
    causes: Causes<'h>,
    /// Many tests share their numbers, and an interval is dear.
    rates: RefCell<HashMap<(u64, u64), Rate>>,
    signatures: RefCell<HashMap<u32, Signature>>,
}

/// Sums over all stored runs.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReportTotals {
    /// Stored runs: one for each run, attempt, job and leg, or for each part of one that was ingested by itself.
    runs: u64,
    /// Runs left out because another one holds the same report files.
    duplicate_runs: u64,
    /// Runs that were outages.
    outages: u64,
    /// Distinct tests.
    tests: u64,
    #[serde(flatten)]
    counts: CountsRow,
    /// Tests of each verdict.
    verdicts: Verdicts,
}

/// Tests of each verdict.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Verdicts {
    flaky: u64,
    broken: u64,
    fixed: u64,
    unknown: u64,
    healthy: u64,
}

/// A run in which so much failed at once that it says nothing about single tests.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OutageRow {
    run: String,
    attempt: u32,
    job: String,
    leg: String,
    commit: String,
    /// Why it is taken for one: `share` (too much failed) or `improbable` (independent tests would hardly fail so).
    reason: &'static str,
    /// Tests that failed and are not broken anyway.
    failed: u64,
    /// How many would have failed in a usual run.
    expected: f64,
}

/// One test.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct TestRow {
    /// The suites and class around it.
    suite: String,
    /// Its name.
    test: String,
    /// What it was called before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    formerly: Vec<String>,
    /// Executions; a skip is none.
    runs: u64,
    /// Executions that failed.
    failures: u64,
    /// Times that it failed and then passed in the same run and on the same commit.
    retry_passes: u64,
    /// Failures in runs that were outages.
    outage_failures: u64,
    /// Posterior failure rate of one execution, outside of outages and, unless it is broken, of commits that had broken it.
    rate: RateRow,
    /// What it is.
    verdict: Verdict,
    /// How sure that is, between 0 and 1.
    confidence: f64,
    /// How likely it is flaky, whatever the verdict, between 0 and 1.
    flaky_probability: f64,
    /// If it is broken: commits of which one broke it, oldest first, with a probability of 99 %; at most 20.
    suspects: Vec<String>,
    /// Why, in sentences.
    evidence: Vec<String>,
    /// Why it fails, for one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseRow>,
    /// What its last 64 failures with a message said, the most frequent first; at most three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MessageRow>,
    /// The rate as it was calculated: rounding twice would show another figure.
    #[serde(skip)]
    exact: Rate,
}

/// A rate with its 95 % interval, each between 0 and 1.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RateRow {
    mean: f64,
    low: f64,
    high: f64,
}

impl<'h> FlakesDocument<'h> {
    pub(super) fn new(history: &'h History, analysis: &'h Analysis, all: bool) -> Self {
        let tests = history.in_order();
        let mut totals = ReportTotals {
            runs: history.runs.len() as u64,
            duplicate_runs: history.duplicates,
            tests: tests.len() as u64,
            ..ReportTotals::default()
        };
        let mut sum = Counts::default();
        for run in &history.runs {
            sum.add(&run.counts);
        }
        for rollup in &history.rollups {
            sum.add(&rollup.counts);
            totals.runs += rollup.runs;
        }
        totals.counts = sum.into();
        totals.outages = analysis.outages.len() as u64;
        let outages = analysis.outages.iter().filter_map(|(run, outage)| {
            let run = history.runs.get(*run as usize)?;
            Some(OutageRow {
                run: run.origin.run.clone(),
                attempt: run.origin.attempt,
                job: run.origin.job.clone(),
                leg: run.leg.clone(),
                commit: run.origin.commit.clone(),
                reason: outage.reason.name(),
                failed: outage.failed as u64,
                expected: rounded(outage.expected),
            })
        });
        let outages = outages.collect();
        let mut order = Vec::new();
        for test in tests {
            let tally = history.tally(test);
            let verdict = analysis.verdict(history, test);
            totals.verdicts.count(verdict);
            if all || tally.failures > 0 {
                order.push((verdict, test));
            }
        }
        // Stable, so that suite and name decide within a verdict.
        crate::order::sort_by_key(&mut order, |(verdict, _)| *verdict);
        Self {
            schema: "maestro.flakes-report/v1",
            totals,
            outages,
            tests: Rows {
                history,
                analysis,
                order,
                causes: Causes::of(history),
                rates: RefCell::default(),
                signatures: RefCell::default(),
            },
        }
    }
}

impl Rows<'_> {
    fn iter(&self) -> impl Iterator<Item = TestRow> + '_ {
        self.order.iter().map(|&(_, test)| self.row(test))
    }

    /// Returns the rows whose verdict asks for somebody's attention.
    fn of_note(&self) -> impl Iterator<Item = TestRow> + '_ {
        let of_note =
            |verdict| matches!(verdict, Verdict::Flaky | Verdict::Broken | Verdict::Fixed);
        let order = self
            .order
            .iter()
            .take_while(move |(verdict, _)| of_note(*verdict));
        order.map(|&(_, test)| self.row(test))
    }

    fn row(&self, test: u32) -> TestRow {
        let history = self.history;
        let tally = history.tally(test);
        let judgement = self.analysis.judge(history, test);
        let (suite, name) = history.test(test);
        let exact = self.rate(judgement.counted);
        TestRow {
            suite: suite.to_owned(),
            test: name.to_owned(),
            formerly: history
                .former_names(test)
                .map(|(suite, name)| shown(suite, name))
                .collect(),
            runs: tally.runs,
            failures: tally.failures,
            retry_passes: tally.retry_passes,
            outage_failures: judgement.counted.in_outages,
            rate: rate_row(exact),
            verdict: judgement.verdict,
            confidence: rounded(judgement.confidence),
            flaky_probability: rounded(judgement.flaky),
            suspects: judgement
                .suspects
                .map_or_else(Vec::new, |suspects| suspects.commits),
            evidence: judgement.evidence,
            cause: (tally.failures > 0).then(|| self.causes.find(test).into()),
            messages: self.messages(test),
            exact,
        }
    }

    fn messages(&self, test: u32) -> Vec<MessageRow> {
        let signatures = self
            .history
            .signatures_of(test, &mut self.signatures.borrow_mut());
        let most = signatures.into_iter().take(MOST_MESSAGES);
        most.map(MessageRow::from).collect()
    }

    fn rate(&self, counted: Counted) -> Rate {
        let key = (counted.failures.to_bits(), counted.executions.to_bits());
        *self
            .rates
            .borrow_mut()
            .entry(key)
            .or_insert_with(|| counted.rate())
    }
}

fn rate_row(rate: Rate) -> RateRow {
    RateRow {
        mean: rounded(rate.mean),
        low: rounded(rate.low),
        high: rounded(rate.high),
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Verdicts {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Flaky => self.flaky += 1,
            Verdict::Broken => self.broken += 1,
            Verdict::Fixed => self.fixed += 1,
            Verdict::Unknown => self.unknown += 1,
            Verdict::Healthy => self.healthy += 1,
        }
    }
}

/// Tables on a terminal end here; the JSON has every row.
const MOST_ROWS: usize = 200;

impl Report for FlakesDocument<'_> {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            schema: &'static str,
            #[serde(flatten)]
            row: &'a TestRow,
        }
        for row in self.tests.iter() {
            let line = Line {
                schema: "maestro.flakes-report-test/v1",
                row: &row,
            };
            json_line(out, &line)?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let verdicts = &self.totals.verdicts;
        page.heading(format!(
            "Flaky tests: {} flaky, {} broken, {} fixed, {} unknown, {} healthy ({} over {})",
            verdicts.flaky,
            verdicts.broken,
            verdicts.fixed,
            verdicts.unknown,
            verdicts.healthy,
            times(self.totals.tests, "test"),
            times(self.totals.runs, "run"),
        ));
        match self.totals.outages {
            0 => {}
            1 => page.text("1 run was an outage: its failures are no evidence."),
            more => page.text(format!(
                "{more} runs were outages: their failures are no evidence."
            )),
        }
        if self.tests.order.is_empty() {
            if self.totals.tests > 0 {
                page.text("No test failed.");
            }
            return page;
        }
        let head = vec![
            Column::left("verdict"),
            Column::right("failed"),
            Column::right("passed on retry"),
            Column::right("failure rate % (95 %)"),
            Column::left("test"),
        ];
        let rows = self
            .tests
            .iter()
            .take(MOST_ROWS)
            .map(|row| row.cells())
            .collect();
        page.table(head, rows);
        if self.tests.order.len() > MOST_ROWS {
            let more = (self.tests.order.len() - MOST_ROWS) as u64;
            page.text(format!(
                "and {} more (--format json lists all)",
                times(more, "test")
            ));
        }
        for row in self.tests.of_note().take(MOST_ROWS) {
            let mut line = vec![
                Inline::Plain(format!("{}: ", row.verdict.name())),
                Inline::Code(row.title()),
                Inline::Plain(format!(" {}", row.reasons())),
            ];
            line.extend(row.cause.iter().flat_map(CauseRow::words));
            page.line(line);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        self.tests
            .of_note()
            .filter(|row| row.verdict != Verdict::Fixed)
            .map(|row| Finding {
                code: format!("flakes/{}", row.verdict.name()),
                severity: Severity::Warning,
                message: format!(
                    "{} is {}: {}",
                    row.title(),
                    row.verdict.name(),
                    row.evidence.join("; ")
                ),
                location: None,
            })
            .collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let verdicts = &self.totals.verdicts;
        [
            ("flaky", verdicts.flaky),
            ("broken", verdicts.broken),
            ("fixed", verdicts.fixed),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .collect()
    }
}

impl TestRow {
    fn title(&self) -> String {
        if self.suite.is_empty() {
            self.test.clone()
        } else {
            format!("{} > {}", self.suite, self.test)
        }
    }

    /// Returns the evidence without its first sentence, the rate, which the table shows.
    fn reasons(&self) -> String {
        let skip = usize::from(self.evidence.len() > 1);
        self.evidence[skip..].join("; ")
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = match self.verdict {
            Verdict::Flaky => Tone::Warn,
            Verdict::Broken => Tone::Bad,
            Verdict::Fixed | Verdict::Healthy => Tone::Good,
            Verdict::Unknown => Tone::Plain,
        };
        let rate = &self.exact;
        vec![
            Cell::toned(self.verdict.name(), tone),
            Cell::plain(format!("{} of {}", self.failures, self.runs)),
            Cell::plain(self.retry_passes.to_string()),
            Cell::plain(format!(
                "{} ({}\u{2013}{})",
                percent(rate.mean),
                percent(rate.low),
                percent(rate.high)
            )),
            Cell::code(self.title()),
        ]
    }
}
