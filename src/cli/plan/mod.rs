//! `maestro plan`: which jobs a change needs.

pub(in crate::cli) mod again;
mod explain;
mod last_green;
mod lint;
mod past;
mod record;
mod replay;
mod rest;
pub(super) mod settings;
pub(in crate::cli) mod shard;
pub(in crate::cli) mod trigger;
mod wire;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::change::base::{Commit, Trigger, decide};
use crate::change::{Change, Tree};
use crate::cli::configured;
use crate::cli::flakes::rules::from_base;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::cli::trouble::no_repository;
use crate::conduct::bases::{Found, NoBase, Reach, Search};
use crate::conduct::graphs::Kept;
use crate::conduct::imports::Imports;
use crate::conduct::planner::{self, Planner};
use crate::conduct::readers::Mentions;
use crate::config::ConfigFile;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::gate::comment::JobLine;
use crate::gate::compare::Planned;
use crate::plan::assess::Reason;
use crate::plan::matrix::MOST_JOBS;
use crate::plan::past::Past;
use crate::plan::sources::join;
use crate::ports::{Checkout, GitError};
use crate::state::StateError;
use settings::PlanSettings;
use trigger::occasion;
use wire::{Decided, Ends};

#[cfg(test)]
pub(crate) use explain::PlanExplainDocument;
#[cfg(test)]
pub(crate) use lint::PlanLintDocument;
#[cfg(test)]
pub(crate) use replay::PlanReplayDocument;
#[cfg(test)]
pub(crate) use shard::PlanShardDocument;
pub(crate) use wire::PlanDocument;

/// Say which jobs a change needs, and why
///
/// Reads the projects of both commits from git: no checkout, no installation, no network. Whatever cannot be known runs everything,
/// and says so. Without `enforce: [plan]` in the configuration every job runs, and the plan says which would have been skipped.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "\
Examples:
  What this branch affects
    $ maestro plan

  What the last commit affects, for a program
    $ maestro plan --base HEAD~1 --format json"
)]
pub(crate) struct PlanArgs {
    #[command(subcommand)]
    command: Option<PlanCommand>,

    #[command(flatten)]
    make: MakeArgs,
}

#[derive(Debug, clap::Subcommand)]
enum PlanCommand {
    Explain(explain::ExplainArgs),
    Lint(lint::LintArgs),
    Replay(replay::ReplayArgs),
    Shard(shard::ShardArgs),
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct MakeArgs {
    /// Compare with where the head left this revision, instead of what the event or the remote's default branch says
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Plan this commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,

    /// Plan the files as they stand, committed or not
    #[arg(long, conflicts_with_all = ["head", "files_from"])]
    worktree: bool,

    /// Take the changed paths from this file, or from standard input (`-`): from the top, each ended by NUL or a line break
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    files_from: Option<PathBuf>,

    /// Skip what is not affected, whatever the configuration enforces
    #[arg(long)]
    enforce: bool,

    /// Fetch nothing, even where a clone has too little of the past
    #[arg(long)]
    no_fetch: bool,
}

pub(crate) fn run(session: &mut Session<'_>, args: &PlanArgs) -> CommandResult {
    match &args.command {
        Some(PlanCommand::Explain(args)) => return explain::run(session, args),
        Some(PlanCommand::Lint(args)) => return lint::run(session, args),
        Some(PlanCommand::Replay(args)) => return replay::run(session, args),
        Some(PlanCommand::Shard(args)) => return shard::run(session, args),
        None => {}
    }
    let mut desk = Desk::open(session, &args.make)?;
    let mut made = desk.make(session, &args.make)?;
    session.give_back(desk.planner);
    if session.var("GITHUB_OUTPUT").is_some() {
        made.document.trusted = trusted(session, args.make.no_fetch);
    }
    session.render(&made.document)?;
    for reason in &made.loud {
        session
            .ui
            .warn(&format!("everything runs: {}", reason.detail));
    }
    // A plan that cannot be kept is a plan all the same.
    if let Err(error) = record::record(session, &made.document) {
        session
            .ui
            .warn(&format!("the plan is not kept: {:#}", error.error));
    }
    session.forget_readers();
    Ok(ExitCode::Success)
}

/// A plan that was made anew, for whoever holds what ran against it.
pub(in crate::cli) struct Fresh {
    pub(in crate::cli) head: String,
    pub(in crate::cli) planned: Vec<Planned>,
    /// What becomes of each job, and why.
    pub(in crate::cli) lines: Vec<JobLine>,
    /// How many jobs the change selects.
    pub(in crate::cli) selected: u64,
    /// Why everything runs, where no changed file explains it.
    pub(in crate::cli) loud: Vec<String>,
}

/// Plans anew; nothing is printed and nothing is kept.
pub(in crate::cli) fn afresh(
    session: &mut Session<'_>,
    base: Option<&str>,
    no_fetch: bool,
) -> Result<Fresh, CommandError> {
    let args = MakeArgs {
        base: base.map(str::to_owned),
        head: "HEAD".to_owned(),
        worktree: false,
        files_from: None,
        enforce: false,
        no_fetch,
    };
    let mut desk = Desk::open(session, &args)?;
    let made = desk.make(session, &args)?;
    session.give_back(desk.planner);
    let legs = made.document.legs_of_jobs();
    let jobs = made.document.jobs.iter();
    let planned = jobs.map(|job| Planned {
        id: job.id.clone(),
        run: job.run,
        legs: legs.get(&job.id).copied().unwrap_or(0),
    });
    let planned = planned.collect();
    let jobs = &made.document.jobs;
    let lines = jobs.iter().map(|job| JobLine {
        id: job.id.clone(),
        run: job.run,
        why: job.detail.clone(),
    });
    Ok(Fresh {
        planned,
        lines: lines.collect(),
        selected: jobs.iter().filter(|job| job.selected).count() as u64,
        head: made.document.head,
        loud: made.loud.into_iter().map(|reason| reason.detail).collect(),
    })
}

/// Returns the quarantine of the branch that the change goes to, for jobs that hold no credentials; nothing where it cannot be had, or is
/// too long: then they forgive nothing.
fn trusted(session: &mut Session<'_>, no_fetch: bool) -> String {
    match from_base(session, None, !no_fetch) {
        Ok(rules) => rules.text().unwrap_or_else(|| {
            let words = "the quarantine is too long for an output: jobs without credentials forgive nothing";
            session.ui.warn(words);
            String::new()
        }),
        Err(error) => {
            let words = format!("no quarantine is handed on, so that nothing is forgiven: {:#}", error.error);
            session.ui.warn(&words);
            String::new()
        }
    }
}

/// A plan, and what a person should not overlook.
struct Made {
    document: PlanDocument,
    /// Reasons that no changed file explains.
    loud: Vec<Reason>,
}

fn git_trouble(error: GitError) -> CommandError {
    StateError::from(error).into()
}

/// All that plans are made with: the repository, the configuration, the event.
struct Desk<'w> {
    planner: Planner<'w>,
    settings: PlanSettings,
    occasion: trigger::Occasion,
    head: Commit,
    /// What earlier runs say.
    past: Past,
}

impl<'w> Desk<'w> {
    fn open(session: &mut Session<'w>, args: &MakeArgs) -> Result<Self, CommandError> {
        let mut desk = Self::bare(session, args)?;
        let checkout = session.checkout.as_ref().map_err(no_repository)?.clone();
        let object = desk.head.object.clone();
        let config = committed_config(session, &mut desk.planner, &checkout, &object)?;
        desk.settle(session, config.as_ref().unwrap_or(&session.config))?;
        let has_choice = desk
            .settings
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.len() > 1);
        let asks = matches!(desk.occasion.trigger, Trigger::Push { .. });
        if has_choice || asks {
            desk.past = past::load(session);
        }
        Ok(desk)
    }

    /// Opens one with a configuration that need not be the repository's; nothing is known of the past.
    fn of(
        session: &mut Session<'w>,
        args: &MakeArgs,
        config: &ConfigFile,
    ) -> Result<Self, CommandError> {
        let mut desk = Self::bare(session, args)?;
        desk.settle(session, config)?;
        Ok(desk)
    }

    fn bare(session: &mut Session<'w>, args: &MakeArgs) -> Result<Self, CommandError> {
        let occasion = occasion(session);
        let mut planner = session.reader(!args.no_fetch)?;
        let head = planner.commit(&args.head).map_err(git_trouble)?;
        let head = head.ok_or_else(|| not_found(&args.head))?;
        let settings = settings::read(session, &ConfigFile::default())?;
        Ok(Self {
            planner,
            settings,
            occasion,
            head,
            past: Past::default(),
        })
    }

    /// Takes over what a configuration says, and what was found before.
    fn settle(&mut self, session: &Session<'_>, config: &ConfigFile) -> Result<(), CommandError> {
        self.settings = settings::read(session, config)?;
        self.planner
            .set_components(self.settings.components.clone());
        load_cache(session, &mut self.planner);
        Ok(())
    }

    fn make(&mut self, session: &mut Session<'_>, args: &MakeArgs) -> Result<Made, CommandError> {
        let mut trigger = self.occasion.trigger.clone();
        if session.is_disabled() {
            trigger = Trigger::Disabled;
        }
        let given = args.base.as_deref().filter(|base| !base.is_empty());
        let found = if args.files_from.is_some() && trigger != Trigger::Disabled {
            Found::Commits {
                base: None,
                bases: Vec::new(),
            }
        } else {
            let base = decide(given, &trigger, &self.head);
            search(
                session,
                args,
                &mut self.planner,
                &base,
                (&self.head, &self.past),
            )?
        };
        let (base, bases, reason) = match found {
            Found::Commits { base, bases } => (base, bases, None),
            Found::Everything(reason) => (None, Vec::new(), Some(reason)),
        };
        let base_ids: Vec<String> = bases.iter().map(|commit| commit.object.clone()).collect();
        let planner = &mut self.planner;
        let after = if args.worktree {
            check_work_tree(session)?;
            planner
                .history
                .tree_of_work(&planner.folder)
                .map_err(git_trouble)?
        } else {
            self.head.object.clone()
        };
        let (tree, mut diffs) = planner.changes(&base_ids, &after).map_err(git_trouble)?;
        if let Some(file) = &args.files_from {
            diffs.push(given_changes(session, file, &tree)?);
        }
        let mut outcome = planner
            .plan(tree, diffs, &self.settings.rules)
            .map_err(git_trouble)?;
        let loud: Vec<Reason> = reason.iter().cloned().collect();
        outcome.assessment.reasons.splice(0..0, reason);
        keep_cache(session, &self.planner);
        let ends = Ends {
            base,
            head: after,
            merge_bases: base_ids,
        };
        let jobs = self.settings.jobs.as_deref_mut().unwrap_or_default();
        let state = if jobs
            .iter()
            .any(|job| job.shards.is_some() || job.auto_shards)
        {
            shard::fill_auto(session, jobs);
            shard::now(session)
        } else {
            None
        };
        let mut document = document(
            &outcome,
            &self.settings,
            &self.occasion.situation,
            args.enforce,
            (ends, &self.past),
        );
        document.state = state;
        check_size(&document)?;
        Ok(Made { document, loud })
    }
}

fn document(
    planned: &planner::Planned,
    settings: &PlanSettings,
    situation: &crate::plan::jobs::Situation,
    enforce: bool,
    (ends, past): (Ends, &Past),
) -> PlanDocument {
    let old_graphs: Vec<_> = planned
        .before
        .iter()
        .map(|before| before.snapshot.graph.as_ref())
        .collect();
    PlanDocument::new(&Decided {
        ends,
        graph: &planned.after.graph,
        old_graphs: &old_graphs,
        assessment: &planned.assessment,
        jobs: settings.jobs.as_deref(),
        situation,
        enforced: settings.enforced || enforce,
        likelihood: &past.likelihood,
    })
}

fn search(
    session: &mut Session<'_>,
    args: &MakeArgs,
    planner: &mut Planner<'_>,
    base: &crate::change::base::Base,
    (head, past): (&Commit, &Past),
) -> Result<Found, CommandError> {
    let remote = session.reach(!args.no_fetch);
    let mut said = Vec::new();
    let mut last_green = |branch: &str| {
        let stored = || past.last_green(branch, &head.object).map(str::to_owned);
        last_green::of(session, branch, head).or_else(stored)
    };
    let mut search = Search {
        planner,
        reach: Reach {
            remote,
            deadline: Duration::from_secs(FETCH_SECONDS),
        },
        last_green: &mut last_green,
        say: &mut |words| said.push(words.to_owned()),
    };
    let found = search.find(base, head);
    for words in said {
        session.ui.status(&words);
    }
    found.map_err(|why| why.reported(""))
}

impl Reported for NoBase {
    fn reported(self, _of: &str) -> CommandError {
        match self {
            Self::NotFound(revision) => not_found(&revision),
            Self::Git(error) => git_trouble(error),
        }
    }
}

/// A server that says nothing for so long is given up.
const FETCH_SECONDS: u64 = 60;

pub(in crate::cli) fn not_found(revision: &str) -> CommandError {
    let message = format!("there is no commit `{revision}`");
    let error = CommandError::message(ErrorKind::NotFound, message);
    if revision == "HEAD" {
        return error.hint("nothing is committed yet: make a first commit");
    }
    error.hint(
        "name a commit, branch or tag that this clone has; `git fetch` brings what it has not",
    )
}

/// A bare repository has its configuration in the planned commit.
fn committed_config(
    session: &mut Session<'_>,
    planner: &mut Planner<'_>,
    checkout: &Checkout,
    head: &str,
) -> Result<Option<ConfigFile>, CommandError> {
    if checkout.top.is_some() || session.config_path.is_some() {
        return Ok(None);
    }
    let name = format!("{head}:.maestro/maestro.yaml");
    let mut text = None;
    let read = planner
        .objects
        .read(std::slice::from_ref(&name), &mut |_, object| {
            text = object.and_then(|object| String::from_utf8(object.bytes).ok());
        });
    read.map_err(git_trouble)?;
    let path = ".maestro/maestro.yaml";
    let config = text.map(|text| configured::trusted(session, text.as_bytes(), path, true));
    config.transpose()
}

/// Reads the changed paths that somebody gives. What they were before is not known: each counts as new.
fn given_changes(
    session: &Session<'_>,
    file: &Path,
    tree: &Tree,
) -> Result<Vec<Change>, CommandError> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        let mut stdin = session.world.files.stdin();
        stdin
            .read_to_end(&mut bytes)
            .map_err(|error| CommandError::reading(file, error))?;
    } else {
        let path = session.base.join(file);
        let mut opened = session
            .world
            .files
            .open(&path)
            .map_err(|error| CommandError::reading(&path, error))?;
        opened
            .read_to_end(&mut bytes)
            .map_err(|error| CommandError::reading(&path, error))?;
    }
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    let paths = bytes.split(|byte| *byte == end).map(|path| match path {
        // Windows ends lines with two characters.
        [line @ .., b'\r'] if end == b'\n' => line,
        path => path,
    });
    let changes = paths.filter(|path| !path.is_empty()).map(|path| {
        let text = String::from_utf8_lossy(path).into_owned();
        // `./a` and `b/../a` are names of `a`.
        let text = join("", &text).unwrap_or(text);
        Change {
            is_text: std::str::from_utf8(path).is_ok(),
            old: None,
            new: tree.get(&text).map(|one| one.entry()),
            path: text,
        }
    });
    Ok(changes.collect())
}

fn check_work_tree(session: &Session<'_>) -> Result<(), CommandError> {
    let checkout = session.checkout.as_ref();
    if checkout.is_ok_and(|checkout| checkout.top.is_none()) {
        let message = "a bare repository has no files as they stand";
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("leave --worktree away, or run it in a work tree"));
    }
    Ok(())
}

/// What needs runners of its own cannot share a line.
fn check_size(document: &PlanDocument) -> Result<(), CommandError> {
    let lines = document.lines();
    if lines <= MOST_JOBS {
        return Ok(());
    }
    let message = format!(
        "the jobs need {lines} different runners, and a matrix has at most {MOST_JOBS} lines"
    );
    Err(CommandError::message(ErrorKind::BadConfig, message)
        .hint("legs that share a runner are put together: give more of them the same `runs_on` and `services`"))
}

/// Where plans keep what they found, below the state's folder.
const CACHE: &str = "cache";

/// What Rust sources mention, by blob.
const MENTIONS: &str = "rust-mentions";

/// What Go sources import, by blob.
const IMPORTS: &str = "go-imports";

/// Graphs, by the manifests that they were read from.
const GRAPHS: &str = "graphs";

fn load_cache(session: &Session<'_>, planner: &mut Planner<'_>) {
    let Ok(state) = session.state() else { return };
    let read = |name: &str| {
        let path = state.root().join(CACHE).join(name);
        let mut file = session.world.files.open(&path).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        Some(text)
    };
    planner.mentions = Mentions::parse(read(MENTIONS).as_deref().unwrap_or_default());
    planner.imports = Imports::parse(read(IMPORTS).as_deref().unwrap_or_default());
    planner.kept = Kept::parse(read(GRAPHS).unwrap_or_default());
}

/// What was found is found again if it cannot be kept.
fn keep_cache(session: &Session<'_>, planner: &Planner<'_>) {
    let Ok(state) = session.state() else { return };
    let folder = state.root().join(CACHE);
    let files = session.world.files.as_ref();
    let keep = |name: &str, text: &str| {
        if files.create_folder(&folder).is_ok() {
            let _found_again = files.write_atomic(&folder.join(name), &mut |out| {
                out.write_all(text.as_bytes())
            });
        }
    };
    if planner.mentions.is_new {
        keep(MENTIONS, &planner.mentions.text());
    }
    if planner.imports.is_new {
        keep(IMPORTS, &planner.imports.text());
    }
    if planner.kept.is_new() {
        keep(GRAPHS, &planner.kept.text());
    }
}
