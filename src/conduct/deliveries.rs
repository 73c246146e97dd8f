//! Rows of deliveries from GitHub: what changed since the last time, in three requests where nothing did.
//!
//! One list tells which pull requests and issues changed, one which deployments there are, one which releases or runs. Only what is new or was not
//! settled is then looked at. A list that was empty is asked for again after a week.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::backfill;
use super::github::{End, GitHub};
use crate::delivery::ask::Source;
use crate::delivery::authors::Authors;
use crate::delivery::from_github;
use crate::delivery::kpi::pipelines::EVENTS;
use crate::delivery::rows::{Key, Row, Run};
use crate::delivery::table::Gathering;
use crate::forge::api::{deployments, issues, pulls, releases, runs};
use crate::forge::problem::ForgeError;
use crate::json;

/// The name of what is read, in cursors, before the repository's.
pub(crate) const STREAM: &str = "github/deliveries/";

/// What is newer is looked at again: deployments and runs go on for a while.
const UNSETTLED: SignedDuration = SignedDuration::from_hours(72);

/// A list that was empty is left alone for so long.
const EMPTY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So many of a kind are read at once; the rest comes the next time.
const MOST: usize = 5_000;

/// Nobody's pull request has more events that matter.
const MOST_EVENTS: usize = 2_000;

/// How far was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// From when on everything was read.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Until when each list was read.
    #[serde(default)]
    upto: BTreeMap<String, Timestamp>,
    /// When each list was last seen to be empty.
    #[serde(default)]
    empty: BTreeMap<String, Timestamp>,
}

impl Position {
    /// Reads a position; one that cannot be read costs a longer look, nothing else.
    pub(crate) fn read(position: &str) -> Self {
        json::read(position).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        json::text(self).unwrap_or_default()
    }
}

/// What is to be read, and what is known.
pub(crate) struct Wanted<'a> {
    pub(crate) now: Timestamp,
    /// How far back the first look goes.
    pub(crate) since: Timestamp,
    pub(crate) sources: &'a [Source],
    pub(crate) workflow: &'a str,
    pub(crate) incidents: &'a str,
    /// Whether runs of CI are read as well.
    pub(crate) with_ci: bool,
    pub(crate) authors: &'a Authors,
    /// Hides a login.
    pub(crate) hash: &'a dyn Fn(&str) -> String,
    pub(crate) known: &'a Gathering,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub(crate) rows: Vec<(Timestamp, Row)>,
    pub(crate) position: Position,
    /// Lists that this token may not see.
    pub(crate) notes: Vec<String>,
    /// Why it could not go on; what came before is good.
    pub(crate) broken: Option<ForgeError>,
}

/// Reads what changed.
pub(crate) fn read(github: &GitHub<'_>, wanted: &Wanted<'_>, position: Position) -> Fresh {
    let mut position = position;
    // Whoever asks about an older time than ever before has it read from there.
    if position.from.is_none_or(|from| wanted.since < from) {
        position = Position {
            from: Some(wanted.since),
            ..Position::default()
        };
    }
    let mut reading = Reading {
        github,
        wanted,
        fresh: Fresh {
            position,
            ..Fresh::default()
        },
    };
    if let Err(error) = reading.all() {
        reading.fresh.broken = Some(error);
    }
    reading.fresh
}

struct Reading<'a, 'w> {
    github: &'a GitHub<'w>,
    wanted: &'a Wanted<'a>,
    fresh: Fresh,
}

impl Reading<'_, '_> {
    fn all(&mut self) -> Result<(), ForgeError> {
        let done = self.changed();
        self.forgive("pull requests and issues", done)?;
        let wants = |source| self.wanted.sources.contains(&source);
        let (deployments, runs) = (wants(Source::Deployments), wants(Source::Runs));
        let releases = wants(Source::Releases);
        let mut has_any = false;
        if deployments {
            has_any = match self.deployments() {
                Ok(any) => any,
                Err(error) => {
                    self.forgive("deployments", Err(error))?;
                    false
                }
            };
        }
        // Runs are many; they are looked at where nothing better tells of deployments.
        if runs && !has_any {
            let word = self.wanted.workflow.to_lowercase();
            let list = format!("runs/{}", self.wanted.workflow);
            let done = self.runs(&list, &|run| run.workflow.to_lowercase().contains(&word));
            self.forgive("workflow runs", done)?;
        }
        if self.wanted.with_ci {
            let done = self.runs("ci", &|run| EVENTS.contains(&run.event.as_str()));
            self.forgive("runs of CI", done)?;
        }
        if releases {
            let done = self.releases();
            self.forgive("releases", done)?;
        }
        Ok(())
    }

    /// What a token may not see is told, and no reason to stop.
    fn forgive(&mut self, what: &str, done: Result<(), ForgeError>) -> Result<(), ForgeError> {
        match done {
            Err(error @ (ForgeError::Denied { .. } | ForgeError::Missing { .. })) => {
                let note = format!("{what} could not be read: {error}");
                self.fresh.notes.push(note);
                Ok(())
            }
            done => done,
        }
    }

    fn upto(&self, list: &str) -> Option<Timestamp> {
        self.fresh.position.upto.get(list).copied()
    }

    fn reached(&mut self, list: &str, at: Timestamp) {
        let upto = &mut self.fresh.position.upto;
        let known = upto.entry(list.to_owned()).or_insert(at);
        *known = (*known).max(at);
    }

    /// Whether a list was empty not long ago.
    fn is_idle(&self, list: &str) -> bool {
        let seen = self.fresh.position.empty.get(list);
        seen.is_some_and(|seen| self.wanted.now.duration_since(*seen) < EMPTY)
    }

    fn note_empty(&mut self, list: &str, is_empty: bool) {
        if is_empty {
            self.fresh
                .position
                .empty
                .insert(list.to_owned(), self.wanted.now);
        } else {
            self.fresh.position.empty.remove(list);
        }
    }

    /// Whether a row is stored as it was at a time.
    fn is_known(&self, kind: &'static str, id: u64, as_of: Timestamp) -> bool {
        let key = Key {
            kind,
            id: id.to_string(),
        };
        let stored = self.wanted.known.find(&key);
        stored.is_some_and(|stored| stored.as_of >= as_of)
    }

    fn add(&mut self, as_of: Timestamp, row: Row) {
        let stored = self.wanted.known.find(&row.key());
        if stored.is_none_or(|stored| stored.row != row || stored.as_of < as_of) {
            self.fresh.rows.push((as_of, row));
        }
    }

    /// Pull requests and issues that changed, the first to change first, so that a broken look goes on where it was.
    fn changed(&mut self) -> Result<(), ForgeError> {
        let list = "issues";
        let since = self.upto(list).unwrap_or(self.wanted.since);
        let listing = issues::changed(&self.github.repository, since);
        let listed = self.github.list(&listing, MOST, &mut |_| true);
        for issue in &listed.items {
            let at = issue.updated_at;
            if issue.pull_request.is_some() {
                if !self.is_known("pull", issue.number, at) {
                    self.pull(issue.number, at)?;
                }
            } else {
                let label = self.wanted.incidents;
                let has_label = |label: &str| {
                    let mut labels = issue.labels.iter();
                    labels.any(|known| known.name.eq_ignore_ascii_case(label))
                };
                if has_label(label) && !self.is_known("incident", issue.number, at) {
                    self.add(at, Row::Incident(from_github::incident(issue)));
                }
            }
            self.reached(list, at);
        }
        match listed.end {
            End::Broken(error) => Err(error),
            End::Cut => {
                self.fresh.notes.push(format!(
                    "more than {MOST} pull requests and issues changed; run the command again for the rest"
                ));
                Ok(())
            }
            End::Whole | End::Enough => Ok(()),
        }
    }

    fn pull(&mut self, number: u64, as_of: Timestamp) -> Result<(), ForgeError> {
        let repository = &self.github.repository;
        let pull = self.github.call(&pulls::get(repository, number))?;
        let listing = issues::timeline(repository, number);
        let listed = self.github.list(&listing, MOST_EVENTS, &mut |_| true);
        if let End::Broken(error) = listed.end {
            return Err(error);
        }
        let row = from_github::pull(&pull, &listed.items, self.wanted.authors, self.wanted.hash);
        self.add(as_of.max(pull.updated_at), Row::Pull(Box::new(row)));
        Ok(())
    }

    /// Returns from when on a list is looked at.
    fn floor(&self, list: &str) -> Timestamp {
        let upto = self
            .upto(list)
            .map(|upto| upto.saturating_sub(UNSETTLED).unwrap_or(upto));
        upto.unwrap_or(self.wanted.since)
    }

    /// Returns whether there are any.
    fn deployments(&mut self) -> Result<bool, ForgeError> {
        let list = "deployments";
        if self.is_idle(list) {
            return Ok(false);
        }
        let floor = self.floor(list);
        let listing = deployments::list(&self.github.repository, None);
        let mut has_any = false;
        let listed = self.github.list(&listing, MOST, &mut |found| {
            has_any = true;
            found.created_at >= floor
        });
        if let End::Broken(error) = listed.end {
            return Err(error);
        }
        self.note_empty(list, !has_any);
        for found in listed.items.iter().rev() {
            if !self.is_known("deployment", found.id, found.updated_at) {
                let statuses = deployments::statuses(&self.github.repository, found.id);
                let statuses = self.github.list(&statuses, MOST_EVENTS, &mut |_| true);
                if let End::Broken(error) = statuses.end {
                    return Err(error);
                }
                let row = from_github::deployment(found, &statuses.items, found.url.clone());
                self.add(found.updated_at, Row::Deployment(row));
            }
            self.reached(list, found.created_at);
        }
        Ok(has_any)
    }

    /// Runs that ended, with all of their attempts; `list` is the name of what is wanted of them.
    fn runs(&mut self, list: &str, is_wanted: &dyn Fn(&Run) -> bool) -> Result<(), ForgeError> {
        if self.is_idle(list) {
            return Ok(());
        }
        let (from, mut to) = (self.floor(list), self.wanted.now);
        let mut has_any = self.upto(list).is_some();
        loop {
            let window = backfill::window(self.github, from, to)?;
            for found in &window.runs {
                let row = from_github::run(found);
                if !is_wanted(&row) {
                    continue;
                }
                has_any = true;
                for number in 1..found.attempt {
                    let id = format!("{}.{number}", found.id);
                    let key = Key { kind: "run", id };
                    if self.wanted.known.find(&key).is_some() {
                        continue;
                    }
                    let call = runs::attempt(&self.github.repository, found.id, number);
                    match self.github.call(&call) {
                        Ok(attempt) => {
                            let row = Row::Run(from_github::run(&attempt));
                            self.add(attempt.updated_at, row);
                        }
                        Err(ForgeError::Missing { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                self.add(found.updated_at, Row::Run(row));
            }
            match window.runs.last() {
                Some(oldest) if window.is_cut && oldest.created_at < to => to = oldest.created_at,
                _ => break,
            }
        }
        self.note_empty(list, !has_any);
        self.reached(list, self.wanted.now);
        Ok(())
    }

    fn releases(&mut self) -> Result<(), ForgeError> {
        let list = "releases";
        if self.is_idle(list) {
            return Ok(());
        }
        let floor = self.floor(list);
        let listing = releases::list(&self.github.repository);
        let mut has_any = false;
        let listed = self.github.list(&listing, MOST, &mut |found| {
            has_any = true;
            // Drafts have no time of their own, and come first.
            found.draft || from_github::released_at(found) >= floor
        });
        if let End::Broken(error) = listed.end {
            return Err(error);
        }
        self.note_empty(list, !has_any);
        for found in listed.items.iter().rev() {
            let at = from_github::released_at(found);
            self.add(at, Row::Release(from_github::release(found)));
            if !found.draft {
                self.reached(list, at);
            }
        }
        Ok(())
    }
}
