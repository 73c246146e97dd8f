//! Forgetting what a remote has of us: for those who leave.

use super::disk::StateError;
use super::remote::Remote;
use super::shared::{TOP, slug_of};
use crate::ports::git::{Expect, Ref, RefUpdate, RefVerdict};

/// Every ref of ours but the state branch lies below this.
const OURS: &str = "refs/maestro/";

/// What was deleted at the remote.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    /// Refs that are gone, or would be.
    pub(crate) refs: Vec<String>,
    /// The state branch, where it holds other files than ours: it stays.
    pub(crate) kept: Option<String>,
}

impl Remote<'_> {
    /// Deletes the state branch and every ref below `refs/maestro/`; with `dry_run` it only looks. A branch that holds anything but the
    /// folder of the state is somebody's work, and stays.
    pub(crate) fn forget(&self, dry_run: bool) -> Result<Forgotten, StateError> {
        let tips = self.fetch(&mut self.patience())?;
        let here = format!("refs/remotes/{}/all/", slug_of(&self.name));
        self.git
            .fetch(&self.store, &self.name, &[format!("+{OURS}*:{here}*")])?;
        let found = self.git.refs(&self.store, &here)?.into_iter();
        let mut going: Vec<Ref> = found
            .map(|found| Ref {
                name: found.name.replacen(&here, OURS, 1),
                object: found.object,
            })
            .collect();
        let mut forgotten = Forgotten::default();
        if let Some(tip) = tips.state {
            let files = self.git.files_of(&self.store, &tip, "")?;
            let own = format!("{TOP}/");
            if files.iter().all(|file| file.path.starts_with(&own)) {
                going.push(Ref {
                    name: self.branch_ref(),
                    object: tip,
                });
            } else {
                forgotten.kept = Some(self.branch().to_owned());
            }
        }
        let updates: Vec<RefUpdate> = going
            .iter()
            .map(|going| RefUpdate {
                name: going.name.clone(),
                new: None,
                expect: Expect::Object(going.object.clone()),
            })
            .collect();
        if !dry_run && !updates.is_empty() {
            let verdicts = self.git.push(&self.store, &self.name, &updates, false)?;
            for (update, verdict) in updates.iter().zip(verdicts) {
                let name = update.name.clone();
                let remote = self.name();
                match verdict {
                    RefVerdict::Done => {}
                    RefVerdict::Stale => {
                        return Err(StateError::Contended {
                            remote,
                            name,
                            tries: 1,
                        });
                    }
                    RefVerdict::Refused(words) => {
                        return Err(StateError::Refused {
                            remote,
                            name,
                            words,
                            tries: 1,
                        });
                    }
                }
            }
        }
        forgotten.refs = going.into_iter().map(|going| going.name).collect();
        Ok(forgotten)
    }
}
