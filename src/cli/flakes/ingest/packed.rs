//! Test reports inside an archive that a job left. The job may have run anybody's code: nothing is written under a name that the archive
//! gives, and what unpacks to more than any job's tests leave is not read.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::inputs::ENDINGS;
use super::source::{self, Content, Refusal};
use crate::error::CommandError;
use crate::flakes::neutral::NeutralFile;
use crate::flakes::results::Results;
use crate::junit::Counts;
use crate::order;
use crate::ports::Files;
use crate::redact::Redactor;
use crate::sha::Sha;

/// No artifact of a job's tests has more reports.
const MOST_FILES: usize = 2_000;

/// Nor more bytes, once unpacked.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Nor more entries of any kind.
const MOST_ENTRIES: usize = 200_000;

/// A report of an archive.
pub(in crate::cli::flakes) enum PackedFile {
    Report(Results, Counts, Sha),
    Neutral(NeutralFile),
}

/// What an archive holds.
#[derive(Default)]
pub(in crate::cli::flakes) struct Packed {
    pub(in crate::cli::flakes) files: Vec<PackedFile>,
    /// Files that were not read, and why.
    pub(in crate::cli::flakes) refused: Vec<(String, String)>,
}

/// Reads the reports of an archive, in order of name.
pub(in crate::cli::flakes) fn read_archive(
    files: &dyn Files,
    archive: Vec<u8>,
    root: &str,
    redactor: Option<&Redactor>,
) -> Result<Packed, CommandError> {
    let mut packed = Packed::default();
    let mut archive = match zip::ZipArchive::new(Cursor::new(archive)) {
        Ok(archive) => archive,
        Err(error) => {
            packed.refused.push((String::new(), error.to_string()));
            return Ok(packed);
        }
    };
    let folder = files
        .temporary_folder("maestro-backfill-")
        .map_err(|error| {
            CommandError::writing(std::path::Path::new("a temporary folder"), error)
        })?;
    let mut left = MOST_BYTES;
    for (number, name) in reports(&mut archive, &mut packed) {
        let done = unpack(&mut archive, &name, &mut left).and_then(|bytes| {
            // Only the ending is taken over: it says what a file may be.
            let lower = name.to_ascii_lowercase();
            let ending = lower.trim_end_matches(".gz").rsplit('.').next();
            let path = folder.join(format!("{number}.{}", ending.unwrap_or_default()));
            files.append(&path, &bytes)?;
            let parsed = source::read(files, &path, false, root, redactor);
            files.remove(&path)?;
            match parsed {
                Ok(parsed) => Ok(Some(parsed)),
                // In an archive anything may lie.
                Err(Refusal::NotAReport(_) | Refusal::Unfinished(_) | Refusal::OtherJson) => {
                    Ok(None)
                }
                Err(Refusal::Io(error)) => Err(error),
            }
        });
        match done {
            Ok(Some(parsed)) => packed.files.push(match parsed.content {
                Content::Report(results) => PackedFile::Report(results, parsed.counts, parsed.sha),
                Content::Neutral(file) => PackedFile::Neutral(file),
            }),
            Ok(None) => {}
            Err(error) => packed.refused.push((name, error.to_string())),
        }
        if left == 0 {
            break;
        }
    }
    files
        .remove_folder(&folder)
        .map_err(|error| CommandError::writing(&folder, error))?;
    Ok(packed)
}

type Archive = zip::ZipArchive<Cursor<Vec<u8>>>;

/// Returns the names that reports have, sorted, each with a number.
fn reports(archive: &mut Archive, packed: &mut Packed) -> Vec<(usize, String)> {
    let mut names: Vec<String> = Vec::new();
    for at in 0..archive.len().min(MOST_ENTRIES) {
        let Ok(entry) = archive.by_index_raw(at) else {
            continue;
        };
        let Ok(name) = entry.name().map(std::borrow::Cow::into_owned) else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let is_report = ENDINGS.iter().any(|ending| lower.ends_with(ending));
        if is_report && entry.is_file() && !entry.is_symlink() {
            names.push(name);
        }
    }
    order::sort(&mut names);
    names.dedup();
    if names.len() > MOST_FILES {
        let more = names.len() - MOST_FILES;
        packed.refused.push((
            String::new(),
            format!("{more} reports more than any job leaves"),
        ));
        names.truncate(MOST_FILES);
    }
    names.into_iter().enumerate().collect()
}

/// Unpacks one entry, and what is packed in it once more.
fn unpack(archive: &mut Archive, name: &str, left: &mut u64) -> io::Result<Vec<u8>> {
    let entry = archive.by_name(name).map_err(io::Error::other)?;
    let bytes = bounded(entry, left)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return bounded(MultiGzDecoder::new(bytes.as_slice()), left);
    }
    Ok(bytes)
}

fn bounded(source: impl Read, left: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(*left + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > *left {
        *left = 0;
        let words = format!("it unpacks to more than {} MiB", MOST_BYTES / 1024 / 1024);
        return Err(io::Error::other(words));
    }
    *left -= length;
    Ok(bytes)
}
