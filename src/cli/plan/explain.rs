//! `maestro plan explain`: why a job or project is in a plan, or what a file would affect.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{FileRow, JobRow, ProjectRow, ReasonRow};
use super::{Desk, Ends, MakeArgs, document, git_trouble};
use crate::change::Change;
use crate::cli::session::Session;
use crate::config::nearest;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Inline, Page, Report};

/// Say why a job or project is in the plan, or what a file affects
///
/// Of a job or project, the way from a changed file to it, or why there is none. Of a path, changed or not: whose it is, which
/// projects it would affect, and which jobs would run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What would run if this file changed
    $ maestro plan explain README.md

  The same, against another commit
    $ maestro plan explain README.md --base HEAD~1")]
pub(crate) struct ExplainArgs {
    /// A job, a project's id, or a path from the top
    #[arg(value_name = "JOB|PROJECT|PATH", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    what: String,

    #[command(flatten)]
    make: MakeArgs,
}

/// Why something is in a plan, or what a file would affect.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.plan-explain/v1"))]
pub(crate) struct PlanExplainDocument {
    /// `maestro.plan-explain/v1`
    schema: &'static str,
    /// What was asked about.
    about: About,
    /// Its name, id or path.
    what: String,
    /// Why everything runs, if it does.
    reasons: Vec<ReasonRow>,
    /// The path, if it is one.
    file: Option<FileRow>,
    /// The project, or the projects that the path affects.
    projects: Vec<ProjectRow>,
    /// The job, or the jobs that run for the project or path.
    jobs: Vec<JobRow>,
}

/// What somebody asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
enum About {
    Job,
    Project,
    File,
}

pub(super) fn run(session: &mut Session<'_>, args: &ExplainArgs) -> CommandResult {
    let mut desk = Desk::open(session, &args.make)?;
    let is_path = desk.planner.list(&desk.head.object).map_err(git_trouble)?;
    let is_job = desk
        .settings
        .jobs
        .iter()
        .flatten()
        .any(|job| job.id == args.what);
    let explained = if is_job || args.what.contains(':') && is_path.get(&args.what).is_none() {
        of_plan(session, &mut desk, args, is_job)?
    } else {
        of_path(session, &mut desk, args)?
    };
    session.render(&explained)?;
    Ok(ExitCode::Success)
}

/// A job or project: what the plan says of it.
fn of_plan(
    session: &mut Session<'_>,
    desk: &mut Desk<'_>,
    args: &ExplainArgs,
    is_job: bool,
) -> Result<PlanExplainDocument, CommandError> {
    let made = desk.make(session, &args.make)?.document;
    let projects: Vec<ProjectRow> = made
        .projects
        .iter()
        .filter(|row| row.id == args.what)
        .cloned()
        .collect();
    if !is_job && projects.is_empty() {
        let known: Vec<&str> = made.projects.iter().map(|row| row.id.as_str()).collect();
        return Err(unknown(&args.what, &known));
    }
    let jobs = made.jobs.into_iter().filter(|job| {
        if is_job {
            job.id == args.what
        } else {
            job.projects.contains(&args.what)
        }
    });
    Ok(PlanExplainDocument {
        schema: "maestro.plan-explain/v1",
        about: if is_job { About::Job } else { About::Project },
        what: args.what.clone(),
        reasons: made.reasons,
        file: None,
        projects,
        jobs: jobs.collect(),
    })
}

/// A path: what its change would affect.
fn of_path(
    session: &mut Session<'_>,
    desk: &mut Desk<'_>,
    args: &ExplainArgs,
) -> Result<PlanExplainDocument, CommandError> {
    let path = args
        .what
        .trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned();
    let tree = desk.planner.list(&desk.head.object).map_err(git_trouble)?;
    let is_folder = tree.has_folder(&path);
    if tree.get(&path).is_none() && !is_folder {
        let jobs = desk
            .settings
            .jobs
            .iter()
            .flatten()
            .map(|job| job.id.as_str());
        let known: Vec<&str> = jobs.chain(tree.iter().map(|(path, _)| path)).collect();
        return Err(unknown(&args.what, &known));
    }
    let paths: Vec<String> = if is_folder {
        tree.below(&path)
            .map(|(path, _)| path.to_string())
            .collect()
    } else {
        vec![path.clone()]
    };
    let changes = paths.into_iter().map(|path| Change {
        // It is there before and after, with other bytes: what those say is not known.
        old: None,
        new: tree.get(&path).map(|one| one.entry()),
        is_text: true,
        path,
    });
    let changes: Vec<Change> = changes.collect();
    let planned = desk
        .planner
        .plan(tree, vec![changes], &desk.settings.rules)
        .map_err(git_trouble)?;
    super::keep_cache(session, &desk.planner);
    let ends = Ends {
        head: desk.head.object.clone(),
        ..Ends::default()
    };
    let made = document(
        &planned,
        &desk.settings,
        &desk.occasion.situation,
        true,
        (ends, &desk.past),
    );
    Ok(PlanExplainDocument {
        schema: "maestro.plan-explain/v1",
        about: About::File,
        what: path,
        reasons: made.reasons,
        file: made.changed_files.into_iter().next().filter(|_| !is_folder),
        projects: made
            .projects
            .into_iter()
            .filter(|row| row.affected)
            .collect(),
        jobs: made.jobs,
    })
}

fn unknown(what: &str, known: &[&str]) -> CommandError {
    let message = format!("there is no job, project or path `{what}`");
    let error = CommandError::message(ErrorKind::NotFound, message);
    match nearest(what, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`maestro plan --format json` names every job and project; paths are meant from the top"),
    }
}

impl Report for PlanExplainDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let words = match self.about {
            About::Job => "Job ",
            About::Project => "Project ",
            About::File => "A change of ",
        };
        page.line(vec![
            Inline::Plain(words.to_owned()),
            Inline::Code(self.what.clone()),
        ]);
        for reason in &self.reasons {
            let mut line = vec![Inline::Plain(format!(
                "Everything runs ({}): {}",
                reason.code, reason.detail
            ))];
            if let Some(path) = &reason.path {
                line.push(Inline::Plain(" ".to_owned()));
                line.push(Inline::Code(path.clone()));
            }
            page.line(line);
        }
        if let Some(detail) = self
            .file
            .as_ref()
            .and_then(|file| file.detail.as_ref())
            .filter(|_| self.reasons.is_empty())
        {
            page.text(format!("It affects nothing: {detail}."));
        }
        let rows = self.projects.iter().map(|row| {
            let verdict = if row.affected {
                "affected"
            } else {
                "not affected"
            };
            let because = row.code.unwrap_or_default();
            vec![
                Cell::code(&row.id),
                Cell::plain(verdict),
                Cell::plain(because),
                Cell::code(row.why.join(" → ")),
            ]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            page.table(
                ["Project", "Verdict", "Because", "Why"]
                    .map(Column::left)
                    .to_vec(),
                rows,
            );
        }
        let rows = self.jobs.iter().map(|job| {
            let why = if job.why.len() > 1 {
                Cell::code(job.why.join(" → "))
            } else {
                Cell::plain(&job.detail)
            };
            let verdict = if job.selected { "run" } else { "skip" };
            vec![
                Cell::code(&job.id),
                Cell::plain(verdict),
                Cell::plain(job.code),
                why,
            ]
        });
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            page.table(
                ["Job", "Verdict", "Because", "Why"]
                    .map(Column::left)
                    .to_vec(),
                rows,
            );
        }
        page
    }
}
