//! Judges a change that agents made, wherever its objects lie, by the policy of a commit of this repository. It always counts.

use std::path::Path;

use jiff::tz::TimeZone;

use super::source::{self, Loaded};
use super::{OF_PACKAGES, asked, git_trouble, has_rule, lines, supplied};
use crate::cli::session::Session;
use crate::conduct::changed::{self, Changed};
use crate::conduct::planner::Planner;
use crate::error::CommandError;
use crate::plan::graph::components::Components;
use crate::policy::engine::{Judgement, judge as judge_by};
use crate::policy::subject::{Asked, FileLines, Subject};
use crate::supply::is_lock;

/// A change.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Change<'a> {
    /// The repository that has its objects.
    pub(in crate::cli) folder: &'a Path,
    /// Full ids.
    pub(in crate::cli) base: &'a str,
    pub(in crate::cli) head: &'a str,
    /// The commit of this repository whose policy counts.
    pub(in crate::cli) policy_of: &'a str,
}

/// A change that was judged.
pub(in crate::cli) struct Judged {
    pub(super) loaded: Loaded,
    pub(in crate::cli) judgement: Judgement,
    pub(in crate::cli) changed: Changed,
}

impl Judged {
    /// Returns what changed inside each file, in order of path.
    pub(in crate::cli) fn lines(&self) -> Vec<FileLines<'_>> {
        lines(&self.changed)
    }

    /// Returns the policy as documents show it.
    pub(in crate::cli) fn policy(&self) -> super::wire::PolicyRow {
        super::wire::PolicyRow::new(&self.loaded)
    }
}

/// Judges a change.
pub(in crate::cli) fn judge(
    session: &mut Session<'_>,
    change: Change<'_>,
    mut asked: Asked,
) -> Result<Judged, CommandError> {
    let loaded = source::of_base(session, Some(change.policy_of), true)?;
    let history = session.world.history.as_ref();
    let planner = Planner::new(
        history,
        change.folder,
        change.folder,
        None,
        Components::default(),
    );
    let mut planner = planner.map_err(git_trouble)?;
    let bases = [change.base.to_owned()];
    let changed = changed::read(&mut planner, &bases, change.head).map_err(git_trouble)?;
    let unchanged = if OF_PACKAGES.iter().any(|rule| has_rule(&loaded, rule)) {
        let unchanged = changed::left_alone(&mut planner, change.head, &changed, is_lock);
        Some(unchanged.map_err(git_trouble)?)
    } else {
        None
    };
    asked::complete(&mut asked, &loaded.policy);
    let lines = lines(&changed);
    let supplied = match unchanged {
        Some(unchanged) => Some(supplied::add_locks(session, None, &lines, &unchanged)?),
        None => None,
    };
    let today = session.now().to_zoned(TimeZone::UTC).date();
    let subject = Subject {
        changes: &changed.changes,
        lines: &lines,
        asked: &asked,
        supplied: supplied.as_ref(),
        today,
    };
    let judgement = judge_by(&loaded.policy, &loaded.baseline, &subject, None);
    drop(lines);
    Ok(Judged {
        loaded,
        judgement,
        changed,
    })
}
