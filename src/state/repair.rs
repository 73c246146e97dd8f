//! Damage: finding it, and setting it aside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::{StateError, StateFolder, Survey};
use super::lines::Damage;
use super::v1::{self, LineProblem};
use crate::sha::Sha;

impl StateFolder<'_> {
    /// Checks every event, payloads included.
    pub(crate) fn check(&self) -> Result<Survey, StateError> {
        self.read(&|_, _| true, &mut |event| v1::check(event))
    }

    /// Puts every damaged line aside and leaves everything else as it was; returns what was found and where the lines went.
    ///
    /// The lock is held from the first look on: line numbers are good for the bytes that were seen only.
    pub(crate) fn repair(&self) -> Result<(Survey, Vec<PathBuf>), StateError> {
        let _lock = self.lock()?;
        let survey = self.check()?;
        let mut by_file: BTreeMap<PathBuf, Vec<Damage>> = BTreeMap::new();
        let is_ours = |found: &&Damage| {
            !matches!(found.problem, LineProblem::OtherSchema(_))
                && found.path.starts_with(self.root())
        };
        for found in survey.damage.iter().filter(is_ours) {
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
