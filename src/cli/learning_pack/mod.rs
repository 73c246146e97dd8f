//! `maestro learning-pack`: the week at a glance.

mod gather;
mod how_tests_went;
mod issue;
mod organisation;
mod tell;
mod wire;

use std::path::PathBuf;

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::Format;
use crate::redact::Redactor;
use crate::report;
use crate::report::decisions::keep;
use crate::report::week::Week;
use gather::{Gathered, Sources, gather};
use issue::Subject;
use wire::{Around, Told};

/// No foreign text is longer on the page, in bytes.
const LONGEST: usize = 240;

/// Write the week's page: what got better or worse, what to decide, and why
///
/// For a retrospective: the answer first, three decisions with their cost, cause and expected gain, what became of last week's three, then indicators,
/// delivery, CI that plans saved, failures, flaky tests, what models cost, agents, policy and the backlog. Everything comes from what is stored (`maestro
/// state pull` fetches it) and from git; nobody is asked. Three files are written: Markdown for GitHub, one HTML page that needs nothing else, and JSON.
/// The three decisions of a week that is over are stored, so that the next page can say what they brought.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The last week that is over
    $ maestro learning-pack

  Another week, into a folder of your choice
    $ maestro learning-pack --week 2026-W02 --out packs --dry-run

  All repositories that a list names, one path a line, on one page
    $ maestro learning-pack --repos repositories.txt --out packs")]
pub(crate) struct PackArgs {
    /// The ISO 8601 week, in UTC [default: the last one that is over]
    #[arg(long, value_name = "YYYY-Www")]
    week: Option<String>,

    /// Where the files go [default: `packs` in the folder of the state]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Keep one GitHub issue with the page; those of earlier weeks are closed
    #[arg(long)]
    issue: bool,

    /// Take rows of deliveries from this file, as `dora --rows` does
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,

    /// One page of all repositories that this file lists, one a line: a path, or OWNER/NAME and a path; and the page of each beside it
    #[arg(long, value_name = "FILE", conflicts_with = "rows")]
    repos: Option<PathBuf>,

    #[command(flatten)]
    github: GithubArgs,

    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &PackArgs) -> CommandResult {
    let week = week(session, args.week.as_deref())?;
    if let Some(list) = &args.repos {
        return organisation::run(session, args, list, week);
    }
    let sources = Sources::here(session, args)?;
    let Gathered { facts, .. } = gather(session, sources, week)?;
    let redactor = Redactor::new(&session.world.environment.vars());
    let pack = report::pack(&facts, &|text| clean(&redactor, text));
    let mut files = Files::new(session, args)?;
    files.write(session, &pack.week, "md", &report::markdown::page(&pack))?;
    files.write(session, &pack.week, "html", &report::html::page(&pack))?;
    files.write(session, &pack.week, "json", &json(&pack)?)?;
    // What a team was asked for stays what it was asked for.
    let may_keep = !facts.decided.iter().any(|one| one.week == pack.week);
    if !args.dry_run && pack.is_over && may_keep {
        let kept = keep(&pack.decisions, &pack.week);
        session.state()?.save_decisions(&kept)?;
    }
    let issue = if args.issue {
        let subject = Subject::of_pack(&pack);
        Some(issue::keep(session, args, &subject)?)
    } else {
        None
    };
    let (issue, text) = issue.unzip();
    let told = Told {
        pack: &pack,
        around: Around {
            dry_run: args.dry_run,
            files: files.shown,
            issue,
        },
    };
    session.render(&told)?;
    let link = told
        .around
        .issue
        .as_ref()
        .and_then(|issue| issue.url.clone());
    if !args.dry_run {
        tell::tell(session, &pack, link);
    }
    show_issue(session, args, text)?;
    Ok(ExitCode::Success)
}

/// Shows what an issue would say.
fn show_issue(
    session: &mut Session<'_>,
    args: &PackArgs,
    text: Option<String>,
) -> Result<(), CommandError> {
    if let (true, Some(text), Format::Human) = (args.dry_run, text, session.settings.format.value) {
        let written = writeln!(session.ui.out(), "\n{}", text.trim_end());
        written.map_err(CommandError::output)?;
    }
    Ok(())
}

fn week(session: &Session<'_>, named: Option<&str>) -> Result<Week, CommandError> {
    let Some(text) = named else {
        return Ok(Week::last_full(session.now()));
    };
    Week::parse(text).ok_or_else(|| {
        CommandError::message(
            ErrorKind::Usage,
            format!("--week is `{text}`, which is no ISO 8601 week"),
        )
        .hint("write it as 2026-W47; most years have 52 weeks, some 53")
    })
}

/// Takes secrets out of a text, and what is too long for a page; nothing where it may stay as it is.
fn clean(redactor: &Redactor, text: &str) -> Option<String> {
    let clean = redactor.message(text);
    let whole = clean.as_deref().unwrap_or(text);
    if whole.len() <= LONGEST {
        return clean;
    }
    let cut = whole.floor_char_boundary(LONGEST);
    Some(format!("{}\u{2026}", &whole[..cut]))
}

fn json(document: &impl serde::Serialize) -> Result<String, CommandError> {
    let text = crate::json::pretty(document);
    let text = text.map_err(CommandError::internal)?;
    Ok(text + "\n")
}

/// The folder that pages are written to, and what was written.
struct Files {
    folder: PathBuf,
    dry_run: bool,
    /// As people best know them.
    shown: Vec<String>,
}

impl Files {
    fn new(session: &Session<'_>, args: &PackArgs) -> Result<Self, CommandError> {
        let folder = match &args.out {
            Some(out) => session.base.join(out),
            None => session.state()?.root().join("packs"),
        };
        Ok(Self {
            folder,
            dry_run: args.dry_run,
            shown: Vec::new(),
        })
    }

    /// Writes a file and tells of it.
    fn write(
        &mut self,
        session: &Session<'_>,
        stem: &str,
        ending: &str,
        text: &str,
    ) -> Result<(), CommandError> {
        let path = self.put(session, stem, ending, text)?;
        self.shown.push(session.shown(&path));
        Ok(())
    }

    /// Writes a file.
    fn put(
        &self,
        session: &Session<'_>,
        stem: &str,
        ending: &str,
        text: &str,
    ) -> Result<PathBuf, CommandError> {
        let path = self.folder.join(format!("{stem}.{ending}"));
        if !self.dry_run {
            let files = session.world.files.as_ref();
            files
                .create_folder(&self.folder)
                .map_err(|error| CommandError::writing(&self.folder, error))?;
            files
                .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
                .map_err(|error| CommandError::writing(&path, error))?;
        }
        Ok(path)
    }
}
