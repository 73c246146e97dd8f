//! `maestro run-agents intake`: what agents would read of an issue, and whether its words may steer them.

use std::io::{self, Read, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::agents::intake::gate::{Account, Association, Gate, Refusal, Start};
use crate::agents::intake::{Issue, Raw, file, take};
use crate::cli::github::GithubArgs;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::issue::{account, read as read_issue};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::finding::{Finding, Severity};
use crate::output::{Inline, Page, Report};

/// Where an issue is, and whose words count.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IssueArgs {
    /// The issue, in a file: front matter with a title, or a heading, and its text
    #[arg(long, value_name = "FILE", conflicts_with = "issue_number")]
    issue: Option<PathBuf>,

    /// The issue at GitHub
    #[arg(long, value_name = "NUMBER")]
    issue_number: Option<u64>,

    /// Let this account steer agents, whatever it is to the repository; a bot's too, by its whole name (can be repeated)
    #[arg(long, value_name = "LOGIN")]
    trust: Vec<String>,

    /// Let accounts of this association steer agents [default: OWNER, MEMBER and COLLABORATOR] (can be repeated)
    #[arg(long, value_name = "ASSOCIATION", value_parser = association)]
    trust_association: Vec<Association>,

    /// Take an issue of GitHub's only with this label
    #[arg(long, value_name = "LABEL")]
    require_label: Option<String>,

    #[command(flatten)]
    github: GithubArgs,
}

fn association(text: &str) -> Result<Association, String> {
    Association::parse(text).ok_or_else(|| {
        let names = Association::ALL.map(Association::name);
        format!("one of {}", names.join(", "))
    })
}

/// Show what agents would read of an issue
///
/// Judges whose words they are, by GitHub's author_association and by what started the run, and takes out what a person who reads the issue's page does not
/// see: HTML comments, invisible characters, markup that is not shown. Exits with 77 when its words may not steer agents; the error names the rule.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What would agents read of this file?
    $ maestro run-agents intake --issue issue.md

  The same, for a program
    $ maestro run-agents intake --issue issue.md --format json")]
pub(crate) struct IntakeArgs {
    #[command(flatten)]
    issue: IssueArgs,
}

pub(super) fn run(session: &mut Session<'_>, args: &IntakeArgs) -> CommandResult {
    let issue = issue(session, &args.issue)?;
    session.render(&IntakeDocument::new(issue))?;
    Ok(ExitCode::Success)
}

/// Takes an issue in, as it is meant on the command line.
pub(crate) fn issue(session: &mut Session<'_>, args: &IssueArgs) -> Result<Issue, CommandError> {
    let mut gate = Gate {
        accounts: args.trust.clone(),
        label: args.require_label.clone(),
        ..Gate::default()
    };
    if !args.trust_association.is_empty() {
        gate.associations.clone_from(&args.trust_association);
    }
    let raw = raw(session, args)?;
    take(&raw, &gate, &start(session)).map_err(|refusal| refusal.reported(""))
}

impl Reported for Refusal {
    fn reported(self, _of: &str) -> CommandError {
        let kind = if self.rule == "nothing-to-read" {
            ErrorKind::BadInput
        } else {
            ErrorKind::Permission
        };
        let message = format!("{} (rule `{}`)", self.message, self.rule);
        CommandError::message(kind, message).hint(self.hint)
    }
}

impl Reported for file::NoIssue {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}"))
            .hint("write `# Title`, an empty line, and what is wanted")
    }
}

fn raw(session: &mut Session<'_>, args: &IssueArgs) -> Result<Raw, CommandError> {
    if let Some(number) = args.issue_number {
        let (github, _) = session.needed_github(&args.github, "reading an issue")?;
        return Ok(read_issue(&github, number)?);
    }
    let Some(path) = args.issue.clone() else {
        return Err(
            CommandError::message(ErrorKind::Usage, "no issue was given")
                .hint("name one with `--issue FILE` or `--issue-number NUMBER`"),
        );
    };
    let failed = |error| CommandError::reading(&path, error);
    let opened = session
        .world
        .files
        .open(&session.base.join(&path))
        .map_err(failed)?;
    let mut bytes = Vec::new();
    let most = file::LARGEST as u64 + 1;
    opened.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let shown = path.display().to_string();
    file::read(&bytes, &shown).map_err(|error| error.reported(&shown))
}

/// Returns what started the run.
fn start(session: &Session<'_>) -> Start {
    let Some(name) = session.var("GITHUB_EVENT_NAME") else {
        return Start::Terminal;
    };
    let payload = payload(session);
    let actor = session.var("GITHUB_ACTOR");
    let Some(payload) = payload else {
        let by = actor.map(|login| Account {
            login,
            ..Account::default()
        });
        return Start::Event {
            name,
            action: None,
            by,
        };
    };
    // Who comments has an association of their own; of others the event tells none.
    let comment = payload.comment.as_ref().filter(|comment| {
        let ids = (&comment.user, &payload.sender);
        matches!(ids, (Some(user), Some(sender)) if user.id == sender.id)
    });
    let association = comment.and_then(|comment| comment.author_association.as_deref());
    let sender = payload
        .sender
        .clone()
        .map(|sender| account(sender, association));
    let by = sender.or_else(|| {
        actor.map(|login| Account {
            login,
            ..Account::default()
        })
    });
    Start::Event {
        name,
        action: payload.action,
        by,
    }
}

/// What agents would read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.agent-intake/v1"))]
pub(crate) struct IntakeDocument {
    /// `maestro.agent-intake/v1`
    schema: &'static str,
    number: Option<u64>,
    title: String,
    body: String,
    url: Option<String>,
    /// The account that wrote it; none for a file.
    author: Option<String>,
    association: Option<&'static str>,
    labels: Vec<String>,
    comments: Vec<CommentRow>,
    /// What was taken out or changed.
    removed: Vec<RemovedRow>,
    left_out: LeftOutRow,
    #[serde(skip)]
    notes: Vec<String>,
}

/// A comment that agents would read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct CommentRow {
    author: String,
    body: String,
}

/// Something that was taken out or changed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RemovedRow {
    /// `title`, `body` or `comment 3`.
    part: String,
    /// Where it was first, from 1.
    line: u32,
    count: u64,
    what: &'static str,
    /// The beginning of what it said.
    said: Option<String>,
}

/// Comments that agents would not read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LeftOutRow {
    /// Of people whose words do not count here.
    strangers: u64,
    bots: u64,
    /// Of too many, or too long ones.
    many: u64,
}

impl IntakeDocument {
    fn new(issue: Issue) -> Self {
        let notes = issue.notes();
        let removed = issue.removed.into_iter().map(|one| RemovedRow {
            part: one.part,
            line: one.line,
            count: one.count as u64,
            what: one.what.words(),
            said: one.said,
        });
        let comments = issue.comments.into_iter().map(|comment| CommentRow {
            author: comment.author,
            body: comment.body,
        });
        Self {
            schema: "maestro.agent-intake/v1",
            number: issue.number,
            title: issue.title,
            body: issue.body,
            url: issue.url,
            author: issue.author,
            association: issue.association.map(Association::name),
            labels: issue.labels,
            comments: comments.collect(),
            removed: removed.collect(),
            left_out: LeftOutRow {
                strangers: issue.left_out.strangers,
                bots: issue.left_out.bots,
                many: issue.left_out.many,
            },
            notes,
        }
    }
}

impl Report for IntakeDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "What agents would read ({} changed or left out)",
            self.notes.len()
        ));
        page.line(vec![
            Inline::Plain("Title: ".into()),
            Inline::Code(self.title.clone()),
        ]);
        for line in self.body.lines() {
            page.line(vec![
                Inline::Plain("  ".into()),
                Inline::Code(line.to_owned()),
            ]);
        }
        for comment in &self.comments {
            page.line(vec![
                Inline::Plain("Comment of ".into()),
                Inline::Code(comment.author.clone()),
            ]);
            for line in comment.body.lines() {
                page.line(vec![
                    Inline::Plain("  ".into()),
                    Inline::Code(line.to_owned()),
                ]);
            }
        }
        for note in &self.notes {
            page.text(format!("Not read: {note}"));
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let notes = self.notes.iter().map(|note| Finding {
            code: "agents/intake".to_owned(),
            severity: Severity::Notice,
            message: note.clone(),
            location: None,
        });
        notes.collect()
    }
}
