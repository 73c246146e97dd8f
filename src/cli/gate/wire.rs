//! `maestro.gate/v1`: one verdict for everything.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::flakes::Flakes;
use crate::finding::{Finding, Severity};
use crate::flakes::verdict::times;
use crate::gate::comment::{JobLine, Told};
use crate::gate::flakes::Known;
use crate::gate::parts::GatePart;
use crate::gate::{Capability, Problem, Weight, verdict, weight};
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::stats::rounded;

/// One verdict for everything.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.gate/v1"))]
pub(crate) struct GateDocument {
    /// `maestro.gate/v1`
    schema: &'static str,
    /// `passed`, `would-block` (what is wrong is not enforced), `blocked`, or `disabled` (`MAESTRO_DISABLE` is set: nothing was judged).
    outcome: &'static str,
    /// Capabilities that block, as the base has them.
    enforced: Vec<&'static str>,
    /// The commit that configuration and rules were read from.
    base: String,
    /// The commit that was judged.
    head: String,
    /// The pull request.
    pull_request: Option<u64>,
    /// Jobs that a fresh plan runs; nothing where none could be made.
    jobs_planned: Option<u64>,
    /// All jobs.
    jobs: Option<u64>,
    /// What is not as it should be.
    problems: Vec<ProblemRow>,
    /// Known flakes that failed, by what the jobs left.
    flakes: Vec<FlakeRow>,
    /// Runs of jobs whose test results were read.
    test_runs: u64,
    /// Artifacts with test results at GitHub; nothing where none was found.
    artifacts: Option<u64>,
    /// Those that were read.
    artifacts_read: Option<u64>,
    /// What else somebody may want to know.
    infos: Vec<String>,
    /// The gate's part of the one comment.
    #[serde(skip)]
    part: GatePart,
}

/// A test in quarantine that failed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FlakeRow {
    test: String,
    /// Whether that is forgiven; otherwise it would be, with `enforce: [flakes]`.
    forgiven: bool,
    /// How often one execution fails, by the stored history; nothing where it is not there.
    rate: Option<f64>,
    /// The interval (95 %).
    low: Option<f64>,
    high: Option<f64>,
    /// Executions that this rests on.
    executions: Option<u64>,
    owner: Option<String>,
    /// The last day on which it is forgiven.
    review_by: String,
}

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ProblemRow {
    /// `plan`, `flakes`, `policy` or `budget`.
    capability: &'static str,
    /// What `/maestro override` names.
    rule: String,
    /// What it is about: a job, a path, an output.
    about: String,
    message: String,
    /// What to do.
    fix: String,
    /// `blocks`, `would-block` or `overridden`.
    state: &'static str,
    /// Who let it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OverrideRow>,
}

/// Who let something pass.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OverrideRow {
    by: String,
    reason: String,
    /// Until when it counts, in RFC 3339.
    expires: String,
    /// Where it was said.
    place: String,
}

/// What a document is made of.
pub(super) struct Made<'m> {
    pub(super) base: String,
    pub(super) head: String,
    pub(super) pull_request: Option<u64>,
    pub(super) jobs: Option<(u64, u64)>,
    pub(super) lines: &'m [JobLine],
    pub(super) enforced: &'m [Capability],
    pub(super) problems: &'m [Problem],
    pub(super) flakes: &'m Flakes,
    pub(super) infos: &'m [String],
    /// What is always worth a word.
    pub(super) asides: &'m [String],
    /// Who may let something pass.
    pub(super) judges: &'m [String],
    pub(super) now: Timestamp,
}

impl GateDocument {
    pub(super) fn disabled() -> Self {
        Self {
            schema: "maestro.gate/v1",
            outcome: "disabled",
            enforced: Vec::new(),
            base: String::new(),
            head: String::new(),
            pull_request: None,
            jobs_planned: None,
            jobs: None,
            problems: Vec::new(),
            flakes: Vec::new(),
            test_runs: 0,
            artifacts: None,
            artifacts_read: None,
            infos: Vec::new(),
            part: GatePart::default(),
        }
    }

    pub(super) fn new(made: Made<'_>) -> Self {
        let weighed: Vec<(Weight, &Problem)> = made
            .problems
            .iter()
            .map(|problem| (weight(problem, made.enforced), problem))
            .collect();
        let is_shadow = weighed
            .iter()
            .any(|(weight, _)| *weight == Weight::WouldBlock);
        let outcome = match verdict(made.problems, made.enforced) {
            Some(_) => "blocked",
            None if is_shadow => "would-block",
            None => "passed",
        };
        let time = made.now.to_zoned(TimeZone::UTC).time();
        let told = Told {
            problems: weighed.clone(),
            known: &made.flakes.known,
            infos: made.infos,
            asides: made.asides,
            judges: made.judges,
            jobs: made.lines,
            commit: &made.head,
            updated: format!("{:02}:{:02}", time.hour(), time.minute()),
        };
        let part = GatePart {
            commit: made.head.clone(),
            lines: told.lines(),
            details: told.details(),
        };
        let artifacts = made.flakes.artifacts;
        Self {
            outcome,
            enforced: made.enforced.iter().map(|one| one.name()).collect(),
            base: made.base,
            pull_request: made.pull_request,
            jobs_planned: made.jobs.map(|(run, _)| run),
            jobs: made.jobs.map(|(_, all)| all),
            problems: weighed
                .iter()
                .map(|(weight, one)| row(*weight, one))
                .collect(),
            flakes: made.flakes.known.iter().map(flake).collect(),
            test_runs: made.flakes.runs,
            artifacts: artifacts.map(|(all, _)| all),
            artifacts_read: artifacts.map(|(_, read)| read),
            infos: [made.infos, made.asides].concat(),
            part,
            head: made.head,
            ..Self::disabled()
        }
    }

    pub(super) fn head(&self) -> &str {
        &self.head
    }

    pub(super) fn pull_request(&self) -> Option<u64> {
        self.pull_request
    }

    /// Whether somebody has something to do.
    pub(super) fn is_actionable(&self) -> bool {
        self.outcome == "blocked"
    }

    /// Returns what blocks, in words.
    pub(super) fn blocking(&self) -> Vec<String> {
        let rows = self.problems.iter().filter(|row| row.state == "blocks");
        rows.map(|row| row.message.clone()).collect()
    }

    /// Returns the gate's part of the one comment.
    pub(super) fn part(&self) -> GatePart {
        self.part.clone()
    }
}

fn flake(known: &Known) -> FlakeRow {
    let rate = known.rate.as_ref();
    FlakeRow {
        test: known.test.clone(),
        forgiven: known.is_forgiven,
        rate: rate.map(|rate| rounded(rate.mean)),
        low: rate.map(|rate| rounded(rate.low)),
        high: rate.map(|rate| rounded(rate.high)),
        executions: rate.map(|rate| rate.executions),
        owner: known.owner.clone(),
        review_by: known.review_by.to_string(),
    }
}

fn row(weight: Weight, problem: &Problem) -> ProblemRow {
    ProblemRow {
        capability: problem.capability.name(),
        rule: problem.rule.clone(),
        about: problem.about.clone(),
        message: problem.words.clone(),
        fix: problem.fix.clone(),
        state: weight.name(),
        overridden: problem.overridden.as_ref().map(|one| OverrideRow {
            by: one.who.clone(),
            reason: one.reason.clone(),
            expires: one.expires.to_string(),
            place: one.place.clone(),
        }),
    }
}

impl Report for GateDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if self.outcome == "disabled" {
            page.text("MAESTRO_DISABLE is set: nothing was judged, and everything passes.");
            return page;
        }
        let count = |state: &str| {
            let rows = self.problems.iter().filter(|row| row.state == state);
            rows.count() as u64
        };
        let (blocks, would) = (count("blocks"), count("would-block"));
        page.heading(match self.outcome {
            "blocked" => format!("Gate: blocked by {}", times(blocks, "problem")),
            "would-block" => format!(
                "Gate: passed; {} would block, if enforced",
                times(would, "problem")
            ),
            _ => "Gate: passed".to_owned(),
        });
        if !self.problems.is_empty() {
            let rows = self.problems.iter().map(|row| {
                let tone = if row.state == "blocks" {
                    Tone::Bad
                } else {
                    Tone::Warn
                };
                vec![
                    Cell::toned(row.state, tone),
                    Cell::code(format!("{}/{}", row.capability, row.rule)),
                    Cell::code(&row.message),
                    Cell::code(&row.fix),
                ]
            });
            let head = ["State", "Rule", "What", "Fix"].map(Column::left).to_vec();
            page.table(head, rows.collect());
        }
        if !self.flakes.is_empty() {
            let rows = self.flakes.iter().map(|row| {
                let percent = |part: f64| format!("{:.1} %", 100.0 * part);
                vec![
                    Cell::code(&row.test),
                    Cell::plain(row.rate.map(percent).unwrap_or_default()),
                    Cell::plain(row.owner.clone().unwrap_or_default()),
                    Cell::plain(&row.review_by),
                ]
            });
            let head = ["Known flake", "Fails", "Owner", "Review by"];
            page.table(head.map(Column::left).to_vec(), rows.collect());
        }
        for info in &self.infos {
            page.text(format!("{info}."));
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.problems.iter().map(|row| Finding {
            code: format!("gate/{}", row.rule),
            severity: if row.state == "blocks" {
                Severity::Error
            } else {
                Severity::Warning
            },
            message: format!("{}. {}", row.message, row.fix),
            location: None,
        });
        rows.collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![
            ("outcome".to_owned(), self.outcome.to_owned()),
            ("problems".to_owned(), self.problems.len().to_string()),
        ]
    }
}
