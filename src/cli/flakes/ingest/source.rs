//! One file opened: unpacked, recognised, digested and read, whatever it holds.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::flakes::causes::fit;
use crate::flakes::neutral::{self, NeutralError, NeutralFile};
use crate::flakes::results::Results;
use crate::flakes::stable_names::without_addresses;
use crate::json;
use crate::junit::{self, Counts, Form, Note, NoteCode, ReadError};
use crate::ports::Files;
use crate::redact::Redactor;
use crate::sha::{Hasher, Sha};

/// What a file holds.
#[derive(Debug)]
pub(in crate::cli) enum Content {
    /// A report of one run, in whatever form.
    Report(Results),
    Neutral(NeutralFile),
}

/// A file that was recognised.
#[derive(Debug)]
pub(in crate::cli) struct Parsed {
    /// What its form is called.
    pub(super) dialect: &'static str,
    pub(in crate::cli) content: Content,
    pub(super) counts: Counts,
    pub(super) tests: u64,
    pub(super) notes: Vec<Note>,
    /// Lines that were left out.
    pub(super) dropped: u64,
    pub(super) sha: Sha,
}

/// Why a file was not read.
#[derive(Debug)]
pub(in crate::cli) enum Refusal {
    /// It cannot be opened or read.
    Io(io::Error),
    /// It is no test report that is known here.
    NotAReport(String),
    /// It may have become one: it breaks off before it says what it is.
    Unfinished(String),
    /// It is JSON that nobody named, of no form that is known.
    OtherJson,
}

/// Most bytes that one file may unpack to; a gzip bomb ends here.
const MOST_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// How many bytes decide what a file is.
const PEEK: usize = 4096;

/// How much of a message is stored, in bytes.
const STORED_MESSAGE: usize = 1024;

/// Reads a file; nothing that comes back holds a secret that the redactor knows.
///
/// Paths inside it lose the folder `root`, so that a test is the same wherever it ran.
pub(in crate::cli) fn read(
    files: &dyn Files,
    path: &Path,
    named: bool,
    root: &str,
    redactor: Option<&Redactor>,
) -> Result<Parsed, Refusal> {
    let file = files.open(path).map_err(Refusal::Io)?;
    let mut raw = Digesting {
        source: file,
        hash: Hasher::default(),
    };
    let (head, is_gzip) = {
        let head = peek(&mut raw, 2).map_err(Refusal::Io)?;
        let is_gzip = head == [0x1f, 0x8b];
        (head, is_gzip)
    };
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let name = Path::new(name.trim_end_matches(".gz"));
    let named_neutral = name
        .extension()
        .is_some_and(|extension| extension == "ndjson" || extension == "jsonl");
    let is_met_json = !named
        && name
            .extension()
            .is_some_and(|extension| extension == "json");
    let asked = Asked {
        named_neutral,
        is_met_json,
        root,
        redactor,
    };
    let broken = Cell::new(false);
    let cut = Cell::new(false);
    let mut parsed = {
        let whole = io::Cursor::new(head).chain(&mut raw);
        if is_gzip {
            let unpacked = Forgiving {
                source: MultiGzDecoder::new(whole),
                broken: &broken,
            };
            read_unpacked(Limited::new(unpacked, &cut), &asked)?
        } else {
            read_unpacked(Limited::new(whole, &cut), &asked)?
        }
    };
    let mut flag = |code| {
        parsed.notes.push(Note {
            code,
            offset: 0,
            detail: None,
        });
    };
    if broken.get() {
        flag(NoteCode::BadGzip);
    }
    if cut.get() {
        flag(NoteCode::TooLarge);
    }
    // The reader may stop before the end, and the digest is of the whole file.
    io::copy(&mut raw, &mut io::sink()).map_err(Refusal::Io)?;
    parsed.sha = raw.hash.sha();
    Ok(parsed)
}

/// How a file is to be read.
struct Asked<'a> {
    /// Whether its name says that it is of the neutral form, whatever it begins with.
    named_neutral: bool,
    /// Whether it was met in a folder and only its name says that it is JSON.
    is_met_json: bool,
    root: &'a str,
    redactor: Option<&'a Redactor>,
}

fn read_unpacked(source: impl Read, asked: &Asked<'_>) -> Result<Parsed, Refusal> {
    // One reader for all kinds of stream keeps the program small.
    read_stream(&mut { source }, asked)
}

fn read_stream(mut source: &mut dyn Read, asked: &Asked<'_>) -> Result<Parsed, Refusal> {
    let redactor = asked.redactor;
    let head = peek(&mut source, PEEK).map_err(Refusal::Io)?;
    let form = match junit::form(&head) {
        Form::Xml | Form::Neutral if asked.is_met_json => {
            return Err(if breaks_off(&head) {
                Refusal::Unfinished("it is JSON that breaks off".to_owned())
            } else {
                Refusal::OtherJson
            });
        }
        Form::Xml if asked.named_neutral => Form::Neutral,
        form => form,
    };
    let whole = io::Cursor::new(head).chain(source);
    let name = |text: &str| redactor.and_then(|redactor| redactor.name(text));
    let message = |text: &str| {
        let clean = redactor.and_then(|redactor| redactor.message(text));
        fit(clean.as_deref().unwrap_or(text), STORED_MESSAGE).into_owned()
    };
    let mut parsed = if form == Form::Neutral {
        let mut file = neutral::read(whole, &message).map_err(|error| match error {
            NeutralError::Io(error) => Refusal::Io(error),
            other @ NeutralError::NoResult { .. } => {
                Refusal::NotAReport(message(&other.to_string()))
            }
        })?;
        file.rewrite_names(&|text| {
            let clean = name(text);
            without_addresses(clean.as_deref().unwrap_or(text)).or(clean)
        });
        Parsed {
            dialect: "maestro-ndjson",
            counts: file.counts,
            tests: file.test_count() as u64,
            notes: std::mem::take(&mut file.notes),
            dropped: file.dropped,
            content: Content::Neutral(file),
            sha: Sha([0; 32]),
        }
    } else {
        let mut results = Results::default();
        let read = junit::read(form, whole, asked.root, &mut |suites, serial, case| {
            if case.message.is_empty() {
                results.case(suites, serial, case, "");
            } else {
                results.case(suites, serial, case, &message(&case.message));
            }
        });
        let reading = read.map_err(|error| match error {
            ReadError::Io(error) => Refusal::Io(error),
            other @ (ReadError::Empty | ReadError::Binary | ReadError::NoElement) => {
                Refusal::Unfinished(message(&other.to_string()))
            }
            other @ (ReadError::OtherRoot(_) | ReadError::OtherJson) => {
                Refusal::NotAReport(message(&other.to_string()))
            }
        })?;
        let results = results.rewrite_names(&name);
        Parsed {
            dialect: reading.form,
            counts: reading.counts,
            tests: results.len() as u64,
            notes: reading.notes,
            dropped: 0,
            content: Content::Report(results),
            sha: Sha([0; 32]),
        }
    };
    for note in &mut parsed.notes {
        note.detail = note.detail.take().map(|detail| message(&detail));
    }
    Ok(parsed)
}

/// Whether a file is JSON that ends before its value does.
fn breaks_off(head: &[u8]) -> bool {
    let is_all = head.len() < PEEK;
    is_all && json::read::<serde::de::IgnoredAny>(head).is_err_and(|error| error.is_eof())
}

fn peek(source: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(count);
    source.take(count as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Digests what passes through.
struct Digesting {
    source: Box<dyn Read + Send>,
    hash: Hasher,
}

impl Read for Digesting {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        self.hash.update(&out[..count]);
        Ok(count)
    }
}

/// Takes a damaged stream for one that ends there.
struct Forgiving<'f, R> {
    source: R,
    broken: &'f Cell<bool>,
}

impl<R: Read> Read for Forgiving<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.broken.get() {
            return Ok(0);
        }
        match self.source.read(out) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::InvalidInput
                ) =>
            {
                self.broken.set(true);
                Ok(0)
            }
            done => done,
        }
    }
}

/// Ends a stream at the limit.
struct Limited<'f, R> {
    source: R,
    left: u64,
    cut: &'f Cell<bool>,
}

impl<'f, R: Read> Limited<'f, R> {
    fn new(source: R, cut: &'f Cell<bool>) -> Self {
        Self {
            source,
            left: MOST_BYTES,
            cut,
        }
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.cut.set(true);
            return Ok(0);
        }
        let room = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let count = self.source.read(&mut out[..room])?;
        self.left -= count as u64;
        Ok(count)
    }
}
