//! One reader of the repository for all parts of a command: git is started once, and what one part has read the next one has.

use super::session::Session;
use super::trouble::no_repository;
use crate::conduct::planner::Planner;
use crate::error::CommandError;
use crate::plan::graph::components::Components;
use crate::state::StateError;

/// Readers that nobody uses at the moment: one that leaves the remote alone, and one that may ask it.
#[derive(Default)]
pub(in crate::cli) struct Readers<'w>([Option<Planner<'w>>; 2]);

impl<'w> Session<'w> {
    /// Returns the remote that sources are fetched from, where that is allowed.
    pub(in crate::cli) fn reach(&self, may_fetch: bool) -> Option<String> {
        let may_fetch = may_fetch && !self.settings.offline.value;
        may_fetch.then(|| self.source_remote())
    }

    /// Lends a reader of the repository. Who has read without trouble gives it back; what broke off in the middle is left to end.
    pub(in crate::cli) fn reader(&mut self, may_fetch: bool) -> Result<Planner<'w>, CommandError> {
        let remote = self.reach(may_fetch);
        if let Some(reader) = self.readers.0[usize::from(remote.is_some())].take() {
            return Ok(reader);
        }
        let checkout = self.checkout.as_ref().map_err(no_repository)?;
        let reader = Planner::new(
            self.world.history.as_ref(),
            checkout.top.as_ref().unwrap_or(&checkout.common_dir),
            &checkout.common_dir,
            remote.as_deref(),
            Components::default(),
        );
        reader.map_err(|error| StateError::from(error).into())
    }

    pub(in crate::cli) fn give_back(&mut self, reader: Planner<'w>) {
        let place = usize::from(reader.may_fetch());
        self.readers.0[place] = Some(reader);
    }

    /// Leaves the readers to the end of the process: giving thousands of small pieces back one by one takes as long as reading them.
    pub(in crate::cli) fn forget_readers(&mut self) {
        std::mem::forget(std::mem::take(&mut self.readers));
    }
}
