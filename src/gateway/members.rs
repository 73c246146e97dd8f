//! A JSON object whose members can be changed while all others stay as they were written, byte for byte and in their order.
//!
//! A provider finds what it has in its cache by the prompt's text, to which the order of a tool's properties belongs: a body that is parsed
//! and written anew might cost ten times as much. A member that is there twice is an error: nobody knows which one counts.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json;

/// The members of an object, in order.
#[derive(Debug, Clone)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    pub(crate) fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        json::read(text)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        let mut all = self.0.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    /// Sets a member where it stands, or before all others.
    pub(crate) fn set(&mut self, name: &str, value: &Value) {
        self.set_text(name, value.to_string());
    }

    /// Sets a member to JSON as it is written; what is no JSON changes nothing.
    pub(crate) fn set_text(&mut self, name: &str, text: String) {
        let Ok(raw) = RawValue::from_string(text) else {
            return;
        };
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = raw,
            None => self.0.insert(0, (name.to_owned(), raw)),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut text = vec![b'{'];
        for (at, (name, value)) in self.0.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
            text.push(b':');
            text.extend_from_slice(value.get().as_bytes());
        }
        text.push(b'}');
        text
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                let mut names = BTreeSet::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("`{name}` is there twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_changed_stays_as_it_was_written() {
        let text = br#"{ "b": {"z": 1.50, "a": [ ]}, "max_tokens": 9, "\u0061": 1e2}"#;
        let mut members = Members::read(text).unwrap();
        members.set("max_tokens", &json!(7));
        members.set("new", &json!({"x": null}));
        let written = String::from_utf8(members.write()).unwrap();
        assert_eq!(
            written,
            r#"{"new":{"x":null},"b":{"z": 1.50, "a": [ ]},"max_tokens":7,"a":1e2}"#
        );
        assert_eq!(members.get("b").unwrap().get(), r#"{"z": 1.50, "a": [ ]}"#);
    }

    #[test]
    fn a_member_is_there_once() {
        let problem = |text: &str| Members::read(text.as_bytes()).unwrap_err().to_string();
        assert!(problem(r#"{"n": 1, "\u006e": 9}"#).contains("`n` is there twice"));
        assert!(problem("[]").contains("an object"));
        assert!(problem(r#"{"a": 1} {"#).contains("trailing"));
        assert!(problem("").contains("EOF"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(keys in prop::collection::btree_set("\\PC{0,6}", 0..8), number in any::<i64>()) {
            let object: serde_json::Map<String, Value> = keys.into_iter().map(|key| (key, json!([number]))).collect();
            let value = Value::Object(object);
            let members = Members::read(value.to_string().as_bytes()).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&members.write()).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Members::read(&bytes);
        }
    }
}
