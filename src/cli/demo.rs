//! `maestro demo`: real test runs of a small repository, by the real commands, as subprocesses of this binary.

mod children;
mod delivery;
mod gate;
mod jobs;
mod money;
mod page;
mod plans;
mod safety;
mod team;

use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Format, Inline, Page, Report};
use crate::ports::{FileKind, Finished};
use children::{command_line, missing};

/// The repository, as a `git fast-import` stream made by `fixtures/demo/make.py`.
const STREAM: &[u8] = include_bytes!("../../fixtures/demo/stream");

/// The first commit of that repository.
const FIRST_COMMIT: &str = "e6c63ba420021823f4ef35d6a802b1115a912187";

/// How many test runs are made at first.
const RUNS: u32 = 10;

/// How often that is done before a test that shows one face only is believed.
const ROUNDS: u32 = 2;

/// See maestro at work on a small repository with a flaky test
///
/// Unpacks a Rust workspace of three crates into a new temporary folder, or into FOLDER, runs its tests several times
/// (with cargo-nextest where it is installed), lets two jobs publish their results to one remote at the same time, plans a
/// change and tests only what it can affect, forgives the flaky test, lets an agent's calls spend up to a cap, stops a change that brings a GPL library and a token, signs and verifies what a run did, lets a team of agents take an issue to the text of a draft pull request (from recorded answers), says how the team delivers and which targets of an example it meets, shows what the runs say about each test, and writes the week's page. Without cargo the parts that run its tests are left out. Every command is printed, so that it can be repeated by hand. A FOLDER from an earlier demo is used again as it stands, with an empty history: mend
/// the flaky test there, and see that it is no longer named.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Run it
    $ maestro demo

  Run it in a folder of your choice
    $ maestro demo parcels-demo")]
pub(crate) struct DemoArgs {
    /// Where to unpack the repository and leave the results
    folder: Option<PathBuf>,

    /// Say what would be run, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &DemoArgs) -> CommandResult {
    if args.dry_run {
        dry_run(session, args);
        return Ok(ExitCode::Success);
    }
    let mut demo = Demo::new(session, args)?;
    demo.unpack()?;
    if !demo.has_cargo {
        // What needs no Rust is shown all the same.
        demo.stop_and_prove()?;
        demo.let_a_team_work()?;
        demo.show_delivery()?;
        demo.write_the_page()?;
        return demo.finish();
    }
    demo.build()?;
    let mut done = 0;
    for _ in 0..ROUNDS {
        for _ in 0..RUNS {
            done += 1;
            demo.test_run(done)?;
        }
        if demo.names_a_flaky_test()? {
            break;
        }
    }
    demo.publish_at_once(done)?;
    demo.plan_a_change()?;
    demo.judge_two_runs()?;
    demo.spend_up_to_a_cap()?;
    demo.stop_and_prove()?;
    demo.let_a_team_work()?;
    demo.show_delivery()?;
    demo.report()?;
    demo.write_the_page()?;
    demo.finish()
}

fn dry_run(session: &mut Session<'_>, args: &DemoArgs) {
    let folder = match &args.folder {
        Some(folder) => session.base.join(folder).display().to_string(),
        None => "a new temporary folder".to_owned(),
    };
    let most = RUNS * ROUNDS;
    session.ui.status(&format!(
        "would unpack a workspace of three crates into {folder}, run its tests there {RUNS} times (at most {most}), store their \
         reports in its `.git/maestro`, let two jobs publish theirs to a remote beside it, plan a change, forgive the flaky test, spend up to a cap, stop a change and sign a run, let a team of agents work on an issue, say how the team delivers, and leave report.txt, report.md and \
         report.json there"
    ));
}

/// Which program runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nextest,
    /// Its JUnit output is not stable yet, which the variable `RUSTC_BOOTSTRAP` allows.
    CargoTest,
}

struct Demo<'s, 'w> {
    session: &'s mut Session<'w>,
    folder: PathBuf,
    repository: PathBuf,
    maestro: PathBuf,
    runner: Runner,
    /// Whether the tests of the workspace can be run.
    has_cargo: bool,
    steps: Vec<Step>,
}

/// What the demo did.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.demo/v1"))]
pub(crate) struct DemoDocument {
    /// `maestro.demo/v1`
    schema: &'static str,
    /// Where everything lies.
    folder: String,
    /// The repository in it.
    repository: String,
    /// What was run, in order.
    steps: Vec<Step>,
    /// What `maestro flakes report` said (`maestro.flakes-report/v1`).
    report: serde_json::Value,
}

/// One command.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Step {
    /// As it can be typed in the repository.
    command: String,
    /// How it ended; nothing when a signal ended it.
    exit_code: Option<i32>,
}

impl<'s, 'w> Demo<'s, 'w> {
    fn new(session: &'s mut Session<'w>, args: &DemoArgs) -> Result<Self, CommandError> {
        let files = session.world.files.as_ref();
        let folder = match &args.folder {
            Some(folder) => session.base.join(folder),
            None => files.temporary_folder("maestro-demo-").map_err(|error| {
                CommandError::new(ErrorKind::CannotWrite, error)
                    .hint("name a folder that can be written: maestro demo FOLDER")
            })?,
        };
        let maestro = session.world.environment.current_exe().map_err(|error| {
            CommandError::new(ErrorKind::NotFound, error)
                .hint("the file of this program is gone: install maestro again")
        })?;
        let mut demo = Self {
            repository: folder.join("repository"),
            folder,
            session,
            maestro,
            runner: Runner::CargoTest,
            has_cargo: true,
            steps: Vec::new(),
        };
        demo.find_runner();
        Ok(demo)
    }

    fn find_runner(&mut self) {
        let here = self.session.base.clone();
        let cargo = self.call("cargo", &["--version"], &here);
        if !matches!(cargo, Ok(Finished { code: Some(0), .. })) {
            self.has_cargo = false;
            let ui = &mut *self.session.ui;
            ui.warn("the program `cargo` was not found: the parts that run the tests of a small Rust workspace are left out");
            ui.hint("install Rust from https://rustup.rs to see them");
            return;
        }
        let nextest = self.call("cargo", &["nextest", "--version"], &here);
        if matches!(nextest, Ok(Finished { code: Some(0), .. })) {
            self.runner = Runner::Nextest;
        }
    }

    /// Unpacks the repository, or takes the one that is there.
    fn unpack(&mut self) -> Result<(), CommandError> {
        let files = self.session.world.files.as_ref();
        if files
            .kind(&self.repository)
            .is_ok_and(|kind| kind == FileKind::Folder)
        {
            self.check_that_it_is_ours()?;
            let files = self.session.world.files.as_ref();
            let state = self.repository.join(".git").join("maestro");
            files
                .remove_folder(&state)
                .map_err(|error| CommandError::writing(&state, error))?;
            let shown = self.repository.display().to_string();
            self.say(&format!(
                "Using the repository at {shown} as it stands, with an empty history.\n"
            ));
            return Ok(());
        }
        let is_taken = files
            .names(&self.folder)
            .is_ok_and(|names| !names.is_empty());
        if is_taken {
            let message = format!("`{}` is not empty and holds no demo", self.folder.display());
            return Err(CommandError::message(ErrorKind::CannotWrite, message)
                .hint("name a new folder, or none for a temporary one"));
        }
        files
            .create_folder(&self.repository)
            .map_err(|error| CommandError::writing(&self.repository, error))?;
        self.git(&["init", "--quiet", "--initial-branch=main", "."], &[])?;
        self.git(&["config", "core.autocrlf", "false"], &[])?;
        self.git(&["fast-import", "--quiet", "--done"], STREAM)?;
        self.git(&["reset", "--quiet", "--hard", "main"], &[])?;
        let shown = self.repository.display().to_string();
        self.say(&format!(
            "A workspace of three crates, with its history, is at {shown}\n"
        ));
        Ok(())
    }

    /// Refuses a repository that does not begin with the demo's first commit: its history is not ours to clear.
    fn check_that_it_is_ours(&self) -> Result<(), CommandError> {
        let args = ["rev-list", "--max-parents=0", "HEAD"];
        let done = self
            .call("git", &args, &self.repository)
            .map_err(|error| missing("git", error))?;
        if String::from_utf8_lossy(&done.stdout).trim() == FIRST_COMMIT {
            return Ok(());
        }
        let message = format!(
            "`{}` is a repository of its own, not the demo's",
            self.repository.display()
        );
        Err(CommandError::message(ErrorKind::CannotWrite, message)
            .hint("name a new folder, or none for a temporary one"))
    }

    fn git(&mut self, args: &[&str], stdin: &[u8]) -> Result<(), CommandError> {
        let repository = self.repository.clone();
        let mut call = self.prepare("git", args, &repository);
        call.stdin = stdin.to_vec();
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("git", error))?;
        if done.code == Some(0) {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        let message = format!("`git {}` failed: {words}", args.join(" "));
        Err(CommandError::message(ErrorKind::CannotWrite, message)
            .hint("the demo needs git 2.28 or newer and a folder that can be written"))
    }

    /// Compiles the tests once, so that the runs themselves are quick.
    fn build(&mut self) -> Result<(), CommandError> {
        let mut args = match self.runner {
            Runner::Nextest => vec!["nextest", "run", "--workspace", "--no-run"],
            Runner::CargoTest => vec!["test", "--workspace", "--tests", "--no-run"],
        };
        if self.session.settings.offline.value {
            args.push("--offline");
        }
        let done = self.step("cargo", &args, None)?;
        if done.code == Some(0) {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(
            CommandError::message(ErrorKind::BadInput, "the demo's workspace does not compile")
                .excerpt(words)
                .hint("the workspace needs Rust 1.85 or newer and a linker"),
        )
    }

    /// Runs the tests once and stores the reports.
    fn test_run(&mut self, number: u32) -> Result<(), CommandError> {
        let run = format!("demo-{number}");
        if self.runner == Runner::Nextest {
            let done = self.step(
                "cargo",
                &["nextest", "run", "--workspace", "--profile", "ci"],
                None,
            )?;
            self.say_summary(&done);
            let ingest = ["flakes", "ingest", "--run", &run, "--job", "test"];
            return self.maestro(&ingest).map(drop);
        }
        for attempt in 1..=2_u32 {
            let (report, done) = self.libtest_run(number, attempt)?;
            let attempt = attempt.to_string();
            let ingest = [
                "flakes",
                "ingest",
                "--run",
                &run,
                "--attempt",
                &attempt,
                "--job",
                "test",
                &report,
            ];
            self.maestro(&ingest)?;
            if done.code == Some(0) {
                break;
            }
        }
        Ok(())
    }

    /// Runs the tests without nextest; returns the path of the report in the repository.
    fn libtest_run(
        &mut self,
        number: u32,
        attempt: u32,
    ) -> Result<(String, Finished), CommandError> {
        let report = format!("target/junit-{number}-{attempt}.xml");
        let done = self.libtest(&[], &report)?;
        Ok((report, done))
    }

    /// Runs a workspace's tests without nextest; the report is a path from the repository.
    fn libtest(&mut self, which: &[&str], report: &str) -> Result<Finished, CommandError> {
        let mut args = vec!["test"];
        args.extend(which);
        args.extend(["--workspace", "--tests", "--no-fail-fast", "--quiet", "--"]);
        args.extend(["-Z", "unstable-options", "--format", "junit"]);
        let done = self.step("cargo", &args, Some(report))?;
        let path = self.repository.join(report);
        self.session
            .world
            .files
            .write_atomic(&path, &mut |out| out.write_all(&done.stdout))
            .map_err(|error| CommandError::writing(&path, error))?;
        Ok(done)
    }

    fn say_summary(&mut self, done: &Finished) {
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let wanted = |line: &&str| {
            let line = line.trim_start();
            ["Summary", "FLAKY", "TRY 3 FAIL"]
                .iter()
                .any(|word| line.starts_with(word))
        };
        for line in text.lines().filter(wanted) {
            self.say(line);
        }
    }

    fn report_json(&mut self) -> Result<serde_json::Value, CommandError> {
        let args = ["flakes", "report", "--format", "json"];
        let call = self.maestro_call(&args);
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("maestro", error))?;
        serde_json::from_slice(&done.stdout).map_err(CommandError::internal)
    }

    fn names_a_flaky_test(&mut self) -> Result<bool, CommandError> {
        let report = self.report_json()?;
        Ok(report["totals"]["verdicts"]["flaky"]
            .as_u64()
            .is_some_and(|flaky| flaky > 0))
    }

    /// Shows the report and leaves it in the folder.
    fn report(&mut self) -> Result<(), CommandError> {
        self.say("");
        let done = self.maestro(&[
            "flakes",
            "report",
            "--all",
            "--report",
            "markdown=../report.md",
            "--report",
            "json=../report.json",
        ])?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        self.say(text.trim_end());
        let path = self.folder.join("report.txt");
        self.session
            .world
            .files
            .write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
            .map_err(|error| CommandError::writing(&path, error))
    }

    fn finish(mut self) -> CommandResult {
        let folder = self.folder.display().to_string();
        let repository = self.repository.display().to_string();
        self.say(&if self.has_cargo {
            format!(
                "\nResults: {folder} (report.txt, report.md, report.json)\nTry next: mend the flaky test in {repository}, commit, \
                 and run `maestro demo {folder}` again."
            )
        } else {
            format!("\nResults: {folder}")
        });
        if self.session.settings.format.value != Format::Human
            || !self.session.globals.report.is_empty()
        {
            let report = self.report_json()?;
            let document = DemoDocument {
                schema: "maestro.demo/v1",
                folder,
                repository,
                steps: std::mem::take(&mut self.steps),
                report,
            };
            if self.session.settings.format.value == Format::Human {
                self.session.render_files(&document)?;
            } else {
                self.session.render(&document)?;
            }
        }
        Ok(ExitCode::Success)
    }

    /// Tells the story: on standard output for people, beside the data otherwise.
    fn say(&mut self, text: &str) {
        if self.session.settings.format.value == Format::Human {
            let _never_fails = writeln!(self.session.ui.out(), "{text}");
            let _never_fails = self.session.ui.out().flush();
        } else {
            self.session.ui.status(text);
        }
    }

    /// Runs a command that the user may repeat; with a file, its standard output goes there.
    fn step(
        &mut self,
        program: &str,
        args: &[&str],
        into: Option<&str>,
    ) -> Result<Finished, CommandError> {
        let mut shown = String::new();
        if self.runner == Runner::CargoTest && into.is_some() {
            shown.push_str("RUSTC_BOOTSTRAP=1 ");
        }
        shown.push_str(&command_line(program, args));
        if let Some(file) = into {
            shown.push_str(&format!(" > {file}"));
        }
        self.say(&format!("$ {shown}"));
        let repository = self.repository.clone();
        let done = self.call(program, args, &repository);
        let done = done.map_err(|error| missing(program, error))?;
        self.steps.push(Step {
            command: shown,
            exit_code: done.code,
        });
        Ok(done)
    }

    /// Runs this binary.
    fn maestro(&mut self, args: &[&str]) -> Result<Finished, CommandError> {
        let program = self.maestro.display().to_string();
        let shown = command_line(&program, args);
        self.say(&format!("$ {shown}"));
        let call = self.maestro_call(args);
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("maestro", error))?;
        self.steps.push(Step {
            command: shown,
            exit_code: done.code,
        });
        if done.code == Some(0) {
            return Ok(done);
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(CommandError::internal(anyhow::Error::msg("a step of the demo failed")).excerpt(words))
    }
}

impl Report for DemoDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading("maestro demo");
        for step in &self.steps {
            page.line(vec![Inline::Code(step.command.clone())]);
        }
        page.line(vec![
            Inline::Plain("Results: ".into()),
            Inline::Code(self.folder.clone()),
        ]);
        page
    }
}
