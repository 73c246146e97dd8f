//! Lines of files that hold events, and what can be wrong with one.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::v1::LineProblem;

/// A line longer than this is damage, not an event.
pub(super) const LONGEST_LINE: u64 = 512 * 1024 * 1024;

/// Something in the state that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// A file, or `ref:path` where it lies in git's objects.
    pub(crate) path: PathBuf,
    /// Line in the file, from one.
    pub(crate) line: u64,
    /// Byte offset of the line.
    pub(crate) offset: u64,
    pub(crate) problem: LineProblem,
}

/// A line of a file, with where it stands.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) number: u64,
    pub(super) offset: u64,
}

impl Line<'_> {
    pub(super) fn damage(&self, path: &Path, problem: LineProblem) -> Damage {
        Damage {
            path: path.to_path_buf(),
            line: self.number,
            offset: self.offset,
            problem,
        }
    }
}

/// Hands out the lines of a file; one that is not text or has no end is damage.
pub(super) fn read_lines(
    file: &mut dyn Read,
    path: &Path,
    take: &mut dyn FnMut(Result<Line<'_>, Damage>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut bytes = Vec::new();
    let mut number = 0;
    let mut offset = 0;
    loop {
        bytes.clear();
        let mut limited = Read::take(&mut file, LONGEST_LINE);
        let count = limited.read_until(b'\n', &mut bytes)? as u64;
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
                }))?,
                Err(error) => take(Err(damage(LineProblem::NotAnEvent(error.to_string()))))?,
            }
        } else {
            take(Err(damage(LineProblem::CutOff)))?;
        }
        offset += count;
    }
}
