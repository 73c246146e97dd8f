//! Where segments lie: a folder on disk or, in `branch.rs`, the tree of a state branch. Both have the same paths.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::disk::StateError;
use crate::ports::{Drain, Files};

/// What makes a new file out of an old one.
pub(super) type Change<'a> = &'a mut dyn FnMut(&mut dyn Read, &mut dyn Write) -> io::Result<()>;

/// Files of a state, by their path from its top.
pub(super) trait Tree {
    /// Returns the files below a folder, in order of path.
    fn files(&self, below: &str) -> Result<Vec<String>, StateError>;
    /// Reads a file; an empty one when it is not there.
    fn read(&self, path: &str, drain: Drain<'_>) -> Result<(), StateError>;
    /// Makes a new file out of the old one, which is empty when there was none. When `change` fails, the old one stays.
    fn rewrite(&mut self, path: &str, change: Change<'_>) -> Result<(), StateError>;
    /// Removes a file.
    fn remove(&mut self, path: &str) -> Result<(), StateError>;
    /// Returns how messages name a file.
    fn shown(&self, path: &str) -> PathBuf;
}

/// A folder on disk.
pub(super) struct DiskTree<'w> {
    pub(super) files: &'w dyn Files,
    pub(super) root: PathBuf,
    /// Nothing is written.
    pub(super) dry_run: bool,
}

impl DiskTree<'_> {
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, StateError> {
        match self.files.open(path) {
            Ok(file) => Ok(file),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Box::new(io::empty()))
            }
            Err(source) => Err(StateError::Read {
                path: path.to_path_buf(),
                source,
            }),
        }
    }
}

impl Tree for DiskTree<'_> {
    fn files(&self, below: &str) -> Result<Vec<String>, StateError> {
        let folder = self.root.join(below);
        if self.files.kind(&folder).is_err() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for path in self.files.walk(&folder, &|_| false) {
            let path = match path {
                Ok(path) => path,
                Err((_, error)) if error.kind() == io::ErrorKind::NotFound => continue,
                Err((path, source)) => return Err(StateError::Read { path, source }),
            };
            let hidden = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if let (false, Ok(short)) = (hidden, path.strip_prefix(&self.root)) {
                let parts: Vec<_> = short.iter().map(|part| part.to_string_lossy()).collect();
                found.push(parts.join("/"));
            }
        }
        Ok(found)
    }

    fn read(&self, path: &str, drain: Drain<'_>) -> Result<(), StateError> {
        let path = self.root.join(path);
        let mut file = self.open(&path)?;
        drain(&mut file).map_err(|source| StateError::Read { path, source })
    }

    fn rewrite(&mut self, path: &str, change: Change<'_>) -> Result<(), StateError> {
        let path = self.root.join(path);
        let mut old = self.open(&path)?;
        let changed = if self.dry_run {
            change(&mut old, &mut io::sink())
        } else {
            self.files
                .write_atomic(&path, &mut |out| change(&mut old, out))
        };
        changed.map_err(|source| StateError::Write { path, source })
    }

    fn remove(&mut self, path: &str) -> Result<(), StateError> {
        let path = self.root.join(path);
        if self.dry_run {
            return Ok(());
        }
        match self.files.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(|source| StateError::Write { path, source }),
        }
    }

    fn shown(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}
