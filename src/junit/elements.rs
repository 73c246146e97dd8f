//! What the elements of a report mean: suites, cases, their children, and text worth keeping.

use quick_xml::events::{BytesStart, Event};

use super::Counts;
use super::attributes::{self, resolve};
use super::case::{
    Case, MESSAGE_LIMIT, Outcome, StatusWord, bound_name, bound_name_to, drop_last_word, truncate,
};
use super::notes::{NoteCode, Notes};
use super::reader::attribute;

/// Elements nested deeper than this are counted and not remembered one by one.
const DEEPEST: usize = 100_000;

/// Suite names nested deeper than this do not become part of a test's identity.
const SUITE_PATH: usize = 32;

/// Longest sum of suite names around a case, in bytes; what would go beyond it becomes a digest. Every case of a file
/// may carry its whole path into the results, so a few long names could grow to gigabytes there.
const PATH_LIMIT: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `testsuites`, and the `testrun` that Eclipse writes.
    Root,
    Suite,
    Case,
    Child,
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    /// Tells end tags apart without keeping names.
    name: u32,
    /// Whether its text belongs to a failure's words.
    captures: bool,
    /// Whether it added a name to the suite path.
    named: bool,
}

/// What a child of a case says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Child {
    Failure,
    Error,
    Skipped,
    Flaky(Outcome),
    Rerun(Outcome),
}

impl Child {
    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"failure" => Self::Failure,
            b"error" => Self::Error,
            b"skipped" | b"ignored" | b"disabled" => Self::Skipped,
            b"flakyFailure" => Self::Flaky(Outcome::Failed),
            b"flakyError" => Self::Flaky(Outcome::Errored),
            b"rerunFailure" => Self::Rerun(Outcome::Failed),
            b"rerunError" => Self::Rerun(Outcome::Errored),
            _ => return None,
        })
    }
}

pub(super) struct Elements<'s> {
    sink: &'s mut dyn FnMut(&[String], u64, &Case),
    open: Vec<Open>,
    /// How many elements are open beyond the deepest that are remembered.
    beyond: u64,
    suites: Vec<String>,
    /// The file that each of them names, or one around it.
    files: Vec<String>,
    serial: u64,
    case: Case,
    in_case: bool,
    counts: Counts,
    found_root: bool,
    other_root: Option<String>,
    text_first: bool,
    documents: u32,
}

/// A longer path names no file.
const LONGEST_FILE: usize = 4096;

impl<'s> Elements<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&[String], u64, &Case)) -> Self {
        Self {
            sink,
            open: Vec::new(),
            beyond: 0,
            suites: Vec::new(),
            files: Vec::new(),
            serial: 0,
            case: Case::default(),
            in_case: false,
            counts: Counts::default(),
            found_root: false,
            other_root: None,
            text_first: false,
            documents: 0,
        }
    }

    pub(super) fn found_root(&self) -> bool {
        self.found_root
    }

    pub(super) fn has_other_root(&self) -> bool {
        self.other_root.is_some()
    }

    pub(super) fn take_other_root(&mut self) -> Option<String> {
        self.other_root.take()
    }

    pub(super) fn text_came_first(&self) -> bool {
        self.text_first
    }

    /// Takes an event; answers how many bytes of the tag's content to keep when the rest must be read again.
    pub(super) fn event(
        &mut self,
        event: &Event<'_>,
        offset: u64,
        notes: &mut Notes,
    ) -> Option<usize> {
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                if let Some(skip) = self.swallowed(tag, offset, notes) {
                    return Some(skip);
                }
                self.start(tag, offset, notes);
                if matches!(event, Event::Empty(_)) {
                    self.close_last(notes);
                }
            }
            Event::End(tag) => self.end(tag.local_name().as_ref(), offset, notes),
            Event::Text(text) => {
                if !self.found_root && !self.text_first && has_words(text) {
                    self.text_first = true;
                    notes.once(NoteCode::TextBeforeRoot, offset);
                }
                if self.captures() {
                    let text = attributes::text(text, offset, notes);
                    self.case.say(&text);
                }
            }
            Event::CData(text) => self.text(text),
            Event::GeneralRef(name) => {
                if self.captures() {
                    let name = String::from_utf8_lossy(name).into_owned();
                    match resolve(&name) {
                        Some(text) => self.case.say(&text),
                        None => {
                            notes.once(NoteCode::UnknownEntity, offset);
                            self.case.say(&format!("&{name};"));
                        }
                    }
                }
            }
            Event::DocType(_) => notes.once(NoteCode::Doctype, offset),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => {}
        }
        None
    }

    /// Takes the text of a CDATA section, or the first part of a huge one.
    pub(super) fn text(&mut self, raw: &[u8]) {
        if self.captures() {
            let part = &raw[..raw.len().min(2 * MESSAGE_LIMIT)];
            let text = String::from_utf8_lossy(part).into_owned();
            self.case.say(&text);
        }
    }

    fn captures(&self) -> bool {
        self.open.last().is_some_and(|open| open.captures)
            && self.case.message.len() < MESSAGE_LIMIT
    }

    /// Takes a start tag.
    pub(super) fn start(&mut self, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) {
        let local = tag.local_name();
        let name = local.as_ref();
        let kind = match name {
            b"testsuites" | b"testrun" => Kind::Root,
            b"testsuite" => Kind::Suite,
            b"testcase" => Kind::Case,
            _ if Child::of(name).is_some() => Kind::Child,
            _ => Kind::Other,
        };
        if self.open.is_empty() && self.beyond == 0 {
            self.root(kind, name, offset, notes);
        }
        if !self.found_root {
            return;
        }
        let parent = self.open.last().copied();
        let mut open = Open {
            kind,
            name: hash(name),
            captures: parent.is_some_and(|p| p.captures)
                && !matches!(name, b"system-out" | b"system-err"),
            named: false,
        };
        match kind {
            Kind::Suite => open.named = self.suite(tag, offset, notes),
            Kind::Case => {
                if self.in_case {
                    notes.add(NoteCode::NestedCase, offset);
                    self.emit(notes);
                }
                self.begin_case(tag, offset, notes);
            }
            Kind::Child if parent.is_some_and(|p| p.kind == Kind::Case) => {
                open.captures = self.child(tag, name, offset, notes);
            }
            Kind::Child => {
                open.kind = Kind::Other;
                if matches!(name, b"failure" | b"error")
                    && !self.in_case
                    && parent.is_some_and(|p| matches!(p.kind, Kind::Suite | Kind::Root))
                {
                    let message = attribute(tag, b"message", offset, notes);
                    match message.filter(|words| !words.is_empty()) {
                        Some(words) => notes.detail(NoteCode::SuiteError, offset, short(&words)),
                        None => notes.add(NoteCode::SuiteError, offset),
                    }
                }
            }
            Kind::Root | Kind::Other => {}
        }
        if self.open.len() < DEEPEST {
            self.open.push(open);
        } else {
            notes.once(NoteCode::TooDeep, offset);
            self.beyond += 1;
            if kind == Kind::Case {
                // Its end tag will not be recognised, so it ends here.
                self.emit(notes);
            }
        }
    }

    fn root(&mut self, kind: Kind, name: &[u8], offset: u64, notes: &mut Notes) {
        if matches!(kind, Kind::Root | Kind::Suite | Kind::Case) {
            self.found_root = true;
            self.other_root = None;
            self.documents += 1;
            if self.documents == 2 {
                notes.add(NoteCode::SeveralDocuments, offset);
            }
        } else if !self.found_root && self.other_root.is_none() {
            self.other_root = Some(short(&String::from_utf8_lossy(name)));
        }
    }

    /// Opens a suite; tells whether its name became part of the path.
    fn suite(&mut self, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) -> bool {
        self.counts.suites += 1;
        let mut name = attribute(tag, b"name", offset, notes).unwrap_or_default();
        if name.is_empty() || self.suites.len() >= SUITE_PATH {
            return false;
        }
        let around: usize = self.suites.iter().map(String::len).sum();
        if bound_name_to(&mut name, PATH_LIMIT.saturating_sub(around)) {
            notes.add(NoteCode::LongValue, offset);
        }
        self.suites.push(name);
        let file = attribute(tag, b"file", offset, notes)
            .or_else(|| attribute(tag, b"filepath", offset, notes))
            .filter(|file| file.len() <= LONGEST_FILE);
        let around = || self.files.last().cloned();
        let file = file.or_else(around).unwrap_or_default();
        self.files.push(file);
        self.serial += 1;
        true
    }

    fn begin_case(&mut self, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) {
        let case = &mut self.case;
        case.clear();
        case.offset = offset;
        self.in_case = true;
        attributes::each(tag, offset, notes, |name, value, notes| match name {
            b"name" => attributes::value_into(&mut case.name, value, offset, notes),
            b"classname" => attributes::value_into(&mut case.class, value, offset, notes),
            b"status" | b"result" => {
                case.status_word = case.status_word.or(StatusWord::read(value));
            }
            b"file" | b"filepath" => attributes::value_into(&mut case.file, value, offset, notes),
            b"time" => case.read_time(value),
            _ => {}
        });
        let name = bound_name(&mut case.name);
        if bound_name(&mut case.class) || name {
            notes.add(NoteCode::LongValue, offset);
        }
        if case.file.is_empty()
            && let Some(file) = self.files.last()
        {
            case.file.push_str(file);
        }
        if case.file.len() > LONGEST_FILE {
            case.file.clear();
        }
        if case.name.is_empty() {
            notes.add(NoteCode::Nameless, offset);
        }
    }

    /// Takes a child of a case; tells whether its text belongs to the message.
    fn child(&mut self, tag: &BytesStart<'_>, name: &[u8], offset: u64, notes: &mut Notes) -> bool {
        let Some(child) = Child::of(name) else {
            return false;
        };
        match child {
            Child::Failure => self.case.failures += 1,
            Child::Error => self.case.errors += 1,
            Child::Skipped => self.case.skips += 1,
            // A hostile case may have millions of children; nobody runs a test that often.
            Child::Flaky(outcome) if self.case.flaky.len() < 1000 => self.case.flaky.push(outcome),
            Child::Rerun(outcome) if self.case.rerun.len() < 1000 => self.case.rerun.push(outcome),
            Child::Flaky(_) | Child::Rerun(_) => {}
        }
        if child == Child::Skipped || !self.case.message.is_empty() {
            return false;
        }
        if let Some(message) = attribute(tag, b"message", offset, notes)
            && !message.is_empty()
        {
            self.case.say(&message);
            self.case.say("\n");
        }
        true
    }

    /// Takes an end tag.
    fn end(&mut self, name: &[u8], offset: u64, notes: &mut Notes) {
        if !self.found_root {
            return;
        }
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let name = hash(name);
        // Looking far down for each stray end tag would make a hostile file quadratic.
        let depth = self
            .open
            .iter()
            .rev()
            .take(64)
            .position(|open| open.name == name);
        match depth {
            Some(0) => self.close_last(notes),
            Some(above) => {
                notes.add(NoteCode::UnclosedElement, offset);
                for _ in 0..=above {
                    self.close_last(notes);
                }
            }
            None => notes.add(NoteCode::UnmatchedEnd, offset),
        }
    }

    /// Closes the innermost element.
    pub(super) fn close_last(&mut self, notes: &mut Notes) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(open) = self.open.pop() else { return };
        match open.kind {
            Kind::Case if self.in_case => self.emit(notes),
            Kind::Suite if open.named => {
                self.suites.pop();
                self.files.pop();
                self.serial += 1;
            }
            _ => {}
        }
    }

    fn emit(&mut self, notes: &mut Notes) {
        self.in_case = false;
        let case = &mut self.case;
        let status = case.status();
        self.counts.cases += 1;
        match status {
            Outcome::Passed => self.counts.passed += 1,
            Outcome::Failed => self.counts.failed += 1,
            Outcome::Errored => self.counts.errored += 1,
            Outcome::Skipped => self.counts.skipped += 1,
        }
        if case.is_only_disabled() {
            self.counts.disabled += 1;
            notes.once(NoteCode::DisabledStatus, case.offset);
        }
        if status == Outcome::Passed && case.status_word == StatusWord::Failing {
            notes.add(NoteCode::UnknownStatus, case.offset);
        }
        if !case.rerun.is_empty() && case.failures + case.errors == 0 {
            notes.add(NoteCode::RerunWithoutFailure, case.offset);
        }
        case.settle();
        self.counts.attempts += case.attempts.len() as u64;
        (self.sink)(&self.suites, self.serial, case);
    }

    /// Answers where to go on when an attribute without a closing quote swallowed the elements after it.
    fn swallowed(&mut self, tag: &[u8], offset: u64, notes: &mut Notes) -> Option<usize> {
        // No markup stands inside a well-formed tag, so that this look costs one pass over a short text.
        memchr::memchr(b'<', tag)?;
        let next = self.unclosed_tag(tag, offset, notes);
        if next.is_none() {
            notes.add(NoteCode::RawMarkup, offset);
        }
        next
    }

    /// Takes a tag whose quote is never closed, up to the next element; answers how many bytes of it to keep, or
    /// nothing when no element follows.
    pub(super) fn unclosed_tag(
        &mut self,
        content: &[u8],
        offset: u64,
        notes: &mut Notes,
    ) -> Option<usize> {
        let next = next_element(content)?;
        let own = content[..next].trim_ascii_end();
        let own = own.strip_suffix(b">")?;
        notes.add(NoteCode::UnclosedQuote, offset);
        let (own, closes) = match own.strip_suffix(b"/") {
            Some(own) => (own, true),
            None => (own, false),
        };
        let mut text = String::from_utf8_lossy(own).into_owned();
        if let Some(quote) = open_quote(text.as_bytes()) {
            text.push(char::from(quote));
        }
        if let Some(name) = text.strip_prefix('/') {
            let name = name.trim().to_owned();
            self.end(name.as_bytes(), offset, notes);
            return Some(next);
        }
        let end = text
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(text.len());
        let tag = BytesStart::from_content(text, end);
        self.start(&tag, offset, notes);
        if closes {
            self.close_last(notes);
        }
        Some(next)
    }

    /// Takes a tag that the end of the file cuts: a case whose `<failure` is there has failed, whatever it was to say.
    pub(super) fn cut_tag(&mut self, content: &[u8], offset: u64, notes: &mut Notes) {
        let end = content.iter().position(u8::is_ascii_whitespace);
        let name = &content[..end.unwrap_or(content.len())];
        if Child::of(name).is_some() {
            let name = String::from_utf8_lossy(name).into_owned();
            let length = name.len();
            self.start(&BytesStart::from_content(name, length), offset, notes);
        }
    }

    /// Closes what is still open and returns the counts.
    pub(super) fn finish(mut self, end: u64, notes: &mut Notes) -> Counts {
        let is_cut = !self.open.is_empty() || self.beyond > 0;
        if is_cut && !notes.has(NoteCode::Truncated) {
            notes.add(NoteCode::Truncated, end);
        }
        if self.in_case {
            self.emit(notes);
        }
        self.counts
    }
}

/// What stands after the `<` of elements that a report has.
const KNOWN: [&[u8]; 10] = [
    b"testcase",
    b"testsuite",
    b"/testcase",
    b"/testsuite",
    b"failure",
    b"/failure",
    b"error",
    b"skipped",
    b"system-out",
    b"properties",
];

/// Returns where the next element that a report has begins, when it follows a `>` and perhaps white space.
fn next_element(content: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', content).find(|&at| {
        let rest = &content[at + 1..];
        // Most of what follows a `<` is decided by its first byte.
        matches!(rest.first(), Some(b't' | b'/' | b'f' | b'e' | b's' | b'p'))
            && KNOWN.iter().any(|word| rest.starts_with(word))
            && content[..at].trim_ascii_end().ends_with(b">")
    })
}

fn open_quote(tag: &[u8]) -> Option<u8> {
    let mut quote = None;
    for &byte in tag {
        match quote {
            Some(open) if open == byte => quote = None,
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
    }
    quote
}

fn has_words(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    !text.trim_ascii().is_empty()
}

/// Returns the beginning of a foreign text, without half a word at its end.
fn short(text: &str) -> String {
    let mut text = text.to_owned();
    if truncate(&mut text, MESSAGE_LIMIT / 2) {
        drop_last_word(&mut text);
    }
    text
}

/// FNV-1a: names are short, and a collision only closes one element too early.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
