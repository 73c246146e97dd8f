//! Which encoding a report is in, and its conversion to UTF-8 on the way in.

use std::io::{self, Read};

use encoding_rs::{Decoder, UTF_8, UTF_16BE, UTF_16LE};

/// How many bytes decide.
pub(crate) const ENCODING_PEEK: usize = 1024;

/// What the first bytes say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding {
    encoding: &'static encoding_rs::Encoding,
    /// Whether a declaration names an encoding that nobody knows.
    pub(crate) is_unknown: bool,
}

impl Encoding {
    /// Finds the encoding by byte order mark, by the pattern of zero bytes, or by the XML declaration
    /// (XML 1.0, appendix F).
    pub(crate) fn detect(head: &[u8]) -> Self {
        let known = |encoding| Self {
            encoding,
            is_unknown: false,
        };
        if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(head) {
            return known(encoding);
        }
        match head {
            [b'<', 0, second, 0, ..] if *second != 0 => return known(UTF_16LE),
            [0, b'<', 0, second, ..] if *second != 0 => return known(UTF_16BE),
            _ => {}
        }
        match declared(head) {
            // A declaration that can be read byte by byte is not UTF-16, whatever it says.
            Some(label) => match encoding_rs::Encoding::for_label(label) {
                Some(found) if found == UTF_16LE || found == UTF_16BE => known(UTF_8),
                Some(found) => known(found),
                None => Self {
                    encoding: UTF_8,
                    is_unknown: true,
                },
            },
            None => known(UTF_8),
        }
    }

    /// Whether the bytes can be read as they are.
    pub(crate) fn is_utf8(self) -> bool {
        self.encoding == UTF_8
    }

    /// Returns its usual name.
    pub(crate) fn name(self) -> &'static str {
        self.encoding.name()
    }

    /// Returns a stream of the same text in UTF-8.
    pub(crate) fn transcode<R: Read>(self, source: R) -> Transcoder<R> {
        Transcoder {
            source,
            decoder: self.encoding.new_decoder_with_bom_removal(),
            raw: vec![0; 16 * 1024],
            raw_start: 0,
            raw_end: 0,
            at_end: false,
            is_done: false,
            text: vec![0; 64 * 1024],
            text_start: 0,
            text_end: 0,
        }
    }
}

/// Returns the encoding that an XML declaration names.
fn declared(head: &[u8]) -> Option<&[u8]> {
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let head = head.get(start..)?;
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let end = super::window::find(head, b"?>")?;
    let declaration = &head[..end];
    let after = super::window::find(declaration, b"encoding")? + b"encoding".len();
    let rest = declaration[after..].trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = rest.split_first()?;
    if quote != b'"' && quote != b'\'' {
        return None;
    }
    let end = rest.iter().position(|&byte| byte == quote)?;
    Some(rest[..end].trim_ascii())
}

/// Converts on the way through; what cannot be converted becomes U+FFFD.
pub(crate) struct Transcoder<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_start: usize,
    raw_end: usize,
    at_end: bool,
    is_done: bool,
    text: Vec<u8>,
    text_start: usize,
    text_end: usize,
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.text_start == self.text_end {
            self.refill()?;
        }
        let text = &self.text[self.text_start..self.text_end];
        let count = text.len().min(out.len());
        out[..count].copy_from_slice(&text[..count]);
        self.text_start += count;
        Ok(count)
    }
}

impl<R: Read> Transcoder<R> {
    /// Converts the next piece into a buffer of its own: the reader may ask for less than one character takes.
    fn refill(&mut self) -> io::Result<()> {
        self.text_start = 0;
        self.text_end = 0;
        while !self.is_done && self.text_end == 0 {
            if self.raw_start == self.raw_end && !self.at_end {
                self.raw_start = 0;
                self.raw_end = self.source.read(&mut self.raw)?;
                self.at_end = self.raw_end == 0;
            }
            let raw = &self.raw[self.raw_start..self.raw_end];
            let (result, read, written, _) =
                self.decoder
                    .decode_to_utf8(raw, &mut self.text, self.at_end);
            self.raw_start += read;
            self.text_end = written;
            self.is_done = self.at_end && result == encoding_rs::CoderResult::InputEmpty;
        }
        Ok(())
    }
}
