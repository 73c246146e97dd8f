//! Publishing: what this machine alone has, as commits in the inbox of a remote.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::PathBuf;

use super::disk::{StateError, StateFolder, digest_of, newer};
use super::fold::{BATCH, gather_lines, write_lines};
use super::lines::Damage;
use super::remote::{INBOX, Remote};
use super::segment::{Batch, EVENTS};
use super::shared::{INBOX_FILE, inbox_refs};
use super::tree::Tree;
use super::v1;
use crate::event::{Origin, Sha};
use crate::ports::git::{Expect, NewCommit, RefUpdate};

/// What a push did.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// Refs at the remote, with the commits that they name now.
    pub(crate) refs: Vec<(String, String)>,
    pub(crate) events: u64,
    pub(crate) attempts: u32,
    pub(crate) damage: Vec<Damage>,
}

/// One commit for the inbox.
struct Parcel {
    name: String,
    commit: String,
    ids: HashSet<Sha>,
    /// Files of the outbox that are whole in it.
    files: Vec<PathBuf>,
    /// Paths of segments that have events in it.
    segments: Vec<String>,
}

impl StateFolder<'_> {
    /// Publishes what this machine alone has. An event leaves this machine's files only after the remote has said that it
    /// has it.
    pub(crate) fn push(&self, remote: &Remote<'_>, dry_run: bool) -> Result<Pushed, StateError> {
        let mut pushed = Pushed::default();
        let parcels = self.parcels(remote, dry_run, &mut pushed)?;
        pushed.events = parcels.iter().map(|parcel| parcel.ids.len() as u64).sum();
        pushed.refs = parcels
            .iter()
            .map(|parcel| (parcel.name.clone(), parcel.commit.clone()))
            .collect();
        if dry_run || parcels.is_empty() {
            return Ok(pushed);
        }
        let updates: Vec<RefUpdate> = parcels
            .iter()
            .map(|parcel| RefUpdate {
                name: parcel.name.clone(),
                new: Some(parcel.commit.clone()),
                // The name is a digest of the events: whatever is there holds the same ones.
                expect: Expect::Anything,
            })
            .collect();
        let mut patience = remote.patience();
        remote.update(&updates, &mut patience)?;
        pushed.attempts = patience.tries;
        // Readers find the events there before they are gone from here.
        let follow: Vec<_> = parcels
            .iter()
            .map(|parcel| {
                let name = parcel.name.replacen(INBOX, &inbox_refs(&remote.name), 1);
                (name, Some(parcel.commit.clone()))
            })
            .collect();
        remote.git.set_refs(remote.folder(), &follow)?;
        let _lock = self.lock()?;
        for parcel in &parcels {
            self.remove_files(&parcel.files)?;
            for path in &parcel.segments {
                self.drop_events(path, &parcel.ids)?;
            }
        }
        Ok(pushed)
    }

    /// Writes what is to be published as commits.
    fn parcels(
        &self,
        remote: &Remote<'_>,
        dry_run: bool,
        pushed: &mut Pushed,
    ) -> Result<Vec<Parcel>, StateError> {
        let _lock = self.lock()?;
        let mut parcels = Vec::new();
        let mut batch = Batch::default();
        let (mut files, mut segments) = (Vec::new(), Vec::new());
        for path in self.outbox_files()? {
            let before = pushed.damage.len();
            self.gather(&path, &mut batch, &mut pushed.damage)?;
            if pushed.damage.len() == before {
                files.push(path);
            }
            if batch.size() >= BATCH {
                parcels.extend(parcel(
                    remote,
                    &mut batch,
                    &mut files,
                    &mut segments,
                    dry_run,
                )?);
            }
        }
        let tree = self.segments(true);
        for path in tree.files(EVENTS)? {
            let shown = tree.shown(&path);
            tree.read(&path, &mut |file| {
                gather_lines(file, &shown, &mut batch, &mut pushed.damage)
            })?;
            segments.push(path);
            if batch.size() >= BATCH {
                parcels.extend(parcel(
                    remote,
                    &mut batch,
                    &mut files,
                    &mut segments,
                    dry_run,
                )?);
            }
        }
        parcels.extend(parcel(
            remote,
            &mut batch,
            &mut files,
            &mut segments,
            dry_run,
        )?);
        match newer(&pushed.damage) {
            Some(newer) => Err(newer),
            None => Ok(parcels),
        }
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

/// Makes a commit of a batch, which is empty afterwards; nothing when it was before.
fn parcel(
    remote: &Remote<'_>,
    batch: &mut Batch,
    files: &mut Vec<PathBuf>,
    segments: &mut Vec<String>,
    dry_run: bool,
) -> Result<Option<Parcel>, StateError> {
    let batch = std::mem::take(batch);
    let (files, segments) = (std::mem::take(files), std::mem::take(segments));
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
    if !dry_run {
        let git = remote.git;
        let blob = git.write_blob(remote.folder(), &mut |out: &mut dyn Write| {
            out.write_all(&text)
        })?;
        let file = (INBOX_FILE.to_owned(), Some(blob));
        let tree = git.write_tree(remote.folder(), None, &[file])?;
        commit = git.write_commit(
            remote.folder(),
            &NewCommit {
                tree,
                parents: Vec::new(),
                message: format!("Save {} events\n\n[skip ci]\n", ids.len()),
                // The same events make the same commit.
                at: newest.unwrap_or(remote.now),
            },
        )?;
    }
    Ok(Some(Parcel {
        name,
        commit,
        ids,
        files,
        segments,
    }))
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
