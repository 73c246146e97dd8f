//! Recovery of a state branch that somebody damaged: what is sound now, and what was sound in the last good commit.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::branch::BranchTree;
use super::disk::{StateError, newer, read_retention};
use super::fold::{gather_lines, write_lines};
use super::lines::Damage;
use super::remote::{INBOX, Remote};
use super::segment::{Batch, EVENTS, name_of, path_of};
use super::shared::INBOX_FILE;
use super::tree::Tree;
use super::v1::{self, RETENTION, Retention, TEST_LIST, TEST_RUN};
use crate::ports::git::{Expect, RefUpdate, RefVerdict};
use crate::sha::Sha;

/// Commits further back are not looked at.
const MOST_COMMITS: usize = 2_000;

/// What a recovery did.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// What was damaged on the branch.
    pub(crate) damage: Vec<Damage>,
    /// The newest commit in which everything is sound; nothing when there is none.
    pub(crate) good: Option<String>,
    /// Events that came back from it.
    pub(crate) events: u64,
    /// Damaged lines that nothing was found for.
    pub(crate) lost: Vec<Damage>,
    /// The commit that the branch is at afterwards.
    pub(crate) commit: Option<String>,
    /// Refs of the inbox that could not be used; their files are set aside.
    pub(crate) refs: Vec<String>,
    /// Where damaged files were put.
    pub(crate) aside: Vec<PathBuf>,
}

/// What stands in the tree of one commit.
#[derive(Default)]
struct Reading {
    sound: Batch,
    damage: Vec<Damage>,
    /// Whether `retention.json` can be read.
    has_retention: bool,
}

impl Reading {
    fn is_good(&self) -> bool {
        self.damage.is_empty() && self.has_retention
    }
}

fn read(tree: &BranchTree<'_>) -> Result<Reading, StateError> {
    let mut reading = Reading::default();
    for path in tree.files(EVENTS)? {
        if name_of(&path).is_none() {
            continue;
        }
        let shown = tree.shown(&path);
        tree.read(&path, &mut |file| {
            gather_lines(file, &shown, &mut reading.sound, &mut reading.damage)
        })?;
    }
    reading.has_retention = retention(tree)?.is_some();
    Ok(reading)
}

fn retention(tree: &BranchTree<'_>) -> Result<Option<Retention>, StateError> {
    let mut bytes = Vec::new();
    tree.read(RETENTION, &mut |file| {
        file.read_to_end(&mut bytes).map(drop)
    })?;
    match read_retention(&bytes, &tree.shown(RETENTION)) {
        Ok(retention) => Ok(Some(retention)),
        Err(StateError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Remote<'_> {
    /// Repairs the state branch and the inbox.
    pub(crate) fn recover(&self) -> Result<Recovered, StateError> {
        let mut done = Recovered::default();
        let mut patience = self.patience();
        loop {
            let tips = self.fetch(&mut patience)?;
            let Some(tip) = tips.state else { break };
            let mut tree = BranchTree::open(self.git, &self.store, Some(&tip), &self.branch)?;
            let now = read(&tree)?;
            if let Some(newer) = newer(&now.damage) {
                return Err(newer);
            }
            done.commit = Some(tip.clone());
            if now.is_good() {
                break;
            }
            done.aside = self.set_aside(&tree, &now.damage)?;
            self.restore(&mut tree, now, &tip, &mut done)?;
            let message = "Repair the state\n\n[skip ci]\n";
            let new = tree.commit(message, self.now, false)?;
            if self.swap(Some(&tip), &new, &mut patience)? {
                done.commit = Some(new);
                break;
            }
        }
        self.clear_inbox(&mut done)?;
        Ok(done)
    }

    /// Puts what is sound into the tree: of now, and of the last good commit.
    fn restore(
        &self,
        tree: &mut BranchTree<'_>,
        now: Reading,
        tip: &str,
        done: &mut Recovered,
    ) -> Result<(), StateError> {
        self.fetch_past()?;
        let mut good = None;
        for commit in self
            .git
            .history(&self.store, tip, MOST_COMMITS)?
            .into_iter()
            .skip(1)
        {
            let past = BranchTree::open(self.git, &self.store, Some(&commit), &self.branch)?;
            let reading = read(&past)?;
            if reading.is_good() {
                good = Some((commit, past, reading.sound));
                break;
            }
        }
        if !now.has_retention {
            match good.as_ref().and_then(|(_, past, _)| past.blob(RETENTION)) {
                Some(blob) => tree.set(RETENTION, blob.to_owned()),
                None => tree.remove(RETENTION)?,
            }
        }
        let closed = retention(tree)?.unwrap_or_default();
        let mut all = now.sound;
        let before: BTreeSet<Sha> = all.ids().collect();
        if let Some((commit, _, sound)) = good {
            done.good = Some(commit);
            all.absorb(&sound, &|kind, month| {
                // What was summed up since then has gone for good reason, and so have lists that nobody needed any more.
                let kind = if kind == TEST_LIST { TEST_RUN } else { kind };
                !closed.is_rolled_up(kind, month)
            });
        }
        let after: BTreeSet<Sha> = all.ids().collect();
        done.events = (after.len() - before.len()) as u64;
        let is_back = |damage: &Damage| {
            let id = Self::id_at(tree, damage);
            id.is_some_and(|id| after.contains(&id))
        };
        done.lost = now
            .damage
            .iter()
            .filter(|damage| !is_back(damage))
            .cloned()
            .collect();
        let mut written = BTreeSet::new();
        all.each(&mut |kind, month, lines| {
            let path = path_of(kind, month);
            tree.rewrite(&path, &mut |_, out| write_lines(lines, out))?;
            written.insert(path);
            Ok::<(), StateError>(())
        })?;
        for path in tree.files(EVENTS)? {
            if name_of(&path).is_some() && !written.contains(&path) {
                tree.remove(&path)?;
            }
        }
        done.damage = now.damage;
        Ok(())
    }

    /// Returns the id that a damaged line claims, where that much of it can be read.
    fn id_at(tree: &BranchTree<'_>, damage: &Damage) -> Option<Sha> {
        let mut id = None;
        let prefix = tree.shown("").to_string_lossy().into_owned();
        let path = damage.path.to_string_lossy().into_owned();
        let read = tree.read(path.strip_prefix(&prefix)?, &mut |file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let start = usize::try_from(damage.offset).unwrap_or(usize::MAX);
            let line = bytes.get(start..).unwrap_or_default();
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            id = v1::head(&String::from_utf8_lossy(line)).map(|head| head.id);
            Ok(())
        });
        read.ok().and(id)
    }

    /// Copies damaged files of the branch to this machine, byte for byte.
    fn set_aside(
        &self,
        tree: &BranchTree<'_>,
        damage: &[Damage],
    ) -> Result<Vec<PathBuf>, StateError> {
        let mut aside = Vec::new();
        let prefix = tree.shown("").to_string_lossy().into_owned();
        let paths: BTreeSet<String> = damage
            .iter()
            .filter_map(|damage| {
                let path = damage.path.to_string_lossy().into_owned();
                Some(path.strip_prefix(&prefix)?.to_owned())
            })
            .collect();
        for path in &paths {
            let mut bytes = Vec::new();
            tree.read(path, &mut |file| file.read_to_end(&mut bytes).map(drop))?;
            aside.push(self.keep_aside(&path.replace('/', "-"), &bytes)?);
        }
        Ok(aside)
    }

    fn keep_aside(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StateError> {
        let digest = Sha::of(bytes).to_string();
        let path = self.aside().join(format!("{name}-{}", &digest[..12]));
        self.files
            .write_atomic(&path, &mut |out| out.write_all(bytes))
            .map_err(|source| StateError::Write {
                path: path.clone(),
                source,
            })?;
        Ok(path)
    }

    /// Folds what is sound in the inbox, and sets aside what is not.
    fn clear_inbox(&self, done: &mut Recovered) -> Result<(), StateError> {
        let fold = self.fold(false)?;
        if fold.kept_refs == 0 || fold.folded.in_segments > 0 {
            return Ok(());
        }
        done.commit = fold.tip;
        let tips = self.known()?;
        let mut patience = self.patience();
        for waiting in tips.waiting {
            let mut bytes = Vec::new();
            let wanted = [format!("{}:{INBOX_FILE}", waiting.object)];
            self.git
                .read_blobs(&self.store, &wanted, &mut |_, blob| match blob {
                    Some((_, blob)) => blob.read_to_end(&mut bytes).map(drop),
                    None => Ok(()),
                })?;
            let path = PathBuf::from(&waiting.name);
            let (mut batch, mut damage) = (Batch::default(), Vec::new());
            gather_lines(&mut bytes.as_slice(), &path, &mut batch, &mut damage).map_err(
                |source: io::Error| StateError::Read {
                    path: path.clone(),
                    source,
                },
            )?;
            // A ref that came meanwhile is sound, and waits for its fold; one without our file was not written by us.
            if damage.is_empty() {
                continue;
            }
            let name = waiting.name.strip_prefix(INBOX).unwrap_or_default();
            done.aside
                .push(self.keep_aside(&name.replace('/', "-"), &bytes)?);
            let update = RefUpdate {
                name: waiting.name.clone(),
                new: None,
                expect: Expect::Object(waiting.object.clone()),
            };
            if self.update(&[update], &mut patience)? == [RefVerdict::Done] {
                done.refs.push(waiting.name);
                done.lost.extend(damage);
            }
        }
        self.fetch(&mut patience).map(drop)
    }
}
