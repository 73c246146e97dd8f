//! `maestro exec`: a job's command, run as it is; of its failures only those in quarantine are forgiven.

mod reports;
mod skip;
mod task;
mod wire;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::flakes::ingest::FilingArgs;
use super::plan::shard::{Part, part};
use super::session::Session;
use crate::error::CommandError;
use crate::exec::{Ending, Reach, Standing, answer, obstacle, stands, unreached};
use crate::exit_code::{ExitCode, Verdict};
use reports::Watch;
use task::Task;
pub(crate) use wire::ExecDocument;

/// Run a job's command, and forgive only failures in quarantine
///
/// The command of `jobs.JOB.run` runs in Bash at the repository's top, or a command of its own after `--`. It has the streams and hears the signals of this process, and what
/// it exits with is passed on. Its test reports are stored as `flakes ingest` does. When all that failed is in the quarantine that the plan's output `trusted` hands on, the
/// reports are whole and nothing was kept from running, the answer is 0. Without `trusted` nothing is forgiven. A fault of maestro's own changes no answer.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  A command of its own, with the reports that it writes
    $ maestro exec --junit green.xml -- touch green.xml

  What would run, for a program
    $ maestro exec --dry-run --format json -- cargo test")]
pub(crate) struct ExecArgs {
    /// The job of the configuration whose command runs
    #[arg(value_name = "JOB", required_unless_present = "command")]
    named: Option<String>,

    /// Which part of how many of the job's tests, from 1; the command finds it as SHARD [env: MAESTRO_SHARD]
    #[arg(long, value_name = "PART/PARTS", value_parser = shard)]
    shard: Option<Sharding>,

    /// Test reports that it writes: files, folders and globs, instead of the job's `junit` (can be repeated)
    #[arg(long, value_name = "PATH")]
    junit: Vec<PathBuf>,

    /// What runs the tests: then only the status that it has for failed tests is explained by them
    #[arg(long, value_name = "RUNNER")]
    runner: Option<String>,

    /// The plan's output `trusted`: the text itself, or a file [env: MAESTRO_TRUSTED]
    #[arg(long, value_name = "JSON|FILE")]
    trusted: Option<String>,

    /// Stop it after so long, as `90s`, `20m` or `2h`, instead of after the job's `timeout_minutes`
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,

    #[command(flatten)]
    filing: FilingArgs,

    /// Say what would run, and run nothing
    #[arg(long)]
    dry_run: bool,

    /// A command that runs instead of the job's
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A shard, or the empty text that lines of a matrix without shards give.
#[derive(Debug, Clone, Copy)]
struct Sharding(Option<Part>);

fn shard(text: &str) -> Result<Sharding, String> {
    match text.trim() {
        "" => Ok(Sharding(None)),
        text => part(text).map(|part| Sharding(Some(part))),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time like `90s`, `20m` or `2h`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

pub(super) fn run(session: &mut Session<'_>, args: &ExecArgs) -> Result<Verdict, CommandError> {
    let mut task = Task::new(session, args)?;
    if args.dry_run {
        session.render(&ExecDocument::of_dry_run(&task))?;
        return Ok(Verdict::Own(ExitCode::Success));
    }
    if session.is_disabled() {
        let words = "MAESTRO_DISABLE is set: the command runs, and nothing else is done";
        session.ui.warn(words);
        let (ending, _) = task.run(session)?;
        return Ok(Verdict::Passed(ending.code()));
    }
    let left_out = skip::prepare(session, args, &mut task);
    let watch = Watch::begin(session, &task);
    let ran = task.run(session);
    left_out.tidy(session);
    let (ending, reached) = ran?;
    // The command has spoken: from here on only forgiveness changes the answer, and every trouble of ours is said and no more.
    let mut document = look(session, args, &task, &watch, (ending, reached));
    document.left_out(left_out.tests);
    if let Some(note) = left_out.note {
        document.note(note);
    }
    match reports::store(session, &task, &watch) {
        Ok(stored) => document.stored(&stored),
        Err(error) => {
            document.note(format!("its results are not stored: {:#}", error.error));
            session.ui.warn("its results are not stored");
            session.ui.error(&error);
        }
    }
    if let Err(error) = session.render_beside(&document) {
        session.ui.error(&error);
    }
    Ok(Verdict::Passed(document.exit_code()))
}

/// Looks at what the command left, and decides.
fn look(
    session: &mut Session<'_>,
    args: &ExecArgs,
    task: &Task,
    watch: &Watch,
    (ending, reached): (Ending, Reach),
) -> ExecDocument {
    let mut obstacles: Vec<_> = obstacle(ending).into_iter().collect();
    obstacles.extend(task.obstacle());
    let looked = reports::look(session, args, task, watch, ending);
    obstacles.extend(unreached(reached, looked.oldest));
    obstacles.extend(looked.obstacles);
    let standing = stands(ending, &looked.judged, &obstacles);
    if ending == Ending::Exited(0) {
        // What would keep a failure keeps nothing here.
        obstacles.clear();
    }
    let code = answer(standing, ending);
    let mut document = ExecDocument::new(task, ending, standing, code);
    document.tests(&looked.rules, &looked.judged, looked.files);
    document.stale(looked.stale);
    document.obstacles(&obstacles);
    if standing == Standing::Passed && !looked.judged.failures.is_empty() {
        document.note(
            "the command succeeded although its reports have failures: that is its own business"
                .to_owned(),
        );
    }
    for note in looked.notes {
        document.note(note);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let seconds = |text: &str| span(text).map(|span| span.as_secs()).ok();
        assert_eq!(seconds("90"), Some(90));
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("20m"), Some(1200));
        assert_eq!(seconds("2h"), Some(7200));
        for wrong in [
            "",
            "0",
            "0s",
            "-1",
            "m",
            "1d",
            "1 m",
            "18446744073709551615h",
            "\u{e9}",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_empty_shard_is_none() {
        assert!(shard("").is_ok_and(|sharding| sharding.0.is_none()));
        assert!(shard("2/4").is_ok_and(|sharding| sharding.0.is_some()));
        assert!(shard("5/4").is_err());
    }
}
