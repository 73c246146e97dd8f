//! The state folder: where it lies, how it is locked, read and added to.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::v1::{self, LineProblem, StoredEvent};
use crate::event::{Event, Sha};
use crate::ports::{Clock, Files, Lock};

/// How long a command waits for another one's lock.
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// How often it asks.
const LOCK_PAUSE: Duration = Duration::from_millis(15);

/// A line longer than this is damage, not an event.
const LONGEST_LINE: u64 = 512 * 1024 * 1024;

/// What leaves room for the rest of the line.
const LONGEST_PAYLOAD: u64 = LONGEST_LINE - 1024 * 1024;

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("another process holds the lock `{}`", .0.display())]
    Locked(PathBuf),
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("a `{0}` event is larger than a line of the state may be")]
    TooLarge(&'static str),
    #[error("cannot encode an event")]
    Encode(#[from] serde_json::Error),
    #[error("`{}` holds events of a newer version (`{schema}`)", path.display())]
    Newer { path: PathBuf, schema: String },
}

/// Something in the state that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) path: PathBuf,
    /// Line in the file, from one.
    pub(crate) line: u64,
    /// Byte offset of the line.
    pub(crate) offset: u64,
    pub(crate) problem: LineProblem,
}

/// What a reading of the state saw.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) files: u64,
    pub(crate) events: u64,
    /// Events that stand in more than one place; they count once.
    pub(crate) repeated: u64,
    pub(crate) damage: Vec<Damage>,
}

impl Survey {
    /// Returns the error of a command that would write beside events of a newer version.
    pub(crate) fn newer(&self) -> Option<StateError> {
        self.damage.iter().find_map(|damage| match &damage.problem {
            LineProblem::OtherSchema(schema) => Some(StateError::Newer {
                path: damage.path.clone(),
                schema: schema.clone(),
            }),
            _ => None,
        })
    }
}

/// The state of one repository.
pub(crate) struct StateFolder<'w> {
    pub(super) files: &'w dyn Files,
    clock: &'w dyn Clock,
    root: PathBuf,
}

/// A line of a file, with where it stands.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) number: u64,
    pub(super) offset: u64,
}

impl<'w> StateFolder<'w> {
    pub(crate) fn new(files: &'w dyn Files, clock: &'w dyn Clock, root: PathBuf) -> Self {
        Self { files, clock, root }
    }

    /// Returns where it lies.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    pub(super) fn segments(&self) -> PathBuf {
        self.root.join("segments").join("events")
    }

    /// Waits for the lock of the whole folder.
    pub(super) fn lock(&self) -> Result<Box<dyn Lock>, StateError> {
        let path = self.root.join("lock");
        let mut waited = Duration::ZERO;
        loop {
            match self.files.try_lock(&path) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if waited >= LOCK_DEADLINE => return Err(StateError::Locked(path)),
                Ok(None) => {
                    self.clock.sleep(LOCK_PAUSE);
                    waited += LOCK_PAUSE;
                }
                Err(source) => return Err(StateError::Write { path, source }),
            }
        }
    }

    /// Saves events as one file of the outbox, durably, all or none; returns its path.
    ///
    /// The file's name is a digest of the events' ids, so that saving them again changes nothing.
    pub(crate) fn save(&self, events: &[Event]) -> Result<PathBuf, StateError> {
        let mut ids: Vec<Sha> = events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        let all: Vec<u8> = ids.iter().flat_map(|id| id.0).collect();
        let path = self.outbox().join(format!("{}.ndjson", Sha::of(&all)));
        if let Some(event) = events
            .iter()
            .find(|event| event.payload.len() as u64 > LONGEST_PAYLOAD)
        {
            return Err(StateError::TooLarge(event.kind));
        }
        let _lock = self.lock()?;
        let written = self.files.write_atomic(&path, &mut |out| {
            for event in events {
                v1::write_line(event, out)?;
            }
            Ok(())
        });
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(StateError::Write { path, source }),
        }
    }

    /// Returns the files of a folder that hold events, in order of name.
    pub(super) fn event_files(&self, folder: &Path) -> Result<Vec<PathBuf>, StateError> {
        if self.files.kind(folder).is_err() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for found in self.files.walk(folder, &|_| false) {
            match found {
                Ok(path) if is_event_file(&path) => files.push(path),
                Ok(_) => {}
                // A fold by another process has just taken it in.
                Err((_, error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err((path, source)) => return Err(StateError::Read { path, source }),
            }
        }
        Ok(files)
    }

    /// Reads every event. `wants` sees a line's kind and id before its payload is read; `take` may see an event more than
    /// once, and may find that a payload is damaged.
    ///
    /// The outbox is read before the segments are even listed: a fold that runs meanwhile removes a file of the outbox
    /// only after its events are in a segment, so that none is missed.
    pub(crate) fn read(
        &self,
        wants: &mut dyn FnMut(&str, &Sha) -> bool,
        take: &mut dyn FnMut(&StoredEvent<'_>) -> Result<(), LineProblem>,
    ) -> Result<Survey, StateError> {
        let mut survey = Survey::default();
        let mut seen: HashSet<Sha> = HashSet::new();
        for folder in [self.outbox(), self.segments()] {
            for path in self.event_files(&folder)? {
                survey.files += 1;
                self.read_file(&path, &mut survey, &mut seen, wants, take)?;
            }
        }
        Ok(survey)
    }

    fn read_file(
        &self,
        path: &Path,
        survey: &mut Survey,
        seen: &mut HashSet<Sha>,
        wants: &mut dyn FnMut(&str, &Sha) -> bool,
        take: &mut dyn FnMut(&StoredEvent<'_>) -> Result<(), LineProblem>,
    ) -> Result<(), StateError> {
        let mut damage = Vec::new();
        self.lines(path, &mut |line| {
            let text = match line {
                Ok(line) => line,
                Err(found) => {
                    damage.push(found);
                    return;
                }
            };
            if let Some((kind, id)) = v1::peek(text.text.as_bytes())
                && !wants(kind, &id)
            {
                return;
            }
            let taken = v1::parse(text.text).and_then(|event| {
                if !wants(&event.kind, &event.id) {
                    return Ok(());
                }
                take(&event)?;
                if seen.insert(event.id) {
                    survey.events += 1;
                } else {
                    survey.repeated += 1;
                }
                Ok(())
            });
            if let Err(problem) = taken {
                damage.push(Damage {
                    path: path.to_path_buf(),
                    line: text.number,
                    offset: text.offset,
                    problem,
                });
            }
        })?;
        survey.damage.append(&mut damage);
        Ok(())
    }

    /// Hands out the lines of a file; one that is not text or has no end is damage.
    pub(super) fn lines(
        &self,
        path: &Path,
        take: &mut dyn FnMut(Result<Line<'_>, Damage>),
    ) -> Result<(), StateError> {
        let failed = |source| StateError::Read {
            path: path.to_path_buf(),
            source,
        };
        let file = match self.files.open(path) {
            Ok(file) => file,
            // A fold by another process has just taken it in.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let mut bytes = Vec::new();
        let mut number = 0;
        let mut offset = 0;
        loop {
            bytes.clear();
            let mut limited = io::Read::take(&mut file, LONGEST_LINE);
            let count = limited.read_until(b'\n', &mut bytes).map_err(failed)? as u64;
            if count == 0 {
                return Ok(());
            }
            number += 1;
            let damage = |problem| Damage {
                path: path.to_path_buf(),
                line: number,
                offset,
                problem,
            };
            if bytes.pop() == Some(b'\n') {
                match std::str::from_utf8(&bytes) {
                    Ok(text) => take(Ok(Line {
                        text,
                        number,
                        offset,
                    })),
                    Err(error) => take(Err(damage(LineProblem::NotAnEvent(error.to_string())))),
                }
            } else {
                take(Err(damage(LineProblem::CutOff)));
            }
            offset += count;
        }
    }
}

fn is_event_file(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "ndjson")
}
