//! What `maestro init` says.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Cell, Column, Inline, Page, Report, Tone};
use crate::prompts::diff::diff;
use crate::setup::{Job, Notice, Proposal};

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// It was not there: it is written.
    New,
    /// It is there with the same text.
    Same,
    /// It is there with another text, and stays.
    Kept,
}

/// A file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FileRow {
    /// From the repository's top.
    pub(super) path: String,
    /// `new` (written, unless it was a dry run), `same`, or `kept` (another text is there, and stays).
    pub(super) standing: Standing,
    /// What is written, or would be if there were none.
    pub(super) text: String,
    /// What is there instead.
    #[serde(skip)]
    pub(super) kept: Option<String>,
}

/// A job that was proposed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct JobRow {
    name: String,
    projects: Vec<String>,
    paths: Vec<String>,
    /// What it runs; nothing where a person has to say so.
    run: Option<String>,
    /// Where it leaves its test reports; nothing where its runner writes none by itself.
    junit: Option<String>,
}

impl From<&Job> for JobRow {
    fn from(job: &Job) -> Self {
        Self {
            name: job.name.clone(),
            projects: job.projects.clone(),
            paths: job.paths.clone(),
            run: job.run.clone(),
            junit: job.junit.clone(),
        }
    }
}

/// Something that a person should know.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct NoticeRow {
    /// Stable, as `mobile-maestro` or `not-translated`.
    code: &'static str,
    /// The file or folder that it is about.
    place: String,
    message: String,
}

impl From<&Notice> for NoticeRow {
    fn from(notice: &Notice) -> Self {
        Self {
            code: notice.code,
            place: notice.place.clone(),
            message: notice.words.clone(),
        }
    }
}

/// What was found, and what was written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.init/v1"))]
pub(crate) struct InitDocument {
    /// `maestro.init/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// The folder of the configuration, from the repository's top.
    folder: String,
    /// What was found, in words.
    found: Vec<String>,
    jobs: Vec<JobRow>,
    files: Vec<FileRow>,
    notices: Vec<NoticeRow>,
    /// What to do now.
    next: Vec<String>,
}

impl InitDocument {
    pub(super) fn new(
        folder: &str,
        dry_run: bool,
        proposal: &Proposal,
        files: Vec<FileRow>,
    ) -> Self {
        Self {
            schema: "maestro.init/v1",
            dry_run,
            folder: folder.to_owned(),
            found: proposal.found.clone(),
            jobs: proposal.jobs.iter().map(JobRow::from).collect(),
            files,
            notices: proposal.notices.iter().map(NoticeRow::from).collect(),
            next: next(folder, dry_run),
        }
    }
}

impl InitDocument {
    /// Returns what a dry run shows of each file: all of a new one, and of one that stays how it differs.
    pub(super) fn shown(&self) -> Vec<(String, String)> {
        let shown = self.files.iter().filter_map(|row| match row.standing {
            Standing::New => Some((row.path.clone(), row.text.clone())),
            Standing::Kept => {
                let differs = diff(row.kept.as_deref()?, &row.text);
                let head = format!("{} (stays; + is what `init` would write today)", row.path);
                Some((head, differs))
            }
            Standing::Same => None,
        });
        shown.collect()
    }
}

fn next(folder: &str, dry_run: bool) -> Vec<String> {
    let first = if dry_run {
        "maestro init".to_owned()
    } else {
        format!(
            "git add {folder} .github/workflows && git commit -m 'Let maestro look on', and open a pull request: it blocks nothing"
        )
    };
    vec![
        first,
        "maestro plan lint && maestro plan replay --last 200: what belongs to nobody, and what would have been skipped".to_owned(),
        "maestro doctor --ci: which permissions and settings are missing; then, when you trust it, `enforce: [plan]`".to_owned(),
    ]
}

impl Report for InitDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        if self.found.is_empty() {
            page.text("No tests were found that maestro knows how to run.");
        }
        for found in &self.found {
            page.text(found.clone());
        }
        if !self.jobs.is_empty() {
            let text = |text: &Option<String>| text.clone().map_or(Cell::plain("–"), Cell::code);
            let rows = self.jobs.iter().map(|job| {
                vec![
                    Cell::code(job.name.clone()),
                    text(&job.junit),
                    text(&job.run),
                ]
            });
            page.table(
                ["Job", "Test reports", "Runs"].map(Column::left).to_vec(),
                rows.collect(),
            );
        }
        let rows = self.files.iter().map(|row| {
            let (word, tone) = match (row.standing, self.dry_run) {
                (Standing::New, false) => ("written", Tone::Good),
                (Standing::New, true) => ("would be written", Tone::Plain),
                (Standing::Same, _) => ("is there already", Tone::Plain),
                (Standing::Kept, _) => ("is there with another text, and stays", Tone::Warn),
            };
            vec![Cell::code(row.path.clone()), Cell::toned(word, tone)]
        });
        page.heading("Files");
        page.table(["File", ""].map(Column::left).to_vec(), rows.collect());
        if !self.notices.is_empty() {
            page.heading("To know");
            for notice in &self.notices {
                page.line(vec![
                    Inline::Code(notice.place.clone()),
                    Inline::Plain(format!(": {}", notice.message)),
                ]);
            }
        }
        page.heading("Next");
        for (number, step) in self.next.iter().enumerate() {
            page.text(format!("{}. {step}", number + 1));
        }
        page
    }
}
