//! `maestro demo`: a tour in numbered acts, one a capability, over a small repository with truly flaky tests. The real commands run, as subprocesses of this
//! binary; nothing that they say is written here.

mod acts;
mod children;
mod delivery;
mod first_day;
mod gateway;
mod jobs;
mod money;
mod page;
mod platform;
mod pull_request;
mod safety;
mod stand;
mod team;
mod teller;

use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::output::{Format, Inline, Page, Report};
use crate::ports::{FileKind, Finished};
use acts::{ACTS, Need};
use children::missing;

/// The repository, as a `git fast-import` stream made by `fixtures/demo/make.py`.
const STREAM: &[u8] = include_bytes!("../../fixtures/demo/stream");

/// The first commit of that repository.
const FIRST_COMMIT: &str = "e6c63ba420021823f4ef35d6a802b1115a912187";

/// See every capability at work on a small repository with a flaky test
///
/// Unpacks a Rust workspace of three crates into a new temporary folder, or into FOLDER, and goes through every capability in numbered acts. The real commands run,
/// offline: no model is asked, what one would answer is written down. Of each act the commands and lines that matter are printed; `--full` prints every command and
/// all that it says, and `commands.txt` in the folder has them all, so that they can be repeated by hand. An act that needs a program that is not here (git, cargo, a
/// shell) is left out and says so. With --now two demos print the same. A FOLDER from an earlier demo is used again as it stands, with an empty history: mend the flaky
/// test there, and see that it is no longer named.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Run it
    $ maestro demo

  Run it in a folder of your choice, and see everything
    $ maestro demo --full parcels-demo")]
pub(crate) struct DemoArgs {
    /// Where to unpack the repository and leave the results
    folder: Option<PathBuf>,

    /// Print every command, and all that it says
    #[arg(long)]
    full: bool,

    /// Say what would be shown, do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &DemoArgs) -> CommandResult {
    if args.dry_run {
        dry_run(session, args);
        return Ok(ExitCode::Success);
    }
    let mut demo = Demo::new(session, args)?;
    if demo.lacks.contains(&Need::Git) {
        let folder = demo.folder.clone();
        let made = demo.session.world.files.create_folder(&folder);
        made.map_err(|error| CommandError::writing(&folder, error))?;
    } else {
        demo.unpack()?;
    }
    demo.open();
    for act in &ACTS {
        demo.play(act)?;
    }
    demo.finish()
}

fn dry_run(session: &mut Session<'_>, args: &DemoArgs) {
    let folder = match &args.folder {
        Some(folder) => session.base.join(folder).display().to_string(),
        None => "a new temporary folder".to_owned(),
    };
    let names: Vec<&str> = ACTS.iter().map(|act| act.command).collect();
    session.ui.status(&format!(
        "would unpack a workspace of three crates into {folder}, and show there: {}",
        names.join(", ")
    ));
}

struct Demo<'s, 'w> {
    session: &'s mut Session<'w>,
    folder: PathBuf,
    repository: PathBuf,
    maestro: PathBuf,
    /// Whether everything is printed.
    is_full: bool,
    /// What is not here.
    lacks: Vec<Need>,
    /// What children find in their environment beside the usual.
    variables: Vec<(&'static str, String)>,
    /// Which act is played.
    act: i64,
    /// How often the tests have run.
    runs: u32,
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
    /// What `maestro flakes report` said (`maestro.flakes-report/v1`); nothing where there is no git.
    report: serde_json::Value,
}

/// One command.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Step {
    /// As it can be typed in the folder.
    command: String,
    /// How it ended; nothing when a signal ended it.
    exit_code: Option<i32>,
}

impl<'s, 'w> Demo<'s, 'w> {
    fn new(session: &'s mut Session<'w>, args: &DemoArgs) -> Result<Self, CommandError> {
        let world = session.world;
        let folder = match &args.folder {
            Some(folder) => session.base.join(folder),
            None => world
                .files
                .temporary_folder("maestro-demo-")
                .map_err(|error| {
                    CommandError::new(ErrorKind::CannotWrite, error)
                        .hint("name a folder that can be written: maestro demo FOLDER")
                })?,
        };
        let maestro = world.environment.current_exe();
        let maestro = maestro.map_err(|error| {
            CommandError::new(ErrorKind::NotFound, error)
                .hint("the file of this program is gone: install maestro again")
        })?;
        let mut demo = Self {
            repository: folder.join("repository"),
            folder,
            session,
            maestro,
            is_full: args.full,
            lacks: Vec::new(),
            variables: Vec::new(),
            act: 0,
            runs: 0,
            steps: Vec::new(),
        };
        demo.look_around();
        Ok(demo)
    }

    /// Finds out which programs are here.
    fn look_around(&mut self) {
        let here = self.session.base.clone();
        for need in Need::ALL {
            let (program, args) = need.probe();
            let done = self.call(program, args, &here);
            if matches!(done, Ok(Finished { code: Some(0), .. })) {
                continue;
            }
            self.lacks.push(need);
            let ui = &mut *self.session.ui;
            ui.warn(&format!(
                "the program `{program}` was not found: the acts that need it are left out"
            ));
            ui.hint(need.way_out());
        }
    }

    /// Unpacks the repository, or takes the one that is there.
    fn unpack(&mut self) -> Result<(), CommandError> {
        let files = self.session.world.files.as_ref();
        let kind = files.kind(&self.repository);
        let shown = self.repository.display().to_string();
        if kind.is_ok_and(|kind| kind == FileKind::Folder) {
            self.check_that_it_is_ours()?;
            let state = self.repository.join(".git").join("maestro");
            files
                .remove_folder(&state)
                .map_err(|error| CommandError::writing(&state, error))?;
            let ui = &mut *self.session.ui;
            ui.status(&format!(
                "using the repository at {shown} as it stands, with an empty history"
            ));
            return self.make_remote();
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
        let ui = &mut *self.session.ui;
        ui.status(&format!(
            "a workspace of three crates, with its history, is at {shown}"
        ));
        self.make_remote()
    }

    /// Makes the remote anew: a bare clone of the repository.
    fn make_remote(&mut self) -> Result<(), CommandError> {
        let path = self.folder.join("remote.git");
        let files = self.session.world.files.as_ref();
        files
            .remove_folder(&path)
            .map_err(|error| CommandError::writing(&path, error))?;
        self.quietly(
            "git",
            &["clone", "--quiet", "--bare", "repository", "remote.git"],
        )?;
        self.git(&["config", "remote.origin.url", "../remote.git"], &[])
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

    /// Runs git in the repository.
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

    fn report_json(&mut self) -> Result<serde_json::Value, CommandError> {
        let args = ["-C", "repository", "flakes", "report", "--format", "json"];
        let done = self.session.world.processes.run(&self.maestro_call(&args));
        let done = done.map_err(|error| missing("maestro", error))?;
        json::read(&done.stdout).map_err(CommandError::internal)
    }

    fn finish(mut self) -> CommandResult {
        self.say("");
        if !self.lacks.contains(&Need::Cargo) {
            self.say("Try next: mend the flaky test in `repository`, commit, and run `maestro demo FOLDER` with this folder again.");
        }
        let folder = self.folder.display().to_string();
        let mut commands = String::new();
        for step in &self.steps {
            commands.push_str(&step.command);
            commands.push('\n');
        }
        self.leave_text("commands.txt", &commands)?;
        let words = format!("everything lies in {folder}; commands.txt there has all commands");
        self.session.ui.status(&words);
        let is_human = self.session.settings.format.value == Format::Human;
        if is_human && self.session.globals.report.is_empty() {
            return Ok(ExitCode::Success);
        }
        let report = if self.lacks.contains(&Need::Git) {
            serde_json::Value::Null
        } else {
            self.report_json()?
        };
        let document = DemoDocument {
            schema: "maestro.demo/v1",
            folder,
            repository: self.repository.display().to_string(),
            steps: std::mem::take(&mut self.steps),
            report,
        };
        if is_human {
            self.session.render_files(&document)?;
        } else {
            self.session.render(&document)?;
        }
        Ok(ExitCode::Success)
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
