//! Decisions that weekly pages asked for.

use std::collections::BTreeMap;

use super::disk::{StateError, StateFolder};
use super::v1::{self, DECISION};
use crate::report::facts::Decided;
use crate::sha::Sha;

impl StateFolder<'_> {
    /// Returns the decisions that are kept of some weeks, each once, wherever it is stored.
    pub(crate) fn decisions(&self, weeks: &[String]) -> Result<Vec<Decided>, StateError> {
        let mut kept: BTreeMap<(String, String), ((u32, Sha), Decided)> = BTreeMap::new();
        self.read(&|kind, _| kind == DECISION, &mut |event| {
            let decided = v1::decode_decision(event)?;
            if !weeks.contains(&decided.week) {
                return Ok(());
            }
            let key = (decided.week.clone(), decided.id.clone());
            let place = (decided.rank, event.id);
            if kept.get(&key).is_none_or(|(known, _)| place < *known) {
                kept.insert(key, (place, decided));
            }
            Ok(())
        })?;
        Ok(kept.into_values().map(|(_, decided)| decided).collect())
    }

    /// Keeps the decisions of a week, all or none.
    pub(crate) fn save_decisions(&self, decisions: &[Decided]) -> Result<(), StateError> {
        if decisions.is_empty() {
            return Ok(());
        }
        let events = decisions.iter().map(v1::encode_decision);
        let events = events.collect::<Result<Vec<_>, _>>()?;
        self.save(&events).map(drop)
    }
}
