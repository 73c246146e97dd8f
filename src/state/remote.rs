//! The shared state: an inbox of refs at a remote, folded into a state branch by compare-and-swap.
//!
//! A writer publishes one commit under a ref of its own, so that no two writers ever wait for each other. Whoever folds
//! takes what waits, writes one commit on the branch, and only then deletes the refs it took, each only if it still is
//! what was read. Being killed in between costs nothing: folding twice gives the same bytes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::branch::{BranchTree, Publish};
use super::disk::{SENT, StateError, StateFolder, newer, retention_of};
use super::fold::{BATCH, Folded, fold_into, gather_lines};
use super::patience::{Patience, Setback};
use super::segment::Batch;
use super::shared::{FETCHED, INBOX_FILE, Shared, inbox_refs, refs_of, slug_of, state_ref};
use crate::ports::git::{Expect, Ref, RefUpdate, RefVerdict, Store};
use crate::ports::{Clock, Files, Git, GitError, Lock};

/// Where writers publish, at the remote.
pub(super) const INBOX: &str = "refs/maestro/inbox/";

/// An inbox file beyond this size was not written by a job's tests.
const LARGEST_INBOX: u64 = 1024 * 1024 * 1024;

/// The state that a remote shares.
pub(crate) struct Remote<'w> {
    pub(super) git: &'w dyn Git,
    pub(super) store: Store,
    pub(super) files: &'w dyn Files,
    clock: &'w dyn Clock,
    /// The state folder of this machine.
    root: PathBuf,
    /// The remote's name.
    pub(super) name: String,
    /// The state branch, without `refs/heads/`.
    pub(super) branch: String,
    /// How long one command goes on trying.
    pub(super) deadline: Duration,
    /// The time that commits carry.
    pub(super) now: Timestamp,
    /// What puts commits on the state branch instead of a push.
    via: Option<&'w dyn Publish>,
}

/// What the remote has.
#[derive(Debug, Default)]
pub(super) struct Tips {
    pub(super) state: Option<String>,
    /// Waiting commits, by name of the ref at the remote.
    pub(super) waiting: Vec<Ref>,
}

/// What a fold of the inbox did.
#[derive(Debug, Default)]
pub(crate) struct RemoteFold {
    pub(crate) folded: Folded,
    /// Refs that were taken in and deleted.
    pub(crate) refs: u64,
    /// Refs that stay, because something in them cannot be used.
    pub(crate) kept_refs: u64,
    /// The tip of the state branch afterwards.
    pub(crate) tip: Option<String>,
    /// Commits that were written.
    pub(crate) commits: u64,
    /// Tries, all commits together.
    pub(crate) attempts: u32,
}

impl<'w> Remote<'w> {
    pub(crate) fn new(
        state: &StateFolder<'w>,
        shared: Shared<'w>,
        name: String,
        branch: String,
        deadline: Duration,
        now: Timestamp,
    ) -> Self {
        Self {
            git: shared.git,
            store: shared.store,
            files: state.files,
            clock: state.clock,
            root: state.root().to_path_buf(),
            name,
            branch,
            deadline,
            now,
            via: None,
        }
    }

    /// Lets something else than a push put commits on the state branch.
    pub(crate) fn via(mut self, via: &'w dyn Publish) -> Self {
        self.via = Some(via);
        self
    }

    /// Returns the remote's name.
    pub(crate) fn name(&self) -> String {
        crate::ports::git::shown(&self.name)
    }

    /// Returns the state branch, without `refs/heads/`.
    pub(crate) fn branch(&self) -> &str {
        &self.branch
    }

    pub(super) fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    pub(super) fn patience(&self) -> Patience<'w> {
        Patience::new(self.clock, self.deadline)
    }

    /// Fetches the state branch and what waits, trying again while the remote does not answer.
    pub(crate) fn pull(&self) -> Result<Pulled, StateError> {
        let mut patience = self.patience();
        let tips = self.fetch(&mut patience)?;
        Ok(Pulled {
            waiting: tips.waiting.len() as u64,
            tip: tips.state,
        })
    }

    pub(super) fn fetch(&self, patience: &mut Patience<'_>) -> Result<Tips, StateError> {
        let mut before = Tips::default();
        if self.files.kind(&self.store.git_dir.join(FETCHED)).is_ok() {
            before = self.known()?;
        }
        loop {
            match self.fetch_once(patience) {
                Ok(tips) => {
                    // A remote lists its branches before its inbox. What was folded in between is in neither list, and then
                    // the branch has moved by the next look.
                    let is_gone =
                        |waiting: &Ref| tips.waiting.iter().all(|now| now.name != waiting.name);
                    let was_folded = before.waiting.iter().any(is_gone);
                    if was_folded && tips.state == before.state && patience.wait(Setback::Race) {
                        before = tips;
                        continue;
                    }
                    return Ok(tips);
                }
                Err(StateError::Git(error)) => match setback(&error) {
                    Some(setback) if patience.wait(setback) => {}
                    _ => return Err(error.into()),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the store, where it is missing.
    pub(super) fn prepare(&self) -> Result<(), StateError> {
        let _lock = self.exclusive(&mut self.patience())?;
        Ok(self.git.prepare(&self.store)?)
    }

    /// Fetches one ref of the remote into one of the store; returns what it names, or nothing when there is none.
    pub(super) fn fetch_ref(
        &self,
        name: &str,
        own: &str,
        patience: &mut Patience<'_>,
    ) -> Result<Option<String>, StateError> {
        loop {
            let lock = self.exclusive(patience)?;
            let fetched = self
                .git
                .fetch(&self.store, &self.name, &[format!("+{name}:{own}")]);
            match fetched {
                Ok(()) => {
                    let mut found = self.git.refs(&self.store, own)?.into_iter();
                    return Ok(found.next().map(|found| found.object));
                }
                Err(GitError::NoSuchRef { .. }) => return Ok(None),
                Err(error) => {
                    drop(lock);
                    match setback(&error) {
                        Some(setback) if patience.wait(setback) => {}
                        _ => return Err(error.into()),
                    }
                }
            }
        }
    }

    fn fetch_once(&self, patience: &mut Patience<'_>) -> Result<Tips, StateError> {
        let _lock = self.exclusive(patience)?;
        self.git.prepare(&self.store)?;
        // What was published before the remote is asked is in its answer.
        let sent = self.sent();
        let copies = self.files.names(&sent);
        let copies = copies.map_err(|source| StateError::Read {
            path: sent.clone(),
            source,
        })?;
        let tips = self.fetch_tips()?;
        let mark = self.store.git_dir.join(FETCHED);
        if self.files.kind(&mark).is_err() {
            self.files
                .write_atomic(&mark, &mut |_| Ok(()))
                .map_err(|source| StateError::Write { path: mark, source })?;
        }
        for copy in copies {
            let path = sent.join(copy);
            match self.files.remove(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(|source| StateError::Write { path, source })?,
            }
        }
        Ok(tips)
    }

    fn fetch_tips(&self) -> Result<Tips, GitError> {
        let inbox = format!("+{INBOX}*:{}*", inbox_refs(&self.name));
        let state = format!("+{}:{}", self.branch_ref(), state_ref(&self.name));
        let both = self
            .git
            .fetch(&self.store, &self.name, &[state, inbox.clone()]);
        match both {
            Ok(()) => self.known(),
            // Nobody has folded yet.
            Err(GitError::NoSuchRef { .. }) => {
                self.git.fetch(&self.store, &self.name, &[inbox])?;
                // The branch may have been deleted: what it had is not what this remote has.
                let known = self.known()?;
                if known.state.is_some() {
                    let own = (state_ref(&self.name), None);
                    self.git.set_refs(&self.store, &[own])?;
                }
                Ok(Tips {
                    state: None,
                    ..known
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what the last fetch saw.
    pub(super) fn known(&self) -> Result<Tips, GitError> {
        let (own, inbox) = (state_ref(&self.name), inbox_refs(&self.name));
        let mut tips = Tips::default();
        for found in self.git.refs(&self.store, &refs_of(&self.name))? {
            if found.name == own {
                tips.state = Some(found.object);
            } else if let Some(leaf) = found.name.strip_prefix(&inbox) {
                tips.waiting.push(Ref {
                    name: format!("{INBOX}{leaf}"),
                    object: found.object,
                });
            }
        }
        Ok(tips)
    }

    /// Folds what waits into the state branch.
    pub(crate) fn fold(&self, dry_run: bool) -> Result<RemoteFold, StateError> {
        let mut patience = self.patience();
        let mut done = RemoteFold::default();
        let mut kept: Vec<Ref> = Vec::new();
        loop {
            let mut tips = self.fetch(&mut patience)?;
            done.tip.clone_from(&tips.state);
            kept.retain(|kept| tips.waiting.contains(kept));
            tips.waiting.retain(|waiting| !kept.contains(waiting));
            done.kept_refs = kept.len() as u64;
            done.attempts = patience.tries;
            if tips.waiting.is_empty() {
                self.git.tidy(&self.store);
                return Ok(done);
            }
            let round = self.round(&tips)?;
            if round.folded.in_segments > 0 {
                done.folded.damage = round.folded.damage;
                done.folded.in_segments = round.folded.in_segments;
                return Ok(done);
            }
            let new = if round.tree.is_changed() && !dry_run {
                let message = format!("Fold {} events\n\n[skip ci]\n", round.folded.events);
                let old = tips.state.as_deref();
                match self.move_branch(&round.tree, old, &message, &mut patience)? {
                    Some(new) => Some(new),
                    None => continue,
                }
            } else {
                None
            };
            if new.is_some() {
                done.commits += 1;
                done.tip = new;
            }
            done.count(round.folded);
            kept.extend(round.kept.clone());
            if dry_run {
                done.refs += round.taken.len() as u64;
                done.kept_refs = kept.len() as u64;
                if round.is_all {
                    return Ok(done);
                }
                kept.extend(round.taken);
                continue;
            }
            patience.succeed();
            let deleted = self.delete_waiting(&round.taken, &mut patience)?;
            done.refs += deleted;
            if deleted == 0 {
                // Their events are folded; what holds the refs at the remote may pass.
                kept.extend(round.taken);
            }
        }
    }

    /// Reads what waits, as much as one round takes, into the tree of the state branch.
    fn round(&self, tips: &Tips) -> Result<Round<'_>, StateError> {
        let mut tree =
            BranchTree::open(self.git, &self.store, tips.state.as_deref(), &self.branch)?;
        let retention = retention_of(&tree)?;
        let mut folded = Folded::default();
        let mut batch = Batch::default();
        let (mut taken, mut kept) = (Vec::new(), Vec::new());
        let objects: Vec<String> = tips
            .waiting
            .iter()
            .map(|waiting| format!("{}:{INBOX_FILE}", waiting.object))
            .collect();
        self.git
            .read_blobs(&self.store, &objects, &mut |place, blob| {
                let waiting = &tips.waiting[place];
                if batch.size() >= BATCH {
                    return Ok(());
                }
                let before = folded.damage.len();
                match blob {
                    Some((size, bytes)) if size <= LARGEST_INBOX => {
                        let path = PathBuf::from(format!("{}:{INBOX_FILE}", waiting.name));
                        gather_lines(bytes, &path, &mut batch, &mut folded.damage)?;
                        folded.files += 1;
                    }
                    // Whatever it is, no push of ours wrote it.
                    _ => kept.push(waiting.clone()),
                }
                if folded.damage.len() > before {
                    kept.push(waiting.clone());
                } else if !kept.contains(waiting) {
                    taken.push(waiting.clone());
                }
                Ok(())
            })?;
        if let Some(newer) = newer(&folded.damage) {
            return Err(newer);
        }
        folded.events = batch.len() as u64;
        fold_into(&mut tree, batch, &retention, &mut folded)?;
        let is_all = taken.len() + kept.len() == tips.waiting.len();
        Ok(Round {
            tree,
            folded,
            taken,
            kept,
            is_all,
        })
    }

    /// Puts a tree on the state branch; returns the new commit, or nothing when somebody else has moved it.
    fn move_branch(
        &self,
        tree: &BranchTree<'_>,
        old: Option<&str>,
        message: &str,
        patience: &mut Patience<'_>,
    ) -> Result<Option<String>, StateError> {
        let Some(via) = self.via else {
            let new = tree.commit(message, self.now, false)?;
            return Ok(self.swap(old, &new, patience)?.then_some(new));
        };
        let published = via.publish(&self.branch, old, &tree.changed()?, message)?;
        if published.is_some() {
            // The commit is the remote's: it comes here by a fetch.
            self.fetch(patience)?;
        } else if !patience.wait(Setback::Race) {
            return Err(self.contended(patience));
        }
        Ok(published)
    }

    fn contended(&self, patience: &Patience<'_>) -> StateError {
        StateError::Contended {
            remote: self.name(),
            name: self.branch_ref(),
            tries: patience.tries,
        }
    }

    /// Moves the state branch from one commit to another; answers false when somebody else has moved it.
    pub(super) fn swap(
        &self,
        old: Option<&str>,
        new: &str,
        patience: &mut Patience<'_>,
    ) -> Result<bool, StateError> {
        let update = RefUpdate {
            name: self.branch_ref(),
            new: Some(new.to_owned()),
            expect: expect(old),
        };
        let moved = self.update(&[update], patience)?;
        if moved == [RefVerdict::Done] {
            let follow = (state_ref(&self.name), Some(new.to_owned()));
            self.follow(&[follow], patience)?;
            return Ok(true);
        }
        if patience.wait(Setback::Race) {
            return Ok(false);
        }
        Err(self.contended(patience))
    }

    /// Asks for changes of refs until the remote answers with something else than a refusal that may pass.
    pub(super) fn update(
        &self,
        updates: &[RefUpdate],
        patience: &mut Patience<'_>,
    ) -> Result<Vec<RefVerdict>, StateError> {
        loop {
            match self.git.push(&self.store, &self.name, updates, false) {
                Ok(verdicts) => {
                    let refused =
                        verdicts
                            .iter()
                            .zip(updates)
                            .find_map(|(verdict, update)| match verdict {
                                RefVerdict::Refused(words) => Some((words.clone(), &update.name)),
                                _ => None,
                            });
                    let Some((words, name)) = refused else {
                        return Ok(verdicts);
                    };
                    if is_final(&words) || !patience.wait(Setback::Refusal) {
                        return Err(StateError::Refused {
                            remote: self.name(),
                            name: name.clone(),
                            words,
                            tries: patience.tries,
                        });
                    }
                }
                Err(error) => match setback(&error) {
                    Some(setback) if patience.wait(setback) => {}
                    _ => return Err(error.into()),
                },
            }
        }
    }

    /// Deletes refs that have been folded, each only if it still is what was read; returns how many are gone.
    fn delete_waiting(
        &self,
        taken: &[Ref],
        patience: &mut Patience<'_>,
    ) -> Result<u64, StateError> {
        if taken.is_empty() {
            return Ok(0);
        }
        let updates: Vec<RefUpdate> = taken
            .iter()
            .map(|taken| RefUpdate {
                name: taken.name.clone(),
                new: None,
                expect: Expect::Object(taken.object.clone()),
            })
            .collect();
        // One that was written again meanwhile waits for the next round.
        let verdicts = self.update(&updates, patience)?;
        let gone = taken.iter().zip(verdicts);
        let follow: Vec<_> = gone
            .filter(|(_, verdict)| *verdict == RefVerdict::Done)
            .map(|(taken, _)| (taken.name.replacen(INBOX, &inbox_refs(&self.name), 1), None))
            .collect();
        self.follow(&follow, patience)?;
        Ok(follow.len() as u64)
    }

    /// Keeps every other process of this machine from changing the store's refs.
    fn exclusive(&self, patience: &mut Patience<'_>) -> Result<Box<dyn Lock>, StateError> {
        let path = self.root.join("git-lock");
        loop {
            match self.files.try_lock(&path) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if patience.wait(Setback::Race) => {}
                Ok(None) => return Err(StateError::Locked(path)),
                Err(source) => return Err(StateError::Write { path, source }),
            }
        }
    }

    /// Lets refs of the store follow what was done at the remote.
    fn follow(
        &self,
        refs: &[(String, Option<String>)],
        patience: &mut Patience<'_>,
    ) -> Result<(), StateError> {
        let _lock = self.exclusive(patience)?;
        Ok(self.git.set_refs(&self.store, refs)?)
    }

    /// Returns where files are put that cannot be used.
    pub(super) fn aside(&self) -> PathBuf {
        self.root.join("aside")
    }

    /// Fetches every commit of the state branch.
    pub(super) fn fetch_past(&self) -> Result<(), StateError> {
        let _lock = self.exclusive(&mut self.patience())?;
        let refspec = format!("+{}:{}", self.branch_ref(), state_ref(&self.name));
        Ok(self.git.fetch_past(&self.store, &self.name, &refspec)?)
    }

    /// Returns where copies lie of what was published, until it is fetched.
    pub(super) fn sent(&self) -> PathBuf {
        self.root.join(SENT).join(slug_of(&self.name))
    }
}

/// What a fetch brought.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// Commits that wait to be folded.
    pub(crate) waiting: u64,
    pub(crate) tip: Option<String>,
}

struct Round<'w> {
    tree: BranchTree<'w>,
    folded: Folded,
    taken: Vec<Ref>,
    /// Refs with something that cannot be used.
    kept: Vec<Ref>,
    /// Whether nothing is left for another round.
    is_all: bool,
}

impl RemoteFold {
    fn count(&mut self, round: Folded) {
        self.folded.files += round.files;
        self.folded.events += round.events;
        self.folded.added += round.added;
        self.folded.segments += round.segments;
        self.folded.late += round.late;
        self.folded.damage.extend(round.damage);
    }
}

pub(super) fn expect(old: Option<&str>) -> Expect {
    match old {
        Some(old) => Expect::Object(old.to_owned()),
        None => Expect::Nothing,
    }
}

/// Returns why it is worth trying again after an error, if it is.
fn setback(error: &GitError) -> Option<Setback> {
    match error {
        GitError::Unreachable { .. } => Some(Setback::Silence),
        GitError::Moving { .. } => Some(Setback::Race),
        _ => None,
    }
}

/// Whether a refusal will not pass by waiting.
fn is_final(words: &str) -> bool {
    let words = words.to_lowercase();
    [
        "protected branch",
        "gh006",
        "gh013",
        "rule violations",
        "not allowed",
        "permission",
        "denied",
        "unsigned",
        "signature",
        "signed commits",
        "read-only",
        "archived",
        "hidden ref",
        "quota",
    ]
    .iter()
    .any(|phrase| words.contains(phrase))
}
