//! Plans of past commits, one after another, each held against its first parent.

use std::io::BufReader;

use super::wire::PlanDocument;
use super::{Desk, Ends, MakeArgs, document, git_trouble};
use crate::change::log::{self, Logged};
use crate::cli::session::Session;
use crate::conduct::planner::Planner;
use crate::config::ConfigFile;
use crate::error::CommandError;
use crate::plan::jobs::Situation;

/// Returns the arguments of plans that nobody made: nothing is fetched, and what is not affected is skipped.
pub(super) fn unmade(head: &str, no_fetch: bool) -> MakeArgs {
    MakeArgs {
        base: None,
        head: head.to_owned(),
        worktree: false,
        files_from: None,
        enforce: true,
        no_fetch,
    }
}

/// Reads the last commits of the first-parent line, newest first.
pub(super) fn read_log(desk: &Desk<'_>, most: usize) -> Result<Vec<Logged>, CommandError> {
    let mut logged = Vec::new();
    let history = desk.planner.history;
    let read = history.first_parents(&desk.planner.folder, &desk.head.object, most, &mut |pipe| {
        log::read(
            &mut BufReader::with_capacity(256 * 1024, pipe),
            &mut |one| {
                logged.push(one);
                true
            },
        )
    });
    read.map_err(git_trouble)?;
    Ok(logged)
}

/// Plans commits as they were read; the first one without a parent ends it. Those that are not wanted are passed over.
pub(super) fn plan_each<'w>(
    desk: &mut Desk<'w>,
    logged: &[Logged],
    is_wanted: &dyn Fn(&Logged) -> bool,
    take: &mut dyn FnMut(&mut Planner<'w>, &Logged, &PlanDocument) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut tree = desk.planner.list(&desk.head.object).map_err(git_trouble)?;
    for one in logged {
        if one.parent.is_none() {
            break;
        }
        if is_wanted(one) {
            let planned = desk.planner.plan(
                tree.clone(),
                vec![one.changes.clone()],
                &desk.settings.rules,
            );
            let outcome = planned.map_err(git_trouble)?;
            let ends = Ends {
                head: one.commit.clone(),
                ..Ends::default()
            };
            let plan = document(
                &outcome,
                &desk.settings,
                &Situation::default(),
                true,
                (ends, &desk.past),
            );
            take(&mut desk.planner, one, &plan)?;
        }
        tree.undo(&one.changes);
    }
    Ok(())
}

/// What the plan of a past commit comes to.
#[derive(Debug)]
pub(in crate::cli) struct Replayed<'l> {
    pub(in crate::cli) logged: &'l Logged,
    /// Codes of the reasons why everything runs.
    pub(in crate::cli) reasons: Vec<String>,
    pub(in crate::cli) selected: Vec<String>,
    pub(in crate::cli) skipped: Vec<String>,
}

/// Which past commits are planned, and by what.
pub(in crate::cli) struct Wanted<'a> {
    pub(in crate::cli) config: &'a ConfigFile,
    pub(in crate::cli) head: &'a str,
    /// So many commits are read at most.
    pub(in crate::cli) most: usize,
    /// Commits from then on, in seconds since 1970, and until then: both inclusive.
    pub(in crate::cli) since: i64,
    pub(in crate::cli) until: i64,
}

/// What was read of the past.
#[derive(Debug, Default)]
pub(in crate::cli) struct Read {
    /// The newest commit.
    pub(in crate::cli) head: String,
    /// When it was committed, in seconds since 1970; none where nothing is committed.
    pub(in crate::cli) newest: Option<i64>,
    /// Whether older commits of the time were not read.
    pub(in crate::cli) is_cut: bool,
    pub(in crate::cli) is_shallow: bool,
}

/// Plans past commits by a configuration; nothing is fetched, printed or kept.
pub(in crate::cli) fn replay(
    session: &mut Session<'_>,
    wanted: &Wanted<'_>,
    take: &mut dyn FnMut(&mut Planner<'_>, Replayed<'_>) -> Result<(), CommandError>,
) -> Result<Read, CommandError> {
    let mut desk = Desk::of(session, &unmade(wanted.head, true), wanted.config)?;
    let mut logged = read_log(&desk, wanted.most.saturating_add(1))?;
    let is_inside = |one: &Logged| wanted.since <= one.at && one.at <= wanted.until;
    let is_cut = logged.len() > wanted.most && logged.last().is_some_and(is_inside);
    logged.truncate(wanted.most);
    // Nothing older is undone in vain.
    let last = logged
        .iter()
        .rposition(is_inside)
        .map_or(0, |last| last + 1);
    let read = Read {
        head: desk.head.object.clone(),
        newest: logged.first().map(|one| one.at),
        is_cut,
        is_shallow: desk.planner.is_shallow(),
    };
    logged.truncate(last);
    let bar = session.ui.progress(logged.len() as u64, "changes");
    let done = plan_each(&mut desk, &logged, &is_inside, &mut |planner, one, plan| {
        bar.inc(1);
        let (selected, skipped): (Vec<_>, Vec<_>) = plan.jobs.iter().partition(|job| job.selected);
        let names =
            |jobs: Vec<&super::wire::JobRow>| jobs.into_iter().map(|job| job.id.clone()).collect();
        let replayed = Replayed {
            logged: one,
            reasons: plan
                .reasons
                .iter()
                .map(|reason| reason.code.clone())
                .collect(),
            selected: names(selected),
            skipped: names(skipped),
        };
        take(planner, replayed)
    });
    bar.finish_and_clear();
    done?;
    Ok(read)
}
