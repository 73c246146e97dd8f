//! The document of `check-policy`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::super::policy_pages::PolicyPages;
use super::source::Loaded;
use super::violations::{ForgivenRow, Line, ViolationRow, violation};
use crate::change::base::short;
use crate::error::{CommandError, ErrorKind};
use crate::finding::{Finding, Location, Severity};
use crate::flakes::verdict::times;
use crate::gate::{Capability, Problem as Stop};
use crate::order;
use crate::output::checks::{Check, Problem};
use crate::output::{Inline, Page, Report, json_line};
use crate::policy::Weight;
use crate::policy::engine::{Judgement, Outcome};

/// What the policy says of a change.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.check-policy/v1"))]
pub(crate) struct CheckPolicyDocument {
    /// `maestro.check-policy/v1`
    schema: &'static str,
    /// `passed`, `warned`, `review` (a person has to approve this head), `blocked`, or `disabled` (`MAESTRO_DISABLE` is set: nothing was judged).
    pub(super) outcome: &'static str,
    /// Whether the outcome counts; otherwise the result says what it would be.
    pub(super) enforced: bool,
    /// The commits that the change was compared with.
    pub(super) merge_bases: Vec<String>,
    /// The commit that was judged.
    pub(super) head: String,
    /// The agent's task that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<String>,
    /// The pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull_request: Option<u64>,
    /// Changed paths.
    pub(super) files: u64,
    pub(super) policy: PolicyRow,
    pub(super) counts: Counts,
    /// What was judged, in the policy's order.
    entries: Vec<EntryRow>,
    /// What is not as it should be, the heaviest first.
    pub(super) violations: Vec<ViolationRow>,
}

/// Where the policy is from.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PolicyRow {
    /// `file` (of the commit), `given` (by `--policy`) or `built-in` (where there is none).
    pub(super) source: &'static str,
    path: String,
    /// The commit that it was read from.
    pub(super) commit: Option<String>,
    /// The organisation's policy below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    extends: Option<String>,
    /// SHA-256 of its bytes; with an organisation's policy, of the digests of both.
    pub(super) sha256: String,
}

/// How many violations there are.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Counts {
    block: u64,
    review: u64,
    warn: u64,
    /// Those that somebody ignores, approved, or that were there before.
    pub(super) forgiven: u64,
}

/// An entry of the policy.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct EntryRow {
    id: String,
    rule: &'static str,
    /// `judged`, `not-meant` (it is about other people's changes) or `expired`.
    state: &'static str,
    #[serde(skip)]
    what: &'static str,
}

impl PolicyRow {
    pub(super) fn new(loaded: &Loaded) -> Self {
        Self {
            source: loaded.source,
            path: loaded.path.clone(),
            commit: loaded
                .commit
                .clone()
                .filter(|_| loaded.source != "built-in"),
            extends: loaded.extends.clone(),
            sha256: loaded.sha256.clone(),
        }
    }

    pub(in crate::cli) fn show(&self, page: &mut Page) {
        let mut line = match (self.source, &self.commit) {
            ("built-in", _) => vec![Inline::Plain(
                "Policy: the built-in one, because the base has none".into(),
            )],
            (_, Some(commit)) => vec![
                Inline::Plain("Policy: ".into()),
                Inline::Code(self.path.clone()),
                Inline::Plain(" of ".into()),
                Inline::Code(short(commit).to_owned()),
            ],
            (_, None) => vec![
                Inline::Plain("Policy: ".into()),
                Inline::Code(self.path.clone()),
            ],
        };
        if let Some(extends) = &self.extends {
            line.push(Inline::Plain(", over ".into()));
            line.push(Inline::Code(extends.clone()));
        }
        page.line(line);
    }
}

/// What a document is made of.
pub(super) struct Made<'m> {
    pub(super) loaded: &'m Loaded,
    pub(super) judgement: &'m Judgement,
    pub(super) enforced: bool,
    pub(super) merge_bases: Vec<String>,
    pub(super) head: String,
    pub(super) task: Option<String>,
    pub(super) pull_request: Option<u64>,
    pub(super) files: u64,
}

impl CheckPolicyDocument {
    /// Returns what stops the change, or would.
    pub(in crate::cli) fn stopping(&self) -> Vec<Stop> {
        let rows = self
            .violations
            .iter()
            .filter(|row| row.forgiven.is_none() && matches!(row.severity, "block" | "review"));
        rows.map(|row| {
            let about = row.location().map(|location| location.path);
            let about = about.unwrap_or_else(|| row.rule.to_owned());
            let words = format!(
                "{}: {} (observed {}; limit {})",
                row.shown(),
                row.message,
                row.observed,
                row.limit
            );
            Stop::new(Capability::Policy, &row.entry, about, words, &row.fix)
        })
        .collect()
    }

    pub(super) fn new(made: Made<'_>) -> Self {
        let mut counts = Counts::default();
        let violations: Vec<ViolationRow> =
            made.judgement.violations.iter().map(violation).collect();
        for row in &violations {
            let count = match row.weight() {
                _ if row.forgiven.is_some() => &mut counts.forgiven,
                Weight::Block => &mut counts.block,
                Weight::Review => &mut counts.review,
                Weight::Warn => &mut counts.warn,
            };
            *count += 1;
        }
        let entries = made.judgement.entries.iter().map(|entry| EntryRow {
            id: entry.id.clone(),
            rule: entry.rule.name,
            state: entry.state.name(),
            what: entry.rule.what,
        });
        Self {
            schema: "maestro.check-policy/v1",
            outcome: made.judgement.outcome.name(),
            enforced: made.enforced,
            merge_bases: made.merge_bases,
            head: made.head,
            task: made.task,
            pull_request: made.pull_request,
            files: made.files,
            policy: PolicyRow::new(made.loaded),
            counts,
            entries: entries.collect(),
            violations,
        }
    }

    /// What is said where an organisation has switched maestro off.
    pub(super) fn disabled() -> Self {
        Self {
            schema: "maestro.check-policy/v1",
            outcome: "disabled",
            enforced: false,
            merge_bases: Vec::new(),
            head: String::new(),
            task: None,
            pull_request: None,
            files: 0,
            policy: PolicyRow {
                source: "none",
                path: String::new(),
                commit: None,
                extends: None,
                sha256: String::new(),
            },
            counts: Counts::default(),
            entries: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// What does not count stops nobody, and must not look so.
    fn severity(&self, row: &ViolationRow) -> Severity {
        match row.severity() {
            Severity::Error if !self.enforced => Severity::Warning,
            severity => severity,
        }
    }

    fn headline(&self) -> String {
        let files = times(self.files, "changed file");
        let parts = [
            (self.counts.block, "block"),
            (self.counts.review, "review"),
            (self.counts.warn, "warning"),
            (self.counts.forgiven, "forgiven"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, word)| {
                if *word == "forgiven" {
                    format!("{count} forgiven")
                } else {
                    times(*count, word)
                }
            })
            .collect();
        let rest = if parts.is_empty() {
            "nothing to say".to_owned()
        } else {
            parts.join(", ")
        };
        format!("Policy: {} ({files}: {rest})", self.outcome)
    }

    /// Returns the error of what stops the change; nothing where it may go in.
    pub(super) fn complaint(&self) -> Option<CommandError> {
        let first = self.violations.iter().find(|row| row.forgiven.is_none())?;
        let (message, hint) = match self.outcome {
            "blocked" => {
                let message = format!("the policy blocks the change: {}", times(self.counts.block, "violation"));
                (message, format!("first: {} ({})", first.fix, first.entry))
            }
            "review" => (
                format!("a person has to approve this head: {}", times(self.counts.review, "review")),
                "ask somebody else who may write to the repository for a review of the last commit, and run it again".to_owned(),
            ),
            _ => return None,
        };
        Some(CommandError::message(ErrorKind::Policy, message).hint(hint))
    }

    /// Returns the ids of entries whose violations weigh so much.
    pub(super) fn ids(&self, severity: &str) -> Vec<String> {
        let rows = self
            .violations
            .iter()
            .filter(|row| row.severity == severity && row.forgiven.is_none());
        let mut ids: Vec<String> = rows.map(|row| row.entry.clone()).collect();
        order::sort(&mut ids);
        ids.dedup();
        ids
    }

    /// Returns those who approved what needed it.
    pub(super) fn approved_by(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for row in &self.violations {
            if let Some(ForgivenRow::Approval { people }) = &row.forgiven {
                all.extend(people.iter().cloned());
            }
        }
        order::sort(&mut all);
        all.dedup();
        all
    }
}

impl Report for CheckPolicyDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.violations.is_empty() {
            return json_line(out, self);
        }
        for row in &self.violations {
            json_line(
                out,
                &Line {
                    schema: "maestro.policy-violation/v1",
                    row,
                },
            )?;
        }
        Ok(())
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(self.headline());
        if self.outcome == "disabled" {
            page.text("MAESTRO_DISABLE is set: nothing was judged.");
            return page;
        }
        self.policy.show(&mut page);
        if !self.enforced {
            page.text(
                "Not enforced: this is what it would say (`enforce: [policy]`, or `--enforce`).",
            );
        }
        for row in &self.violations {
            row.show(&mut page);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.violations.iter().map(|row| Finding {
            code: format!("policy/{}", row.rule),
            severity: self.severity(row),
            message: format!(
                "{}: {} (observed {}; limit {}). {}. Fix: {}",
                row.shown(),
                row.message,
                row.observed,
                row.limit,
                row.reason,
                row.fix
            ),
            location: row.location(),
        });
        rows.collect()
    }

    fn checks(&self) -> Vec<Check> {
        let pages = PolicyPages::unpack();
        let mut checks: Vec<Check> = self
            .entries
            .iter()
            .map(|entry| Check {
                code: format!("policy/{}", entry.rule),
                name: entry.id.clone(),
                what: entry.what.to_owned(),
                help: pages.text(entry.rule),
                skipped: match entry.state {
                    "judged" => None,
                    "expired" => Some("its day is over".to_owned()),
                    _ => Some("it is about other people's changes".to_owned()),
                },
                problems: Vec::new(),
            })
            .collect();
        for row in &self.violations {
            let problem = Problem {
                severity: self.severity(row),
                message: row.message.clone(),
                // Code scanning wants a place: what has none stands where its entry does.
                location: row.location().or_else(|| {
                    Some(Location {
                        path: crate::policy::file::PATH.to_owned(),
                        line: None,
                        column: None,
                    })
                }),
                facts: row.facts(),
                fingerprint: row.fingerprint.clone(),
                forgiven: row.why_forgiven(),
            };
            let code = format!("policy/{}", row.rule);
            match checks
                .iter_mut()
                .find(|check| check.code == code && check.name == row.entry)
            {
                Some(check) => check.problems.push(problem),
                None => checks.push(Check {
                    what: row.message.clone(),
                    name: row.entry.clone(),
                    code,
                    problems: vec![problem],
                    ..Check::default()
                }),
            }
        }
        checks
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let stops =
            self.outcome == Outcome::Blocked.name() || self.outcome == Outcome::Review.name();
        vec![
            ("outcome".to_owned(), self.outcome.to_owned()),
            ("passes".to_owned(), (!stops || !self.enforced).to_string()),
            (
                "violations".to_owned(),
                self.violations
                    .iter()
                    .filter(|row| row.forgiven.is_none())
                    .count()
                    .to_string(),
            ),
        ]
    }
}
