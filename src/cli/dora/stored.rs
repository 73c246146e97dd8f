//! What is stored of deliveries, and what `maestro dora` says of it, for those who show it elsewhere.

use jiff::Timestamp;

use super::gather::{self, Gathered};
use super::question::{AskArgs, Question};
use crate::cli::session::Session;
use crate::delivery::metrics::{self, Metric};
use crate::delivery::table::Rows;
use crate::error::{CommandError, ErrorKind};

/// What is stored of deliveries.
pub(in crate::cli) struct Stored {
    args: AskArgs,
    found: Gathered,
}

impl Stored {
    /// Reads what is stored, and git; no server is asked.
    pub(in crate::cli) fn read(session: &mut Session<'_>) -> Result<Self, CommandError> {
        let args = AskArgs::stored();
        let args = args.map_err(|error| CommandError::new(ErrorKind::Internal, error))?;
        let question = Question::new(session, &args)?;
        let found = gather::gather(session, &args, &question, false)?;
        Ok(Self { args, found })
    }

    /// Returns the rows of a forge; nothing where git alone tells, which knows no runs and no open changes.
    pub(in crate::cli) fn rows(&self) -> Option<&Rows> {
        (self.found.from == "github").then_some(&self.found.rows)
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
        Ok(metrics::of(&self.found.rows, &ask, &mut |_, metrics| {
            metrics
        }))
    }
}
