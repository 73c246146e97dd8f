//! Attributes: names of the table with values, cut to a length that every receiver takes.

use super::semconv::Key;

/// No text is longer, in bytes; OpenTelemetry's own limits are unbounded by default, and those of its users are not.
pub(crate) const LONGEST_TEXT: usize = 4096;

/// No thing has more attributes (the default of the OpenTelemetry specification, `AttributeCountLimit`).
pub(crate) const MOST: usize = 128;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// Attributes in the order in which they were said; each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attributes(Vec<(Key, Value)>);

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a text; nothing where it is empty.
    pub(crate) fn text(&mut self, key: Key, text: &str) {
        if !text.is_empty() {
            self.put(key, Value::Text(cut(text, LONGEST_TEXT).into()));
        }
    }

    /// Adds a text where there is one.
    pub(crate) fn maybe(&mut self, key: Key, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    pub(crate) fn int(&mut self, key: Key, value: u64) {
        self.put(key, Value::Int(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    /// Adds a number; nothing where it is none.
    pub(crate) fn double(&mut self, key: Key, value: f64) {
        if value.is_finite() {
            self.put(key, Value::Double(value));
        }
    }

    pub(crate) fn flag(&mut self, key: Key, value: bool) {
        self.put(key, Value::Bool(value));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Key, Value)> {
        self.0.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    fn put(&mut self, key: Key, value: Value) {
        if let Some((_, held)) = self.0.iter_mut().find(|(held, _)| *held == key) {
            *held = value;
        } else if self.0.len() < MOST {
            self.0.push((key, value));
        }
    }
}

/// Returns the beginning of a text that has at most so many bytes, whole characters only.
pub(crate) fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use super::super::semconv::{CLAMPED, COMMAND, LLM_COST};
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut attributes = Attributes::new();
        attributes.text(COMMAND, &"é".repeat(LONGEST_TEXT));
        let Some((_, Value::Text(text))) = attributes.iter().next() else {
            unreachable!("a text was put in");
        };
        assert_eq!(text.len(), LONGEST_TEXT);
        assert_eq!(cut("aé", 2), "a");
    }

    #[test]
    fn what_says_nothing_is_left_out_and_a_name_stands_once() {
        let mut attributes = Attributes::new();
        attributes.text(COMMAND, "");
        attributes.double(LLM_COST, f64::NAN);
        attributes.flag(CLAMPED, true);
        attributes.flag(CLAMPED, false);
        let held: Vec<_> = attributes.iter().cloned().collect();
        assert_eq!(held, [(CLAMPED, Value::Bool(false))]);
    }
}
