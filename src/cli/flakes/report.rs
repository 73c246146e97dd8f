//! `maestro flakes report`

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::ingest::wire::Totals;
use crate::cli::session::Session;
use crate::cli::state::{damage_error, warn_of_damage};
use crate::error::{CommandError, CommandResult};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Severity};
use crate::flakes::history::{History, HistoryBuilder};
use crate::flakes::verdict::{Verdict, judge, percent, times};
use crate::output::{Cell, Column, Inline, Page, Report, Tone, json_line};
use crate::state::v1::{self, TEST_LIST, TEST_RUN};
use crate::state::{StateFolder, Survey};
use crate::stats::{failure_rate, rounded};

/// Show what the stored history says about each test
///
/// Without --all, tests that never failed are left out. The rate is the posterior failure rate of one execution under
/// Jeffreys' prior, with its 95 % interval.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Name the flaky and the broken tests
    $ maestro flakes report

  Every test, for a program
    $ maestro flakes report --all --format json")]
pub(crate) struct ReportArgs {
    /// Also show tests that never failed
    #[arg(long)]
    all: bool,

    /// Exit with 3 when nothing is stored yet
    #[arg(long)]
    require_input: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &ReportArgs) -> CommandResult {
    let state = session.state()?;
    let (history, survey) = load(&state)?;
    let document = FlakesDocument::new(&history, args.all);
    session.render(&document)?;
    warn_of_damage(session, &survey);
    if history.missing_lists > 0 {
        session.ui.warn(&format!(
            "{} refer to a test list that is not here; their tests are missing from this report",
            times(history.missing_lists, "run")
        ));
        session.ui.hint("`maestro state verify` names them");
    }
    if document.totals.runs == 0 {
        session.ui.warn("no test run is stored yet");
        session
            .ui
            .hint("store one: maestro flakes ingest target/nextest/ci/junit.xml");
        if args.require_input {
            return Ok(ExitCode::NothingToDo);
        }
    }
    if !survey.damage.is_empty() {
        return Err(damage_error(session, &survey));
    }
    Ok(ExitCode::Success)
}

/// Reads the whole history.
pub(crate) fn load(state: &StateFolder<'_>) -> Result<(History, Survey), CommandError> {
    let mut builder = HistoryBuilder::default();
    let survey = state.read(
        &mut |kind, _| kind == TEST_LIST || kind == TEST_RUN,
        &mut |event| {
            if event.kind == TEST_LIST {
                return v1::decode_list(event, &mut builder);
            }
            builder.run(v1::decode_run(event)?);
            Ok(())
        },
    )?;
    Ok((builder.finish(), survey))
}

/// Returns how many stored runs refer to a list that is not here.
pub(crate) fn missing_lists(state: &StateFolder<'_>) -> Result<u64, CommandError> {
    Ok(load(state)?.0.missing_lists)
}

/// What the stored history says about each test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "maestro.flakes-report/v1")]
pub(crate) struct FlakesDocument {
    /// `maestro.flakes-report/v1`
    schema: &'static str,
    /// The sums over all stored runs.
    totals: ReportTotals,
    /// The tests: flaky first, then broken, fixed, unknown and healthy, each in order of suite and name.
    tests: Vec<TestRow>,
}

/// Sums over all stored runs.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct ReportTotals {
    /// Stored runs.
    runs: u64,
    /// Runs left out because another one holds the same report files.
    duplicate_runs: u64,
    /// Distinct tests.
    tests: u64,
    /// `<testcase>` elements.
    cases: u64,
    /// Cases without a failing or skipping child.
    passed: u64,
    /// Cases with a failure.
    failed: u64,
    /// Cases with an error.
    errored: u64,
    /// Cases that were skipped.
    skipped: u64,
    /// Cases among `passed` of which only `status="disabled"` says that they did not run.
    disabled: u64,
    /// Executions.
    attempts: u64,
    /// Tests of each verdict.
    verdicts: Verdicts,
}

/// Tests of each verdict.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Verdicts {
    flaky: u64,
    broken: u64,
    fixed: u64,
    unknown: u64,
    healthy: u64,
}

/// One test.
#[derive(Debug, Serialize, JsonSchema)]
struct TestRow {
    /// The suites and class around it.
    suite: String,
    /// Its name.
    test: String,
    /// Executions; a skip is none.
    runs: u64,
    /// Executions that failed.
    failures: u64,
    /// Times that it failed and then passed in the same run and on the same commit.
    retry_passes: u64,
    /// Posterior failure rate of one execution.
    rate: RateRow,
    /// What it is.
    verdict: Verdict,
    /// How sure that is, between 0 and 1.
    confidence: f64,
    /// Why, in sentences.
    evidence: Vec<String>,
}

/// A rate with its 95 % interval, each between 0 and 1.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
struct RateRow {
    mean: f64,
    low: f64,
    high: f64,
}

impl FlakesDocument {
    fn new(history: &History, all: bool) -> Self {
        let mut totals = ReportTotals {
            runs: history.runs.len() as u64,
            duplicate_runs: history.duplicates,
            tests: history.len() as u64,
            ..ReportTotals::default()
        };
        let mut sums = Totals::default();
        for run in &history.runs {
            sums.add(&run.counts, run.tests);
        }
        totals.cases = sums.cases;
        totals.passed = sums.passed;
        totals.failed = sums.failed;
        totals.errored = sums.errored;
        totals.skipped = sums.skipped;
        totals.disabled = sums.disabled;
        totals.attempts = sums.attempts;
        let mut tests = Vec::new();
        for test in history.in_order() {
            let tally = history.tally(test);
            let judgement = judge(tally, history.observations(test), &history.runs);
            totals.verdicts.count(judgement.verdict);
            if !all && tally.failures == 0 {
                continue;
            }
            let (suite, name) = history.test(test);
            let rate = failure_rate(tally.failures, tally.runs);
            tests.push(TestRow {
                suite: suite.to_owned(),
                test: name.to_owned(),
                runs: tally.runs,
                failures: tally.failures,
                retry_passes: tally.retry_passes,
                rate: RateRow {
                    mean: rounded(rate.mean),
                    low: rounded(rate.low),
                    high: rounded(rate.high),
                },
                verdict: judgement.verdict,
                confidence: rounded(judgement.confidence),
                evidence: judgement.evidence,
            });
        }
        tests.sort_by_key(|row| order(row.verdict));
        Self {
            schema: "maestro.flakes-report/v1",
            totals,
            tests,
        }
    }
}

fn order(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Flaky => 0,
        Verdict::Broken => 1,
        Verdict::Fixed => 2,
        Verdict::Unknown => 3,
        Verdict::Healthy => 4,
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

impl Report for FlakesDocument {
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
        for row in &self.tests {
            let line = Line {
                schema: "maestro.flakes-report-test/v1",
                row,
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
        if self.tests.is_empty() {
            if self.totals.runs > 0 {
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
            .map(TestRow::cells)
            .collect();
        page.table(head, rows);
        if self.tests.len() > MOST_ROWS {
            let more = (self.tests.len() - MOST_ROWS) as u64;
            page.text(format!(
                "and {} more (--format json lists all)",
                times(more, "test")
            ));
        }
        let judged = |row: &&TestRow| {
            matches!(
                row.verdict,
                Verdict::Flaky | Verdict::Broken | Verdict::Fixed
            )
        };
        for row in self.tests.iter().take(MOST_ROWS).filter(judged) {
            page.line(vec![
                Inline::Plain(format!("{}: ", row.verdict.name())),
                Inline::Code(row.title()),
                Inline::Plain(format!(" {}", row.reasons())),
            ]);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        self.tests
            .iter()
            .filter(|row| matches!(row.verdict, Verdict::Flaky | Verdict::Broken))
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
        vec![
            Cell::toned(self.verdict.name(), tone),
            Cell::plain(format!("{} of {}", self.failures, self.runs)),
            Cell::plain(self.retry_passes.to_string()),
            Cell::plain(format!(
                "{} ({}\u{2013}{})",
                percent(self.rate.mean),
                percent(self.rate.low),
                percent(self.rate.high)
            )),
            Cell::code(self.title()),
        ]
    }
}
