//! Whether a licence may come in: SPDX expressions against lists of what is allowed and what is not.
//!
//! One is enough of what stands on both sides of `OR`, all are needed of `AND`. A version "or later" is what its licensee makes of it: any
//! later version of the same licence will do. An exception is a part of the licence: it has to stand in the list as well.

mod expression;
mod ids;

use std::fmt;

pub(crate) use expression::{Expression, Leaf};

/// What follows for a licence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allowed,
    /// Nobody can tell: free words, `LicenseRef-`, or nothing at all.
    Unknown(String),
    Denied(String),
}

/// What is allowed, and what is not; without the first, all that is not in the second is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lists<'l> {
    pub(crate) allow: &'l [Entry],
    pub(crate) deny: &'l [Entry],
}

/// A licence in a list, as `Apache-2.0`, `GPL-2.0-or-later` or `GPL-2.0-only WITH Classpath-exception-2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry(Leaf);

impl<'de> serde::Deserialize<'de> for Entry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl serde::de::Visitor<'_> for Reader {
            type Value = Entry;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an identifier of the SPDX licence list")
            }

            // What is wrong is said at its place, which only a visitor has.
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Entry, E> {
                Entry::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Entry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Licence".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Entry {
    /// Reads a licence with its exception.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let hint = |id: &str| match ids::nearest(id) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        match Expression::parse(text, false) {
            Ok(expression) => match expression.only_leaf() {
                Some(leaf) => Ok(Self(leaf.clone())),
                None => Err(format!(
                    "`{text}` is an expression; a list has one licence an entry"
                )),
            },
            Err(_) => Err(format!(
                "`{text}` is no identifier of the SPDX licence list{}",
                hint(text)
            )),
        }
    }
}

impl Lists<'_> {
    /// Judges all that is said about the licences of a component; all of it has to be met.
    pub(crate) fn judge(&self, stated: &[&str], slash_is_or: bool) -> Verdict {
        if stated.is_empty() {
            return Verdict::Unknown("no licence is stated".into());
        }
        let verdicts = stated.iter().map(|text| self.judge_one(text, slash_is_or));
        verdicts.max().unwrap_or(Verdict::Allowed)
    }

    fn judge_one(&self, text: &str, slash_is_or: bool) -> Verdict {
        if text.is_empty() {
            return Verdict::Unknown("no licence is stated".into());
        }
        let Ok(expression) = Expression::parse(text, slash_is_or) else {
            return Verdict::Unknown(format!("`{}` is no SPDX expression", short(text)));
        };
        expression.evaluate(|leaf| self.judge_leaf(leaf))
    }

    fn judge_leaf(&self, leaf: &Leaf) -> Verdict {
        // What is allowed word by word with its exception is allowed, whatever is said of the licence without it.
        let is_exact = self
            .allow
            .iter()
            .any(|entry| entry.0 == *leaf && leaf.exception.is_some());
        if !is_exact && self.deny.iter().any(|entry| leaf.is_denied_by(&entry.0)) {
            return Verdict::Denied(leaf.to_string());
        }
        if self.allow.iter().any(|entry| leaf.is_allowed_by(&entry.0)) {
            return Verdict::Allowed;
        }
        if leaf.is_reference {
            return Verdict::Unknown(format!("`{leaf}` is a licence of its own"));
        }
        if self.allow.is_empty() {
            Verdict::Allowed
        } else {
            Verdict::Denied(leaf.to_string())
        }
    }
}

/// Returns a text that fits into a sentence.
pub(crate) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.floor_char_boundary(80);
    if end < line.len() {
        format!("{}…", &line[..end])
    } else {
        line
    }
}

#[cfg(test)]
mod tests;
