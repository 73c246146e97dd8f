//! What is stored of deliveries, and what `maestro dora` and `dora kpi` say of it, for those who show it elsewhere.

use std::path::PathBuf;

use jiff::Timestamp;

use super::gather::{self, Gathered};
use super::kpi::{self, Loaded};
use super::listed::Place;
use super::question::{AskArgs, Question};
use crate::cli::github::GithubArgs;
use crate::cli::session::Session;
use crate::delivery::ask::Window;
use crate::delivery::kpi::Finding;
use crate::delivery::metrics::Metric;
use crate::delivery::pool::{Pool, Repository, measure};
use crate::delivery::repositories::Unread;
use crate::delivery::table::Rows;
use crate::error::CommandError;

/// What is stored of deliveries.
pub(in crate::cli) struct Stored {
    args: AskArgs,
    found: Gathered,
}

impl Stored {
    /// Reads what is stored, and git; no server is asked.
    pub(in crate::cli) fn read(session: &mut Session<'_>) -> Result<Self, CommandError> {
        Self::of(session, None, None)
    }

    /// Reads what is stored of a repository, and git; or a file of rows.
    pub(in crate::cli) fn of(
        session: &mut Session<'_>,
        rows: Option<PathBuf>,
        github: Option<GithubArgs>,
    ) -> Result<Self, CommandError> {
        let args = AskArgs::stored(rows, github);
        let args = args.map_err(CommandError::internal)?;
        let mut question = Question::new(session, &args)?;
        question.with_ci = true;
        let found = gather::gather(session, &args, &question, false)?;
        Ok(Self { args, found })
    }

    /// Reads what is stored of a repository of a list, and git; `session` is one for that place.
    pub(in crate::cli) fn listed(
        session: &mut Session<'_>,
        place: &mut Place<'_>,
    ) -> Result<Result<Self, Unread>, CommandError> {
        let args = AskArgs::stored(None, None);
        let args = args.map_err(CommandError::internal)?;
        let mut question = Question::new(session, &args)?;
        question.with_ci = true;
        let read = place.read(session.world, &question, false);
        Ok(read.map(|read| Self {
            args,
            found: Gathered {
                pool: Pool::of(read.rows.rows()),
                repository: place.name.clone(),
                from: read.from,
                is_shallow: read.said.is_shallow,
                notes: read.said.notes,
                ..Gathered::default()
            },
        }))
    }

    /// Puts rows of many repositories together, as `dora --repos` does.
    pub(in crate::cli) fn pooled(list: Vec<Repository>) -> Result<Self, CommandError> {
        let args = AskArgs::stored(None, None);
        let args = args.map_err(CommandError::internal)?;
        Ok(Self {
            args,
            found: Gathered {
                pool: Pool { list },
                from: "states",
                ..Gathered::default()
            },
        })
    }

    /// Whether the clone is shallow, and whether git alone tells.
    pub(in crate::cli) fn lacks(&self) -> (bool, bool) {
        (self.found.is_shallow, self.found.from == "git")
    }

    /// Returns the rows of a forge; nothing where git alone tells, which knows no runs and no open changes.
    pub(in crate::cli) fn of_forge(&self) -> Option<&Rows> {
        (self.found.from == "github")
            .then(|| self.found.rows().ok())
            .flatten()
    }

    /// Returns the metrics of the days before a time.
    pub(in crate::cli) fn metrics(
        &self,
        session: &Session<'_>,
        at: Timestamp,
        days: i64,
    ) -> Result<Vec<Metric>, CommandError> {
        let question = Question::new(session, &self.args)?.before(at, days);
        let ask = question.ask(None);
        Ok(measure(&self.found.pool, &ask).metrics)
    }

    /// Returns the metrics of a time.
    pub(in crate::cli) fn over(
        &self,
        session: &Session<'_>,
        window: Window,
    ) -> Result<Vec<Metric>, CommandError> {
        let question = Question::new(session, &self.args)?;
        let mut ask = question.ask(None);
        ask.window = window;
        Ok(measure(&self.found.pool, &ask).metrics)
    }

    /// Returns what indicators were in a time.
    pub(in crate::cli) fn indicators(
        &self,
        session: &Session<'_>,
        loaded: &Loaded,
        window: Window,
    ) -> Result<Vec<Finding>, CommandError> {
        let question = Question::new(session, &self.args)?;
        let mut ask = question.ask(None);
        ask.window = window;
        let facts = kpi::facts_of(self.found.rows()?, &self.found, loaded);
        Ok(crate::delivery::kpi::measure(&facts, &ask))
    }

    /// Returns the rows, with where they are from, whose they are, and what there is to say of that.
    pub(in crate::cli) fn into_parts(self) -> (Rows, &'static str, Option<String>, Vec<String>) {
        let Gathered {
            mut pool,
            from,
            repository,
            notes,
            ..
        } = self.found;
        let rows = pool.list.pop().map(|one| one.rows).unwrap_or_default();
        (rows, from, repository, notes)
    }
}
