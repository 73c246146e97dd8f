//! A runner of GitHub's workflows for this machine: whole workflows, with jobs, matrices, conditions, composite actions and the files by
//! which steps talk to their runner, before a GitHub that remembers (`github/`) and a bare repository as its git.
//!
//! It does what GitHub does, or stops the test: an unknown key, function, context, input or action is never passed over. What it leaves
//! out says so in `noted`. Jobs run one after another, on this machine and its system, with an empty home and the token that their
//! `permissions:` give them: a missing right is a 403 from the API, or a refused push.
#![allow(dead_code, reason = "each test uses a part of it")]

mod artifacts;
mod checkout;
mod events;
mod expressions;
mod files;
mod job;
mod matrix;
mod own_tests;
mod permissions;
mod run;
mod step;
mod syntax;
mod uses;
mod workflow;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::github::Fake;
use crate::snapshot::Snapshot;
pub(crate) use events::Event;
pub(crate) use job::executable;
pub(crate) use permissions::Scopes;

/// The version that `cargo install maestro-ci` finds.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands in for an action that cannot run here: its inputs in, its outputs out.
pub(crate) type StandIn = Box<dyn FnMut(&BTreeMap<String, String>) -> BTreeMap<String, String>>;

/// A GitHub with one repository, `o/n`, and machines.
pub(crate) struct Runner {
    folder: TempDir,
    pub(crate) github: Fake,
    event: Option<Event>,
    secrets: BTreeMap<String, String>,
    vars: BTreeMap<String, String>,
    actions: Vec<(String, PathBuf)>,
    stand_ins: Vec<(String, StandIn)>,
    env: BTreeMap<String, String>,
    /// System and processor, as GitHub calls them.
    machine: (String, String),
    keeps_tools: bool,
    cancelled_at: Option<String>,
    dropped: Vec<(String, String)>,
    tips: BTreeMap<String, String>,
    next_run: u64,
    next_job: usize,
    /// What was fetched for a checkout, by what was asked for and what there was.
    fetched: BTreeMap<String, Snapshot>,
}

/// What became of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) run: u64,
    /// One for each leg of a matrix, in the order in which they ran.
    pub(crate) jobs: Vec<Ran>,
    /// Files of each artifact, by name.
    pub(crate) artifacts: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

/// What became of a job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ran {
    /// Its key in the workflow.
    pub(crate) id: String,
    /// What people see.
    pub(crate) name: String,
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub(crate) result: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) matrix: Map<String, Value>,
    pub(crate) runs_on: Value,
    /// What all steps printed, secrets hidden.
    pub(crate) log: String,
    pub(crate) summary: String,
    /// Level and text.
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) steps: Vec<StepRan>,
    pub(crate) scopes: Scopes,
    /// Whether a checkout left the token in the work tree.
    pub(crate) keeps_credentials: bool,
    /// What was taken for done.
    pub(crate) noted: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepRan {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) outcome: &'static str,
    pub(crate) conclusion: &'static str,
    /// Outputs of the step.
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Runner {
    /// Puts a repository on GitHub; its remote `origin` is that from now on.
    pub(crate) fn new(repository: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("maestro-runner-")
            .tempdir()
            .unwrap();
        let github = Fake::start();
        let this = Self {
            folder,
            github,
            event: None,
            secrets: BTreeMap::new(),
            vars: BTreeMap::new(),
            actions: Vec::new(),
            stand_ins: Vec::new(),
            env: BTreeMap::new(),
            machine: (system().to_owned(), processor().to_owned()),
            keeps_tools: false,
            cancelled_at: None,
            dropped: Vec::new(),
            tips: BTreeMap::new(),
            next_run: 101,
            next_job: 0,
            fetched: BTreeMap::new(),
        };
        let remote = this.remote();
        let from = repository.to_str().unwrap();
        let to = remote.to_str().unwrap();
        let clone = ["clone", "--quiet", "--template=", "--bare", from, to];
        git(this.folder.path(), &clone);
        appends(
            &remote.join("config"),
            // What GitHub allows, and what would be one process more after each push.
            "[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n[receive]\n\tautogc = false\n",
        );
        let config = repository.join(".git/config");
        if fs::read_to_string(&config)
            .unwrap()
            .contains("[remote \"origin\"]")
        {
            git(repository, &["remote", "remove", "origin"]);
        }
        appends(&config, &origin(&this.address()));
        git(repository, &["fetch", "--quiet", "origin"]);
        this.github.store().git = Some(remote);
        this
    }

    /// The repository at GitHub.
    pub(crate) fn remote(&self) -> PathBuf {
        self.folder.path().join("github.git")
    }

    /// The cache of tools that is kept between jobs.
    pub(crate) fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    /// Where it is cloned from.
    pub(crate) fn address(&self) -> String {
        format!("file://{}", self.remote().display())
    }

    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets a variable of every machine's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.sets(name, value);
        self
    }

    /// The same, between two runs.
    pub(crate) fn sets(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// Where the action `OWNER/NAME` or `OWNER/NAME/PATH` is.
    pub(crate) fn action(mut self, name: &str, folder: impl Into<PathBuf>) -> Self {
        self.actions.push((name.to_owned(), folder.into()));
        self
    }

    /// Lets something stand in for the action `OWNER/NAME`.
    pub(crate) fn stands_in(
        mut self,
        name: &str,
        stand_in: impl FnMut(&BTreeMap<String, String>) -> BTreeMap<String, String> + 'static,
    ) -> Self {
        self.stand_ins.push((name.to_owned(), Box::new(stand_in)));
        self
    }

    /// Lets machines say that they are another one.
    pub(crate) fn machine(mut self, system: &str, processor: &str) -> Self {
        self.machine = (system.to_owned(), processor.to_owned());
        self
    }

    /// Keeps the cache of tools between jobs, as machines of one's own do.
    pub(crate) fn keeps_tools(mut self) -> Self {
        self.keeps_tools = true;
        self
    }

    /// Somebody cancels the run when this job begins.
    pub(crate) fn cancelled_at(mut self, job: &str) -> Self {
        self.cancelled_at = Some(job.to_owned());
        self
    }

    /// An output of a job is lost.
    pub(crate) fn drops(mut self, job: &str, output: &str) -> Self {
        self.dropped.push((job.to_owned(), output.to_owned()));
        self
    }

    /// Runs a workflow for the event that was set last.
    pub(crate) fn run(&mut self, workflow: &str) -> Outcome {
        run::run(self, workflow)
    }
}

impl Outcome {
    /// Whether it is green: no job failed or was cancelled.
    pub(crate) fn is_green(&self) -> bool {
        let fine = ["success", "skipped"];
        self.jobs
            .iter()
            .all(|job| fine.contains(&job.result.as_str()))
    }

    /// Returns the job with this id or name.
    #[track_caller]
    pub(crate) fn job(&self, name: &str) -> &Ran {
        let found = self.jobs.iter();
        let mut found = found.filter(|job| job.id == name || job.name == name);
        found
            .next()
            .unwrap_or_else(|| panic!("no job `{name}` in {:?}", self.results()))
    }

    /// Name and result of each job.
    pub(crate) fn results(&self) -> Vec<(&str, &str)> {
        let jobs = self.jobs.iter();
        jobs.map(|job| (job.name.as_str(), job.result.as_str()))
            .collect()
    }

    /// Everything that was printed, job by job.
    pub(crate) fn log(&self) -> String {
        let jobs = self.jobs.iter();
        jobs.map(|job| format!("=== {} ({})\n{}", job.name, job.result, job.log))
            .collect()
    }

    /// The jobs ended so; otherwise what they printed is shown.
    #[track_caller]
    pub(crate) fn ends(&self, results: &[(&str, &str)]) -> &Self {
        assert_eq!(self.results(), results, "\n{}", self.log());
        self
    }

    #[track_caller]
    pub(crate) fn green(&self) -> &Self {
        assert!(self.is_green(), "{:?}\n{}", self.results(), self.log());
        self
    }

    #[track_caller]
    pub(crate) fn red(&self) -> &Self {
        assert!(!self.is_green(), "{:?}\n{}", self.results(), self.log());
        self
    }
}

impl Ran {
    /// The step with this id or name.
    #[track_caller]
    pub(crate) fn step(&self, name: &str) -> &StepRan {
        let found = self.steps.iter();
        let mut found = found.filter(|step| step.id == name || step.name == name);
        found
            .next()
            .unwrap_or_else(|| panic!("no step `{name}` in {:?}", self.steps))
    }

    /// The log holds a text.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        assert!(
            self.log.contains(words),
            "`{words}` is not in:\n{}",
            self.log
        );
        self
    }
}

/// Returns the lines of a repository's settings for a remote.
fn origin(address: &str) -> String {
    format!(
        "[remote \"origin\"]\n\turl = {address}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    )
}

fn appends(file: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Runs git, which has to succeed; returns what it printed.
fn git(folder: &Path, args: &[&str]) -> String {
    let (succeeded, text) = tries_git(folder, args);
    assert!(succeeded, "git {args:?}: {text}");
    text
}

/// Runs git; whether it succeeded, and what it printed.
fn tries_git(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("git");
    command
        .args(["-c", "maintenance.auto=false"])
        .args(args)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "GitHub")
            .env(format!("GIT_{role}_EMAIL"), "noreply@github.com")
            .env(format!("GIT_{role}_DATE"), "2026-01-05T09:00:00Z");
    }
    let output = command.output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        text.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    (output.status.success(), text)
}

/// This system, as GitHub calls it.
fn system() -> &'static str {
    match std::env::consts::OS {
        "macos" => "macOS",
        "windows" => "Windows",
        _ => "Linux",
    }
}

/// This processor, as GitHub calls it.
fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "ARM64",
        _ => "X64",
    }
}
