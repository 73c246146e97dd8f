//! What goes into a purse and comes out of it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;

use crate::budget::ledger::Refusal;
use crate::llm::usage::Usage;
use crate::money::Usd;

/// What a call may cost at worst.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) role: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) worst: Usd,
}

/// What a call did cost.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    /// As the answer names it.
    pub(crate) model: String,
    pub(crate) usage: Usage,
    pub(crate) usd: Usd,
    /// SHA-256 of the table of prices.
    pub(crate) price_table: String,
    /// The provider's own name of the answer.
    pub(crate) request_id: Option<String>,
}

/// A call that may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(super) purse: String,
    pub(super) call: u64,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.purse, self.call)
    }
}

impl FromStr for Ticket {
    type Err = PurseProblem;

    fn from_str(text: &str) -> Result<Self, PurseProblem> {
        let foreign = || PurseProblem::ForeignTicket(text.chars().take(80).collect());
        // The number alone means the purse that is open.
        let (purse, call) = text.rsplit_once('-').unwrap_or(("", text));
        Ok(Self {
            purse: purse.to_owned(),
            call: call.parse().map_err(|_| foreign())?,
        })
    }
}

impl Ticket {
    /// Returns the number of the call in its purse.
    pub(crate) fn call(&self) -> u64 {
        self.call
    }

    /// Whether it is one of a purse.
    pub(super) fn is_of(&self, purse: &str) -> bool {
        self.purse.is_empty() || self.purse == purse
    }
}

/// Why a purse gives nothing, or takes nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PurseProblem {
    /// It does not fit under a cap.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A bill was above what had been put aside for it.
    #[error(
        "call {call} did cost ${over} more than was put aside for it, so that the run is stopped"
    )]
    Overshot { call: u64, over: Usd },
    #[error("the lease ended at {0}")]
    Expired(Timestamp),
    #[error("its lease was settled at {0}")]
    Closed(Timestamp),
    #[error("`{0}` is no ticket of this purse")]
    ForeignTicket(String),
    #[error("call {0} has ended: it was settled, or counted as unknown")]
    Ended(u64),
    #[error("line {line} of `{}` is damaged: {problem}", path.display())]
    Damaged {
        path: PathBuf,
        line: u64,
        problem: String,
    },
    #[error("another process holds the purse `{}`", .0.display())]
    Locked(PathBuf),
    #[error("cannot read or write the purse `{}`", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("the purse `{}` could not be written before, and grants nothing more", .0.display())]
    Broken(PathBuf),
}
