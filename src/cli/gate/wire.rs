//! `maestro.gate/v1`: one verdict for everything.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::flakes::verdict::times;
use crate::forge::body::Section;
use crate::gate::{Capability, Problem, Weight, comment, verdict, weight};
use crate::inert::code;
use crate::output::{Cell, Column, Page, Report, Tone};

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
    /// What else somebody may want to know.
    infos: Vec<String>,
    #[serde(skip)]
    lines: String,
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
    pub(super) enforced: &'m [Capability],
    pub(super) problems: &'m [Problem],
    pub(super) infos: &'m [String],
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
            infos: Vec::new(),
            lines: String::new(),
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
        let mut infos = made.infos.to_vec();
        if let Some((run, all)) = made.jobs {
            infos.push(format!("{run} of {} run", times(all, "job")));
        }
        let lines = comment::lines(&weighed, &infos, &made.head);
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
            infos,
            lines,
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

    /// Lays out the comment: the lines that everybody sees, and all of it below.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = vec![Section {
            title: "verdict".to_owned(),
            text: self.lines.clone(),
            priority: 9,
        }];
        if !self.problems.is_empty() {
            let mut text = String::from(
                "<details><summary>Details</summary>\n\n| | Rule | What | Fix |\n| --- | --- | --- | --- |\n",
            );
            for row in &self.problems {
                text.push_str(&format!(
                    "| {} | {} | {} | {} |\n",
                    row.state,
                    code(&row.rule, true),
                    code(&row.message, true),
                    code(&row.fix, true)
                ));
            }
            text.push_str("\n</details>");
            sections.push(Section {
                title: "details".to_owned(),
                text,
                priority: 5,
            });
        }
        sections
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
