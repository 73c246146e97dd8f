//! What channels were told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::disk::{StateError, StateFolder};
use super::v1::{self, NOTIFICATION, NotificationRecord};
use crate::event::Origin;

impl StateFolder<'_> {
    /// Returns the keys that each channel was told, wherever that is stored.
    pub(crate) fn told(&self) -> Result<BTreeMap<String, BTreeSet<String>>, StateError> {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        self.read(&|kind, _| kind == NOTIFICATION, &mut |event| {
            let record = v1::decode_notification(event)?;
            told.entry(record.target).or_default().extend(record.keys);
            Ok(())
        })?;
        Ok(told)
    }

    /// Stores what channels were told.
    pub(crate) fn save_told(
        &self,
        records: &[NotificationRecord],
        at: Timestamp,
        origin: &Origin,
    ) -> Result<(), StateError> {
        if records.is_empty() {
            return Ok(());
        }
        let events = records
            .iter()
            .map(|record| v1::encode_notification(record, at, origin.clone()));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        self.save(&events).map(drop)
    }
}
