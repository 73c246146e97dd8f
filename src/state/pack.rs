//! A pack: everything that this machine alone has, as one file, to leave as an artifact.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::{StateError, StateFolder, digest_of, newer};
use super::fold::{gather_lines, write_lines};
use super::lines::Damage;
use super::segment::{Batch, EVENTS};
use super::tree::Tree;
use super::v1;
use crate::json;
use crate::sha::Sha;

const SCHEMA: &str = "maestro.pack/v1";

/// The first line of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    schema: String,
    /// The repository, as `owner/name`; empty when nobody said.
    pub(crate) repository: String,
    /// Lines after this one.
    pub(crate) events: u64,
    /// Digest of the bytes after this line.
    pub(crate) sha256: String,
}

impl Header {
    /// Reads it.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let header: Self = json::read(line).map_err(|error| error.to_string())?;
        if header.schema == SCHEMA {
            Ok(header)
        } else {
            Err(format!("its schema `{}` is not `{SCHEMA}`", header.schema))
        }
    }
}

/// Whether a line means to be the first one of a pack.
pub(super) fn is_header(line: &str) -> bool {
    line.starts_with("{\"schema\":\"maestro.pack/")
}

/// What was packed.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Digest of the ids of the events.
    pub(crate) digest: String,
    /// The job that all of it is of, where it is of one.
    pub(crate) job: Option<String>,
    pub(crate) damage: Vec<Damage>,
}

impl StateFolder<'_> {
    /// Writes everything that this machine alone has to one file, with the lists that it stands on; nothing is removed.
    pub(crate) fn pack(
        &self,
        path: &Path,
        repository: &str,
        dry_run: bool,
    ) -> Result<Packed, StateError> {
        let mut packed = Packed::default();
        let mut batch = Batch::default();
        {
            let _lock = self.lock()?;
            for file in self.outbox_files()? {
                self.gather(&file, &mut batch, &mut packed.damage)?;
            }
            let tree = self.segments(true);
            for file in tree.files(EVENTS)? {
                let shown = tree.shown(&file);
                tree.read(&file, &mut |bytes| {
                    gather_lines(bytes, &shown, &mut batch, &mut packed.damage)
                })?;
            }
        }
        if let Some(newer) = newer(&packed.damage) {
            return Err(newer);
        }
        // Whoever takes it in may not have, or no longer have, the lists that were fetched here.
        self.complete(&mut batch, HashSet::new())?;
        packed.digest = digest_of(batch.ids()).to_string();
        let mut text = Vec::new();
        let mut jobs: BTreeSet<String> = BTreeSet::new();
        let failed = |source: io::Error| StateError::Write {
            path: path.to_path_buf(),
            source,
        };
        batch
            .each(&mut |_, _, lines| {
                packed.events += lines.len() as u64;
                let origins = lines.iter().filter_map(|line| v1::parse(line.line).ok());
                let named = origins.map(|event| event.origin.job);
                jobs.extend(named.filter(|job| !job.is_empty()));
                write_lines(lines, &mut text)
            })
            .map_err(failed)?;
        packed.job = jobs.pop_first().filter(|_| jobs.is_empty());
        let header = Header {
            schema: SCHEMA.to_owned(),
            repository: repository.to_owned(),
            events: packed.events,
            sha256: Sha::of(&text).to_string(),
        };
        let mut head = json::bytes(&header)?;
        head.push(b'\n');
        packed.bytes = (head.len() + text.len()) as u64;
        if !dry_run {
            self.files
                .write_atomic(path, &mut |out| {
                    out.write_all(&head)?;
                    out.write_all(&text)
                })
                .map_err(failed)?;
        }
        Ok(packed)
    }
}
