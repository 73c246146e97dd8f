//! Whose turn it is, who is alive, and what becomes of the calls of those who are not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::Inner;
use super::words::PurseProblem;
use crate::budget::journal::{Ended, Line};
use crate::ports::log_file::LogFile;
use crate::ports::{Clock, Files, Lock};

/// How long a process waits for another one's turn.
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// How often it asks.
const LOCK_PAUSE: Duration = Duration::from_micros(500);

/// Processes that may hold a purse at once.
const MOST_HOLDERS: u32 = 4096;

/// Ends calls that nobody will settle.
pub(super) struct Sweep<'s> {
    pub(super) files: &'s dyn Files,
    pub(super) log: &'s dyn LogFile,
    pub(super) path: &'s Path,
    /// A holder that makes no calls any more.
    pub(super) own: Option<&'s str>,
    pub(super) now: Timestamp,
}

impl Sweep<'_> {
    pub(super) fn run(&self, inner: &mut Inner) -> Result<(), PurseProblem> {
        let mut gone = Vec::new();
        for open in inner.book.open_calls() {
            let why = match (&open.holder, open.expires) {
                (Some(holder), _) if self.own == Some(holder) => {
                    "its process ended without settling it"
                }
                (Some(holder), _) if self.is_gone(holder)? => "its process is gone",
                (None, Some(expires)) if self.now >= expires => "it was not settled in time",
                _ => continue,
            };
            gone.push((open.call, why));
        }
        for (call, why) in gone {
            let ended = Ended {
                call,
                at: self.now,
                why: why.to_owned(),
            };
            inner.write(self.log, self.path, Line::Unknown(ended))?;
        }
        Ok(())
    }

    fn is_gone(&self, holder: &str) -> Result<bool, PurseProblem> {
        let path = holder_path(self.path, holder);
        match self.files.try_lock(&path) {
            Ok(lock) => Ok(lock.is_some()),
            Err(source) => Err(PurseProblem::Disk { path, source }),
        }
    }
}

/// The journal, while nobody else writes.
pub(super) struct Turn<'l> {
    log: &'l dyn LogFile,
    path: &'l Path,
    is_held: bool,
}

impl<'l> Turn<'l> {
    pub(super) fn take(
        log: &'l dyn LogFile,
        clock: &dyn Clock,
        path: &'l Path,
    ) -> Result<Self, PurseProblem> {
        let mut waited = Duration::ZERO;
        loop {
            match log.try_lock() {
                Ok(true) => {
                    return Ok(Self {
                        log,
                        path,
                        is_held: true,
                    });
                }
                Ok(false) if waited >= LOCK_DEADLINE => {
                    return Err(PurseProblem::Locked(path.to_path_buf()));
                }
                Ok(false) => {
                    clock.sleep(LOCK_PAUSE);
                    waited += LOCK_PAUSE;
                }
                Err(source) => {
                    return Err(PurseProblem::Disk {
                        path: path.to_path_buf(),
                        source,
                    });
                }
            }
        }
    }

    pub(super) fn end(mut self) -> Result<(), PurseProblem> {
        self.is_held = false;
        self.log.unlock().map_err(|source| PurseProblem::Disk {
            path: self.path.to_path_buf(),
            source,
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_held {
            // Closing the file ends the lock as well.
            let _ends_with_the_file = self.log.unlock();
        }
    }
}

/// Takes a name that no living process has.
pub(super) fn holder(
    files: &dyn Files,
    journal: &Path,
) -> Result<(String, Box<dyn Lock>), PurseProblem> {
    for number in 1..=MOST_HOLDERS {
        let name = format!("h{number}");
        let path = holder_path(journal, &name);
        match files.try_lock(&path) {
            Ok(Some(lock)) => return Ok((name, lock)),
            Ok(None) => {}
            Err(source) => return Err(PurseProblem::Disk { path, source }),
        }
    }
    Err(PurseProblem::Locked(journal.to_path_buf()))
}

fn holder_path(journal: &Path, holder: &str) -> PathBuf {
    journal.with_extension("holders").join(harmless(holder))
}

/// A journal may come from elsewhere: its names lead to no other folder.
fn harmless(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric();
    let plain: String = name.chars().filter(is_plain).take(40).collect();
    if plain.is_empty() {
        "none".to_owned()
    } else {
        plain
    }
}
