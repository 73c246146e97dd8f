//! What was fetched of other machines' state: a store of maestro's own, whose refs follow those of a remote.
//!
//! Nothing of it is written to disk a second time: git's objects are the copy, and readers read them. The user's
//! repository gains no ref, no object and no shallow commit.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::disk::{StateError, read_retention};
use super::segment::{EVENTS, name_of};
use super::v1::{RETENTION, Retention};
use crate::ports::git::{Ref, Store};
use crate::ports::{Files, Git, GitError};
use crate::sha::Sha;

/// Where the refs lie that follow remotes.
const TRACKING: &str = "refs/remotes";

/// A file of the store that says that something was fetched: a machine that only publishes has nothing to look for.
pub(super) const FETCHED: &str = "maestro-fetched";

/// The folder of the state in the tree of a state branch.
pub(super) const TOP: &str = ".maestro";

/// The one file of a commit in the inbox.
pub(super) const INBOX_FILE: &str = "events.ndjson";

/// The store, and the git that reads it.
#[derive(Clone)]
pub(crate) struct Shared<'w> {
    pub(super) git: &'w dyn Git,
    pub(super) store: Store,
}

/// What the refs are at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetched {
    /// State branches.
    states: Vec<Ref>,
    /// Commits that wait to be folded.
    waiting: Vec<Ref>,
}

/// What takes a file: its name for messages, whether it waits to be folded, and its bytes.
pub(super) type TakeFile<'a> = &'a mut dyn FnMut(&Path, bool, &mut dyn Read) -> io::Result<()>;

/// Returns the ref of the store that follows the state branch of a remote.
pub(super) fn state_ref(remote: &str) -> String {
    format!("{TRACKING}/{}/state", slug_of(remote))
}

/// Returns the ref of the store that holds a commit that somebody asked for.
pub(super) fn asked_ref(remote: &str) -> String {
    format!("{TRACKING}/{}/asked", slug_of(remote))
}

/// Returns the prefix of the refs of the store that follow the inbox of a remote.
pub(super) fn inbox_refs(remote: &str) -> String {
    format!("{TRACKING}/{}/inbox/", slug_of(remote))
}

/// Returns the prefix of all refs of the store that follow a remote.
pub(super) fn refs_of(remote: &str) -> String {
    format!("{TRACKING}/{}/", slug_of(remote))
}

/// Returns the ref of the store that follows a register of a remote.
pub(super) fn register_ref(remote: &str, name: &str) -> String {
    let leaf = name.rsplit('/').next().unwrap_or_default();
    format!("{TRACKING}/{}/register/{leaf}", slug_of(remote))
}

/// Returns what a remote, which may be an address, is called in paths and refs.
pub(super) fn slug_of(remote: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if remote.len() <= 60 && remote.bytes().all(is_plain) {
        return remote.to_owned();
    }
    format!("at-{}", &Sha::of(remote.as_bytes()).to_string()[..16])
}

impl Fetched {
    /// Returns one commit of a state branch.
    pub(super) fn at(commit: &str) -> Self {
        let state = Ref {
            name: commit.to_owned(),
            object: commit.to_owned(),
        };
        Self {
            states: vec![state],
            waiting: Vec::new(),
        }
    }

    /// Splits off what was fetched from one remote.
    pub(super) fn of(&self, remote: &str) -> Self {
        let prefix = refs_of(remote);
        let own = |refs: &[Ref]| -> Vec<Ref> {
            let own = refs.iter().filter(|found| found.name.starts_with(&prefix));
            own.cloned().collect()
        };
        Self {
            states: own(&self.states),
            waiting: own(&self.waiting),
        }
    }

    /// Leaves what waits to be folded.
    pub(super) fn inbox(self) -> Self {
        Self {
            states: Vec::new(),
            waiting: self.waiting,
        }
    }

    /// Whether any of it came from a remote.
    pub(super) fn has_of(&self, remote: &str) -> bool {
        let (state, inbox) = (state_ref(remote), inbox_refs(remote));
        let mut all = self.states.iter().chain(&self.waiting);
        all.any(|found| found.name == state || found.name.starts_with(&inbox))
    }

    /// Returns the commit of a remote's state branch.
    pub(super) fn state_of(&self, remote: &str) -> Option<String> {
        let own = state_ref(remote);
        let found = self.states.iter().find(|found| found.name == own);
        found.map(|found| found.object.clone())
    }

    /// Returns how many refs were fetched.
    pub(super) fn len(&self) -> usize {
        self.states.len() + self.waiting.len()
    }
}

impl<'w> Shared<'w> {
    /// Returns the store inside a state folder, for the repository that holds `home`.
    pub(crate) fn new(git: &'w dyn Git, root: &Path, home: PathBuf) -> Self {
        let git_dir = root.join("git");
        Self {
            git,
            store: Store { git_dir, home },
        }
    }

    /// Whether a remote was ever asked, and answered.
    pub(super) fn has_fetched(&self, files: &dyn Files) -> bool {
        files.kind(&self.store.git_dir.join(FETCHED)).is_ok()
    }

    /// Returns what was fetched; nothing when nothing ever was.
    pub(super) fn fetched(&self, files: &dyn Files) -> Result<Option<Fetched>, StateError> {
        if !self.has_fetched(files) {
            return Ok(None);
        }
        let mut fetched = Fetched::default();
        for found in self.git.refs(&self.store, &format!("{TRACKING}/"))? {
            if found.name.ends_with("/state") {
                fetched.states.push(found);
            } else if found.name.contains("/inbox/") {
                fetched.waiting.push(found);
            }
        }
        let is_empty = fetched.states.is_empty() && fetched.waiting.is_empty();
        Ok((!is_empty).then_some(fetched))
    }

    /// Returns which months the state branches have rolled up.
    pub(super) fn retention(&self, fetched: &Fetched) -> Result<Retention, StateError> {
        let mut all = Retention::default();
        let objects: Vec<String> = fetched
            .states
            .iter()
            .map(|state| format!("{}:{TOP}/{RETENTION}", state.object))
            .collect();
        let mut documents = Vec::new();
        self.git
            .read_blobs(&self.store, &objects, &mut |place, blob| {
                let mut bytes = Vec::new();
                if let Some((_, blob)) = blob {
                    blob.read_to_end(&mut bytes)?;
                }
                documents.push((place, bytes));
                Ok(())
            })?;
        for (place, bytes) in documents {
            let path = PathBuf::from(&objects[place]);
            all.join(&read_retention(&bytes, &path)?);
        }
        Ok(all)
    }

    /// Hands out every file with events of the wanted kinds.
    pub(super) fn each_file(
        &self,
        fetched: &Fetched,
        wanted: &dyn Fn(&str) -> bool,
        take: TakeFile<'_>,
    ) -> Result<(), StateError> {
        let mut objects = Vec::new();
        let mut names = Vec::new();
        for state in &fetched.states {
            let below = format!("{TOP}/{EVENTS}");
            for file in self.git.files_of(&self.store, &state.object, &below)? {
                let short = file.path.strip_prefix(TOP).unwrap_or_default();
                let name = name_of(short.trim_start_matches('/'));
                if file.is_file && name.is_some_and(|(kind, _)| wanted(kind)) {
                    names.push((format!("{}:{}", state.name, file.path), false));
                    objects.push(file.object);
                }
            }
        }
        for waiting in &fetched.waiting {
            names.push((format!("{}:{INBOX_FILE}", waiting.name), true));
            objects.push(format!("{}:{INBOX_FILE}", waiting.object));
        }
        let read = self
            .git
            .read_blobs(&self.store, &objects, &mut |place, blob| {
                let (name, is_waiting) = &names[place];
                match blob {
                    Some((_, blob)) => take(Path::new(name), *is_waiting, blob),
                    None => Ok(()),
                }
            });
        read.map_err(|error| match error {
            GitError::Io(source) => StateError::Read {
                path: PathBuf::from(TRACKING),
                source,
            },
            other => other.into(),
        })
    }
}
