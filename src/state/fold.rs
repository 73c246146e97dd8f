//! The fold: outbox into segments, sorted by time and id, one event a line, each event once.
//!
//! Invariant: commutative, associative and idempotent. Each segment's bytes depend on the set of its events alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::disk::{Damage, StateError, StateFolder};
use super::v1::{self, LineProblem};
use crate::event::Sha;

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
    /// A file with damage stays in the outbox as it is: what is sound in it is folded, and `state doctor` names the rest.
    pub(crate) fn fold(&self) -> Result<Folded, StateError> {
        let _lock = self.lock()?;
        let mut folded = Folded::default();
        let mut segments: BTreeMap<PathBuf, Segment> = BTreeMap::new();
        let mut done = Vec::new();
        for name in self.names(&self.outbox())? {
            let path = self.outbox().join(&name);
            if path
                .extension()
                .is_none_or(|extension| extension != "ndjson")
            {
                continue;
            }
            let before = folded.damage.len();
            self.gather(&path, &mut segments, &mut folded.damage)?;
            folded.files += 1;
            if folded.damage.len() == before {
                done.push(path);
            }
        }
        for (path, mut segment) in segments {
            folded.events += segment.len() as u64;
            self.merge_existing(&path, &mut segment, &mut folded.damage)?;
            self.write_segment(&path, segment)?;
            folded.segments += 1;
        }
        for path in done {
            self.files
                .remove(&path)
                .map_err(|source| StateError::Write { path, source })?;
        }
        Ok(folded)
    }

    fn names(&self, folder: &Path) -> Result<Vec<std::ffi::OsString>, StateError> {
        self.files.names(folder).map_err(|source| StateError::Read {
            path: folder.to_path_buf(),
            source,
        })
    }

    fn gather(
        &self,
        path: &Path,
        segments: &mut BTreeMap<PathBuf, Segment>,
        damage: &mut Vec<Damage>,
    ) -> Result<(), StateError> {
        let folder = self.segments();
        let mut newer = None;
        self.lines(path, &mut |line| match line {
            Ok(line) => match v1::parse(line.text) {
                Ok(event) => {
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
                        line.text,
                    );
                }
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

    /// Adds what a segment holds already; damage in it would be lost by writing it anew, so it stops the fold.
    fn merge_existing(
        &self,
        path: &Path,
        segment: &mut Segment,
        damage: &mut Vec<Damage>,
    ) -> Result<(), StateError> {
        if self.files.kind(path).is_err() {
            return Ok(());
        }
        let mut existing = BTreeMap::new();
        let before = damage.len();
        self.gather(path, &mut existing, damage)?;
        for (id, (at, line)) in existing.into_values().flatten() {
            insert(segment, id, at, &line);
        }
        if damage.len() > before {
            self.set_aside(path, &damage[before..])?;
        }
        Ok(())
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

    /// Puts every damaged line aside and leaves everything else as it was; returns where the lines went.
    pub(crate) fn repair(&self, damage: Vec<Damage>) -> Result<Vec<PathBuf>, StateError> {
        let _lock = self.lock()?;
        let mut by_file: BTreeMap<PathBuf, Vec<Damage>> = BTreeMap::new();
        for found in damage {
            by_file.entry(found.path.clone()).or_default().push(found);
        }
        let mut aside = Vec::new();
        for (path, damage) in by_file {
            aside.push(self.set_aside(&path, &damage)?);
            self.drop_lines(&path, &damage)?;
        }
        Ok(aside)
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
