//! JSON (RFC 8259) as a flat list of values that point into the text: foreign reports are large, and little of them is wanted.
//!
//! Sixteen bytes a value, no recursion, and every value knows its place. An object that names a member twice is refused: tools differ
//! in which one they believe.

use std::borrow::Cow;

use super::NotRead;
use crate::json;
use crate::order;

/// Containers inside each other; more is no report.
const DEEPEST: usize = 128;

/// Values of a document; sixteen bytes each.
const MOST_VALUES: usize = 6_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    /// A text without escapes.
    Text,
    /// A text with escapes.
    Escaped,
    Number,
    True,
    False,
    Null,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Where it begins and ends in the text; of texts, without the quotes.
    start: u32,
    end: u32,
    /// The node after it and all that is in it.
    next: u32,
    kind: Kind,
}

/// A text that is JSON.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    at: u32,
}

impl<'t> Document<'t> {
    /// Reads a text.
    pub(crate) fn parse(text: &'t str) -> Result<Self, NotRead> {
        if u32::try_from(text.len()).is_err() {
            return Err(NotRead::new("it is larger than 4 GiB"));
        }
        let mut parser = Parser {
            bytes: text.as_bytes(),
            at: 0,
            // A value in about twenty bytes, in most reports.
            nodes: Vec::with_capacity(text.len() / 24 + 8),
            open: Vec::new(),
            keys: Vec::new(),
        };
        match parser.run(text) {
            Ok(()) => Ok(Self {
                text,
                nodes: parser.nodes,
            }),
            Err((at, message)) => Err(NotRead::at(place(text, at), message)),
        }
    }

    /// Returns the outermost value.
    pub(crate) fn root(&self) -> Value<'_> {
        Value {
            document: self,
            at: 0,
        }
    }
}

/// Returns line and column of an offset, both from one.
pub(super) fn place(text: &str, at: usize) -> (u32, u32) {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count();
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count();
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (number(line), number(column))
}

type Fault = (usize, String);

struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    /// Containers that are open: their node, and where their keys begin.
    open: Vec<(usize, usize)>,
    /// Hashes and nodes of the keys of all open objects.
    keys: Vec<(u64, u32)>,
}

impl Parser<'_> {
    fn run(&mut self, text: &str) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return Err((0, "it is empty".into()));
        }
        loop {
            // Here a value begins.
            self.value(text)?;
            // After a value: commas and ends, until another one begins.
            loop {
                self.skip_space();
                let Some((container, _)) = self.open.last().copied() else {
                    if self.at < self.bytes.len() {
                        return Err((self.at, "something follows the end".into()));
                    }
                    return Ok(());
                };
                let is_object = self.nodes[container].kind == Kind::Object;
                let is_fresh = self.nodes.len() == container + 1;
                match self.bytes.get(self.at) {
                    Some(b']') if !is_object => self.close(text)?,
                    Some(b'}') if is_object => self.close(text)?,
                    Some(b',') if !is_fresh => {
                        self.at += 1;
                        self.skip_space();
                        if is_object {
                            self.key(text)?;
                        }
                        break;
                    }
                    Some(_) if is_fresh => {
                        if is_object {
                            self.key(text)?;
                        }
                        break;
                    }
                    Some(_) => return Err((self.at, "a comma or an end is missing".into())),
                    None => return Err((self.at, "it ends in the middle".into())),
                }
            }
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Result<usize, Fault> {
        if self.nodes.len() >= MOST_VALUES {
            return Err((start, format!("it has more than {MOST_VALUES} values")));
        }
        let number = self.nodes.len();
        self.nodes.push(Node {
            start: short(start),
            end: short(end),
            next: short(number + 1),
            kind,
        });
        Ok(number)
    }

    fn value(&mut self, text: &str) -> Result<(), Fault> {
        let start = self.at;
        match self.bytes.get(start) {
            Some(b'{') => self.begin(Kind::Object),
            Some(b'[') => self.begin(Kind::Array),
            Some(b'"') => self.text(text).map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Kind::True),
            Some(b'f') => self.word(b"false", Kind::False),
            Some(b'n') => self.word(b"null", Kind::Null),
            Some(_) => Err((start, "no value begins like this".into())),
            None => Err((start, "it ends in the middle".into())),
        }
    }

    fn begin(&mut self, kind: Kind) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            return Err((
                self.at,
                format!("it is nested deeper than {DEEPEST} levels"),
            ));
        }
        let node = self.push(kind, self.at, self.at)?;
        self.open.push((node, self.keys.len()));
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, text: &str) -> Result<(), Fault> {
        self.at += 1;
        let next = short(self.nodes.len());
        let Some((node, first)) = self.open.pop() else {
            return Ok(());
        };
        self.nodes[node].next = next;
        self.nodes[node].end = short(self.at);
        let keys = &mut self.keys[first..];
        order::sort(keys);
        let twice = keys.windows(2).find_map(|pair| {
            let (one, other) = (
                self.nodes[pair[0].1 as usize],
                self.nodes[pair[1].1 as usize],
            );
            let same = pair[0].0 == pair[1].0 && unescaped(text, one) == unescaped(text, other);
            same.then_some(other)
        });
        self.keys.truncate(first);
        match twice {
            Some(key) => Err((
                key.start as usize - 1,
                format!("`{}` is there twice", unescaped(text, key)),
            )),
            None => Ok(()),
        }
    }

    fn key(&mut self, text: &str) -> Result<(), Fault> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err((self.at, "the name of a member is missing".into()));
        }
        let node = self.text(text)?;
        let hash = hash(unescaped(text, self.nodes[node]).as_bytes());
        self.keys.push((hash, short(node)));
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err((self.at, "a colon is missing".into()));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<usize, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = Kind::Text;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    let length = match self.bytes.get(at + 1) {
                        Some(b'u') => {
                            let digits = self.bytes.get(at + 2..at + 6);
                            if !digits.is_some_and(|all| all.iter().all(u8::is_ascii_hexdigit)) {
                                return Err((at, "`\\u` needs four hexadecimal digits".into()));
                            }
                            6
                        }
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        _ => return Err((at, "there is no such escape".into())),
                    };
                    at += length;
                }
                Some(0..=0x1f) => return Err((at, "a control character is not escaped".into())),
                Some(_) => at += 1,
                None => return Err((text.len(), "it ends in the middle of a text".into())),
            }
        }
        self.at = at + 1;
        self.push(kind, start, at)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let digits = |at: &mut usize| {
            let from = *at;
            while self.bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at - from
        };
        let mut at = start + usize::from(self.bytes.get(start) == Some(&b'-'));
        let is_zero = self.bytes.get(at) == Some(&b'0');
        let mut is_right = match digits(&mut at) {
            0 => false,
            length => length == 1 || !is_zero,
        };
        if self.bytes.get(at) == Some(&b'.') {
            at += 1;
            is_right &= digits(&mut at) > 0;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            at += 1;
            at += usize::from(matches!(self.bytes.get(at), Some(b'+' | b'-')));
            is_right &= digits(&mut at) > 0;
        }
        if !is_right {
            return Err((start, "this is no number".into()));
        }
        self.at = at;
        self.push(Kind::Number, start, at).map(drop)
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Fault> {
        let start = self.at;
        if !self.bytes[start..].starts_with(word) {
            return Err((start, "no value begins like this".into()));
        }
        self.at += word.len();
        self.push(kind, start, self.at).map(drop)
    }
}

/// Offsets fit: the length of the text was looked at.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// FNV-1a; what collides is compared.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn unescaped(text: &str, node: Node) -> Cow<'_, str> {
    let raw = text
        .get(node.start as usize..node.end as usize)
        .unwrap_or_default();
    if node.kind != Kind::Escaped {
        return Cow::Borrowed(raw);
    }
    // The rules of surrogates are serde's; half a pair is replaced.
    let quoted = format!("\"{raw}\"");
    Cow::Owned(json::read(&quoted).unwrap_or_else(|_| raw.replace("\\u", "\u{fffd}")))
}

impl<'d> Value<'d> {
    fn node(self) -> Node {
        self.document.nodes[self.at as usize]
    }

    fn of(self, at: u32) -> Self {
        Self { at, ..self }
    }

    /// Returns the text of a text.
    pub(crate) fn text(self) -> Option<Cow<'d, str>> {
        let node = self.node();
        matches!(node.kind, Kind::Text | Kind::Escaped).then(|| unescaped(self.document.text, node))
    }

    pub(crate) fn number(self) -> Option<f64> {
        let node = self.node();
        let raw = self
            .document
            .text
            .get(node.start as usize..node.end as usize)?;
        (node.kind == Kind::Number)
            .then(|| raw.parse().ok())
            .flatten()
    }

    pub(crate) fn is_true(self) -> bool {
        self.node().kind == Kind::True
    }

    pub(crate) fn is_null(self) -> bool {
        self.node().kind == Kind::Null
    }

    pub(crate) fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.node().kind == Kind::Array
    }

    /// Returns line and column, both from one.
    pub(crate) fn place(self) -> (u32, u32) {
        let node = self.node();
        let quote = u32::from(matches!(node.kind, Kind::Text | Kind::Escaped));
        place(
            self.document.text,
            node.start.saturating_sub(quote) as usize,
        )
    }

    /// Returns the elements of an array; anything else has none.
    pub(crate) fn items(self) -> Items<'d> {
        let node = self.node();
        let is_array = node.kind == Kind::Array;
        Items {
            value: self,
            at: self.at + 1,
            end: if is_array { node.next } else { self.at + 1 },
        }
    }

    /// Returns the members of an object; anything else has none.
    pub(crate) fn members(self) -> Members<'d> {
        let node = self.node();
        let is_object = node.kind == Kind::Object;
        Members {
            value: self,
            at: self.at + 1,
            end: if is_object { node.next } else { self.at + 1 },
        }
    }

    /// Returns a member of an object.
    pub(crate) fn get(self, name: &str) -> Option<Value<'d>> {
        let mut members = self.members();
        while let Some((key, value)) = members.step() {
            let node = self.document.nodes[key as usize];
            let length = (node.end - node.start) as usize;
            if node.kind == Kind::Escaped || length == name.len() {
                let key = unescaped(self.document.text, node);
                if key == name {
                    return Some(value);
                }
            }
        }
        None
    }

    /// Returns what stands at the end of a chain of members.
    pub(crate) fn path(self, names: &[&str]) -> Option<Value<'d>> {
        names.iter().try_fold(self, |value, name| value.get(name))
    }

    /// Returns the text of a member, if it says something.
    pub(crate) fn string(self, name: &str) -> Option<String> {
        let text = self.get(name)?.text()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Returns the elements of a member that may be missing, and is an array where it is there.
    pub(crate) fn array(self, name: &str) -> Result<Items<'d>, NotRead> {
        let member = self.get(name).filter(|member| !member.is_null());
        match member {
            Some(member) if member.is_array() => Ok(member.items()),
            Some(member) => Err(NotRead::at(member.place(), format!("`{name}` is no list"))),
            // An object's place has no elements.
            None => Ok(Items {
                value: self,
                at: 0,
                end: 0,
            }),
        }
    }

    /// Returns the elements of a member that is an array.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
        self.get(name).map(Self::items).into_iter().flatten()
    }

    /// Returns the texts of a member that is an array.
    pub(crate) fn strings(self, name: &str) -> Vec<String> {
        let texts = self
            .list(name)
            .filter_map(|item| Some(item.text()?.trim().to_owned()));
        texts.filter(|text| !text.is_empty()).collect()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Items<'d> {
    value: Value<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let item = self.value.of(self.at);
        self.at = item.node().next;
        Some(item)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Members<'d> {
    value: Value<'d>,
    at: u32,
    end: u32,
}

impl<'d> Members<'d> {
    fn step(&mut self) -> Option<(u32, Value<'d>)> {
        if self.at + 1 >= self.end {
            return None;
        }
        let key = self.at;
        let value = self.value.of(key + 1);
        self.at = value.node().next;
        Some((key, value))
    }
}

impl<'d> Iterator for Members<'d> {
    type Item = (Cow<'d, str>, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.step()?;
        let document = self.value.document;
        Some((
            unescaped(document.text, document.nodes[key as usize]),
            value,
        ))
    }
}

#[cfg(test)]
mod tests;
