//! What maestro needs from the world, as traits. `src/adapters` holds their real forms and in-memory twins.
//!
//! Decisions never see this file: whatever they need comes in as plain arguments.

pub(crate) mod forge;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod log_file;
pub(crate) mod model;
pub(crate) mod relay;
pub(crate) mod sandbox;
pub(crate) mod signing;
pub(crate) mod trees;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::exec::Ending;

pub(crate) use git::{Checkout, Git, GitError, Head};
use log_file::LogFile;

/// Tells the time and waits.
pub(crate) trait Clock: Send + Sync {
    /// Returns the wall-clock time.
    fn now(&self) -> Timestamp;
    /// Blocks for that long.
    fn sleep(&self, duration: Duration);
    /// Returns a number that differs from process to process, for waiting times that must not be in step.
    fn dice(&self) -> u64;
    /// Returns the clock for those who outlive whoever asked.
    fn shared(&self) -> Arc<dyn Clock>;
}

/// The process's surroundings.
pub(crate) trait Environment: Send + Sync {
    /// Returns a variable; one that is empty counts as not set, because workflows pass unset inputs as "".
    fn var(&self, name: &str) -> Option<OsString>;
    /// Returns every variable as text, in order of name; what is not Unicode is replaced.
    fn vars(&self) -> Vec<(String, String)>;
    /// Returns the working folder.
    fn current_dir(&self) -> io::Result<PathBuf>;
    /// Returns the path of this binary.
    fn current_exe(&self) -> io::Result<PathBuf>;
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A pipe, socket or device.
    Other,
}

/// A held lock; it ends with the value.
pub(crate) trait Lock: Send {}

/// How the names of temporary files begin.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// What writes the bytes of a file.
pub(crate) type Fill<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// What reads bytes as they come.
pub(crate) type Drain<'a> = &'a mut dyn FnMut(&mut dyn Read) -> io::Result<()>;

/// Files and folders.
pub(crate) trait Files: Send + Sync {
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    /// Returns standard input.
    fn stdin(&self) -> Box<dyn Read + Send>;
    /// Returns what the path names, following links.
    fn kind(&self, path: &Path) -> io::Result<FileKind>;
    /// Returns when a file was last written to.
    fn modified(&self, path: &Path) -> io::Result<Timestamp>;
    /// Returns every regular file below a folder, sorted by path; links are not followed, and folders for which `skip`
    /// answers true are left out. What cannot be listed comes back as an error beside its path.
    fn walk(
        &self,
        folder: &Path,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Vec<Result<PathBuf, (PathBuf, io::Error)>>;
    /// Returns every link below a folder, sorted by path.
    fn links(&self, folder: &Path) -> Vec<PathBuf>;
    /// Returns the names in a folder, sorted; none when the folder does not exist.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;
    /// Makes a folder and those above it.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a whole file so that a reader sees the old bytes or the new ones, and a crash loses neither:
    /// a temporary file beside it, flushed to disk, renamed over it, and the folder flushed too.
    fn write_atomic(&self, path: &Path, fill: Fill<'_>) -> io::Result<()>;
    /// Opens a file that only grows, which is made when missing.
    fn log(&self, path: &Path) -> io::Result<Box<dyn LogFile>>;
    /// Adds bytes to the end of a file.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Writes a new file that only its owner may read; an error when there is one already.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Whether others than its owner may read or change a file, as far as the system tells.
    fn is_shared(&self, path: &Path) -> bool;
    /// Makes way for a file below a folder in which strangers wrote: what is no folder on the way to it, and what is no file in its place, is
    /// removed. No link is followed.
    fn clear_way(&self, top: &Path, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder and all that is in it; fine when there is none.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on a file, which is made when missing; `None` when another process holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Makes a new temporary folder that stays.
    fn temporary_folder(&self, prefix: &str) -> io::Result<PathBuf>;
    /// Returns the same files, for threads that outlive the caller's loan.
    fn shared(&self) -> Arc<dyn Files>;
}

/// How a child process ended.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// Its exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to standard output, when that was asked for.
    pub(crate) stdout: Vec<u8>,
    /// What it wrote to standard error, when that was asked for.
    pub(crate) stderr: Vec<u8>,
}

/// A child process to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// The program.
    pub(crate) program: OsString,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// Variables to set; `None` removes one.
    pub(crate) env: Vec<(String, Option<OsString>)>,
    /// What it reads from standard input.
    pub(crate) stdin: Vec<u8>,
}

/// How long a child may run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leash {
    /// Then it is asked to end.
    pub(crate) within: Option<Duration>,
    /// So long after that it is killed.
    pub(crate) grace: Duration,
}

/// Child processes.
pub(crate) trait Processes: Send + Sync {
    /// Runs a child to its end, its output captured.
    fn run(&self, call: &Call) -> io::Result<Finished>;
    /// Runs a child whose standard input is written by `fill`; its output is captured.
    fn feed(&self, call: &Call, fill: Fill<'_>) -> io::Result<Finished>;
    /// Runs a child whose standard output is read by `drain`, which may stop early.
    fn drain(&self, call: &Call, drain: Drain<'_>) -> io::Result<Finished>;
    /// Runs a child that has the streams of this process, and what is written to them as it is. Signals that ask to end are passed on
    /// to it and all that it started; the second one kills. From its end on, a bug of ours ends with the child's own code.
    fn pass(&self, call: &Call, leash: &Leash) -> io::Result<Ending>;
}

/// One output stream of the process.
pub(crate) struct Stream {
    /// Where the bytes go.
    pub(crate) writer: Box<dyn Write + Send>,
    /// Whether a person looks at it.
    pub(crate) is_terminal: bool,
}

/// Everything outside the process.
pub struct World {
    /// The clock.
    pub(crate) clock: Box<dyn Clock>,
    /// The environment.
    pub(crate) environment: Box<dyn Environment>,
    /// The file system.
    pub(crate) files: Box<dyn Files>,
    /// The repository.
    pub(crate) git: Box<dyn Git>,
    /// The user's own repository.
    pub(crate) history: Box<dyn history::History>,
    /// GitHub.
    pub(crate) forge: Box<dyn forge::Forge>,
    /// Those who run models.
    pub(crate) model: Box<dyn model::Model>,
    /// Child processes.
    pub(crate) processes: Box<dyn Processes>,
    /// Work trees of runs.
    pub(crate) trees: Box<dyn trees::Trees>,
    /// Private keys.
    pub(crate) signing: Box<dyn signing::Signing>,
    /// The loopback.
    pub(crate) relay: Box<dyn relay::Relay>,
    /// Programs that are shut in.
    pub(crate) sandbox: Box<dyn sandbox::Sandbox>,
    /// Standard output.
    pub(crate) stdout: Stream,
    /// Standard error.
    pub(crate) stderr: Stream,
}
