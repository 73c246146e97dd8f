//! Rows of deliveries: the latest reading of each, wherever it is stored.

use jiff::Timestamp;

use super::disk::{StateError, StateFolder, Survey};
use super::v1::{self, DELIVERY_ROW};
use crate::delivery::rows::Row;
use crate::delivery::table::Gathering;

impl StateFolder<'_> {
    /// Adds every row of a repository that is stored.
    pub(crate) fn delivery_rows(
        &self,
        repository: &str,
        to: &mut Gathering,
    ) -> Result<Survey, StateError> {
        self.each_delivery_row(&mut |of, as_of, row| {
            if of.eq_ignore_ascii_case(repository) {
                to.add(as_of, row);
            }
        })
    }

    /// Shows every row that is stored, with its repository.
    pub(crate) fn each_delivery_row(
        &self,
        show: &mut dyn FnMut(String, Timestamp, Row),
    ) -> Result<Survey, StateError> {
        self.read(&|kind, _| kind == DELIVERY_ROW, &mut |event| {
            let (of, as_of, row) = v1::decode_delivery_row(event)?;
            show(of, as_of, row);
            Ok(())
        })
    }

    /// Stores rows of a repository with how far they were read, all or none.
    pub(crate) fn save_delivery_rows(
        &self,
        repository: &str,
        rows: &[(Timestamp, Row)],
        cursor: (&str, &str, Timestamp),
    ) -> Result<(), StateError> {
        let (stream, position, at) = cursor;
        let rows = rows.iter();
        let mut events: Vec<_> = rows
            .map(|(as_of, row)| v1::encode_delivery_row(repository, row, *as_of))
            .collect();
        let cursor = v1::Cursor {
            position: position.into(),
            stream: stream.into(),
        };
        events.push(v1::encode_cursor(&cursor, at)?);
        self.save(&events).map(drop)
    }
}
