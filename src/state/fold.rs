//! The fold: outbox into segments, sorted by time and id, one event a line, each event once.
//!
//! Invariant: commutative, associative and idempotent. Each segment's bytes depend on the set of its events alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::disk::{Damage, StateError, StateFolder, Survey};
use super::v1::{self, LineProblem, StoredEvent};
use crate::event::Sha;
use crate::ports::TEMPORARY;

/// What a fold did.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) files: u64,
    pub(crate) events: u64,
    pub(crate) segments: u64,
    pub(crate) damage: Vec<Damage>,
}

/// The lines of one segment, by identity.
type Segment = BTreeMap<Sha, (Timestamp, String)>;

impl StateFolder<'_> {
    /// Takes the outbox into the segments.
    ///
    /// Nothing is written before everything is read. A file of the outbox with damage stays as it is: what is sound in it
    /// is folded. Damage in a segment, which a rewrite would lose, and events of a newer version stop the fold.
    pub(crate) fn fold(&self, dry_run: bool) -> Result<Folded, StateError> {
        let _lock = self.lock()?;
        let mut folded = Folded::default();
        let mut segments: BTreeMap<PathBuf, Segment> = BTreeMap::new();
        let mut done = Vec::new();
        for path in self.event_files(&self.outbox())? {
            let before = folded.damage.len();
            self.gather(&path, &mut segments, &mut folded.damage)?;
            folded.files += 1;
            if folded.damage.len() == before {
                done.push(path);
            }
        }
        let in_outbox = folded.damage.len();
        folded.events = segments.values().map(|segment| segment.len() as u64).sum();
        for (path, segment) in &mut segments {
            self.add_existing(path, segment, &mut folded.damage)?;
        }
        if folded.damage.len() > in_outbox {
            return Ok(Folded {
                damage: folded.damage,
                ..Folded::default()
            });
        }
        folded.segments = segments.len() as u64;
        if dry_run {
            return Ok(folded);
        }
        self.remove_left_overs()?;
        for (path, segment) in segments {
            self.write_segment(&path, segment)?;
        }
        for path in done {
            self.files
                .remove(&path)
                .map_err(|source| StateError::Write { path, source })?;
        }
        Ok(folded)
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

    fn gather(
        &self,
        path: &Path,
        segments: &mut BTreeMap<PathBuf, Segment>,
        damage: &mut Vec<Damage>,
    ) -> Result<(), StateError> {
        let folder = self.segments();
        self.sound_lines(path, damage, &mut |event, line| {
            let month = event
                .at
                .to_zoned(TimeZone::UTC)
                .strftime("%Y-%m")
                .to_string();
            let segment = folder
                .join(event.kind.as_ref())
                .join(format!("{month}.ndjson"));
            insert(
                segments.entry(segment).or_default(),
                event.id,
                event.at,
                line,
            );
        })
    }

    /// Adds what a segment holds already.
    fn add_existing(
        &self,
        path: &Path,
        segment: &mut Segment,
        damage: &mut Vec<Damage>,
    ) -> Result<(), StateError> {
        self.sound_lines(path, damage, &mut |event, line| {
            insert(segment, event.id, event.at, line);
        })
    }

    /// Hands out the sound events of a file with their lines; fine when there is no such file.
    fn sound_lines(
        &self,
        path: &Path,
        damage: &mut Vec<Damage>,
        take: &mut dyn FnMut(&StoredEvent<'_>, &str),
    ) -> Result<(), StateError> {
        let mut newer = None;
        self.lines(path, &mut |line| match line {
            Ok(line) => match v1::parse(line.text) {
                Ok(event) => take(&event, line.text),
                Err(LineProblem::OtherSchema(schema)) => newer = Some(schema),
                Err(problem) => damage.push(Damage {
                    path: path.to_path_buf(),
                    line: line.number,
                    offset: line.offset,
                    problem,
                }),
            },
            Err(found) => damage.push(found),
        })?;
        match newer {
            Some(schema) => Err(StateError::Newer {
                path: path.to_path_buf(),
                schema,
            }),
            None => Ok(()),
        }
    }

    fn write_segment(&self, path: &Path, segment: Segment) -> Result<(), StateError> {
        let mut lines: Vec<(Timestamp, Sha, String)> = segment
            .into_iter()
            .map(|(id, (at, line))| (at, id, line))
            .collect();
        lines.sort();
        self.files
            .write_atomic(path, &mut |out| {
                for (_, _, line) in &lines {
                    out.write_all(line.as_bytes())?;
                    out.write_all(b"\n")?;
                }
                Ok(())
            })
            .map_err(|source| StateError::Write {
                path: path.to_path_buf(),
                source,
            })
    }

    /// Checks every event, payloads included.
    pub(crate) fn check(&self) -> Result<Survey, StateError> {
        self.read(&mut |_, _| true, &mut |event| v1::check(event))
    }

    /// Puts every damaged line aside and leaves everything else as it was; returns what was found and where the lines went.
    ///
    /// The lock is held from the first look on: line numbers are good for the bytes that were seen only.
    pub(crate) fn repair(&self) -> Result<(Survey, Vec<PathBuf>), StateError> {
        let _lock = self.lock()?;
        let survey = self.check()?;
        let mut by_file: BTreeMap<PathBuf, Vec<Damage>> = BTreeMap::new();
        let is_newer = |found: &&Damage| matches!(found.problem, LineProblem::OtherSchema(_));
        for found in survey.damage.iter().filter(|found| !is_newer(found)) {
            by_file
                .entry(found.path.clone())
                .or_default()
                .push(found.clone());
        }
        let mut aside = Vec::new();
        for (path, damage) in by_file {
            aside.push(self.set_aside(&path, &damage)?);
            self.drop_lines(&path, &damage)?;
        }
        Ok((survey, aside))
    }

    /// Copies the damaged lines of a file to the folder `aside`, byte for byte.
    fn set_aside(&self, path: &Path, damage: &[Damage]) -> Result<PathBuf, StateError> {
        let bytes = self.raw_lines(path, &|number| damage.iter().any(|d| d.line == number))?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let digest = Sha::of(&bytes).to_string();
        let aside = self
            .root()
            .join("aside")
            .join(format!("{name}-{}", &digest[..12]));
        self.files
            .write_atomic(&aside, &mut |out| out.write_all(&bytes))
            .map_err(|source| StateError::Write {
                path: aside.clone(),
                source,
            })?;
        Ok(aside)
    }

    fn drop_lines(&self, path: &Path, damage: &[Damage]) -> Result<(), StateError> {
        let kept = self.raw_lines(path, &|number| damage.iter().all(|d| d.line != number))?;
        let written = if kept.is_empty() {
            self.files.remove(path)
        } else {
            self.files
                .write_atomic(path, &mut |out| out.write_all(&kept))
        };
        written.map_err(|source| StateError::Write {
            path: path.to_path_buf(),
            source,
        })
    }

    fn raw_lines(&self, path: &Path, wanted: &dyn Fn(u64) -> bool) -> Result<Vec<u8>, StateError> {
        use std::io::Read as _;
        let mut all = Vec::new();
        let read = self
            .files
            .open(path)
            .and_then(|mut file| file.read_to_end(&mut all));
        read.map_err(|source| StateError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let mut bytes = Vec::new();
        for (number, line) in (1_u64..).zip(all.split_inclusive(|&byte| byte == b'\n')) {
            if wanted(number) {
                bytes.extend_from_slice(line);
            }
        }
        Ok(bytes)
    }
}

/// Adds a line; of two with one identity the earlier stays, so that the order of folding does not matter.
fn insert(segment: &mut Segment, id: Sha, at: Timestamp, line: &str) {
    match segment.get(&id) {
        Some((other_at, other)) if (*other_at, other.as_str()) <= (at, line) => {}
        _ => {
            segment.insert(id, (at, line.to_owned()));
        }
    }
}
