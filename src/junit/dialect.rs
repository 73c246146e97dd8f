//! Which form a report is in, by its content alone, and the reader for each.

use std::io::{self, Read};

use super::encoding::Encoding;
use super::foreign::hash;
use super::json::{self, Json, Place, Value};
use super::notes::{NoteCode, Notes};
use super::out::Out;
use super::reader::{ReadError, Reading, read_xml};
use super::{Case, ctrf, go, jest, libtest, playwright, tap};

/// A form of test report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// JUnit, or another one that its root element tells.
    Xml,
    /// A history in the neutral form, or JSON of no form that is known.
    Neutral,
    Ctrf,
    Go,
    Jest,
    Libtest,
    Playwright,
    Tap,
}

/// Returns the form of a report whose first bytes these are.
pub(crate) fn form(head: &[u8]) -> Form {
    let encoding = Encoding::detect(head);
    let mut converted = Vec::new();
    let mut head = head;
    if !encoding.is_utf8() {
        // Reading from memory does not fail.
        let _never_fails = encoding.transcode(head).read_to_end(&mut converted);
        head = &converted;
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match head.trim_ascii_start().first() {
        Some(b'<') | None => return Form::Xml,
        Some(b'{') => return sniff(head, false).unwrap_or(Form::Neutral),
        _ => {}
    }
    if tap::is_tap(head) {
        return Form::Tap;
    }
    // What a build said may stand before the first event of a stream.
    let first = head
        .split_inclusive(|byte| *byte == b'\n')
        .position(|line| line.starts_with(b"{\""));
    match first.and_then(|_| sniff(head, true)) {
        Some(form @ (Form::Go | Form::Libtest)) => form,
        _ => Form::Xml,
    }
}

/// Reads a report in a form; paths in it lose `root`, where they begin with it.
pub(crate) fn read<R: Read>(
    form: Form,
    mut source: R,
    root: &str,
    sink: &mut dyn FnMut(&[String], u64, &Case),
) -> Result<Reading, ReadError> {
    let mut head = Vec::with_capacity(super::ENCODING_PEEK);
    let name = match form {
        Form::Xml => return read_xml(source, sink),
        Form::Neutral => return Err(ReadError::OtherJson),
        Form::Ctrf => "ctrf",
        Form::Go => "go",
        Form::Jest => "jest",
        Form::Libtest => "libtest",
        Form::Playwright => "playwright",
        Form::Tap => "tap",
    };
    (&mut source)
        .take(super::ENCODING_PEEK as u64)
        .read_to_end(&mut head)?;
    let encoding = Encoding::detect(&head);
    let source = io::Cursor::new(head).chain(source);
    let mut notes = Notes::default();
    let mut out = Out::new(sink);
    if encoding.is_utf8() {
        read_form(form, &mut { source }, root, &mut out, &mut notes)?;
    } else {
        notes.detail(NoteCode::OtherEncoding, 0, encoding.name());
        let mut source = encoding.transcode(source);
        read_form(form, &mut source, root, &mut out, &mut notes)?;
    }
    Ok(Reading {
        form: name,
        counts: out.counts,
        notes: notes.into_vec(),
    })
}

fn read_form(
    form: Form,
    source: &mut dyn Read,
    root: &str,
    out: &mut Out<'_>,
    notes: &mut Notes,
) -> io::Result<()> {
    let by_line = matches!(form, Form::Go | Form::Libtest);
    let mut reader: Box<dyn Json> = match form {
        Form::Tap => return tap::read(source, out, notes),
        Form::Ctrf => Box::new(ctrf::Ctrf::default()),
        Form::Go => Box::new(go::Go::default()),
        Form::Jest => Box::new(jest::Jest::new(root)),
        Form::Libtest => Box::new(libtest::Libtest::default()),
        Form::Playwright => Box::new(playwright::Playwright::default()),
        Form::Xml | Form::Neutral => return Ok(()),
    };
    json::read(source, by_line, reader.as_mut(), out, notes)
}

/// Looks at the first values of JSON.
fn sniff(head: &[u8], by_line: bool) -> Option<Form> {
    let mut sniffer = Sniffer::default();
    let mut ignore = |_: &[String], _: u64, _: &Case| {};
    let mut out = Out::new(&mut ignore);
    let read = json::read(head, by_line, &mut sniffer, &mut out, &mut Notes::default());
    read.ok()?;
    let has = |key: &[u8]| sniffer.keys.contains(&hash(key));
    if has(b"run") && has(b"test") {
        None
    } else if has(b"Action") && (has(b"Package") || has(b"ImportPath")) {
        Some(Form::Go)
    } else if has(b"type") && has(b"event") {
        Some(Form::Libtest)
    } else {
        sniffer.form
    }
}

/// Remembers the keys at the top, and what stands below some of them.
#[derive(Default)]
struct Sniffer {
    keys: Vec<u32>,
    form: Option<Form>,
}

impl Sniffer {
    fn see(&mut self, path: &[u32]) {
        const FORMAT: u32 = hash(b"reportFormat");
        const RESULTS: u32 = hash(b"results");
        const CONFIG: u32 = hash(b"config");
        const SUITES: u32 = hash(b"suites");
        let is = |key: u32, words: &[&str]| words.iter().any(|word| hash(word.as_bytes()) == key);
        let form = match path {
            [RESULTS, key, ..] if is(*key, &["tool", "summary", "tests"]) => Form::Ctrf,
            [key, ..]
                if is(
                    *key,
                    &["numTotalTests", "numFailedTestSuites", "testResults"],
                ) =>
            {
                Form::Jest
            }
            [CONFIG, key, ..] if is(*key, &["configFile", "rootDir", "forbidOnly"]) => {
                Form::Playwright
            }
            [SUITES, json::ITEM, key, ..] if is(*key, &["specs"]) => Form::Playwright,
            [FORMAT] => return,
            [key] => {
                if self.keys.len() < 256 {
                    self.keys.push(*key);
                }
                return;
            }
            _ => return,
        };
        self.form.get_or_insert(form);
    }
}

impl Json for Sniffer {
    fn value(&mut self, path: &[u32], value: Value<'_>, _place: &mut Place<'_, '_>) {
        if value.text() == "CTRF" && path == [hash(b"reportFormat")] {
            self.form.get_or_insert(Form::Ctrf);
        }
        self.see(path);
    }

    fn open(&mut self, path: &[u32], _place: &mut Place<'_, '_>) {
        self.see(path);
    }

    fn close(&mut self, _path: &[u32], _place: &mut Place<'_, '_>) {}
}
