//! Publishing: what this machine alone has, as commits in the inbox of a remote.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{StateError, StateFolder, digest_of, newer};
use super::fold::{BATCH, gather_lines, write_lines};
use super::lines::Damage;
use super::patience::{Patience, Setback};
use super::remote::{INBOX, Remote};
use super::segment::{Batch, EVENTS};
use super::shared::INBOX_FILE;
use super::tree::Tree;
use super::v1::{self, TEST_LIST, TEST_RUN};
use crate::event::Origin;
use crate::ports::git::{Expect, RefUpdate, RefVerdict};
use crate::sha::Sha;

/// What a push did.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// Refs at the remote, with the commits that they name now.
    pub(crate) refs: Vec<(String, String)>,
    pub(crate) events: u64,
    pub(crate) attempts: u32,
    pub(crate) damage: Vec<Damage>,
}

impl Pushed {
    /// Adds a push that followed at once: it takes up what the one before published, unless that was too large.
    pub(crate) fn join(&mut self, next: Self) {
        if !next.refs.is_empty() {
            self.refs = next.refs;
            self.events = self.events.max(next.events);
        }
        self.attempts += next.attempts;
        self.damage = next.damage;
    }
}

/// One commit for the inbox.
struct Parcel {
    name: String,
    commit: String,
    ids: HashSet<Sha>,
    text: Vec<u8>,
    /// Files of the outbox that are whole in it.
    files: Vec<PathBuf>,
    /// Paths of segments that have events in it.
    segments: Vec<String>,
    /// Earlier commits of this machine whose events are in it too.
    earlier: Vec<Earlier>,
}

/// A commit that this machine published, and whose copy is still here.
struct Earlier {
    name: String,
    commit: String,
    copy: PathBuf,
}

/// Earlier commits are taken up again up to this size: a remote with a ref for every push becomes slow for everybody.
const MOST_AGAIN: usize = 256 * 1024;

impl StateFolder<'_> {
    /// Publishes what this machine alone has. An event leaves this machine's files only after the remote has said that it
    /// has it.
    pub(crate) fn push(&self, remote: &Remote<'_>, dry_run: bool) -> Result<Pushed, StateError> {
        let mut pushed = Pushed::default();
        if !dry_run {
            remote.prepare()?;
        }
        let mut parcels = self.parcels(remote, dry_run, &mut pushed)?;
        pushed.refs = refs_of(&parcels);
        if dry_run || parcels.is_empty() {
            return Ok(pushed);
        }
        let mut patience = remote.patience();
        for parcel in &mut parcels {
            deliver(remote, parcel, &mut patience)?;
        }
        pushed.attempts = patience.tries;
        pushed.refs = refs_of(&parcels);
        // Readers find the copies before the events are gone from where they were.
        let sent = remote.sent();
        let _lock = self.lock()?;
        for parcel in &parcels {
            self.set_down(parcel, &sent)?;
        }
        Ok(pushed)
    }

    /// Moves what was published to where its copies lie.
    fn set_down(&self, parcel: &Parcel, sent: &Path) -> Result<(), StateError> {
        let leaf = parcel.name.rsplit('/').next().unwrap_or_default();
        let copy = sent.join(format!("{leaf}@{}.ndjson", parcel.commit));
        self.files
            .write_atomic(&copy, &mut |out| out.write_all(&parcel.text))
            .map_err(|source| StateError::Write {
                path: copy.clone(),
                source,
            })?;
        self.remove_files(&parcel.files)?;
        for path in &parcel.segments {
            self.drop_events(path, &parcel.ids)?;
        }
        let earlier = parcel.earlier.iter().map(|earlier| earlier.copy.clone());
        let earlier: Vec<PathBuf> = earlier.filter(|earlier| *earlier != copy).collect();
        self.remove_files(&earlier)
    }

    /// Writes what is to be published as commits.
    fn parcels(
        &self,
        remote: &Remote<'_>,
        dry_run: bool,
        pushed: &mut Pushed,
    ) -> Result<Vec<Parcel>, StateError> {
        let _lock = self.lock()?;
        let mut load = Load::new(remote, dry_run);
        for path in self.outbox_files()? {
            let before = pushed.damage.len();
            self.gather(&path, &mut load.batch, &mut pushed.damage)?;
            if pushed.damage.len() == before {
                load.files.push(path);
            }
            load.close_if_full(&mut pushed.events)?;
        }
        let tree = self.segments(true);
        for path in tree.files(EVENTS)? {
            let shown = tree.shown(&path);
            tree.read(&path, &mut |file| {
                gather_lines(file, &shown, &mut load.batch, &mut pushed.damage)
            })?;
            load.segments.push(path);
            load.close_if_full(&mut pushed.events)?;
        }
        pushed.events += load.batch.distinct() as u64;
        self.add_lists(remote, &mut load.batch)?;
        let earlier = self.earlier(remote, &mut load.batch)?;
        let last = load.parcel()?;
        let mut parcels = load.parcels;
        parcels.extend(last.map(|last| Parcel { earlier, ..last }));
        match newer(&pushed.damage) {
            Some(newer) => Err(newer),
            None => Ok(parcels),
        }
    }

    /// Adds the lists that runs refer to and this remote does not have: they may have come from another one.
    fn add_lists(&self, remote: &Remote<'_>, batch: &mut Batch) -> Result<(), StateError> {
        let (Some(shared), Some(fetched)) = (&self.shared, self.fetched()?) else {
            return Ok(());
        };
        let own = fetched.of(&remote.name);
        if own.len() == fetched.len() {
            return Ok(());
        }
        let mut there: HashSet<Sha> = HashSet::new();
        shared.each_file(&own, &|kind| kind == TEST_LIST, &mut |path, _, file| {
            let (mut lists, mut damage) = (Batch::default(), Vec::new());
            gather_lines(file, path, &mut lists, &mut damage)?;
            there.extend(lists.ids());
            Ok(())
        })?;
        self.complete(batch, there)
    }

    /// Adds the lists that a batch stands on and does not hold, as far as they are known here and not there.
    pub(super) fn complete(
        &self,
        batch: &mut Batch,
        mut there: HashSet<Sha>,
    ) -> Result<(), StateError> {
        there.extend(batch.ids());
        let list = |line: &str| v1::head_of_run(&v1::parse(line).ok()?).ok();
        let base = |line: &str| v1::base_of(&v1::parse(line).ok()?).ok()?;
        let mut open: Vec<Sha> = (batch
            .lines_of(TEST_RUN)
            .filter_map(list)
            .map(|run| run.list))
        .chain(batch.lines_of(TEST_LIST).filter_map(base))
        .filter(|list| !there.contains(list))
        .collect();
        if open.is_empty() {
            return Ok(());
        }
        let mut known: HashMap<Sha, (Option<Sha>, String)> = HashMap::new();
        self.read(&|kind, _| kind == TEST_LIST, &mut |event| {
            let base = v1::base_of(event)?;
            known.insert(event.id, (base, event.line.to_owned()));
            Ok(())
        })?;
        while let Some(list) = open.pop() {
            if !there.insert(list) {
                continue;
            }
            let Some((base, line)) = known.get(&list) else {
                continue;
            };
            if let Ok(event) = v1::parse(line) {
                batch.add(&event, line);
            }
            open.extend(base);
        }
        Ok(())
    }

    /// Adds what this machine published before, and nobody has folded as far as it knows.
    fn earlier(&self, remote: &Remote<'_>, batch: &mut Batch) -> Result<Vec<Earlier>, StateError> {
        let sent = remote.sent();
        let mut earlier = Vec::new();
        if batch.len() == 0 {
            return Ok(earlier);
        }
        let names = self.files.names(&sent);
        for name in names.map_err(|source| StateError::Read {
            path: sent.clone(),
            source,
        })? {
            let copy = sent.join(&name);
            let name = name.to_string_lossy();
            let Some((leaf, commit)) = name.trim_end_matches(".ndjson").split_once('@') else {
                continue;
            };
            if batch.size() > MOST_AGAIN {
                break;
            }
            let mut damage = Vec::new();
            self.gather(&copy, batch, &mut damage)?;
            if damage.is_empty() {
                earlier.push(Earlier {
                    name: format!("{INBOX}{leaf}"),
                    commit: commit.to_owned(),
                    copy,
                });
            }
        }
        Ok(earlier)
    }

    /// Removes published events from a segment, which may have grown since they were read.
    fn drop_events(&self, path: &str, ids: &HashSet<Sha>) -> Result<(), StateError> {
        let mut tree = self.segments(false);
        let shown = tree.shown(path);
        let mut left = 0_u64;
        tree.rewrite(path, &mut |old, out| {
            left = 0;
            read_raw_lines(old, &mut |line| {
                let id = std::str::from_utf8(line)
                    .ok()
                    .and_then(|line| v1::parse(line.trim_end_matches('\n')).ok())
                    .map(|event| event.id);
                if id.is_some_and(|id| ids.contains(&id)) {
                    return Ok(());
                }
                left += 1;
                out.write_all(line)
            })
        })?;
        if left == 0 {
            self.files
                .remove(&shown)
                .map_err(|source| StateError::Write {
                    path: shown,
                    source,
                })?;
        }
        Ok(())
    }
}

/// Hands out lines as they are, with their ends.
fn read_raw_lines(
    file: &mut dyn io::Read,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    use std::io::BufRead;
    let mut file = io::BufReader::with_capacity(256 * 1024, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        take(&line)?;
    }
}

fn refs_of(parcels: &[Parcel]) -> Vec<(String, String)> {
    let row = |parcel: &Parcel| (parcel.name.clone(), parcel.commit.clone());
    parcels.iter().map(row).collect()
}

/// Publishes a commit, until the remote says that it has it.
fn deliver(
    remote: &Remote<'_>,
    parcel: &mut Parcel,
    patience: &mut Patience<'_>,
) -> Result<(), StateError> {
    if replace_earlier(remote, parcel) {
        return Ok(());
    }
    if !parcel.earlier.is_empty() {
        patience.try_again();
    }
    let mut failures = 0;
    loop {
        let update = RefUpdate {
            name: parcel.name.clone(),
            new: Some(parcel.commit.clone()),
            // The name is a digest of the events: whatever is there holds the same ones.
            expect: Expect::Anything,
        };
        if remote.update(&[update], patience)? == [RefVerdict::Done] {
            return Ok(());
        }
        // Nobody else writes this ref, so a process that was killed has left it locked at the remote.
        failures += 1;
        if !patience.wait(Setback::Race) {
            return Err(StateError::Contended {
                remote: remote.name(),
                name: parcel.name.clone(),
                tries: patience.tries,
            });
        }
        if failures >= 2 {
            let (kept, digest) = parcel.name.split_at(parcel.name.len() - 16);
            let other = Sha::of(digest.as_bytes()).to_string();
            parcel.name = format!("{kept}{}", &other[..16]);
        }
    }
}

/// Publishes a commit in place of earlier ones, all or nothing; answers false when that cannot be done at once.
fn replace_earlier(remote: &Remote<'_>, parcel: &Parcel) -> bool {
    let mut updates = vec![RefUpdate {
        name: parcel.name.clone(),
        new: Some(parcel.commit.clone()),
        expect: Expect::Anything,
    }];
    let others = parcel
        .earlier
        .iter()
        .filter(|earlier| earlier.name != parcel.name);
    updates.extend(others.map(|earlier| RefUpdate {
        name: earlier.name.clone(),
        new: None,
        expect: Expect::Object(earlier.commit.clone()),
    }));
    if updates.len() == 1 {
        return false;
    }
    let answer = remote.git.push(&remote.store, &remote.name, &updates, true);
    answer.is_ok_and(|verdicts| verdicts.iter().all(|verdict| *verdict == RefVerdict::Done))
}

/// What is put together for a remote: commits that are ready, and what goes into the next.
struct Load<'r> {
    remote: &'r Remote<'r>,
    dry_run: bool,
    parcels: Vec<Parcel>,
    batch: Batch,
    files: Vec<PathBuf>,
    segments: Vec<String>,
}

impl<'r> Load<'r> {
    fn new(remote: &'r Remote<'r>, dry_run: bool) -> Self {
        Self {
            remote,
            dry_run,
            parcels: Vec::new(),
            batch: Batch::default(),
            files: Vec::new(),
            segments: Vec::new(),
        }
    }

    fn close_if_full(&mut self, events: &mut u64) -> Result<(), StateError> {
        if self.batch.size() >= BATCH {
            *events += self.batch.distinct() as u64;
            let parcel = self.parcel()?;
            self.parcels.extend(parcel);
        }
        Ok(())
    }

    /// Makes a commit of the batch, which is empty afterwards; nothing when it was before.
    fn parcel(&mut self) -> Result<Option<Parcel>, StateError> {
        let batch = std::mem::take(&mut self.batch);
        let files = std::mem::take(&mut self.files);
        let segments = std::mem::take(&mut self.segments);
        if batch.len() == 0 {
            return Ok(None);
        }
        let mut text = Vec::new();
        let mut ids = HashSet::new();
        let mut origins: BTreeMap<Origin, u64> = BTreeMap::new();
        let mut newest = None;
        batch
            .each(&mut |_, _, lines| {
                for line in lines {
                    ids.insert(line.id);
                    newest = newest.max(Some(line.at));
                }
                if let Some(event) = lines.first().and_then(|line| v1::parse(line.line).ok()) {
                    *origins.entry(event.origin).or_default() += 1;
                }
                write_lines(lines, &mut text)
            })
            .map_err(|source| StateError::Write {
                path: PathBuf::from(INBOX_FILE),
                source,
            })?;
        let origin = origins.into_keys().find(|origin| !origin.run.is_empty());
        let name = ref_name(&origin.unwrap_or_default(), &digest_of(ids.iter().copied()));
        let mut commit = String::new();
        if !self.dry_run {
            commit = self.remote.git.write_file_commit(
                &self.remote.store,
                INBOX_FILE,
                &text,
                &format!("Save {} events\n\n[skip ci]\n", ids.len()),
                // The same events make the same commit.
                newest.unwrap_or(self.remote.now),
            )?;
        }
        Ok(Some(Parcel {
            name,
            commit,
            ids,
            text,
            files,
            segments,
            earlier: Vec::new(),
        }))
    }
}

/// Returns the ref that events are published under: readable, and its own for every set of events.
fn ref_name(origin: &Origin, digest: &Sha) -> String {
    let digest = digest.to_string();
    let run = slug(&origin.run, "none");
    let job = slug(&origin.job, "job");
    format!(
        "{INBOX}{run}-{}-{job}-{}",
        origin.attempt.max(1),
        &digest[..16]
    )
}

/// Returns a name as a part of a ref takes it.
fn slug(name: &str, otherwise: &str) -> String {
    const LONGEST: usize = 40;
    let mut slug = String::new();
    for letter in name.chars() {
        let letter = letter.to_ascii_lowercase();
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        otherwise.to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_name_run_attempt_and_job() {
        let origin = Origin {
            run: "8812".into(),
            attempt: 2,
            job: "Test (ubuntu, 3.12)..lock".into(),
            ..Origin::default()
        };
        let name = ref_name(&origin, &Sha::of(b"x"));
        assert_eq!(
            name,
            "refs/maestro/inbox/8812-2-test-ubuntu-3-12-lock-2d711642b726b044"
        );
    }

    #[test]
    fn hostile_names_become_harmless() {
        assert_eq!(slug("../../heads/main", "x"), "heads-main");
        assert_eq!(slug("\u{202e}é", "x"), "x");
        assert_eq!(slug(&"a".repeat(99), "x").len(), 40);
    }
}
