//! What waits in the inbox, as it was fetched.

use std::io::Read;

use jiff::Timestamp;

use super::disk::{StateError, StateFolder};
use super::shared::Fetched;
use super::v1;

/// No file of the inbox is read further.
const LONGEST: u64 = 64 * 1024 * 1024;

impl StateFolder<'_> {
    /// Returns since when each ref of the inbox waits, by its newest event; nothing where nothing was ever fetched.
    pub(crate) fn waiting(&self) -> Result<Option<Vec<Timestamp>>, StateError> {
        let (Some(shared), Some(fetched)) = (&self.shared, self.fetched()?) else {
            return Ok(None);
        };
        let mut since = Vec::new();
        let none = |_: &str| false;
        let inbox: Fetched = fetched.inbox();
        shared.each_file(&inbox, &none, &mut |_, _, file| {
            let mut text = Vec::new();
            file.take(LONGEST).read_to_end(&mut text)?;
            let text = String::from_utf8_lossy(&text);
            let events = text.lines().filter_map(|line| v1::parse(line).ok());
            since.extend(events.map(|event| event.at).max());
            Ok(())
        })?;
        Ok(Some(since))
    }
}
