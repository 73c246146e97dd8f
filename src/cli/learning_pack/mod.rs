//! `maestro learning-pack`: the week at a glance.

mod gather;
mod how_tests_went;
mod issue;
mod tell;
mod wire;

use std::path::{Path, PathBuf};

use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::Format;
use crate::redact::Redactor;
use crate::report;
use crate::report::decisions::keep;
use crate::report::pack::Pack;
use crate::report::week::Week;
use wire::Told;

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
    $ maestro learning-pack --week 2026-W02 --out packs --dry-run")]
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

    #[command(flatten)]
    github: GithubArgs,

    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &PackArgs) -> CommandResult {
    let week = week(session, args.week.as_deref())?;
    let gathered = gather::gather(session, args, week)?;
    let redactor = Redactor::new(&session.world.environment.vars());
    let pack = report::pack(&gathered.facts(week, session.now()), &|text| {
        clean(&redactor, text)
    });
    let folder = match &args.out {
        Some(out) => session.base.join(out),
        None => session.state()?.root().join("packs"),
    };
    let mut told = Told::new(&pack, args.dry_run);
    for (ending, text) in [
        ("md", report::markdown::page(&pack)),
        ("html", report::html::page(&pack)),
        ("json", json(&pack)?),
    ] {
        let path = folder.join(format!("{}.{ending}", pack.week));
        told.files.push(session.shown(&path));
        if !args.dry_run {
            write(session, &folder, &path, &text)?;
        }
    }
    if !args.dry_run && pack.is_over && gathered.may_keep(&pack.week) {
        let kept = keep(&pack.decisions, &pack.week);
        session.state()?.save_decisions(&kept)?;
    }
    let text = if args.issue {
        let (done, text) = issue::keep(session, args, &pack)?;
        told.issue = Some(done);
        Some(text)
    } else {
        None
    };
    session.render(&told)?;
    let link = told.issue.as_ref().and_then(|issue| issue.url.clone());
    if !args.dry_run {
        tell::tell(session, &pack, link);
    }
    if let (true, Some(text), Format::Human) = (args.dry_run, text, session.settings.format.value) {
        let written = writeln!(session.ui.out(), "\n{}", text.trim_end());
        written.map_err(|error| CommandError::new(ErrorKind::CannotWrite, error))?;
    }
    Ok(ExitCode::Success)
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

fn json(pack: &Pack) -> Result<String, CommandError> {
    let text = serde_json::to_string_pretty(pack);
    let text = text.map_err(|error| CommandError::new(ErrorKind::Internal, error))?;
    Ok(text + "\n")
}

fn write(
    session: &Session<'_>,
    folder: &Path,
    path: &Path,
    text: &str,
) -> Result<(), CommandError> {
    let files = session.world.files.as_ref();
    files
        .create_folder(folder)
        .map_err(|error| CommandError::writing(folder, error))?;
    files
        .write_atomic(path, &mut |out| out.write_all(text.as_bytes()))
        .map_err(|error| CommandError::writing(path, error))
}
