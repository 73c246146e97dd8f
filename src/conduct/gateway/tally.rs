//! What has happened at a gateway so far.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::money::Ending;
use crate::budget::ledger::Alert;
use crate::llm::usage::Usage;
use crate::money::Usd;

/// Models beyond so many are counted together; names come from clients.
const MOST_MODELS: usize = 200;

/// What is kept of messages.
const MOST_WORDS: usize = 20;

/// What one model did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) calls: u64,
    /// Of these, the ones whose bill nobody knows.
    pub(crate) unknown: u64,
    pub(crate) input_tokens: u64,
    pub(crate) cache_read_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) usd: Usd,
}

/// What has happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count {
    /// By provider and model.
    pub(crate) models: BTreeMap<(&'static str, String), Row>,
    pub(crate) settled_usd: Usd,
    pub(crate) unknown_usd: Usd,
    /// Requests that a cap did not let through.
    pub(crate) refused: u64,
    /// Requests that would have cost nobody knows how much, or that are not passed on.
    pub(crate) turned_away: u64,
    /// Calls that were allowed to write less than they asked for.
    pub(crate) shortened: u64,
    /// Calls that were passed on without a search of the web.
    pub(crate) without_search: u64,
    /// Requests that were passed on and cost nothing: free ones, and those that the provider refused or never got.
    pub(crate) free: u64,
    pub(crate) overshoot_usd: Option<Usd>,
    pub(crate) alerts: Vec<Alert>,
    /// What people should hear, each once.
    pub(crate) words: Vec<String>,
}

/// The same, for many threads.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Count>);

impl Tally {
    pub(crate) fn get(&self) -> Count {
        self.count().clone()
    }

    pub(super) fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    /// Takes down what a call did cost.
    pub(super) fn ended(&mut self, provider: &'static str, ending: Ending) {
        let mut name = ending.model;
        if self.models.len() >= MOST_MODELS {
            "others".clone_into(&mut name);
        }
        let row = self.models.entry((provider, name)).or_default();
        row.calls += 1;
        row.usd = row.usd.saturating_add(ending.usd);
        match ending.usage {
            Some(usage) => {
                row.add(&usage);
                self.settled_usd = self.settled_usd.saturating_add(ending.usd);
            }
            None => {
                row.unknown += 1;
                self.unknown_usd = self.unknown_usd.saturating_add(ending.usd);
            }
        }
        if let Some(over) = ending.overshoot {
            let before = self.overshoot_usd.unwrap_or(Usd::ZERO);
            self.overshoot_usd = Some(before.saturating_add(over));
        }
        self.alerts.extend(ending.alerts);
    }

    /// Keeps what people should hear.
    pub(super) fn say(&mut self, words: String) {
        if self.words.len() < MOST_WORDS && !self.words.contains(&words) {
            self.words.push(words);
        }
    }
}

impl Row {
    fn add(&mut self, usage: &Usage) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(
            &mut self.input_tokens,
            usage.input_tokens().unwrap_or(u64::MAX),
        );
        add(&mut self.cache_read_tokens, usage.cache_read_tokens);
        let output = usage
            .output_tokens
            .saturating_add(usage.output_audio_tokens);
        add(&mut self.output_tokens, output);
    }
}
