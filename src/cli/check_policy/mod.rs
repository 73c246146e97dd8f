//! `maestro check-policy`: whether a change may go in.

pub(super) mod agents;
pub(in crate::cli) mod asked;
mod input;
mod record;
mod source;
pub(in crate::cli) mod supplied;
pub(super) mod violations;
pub(super) mod wire;

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::change::base::{Base, Commit, Trigger, decide};
use crate::change::lines::{compare, is_binary};
use crate::change::{Change, Tree};
use crate::cli::plan::not_found;
use crate::cli::plan::trigger::{occasion, payload};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::bases::{Found, Reach, Search};
use crate::conduct::changed::{self, Changed};
use crate::conduct::planner::Planner;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::policy::baseline;
use crate::policy::engine::{Judgement, Outcome, judge};
use crate::policy::subject::{AddedLine, FileLines, Subject};
use crate::policy::task::Task;
use crate::policy::task::TaskProblem;
use crate::ports::GitError;
use crate::state::StateError;
use crate::supply::{Supplied, is_lock};
use asked::Told;
use input::PolicyInputDocument as InputDocument;
pub(in crate::cli) use source::{Loaded, built_in, of_base};
use supplied::ReportArgs;
use wire::{Made, PolicyRow};

#[cfg(test)]
pub(crate) use input::PolicyInputDocument;
pub(crate) use wire::CheckPolicyDocument;

/// A server that says nothing for so long is given up.
const FETCH_SECONDS: u64 = 60;

/// No task is longer.
const LONGEST_TASK: u64 = 4 * 1024 * 1024;

/// Say whether a change may go in, and what stops it
///
/// Judges by the policy at the tip of the branch that the change goes to (`.maestro/policy.yaml`; on your machine by the one where the head left the
/// remote's default branch), never by the change's own. Without one the built-in policy counts, and stops nothing unless `enforce: [policy]` says so. A
/// change to `.maestro/` needs a person in every policy. Exits with 10 when something blocks, or when a person has to approve the head first and nobody
/// did.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Judge what this branch changes
    $ maestro check-policy

  Try a policy out on the last commit, for a program
    $ maestro check-policy --policy policy.yaml --base HEAD~1 --format json")]
pub(crate) struct CheckPolicyArgs {
    /// Compare with where the head left this revision, and take the policy from it, instead of what the event or the remote's default branch says
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Judge this commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,

    /// Judge this task of an agent: the files that it means to change or, with --base, what it did
    #[arg(long, value_name = "FILE")]
    task: Option<PathBuf>,

    /// Judge by this policy, to try it out; nothing is stored
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    #[command(flatten)]
    mode: ModeArgs,

    /// Write a baseline of what is there today to this file
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,

    /// Fetch nothing, even where a clone has too little of the past
    #[arg(long)]
    no_fetch: bool,

    #[command(flatten)]
    reports: ReportArgs,
}

/// What becomes of the outcome.
#[derive(Debug, Clone, Default, clap::Args)]
struct ModeArgs {
    /// Let the outcome count, whatever the configuration enforces
    #[arg(long)]
    enforce: bool,

    /// Judge, but store nothing and exit with 0
    #[arg(long)]
    dry_run: bool,

    /// Print what would be judged instead of judging it
    #[arg(long)]
    explain_input: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &CheckPolicyArgs) -> CommandResult {
    if session
        .var("MAESTRO_DISABLE")
        .is_some_and(|value| value != "0" && value != "false")
    {
        session
            .ui
            .warn("MAESTRO_DISABLE is set: the policy is not judged");
        session.render(&CheckPolicyDocument::disabled())?;
        return Ok(ExitCode::Success);
    }
    let looked = look(session, args)?;
    if args.mode.explain_input {
        let subject = Subject {
            changes: &looked.scene.changed.changes,
            lines: &lines(&looked.scene.changed),
            asked: &looked.told.asked,
            supplied: looked.supplied.as_ref(),
            today: today(session),
        };
        let ends = (looked.scene.bases.clone(), looked.scene.head.clone());
        let document = InputDocument::new(PolicyRow::new(&looked.loaded), ends, &subject);
        session.render(&document)?;
        return Ok(ExitCode::Success);
    }
    answer(session, args, looked)
}

fn today(session: &Session<'_>) -> jiff::civil::Date {
    session.now().to_zoned(TimeZone::UTC).date()
}

/// What was judged, by what, and what came of it.
struct Looked {
    loaded: Loaded,
    judgement: Judgement,
    scene: Scene,
    told: Told,
    task: Option<Task>,
    supplied: Option<Supplied>,
}

/// Judges the change that the run is about, as the command does without arguments; nothing is printed and nothing is kept.
pub(in crate::cli) fn verdict(
    session: &mut Session<'_>,
    base: Option<&str>,
    no_fetch: bool,
) -> Result<CheckPolicyDocument, CommandError> {
    let args = CheckPolicyArgs {
        base: base.map(str::to_owned),
        head: "HEAD".to_owned(),
        task: None,
        policy: None,
        mode: ModeArgs::default(),
        write_baseline: None,
        no_fetch,
        reports: ReportArgs::default(),
    };
    let looked = look(session, &args)?;
    Ok(looked.document(&args))
}

impl Looked {
    fn document(self, args: &CheckPolicyArgs) -> CheckPolicyDocument {
        CheckPolicyDocument::new(Made {
            loaded: &self.loaded,
            judgement: &self.judgement,
            enforced: (self.loaded.enforced || args.mode.enforce) && !args.mode.dry_run,
            files: self.scene.changed.changes.len() as u64,
            merge_bases: self.scene.bases,
            head: self.scene.head,
            task: self.task.map(|task| task.id),
            pull_request: self.told.asked.number,
        })
    }
}

/// Reads what is judged, and judges it.
fn look(session: &mut Session<'_>, args: &CheckPolicyArgs) -> Result<Looked, CommandError> {
    let given = supplied::read(session, &args.reports)?;
    let task = args
        .task
        .as_ref()
        .map(|path| read_task(session, path))
        .transpose()?;
    let base = args.base.as_deref().filter(|base| !base.is_empty());
    let scene = scene(session, (&args.head, args.no_fetch), base, task.as_ref())?;
    let is_local = occasion(session).trigger == Trigger::Local;
    // A person's change is judged by what it left, also where there is no remote to ask.
    let of = base.or_else(|| scene.bases.first().map(String::as_str).filter(|_| is_local));
    let loaded = match &args.policy {
        Some(path) => source::given(session, path, !args.no_fetch)?,
        None => of_base(session, of, !args.no_fetch)?,
    };
    let lines = lines(&scene.changed);
    let supplied = with_locks(session, args, (&loaded, &scene), given, &lines)?;
    let mut told = asked::told(session);
    if let Some(task) = &task {
        told.of_task(task);
    }
    let changes = &scene.changed.changes;
    let today = today(session);
    let judged = |told: &mut Told| {
        asked::complete(&mut told.asked, &loaded.policy);
        let subject = Subject {
            changes,
            lines: &lines,
            asked: &told.asked,
            supplied: supplied.as_ref(),
            today,
        };
        judge(&loaded.policy, &loaded.baseline, &subject, task.as_ref())
    };
    if told.is_unknown() {
        asked::ask_github(session, &mut told);
        told.fear_the_worst();
    }
    if has_rule(&loaded, "budget") {
        told.asked.spent = asked::spent(session, told.asked.number, loaded.commit.as_deref());
    }
    let mut judgement = judged(&mut told);
    // Where nothing hangs on it nobody is asked who approved.
    if judgement.outcome >= Outcome::Review || has_rule(&loaded, "human-approval") {
        asked::ask_github(session, &mut told);
        judgement = judged(&mut told);
    }
    drop(lines);
    Ok(Looked {
        loaded,
        judgement,
        scene,
        told,
        task,
        supplied,
    })
}

/// Adds what lock files name to what was given, where a rule asks for it.
fn with_locks(
    session: &mut Session<'_>,
    args: &CheckPolicyArgs,
    (loaded, scene): (&Loaded, &Scene),
    given: Option<Supplied>,
    lines: &[FileLines<'_>],
) -> Result<Option<Supplied>, CommandError> {
    if !OF_PACKAGES.iter().any(|rule| has_rule(loaded, rule)) {
        return Ok(given);
    }
    let unchanged = with_planner(session, args.no_fetch, |_, planner, _| {
        changed::left_alone(planner, &scene.head, &scene.changed, is_lock).map_err(git_trouble)
    })?;
    supplied::add_locks(session, given, lines, &unchanged).map(Some)
}

/// Rules that ask which packages a change brings along.
const OF_PACKAGES: [&str; 3] = ["licences", "new-dependencies", "vulnerabilities"];

fn has_rule(loaded: &Loaded, name: &str) -> bool {
    loaded
        .policy
        .entries
        .iter()
        .any(|entry| entry.rule.name == name)
}

/// Saves, renders and answers.
fn answer(session: &mut Session<'_>, args: &CheckPolicyArgs, looked: Looked) -> CommandResult {
    if let Some(path) = &args.write_baseline {
        write_baseline(session, path, &looked.judgement)?;
    }
    let document = looked.document(args);
    session.render(&document)?;
    // A verdict that cannot be kept is a verdict all the same.
    if !args.mode.dry_run
        && args.policy.is_none()
        && let Err(error) = record::record(session, &document)
    {
        session
            .ui
            .warn(&format!("the verdict is not kept: {:#}", error.error));
    }
    match document.complaint() {
        Some(complaint) if document.enforced => Err(complaint),
        Some(complaint) => {
            session
                .ui
                .warn(&format!("not enforced: {:#}", complaint.error));
            Ok(ExitCode::Success)
        }
        None => Ok(ExitCode::Success),
    }
}

fn read_task(session: &Session<'_>, path: &std::path::Path) -> Result<Task, CommandError> {
    let failed = |error| CommandError::reading(path, error);
    let file = session
        .world
        .files
        .open(&session.base.join(path))
        .map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_TASK)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Task::read(&bytes).map_err(|problem| problem.reported(&path.display().to_string()))
}

impl Reported for TaskProblem {
    fn reported(self, of: &str) -> CommandError {
        CommandError::message(ErrorKind::BadInput, format!("`{of}`: {self}"))
            .hint("`maestro util schema policy-task` prints what may stand where")
    }
}

fn write_baseline(
    session: &mut Session<'_>,
    path: &std::path::Path,
    judgement: &Judgement,
) -> Result<(), CommandError> {
    let (file, left) = baseline::of(&judgement.violations, violations::shown);
    let mut text = crate::json::pretty(&file).map_err(CommandError::internal)?;
    text.push('\n');
    let to = session.base.join(path);
    let written = session
        .world
        .files
        .write_atomic(&to, &mut |out| out.write_all(text.as_bytes()));
    written.map_err(|error| CommandError::writing(&to, error))?;
    if left > 0 {
        session.ui.warn(&format!("{left} violations stay: no baseline forgives what a change itself does, secrets, or what is locked"));
    }
    Ok(())
}

/// What is judged.
pub(in crate::cli) struct Scene {
    pub(in crate::cli) bases: Vec<String>,
    pub(in crate::cli) head: String,
    pub(in crate::cli) changed: Changed,
}

pub(in crate::cli) fn git_trouble(error: GitError) -> CommandError {
    StateError::from(error).into()
}

/// Reads what changed up to a head; nothing is fetched where that is not wanted.
pub(in crate::cli) fn scene(
    session: &mut Session<'_>,
    (head, no_fetch): (&str, bool),
    base: Option<&str>,
    task: Option<&Task>,
) -> Result<Scene, CommandError> {
    with_planner(session, no_fetch, |session, planner, remote| {
        scene_of(session, head, (base, task), planner, remote)
    })
}

fn scene_of(
    session: &mut Session<'_>,
    head: &str,
    (base, task): (Option<&str>, Option<&Task>),
    planner: &mut Planner<'_>,
    remote: Option<&str>,
) -> Result<Scene, CommandError> {
    let named = head;
    let head = planner.commit(named).map_err(git_trouble)?;
    let head = head.ok_or_else(|| not_found(named))?;
    if let Some(task) = task.filter(|_| base.is_none()) {
        let tree = planner.list(&head.object).map_err(git_trouble)?;
        return Ok(Scene {
            bases: Vec::new(),
            head: head.object,
            changed: Changed::planned(planned(task, &tree)),
        });
    }
    let bases = bases(session, planner, (base, &head), remote.map(str::to_owned))?;
    let changed = changed::read(planner, &bases, &head.object).map_err(git_trouble)?;
    Ok(Scene {
        bases,
        head: head.object,
        changed,
    })
}

/// Looks into the repository.
pub(in crate::cli) fn with_planner<T>(
    session: &mut Session<'_>,
    no_fetch: bool,
    look: impl FnOnce(&mut Session<'_>, &mut Planner<'_>, Option<&str>) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let remote = session.reach(!no_fetch);
    let mut planner = session.reader(!no_fetch)?;
    let found = look(session, &mut planner, remote.as_deref())?;
    session.give_back(planner);
    Ok(found)
}

fn planned(task: &Task, tree: &Tree) -> Vec<Change> {
    task.planned(|path| tree.get(path).map(|listed| listed.entry()))
}

/// Finds the commits that the change is held against.
fn bases(
    session: &mut Session<'_>,
    planner: &mut Planner<'_>,
    (given, head): (Option<&str>, &Commit),
    remote: Option<String>,
) -> Result<Vec<String>, CommandError> {
    let trigger = occasion(session).trigger;
    let base = match (&trigger, given) {
        // What a push brought is what is new on its branch, not what differs from something that passed.
        (Trigger::Push { .. }, None) => match pushed_onto(session) {
            Some(before) => Base::Commit(before),
            None => decide(None, &trigger, head),
        },
        _ => decide(given, &trigger, head),
    };
    let mut said = Vec::new();
    let mut search = Search {
        planner,
        reach: Reach {
            remote,
            deadline: Duration::from_secs(FETCH_SECONDS),
        },
        last_green: &mut |_| None,
        say: &mut |words| said.push(words.to_owned()),
    };
    let found = search.find(&base, head);
    for words in said {
        session.ui.status(&words);
    }
    let found = found.map_err(|why| why.reported(""))?;
    match found {
        Found::Commits { bases, .. } => Ok(bases.into_iter().map(|commit| commit.object).collect()),
        Found::Everything(reason) => {
            let message = format!("nobody knows what the change is: {}", reason.detail);
            Err(CommandError::message(ErrorKind::Unavailable, message)
                .hint("name what it is compared with: `--base REV`"))
        }
    }
}

/// Returns what a branch was before a push; nothing for a new one.
fn pushed_onto(session: &Session<'_>) -> Option<String> {
    let before = payload(session)?.before?;
    before.bytes().any(|byte| byte != b'0').then_some(before)
}

/// Returns what changed inside each file, in order of path.
pub(in crate::cli) fn lines(changed: &Changed) -> Vec<FileLines<'_>> {
    let all = changed.changes.iter().map(|change| {
        let (old, new) = (
            changed.content(change.old.as_ref()),
            changed.content(change.new.as_ref()),
        );
        let is_binary = is_binary(old.unwrap_or_default()) || is_binary(new.unwrap_or_default());
        let found = if is_binary {
            crate::change::lines::Difference::default()
        } else {
            compare(old.unwrap_or_default(), new.unwrap_or_default())
        };
        let added = found
            .added
            .into_iter()
            .map(|(number, text)| AddedLine { number, text });
        FileLines {
            path: change.path.clone(),
            is_binary,
            added: added.collect(),
            deleted: found.deleted,
            old,
            new,
        }
    });
    all.collect()
}
