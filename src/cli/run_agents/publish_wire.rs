//! The document of `run-agents publish`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::agents::bundle::{Bundle, RunOutcome};
use crate::agents::preflight::{Notice, Weight as NoticeWeight};
use crate::agents::pull_request::Words;
use crate::agents::scan::{Found, Place, Weight};
use crate::change::base::short;
use crate::cli::check_policy::agents::Judged;
use crate::cli::check_policy::violations::{ViolationRow, violation};
use crate::cli::check_policy::wire::PolicyRow;
use crate::conduct::deliver::{Delivered, PullStep, Pushed};
use crate::finding::{Finding, Location, Severity};
use crate::output::{Inline, Page, Report};

/// What became of a bundle.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.agent-publish/v1"))]
pub(crate) struct PublishDocument {
    /// `maestro.agent-publish/v1`
    schema: &'static str,
    dry_run: bool,
    /// The run that left the bundle.
    run: String,
    /// `complete` or `partial`.
    outcome: &'static str,
    /// As `owner/name`; none when GitHub was not asked.
    repository: Option<String>,
    base: EndRow,
    /// The branch, and the commit that it is at.
    head: EndRow,
    /// What became of the branch: `created`, `moved`, `same` or `none`.
    pushed: &'static str,
    pull_request: PullRow,
    /// Where a person opens the pull request, when maestro may not.
    open_url: Option<String>,
    /// `passed`, `warned`, `review` (a person has to look at it) or `blocked`.
    verdict: &'static str,
    policy: PolicyRow,
    /// What is not as it should be by the policy, the heaviest first.
    violations: Vec<ViolationRow>,
    /// What the scan of everything that leaves found, what blocks first.
    found: Vec<FoundRow>,
    /// What was known before.
    notices: Vec<NoticeRow>,
}

/// One end of the change.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct EndRow {
    branch: String,
    commit: String,
}

/// The pull request.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PullRow {
    /// `opened`, `updated`, `kept`, `of-other` (somebody else opened it: their words stay), `closed` (somebody closed it), `link` (a person opens it) or `none`.
    step: &'static str,
    number: Option<u64>,
    url: Option<String>,
    /// Whether it is a draft.
    draft: Option<bool>,
    title: String,
    body: String,
    /// Parts that did not fit.
    left_out: Vec<String>,
}

/// Something that the scan found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FoundRow {
    rule: &'static str,
    /// `block` or `warn`.
    weight: &'static str,
    /// The file, or the text beside it.
    place: String,
    line: Option<u32>,
    /// Whether `place` is a file of the change.
    is_file: bool,
    what: &'static str,
    observed: String,
    fix: &'static str,
}

/// Something that was known before.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NoticeRow {
    /// `note` or `warning`.
    weight: &'static str,
    message: &'static str,
    hint: &'static str,
}

/// What a document is made of.
pub(super) struct Made<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) dry_run: bool,
    pub(super) repository: Option<String>,
    pub(super) branch: String,
    pub(super) words: &'a Words,
    pub(super) judged: &'a Judged,
    pub(super) found: &'a [Found],
    pub(super) notices: &'a [Notice],
    pub(super) delivered: Option<Delivered>,
    pub(super) open_url: Option<String>,
}

impl PublishDocument {
    pub(super) fn new(made: &Made<'_>) -> Self {
        let (bundle, delivered) = (made.bundle, made.delivered.as_ref());
        let commit = delivered.map_or(&bundle.head.commit, |delivered| &delivered.commit);
        Self {
            schema: "maestro.agent-publish/v1",
            dry_run: made.dry_run,
            run: bundle.run.clone(),
            outcome: match bundle.outcome {
                RunOutcome::Complete => "complete",
                RunOutcome::Partial => "partial",
            },
            repository: made.repository.clone(),
            base: EndRow {
                branch: bundle.base.branch.clone(),
                commit: bundle.base.commit.clone(),
            },
            head: EndRow {
                branch: made.branch.clone(),
                commit: commit.clone(),
            },
            pushed: match delivered.map(|delivered| delivered.pushed) {
                Some(Pushed::Created) => "created",
                Some(Pushed::Moved) => "moved",
                Some(Pushed::Same) => "same",
                Some(Pushed::Foreign) | None => "none",
            },
            pull_request: PullRow {
                step: delivered.map_or("none", |delivered| step(&delivered.step)),
                number: delivered.and_then(|delivered| delivered.number),
                url: delivered.and_then(|delivered| delivered.url.clone()),
                draft: delivered.and_then(|delivered| delivered.is_draft),
                title: made.words.title.clone(),
                body: made.words.body.clone(),
                left_out: made.words.left_out.clone(),
            },
            open_url: made.open_url.clone(),
            verdict: made.judged.judgement.outcome.name(),
            policy: made.judged.policy(),
            violations: made
                .judged
                .judgement
                .violations
                .iter()
                .map(violation)
                .collect(),
            found: made.found.iter().map(FoundRow::new).collect(),
            notices: made.notices.iter().map(NoticeRow::new).collect(),
        }
    }

    fn headline(&self) -> String {
        let branch = &self.head.branch;
        let number = self.pull_request.number.unwrap_or_default();
        match (self.dry_run, self.pull_request.step) {
            (true, _) => format!(
                "Would push `{branch}` and keep one draft pull request (dry run: nothing was changed)"
            ),
            (_, "opened") => format!("Draft pull request #{number} opened from `{branch}`"),
            (_, "updated") => format!("Pull request #{number} of `{branch}` updated"),
            (_, "kept") => format!("Pull request #{number} of `{branch}` says that already"),
            (_, "of-other") => format!(
                "`{branch}` is pushed; its pull request #{number} is somebody else's, whose words stay"
            ),
            (_, "closed") => {
                format!("Pull request #{number} of `{branch}` is closed, and stays so")
            }
            (_, "link") => format!("`{branch}` is pushed, and a person opens its pull request"),
            _ => "Nothing is pushed".to_owned(),
        }
    }
}

fn step(step: &PullStep) -> &'static str {
    match step {
        PullStep::Opened => "opened",
        PullStep::Updated => "updated",
        PullStep::Kept => "kept",
        PullStep::OfOther => "of-other",
        PullStep::Closed => "closed",
        PullStep::Link(_) => "link",
    }
}

impl FoundRow {
    fn new(found: &Found) -> Self {
        let (place, line, is_file) = match &found.place {
            Place::File { path, line } => (path.clone(), *line, true),
            Place::Text { name, line } => (name.clone(), Some(*line), false),
        };
        Self {
            rule: found.rule.name,
            weight: found.weight.name(),
            place,
            line,
            is_file,
            what: found.rule.what,
            observed: found.observed.clone(),
            fix: found.rule.fix,
        }
    }

    fn shown(&self) -> String {
        self.line.map_or_else(
            || self.place.clone(),
            |line| format!("{}:{line}", self.place),
        )
    }
}

impl NoticeRow {
    fn new(notice: &Notice) -> Self {
        Self {
            weight: match notice.weight {
                NoticeWeight::Note => "note",
                NoticeWeight::Warning | NoticeWeight::Stop => "warning",
            },
            message: notice.message,
            hint: notice.hint,
        }
    }
}

impl Report for PublishDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(self.headline());
        let plain = |text: &str| Inline::Plain(text.to_owned());
        page.line(vec![
            plain("Run "),
            Inline::Code(self.run.clone()),
            plain(&format!(" ({}): ", self.outcome)),
            Inline::Code(short(&self.base.commit).to_owned()),
            plain(" of "),
            Inline::Code(self.base.branch.clone()),
            plain(" to "),
            Inline::Code(short(&self.head.commit).to_owned()),
        ]);
        if let Some(url) = self.pull_request.url.as_ref().or(self.open_url.as_ref()) {
            page.line(vec![Inline::Code(url.clone())]);
        }
        self.policy.show(&mut page);
        page.text(format!("Verdict: {}", self.verdict));
        for row in &self.violations {
            row.show(&mut page);
        }
        for row in &self.found {
            let word = if row.weight == "block" {
                "BLOCK"
            } else {
                "WARN"
            };
            page.line(vec![
                plain(&format!("{word}  ")),
                Inline::Code(row.shown()),
                plain(&format!(": {} (", row.what)),
                Inline::Code(format!("scan/{}", row.rule)),
                plain(")"),
            ]);
            page.text(format!("  observed {}", row.observed));
            page.text(format!("  fix: {}", row.fix));
        }
        if self.dry_run {
            page.line(vec![
                plain("Title: "),
                Inline::Code(self.pull_request.title.clone()),
            ]);
            page.text("Body:");
            for line in self.pull_request.body.lines() {
                page.line(vec![plain("  "), Inline::Code(line.to_owned())]);
            }
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let scanned = self.found.iter().map(|row| Finding {
            code: format!("scan/{}", row.rule),
            severity: if row.weight == Weight::Block.name() {
                Severity::Error
            } else {
                Severity::Warning
            },
            message: format!(
                "{}: {} ({}). Fix: {}",
                row.shown(),
                row.what,
                row.observed,
                row.fix
            ),
            location: row.is_file.then(|| Location {
                path: row.place.clone(),
                line: row.line,
                column: None,
            }),
        });
        let judged = self.violations.iter().map(|row| Finding {
            code: format!("policy/{}", row.rule),
            severity: row.severity(),
            message: row.message.clone(),
            location: row.location(),
        });
        judged.chain(scanned).collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let number = self.pull_request.number;
        let url = self
            .pull_request
            .url
            .clone()
            .or_else(|| self.open_url.clone());
        vec![
            ("branch".to_owned(), self.head.branch.clone()),
            (
                "pull_request".to_owned(),
                number.map_or_else(String::new, |number| number.to_string()),
            ),
            ("url".to_owned(), url.unwrap_or_default()),
            ("step".to_owned(), self.pull_request.step.to_owned()),
        ]
    }
}
