//! What GitHub knows of a run's jobs, and of those that wait; and which repository all of it is about.

use jiff::Timestamp;

use crate::cli::github::GithubArgs;
use crate::cli::plan::trigger::payload;
use crate::cli::session::Session;
use crate::conduct::github::GitHub;
use crate::error::CommandError;
use crate::forge::api::runs::{self, Filter};
use crate::forge::problem::ForgeError;
use crate::forge::repository::of_remote;
use crate::telemetry::known::forge;
use crate::telemetry::spans::{Repository, Run};

/// A run has no more jobs.
const MOST_JOBS: usize = 2_000;

/// Of no more runs is asked which jobs wait.
const MOST_WAITING: usize = 20;

/// Returns what all of it is about: a repository at GitHub, or what the remote or else the folder is called.
pub(super) fn repository(session: &Session<'_>, named: Option<&str>) -> Repository {
    let found = session.github(named, None, 1).ok().flatten();
    let Some((github, _)) = found else {
        let top = session.checkout.as_ref().ok();
        let top = top.and_then(|checkout| checkout.top.as_ref());
        let folder = top.unwrap_or(&session.base).to_string_lossy();
        let address = session.remote_address(None);
        let address = address.unwrap_or_else(|| folder.into_owned());
        let name = address.trim_end_matches('/').rsplit(['/', ':']).next();
        let name = name.unwrap_or_default();
        return Repository {
            name: name.strip_suffix(".git").unwrap_or(name).to_owned(),
            ..Repository::default()
        };
    };
    let server = session.var("GITHUB_SERVER_URL");
    let host = session.remote_address(None);
    let host = host.as_deref().and_then(of_remote).map(|(host, _)| host);
    let server = server.or_else(|| Some(format!("https://{}", host?)));
    let server = server.unwrap_or_else(|| "https://github.com".into());
    let name = &github.repository;
    Repository {
        url: format!("{}/{name}", server.trim_end_matches('/')),
        owner: name.owner.clone(),
        name: name.name.clone(),
        provider: "github".into(),
    }
}

/// What is to be asked.
pub(super) struct Wanted<'a> {
    /// A run, and its attempt where that is known.
    pub(super) run: Option<(u64, Option<u32>)>,
    /// Whether it is asked which jobs wait for a runner.
    pub(super) queue: bool,
    pub(super) github: &'a GithubArgs,
}

/// What was answered.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) run: Option<Run>,
    pub(super) waiting: Option<Vec<Timestamp>>,
}

/// Asks GitHub. What it does not answer is said, and missing.
pub(super) fn ask(session: &mut Session<'_>, wanted: &Wanted<'_>) -> Result<Asked, CommandError> {
    let mut asked = Asked::default();
    if wanted.run.is_none() && !wanted.queue {
        return Ok(asked);
    }
    let found = session.wanted_github(wanted.github, true, "observe export")?;
    let Some((github, _)) = found else {
        return Ok(asked);
    };
    if let Some((id, attempt)) = wanted.run {
        let change = payload(session).and_then(|payload| payload.pull_request);
        let change = change.map(|pull| pull.number);
        let is_own = session.var("GITHUB_RUN_ID").as_deref() == Some(&id.to_string());
        match run(&github, id, attempt, change.filter(|_| is_own)) {
            Ok(run) => asked.run = Some(run),
            Err(error) => session
                .ui
                .warn(&format!("nothing is told of the jobs of run {id}: {error}")),
        }
    }
    if wanted.queue {
        match waiting(&github) {
            Ok(waiting) => asked.waiting = Some(waiting),
            Err(error) => session
                .ui
                .warn(&format!("nobody knows which jobs wait: {error}")),
        }
    }
    Ok(asked)
}

fn run(
    github: &GitHub<'_>,
    id: u64,
    attempt: Option<u32>,
    change: Option<u64>,
) -> Result<Run, ForgeError> {
    let repository = &github.repository;
    let row = match attempt {
        Some(attempt) => github.call(&runs::attempt(repository, id, attempt))?,
        None => github.call(&runs::get(repository, id))?,
    };
    let jobs = jobs(github, &row)?;
    Ok(forge::run(&row, change, &jobs))
}

fn jobs(github: &GitHub<'_>, run: &runs::Run) -> Result<Vec<runs::Job>, ForgeError> {
    let listing = runs::jobs(&github.repository, run.id, run.attempt);
    let listed = github.list(&listing, MOST_JOBS, &mut |_| true);
    listed.whole("list the jobs")
}

/// Returns since when jobs wait, of the newest runs that have not ended.
fn waiting(github: &GitHub<'_>) -> Result<Vec<Timestamp>, ForgeError> {
    let mut since = Vec::new();
    for status in ["queued", "in_progress"] {
        let filter = Filter {
            status: Some(status),
            ..Filter::default()
        };
        let listing = runs::list(&github.repository, &filter);
        let listed = github.list(&listing, MOST_WAITING, &mut |_| true);
        if let crate::conduct::github::End::Broken(error) = listed.end {
            return Err(error);
        }
        for run in &listed.items {
            let jobs = jobs(github, run)?.into_iter();
            let queued = jobs.filter(|job| job.status == "queued");
            since.extend(queued.map(|job| job.created_at.unwrap_or(run.created_at)));
        }
    }
    Ok(since)
}
