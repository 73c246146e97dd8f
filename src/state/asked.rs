//! One commit of a state branch, for those who must all see the same.

use super::disk::{Reading, StateError, StateFolder, Survey, TakeEvent};
use super::remote::Remote;
use super::shared::{Fetched, asked_ref};

impl StateFolder<'_> {
    /// Returns the commit of the state branch that was last fetched from a remote.
    pub(crate) fn fetched_commit(&self, remote: &str) -> Result<Option<String>, StateError> {
        Ok(self.fetched()?.and_then(|fetched| fetched.state_of(remote)))
    }

    /// Whether a remote was asked for its state and answered, if only that it has none yet.
    pub(crate) fn has_answered(&self, remote: &str) -> Result<bool, StateError> {
        let Some(shared) = &self.shared else {
            return Ok(false);
        };
        Ok(match self.fetched()? {
            Some(fetched) => fetched.has_of(remote),
            // Nothing came from anywhere: either nobody was asked, or nobody had anything.
            None => shared.has_fetched(self.files),
        })
    }

    /// Whether a commit of a state branch was fetched.
    pub(crate) fn has_commit(&self, commit: &str) -> bool {
        let shared = self.shared.as_ref();
        shared.is_some_and(|shared| shared.git.history(&shared.store, commit, 1).is_ok())
    }

    /// Reads the events of the wanted kinds that a commit of a state branch has, and no others.
    pub(crate) fn read_at(
        &self,
        commit: &str,
        wanted: &dyn Fn(&str) -> bool,
        take: TakeEvent<'_>,
    ) -> Result<Survey, StateError> {
        let mut reading = Reading::new(wanted, take);
        if let Some(shared) = &self.shared {
            let fetched = Fetched::at(commit);
            shared.each_file(&fetched, wanted, &mut |path, _, file| {
                reading.lines(path, file)
            })?;
        }
        Ok(reading.survey)
    }
}

impl Remote<'_> {
    /// Fetches a commit that the state branch had; tells whether the remote still has it.
    pub(crate) fn fetch_commit(&self, commit: &str) -> Result<bool, StateError> {
        self.prepare()?;
        let own = asked_ref(&self.name);
        Ok(self
            .fetch_ref(commit, &own, &mut self.patience())?
            .is_some())
    }
}
