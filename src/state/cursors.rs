//! Cursors: how far something that is read from elsewhere, page by page, has been read.

use jiff::Timestamp;

use super::disk::{StateError, StateFolder};
use super::v1::{self, CURSOR, Cursor};
use crate::sha::Sha;

impl StateFolder<'_> {
    /// Returns where reading a stream goes on: the newest cursor, wherever it is stored.
    pub(crate) fn cursor(&self, stream: &str) -> Result<Option<String>, StateError> {
        let mut newest: Option<((Timestamp, Sha), String)> = None;
        self.read(&|kind, _| kind == CURSOR, &mut |event| {
            let cursor = v1::decode_cursor(event)?;
            let at = (event.at, event.id);
            if cursor.stream == stream && newest.as_ref().is_none_or(|(before, _)| *before < at) {
                newest = Some((at, cursor.position.into_owned()));
            }
            Ok(())
        })?;
        Ok(newest.map(|(_, position)| position))
    }

    /// Stores where reading a stream goes on.
    pub(crate) fn save_cursor(
        &self,
        stream: &str,
        position: &str,
        at: Timestamp,
    ) -> Result<(), StateError> {
        let cursor = Cursor {
            position: position.into(),
            stream: stream.into(),
        };
        self.save(&[v1::encode_cursor(&cursor, at)?]).map(drop)
    }
}
