//! `maestro plan shard`: one part of a job's tests, by the time that they take.

mod times;
mod wire;

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::session::Session;
use crate::cli::trouble::sharded_runner;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::flakes::runners::{Known, Sharded, Unit};
use crate::plan::shards::{Item, split, third_quartile};
use crate::sha::Sha;

use times::expected;
pub(super) use times::{fill_auto, now};
pub(crate) use wire::PlanShardDocument;
use wire::{ShardRow, Split};

/// Pick one part of a job's tests, by the time that they take
///
/// The tests come from the runner's own list, their times from what `flakes ingest` stored: the median of the last days, and for
/// new tests the 75th percentile of the others. The longest are dealt out first, each to the shard with the least to do. Every shard
/// must see the same list and the same times: give each the plan's output `state`. `split` in the result is the same for all of them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What a second of four shards would run
    $ maestro plan shard 2/4 --runner go-test --tests tests.txt

  The same for the runner: `xargs -L1 go test < shard.txt`
    $ maestro plan shard 2/4 --runner go-test --tests tests.txt --out shard.txt")]
pub(crate) struct ShardArgs {
    /// Which part of how many, from 1
    #[arg(value_name = "PART/PARTS", value_parser = part)]
    shard: Part,

    /// What runs the tests: cargo-test, go-test, jest, nextest, pytest or vitest
    #[arg(long, value_name = "RUNNER")]
    runner: String,

    /// The runner's list of tests: a file, or standard input (`-`)
    #[arg(long, value_name = "FILE")]
    tests: PathBuf,

    /// The job whose past times count; without one, those of all jobs
    #[arg(long)]
    job: Option<String>,

    /// Take times from this commit of the state branch, so that all shards see the same; an empty one: from nowhere
    #[arg(long, value_name = "COMMIT")]
    state: Option<String>,

    /// Write the runner's arguments to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which part of how many.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Part {
    /// From 0.
    pub(in crate::cli) number: u32,
    pub(in crate::cli) of: u32,
}

/// A matrix has no more lines.
const MOST_SHARDS: u32 = 256;

pub(in crate::cli) fn part(text: &str) -> Result<Part, String> {
    let wrong = || {
        format!("`{text}` is not like `2/4`: which part, from 1, of how many, up to {MOST_SHARDS}")
    };
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let of: u32 = of.parse().map_err(|_| wrong())?;
    if (1..=of).contains(&number) && of <= MOST_SHARDS {
        Ok(Part {
            number: number - 1,
            of,
        })
    } else {
        Err(wrong())
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &ShardArgs) -> CommandResult {
    let runner = sharded_runner(&args.runner)?;
    let text = read(session, &args.tests)?;
    let units = runner.read_list(&text).map_err(|problem| {
        let message = format!("`{}` is no list of tests: {problem}", args.tests.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint(format!("make it with `{}`", runner.list_command()))
    })?;
    if units.is_empty() {
        let message = format!("`{}` lists no test", args.tests.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint(format!("make it with `{}`", runner.list_command())));
    }
    let known = Known::new(&expected(
        session,
        args.job.as_deref(),
        args.state.as_deref(),
    )?);
    let document = document(runner, &units, &known, args);
    if let Some(out) = &args.out {
        write(session, out, runner, &document)?;
    }
    session.render(&document)?;
    if document.known == 0 {
        session
            .ui
            .warn("no test of the list has a stored time, so they are split by number");
        session.ui.hint(
            "store reports with `maestro flakes ingest`, and fetch them with `maestro state pull`; docs/plan.md says how reports must name tests",
        );
    }
    Ok(ExitCode::Success)
}

/// No list of tests is longer.
const LONGEST_LIST: u64 = 512 * 1024 * 1024;

fn read(session: &Session<'_>, path: &Path) -> Result<String, CommandError> {
    let failed = |error| CommandError::reading(path, error);
    let files = session.world.files.as_ref();
    let mut file = if path == Path::new("-") {
        files.stdin()
    } else {
        files.open(&session.base.join(path)).map_err(failed)?
    };
    let mut bytes = Vec::new();
    Read::take(&mut file, LONGEST_LIST)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    // PowerShell writes redirected text as UTF-8 with a mark.
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Splits the units, and picks those of one shard.
fn document(
    runner: &dyn Sharded,
    units: &[Unit],
    known: &Known,
    args: &ShardArgs,
) -> PlanShardDocument {
    let times: Vec<Option<u64>> = units
        .iter()
        .map(|unit| runner.time_of(unit, known).map(microseconds))
        .collect();
    let new = third_quartile(times.iter().flatten().copied());
    let expected = |number: usize| times[number].or(new).unwrap_or(1);
    // Units that go together are one item.
    let together = runner.together(units);
    let items: Vec<Item<'_>> = together
        .iter()
        .map(|numbers| Item {
            group: numbers.first().map_or("", |first| &units[*first].group),
            time: numbers.iter().map(|number| expected(*number)).sum(),
        })
        .collect();
    let mut shard_of = vec![0; units.len()];
    for (numbers, shard) in together.iter().zip(split(&items, args.shard.of)) {
        for number in numbers {
            shard_of[*number] = shard;
        }
    }
    let mut rows: Vec<ShardRow> = (1..=args.shard.of).map(ShardRow::new).collect();
    let mut digest = String::new();
    for (number, unit) in units.iter().enumerate() {
        let shard = shard_of[number];
        rows[shard as usize].add(new.map(|_| expected(number)));
        digest.push_str(&format!("{shard}\0{}\0{}\n", unit.group, unit.name));
    }
    let chosen = units.iter().zip(&shard_of);
    let chosen: Vec<&Unit> = chosen
        .filter(|(_, shard)| **shard == args.shard.number)
        .map(|(unit, _)| unit)
        .collect();
    PlanShardDocument::new(Split {
        runner: runner.name(),
        part: args.shard.number + 1,
        parts: args.shard.of,
        tests: units.len() as u64,
        known: times.iter().flatten().count() as u64,
        new_microseconds: new,
        digest: Sha::of(digest.as_bytes()),
        rows,
        calls: runner.only(&chosen, units),
    })
}

fn microseconds(ms: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and is not negative"
    )]
    let whole = (ms * 1000.0).round() as u64;
    whole.min(1 << 44)
}

/// Writes the arguments: a call a line for runners that need several, else a line for each argument.
fn write(
    session: &Session<'_>,
    out: &Path,
    runner: &dyn Sharded,
    document: &PlanShardDocument,
) -> Result<(), CommandError> {
    let by_call = runner.has_lines_of_calls();
    let lines: Vec<String> = if by_call {
        let calls = document.calls.iter();
        calls.map(|call| call.join(" ")).collect()
    } else {
        document.calls.iter().flatten().cloned().collect()
    };
    let is_apart = |c: char| c == '\n' || by_call && (c.is_whitespace() || "'\"\\".contains(c));
    if let Some(word) = document
        .calls
        .iter()
        .flatten()
        .find(|word| word.contains(is_apart))
    {
        let message = format!("a line of a file cannot hold a test that is called `{word}`");
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("leave --out away and take `calls` of --format json"));
    }
    let path = session.base.join(out);
    let written = session.world.files.write_atomic(&path, &mut |file| {
        lines.iter().try_for_each(|line| writeln!(file, "{line}"))
    });
    written.map_err(|error| CommandError::writing(&path, error))
}
