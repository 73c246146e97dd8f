//! Reads rules from where they can be trusted: a commit of the branch that a change goes to, fetched when it is not here.

use std::time::Duration;

use super::bases::{Found, NoBase, Reach, Search};
use super::planner::Planner;
use crate::change::base::{Trigger, decide};
use crate::change::trust::Trust;
use crate::ports::GitError;
use crate::ports::history::Depth;

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTrust {
    /// The remote could not be asked.
    #[error("the branch `{branch}` could not be fetched from `{remote}`: {words}")]
    NotFetched {
        branch: String,
        remote: String,
        words: String,
    },
    /// Fetching is forbidden.
    #[error("the branch `{0}` must be asked for at the remote, and that is forbidden")]
    Offline(String),
    /// It is not known who to ask.
    #[error("{0}")]
    Nobody(String),
    /// A commit is not there.
    #[error("there is no commit `{0}`")]
    NotFound(String),
    #[error(transparent)]
    Git(#[from] GitError),
}

fn remote_trouble(error: GitError, not_fetched: &dyn Fn(String) -> NoTrust) -> NoTrust {
    match error {
        GitError::NoProgram | GitError::CannotWrite(_) => error.into(),
        error => not_fetched(error.to_string()),
    }
}

/// Who reads, and whom it may ask.
pub(crate) struct Trustee<'p, 'w> {
    pub(crate) planner: &'p mut Planner<'w>,
    pub(crate) remote: String,
    /// Whether the remote may be asked.
    pub(crate) may_fetch: bool,
    pub(crate) deadline: Duration,
}

impl Trustee<'_, '_> {
    /// Returns the commit whose rules count. `started` is the commit that the run was started for.
    pub(crate) fn commit(&mut self, trust: &Trust, started: &str) -> Result<String, NoTrust> {
        match trust {
            Trust::Branch(branch) => self.tip(branch),
            Trust::Started => self.started(started),
            Trust::Local => self.fork_point(),
            Trust::Nobody(why) => Err(NoTrust::Nobody(why.clone())),
        }
    }

    /// Returns a commit that somebody names.
    pub(crate) fn here(&mut self, revision: &str) -> Result<String, NoTrust> {
        let found = self.planner.commit(revision)?;
        found
            .map(|commit| commit.object)
            .ok_or_else(|| NoTrust::NotFound(revision.to_owned()))
    }

    /// Returns the commit that a run was started for; what is checked out may be another one.
    fn started(&mut self, commit: &str) -> Result<String, NoTrust> {
        match self.get(commit) {
            // A remote that does not hand it out leaves it missing.
            Ok(()) | Err(GitError::Moving { .. }) => self.here(commit),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns where a branch of the remote is now.
    fn tip(&mut self, branch: &str) -> Result<String, NoTrust> {
        if !self.may_fetch {
            return Err(NoTrust::Offline(branch.to_owned()));
        }
        let remote = crate::ports::git::shown(&self.remote);
        let not_fetched = |words: String| NoTrust::NotFetched {
            branch: branch.to_owned(),
            remote: remote.clone(),
            words,
        };
        let asked = self.tip_at_remote(branch);
        let tip = match asked {
            Ok(Some(tip)) => tip,
            Ok(None) => return Err(not_fetched("it has no such branch".to_owned())),
            Err(error) => return Err(remote_trouble(error, &not_fetched)),
        };
        match self.get(&tip) {
            Ok(()) => self.here(&tip),
            Err(error) => Err(remote_trouble(error, &not_fetched)),
        }
    }

    /// Asks the remote where a branch is; whoever asked before is told the same.
    fn tip_at_remote(&mut self, branch: &str) -> Result<Option<String>, GitError> {
        let key = [self.remote.clone(), branch.to_owned()];
        let planner = &mut *self.planner;
        if let Some(tip) = planner.seen.tip.of(&key) {
            return Ok(Some(tip));
        }
        let history = planner.history;
        let tip = history.remote_tip(&planner.folder, &self.remote, branch, self.deadline)?;
        Ok(tip.map(|tip| planner.seen.tip.keep(key, tip)))
    }

    /// Fetches a commit that is not here. No ref moves, and a shallow clone keeps all that it has.
    fn get(&mut self, commit: &str) -> Result<(), GitError> {
        if self.planner.commit(commit)?.is_some() || !self.may_fetch {
            return Ok(());
        }
        let (history, folder) = (self.planner.history, self.planner.folder.clone());
        let refspec = [commit.to_owned()];
        history.fetch_commits(&folder, &self.remote, &refspec, Depth::Same, self.deadline)?;
        self.planner.reopen()
    }

    /// Returns where the head left the remote's default branch, or the head itself.
    fn fork_point(&mut self) -> Result<String, NoTrust> {
        let head = self.planner.commit("HEAD")?;
        let head = head.ok_or_else(|| NoTrust::NotFound("HEAD".to_owned()))?;
        let tracking =
            ["HEAD", "main", "master"].map(|name| format!("refs/remotes/{}/{name}", self.remote));
        let mut has_remote = false;
        for name in &tracking {
            has_remote |= self.planner.commit(name)?.is_some();
        }
        if !has_remote {
            return Ok(head.object);
        }
        let base = decide(None, &Trigger::Local, &head);
        let mut search = Search {
            planner: self.planner,
            reach: Reach {
                remote: self.may_fetch.then(|| self.remote.clone()),
                deadline: self.deadline,
            },
            last_green: &mut |_| None,
            say: &mut |_| {},
        };
        let found = search.find(&base, &head).map_err(|error| match error {
            NoBase::NotFound(revision) => NoTrust::NotFound(revision),
            NoBase::Git(error) => NoTrust::Git(error),
        })?;
        match found {
            Found::Commits { bases, .. } if !bases.is_empty() => Ok(bases[0].object.clone()),
            Found::Everything(reason) => Err(NoTrust::Nobody(reason.detail)),
            Found::Commits { .. } => Ok(head.object),
        }
    }

    /// Reads a file of a commit; nothing when it has none.
    pub(crate) fn file(&mut self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, NoTrust> {
        let name = format!("{commit}:{path}");
        let mut found = None;
        self.planner
            .objects
            .read(std::slice::from_ref(&name), &mut |_, object| {
                found = object
                    .filter(|object| object.kind == "blob")
                    .map(|object| object.bytes);
            })?;
        Ok(found)
    }
}
