//! What it hands out: minimal objects of the shapes that GitHub describes, with the fields that a test cares about.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

/// Returns a minimal object of a kind.
pub(crate) fn template(kind: &str) -> Value {
    static TEMPLATES: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    let templates =
        TEMPLATES.get_or_init(|| serde_json::from_str(include_str!("templates.json")).unwrap());
    templates
        .get(kind)
        .unwrap_or_else(|| panic!("there is no template `{kind}`"))
        .clone()
}

/// Puts fields over those of an object, objects into objects.
pub(super) fn merge(object: &mut Value, fields: Value) {
    match (object, fields) {
        (Value::Object(object), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(object.entry(name).or_insert(Value::Null), value);
            }
        }
        (place, value) => *place = value,
    }
}

pub(super) fn user(id: u64, login: &str) -> Value {
    let mut user = template("simple-user");
    merge(&mut user, json!({ "id": id, "login": login }));
    user
}

/// Returns the SHA-256 of bytes, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
