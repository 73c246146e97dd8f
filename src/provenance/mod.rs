//! What a run of CI is said to have done, in the words of other tools, and whether what others say is to be believed.
//!
//! Statements are in-toto Statement v1, envelopes DSSE 1.0.2, bundles Sigstore's v0.1 to v0.3 (`docs/provenance.md` names every source).
//! Invariants: a signature is checked over the very bytes that were signed, before anything in them is read; a `keyid` decides nothing; what
//! cannot be judged here is never called verified. No key of anybody is in these values but public ones.

pub(crate) mod assembly;
pub(crate) mod bundle;
pub(crate) mod chain;
pub(crate) mod codes;
pub(crate) mod content;
pub(crate) mod dsse;
pub(crate) mod facts;
pub(crate) mod index;
pub(crate) mod judge;
pub(crate) mod keys;
mod log_entry;
pub(crate) mod predicates;
pub(crate) mod readings;
mod sixty_four;
pub(crate) mod statement;
pub(crate) mod strict;
pub(crate) mod tests_of;

use serde_json::Value;

/// Whoever reads a document names this when it does not have the shape that it claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A text of somebody else is repeated no further than this, in bytes.
const LONGEST_REPEATED: usize = 400;

/// Cuts a text that may be of any length, so that a message stays one.
pub(crate) fn short(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= LONGEST_REPEATED {
        return text.into();
    }
    let end = text.floor_char_boundary(LONGEST_REPEATED);
    format!("{}…", &text[..end]).into()
}

/// Collects every text at a place of a value; a `*` is every entry of a list.
fn texts<'v>(value: &'v Value, path: &[&str], out: &mut Vec<&'v str>) {
    match (path.split_first(), value) {
        (None, Value::String(text)) => out.push(text),
        (Some((&"*", rest)), Value::Array(items)) => {
            for item in items {
                texts(item, rest, out);
            }
        }
        (Some((name, rest)), Value::Object(members)) => {
            if let Some(member) = members.get(*name) {
                texts(member, rest, out);
            }
        }
        _ => {}
    }
}
