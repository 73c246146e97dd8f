//! `maestro flakes quarantine skip`: what makes a test runner leave out the tests of mode `skip`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::flakes::rules::{self, RulesArgs};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::cli::trouble::named_runner;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exec::skip::quoted;
use crate::exit_code::ExitCode;
use crate::flakes::quarantine::{Entry, Mode, shown};
use crate::flakes::runners::Unskippable;
use crate::flakes::runners::{Skip, left_out};
use crate::flakes::stable_names::BLANK;
use crate::flakes::trusted::Trusted;
use crate::flakes::verdict::times;
use crate::output::{Page, Report};
use crate::plan::graph::patterns::Patterns;

/// Say what makes a test runner leave out the tests of mode `skip`
///
/// The quarantine is that of the branch that the change goes to, as for `flakes gate`. Overdue tests are not left out. The result is
/// arguments for the runner, and for most a file in the folder of `--out`. What a runner cannot leave out exactly is refused with
/// exit 15. docs/flakes.md says what each runner needs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Arguments for nextest
    $ maestro flakes quarantine skip --runner nextest

  A plugin for pytest: `PYTHONPATH=target pytest -p maestro_quarantine`
    $ maestro flakes quarantine skip --runner pytest --out target

  A file for Jest, and the argument that names it
    $ maestro flakes quarantine skip --runner jest --out target")]
pub(crate) struct SkipArgs {
    /// What runs the tests: cargo-test, ctest, go-test, gtest, jest, mocha, nextest, phpunit, playwright, pytest, rspec,
    /// surefire, surefire-junit4 or vitest
    #[arg(long, value_name = "RUNNER")]
    runner: String,

    /// Take only tests that a glob takes in, over files, suites and names: where other runners' tests are in quarantine as well (can be repeated)
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// The folder for the file that a runner needs
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    #[command(flatten)]
    rules: RulesArgs,
}

/// What makes a runner leave out tests.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.flakes-skip/v1"))]
pub(crate) struct SkipDocument {
    /// `maestro.flakes-skip/v1`
    schema: &'static str,
    runner: &'static str,
    /// Tests that are left out.
    tests: Vec<String>,
    /// Arguments to add to the runner's command.
    args: Vec<String>,
    /// The file that was written.
    file: Option<String>,
    /// A variable that must name the file's folder.
    variable: Option<&'static str>,
    /// What must be so for no other test to be left out.
    condition: Option<&'static str>,
}

impl Reported for Unskippable {
    fn reported(self, _of: &str) -> CommandError {
        CommandError::new(ErrorKind::Unsupported, self)
            .hint("use the mode `gate`: the tests run, and `maestro flakes gate` forgives them")
            .hint("say with `--only` which of the tests are this runner's")
    }
}

pub(super) fn run(session: &mut Session<'_>, args: &SkipArgs) -> CommandResult {
    let runner = named_runner(&args.runner)?;
    let rules = rules::load(session, &args.rules)?;
    let today = session.now().to_zoned(TimeZone::UTC).date();
    let never = rules::never(&rules.never)?;
    let only = Patterns::new(&args.only).map_err(|error| {
        CommandError::message(ErrorKind::Usage, format!("`--only`: {error}"))
            .hint("`*` is any name, `**` any folders, `[ab]` one of these, `{a,b}` either")
    })?;
    let entries = chosen(&rules, today, &never)
        .filter(|entry| args.only.is_empty() || is_among(&only, entry));
    let has_some = rules
        .quarantine
        .tests
        .iter()
        .any(|entry| entry.mode == Mode::Skip);
    if has_some && !rules.enforced {
        session
            .ui
            .warn("nothing is left out: the quarantine is not enforced where the change goes to");
        session
            .ui
            .hint("put `enforce: [flakes]` into .maestro/maestro.yaml there");
    }
    let (tests, changing): (Vec<_>, Vec<_>) = entries.partition(|entry| same_in_each_run(entry));
    let tests: Vec<(&str, &str)> = tests
        .iter()
        .map(|entry| (entry.suite.as_str(), entry.test.as_str()))
        .collect();
    if !changing.is_empty() {
        session.ui.warn(&format!(
            "{} whose names are not the same in each run cannot be left out: they run, and the gate forgives them",
            times(changing.len() as u64, "test")
        ));
    }
    let folder = args.out.as_deref().unwrap_or(Path::new(""));
    let skip = left_out(runner, &tests, &session.base.join(folder))
        .map_err(|problem| problem.reported(""))?;
    let file = write(session, args, &skip)?;
    let document = SkipDocument {
        schema: "maestro.flakes-skip/v1",
        runner: runner.name(),
        tests: tests
            .iter()
            .map(|(suite, test)| shown(suite, test))
            .collect(),
        args: skip.args,
        file,
        variable: skip.variable,
        condition: skip.condition,
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn is_among(globs: &Patterns, entry: &Entry) -> bool {
    rules::never_by(globs, &entry.suite, &entry.test, "").is_some()
}

/// Returns the tests that are not to run: of mode `skip`, enforced, not overdue, and none of those that are never forgiven.
pub(in crate::cli) fn chosen<'r>(
    rules: &'r Trusted,
    today: Date,
    never: &'r Patterns,
) -> impl Iterator<Item = &'r Entry> {
    rules.quarantine.tests.iter().filter(move |entry| {
        let counts = rules.enforced && entry.mode == Mode::Skip && !entry.is_overdue(today);
        counts && !is_among(never, entry)
    })
}

/// Whether a test has the same name in each run.
pub(in crate::cli) fn same_in_each_run(entry: &Entry) -> bool {
    !entry.suite.contains(BLANK) && !entry.test.contains(BLANK)
}

/// Writes the file that a runner needs.
fn write(
    session: &Session<'_>,
    args: &SkipArgs,
    skip: &Skip,
) -> Result<Option<String>, CommandError> {
    let Some((name, text)) = &skip.file else {
        return Ok(None);
    };
    let Some(out) = &args.out else {
        return Err(CommandError::message(
            ErrorKind::Usage,
            format!("`{}` needs a file", args.runner),
        )
        .hint("say into which folder with `--out`"));
    };
    let folder = session.base.join(out);
    let path = folder.join(name);
    let files = session.world.files.as_ref();
    files
        .create_folder(&folder)
        .and_then(|()| files.write_atomic(&path, &mut |file| file.write_all(text.as_bytes())))
        .map_err(|error| CommandError::writing(&path, error))?;
    Ok(Some(out.join(name).display().to_string()))
}

impl Report for SkipDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!(
            "{} left out.",
            times(self.tests.len() as u64, "test")
        ));
        if !self.args.is_empty() {
            let words: Vec<Cow<'_, str>> = self.args.iter().map(|word| quoted(word)).collect();
            page.text(format!("Add to the command: {}", words.join(" ")));
        }
        if let (Some(file), Some(variable)) = (&self.file, self.variable) {
            page.text(format!("{variable} must name the folder of {file}"));
        }
        if let Some(condition) = self.condition {
            page.text(format!("Only exact where this holds: {condition}"));
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![("tests".to_owned(), self.tests.len().to_string())]
    }
}
