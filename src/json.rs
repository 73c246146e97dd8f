//! JSON by one writer and one reader: `serde_json` makes the code of every document again for each kind of writer, and for text and bytes.

use std::io::Write;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Result;

/// Reads what may be text or bytes.
pub(crate) fn read<'de, T: Deserialize<'de>>(json: &'de (impl AsRef<[u8]> + ?Sized)) -> Result<T> {
    serde_json::from_slice(json.as_ref())
}

/// Returns compact text.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    words(bytes(value)?)
}

/// Returns compact text, as bytes.
pub(crate) fn bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let writer: &mut dyn Write = &mut bytes;
    serde_json::to_writer(writer, value)?;
    Ok(bytes)
}

/// Returns text with a line for each member.
pub(crate) fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    words(pretty_bytes(value)?)
}

/// Returns text with a line for each member, as bytes.
pub(crate) fn pretty_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let writer: &mut dyn Write = &mut bytes;
    serde_json::to_writer_pretty(writer, value)?;
    Ok(bytes)
}

fn words(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(serde_json::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_what_serde_json_does() {
        let value = serde_json::json!({ "a": [1, "ü\u{1}", null], "b": {} });
        let same = |ours: Result<String>, theirs: Result<String>| {
            assert_eq!(ours.unwrap(), theirs.unwrap());
        };
        same(text(&value), serde_json::to_string(&value));
        same(pretty(&value), serde_json::to_string_pretty(&value));
        assert_eq!(bytes(&value).unwrap(), serde_json::to_vec(&value).unwrap());
        same(text("x"), serde_json::to_string("x"));
        let no_key = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(bytes(&no_key).is_err() && pretty(&no_key).is_err());
    }
}
