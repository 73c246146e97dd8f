//! Steps inside of a turn: what touches the world outside. Each is done once; a run that goes on, or is played again, takes what came of it
//! from the journal.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;

use super::journal::Journal;
use super::recording::Kept;
use crate::agents::record::Record;
use crate::sha::Sha;

/// Why a turn cannot go on. None of these is an end of the turn: it is begun again when the run goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Abandon {
    #[error("the run was stopped")]
    Stopped,
    #[error("the journal cannot be written")]
    Journal(#[source] io::Error),
    #[error("step `{step}` is not what was recorded: {what}")]
    Diverged { step: String, what: String },
    #[error("step `{0}` is not in the recording")]
    NotRecorded(String),
    #[error("{what}")]
    Trouble {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Abandon {
    pub(crate) fn trouble(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Trouble {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// Steps of a run.
pub(crate) struct Steps<'s> {
    /// Nothing while a recording is played.
    journal: Option<&'s Journal>,
    kept: &'s BTreeMap<String, Kept>,
    stopped: AtomicBool,
    done: AtomicU64,
    reused: AtomicU64,
}

impl<'s> Steps<'s> {
    pub(crate) fn new(journal: Option<&'s Journal>, kept: &'s BTreeMap<String, Kept>) -> Self {
        Self {
            journal,
            kept,
            stopped: AtomicBool::new(false),
            done: AtomicU64::new(0),
            reused: AtomicU64::new(0),
        }
    }

    /// Whether nothing outside is touched.
    pub(crate) fn is_replay(&self) -> bool {
        self.journal.is_none()
    }

    /// Lets no step begin any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Returns how many steps were done here, and how many were taken from the journal.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |number: &AtomicU64| number.load(Ordering::SeqCst);
        (count(&self.done), count(&self.reused))
    }

    /// Does a step, unless it is done: its intent is on the disk before, and what came of it after. `input` is all that decides what happens.
    pub(crate) fn perform(
        &self,
        step: &str,
        input: Sha,
        act: impl FnOnce() -> Result<Value, Abandon>,
    ) -> Result<Value, Abandon> {
        let input = input.to_string();
        if let Some(kept) = self.kept.get(step) {
            if kept.input != input {
                return Err(Abandon::Diverged {
                    step: step.to_owned(),
                    what: format!("it would be made from {input} and was from {}", kept.input),
                });
            }
            self.reused.fetch_add(1, Ordering::SeqCst);
            return Ok(kept.result.clone());
        }
        let Some(journal) = self.journal else {
            return Err(Abandon::NotRecorded(step.to_owned()));
        };
        if self.is_stopped() {
            return Err(Abandon::Stopped);
        }
        let step = step.to_owned();
        let intent = Record::Intent {
            step: step.clone(),
            input,
        };
        journal.keep(&intent).map_err(Abandon::Journal)?;
        let result = act()?;
        let outcome = Record::Outcome {
            step,
            result: result.clone(),
        };
        // Whatever comes next is on the disk after it.
        journal.add(&outcome).map_err(Abandon::Journal)?;
        self.done.fetch_add(1, Ordering::SeqCst);
        Ok(result)
    }
}
