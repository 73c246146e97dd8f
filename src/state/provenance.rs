//! Runs and what they link to.

use super::disk::{StateError, StateFolder};
use super::v1::{self, PROVENANCE_INDEX};
use crate::provenance::chain::Link;

impl StateFolder<'_> {
    /// Returns every run whose index is known here.
    pub(crate) fn provenance_links(&self) -> Result<Vec<Link>, StateError> {
        let mut links = Vec::new();
        self.read(&|kind, _| kind == PROVENANCE_INDEX, &mut |event| {
            links.push(v1::decode_provenance_index(event)?);
            Ok(())
        })?;
        Ok(links)
    }
}
