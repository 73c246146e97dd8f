//! Server-sent events out of bytes, however these are cut (WHATWG HTML, "9.2.6 Interpreting an event stream").
//!
//! It differs from there in one thing: an event that the end of the stream cuts off after its data is handed out. Whoever reads it sees
//! whether its data is whole; a server that forgets the last empty line has said all the same.

use memchr::memchr2;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// The field `event`; empty when there is none.
    pub(crate) name: String,
    /// The lines of the field `data`, joined by line feeds.
    pub(crate) data: Vec<u8>,
}

/// An event is longer than any that a provider sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// No event is longer; a whole answer stands in the last one of OpenAI's Responses.
const LONGEST: usize = 32 * 1024 * 1024;

/// What an event stream may begin with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a stream, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    line: Vec<u8>,
    name: String,
    data: Option<Vec<u8>>,
    /// The last byte was a carriage return, so a line feed belongs to it.
    after_return: bool,
    /// The first line is over.
    has_begun: bool,
}

impl Reader {
    /// Reads more bytes and returns the events that they end.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        if self.after_return && !bytes.is_empty() {
            self.after_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(at) = memchr2(b'\n', b'\r', bytes) {
            let (begin, rest) = bytes.split_at(at);
            self.hold(begin)?;
            events.extend(self.end_line());
            bytes = match rest {
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.hold(bytes)?;
        Ok(events)
    }

    /// Returns the event that the end of the stream cuts off.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.end_event()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let held = self.data.as_ref().map_or(0, Vec::len) + self.line.len();
        if held + bytes.len() > LONGEST {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let text = if self.has_begun {
            &line[..]
        } else {
            line.strip_prefix(MARK).unwrap_or(&line)
        };
        self.has_begun = true;
        if text.is_empty() {
            return self.end_event();
        }
        let colon = text.iter().position(|byte| *byte == b':');
        let (field, value) = text.split_at(colon.unwrap_or(text.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            // Comments have an empty name; `id` and `retry` are for those who come back to a stream.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        Some(Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stream: &[u8]) -> Vec<(String, String)> {
        let mut reader = Reader::default();
        let mut events = reader.push(stream).unwrap();
        events.extend(reader.finish());
        let text = |event: Event| (event.name, String::from_utf8(event.data).unwrap());
        events.into_iter().map(text).collect()
    }

    #[track_caller]
    fn check(stream: &str, events: &[(&str, &str)]) {
        let found = read(stream.as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|(name, data)| (name.as_str(), data.as_str()))
            .collect();
        assert_eq!(found, events);
    }

    #[test]
    fn lines_end_in_three_ways() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = ["event: a", "data: 1", "", "data: 2", "", ""].join(end);
            check(&stream, &[("a", "1"), ("", "2")]);
        }
    }

    #[test]
    fn data_of_several_lines_is_joined() {
        check("data: a\ndata:b\ndata\ndata:  c\n\n", &[("", "a\nb\n\n c")]);
    }

    #[test]
    fn comments_and_unknown_fields_are_left_out() {
        check(
            ": ping\n\nid: 7\nretry: 10\nfoo: bar\ndata: x\n\n",
            &[("", "x")],
        );
        check("event: lonely\n\ndata: x\n\n", &[("", "x")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_field() {
        check("\u{feff}data: x\n\n\u{feff}data: y\n\n", &[("", "x")]);
    }

    #[test]
    fn what_the_end_cuts_off_is_handed_out() {
        check("data: x\n\ndata: [DONE]", &[("", "x"), ("", "[DONE]")]);
        check("data: x\n\ndata: [DONE]\n", &[("", "x"), ("", "[DONE]")]);
        check("data: x\n\nevent: y", &[("", "x")]);
    }

    #[test]
    fn an_endless_event_is_not_held() {
        let mut reader = Reader::default();
        reader.push(b"data: ").unwrap();
        let piece = vec![b'x'; LONGEST / 4];
        let held = (0..8).find_map(|_| reader.push(&piece).err());
        assert_eq!(held, Some(TooLong));
        let mut reader = Reader::default();
        let line = [b"data: ".to_vec(), piece, b"\n".to_vec()].concat();
        let held = (0..8).find_map(|_| reader.push(&line).err());
        assert_eq!(held, Some(TooLong));
    }

    proptest! {
        #[test]
        fn any_cut_reads_the_same(
            lines in prop::collection::vec("(data|event|id|:|)(: ?)?[a-z\u{e4}]{0,4}(\n|\r|\r\n)(\n|\r|\r\n)?", 0..12),
            cuts in prop::collection::vec(0_usize..200, 0..12),
        ) {
            let stream = lines.concat().into_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (stream.len() + 1)).collect();
            cuts.sort_unstable();
            let mut reader = Reader::default();
            let mut events = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([stream.len()]) {
                events.extend(reader.push(&stream[from..cut]).unwrap());
                from = cut;
            }
            events.extend(reader.finish());
            let mut whole = Reader::default();
            let mut expected = whole.push(&stream).unwrap();
            expected.extend(whole.finish());
            prop_assert_eq!(events, expected);
        }
    }
}
