//! The fold: events into segments, sorted by time and id, one a line, each once.
//!
//! Invariant: commutative, associative and idempotent. Each segment's bytes depend on the set of its events alone. An event
//! of a month that has been rolled up comes too late: a `late` event stands for it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::disk::{StateError, StateFolder, newer, retention_of};
use super::lines::{Damage, read_lines};
use super::segment::{Batch, Incoming, Merged, Thinning, merge, path_of};
use super::tree::Tree;
use super::v1::{self, Retention};
use crate::ports::TEMPORARY;

/// Events beyond this many bytes are folded in a further round.
pub(super) const BATCH: usize = 24 * 1024 * 1024;

/// What a fold did.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Files of the outbox that were read.
    pub(crate) files: u64,
    /// Events in them.
    pub(crate) events: u64,
    /// Events that no segment had before.
    pub(crate) added: u64,
    /// Segments that were written.
    pub(crate) segments: u64,
    /// Events of months that have been rolled up.
    pub(crate) late: u64,
    pub(crate) damage: Vec<Damage>,
    /// How much of the damage lies in segments; what came in for those was not folded.
    pub(crate) in_segments: usize,
}

impl StateFolder<'_> {
    /// Takes the outbox into the segments.
    ///
    /// A file of the outbox with damage stays as it is: what is sound in it is folded. Damage in a segment, which a rewrite
    /// would lose, and events of a newer version stop the fold.
    pub(crate) fn fold(&self, dry_run: bool) -> Result<Folded, StateError> {
        let _lock = self.lock()?;
        let mut tree = self.segments(dry_run);
        let retention = retention_of(&tree)?;
        let mut folded = Folded::default();
        if !dry_run {
            self.remove_left_overs()?;
        }
        let mut paths = self.outbox_files()?.into_iter().peekable();
        while paths.peek().is_some() {
            let mut batch = Batch::default();
            let mut done = Vec::new();
            while batch.size() < BATCH
                && let Some(path) = paths.next()
            {
                let before = folded.damage.len();
                self.gather(&path, &mut batch, &mut folded.damage)?;
                folded.files += 1;
                if folded.damage.len() == before {
                    done.push(path);
                }
            }
            if let Some(newer) = newer(&folded.damage) {
                return Err(newer);
            }
            folded.events += batch.len() as u64;
            fold_into(&mut tree, batch, &retention, &mut folded)?;
            if folded.in_segments > 0 {
                return Ok(folded);
            }
            if !dry_run {
                self.remove_files(&done)?;
            }
        }
        Ok(folded)
    }

    pub(super) fn remove_files(&self, paths: &[PathBuf]) -> Result<(), StateError> {
        for path in paths {
            match self.files.remove(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(|source| StateError::Write {
                    path: path.clone(),
                    source,
                })?,
            }
        }
        Ok(())
    }

    /// Removes the temporary files of writers that were killed: whoever writes holds the lock, so none is in use.
    fn remove_left_overs(&self) -> Result<(), StateError> {
        for path in self
            .files
            .walk(self.root(), &|_| false)
            .into_iter()
            .flatten()
        {
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                self.files
                    .remove(&path)
                    .map_err(|source| StateError::Write { path, source })?;
            }
        }
        Ok(())
    }

    /// Reads the sound events of a file.
    pub(super) fn gather(
        &self,
        path: &Path,
        batch: &mut Batch,
        damage: &mut Vec<Damage>,
    ) -> Result<(), StateError> {
        let failed = |source| StateError::Read {
            path: path.to_path_buf(),
            source,
        };
        let mut file = match self.files.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        gather_lines(&mut file, path, batch, damage).map_err(failed)
    }
}

/// Reads the sound events of some bytes.
pub(super) fn gather_lines(
    file: &mut dyn io::Read,
    path: &Path,
    batch: &mut Batch,
    damage: &mut Vec<Damage>,
) -> io::Result<()> {
    read_lines(file, path, &mut |line| {
        match line {
            Ok(line) => match v1::parse(line.text) {
                Ok(event) => batch.add(&event, line.text),
                Err(problem) => damage.push(line.damage(path, problem)),
            },
            Err(found) => damage.push(found),
        }
        Ok(())
    })
}

/// Takes events into the segments of a tree.
pub(super) fn fold_into(
    tree: &mut dyn Tree,
    batch: Batch,
    retention: &Retention,
    folded: &mut Folded,
) -> Result<(), StateError> {
    let mut late = Batch::default();
    batch.each(&mut |kind, month, incoming| {
        let path = path_of(kind, month);
        if retention.is_rolled_up(kind, month) {
            return refuse_late(tree, &path, kind, incoming, &mut late);
        }
        let merged = merge_into(tree, &path, incoming)?;
        take_in(merged, folded)
    })?;
    folded.late += late.len() as u64;
    late.each(&mut |kind, month, incoming| {
        let merged = merge_into(tree, &path_of(kind, month), incoming)?;
        take_in(merged, folded)
    })
}

fn take_in(merged: Merged, folded: &mut Folded) -> Result<(), StateError> {
    if let Some(newer) = newer(&merged.damage) {
        return Err(newer);
    }
    if merged.damage.is_empty() {
        folded.segments += 1;
        folded.added += merged.added;
    } else {
        folded.in_segments += merged.damage.len();
        folded.damage.extend(merged.damage);
    }
    Ok(())
}

/// Merges into one segment, which stays as it was when it is damaged.
fn merge_into(
    tree: &mut dyn Tree,
    path: &str,
    incoming: &[Incoming<'_>],
) -> Result<Merged, StateError> {
    let shown = tree.shown(path);
    let mut merged = Merged::default();
    let written = tree.rewrite(path, &mut |old, out| {
        merged = merge(old, &shown, incoming, out)?;
        if merged.damage.is_empty() && !merged.is_out_of_order {
            Ok(())
        } else {
            Err(io::Error::other("it is not in order"))
        }
    });
    if !merged.damage.is_empty() {
        return Ok(merged);
    }
    if !merged.is_out_of_order {
        return written.map(|()| merged);
    }
    // Somebody else's program wrote it: the events are sound, so they are put in order.
    let mut all = Batch::default();
    let mut damage = Vec::new();
    tree.read(path, &mut |old| {
        gather_lines(old, &shown, &mut all, &mut damage)
    })?;
    let before = all.len();
    for new in incoming {
        let Ok(event) = v1::parse(new.line) else {
            continue;
        };
        all.add(&event, new.line);
    }
    let mut added = 0;
    all.each(&mut |_, _, lines| {
        added += lines.len();
        tree.rewrite(path, &mut |_, out| write_lines(lines, out))
    })?;
    Ok(Merged {
        added: added.saturating_sub(before) as u64,
        damage,
        is_out_of_order: true,
    })
}

pub(super) fn write_lines(lines: &[Incoming<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut thinning = Thinning::default();
    for line in lines {
        if thinning.drops(line.line) {
            continue;
        }
        out.write_all(line.line.as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Makes `late` events of what belongs to a month that has been rolled up and was not kept there.
fn refuse_late(
    tree: &dyn Tree,
    path: &str,
    kind: &str,
    incoming: &[Incoming<'_>],
    late: &mut Batch,
) -> Result<(), StateError> {
    let shown = tree.shown(path);
    let mut kept = std::collections::HashSet::new();
    tree.read(path, &mut |old| {
        read_lines(old, &shown, &mut |line| {
            if let Ok(line) = line
                && let Ok(event) = v1::parse(line.text)
            {
                kept.insert(event.id);
            }
            Ok(())
        })
    })?;
    for new in incoming.iter().filter(|new| !kept.contains(&new.id)) {
        let Ok(event) = v1::parse(new.line) else {
            continue;
        };
        let line = v1::late_line(kind, &event);
        if let Ok(stored) = v1::parse(&line) {
            late.add(&stored, &line);
        }
    }
    Ok(())
}
