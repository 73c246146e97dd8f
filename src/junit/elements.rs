//! What the elements of a report mean: suites, cases, their children, and text worth keeping.

use quick_xml::events::{BytesStart, Event};

use super::Counts;
use super::attributes::{self, resolve};
use super::case::{Case, MESSAGE_LIMIT, Outcome, StatusWord, bound_name, truncate};
use super::foreign::{Tag, Text, Xml, foreign, hash};
use super::markup::{has_words, next_element, open_quote, short};
use super::notes::{NoteCode, Notes};
use super::out::{Out, SUITE_PATH, bound_path};
use super::reader::attribute;
use super::said::Said;

/// Elements nested deeper than this are counted and not remembered one by one.
const DEEPEST: usize = 100_000;

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
    /// Whether its text is wanted at its end.
    keeps: bool,
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
    out: Out<'s>,
    open: Vec<Open>,
    /// How many elements are open beyond the deepest that are remembered.
    beyond: u64,
    /// The file that each open suite names, or one around it.
    files: Vec<String>,
    in_case: bool,
    said: Said,
    /// The reader of another form, once its root element was seen.
    dialect: Option<Box<dyn Xml>>,
    /// What the form of the first root is called.
    form: &'static str,
    /// Text of an element of another form that is wanted at its end.
    kept: String,
    /// The build, when the root is CTest's `Site`, whose next element tells whether it holds tests.
    at_site: Option<String>,
    other_root: Option<String>,
    text_first: bool,
    documents: u32,
}

/// A longer path names no file.
const LONGEST_FILE: usize = 4096;

impl<'s> Elements<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&[String], u64, &Case)) -> Self {
        Self {
            out: Out::new(sink),
            open: Vec::new(),
            beyond: 0,
            files: Vec::new(),
            in_case: false,
            said: Said::default(),
            dialect: None,
            form: "junit",
            kept: String::new(),
            at_site: None,
            other_root: None,
            text_first: false,
            documents: 0,
        }
    }

    pub(super) fn found_root(&self) -> bool {
        self.documents > 0
    }

    pub(super) fn has_other_root(&self) -> bool {
        self.other_root.is_some() && self.at_site.is_none()
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
                if !self.found_root() && !self.text_first && has_words(text) {
                    self.text_first = true;
                    notes.once(NoteCode::TextBeforeRoot, offset);
                }
                let text = attributes::text(text, offset, notes);
                self.say(&text);
            }
            Event::CData(text) => self.text(text),
            Event::GeneralRef(name) => {
                if self.captures() {
                    let name = String::from_utf8_lossy(name).into_owned();
                    match resolve(&name) {
                        Some(text) => self.say(&text),
                        None => {
                            notes.once(NoteCode::UnknownEntity, offset);
                            self.say(&format!("&{name};"));
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
            self.say(&text);
        }
    }

    fn captures(&self) -> bool {
        match self.open.last() {
            Some(open) if open.keeps => self.kept.len() < MESSAGE_LIMIT,
            Some(open) if open.captures => self.out.case.message.len() < MESSAGE_LIMIT,
            _ => false,
        }
    }

    /// Takes text to where it belongs.
    fn say(&mut self, text: &str) {
        let Some(open) = self.open.last() else { return };
        if open.keeps {
            self.kept.push_str(text);
            truncate(&mut self.kept, MESSAGE_LIMIT);
        } else if open.captures {
            if self.dialect.is_some() {
                self.out.say(text);
            } else {
                self.out.case.say(text);
            }
        }
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
            self.root(kind, tag, offset, notes);
        }
        if !self.found_root() {
            return;
        }
        if self.dialect.is_some() {
            return self.start_foreign(tag, hash(name), offset, notes);
        }
        let parent = self.open.last().copied();
        let mut open = Open {
            kind,
            name: hash(name),
            captures: parent.is_some_and(|p| p.captures)
                && !matches!(name, b"system-out" | b"system-err"),
            keeps: false,
            named: false,
        };
        match kind {
            Kind::Suite => {
                self.said.open(tag, self.out.counts.cases, offset);
                open.named = self.suite(tag, offset, notes);
            }
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
                    self.said.failure();
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

    /// Takes an element of another form than JUnit.
    fn start_foreign(&mut self, tag: &BytesStart<'_>, name: u32, offset: u64, notes: &mut Notes) {
        if self.open.len() >= DEEPEST {
            notes.once(NoteCode::TooDeep, offset);
            self.beyond += 1;
            return;
        }
        let Some(dialect) = &mut self.dialect else {
            return;
        };
        let wanted = dialect.start(name, &Tag { tag, offset }, &mut self.out, notes);
        if wanted == Text::Keep {
            self.kept.clear();
        }
        self.open.push(Open {
            kind: Kind::Other,
            name,
            captures: wanted == Text::Message,
            keeps: wanted == Text::Keep,
            named: false,
        });
    }

    fn root(&mut self, kind: Kind, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) {
        let local = tag.local_name();
        let name = local.as_ref();
        let site = self.at_site.take();
        let at_site = site.is_some();
        let foreign = if self.found_root() && self.dialect.is_none() {
            None
        } else {
            foreign(hash(name), site, &Tag { tag, offset }, notes)
        };
        if let Some((form, reader)) = foreign {
            self.finish_dialect(notes);
            self.dialect = Some(reader);
            self.form = form;
            if at_site {
                self.open.push(Open {
                    kind: Kind::Other,
                    name: hash(b"Site"),
                    captures: false,
                    keeps: false,
                    named: false,
                });
            }
            self.other_root = None;
            self.documents += 1;
            if self.documents == 2 {
                notes.add(NoteCode::SeveralDocuments, offset);
            }
            return;
        }
        if !self.found_root() && name == b"Site" && self.other_root.is_none() {
            self.at_site = attribute(tag, b"BuildName", offset, notes).or(Some(String::new()));
        }
        if matches!(kind, Kind::Root | Kind::Suite | Kind::Case) {
            self.finish_dialect(notes);
            self.other_root = None;
            self.documents += 1;
            if self.documents == 2 {
                notes.add(NoteCode::SeveralDocuments, offset);
            }
        } else if !self.found_root() && self.other_root.is_none() {
            self.other_root = Some(short(&String::from_utf8_lossy(name)));
        }
    }

    /// Opens a suite; tells whether its name became part of the path.
    fn suite(&mut self, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) -> bool {
        self.out.counts.suites += 1;
        let mut name = attribute(tag, b"name", offset, notes).unwrap_or_default();
        if name.is_empty() || self.out.suites.len() >= SUITE_PATH {
            return false;
        }
        if bound_path(&self.out.suites, &mut name) {
            notes.add(NoteCode::LongValue, offset);
        }
        self.out.suites.push(name);
        let file = attribute(tag, b"file", offset, notes)
            .or_else(|| attribute(tag, b"filepath", offset, notes))
            .filter(|file| file.len() <= LONGEST_FILE);
        let around = || self.files.last().cloned();
        let file = file.or_else(around).unwrap_or_default();
        self.files.push(file);
        self.out.serial += 1;
        true
    }

    fn begin_case(&mut self, tag: &BytesStart<'_>, offset: u64, notes: &mut Notes) {
        let case = &mut self.out.case;
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
        if child != Child::Skipped {
            self.said.failure();
        }
        match child {
            Child::Failure => self.out.case.failures += 1,
            Child::Error => self.out.case.errors += 1,
            Child::Skipped => self.out.case.skips += 1,
            // A hostile case may have millions of children; nobody runs a test that often.
            Child::Flaky(outcome) if self.out.case.flaky.len() < 1000 => {
                self.out.case.flaky.push(outcome);
            }
            Child::Rerun(outcome) if self.out.case.rerun.len() < 1000 => {
                self.out.case.rerun.push(outcome);
            }
            Child::Flaky(_) | Child::Rerun(_) => {}
        }
        if child == Child::Skipped || !self.out.case.message.is_empty() {
            return false;
        }
        if let Some(message) = attribute(tag, b"message", offset, notes)
            && !message.is_empty()
        {
            self.out.case.say(&message);
            self.out.case.say("\n");
        }
        true
    }

    /// Takes an end tag.
    fn end(&mut self, name: &[u8], offset: u64, notes: &mut Notes) {
        if !self.found_root() {
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
        if let Some(dialect) = &mut self.dialect {
            dialect.end(open.name, &self.kept, &mut self.out, notes);
            if open.keeps {
                self.kept.clear();
            }
            return;
        }
        match open.kind {
            Kind::Case if self.in_case => self.emit(notes),
            Kind::Suite => {
                self.said.close(self.out.counts.cases, notes);
                if open.named {
                    self.out.suites.pop();
                    self.files.pop();
                    self.out.serial += 1;
                }
            }
            _ => {}
        }
    }

    fn emit(&mut self, notes: &mut Notes) {
        self.in_case = false;
        let case = &mut self.out.case;
        let status = case.status();
        self.out.counts.cases += 1;
        match status {
            Outcome::Passed => self.out.counts.passed += 1,
            Outcome::Failed => self.out.counts.failed += 1,
            Outcome::Errored => self.out.counts.errored += 1,
            Outcome::Skipped => self.out.counts.skipped += 1,
        }
        if case.is_only_disabled() {
            self.out.counts.disabled += 1;
            notes.once(NoteCode::DisabledStatus, case.offset);
        }
        if status == Outcome::Passed && case.status_word == StatusWord::Failing {
            notes.add(NoteCode::UnknownStatus, case.offset);
        }
        if !case.rerun.is_empty() && case.failures + case.errors == 0 {
            notes.add(NoteCode::RerunWithoutFailure, case.offset);
        }
        case.settle();
        self.out.counts.attempts += case.attempts.len() as u64;
        (self.out.sink)(&self.out.suites, self.out.serial, case);
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
    pub(super) fn finish(mut self, end: u64, notes: &mut Notes) -> (&'static str, Counts) {
        let is_cut = !self.open.is_empty() || self.beyond > 0;
        if is_cut && !notes.has(NoteCode::Truncated) {
            notes.add(NoteCode::Truncated, end);
        }
        if self.dialect.is_some() {
            self.beyond = 0;
            while !self.open.is_empty() {
                self.close_last(notes);
            }
            self.finish_dialect(notes);
        }
        if self.in_case {
            self.emit(notes);
        }
        (self.form, self.out.counts)
    }

    fn finish_dialect(&mut self, notes: &mut Notes) {
        if let Some(mut dialect) = self.dialect.take() {
            dialect.finish(&mut self.out, notes);
        }
    }
}
