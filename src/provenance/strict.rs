//! JSON in which every name stands once.
//!
//! Two readers may take two values of one name for different ones, so that what one of them checks is not what the other uses.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// No document is longer; bundles with a whole SBOM in them have some megabytes.
pub(crate) const LARGEST: u64 = 32 * 1024 * 1024;

/// More values make no document, and would fill the memory: each takes many times the room of its text.
const MOST_VALUES: u32 = 1_000_000;

/// Why something is no JSON for us.
#[derive(Debug, thiserror::Error)]
#[error("line {}, column {}: {}", .0.line(), .0.column(), plain(.0))]
pub(crate) struct NotStrict(serde_json::Error);

/// Returns the words of an error without the place, which stands before them already.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// Reads one JSON value.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, NotStrict> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let left = Cell::new(MOST_VALUES);
    let value = Once(&left).deserialize(&mut deserializer);
    let value = value.map_err(NotStrict)?;
    deserializer.end().map_err(NotStrict)?;
    Ok(value)
}

/// Reads a value, and counts down.
#[derive(Clone, Copy)]
struct Once<'c>(&'c Cell<u32>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.0.get().checked_sub(1) else {
            return Err(D::Error::custom("it has too many values"));
        };
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                let name = super::short(&name);
                return Err(A::Error::custom(format_args!(
                    "`{name}` stands there twice"
                )));
            }
            all.insert(name, members.next_value_seed(self)?);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, words: &str) {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn a_value_reads_as_everywhere() {
        let text = r#"{"a": [1, -2, 1.5, null, true, "\u00e9"], "b": {"a": {}}}"#;
        let usual: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read(text.as_bytes()).unwrap(), usual);
    }

    #[test]
    fn a_name_stands_once() {
        refused(
            "{\"a\": 1,\n \"a\": 2}",
            "line 2, column 4: `a` stands there twice",
        );
        refused(
            r#"{"x": [{"a": 1, "\u0061": 1}]}"#,
            "`a` stands there twice",
        );
    }

    #[test]
    fn what_follows_and_what_is_deep_is_refused() {
        refused("{} {}", "trailing characters");
        refused(&"[".repeat(100_000), "recursion limit");
        refused("", "EOF");
        let many = format!("[{}0]", "0,".repeat(1_000_000));
        refused(&many, "too many values");
        let long = "x".repeat(100_000);
        let error = read(format!("{{\"{long}\": 1, \"{long}\": 1}}").as_bytes());
        assert!(error.unwrap_err().to_string().len() < 1_000);
    }
}
