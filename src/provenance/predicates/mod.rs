//! The predicates that a run is told in: one file each, with its type and what it says.
//!
//! To add one: a file here with `TYPE` and `predicate`, an entry in [`PREDICATES`], and an arm in `generate` where its statement is written.

pub(crate) mod reference;
pub(crate) mod slsa;
pub(crate) mod svr;
pub(crate) mod test_result;
pub(crate) mod vsa;
pub(crate) mod vulns;

use serde_json::Value;

use super::facts;

/// A predicate that is known here.
pub(crate) struct Known {
    /// As people call it, and how files of it are named.
    pub(crate) name: &'static str,
    pub(crate) uri: fn() -> String,
    /// Says what stands against taking it for good news.
    pub(crate) trouble: fn(&Value) -> Option<String>,
}

/// Every predicate that is known, in the order in which they are written.
const PREDICATES: [Known; 7] = [
    Known {
        name: "slsa-provenance",
        uri: || slsa::TYPE.to_owned(),
        trouble: |_| None,
    },
    Known {
        name: "test-result",
        uri: || test_result::TYPE.to_owned(),
        trouble: test_result::trouble,
    },
    Known {
        name: "vulns",
        uri: || vulns::TYPE.to_owned(),
        trouble: |_| None,
    },
    Known {
        name: "svr",
        uri: || svr::TYPE.to_owned(),
        trouble: svr::trouble,
    },
    Known {
        name: "vsa",
        uri: || vsa::TYPE.to_owned(),
        trouble: vsa::trouble,
    },
    Known {
        name: "sbom-reference",
        uri: || reference::TYPE.to_owned(),
        trouble: |_| None,
    },
    Known {
        name: "index",
        uri: facts::index_type,
        trouble: super::index::trouble,
    },
];

/// Returns what is known of a predicate, by its type.
pub(crate) fn of_type(predicate_type: &str) -> Option<&'static Known> {
    PREDICATES
        .iter()
        .find(|known| (known.uri)() == predicate_type)
}

/// Returns the type that somebody means: a name of ours, or a type itself.
pub(crate) fn meant(asked: &str) -> String {
    let named = PREDICATES.iter().find(|known| known.name == asked);
    named.map_or_else(|| asked.to_owned(), |known| (known.uri)())
}

/// Returns a member that must be the text that means success.
fn not(predicate: &Value, member: &str, good: &[&str]) -> Option<String> {
    match predicate.get(member).and_then(Value::as_str) {
        Some(word) if good.contains(&word) => None,
        Some(word) => Some(format!("its `{member}` is `{word}`")),
        None => Some(format!("it has no `{member}`")),
    }
}
