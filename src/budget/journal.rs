//! The lines of a purse's journal: what is about to happen, before it does, and what came of it.
//!
//! One JSON object a line. A line is added whole under a lock; one without an end was never answered for, and does not count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Origin;
use crate::json;
use crate::llm::usage::Usage;
use crate::money::Usd;

/// What `schema` of the first line must say.
pub(crate) const SCHEMA: &str = "maestro.purse/v1";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Purse(Head),
    Reserve(Box<Reserve>),
    Settle(Box<Settle>),
    /// Nobody knows what it did cost.
    Unknown(Ended),
    /// It was never sent.
    Release(Ended),
    /// Calls that are events by now.
    Drained(Drained),
    /// Its lease is settled: nothing more is granted.
    Closed {
        at: Timestamp,
    },
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) schema: String,
    /// What tells this purse from all others.
    pub(crate) purse: String,
    pub(crate) created: Timestamp,
    /// The lease that it was filled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<String>,
}

/// What a call may cost at worst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reserve {
    pub(crate) call: u64,
    pub(crate) at: Timestamp,
    /// Who makes the call: a process that lives as long as it has a lock of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<String>,
    /// When it counts as unknown by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    pub(crate) provider: String,
    pub(crate) model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pull_request: Option<u64>,
    pub(crate) worst_usd: Usd,
    pub(crate) run: String,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    pub(crate) commit: String,
    pub(crate) branch: String,
}

impl Reserve {
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            run: self.run.clone(),
            attempt: self.attempt,
            job: self.job.clone(),
            commit: self.commit.clone(),
            branch: self.branch.clone(),
        }
    }
}

/// What a call did cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settle {
    pub(crate) call: u64,
    pub(crate) at: Timestamp,
    /// As the answer names it.
    pub(crate) model: String,
    pub(crate) usage: Usage,
    pub(crate) usd: Usd,
    pub(crate) price_table_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// A call that has ended in another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) call: u64,
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) why: String,
}

/// Calls that were written as events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drained {
    pub(crate) calls: Vec<u64>,
}

impl Line {
    /// Writes the line, with its end.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = json::bytes(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(crate) fn decode(text: &[u8]) -> Result<Self, serde_json::Error> {
        json::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_and_is_read_back() {
        let line = Line::Drained(Drained { calls: vec![3, 5] });
        let bytes = line.encode().unwrap();
        assert_eq!(bytes, b"{\"drained\":{\"calls\":[3,5]}}\n");
        assert_eq!(Line::decode(&bytes).unwrap(), line);
    }
}
