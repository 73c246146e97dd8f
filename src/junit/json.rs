//! JSON as a stream of values with the path to each, in bounded memory and whatever its nesting: long texts are cut, deep
//! values passed over, and a broken line or a missing end costs no more than itself.

use std::io::{self, Read};

use super::foreign::hash;
use super::notes::{NoteCode, Notes};
use super::out::Out;
use super::window::Window;

/// Stands on a path for every element of an array.
pub(super) const ITEM: u32 = 1;

/// Values nested deeper than this are passed over.
const DEEPEST: usize = 256;

/// How much of a text is kept, in bytes.
const TEXT_LIMIT: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(f64),
    Bool(bool),
    Null,
}

impl<'a> Value<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn number(self) -> f64 {
        match self {
            Self::Number(number) => number,
            _ => f64::NAN,
        }
    }

    /// Returns a number of retries; nobody has more.
    pub(super) fn count(self) -> usize {
        let number = self.number();
        (1..=1000_u32)
            .take_while(|count| f64::from(*count) <= number)
            .count()
    }
}

/// Where a reader's words go.
pub(super) struct Place<'c, 's> {
    pub(super) out: &'c mut Out<'s>,
    pub(super) notes: &'c mut Notes,
    pub(super) offset: u64,
}

/// The reader of one form. A path is the [`hash`] of each key from the top, and [`ITEM`] for elements of arrays.
pub(super) trait Json {
    fn value(&mut self, path: &[u32], value: Value<'_>, place: &mut Place<'_, '_>);
    /// An object or array begins.
    fn open(&mut self, path: &[u32], place: &mut Place<'_, '_>);
    /// An object or array ends.
    fn close(&mut self, path: &[u32], place: &mut Place<'_, '_>);
    /// Takes a line that is no value; tells whether it means something.
    fn stray(&mut self, _line: &str, _place: &mut Place<'_, '_>) -> bool {
        false
    }
    fn finish(&mut self, _place: &mut Place<'_, '_>) {}
}

struct Parser<'p, 's, R> {
    window: Window<R>,
    form: &'p mut dyn Json,
    out: &'p mut Out<'s>,
    notes: &'p mut Notes,
    /// Whether each line is a value of its own.
    by_line: bool,
    /// For each open value, whether it is an array.
    open: Vec<bool>,
    path: Vec<u32>,
    /// How many values are open beyond the deepest that are remembered.
    beyond: u64,
    key: Option<u32>,
    raw: Vec<u8>,
}

/// How a text ended.
#[derive(PartialEq, Eq)]
enum End {
    Quote,
    Line,
    File,
}

/// Reads values to the end of a stream.
pub(super) fn read<R: Read>(
    source: R,
    by_line: bool,
    form: &mut dyn Json,
    out: &mut Out<'_>,
    notes: &mut Notes,
) -> io::Result<()> {
    let mut parser = Parser {
        window: Window::new(source),
        form,
        out,
        notes,
        by_line,
        open: Vec::new(),
        path: Vec::new(),
        beyond: 0,
        key: None,
        raw: Vec::new(),
    };
    parser.run()
}

impl<R: Read> Parser<'_, '_, R> {
    fn run(&mut self) -> io::Result<()> {
        self.need(3)?;
        if self.window.data().starts_with(b"\xef\xbb\xbf") {
            self.window.consume(3);
        }
        let mut is_cut = false;
        while let Some(byte) = self.peek()? {
            match byte {
                b'\n' if self.by_line && !self.open.is_empty() => self.broken_line(),
                b',' => {
                    self.key = None;
                    self.window.consume(1);
                }
                b' ' | b'\t' | b'\r' | b'\n' | b':' => self.window.consume(1),
                b'{' | b'[' => {
                    self.begin(byte == b'[');
                    self.window.consume(1);
                }
                b'}' | b']' => {
                    self.window.consume(1);
                    self.end();
                }
                _ if self.by_line && self.open.is_empty() => self.no_value()?,
                b'"' => match self.string()? {
                    End::Quote => self.text(),
                    End::Line => self.broken_line(),
                    End::File => is_cut = true,
                },
                _ => self.word()?,
            }
        }
        if is_cut || !self.open.is_empty() || self.beyond > 0 {
            self.notes.add(NoteCode::Truncated, self.window.offset());
        }
        self.beyond = 0;
        while !self.open.is_empty() {
            self.end();
        }
        self.form.finish(&mut Place {
            out: self.out,
            notes: self.notes,
            offset: self.window.offset(),
        });
        Ok(())
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        self.need(1)?;
        Ok(self.window.data().first().copied())
    }

    /// Sees to it that so many bytes are at hand, if there are.
    fn need(&mut self, count: usize) -> io::Result<()> {
        while self.window.data().len() < count && !self.window.at_end() {
            self.window.more()?;
        }
        Ok(())
    }

    /// Passes over a line that is no value.
    fn no_value(&mut self) -> io::Result<()> {
        self.need(1024)?;
        let offset = self.window.offset();
        let data = self.window.data();
        let data = &data[..data.len().min(1024)];
        let end = memchr::memchr(b'\n', data).unwrap_or(data.len());
        let line = String::from_utf8_lossy(&data[..end]);
        let mut place = Place {
            out: self.out,
            notes: self.notes,
            offset,
        };
        if !self.form.stray(&line, &mut place) {
            self.notes
                .detail(NoteCode::BadLine, offset, "it is no JSON object");
        }
        self.window.skip_past(b"\n")?;
        Ok(())
    }

    /// A line ends in the middle of its value: what writes to the same stream cut it.
    fn broken_line(&mut self) {
        let offset = self.window.offset();
        self.notes.add(NoteCode::CutLine, offset);
        self.open.clear();
        self.path.clear();
        self.beyond = 0;
        self.key = None;
        self.window.consume(1);
    }

    /// Pushes the key of the value that begins.
    fn push_key(&mut self) {
        match self.open.last() {
            None => {}
            Some(true) => self.path.push(ITEM),
            Some(false) => self.path.push(self.key.take().unwrap_or(0)),
        }
    }

    fn begin(&mut self, is_array: bool) {
        if self.open.len() >= DEEPEST {
            self.beyond += 1;
            self.notes.once(NoteCode::TooDeep, self.window.offset());
            return;
        }
        self.push_key();
        self.open.push(is_array);
        let mut place = Place {
            out: self.out,
            notes: self.notes,
            offset: self.window.offset(),
        };
        self.form.open(&self.path, &mut place);
    }

    fn end(&mut self) {
        self.key = None;
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        if self.open.pop().is_none() {
            self.notes.add(NoteCode::UnmatchedEnd, self.window.offset());
            return;
        }
        let mut place = Place {
            out: self.out,
            notes: self.notes,
            offset: self.window.offset(),
        };
        self.form.close(&self.path, &mut place);
        self.path.pop();
    }

    /// Takes the text that was read: a key or a value.
    fn text(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        if self.beyond == 0 {
            if self.open.last() == Some(&false) && self.key.is_none() {
                self.key = Some(hash(&raw));
            } else if let Ok(text) = std::str::from_utf8(&raw) {
                self.value(Value::Text(text));
            } else {
                self.notes.once(NoteCode::BadUtf8, self.window.offset());
                self.value(Value::Text(&String::from_utf8_lossy(&raw)));
            }
        }
        self.raw = raw;
    }

    fn value(&mut self, value: Value<'_>) {
        self.push_key();
        let mut place = Place {
            out: self.out,
            notes: self.notes,
            offset: self.window.offset(),
        };
        self.form.value(&self.path, value, &mut place);
        if !self.open.is_empty() {
            self.path.pop();
        }
    }

    /// Takes a number, `true`, `false`, `null`, or something that has no place here.
    fn word(&mut self) -> io::Result<()> {
        self.need(64)?;
        let data = self.window.data();
        let end = data
            .iter()
            .take(64)
            .position(|byte| b",:]}[{\" \t\r\n".contains(byte))
            .unwrap_or(data.len().min(64));
        let word = std::str::from_utf8(&data[..end]).unwrap_or("");
        let value = match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => word.parse().ok().map(Value::Number),
        };
        match value {
            Some(value) if self.beyond == 0 => self.value(value),
            Some(_) => {}
            None => {
                self.notes.add(NoteCode::BadJson, self.window.offset());
                self.key = None;
            }
        }
        self.window.consume(end.max(1));
        Ok(())
    }

    /// Reads a text into the buffer, its escapes resolved.
    fn string(&mut self) -> io::Result<End> {
        self.window.consume(1);
        self.raw.clear();
        let mut high = None;
        loop {
            self.need(1)?;
            let data = self.window.data();
            if data.is_empty() {
                return Ok(End::File);
            }
            let at = memchr::memchr3(b'"', b'\\', b'\n', data).unwrap_or(data.len());
            let room = TEXT_LIMIT.saturating_sub(self.raw.len());
            self.raw.extend_from_slice(&data[..at.min(room)]);
            let found = data.get(at).copied();
            self.window.consume(at);
            match found {
                None => {}
                Some(b'"') => {
                    self.window.consume(1);
                    return Ok(End::Quote);
                }
                Some(b'\n') if self.by_line => return Ok(End::Line),
                Some(b'\n') => {
                    self.raw.push(b'\n');
                    self.window.consume(1);
                }
                Some(_) => self.escape(&mut high)?,
            }
        }
    }

    fn escape(&mut self, high: &mut Option<u32>) -> io::Result<()> {
        self.need(6)?;
        let data = self.window.data();
        let mut count = 2.min(data.len());
        let mut letter = match data.get(1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => '\u{fffd}',
            // What follows is no escape: it is taken as it stands.
            _ => {
                count = 1;
                '\\'
            }
        };
        if data.get(1) == Some(&b'u')
            && let Some(digits) = data.get(2..6)
            && let Ok(digits) = std::str::from_utf8(digits)
            && let Ok(code) = u32::from_str_radix(digits, 16)
        {
            count = 6;
            let first = high.take();
            match (first, code) {
                (Some(first), 0xdc00..=0xdfff) => {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (code - 0xdc00);
                    letter = char::from_u32(code).unwrap_or(letter);
                    // The first half stands there as U+FFFD already.
                    let whole = self.raw.len().saturating_sub(3);
                    if self.raw.ends_with("\u{fffd}".as_bytes()) {
                        self.raw.truncate(whole);
                    }
                }
                (_, 0xd800..=0xdbff) => *high = Some(code),
                _ => letter = char::from_u32(code).unwrap_or(letter),
            }
        }
        self.window.consume(count);
        if self.raw.len() < TEXT_LIMIT {
            let mut bytes = [0; 4];
            self.raw
                .extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
        }
        Ok(())
    }
}
