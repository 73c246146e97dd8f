//! A sliding window over a byte stream: what the reader holds in memory, and never more.

use std::io::{self, Read};

/// Starts small, because most reports are; the fuzzer, whose inputs are smaller still, is to see the edges too.
const FIRST: usize = if cfg!(fuzzing) { 1024 } else { 128 * 1024 };

/// A single tag, comment or CDATA section larger than this is cut.
const LARGEST: usize = if cfg!(fuzzing) { 4096 } else { 4 * 1024 * 1024 };

pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    at_end: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; FIRST],
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
        }
    }

    /// Returns the bytes at hand.
    pub(super) fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Returns how far into the stream the window begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream holds nothing beyond the window.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Drops bytes at the front.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads more; false when the window is as large as it may be, or the stream is at its end.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= LARGEST {
                return Ok(false);
            }
            let grown = (self.buffer.len() * 4).min(LARGEST);
            self.buffer.resize(grown, 0);
        }
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Drops everything up to and including a byte string, or all of it; tells whether it was found.
    pub(super) fn skip_past(&mut self, needle: &[u8]) -> io::Result<bool> {
        loop {
            let data = self.data();
            if let Some(at) = find(data, needle) {
                self.consume(at + needle.len());
                return Ok(true);
            }
            // The needle may lie across the edge.
            let keep = data.len().min(needle.len() - 1);
            let count = data.len() - keep;
            self.consume(count);
            if self.at_end {
                self.consume(keep);
                return Ok(false);
            }
            self.more()?;
        }
    }

    /// Drops everything up to and including the end of a tag, of which `quote` tells what quote is open; tells
    /// whether the tag was found to close itself, and `None` when the stream ends first.
    pub(super) fn skip_tag(&mut self, mut quote: Option<u8>) -> io::Result<Option<bool>> {
        let mut last = 0_u8;
        loop {
            let length = self.data().len();
            let mut end = None;
            for (position, &byte) in self.data().iter().enumerate() {
                match quote {
                    Some(open) if byte == open => quote = None,
                    None if byte == b'>' => {
                        end = Some(position + 1);
                        break;
                    }
                    None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                    Some(_) | None => {}
                }
                last = byte;
            }
            if let Some(end) = end {
                self.consume(end);
                return Ok(Some(last == b'/'));
            }
            self.consume(length);
            if self.at_end {
                return Ok(None);
            }
            self.more()?;
        }
    }
}

/// Returns where a byte string first stands.
pub(super) fn find(data: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(data, needle)
}
