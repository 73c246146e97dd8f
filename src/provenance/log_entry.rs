//! Entries of a transparency log inside a bundle (sigstore/rekor, `pkg/types`: `hashedrekord`, `dsse` and `intoto`), as far as they can be held against the bundle without
//! the log's key: one that is about another signature is of another document.
//!
//! That an entry is about this one proves nothing here: whether the log ever had it is not looked at.

use serde_json::Value;

use super::{Malformed, sixty_four, strict};

/// Where the entries of a kind have signatures; a `*` is every one of a list.
const PLACES: [(&str, &str, &[&str]); 4] = [
    ("hashedrekord", "0.0.1", &["spec", "signature", "content"]),
    (
        "hashedrekord",
        "0.0.2",
        &["spec", "hashedRekordV002", "signature", "content"],
    ),
    ("dsse", "0.0.1", &["spec", "signatures", "*", "signature"]),
    (
        "intoto",
        "0.0.2",
        &["spec", "content", "envelope", "signatures", "*", "sig"],
    ),
];

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEntry {
    /// None where its kind is not known here.
    signatures: Option<Vec<Vec<u8>>>,
}

impl LogEntry {
    /// Reads an entry.
    pub(super) fn read(entry: &Value) -> Result<Self, Malformed> {
        index(entry)?;
        let Some(body) = entry.get("canonicalizedBody").and_then(Value::as_str) else {
            return Ok(Self { signatures: None });
        };
        let body = sixty_four::decode("an entry of a transparency log", body)?;
        let body = strict::read(&body)
            .map_err(|error| Malformed(format!("an entry of a transparency log: {error}")))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let place = PLACES
            .iter()
            .find(|(kind, version, _)| (*kind, *version) == (text("kind"), text("apiVersion")));
        let Some((kind, _, path)) = place else {
            return Ok(Self { signatures: None });
        };
        let mut found = Vec::new();
        super::texts(&body, path, &mut found);
        let decode = |text: &str| sixty_four::decode("a signature in a log", text);
        let signatures = found.into_iter().map(|text| {
            let once = decode(text)?;
            // This kind has the base64 of base64.
            match std::str::from_utf8(&once) {
                Ok(text) if *kind == "intoto" => decode(text),
                _ => Ok(once),
            }
        });
        Ok(Self {
            signatures: Some(signatures.collect::<Result<_, _>>()?),
        })
    }

    /// Whether it is about another signature, as far as can be told.
    pub(super) fn is_of_another(&self, signature: &[u8]) -> bool {
        let signatures = self.signatures.as_ref();
        signatures.is_some_and(|known| !known.iter().any(|known| known == signature))
    }
}

/// A position in a log is a count, written as text.
fn index(entry: &Value) -> Result<(), Malformed> {
    let is_count = match entry.get("logIndex") {
        Some(Value::String(text)) => text.parse::<u64>().is_ok(),
        Some(Value::Number(number)) => number.is_u64(),
        // What is not there is nought.
        None => true,
        Some(_) => false,
    };
    if is_count {
        return Ok(());
    }
    Err(Malformed::new(
        "an entry of a transparency log has an index that is no count",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(body: &Value, of_another: bool) {
        let body = sixty_four::encode(body.to_string().as_bytes());
        let entry = json!({ "logIndex": "1", "canonicalizedBody": body });
        let entry = LogEntry::read(&entry).unwrap();
        assert_eq!(entry.is_of_another(b"signature"), of_another, "{entry:?}");
    }

    #[test]
    fn an_entry_is_held_against_the_signature() {
        for (text, of_another) in [("signature", false), ("another", true)] {
            let once = sixty_four::encode(text.as_bytes());
            let twice = sixty_four::encode(once.as_bytes());
            for body in [
                json!({ "kind": "hashedrekord", "apiVersion": "0.0.1", "spec": { "signature": { "content": once } } }),
                json!({ "kind": "hashedrekord", "apiVersion": "0.0.2", "spec": { "hashedRekordV002": { "signature": { "content": once } } } }),
                json!({ "kind": "dsse", "apiVersion": "0.0.1", "spec": { "signatures": [{ "signature": once }] } }),
                json!({ "kind": "intoto", "apiVersion": "0.0.2", "spec": { "content": { "envelope": { "signatures": [{ "sig": twice }] } } } }),
            ] {
                check(&body, of_another);
            }
        }
        // One that names none is about none.
        check(&json!({ "kind": "dsse", "apiVersion": "0.0.1" }), true);
        check(&json!({ "kind": "later", "apiVersion": "1" }), false);
    }

    #[test]
    fn an_entry_that_is_none_is_refused() {
        for entry in [
            json!({ "logIndex": "-1" }),
            json!({ "logIndex": [] }),
            json!({ "canonicalizedBody": "!" }),
            json!({ "canonicalizedBody": "e30" , "logIndex": 1.5 }),
            json!({ "canonicalizedBody": sixty_four::encode(b"{") }),
        ] {
            assert!(LogEntry::read(&entry).is_err(), "{entry}");
        }
    }
}
