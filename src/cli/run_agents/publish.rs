//! `maestro run-agents publish`: a bundle's change becomes one draft pull request, or nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folder::{Taken, read};
use super::places::{bring, remote, tip, web};
use super::publish_wire::{Made, PublishDocument};
use crate::agents::bundle::{Bundle, PACK};
use crate::agents::commits::Commit;
use crate::agents::preflight::{Notice, Weight as NoticeWeight};
use crate::agents::pull_request::{self, Around, Words};
use crate::agents::scan::{self, Found, Outgoing, Text, TextKind};
use crate::agents::trailers::{self, Trailers};
use crate::cli::check_policy::agents::{Change, Judged, judge};
use crate::cli::github::GithubArgs;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::conduct::deliver::{
    Branch, Delivered, Delivery, PullStep, Pushed, Trouble, Via, preflight, unpack,
};
use crate::conduct::github::GitHub;
use crate::conduct::identity::{Whose, me};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::forge::api::issues;
use crate::order;
use crate::policy::Weight;
use crate::policy::engine::Outcome;
use crate::policy::subject::{Asked, Spent};
use crate::ports::Files;
use crate::ports::git::Store;
use crate::state::StateError;

/// Publish what agents did as one draft pull request
///
/// Reads the bundle that a run left (`run-agents --bundle DIR`) as data that nobody vouches for: every file by its digest, every object by git's own check,
/// every commit by whose it is. Judges the change by the policy at the tip of the base branch, looks over everything that would leave, pushes the branch
/// `maestro/<issue or run>-<title>` and keeps one draft pull request on it. Runs no code of the change and needs no checkout of it; done twice, it is
/// done once. Exits with 10, and pushes nothing, when the policy or the scan blocks. Where the token may not open pull requests, the branch is pushed and a link
/// opens it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what would be pushed, and the pull request's text
    $ maestro run-agents publish bundle --dry-run

  The same, for a program
    $ maestro run-agents publish bundle --dry-run --format json")]
pub(crate) struct PublishArgs {
    /// The folder that a run left
    #[arg(value_name = "DIR")]
    bundle: PathBuf,

    #[command(flatten)]
    github: GithubArgs,

    /// How the commits come onto their branch
    #[arg(long, value_enum, default_value_t = ViaArg::Git)]
    via: ViaArg,

    /// Give the pull request a label (can be repeated)
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,

    /// Let findings of a scan's rule through, as warnings (`blob`, `host`, `instructions`, `phones-home`, `unseen`; can be repeated)
    #[arg(long, value_name = "RULE", value_parser = clap::builder::PossibleValuesParser::new(scan::allowable()))]
    allow: Vec<String>,

    /// Say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// How the commits come onto their branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ViaArg {
    /// By a push: every commit as it is.
    Git,
    /// By GitHub's API: one commit, which GitHub signs where the token is a workflow's or an app's.
    Api,
}

/// A folder that is gone with its value.
struct Scratch<'w> {
    files: &'w dyn Files,
    folder: PathBuf,
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        let _may_stay = self.files.remove_folder(&self.folder);
    }
}

/// What is known of the change.
struct Scene<'w> {
    store: Store,
    _scratch: Scratch<'w>,
    judged: Judged,
    found: Vec<Found>,
}

pub(super) fn run(session: &mut Session<'_>, args: &PublishArgs) -> CommandResult {
    let read = read(session, &args.bundle)?;
    let bundle = &read.bundle;
    same_issue(session, bundle)?;
    let found = session.wanted_github(&args.github, args.dry_run, "publishing")?;
    let mut notices = Vec::new();
    if let Some((github, whose)) = &found {
        notices = preflight(github, whose)?;
        tell(session, &notices)?;
    }
    let github = found.as_ref().map(|(github, _)| github);
    let branch = match github {
        Some(github) => Branch::look(github, bundle)?,
        None => Branch {
            name: pull_request::branch(bundle),
            tip: None,
        },
    };
    let scene = scene(session, args, &read, github, &branch)?;
    let words = words(session, bundle, &scene, github);
    let mut made = Made {
        bundle,
        dry_run: args.dry_run,
        repository: github.map(|github| github.repository.to_string()),
        branch: branch.name.clone(),
        words: &words,
        judged: &scene.judged,
        found: &scene.found,
        notices: &notices,
        delivered: None,
        open_url: None,
    };
    if let Some(stop) = stop(&args.bundle, &scene) {
        session.render(&PublishDocument::new(&made))?;
        return Err(stop);
    }
    let Some((github, whose)) = found.as_ref().filter(|_| !args.dry_run) else {
        session.render(&PublishDocument::new(&made))?;
        return Ok(ExitCode::Success);
    };
    let delivered = deliver(
        session,
        args,
        (github, whose),
        &scene,
        (bundle, &words, branch),
    )?;
    if delivered.pushed == Pushed::Foreign {
        return Err(foreign(&made.branch, &delivered));
    }
    if let PullStep::Link(why) = &delivered.step {
        let web = web(session, github);
        let repository = github.repository.to_string();
        let base = &bundle.base.branch;
        let link = pull_request::open_link(&web, &repository, base, &made.branch, &words);
        session.ui.warn(&format!(
            "the branch is pushed, and the pull request is not open: {why}"
        ));
        session.ui.hint(&why.hint());
        session.ui.hint(&format!("open it here: {link}"));
        made.open_url = Some(link);
    }
    if let Some(why) = &delivered.no_labels {
        session.ui.warn(&format!("the labels are missing: {why}"));
        session.ui.hint(&why.hint());
    }
    super::kept::delivered(session, bundle, &delivered)?;
    made.delivered = Some(delivered);
    session.render(&PublishDocument::new(&made))?;
    Ok(ExitCode::Success)
}

/// Tells what was found out before; ends where nothing can be published.
fn tell(session: &mut Session<'_>, notices: &[Notice]) -> Result<(), CommandError> {
    for notice in notices {
        match notice.weight {
            NoticeWeight::Stop => {
                return Err(
                    CommandError::message(ErrorKind::Permission, notice.message).hint(notice.hint)
                );
            }
            NoticeWeight::Warning => {
                session.ui.warn(notice.message);
                session.ui.hint(notice.hint);
            }
            NoticeWeight::Note => session
                .ui
                .hint(&format!("{}; {}", notice.message, notice.hint)),
        }
    }
    Ok(())
}

fn foreign(branch: &str, delivered: &Delivered) -> CommandError {
    let tip = delivered.commit.get(..12).unwrap_or(&delivered.commit);
    let message = format!(
        "somebody else has pushed to `{branch}` (commit {tip}): nothing is written over it"
    );
    CommandError::message(ErrorKind::Permission, message)
        .hint("merge or close its pull request and delete the branch, then publish again")
}

/// Returns why nothing may leave.
fn stop(folder: &Path, scene: &Scene<'_>) -> Option<CommandError> {
    let shown = folder.display();
    if scene.judged.judgement.outcome == Outcome::Blocked {
        let mut violations = scene.judged.judgement.violations.iter();
        let first = violations.find(|one| one.forgiven.is_none() && one.weight == Weight::Block);
        let message = format!("the policy blocks the change in `{shown}`: nothing is pushed");
        let hint = first.map_or_else(String::new, |one| {
            format!("first: {} ({}): {}", one.message, one.entry, one.fix)
        });
        return Some(CommandError::message(ErrorKind::Policy, message).hint(hint));
    }
    let blocking = scene
        .found
        .iter()
        .find(|one| one.weight == scan::Weight::Block)?;
    let message = format!(
        "what `{shown}` would publish has {} at {}: nothing is pushed",
        blocking.rule.what, blocking.place
    );
    Some(CommandError::message(ErrorKind::Policy, message).hint(blocking.rule.fix))
}

/// Unpacks the change where it harms nobody, judges it and looks it over.
fn scene<'w>(
    session: &mut Session<'w>,
    args: &PublishArgs,
    read: &Taken,
    github: Option<&GitHub<'_>>,
    branch: &Branch,
) -> Result<Scene<'w>, CommandError> {
    let bundle = &read.bundle;
    let checkout = session.checkout.as_ref().map_err(no_repository)?.clone();
    let home = checkout
        .top
        .as_ref()
        .unwrap_or(&checkout.common_dir)
        .clone();
    let tip = tip(session, &home, bundle, github)?;
    bring(session, &home, &bundle.base.commit)?;
    let world = session.world;
    let files = world.files.as_ref();
    let folder = files
        .temporary_folder("maestro-publish-")
        .map_err(|error| CommandError::writing(Path::new("maestro-publish"), error))?;
    let scratch = Scratch {
        files,
        folder: folder.clone(),
    };
    let store = Store {
        git_dir: folder.join("store.git"),
        home: home.clone(),
    };
    let (git, history) = (world.git.as_ref(), world.history.as_ref());
    let unpacked = unpack(
        git,
        history,
        &store,
        &checkout.common_dir,
        bundle,
        &read.pack,
    );
    let commits = unpacked.map_err(|trouble| match trouble {
        Trouble::Refused(words) => {
            let message = format!("`{}`: {PACK}: {words}", args.bundle.display());
            CommandError::message(ErrorKind::BadInput, message)
                .hint("it is not what a run left: take the run's own artifact again")
        }
        Trouble::Git(error) => StateError::from(error).into(),
    })?;
    let (author, association) = author(session, bundle, github);
    let asked = Asked {
        title: Some(bundle.pull_request.title.clone()),
        head_branch: Some(branch.name.clone()),
        base_branch: Some(bundle.base.branch.clone()),
        author,
        association,
        is_agent: true,
        labels: args.label.clone(),
        spent: Some(Spent {
            usd: bundle.spent_usd,
            cap: bundle.cap_usd,
            unpriced: 0,
        }),
        ..Asked::default()
    };
    let change = Change {
        folder: &store.git_dir,
        base: &bundle.base.commit,
        head: &bundle.head.commit,
        policy_of: &tip,
    };
    let judged = judge(session, change, asked)?;
    let found = look_over(bundle, &commits, &judged, &args.allow);
    Ok(Scene {
        store,
        _scratch: scratch,
        judged,
        found,
    })
}

/// Refuses a bundle about another issue than the one that started this run: it would take over that one's branch, and close it.
fn same_issue(session: &Session<'_>, bundle: &Bundle) -> Result<(), CommandError> {
    let event = payload(session).and_then(|payload| payload.issue);
    let Some(event) = event.filter(|event| bundle.issue.number != Some(event.number)) else {
        return Ok(());
    };
    let about = match bundle.issue.number {
        Some(number) => format!("issue {number}"),
        None => "no issue".to_owned(),
    };
    let message = format!(
        "the bundle is about {about}, and this run was started by issue {}",
        event.number
    );
    Err(CommandError::message(ErrorKind::BadInput, message)
        .hint("it is not what the run left: take the run's own artifact again"))
}

/// Returns who wrote the issue and what they are to the repository, as GitHub says; a bundle's word counts only where nobody can be asked.
fn author(
    session: &mut Session<'_>,
    bundle: &Bundle,
    github: Option<&GitHub<'_>>,
) -> (Option<String>, Option<String>) {
    let issue = &bundle.issue;
    let (Some(github), Some(number)) = (github, issue.number) else {
        return (issue.author.clone(), issue.association.clone());
    };
    match github.call(&issues::get(&github.repository, number)) {
        Ok(found) => (found.user.map(|user| user.login), found.author_association),
        Err(error) => {
            session
                .ui
                .hint(&format!("nobody knows who wrote the issue: {error}"));
            (None, None)
        }
    }
}

/// Looks over everything that would leave.
fn look_over(bundle: &Bundle, commits: &[Commit], judged: &Judged, allow: &[String]) -> Vec<Found> {
    let mut rest = vec![bundle.issue.title.clone()];
    rest.extend(bundle.unfinished.iter().cloned());
    for task in &bundle.tasks {
        rest.push(task.title.clone());
        rest.extend(task.why.clone());
    }
    let rest = rest.join("\n");
    let tamed = |name, words| Text {
        name,
        words,
        kind: TextKind::Tamed,
    };
    let mut texts = vec![
        tamed("pull request title", &bundle.pull_request.title),
        tamed("pull request body", &bundle.pull_request.body),
        tamed("tasks", &rest),
    ];
    texts.extend(commits.iter().map(|commit| Text {
        name: "commit message",
        words: &commit.message,
        kind: TextKind::Message,
    }));
    let lines = judged.lines();
    let outgoing = Outgoing {
        files: &lines,
        texts: &texts,
        canaries: None,
    };
    scan::scan(
        &outgoing,
        &allow.iter().cloned().collect::<BTreeSet<String>>(),
    )
}

/// Returns the pull request's words.
fn words(
    session: &Session<'_>,
    bundle: &Bundle,
    scene: &Scene<'_>,
    github: Option<&GitHub<'_>>,
) -> Words {
    let violations = scene.judged.judgement.violations.iter();
    let open = violations.filter(|one| one.forgiven.is_none());
    let policy = open.map(|one| {
        let place = crate::inert::code(&crate::cli::check_policy::violations::shown(one), false);
        format!(
            "{place}: {} ({}, {})",
            crate::inert::prose(&one.message),
            one.weight.name(),
            crate::inert::code(&one.entry, false)
        )
    });
    let run_url = session
        .var("GITHUB_RUN_ID")
        .zip(github)
        .map(|(run, github)| {
            let run: String = run.chars().filter(char::is_ascii_digit).collect();
            format!(
                "{}/{}/actions/runs/{run}",
                web(session, github),
                github.repository
            )
        });
    pull_request::words(
        bundle,
        &Around {
            run_url: run_url.as_deref(),
            policy: policy.collect(),
            found: &scene.found,
        },
    )
}

fn deliver(
    session: &mut Session<'_>,
    args: &PublishArgs,
    (github, whose): (&GitHub<'_>, &Whose),
    scene: &Scene<'_>,
    (bundle, words, branch): (&Bundle, &Words, Branch),
) -> Result<Delivered, CommandError> {
    let mut models: Vec<String> = bundle
        .tasks
        .iter()
        .flat_map(|task| task.models.clone())
        .collect();
    order::sort(&mut models);
    models.dedup();
    models.truncate(10);
    let message = trailers::message(
        &words.title,
        "",
        &Trailers {
            run: bundle.run.clone(),
            task: None,
            role: None,
            models,
            cost: Some(bundle.spent_usd),
        },
    );
    let delivery = Delivery {
        github,
        me: me(github, whose)?,
        git: session.world.git.as_ref(),
        store: &scene.store,
        remote: &remote(session, github),
        via: match args.via {
            ViaArg::Git => Via::Git,
            ViaArg::Api => Via::Api,
        },
        bundle,
        changed: &scene.judged.changed,
        words,
        message: &message,
        labels: &args.label,
    };
    delivery.deliver(branch).map_err(refused)
}

/// Adds what helps where the remote does not take the branch.
fn refused(error: StateError) -> CommandError {
    let words = error.to_string().to_lowercase();
    let error = CommandError::from(error);
    if words.contains("signature") {
        return error.hint(
            "commits must be signed there: publish with `--via api`, which lets GitHub sign one",
        );
    }
    if words.contains("workflow") {
        return error.hint("no GITHUB_TOKEN may change workflows: use an app's token with `workflows: write`, or leave them out of the change");
    }
    error
}
