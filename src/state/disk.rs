//! The state folder: where it lies, how it is locked, read and added to.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lines::{Damage, LONGEST_LINE, read_lines};
use super::segment::{EVENTS, month_of, name_of};
use super::shared::{Fetched, Shared};
use super::tree::{DiskTree, Tree};
use super::v1::{self, LineProblem, RETENTION, Retention, RetentionProblem, StoredEvent};
use crate::event::Event;
use crate::forge::problem::ForgeError;
use crate::order;
use crate::ports::{Clock, Files, GitError, Lock};
use crate::sha::Sha;

/// How long a command waits for another one's lock.
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// How often it asks.
const LOCK_PAUSE: Duration = Duration::from_millis(15);

/// Copies of what was published, until it is fetched.
pub(super) const SENT: &str = "sent";

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
    #[error("`{}` is damaged: {problem}", path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error("the remote `{remote}` refuses to update `{name}`: {words}")]
    Refused {
        remote: String,
        name: String,
        words: String,
        tries: u32,
    },
    #[error(transparent)]
    Forge(#[from] ForgeError),
    #[error("others kept moving `{name}` of the remote `{remote}`, {tries} times")]
    Contended {
        remote: String,
        name: String,
        tries: u32,
    },
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What a reading of the state saw.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) files: u64,
    pub(crate) events: u64,
    /// Events that stand in more than one place; they count once.
    pub(crate) repeated: u64,
    /// Events of months that have been rolled up; they do not count.
    pub(crate) late: u64,
    pub(crate) damage: Vec<Damage>,
}

impl Survey {
    /// Returns the error of a command that would write beside events of a newer version.
    pub(crate) fn newer(&self) -> Option<StateError> {
        newer(&self.damage)
    }
}

/// Returns the error of a command that would write beside events of a newer version.
pub(super) fn newer(damage: &[Damage]) -> Option<StateError> {
    damage.iter().find_map(|damage| match &damage.problem {
        LineProblem::OtherSchema(schema) => Some(StateError::Newer {
            path: damage.path.clone(),
            schema: schema.clone(),
        }),
        _ => None,
    })
}

/// The state of one repository.
pub(crate) struct StateFolder<'w> {
    pub(super) files: &'w dyn Files,
    pub(super) clock: &'w dyn Clock,
    root: PathBuf,
    /// What was fetched of other machines' state.
    pub(super) shared: Option<Shared<'w>>,
}

/// Where an event was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this machine alone.
    Here,
    /// In what was fetched.
    Fetched,
}

/// Says which kinds are read, and where.
pub(crate) type Wanted<'a> = &'a dyn Fn(&str, Place) -> bool;

/// What takes an event, and may find that its payload is damaged.
pub(crate) type TakeEvent<'a> = &'a mut dyn FnMut(&StoredEvent<'_>) -> Result<(), LineProblem>;

impl<'w> StateFolder<'w> {
    pub(crate) fn new(files: &'w dyn Files, clock: &'w dyn Clock, root: PathBuf) -> Self {
        Self {
            files,
            clock,
            root,
            shared: None,
        }
    }

    /// Adds the repository that other machines' state is fetched into.
    pub(crate) fn with_shared(mut self, shared: Shared<'w>) -> Self {
        self.shared = Some(shared);
        self
    }

    /// Returns where it lies.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    /// Returns what is folded on this machine.
    pub(super) fn segments(&self, dry_run: bool) -> DiskTree<'w> {
        DiskTree {
            files: self.files,
            root: self.root.join("segments"),
            dry_run,
        }
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
        let path = self.outbox().join(format!(
            "{}.ndjson",
            digest_of(events.iter().map(|event| event.id))
        ));
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

    /// Saves lines that hold events as one file of the outbox, durably, all or none.
    pub(super) fn save_lines(&self, ids: &[Sha], lines: &[&str]) -> Result<(), StateError> {
        let name = digest_of(ids.iter().copied());
        let path = self.outbox().join(format!("{name}.ndjson"));
        let _lock = self.lock()?;
        self.files
            .write_atomic(&path, &mut |out| {
                for line in lines {
                    out.write_all(line.as_bytes())?;
                    out.write_all(b"\n")?;
                }
                Ok(())
            })
            .map_err(|source| StateError::Write { path, source })
    }

    /// Returns the files of the outbox, in order of name.
    pub(super) fn outbox_files(&self) -> Result<Vec<PathBuf>, StateError> {
        self.event_files("outbox")
    }

    fn event_files(&self, folder: &str) -> Result<Vec<PathBuf>, StateError> {
        let tree = DiskTree {
            files: self.files,
            root: self.root.clone(),
            dry_run: true,
        };
        let mut files = tree.files(folder)?;
        files.retain(|path| is_event_file(path));
        Ok(files.iter().map(|path| self.root.join(path)).collect())
    }

    pub(super) fn fetched(&self) -> Result<Option<Fetched>, StateError> {
        match &self.shared {
            Some(shared) => shared.fetched(self.files),
            None => Ok(None),
        }
    }

    /// Reads every event of the wanted kinds. `take` may see an event more than once.
    ///
    /// The outbox is read before the segments are even listed, and both before what was fetched: whatever moves events
    /// from one to the next meanwhile removes them only after they are there, so that none is missed.
    pub(crate) fn read(
        &self,
        wanted: Wanted<'_>,
        take: TakeEvent<'_>,
    ) -> Result<Survey, StateError> {
        let here = |kind: &str| wanted(kind, Place::Here);
        let there = |kind: &str| wanted(kind, Place::Fetched);
        let mut reading = Reading::new(&here, take);
        // What is on its way is judged by what has arrived, so the line between the two comes first.
        let local = retention_of(&self.segments(true))?;
        let shared = match (&self.shared, self.fetched()?) {
            (Some(shared), Some(fetched)) => shared.retention(&fetched)?,
            _ => Retention::default(),
        };
        reading.close(&[&local, &shared]);
        for path in self.outbox_files()? {
            reading.file(self.files, &path)?;
        }
        reading.close(&[&shared]);
        let segments = self.segments(true);
        for path in segments.files(EVENTS)? {
            if name_of(&path).is_some_and(|(kind, _)| here(kind)) {
                segments.read(&path, &mut |file| {
                    reading.lines(&segments.shown(&path), file)
                })?;
            }
        }
        reading.wanted = &there;
        for path in self.event_files(SENT)? {
            reading.file(self.files, &path)?;
        }
        if let Some(shared_refs) = &self.shared
            && let Some(fetched) = self.fetched()?
        {
            shared_refs.each_file(&fetched, &there, &mut |path, is_waiting, file| {
                if is_waiting {
                    reading.close(&[&shared]);
                } else {
                    reading.close(&[]);
                }
                reading.lines(path, file)
            })?;
        }
        Ok(reading.survey)
    }
}

/// A reading under way.
pub(super) struct Reading<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    take: TakeEvent<'a>,
    seen: HashSet<Sha>,
    pub(super) survey: Survey,
    /// What closes months for the file at hand.
    closed: Vec<&'a Retention>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(wanted: &'a dyn Fn(&str) -> bool, take: TakeEvent<'a>) -> Self {
        Self {
            wanted,
            take,
            seen: HashSet::new(),
            survey: Survey::default(),
            closed: Vec::new(),
        }
    }

    /// Says what closes months for the files to come.
    fn close(&mut self, retentions: &[&'a Retention]) {
        self.closed = retentions.to_vec();
        self.closed.retain(|retention| !retention.is_empty());
    }

    fn file(&mut self, files: &dyn Files, path: &Path) -> Result<(), StateError> {
        let failed = |source| StateError::Read {
            path: path.to_path_buf(),
            source,
        };
        let mut file = match files.open(path) {
            Ok(file) => file,
            // Another process has just moved it on; it is found there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        self.lines(path, &mut file).map_err(failed)
    }

    pub(super) fn lines(&mut self, path: &Path, file: &mut dyn Read) -> io::Result<()> {
        self.survey.files += 1;
        read_lines(file, path, &mut |line| {
            let line = match line {
                Ok(line) => line,
                Err(found) => {
                    self.survey.damage.push(found);
                    return Ok(());
                }
            };
            if let Some(head) = v1::head(line.text)
                && !(self.wanted)(head.kind)
            {
                return Ok(());
            }
            if let Err(problem) = self.line(line.text) {
                self.survey.damage.push(line.damage(path, problem));
            }
            Ok(())
        })
    }

    fn line(&mut self, line: &str) -> Result<(), LineProblem> {
        let event = v1::parse(line)?;
        if !(self.wanted)(&event.kind) {
            return Ok(());
        }
        if !self.closed.is_empty() {
            let month = month_of(event.at);
            let is_late = |retention: &&Retention| retention.is_rolled_up(&event.kind, &month);
            if self.closed.iter().any(is_late) {
                self.survey.late += 1;
                return Ok(());
            }
        }
        (self.take)(&event)?;
        if self.seen.insert(event.id) {
            self.survey.events += 1;
        } else {
            self.survey.repeated += 1;
        }
        Ok(())
    }
}

/// Returns which months of a tree have been rolled up.
pub(super) fn retention_of(tree: &dyn Tree) -> Result<Retention, StateError> {
    let mut bytes = Vec::new();
    tree.read(RETENTION, &mut |file| {
        file.read_to_end(&mut bytes).map(drop)
    })?;
    read_retention(&bytes, &tree.shown(RETENTION))
}

pub(super) fn read_retention(bytes: &[u8], path: &Path) -> Result<Retention, StateError> {
    let path = path.to_path_buf();
    Retention::read(bytes).map_err(|problem| match problem {
        RetentionProblem::Newer(schema) => StateError::Newer { path, schema },
        RetentionProblem::Damaged(problem) => StateError::Damaged { path, problem },
    })
}

/// Returns a digest of a set of events.
pub(super) fn digest_of(ids: impl Iterator<Item = Sha>) -> Sha {
    let mut ids: Vec<Sha> = ids.collect();
    order::sort(&mut ids);
    ids.dedup();
    let all: Vec<u8> = ids.iter().flat_map(|id| id.0).collect();
    Sha::of(&all)
}

fn is_event_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    !name.starts_with('.') && name.ends_with(".ndjson")
}
