//! Compaction: runs older than the retention become sums, lists that nobody needs any more go, and the state branch becomes one
//! commit. The totals of every test stay exactly as they were.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use jiff::{SignedDuration, Timestamp};

use super::branch::BranchTree;
use super::disk::{StateError, StateFolder, retention_of};
use super::fold::{Folded, fold_into};
use super::lines::{Damage, read_lines};
use super::remote::Remote;
use super::segment::{Batch, EVENTS, month_of, name_of};
use super::tree::Tree;
use super::v1::{self, RETENTION, Retention, TEST_LIST, TEST_RUN, TEST_TIMING};
use crate::event::Event;
use crate::flakes::history::{History, HistoryBuilder, Run};
use crate::flakes::rollup::Key;
use crate::sha::Sha;

/// What a compaction did.
#[derive(Debug, Default)]
pub(crate) struct Compacted {
    /// The first month whose runs are all kept.
    pub(crate) kept_from: String,
    /// Runs that became sums.
    pub(crate) runs: u64,
    /// Sums that they became: one a month, job and leg.
    pub(crate) rollups: u64,
    /// Runs before that month that stay: attempts of runs that go on after it, and runs without their list.
    pub(crate) kept_runs: u64,
    /// Lists that nobody needs any more.
    pub(crate) lists: u64,
    /// The commit of the state branch, where it was compacted.
    pub(crate) commit: Option<String>,
    /// Whether the branch is that one commit now.
    pub(crate) is_squashed: bool,
    pub(crate) attempts: u32,
}

/// Run, job and leg: what attempts share.
type Group = (String, String, String);

/// What stands in the tree about tests.
#[derive(Default)]
struct Inventory {
    history: HistoryBuilder,
    /// For each run, its group and month.
    runs: Vec<(Sha, Group, String)>,
    /// For each list, what it stands on.
    bases: HashMap<Sha, Option<Sha>>,
    /// For each run, its list.
    lists: HashMap<Sha, Sha>,
    damage: Vec<Damage>,
}

impl Inventory {
    fn read(tree: &dyn Tree) -> Result<Self, StateError> {
        let mut this = Self {
            // A report leaves knock-ons out, and sums must be what it says.
            history: HistoryBuilder::hearing(),
            ..Self::default()
        };
        for path in tree.files(EVENTS)? {
            if !name_of(&path).is_some_and(|(kind, _)| v1::is_about_tests(kind)) {
                continue;
            }
            let shown = tree.shown(&path);
            tree.read(&path, &mut |file| {
                read_lines(file, &shown, &mut |line| {
                    match line {
                        Ok(line) => {
                            if let Err(problem) = this.line(line.text) {
                                this.damage.push(line.damage(&shown, problem));
                            }
                        }
                        Err(damage) => this.damage.push(damage),
                    }
                    Ok(())
                })
            })?;
        }
        if let Some(newer) = super::disk::newer(&this.damage) {
            return Err(newer);
        }
        match this.damage.first() {
            // What is damaged would be missing from the sums.
            Some(damage) => Err(StateError::Damaged {
                path: damage.path.clone(),
                problem: format!("line {}: {}", damage.line, damage.problem),
            }),
            None => Ok(this),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), v1::LineProblem> {
        let event = v1::parse(line)?;
        v1::decode(&event, &mut self.history)?;
        if event.kind == TEST_LIST {
            self.bases.insert(event.id, v1::base_of(&event)?);
        }
        if event.kind == TEST_RUN {
            let run = v1::head_of_run(&event)?;
            self.lists.insert(event.id, run.list);
            let group = (event.origin.run, event.origin.job, run.leg);
            self.runs.push((event.id, group, month_of(event.at)));
        }
        Ok(())
    }

    /// Returns the lists that some runs need: their own, and what those stand on.
    fn needed(&self, runs: impl Iterator<Item = Sha>) -> BTreeSet<Sha> {
        let mut needed = BTreeSet::new();
        for run in runs {
            let mut next = self.lists.get(&run).copied();
            while let Some(list) = next {
                if !needed.insert(list) {
                    break;
                }
                next = self.bases.get(&list).copied().flatten();
            }
        }
        needed
    }
}

/// Returns what each run is summed up under; nothing for one that stays.
fn keys(
    history: &History,
    last_month: &BTreeMap<Group, String>,
    kept_from: &str,
) -> Vec<Option<Key>> {
    let taken: BTreeSet<&Key> = crate::order::set(history.rollups.iter().map(|rollup| &rollup.key));
    let key = |run: &Run| {
        let group = (
            run.origin.run.clone(),
            run.origin.job.clone(),
            run.leg.clone(),
        );
        let month = last_month.get(&group)?;
        let key = Key {
            month: month.clone(),
            job: group.1,
            leg: group.2,
        };
        // A month that was summed up before stays as it is.
        let is_summed =
            month.as_str() < kept_from && history.has_list_of(run) && !taken.contains(&key);
        is_summed.then_some(key)
    };
    history.runs.iter().map(key).collect()
}

/// Compacts a tree.
fn compact(tree: &mut dyn Tree, now: Timestamp, keep_days: u32) -> Result<Compacted, StateError> {
    let keep = SignedDuration::from_hours(24 * i64::from(keep_days));
    let limit = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
    let kept_from = month_of(limit);
    let mut done = Compacted {
        kept_from: kept_from.clone(),
        ..Compacted::default()
    };
    let mut retention = retention_of(tree)?;
    let mut inventory = Inventory::read(tree)?;
    let is_old = |month: &str| month < kept_from.as_str();
    let mut last_month: BTreeMap<Group, String> = BTreeMap::new();
    for (_, group, month) in &inventory.runs {
        let last = last_month.entry(group.clone()).or_default();
        if *last < *month {
            last.clone_from(month);
        }
    }
    let history = std::mem::take(&mut inventory.history).finish();
    let keys = keys(&history, &last_month, &kept_from);
    let rollups = history.roll_up(&keys);
    let summed: BTreeSet<Sha> = (history.runs.iter().zip(&keys))
        .filter(|(_, key)| key.is_some())
        .map(|(run, _)| run.id)
        .collect();
    let counted: BTreeSet<Sha> = history.runs.iter().map(|run| run.id).collect();
    let mut removed = BTreeSet::new();
    for (id, group, month) in &inventory.runs {
        let is_covered =
            !counted.contains(id) && last_month.get(group).is_some_and(|last| is_old(last));
        if summed.contains(id) || is_covered {
            removed.insert(*id);
        } else if is_old(month) {
            done.kept_runs += 1;
        }
    }
    done.runs = summed.len() as u64;
    done.rollups = rollups.len() as u64;
    let staying = inventory
        .runs
        .iter()
        .map(|(id, ..)| *id)
        .filter(|id| !removed.contains(id));
    let needed = inventory.needed(staying);
    let mut batch = Batch::default();
    for rollup in &rollups {
        let at = format!("{}-01T00:00:00Z", rollup.key.month).parse();
        let event = v1::encode_rollup(&history, rollup, at.unwrap_or(Timestamp::UNIX_EPOCH))?;
        add(&event, &mut batch);
    }
    let before = retention.clone();
    let unneeded = inventory.bases.keys().filter(|id| !needed.contains(id));
    let gone = retention.note_unneeded(&unneeded.copied().collect(), now);
    for path in tree.files(EVENTS)? {
        match name_of(&path) {
            Some((TEST_RUN, month)) if is_old(month) => {
                drop_lines(tree, &path, &|id| removed.contains(id))?;
            }
            Some((TEST_TIMING, month)) if is_old(month) => {
                tree.remove(&path)?;
                retention.keep_from(TEST_TIMING, &kept_from);
            }
            Some((TEST_LIST, month)) if is_old(month) => {
                done.lists += drop_lines(tree, &path, &|id| gone.contains(id))?;
            }
            _ => {}
        }
    }
    let mut folded = Folded::default();
    fold_into(tree, batch, &Retention::default(), &mut folded)?;
    if done.runs > 0 || !removed.is_empty() {
        retention.keep_from(TEST_RUN, &kept_from);
    }
    if retention != before {
        let bytes = retention.write()?;
        tree.rewrite(RETENTION, &mut |_, out| out.write_all(&bytes))?;
    }
    Ok(done)
}

/// Adds an event of ours to a batch.
fn add(event: &Event, batch: &mut Batch) {
    let mut line = Vec::new();
    let _to_memory = v1::write_line(event, &mut line);
    let line = String::from_utf8(line).unwrap_or_default();
    let line = line.trim_end_matches('\n');
    if let Ok(stored) = v1::parse(line) {
        batch.add(&stored, line);
    }
}

/// Drops events from a segment; returns how many.
fn drop_lines(
    tree: &mut dyn Tree,
    path: &str,
    is_dropped: &dyn Fn(&Sha) -> bool,
) -> Result<u64, StateError> {
    let shown = tree.shown(path);
    let (mut dropped, mut left) = (0, 0_u64);
    let id_of = |line: &str| match v1::head(line) {
        Some(head) => Some(head.id),
        None => v1::parse(line).ok().map(|event| event.id),
    };
    tree.read(path, &mut |file| {
        read_lines(file, &shown, &mut |line| {
            let id = line.ok().and_then(|line| id_of(line.text));
            if id.is_some_and(|id| is_dropped(&id)) {
                dropped += 1;
            } else {
                left += 1;
            }
            Ok(())
        })
    })?;
    if dropped == 0 {
        return Ok(0);
    }
    if left == 0 {
        tree.remove(path)?;
        return Ok(dropped);
    }
    tree.rewrite(path, &mut |old, out| {
        read_lines(old, &shown, &mut |line| {
            // Every line was looked at before anything was dropped.
            let line = line.map_err(|_| io::Error::other("it has changed meanwhile"))?;
            if id_of(line.text).is_some_and(|id| is_dropped(&id)) {
                return Ok(());
            }
            out.write_all(line.text.as_bytes())?;
            out.write_all(b"\n")
        })
    })?;
    Ok(dropped)
}

impl StateFolder<'_> {
    /// Compacts what is folded on this machine.
    pub(crate) fn compact(
        &self,
        now: Timestamp,
        keep_days: u32,
        dry_run: bool,
    ) -> Result<Compacted, StateError> {
        let _lock = self.lock()?;
        compact(&mut self.segments(dry_run), now, keep_days)
    }
}

impl Remote<'_> {
    /// Compacts the state branch, and makes it one commit where it holds nothing but the state.
    pub(crate) fn compact(
        &self,
        keep_days: u32,
        squash: bool,
        dry_run: bool,
    ) -> Result<Compacted, StateError> {
        let mut patience = self.patience();
        loop {
            let tips = self.fetch(&mut patience)?;
            let Some(tip) = tips.state else {
                return Ok(Compacted::default());
            };
            let mut tree = BranchTree::open(self.git, &self.store, Some(&tip), &self.branch)?;
            let mut done = compact(&mut tree, self.now, keep_days)?;
            done.attempts = patience.tries;
            let squash = squash && tree.is_state_only()?;
            if dry_run || !(tree.is_changed() || squash) {
                done.commit = Some(tip);
                return Ok(done);
            }
            let message = format!("Compact the state before {}\n\n[skip ci]\n", done.kept_from);
            let new = tree.commit(&message, self.now, squash)?;
            if self.swap(Some(&tip), &new, &mut patience)? {
                done.commit = Some(new);
                done.is_squashed = squash;
                return Ok(done);
            }
        }
    }
}
