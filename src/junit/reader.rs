//! The event loop: quick-xml finds the markup inside the window, this file decides what it means and how to go on
//! where it is not well-formed.

use std::io::{self, Read};

use quick_xml::Reader;
use quick_xml::errors::{Error as XmlError, SyntaxError};
use quick_xml::events::{BytesStart, Event};

use super::attributes;
use super::case::Case;
use super::encoding::Encoding;
use super::notes::{Note, NoteCode, Notes};
use super::window::{Window, find};
use super::{Counts, elements::Elements};

/// Each recovery may scan the whole window again, so a hostile file could make the work quadratic without a bound.
const MOST_RECOVERIES: u32 = 256;

/// How far into a file that begins with other text the first element may stand.
const LOOK_FOR_ROOT: u64 = 64 * 1024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a file held.
#[derive(Debug)]
pub(crate) struct Reading {
    /// What its form is called.
    pub(crate) form: &'static str,
    pub(crate) counts: Counts,
    pub(crate) notes: Vec<Note>,
}

/// Why a file gave no cases.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it is binary data")]
    Binary,
    #[error("it holds no XML element")]
    NoElement,
    #[error("its root element is `{0}`, which no form of test report has that is known")]
    OtherRoot(String),
    #[error("it is JSON of no form that is known")]
    OtherJson,
}

/// Reads an XML report, handing out each case with the names of the suites around it and a number that changes whenever
/// those names do.
pub(super) fn read_xml<R: Read>(
    source: R,
    sink: &mut dyn FnMut(&[String], u64, &Case),
) -> Result<Reading, ReadError> {
    let mut window = Window::new(source);
    window.more()?;
    let head = &window.data()[..window.data().len().min(super::ENCODING_PEEK)];
    if head.is_empty() {
        return Err(ReadError::Empty);
    }
    let encoding = Encoding::detect(head);
    let mut notes = Notes::default();
    if encoding.is_unknown {
        notes.add(NoteCode::UnknownEncoding, 0);
    }
    if encoding.is_utf8() {
        // Some runners write raw NUL bytes into their reports, so that alone does not make a file binary.
        let is_binary = head.contains(&0);
        return match Parser::new(window, notes, sink).run() {
            Err(ReadError::NoElement | ReadError::OtherRoot(_)) if is_binary => {
                Err(ReadError::Binary)
            }
            done => done,
        };
    }
    notes.detail(NoteCode::OtherEncoding, 0, encoding.name());
    let window = Window::new(encoding.transcode(WindowRest { window }));
    Parser::new(window, notes, sink).run()
}

/// What a window holds and what follows it, as a stream again.
struct WindowRest<R> {
    window: Window<R>,
}

impl<R: Read> Read for WindowRest<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.window.data().is_empty() {
            self.window.more()?;
        }
        let count = self.window.data().len().min(out.len());
        out[..count].copy_from_slice(&self.window.data()[..count]);
        self.window.consume(count);
        Ok(count)
    }
}

/// What to do after a run over the window.
enum Next {
    /// Drop these bytes and look at what follows.
    Continue(usize),
    /// Drop these bytes; the construct that begins there needs more input.
    More(usize),
    /// Drop these bytes; the construct that begins there is broken.
    Broken(usize, SyntaxError),
    /// Nothing is left, or nothing more is wanted.
    Stop,
}

struct Parser<'s, R> {
    window: Window<R>,
    notes: Notes,
    elements: Elements<'s>,
    recoveries: u32,
}

impl<'s, R: Read> Parser<'s, R> {
    fn new(
        window: Window<R>,
        notes: Notes,
        sink: &'s mut dyn FnMut(&[String], u64, &Case),
    ) -> Self {
        Self {
            window,
            notes,
            elements: Elements::new(sink),
            recoveries: 0,
        }
    }

    fn run(mut self) -> Result<Reading, ReadError> {
        self.window.more()?;
        loop {
            match self.pass()? {
                Next::Continue(count) => self.window.consume(count),
                Next::More(count) => {
                    self.window.consume(count);
                    if !self.window.more()? {
                        self.oversized()?;
                    }
                }
                Next::Broken(count, error) => {
                    self.window.consume(count);
                    if !self.recover(error) {
                        break;
                    }
                }
                Next::Stop => break,
            }
        }
        let end = self.window.offset() + self.window.data().len() as u64;
        if !self.elements.found_root() {
            return Err(match self.elements.take_other_root() {
                Some(root) => ReadError::OtherRoot(root),
                None if end == 0 => ReadError::Empty,
                None => ReadError::NoElement,
            });
        }
        let (form, counts) = self.elements.finish(end, &mut self.notes);
        Ok(Reading {
            form,
            counts,
            notes: self.notes.into_vec(),
        })
    }

    /// Goes over the window as far as whole constructs reach.
    fn pass(&mut self) -> Result<Next, ReadError> {
        let base = self.window.offset();
        let data = self.window.data();
        if data.is_empty() {
            return Ok(if self.window.at_end() {
                Next::Stop
            } else {
                Next::More(0)
            });
        }
        if data.starts_with(BOM) {
            // The XML reader would drop it without counting it, and every offset would be wrong.
            return Ok(Next::Continue(BOM.len()));
        }
        let mut reader = Reader::from_reader(data);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            let before = at(reader.buffer_position());
            let offset = base + before as u64;
            match reader.read_event() {
                Ok(Event::Eof) => return Ok(Next::Continue(data.len())),
                Ok(event) => {
                    let after = at(reader.buffer_position());
                    if after == data.len()
                        && !self.window.at_end()
                        && before > 0
                        && matches!(event, Event::Text(_) | Event::GeneralRef(_))
                    {
                        // The text, or the reference in it, may go on beyond the window.
                        return Ok(Next::More(before));
                    }
                    if let Some(skip) = self.elements.event(&event, offset, &mut self.notes) {
                        // An attribute swallowed the elements after it: its closing quote is missing.
                        return Ok(Next::Continue(before + 1 + skip));
                    }
                    if !self.elements.found_root() && self.is_hopeless(&event, offset) {
                        return Ok(Next::Stop);
                    }
                }
                Err(XmlError::Syntax(error)) => {
                    if error == SyntaxError::InvalidBangMarkup && data.len() - before > 2 {
                        return Ok(Next::Broken(before, error));
                    }
                    let after = at(reader.buffer_position());
                    if before < after && after < data.len() {
                        // It has an end and is broken all the same, like `<!-x-->`. More input would change nothing.
                        self.notes.add(NoteCode::BadMarkup, offset);
                        return Ok(Next::Continue(after));
                    }
                    return Ok(if self.window.at_end() {
                        Next::Broken(before, error)
                    } else {
                        Next::More(before)
                    });
                }
                // The reader has passed over it and can go on.
                Err(_) => self.notes.add(NoteCode::BadMarkup, offset),
            }
        }
    }

    /// Whether what was read so far shows that no report will come.
    fn is_hopeless(&self, event: &Event<'_>, offset: u64) -> bool {
        if self.elements.has_other_root() && !self.elements.text_came_first() {
            return true;
        }
        if let Event::Text(text) = event
            && text.contains(&0)
        {
            return true;
        }
        offset > LOOK_FOR_ROOT
    }

    /// Steps over a construct that the end of the file or a stray character breaks; false to stop reading.
    fn recover(&mut self, error: SyntaxError) -> bool {
        let offset = self.window.offset();
        if error == SyntaxError::InvalidBangMarkup {
            // Seen at its first bytes, so that nothing is scanned twice.
            self.notes.add(NoteCode::BadMarkup, offset);
            self.window.consume(2);
            return true;
        }
        self.recoveries += 1;
        if self.recoveries > MOST_RECOVERIES {
            self.notes.add(NoteCode::TooManyErrors, offset);
            return false;
        }
        let step = match error {
            SyntaxError::UnclosedCData if self.window.data().starts_with(b"<![CDATA[") => {
                self.notes.add(NoteCode::UnclosedCdata, offset);
                b"<![CDATA[".len()
            }
            SyntaxError::UnclosedComment if self.window.data().starts_with(b"<!--") => {
                self.notes.add(NoteCode::UnclosedComment, offset);
                b"<!--".len()
            }
            SyntaxError::UnclosedTag
            | SyntaxError::UnclosedSingleQuotedAttributeValue
            | SyntaxError::UnclosedDoubleQuotedAttributeValue => {
                let content = &self.window.data()[1..];
                match self.elements.unclosed_tag(content, offset, &mut self.notes) {
                    Some(skip) => 1 + skip,
                    None => {
                        self.elements.cut_tag(content, offset, &mut self.notes);
                        self.notes.add(NoteCode::Truncated, offset);
                        return false;
                    }
                }
            }
            _ => {
                self.notes.add(NoteCode::BadMarkup, offset);
                2
            }
        };
        self.window.consume(step);
        true
    }

    /// Steps over a construct that is larger than the window may grow; its first part counts.
    fn oversized(&mut self) -> Result<(), ReadError> {
        let offset = self.window.offset();
        let data = self.window.data();
        if data.starts_with(b"<")
            && !data.starts_with(b"<!")
            && !data.starts_with(b"<?")
            && self.recoveries < MOST_RECOVERIES
            && let Some(skip) = self
                .elements
                .unclosed_tag(&data[1..], offset, &mut self.notes)
        {
            // It is not large: its closing quote is missing.
            self.recoveries += 1;
            self.window.consume(1 + skip);
            return Ok(());
        }
        self.notes.once(NoteCode::HugeElement, offset);
        let closing: &[u8] = if data.starts_with(b"<![CDATA[") {
            self.elements.text(&data[9..]);
            b"]]>"
        } else if data.starts_with(b"<!--") {
            b"-->"
        } else if data.starts_with(b"<?") {
            b"?>"
        } else if data.starts_with(b"<!") {
            if find(data, b"[").is_some() {
                b"]>"
            } else {
                b">"
            }
        } else if data.starts_with(b"<") {
            return self.oversized_tag();
        } else {
            // Text is handed over in parts and cannot be too large; this is a lone `&` at the very edge.
            self.window.consume(1);
            return Ok(());
        };
        if !self.window.skip_past(closing)? {
            self.notes.add(NoteCode::Truncated, offset);
        }
        Ok(())
    }

    fn oversized_tag(&mut self) -> Result<(), ReadError> {
        let offset = self.window.offset();
        let data = self.window.data();
        let mut quote = None;
        let mut whole = data.len();
        for (position, &byte) in data.iter().enumerate() {
            match quote {
                Some(open) if byte == open => {
                    quote = None;
                    // What comes after the last whole attribute is cut off.
                    whole = position + 1;
                }
                None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                _ => {}
            }
        }
        let mut content = String::from_utf8_lossy(&data[1..whole.min(data.len())]).into_owned();
        if whole == data.len()
            && let Some(open) = quote
        {
            content.push(char::from(open));
        }
        let name = content
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(content.len());
        let is_end = content.starts_with('/');
        let count = data.len();
        self.window.consume(count);
        let closed = self.window.skip_tag(quote)?;
        if !is_end {
            let tag = BytesStart::from_content(content, name);
            self.elements.start(&tag, offset, &mut self.notes);
            if closed == Some(true) {
                self.elements.close_last(&mut self.notes);
            }
        }
        if closed.is_none() {
            self.notes.add(NoteCode::Truncated, offset);
        }
        Ok(())
    }
}

fn at(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// Reads a single attribute of a tag, for those who need no more.
pub(super) fn attribute(
    tag: &BytesStart<'_>,
    wanted: &[u8],
    offset: u64,
    notes: &mut Notes,
) -> Option<String> {
    let mut found = None;
    attributes::each(tag, offset, notes, |name, value, notes| {
        if name == wanted && found.is_none() {
            let mut text = String::new();
            attributes::value_into(&mut text, value, offset, notes);
            found = Some(text);
        }
    });
    found
}
