//! A file that only grows, and that several processes write to in turn.

use std::io;

/// An open file that only grows.
pub(crate) trait LogFile: Send + Sync {
    /// Returns the bytes from an offset to the end.
    fn read_from(&self, offset: u64) -> io::Result<Vec<u8>>;
    /// Adds bytes at the end.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until everything that was added is on the disk.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file off at a length.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Takes the file for this process; false when another one has it. Whoever dies loses it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Lets others have it.
    fn unlock(&self) -> io::Result<()>;
}
