//! The changes of the time, as git has them: planned anew, and judged by the built-in policy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::audit::facts::{Change, Jobs, Judged};
use crate::cli::check_policy::violations::shown;
use crate::cli::check_policy::{Loaded, built_in, git_trouble, lines, with_planner};
use crate::cli::configured::parse_config;
use crate::cli::init::look::look;
use crate::cli::plan::again::{Read, Replayed, Wanted, replay};
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::conduct::changed::of_known;
use crate::conduct::planner::Planner;
use crate::config::ConfigFile;
use crate::delivery::authors::Authors;
use crate::delivery::messages;
use crate::delivery::rows::Author;
use crate::error::CommandError;
use crate::policy::engine::judge;
use crate::policy::subject::{Asked, Subject};
use crate::ports::history::Object;
use crate::setup::{config_text, propose};

/// A change of more files is judged by `check-policy` only: reading all of them takes long.
const MOST_FILES: usize = 2_000;

/// What was found in git.
#[derive(Default)]
pub(super) struct Past {
    pub(super) read: Read,
    pub(super) jobs: Jobs,
    pub(super) changes: Vec<Change>,
}

/// Returns the newest commit of the remote's default branch, else what is checked out; nothing where nothing is committed.
fn head(session: &mut Session<'_>) -> Result<Option<String>, CommandError> {
    let default = format!("refs/remotes/{}/HEAD", session.source_remote());
    with_planner(session, true, |_, planner, _| {
        for revision in [default.as_str(), "HEAD"] {
            let found = planner.commit(revision).map_err(git_trouble)?;
            if let Some(commit) = found {
                return Ok(Some(commit.object));
            }
        }
        Ok(None)
    })
}

/// Returns the configuration that is planned by, and which jobs it has.
fn jobs(session: &Session<'_>) -> Result<(ConfigFile, &'static str), CommandError> {
    let mut config = session.config.clone();
    if !config.jobs.is_empty() {
        return Ok((config, "configuration"));
    }
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let folder = checkout.top.as_ref().unwrap_or(&checkout.common_dir);
    let proposal = propose(look(session, folder)?.seen());
    if proposal.jobs.is_empty() {
        return Ok((config, "ecosystems"));
    }
    let text = config_text::text(&proposal, env!("CARGO_PKG_VERSION"));
    let proposed = parse_config(&text, "maestro.yaml").map_err(|error| {
        let failure = error.into_failure().error;
        CommandError::internal(failure.context("the proposed configuration"))
    })?;
    config.jobs = proposed.jobs;
    Ok((config, "init"))
}

/// Reads the changes between two times.
pub(super) fn read(
    session: &mut Session<'_>,
    (since, until): (Timestamp, Timestamp),
    limit: usize,
    authors: &Authors,
) -> Result<Past, CommandError> {
    let Some(head) = head(session)? else {
        return Ok(Past::default());
    };
    let (config, from) = jobs(session)?;
    let policy = built_in(session)?;
    let today = session.now().to_zoned(TimeZone::UTC).date();
    let wanted = Wanted {
        config: &config,
        head: &head,
        most: limit,
        since: since.as_second(),
        until: until.as_second(),
    };
    let mut changes = Vec::new();
    let read = replay(session, &wanted, &mut |planner, replayed| {
        changes.push(change(planner, replayed, (&policy, today), authors)?);
        Ok(())
    })?;
    let mut names: Vec<String> = config.jobs.keys().cloned().collect();
    if names.is_empty() {
        let all = changes
            .iter()
            .flat_map(|change| change.selected.iter().chain(&change.skipped));
        names = crate::order::set(all.cloned()).into_iter().collect();
    }
    Ok(Past {
        read,
        jobs: Jobs { from, names },
        changes,
    })
}

fn change(
    planner: &mut Planner<'_>,
    replayed: Replayed<'_>,
    (policy, today): (&Loaded, Date),
    authors: &Authors,
) -> Result<Change, CommandError> {
    let logged = replayed.logged;
    let own = words(planner, std::slice::from_ref(&logged.commit))?;
    let own = own.into_iter().next().unwrap_or_default();
    let tips = words(planner, &own.parents)?;
    let tip = own.parents.first().cloned();
    let number = messages::merged_pull(&own.message)
        .map(|(number, _)| number)
        .or_else(|| messages::squashed_pull(&own.message));
    let kinds = tips.iter().chain([&own]).map(|one| one.author(authors));
    let author = kinds.max().unwrap_or_default();
    let mut change = Change {
        commit: logged.commit.clone(),
        tip,
        number,
        at: Timestamp::from_second(logged.at).unwrap_or_default(),
        author,
        reasons: replayed.reasons,
        selected: replayed.selected,
        skipped: replayed.skipped,
        policy: None,
    };
    if logged.changes.len() <= MOST_FILES {
        // What is not in this clone cannot be judged, which is told by its number.
        if let Ok(changed) = of_known(planner, &logged.changes) {
            let asked = Asked {
                title: own.message.lines().next().map(str::to_owned),
                is_agent: author == Author::Agent,
                is_bot: author == Author::Bot,
                ..Asked::default()
            };
            let lines = lines(&changed);
            let subject = Subject {
                changes: &changed.changes,
                lines: &lines,
                asked: &asked,
                supplied: None,
                today,
            };
            let judgement = judge(&policy.policy, &policy.baseline, &subject, None);
            let breaches = judgement.violations.iter();
            change.policy = Some(Judged {
                outcome: judgement.outcome.name(),
                breaches: breaches
                    .map(|one| (one.entry.clone(), shown(one)))
                    .collect(),
            });
        }
    }
    Ok(change)
}

/// What a commit says of itself.
#[derive(Default)]
struct Words {
    /// The parents but for the first one.
    parents: Vec<String>,
    name: String,
    message: String,
}

impl Words {
    fn of(object: &Object) -> Self {
        let text = String::from_utf8_lossy(&object.bytes);
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let field =
            |name: &'static str| head.lines().filter_map(move |line| line.strip_prefix(name));
        let author = field("author ").next().unwrap_or_default();
        let name = author.rsplit_once(" <").map_or(author, |(name, _)| name);
        Self {
            parents: field("parent ").skip(1).map(str::to_owned).collect(),
            name: name.to_owned(),
            message: message.to_owned(),
        }
    }

    fn author(&self, authors: &Authors) -> Author {
        authors.of(&self.name, "", &mut std::iter::once(self.message.as_str()))
    }
}

/// Reads what commits say; those that are not in the clone say nothing.
fn words(planner: &mut Planner<'_>, commits: &[String]) -> Result<Vec<Words>, CommandError> {
    let mut found = Vec::new();
    if commits.is_empty() {
        return Ok(found);
    }
    let read = planner.objects.read(commits, &mut |_, object| {
        let object = object.filter(|object| object.kind == "commit");
        found.extend(object.as_ref().map(Words::of));
    });
    read.map_err(git_trouble)?;
    Ok(found)
}

/// Takes over what pull requests say of who wrote them: whole branches, and accounts.
pub(super) fn learn(changes: &mut [Change], pulls: &[crate::delivery::rows::Pull]) {
    let by_sha = pulls.iter().map(|pull| (pull.merge_sha.as_str(), pull));
    let by_sha: BTreeMap<&str, _> = crate::order::map(by_sha);
    for change in changes {
        if let Some(pull) = by_sha.get(change.commit.as_str()) {
            change.author = change.author.max(pull.author_kind);
            if pull.number > 0 {
                change.number = Some(pull.number);
            }
        }
    }
}
