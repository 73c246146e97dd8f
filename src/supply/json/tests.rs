//! Values, places and faults, with serde as the peer.

use proptest::prelude::*;

use super::*;

/// Writes a value as serde has it.
fn again(value: Value<'_>) -> serde_json::Value {
    if value.is_object() {
        let members = value.members();
        return members
            .map(|(key, value)| (key.into_owned(), again(value)))
            .collect();
    }
    if value.is_array() {
        return value.items().map(again).collect();
    }
    if let Some(text) = value.text() {
        return text.into();
    }
    match value.number() {
        Some(number) => number.into(),
        None if value.is_null() => serde_json::Value::Null,
        None => value.is_true().into(),
    }
}

fn fault(text: &str) -> String {
    let fault = Document::parse(text).unwrap_err();
    let (line, column) = fault.place.unwrap();
    format!("{line}:{column}: {}", fault.message)
}

#[test]
fn values_are_those_of_serde() {
    for text in [
        r#"{"a": [1, -2.5e3, true, false, null, "x", {"b": {}}], "\u0063": "\ud83d\ude00\n", "d": []}"#,
        "[]",
        " 7 ",
        r#""""#,
        r#"[[[]], [[{}]], {"": {"": 0}}]"#,
    ] {
        let wanted: serde_json::Value = serde_json::from_str(text).unwrap();
        let document = Document::parse(text).unwrap();
        let have = again(document.root());
        assert_eq!(
            have.to_string().replace(".0", ""),
            wanted.to_string().replace(".0", "")
        );
    }
    let document = Document::parse(r#"{"\u0063": 1, "d": {"e": [2, {"f": " g "}]}}"#).unwrap();
    let root = document.root();
    assert_eq!(root.get("c").and_then(Value::number), Some(1.0));
    let last = root.path(&["d", "e"]).unwrap().items().last().unwrap();
    assert_eq!(last.string("f").as_deref(), Some("g"));
    assert_eq!(last.place(), (1, 30));
}

#[test]
fn faults_have_places() {
    assert_eq!(fault(""), "1:1: it is empty");
    assert_eq!(
        fault("{\n \"a\": 1,\n}"),
        "3:1: the name of a member is missing"
    );
    assert_eq!(fault("[1 2]"), "1:4: a comma or an end is missing");
    assert_eq!(
        fault("{\"a\": 1,\n \"\\u0061\": 2}"),
        "2:2: `a` is there twice"
    );
    assert_eq!(fault("{\"a\": \"x"), "1:9: it ends in the middle of a text");
    assert_eq!(fault("[1] x"), "1:5: something follows the end");
    assert_eq!(fault("[01]"), "1:2: this is no number");
    assert_eq!(fault("[\"\\x\"]"), "1:3: there is no such escape");
    assert_eq!(
        fault(&"[".repeat(100_000)),
        "1:129: it is nested deeper than 128 levels"
    );
}

proptest! {
    #[test]
    fn what_serde_refuses_is_refused(text in r#"[\[\]{}:,"a0-9.eE\\u -]{0,12}"#) {
        let wanted = serde_json::from_str::<serde_json::Value>(&text);
        let have = Document::parse(&text);
        // A member that is there twice, a lone surrogate and a number beyond all are the differences.
        if wanted.is_ok() {
            let twice = have.as_ref().is_err_and(|fault| fault.message.ends_with("twice"));
            prop_assert!(twice || have.is_ok());
        } else if have.is_ok() {
            prop_assert!(text.contains('e') || text.contains('E') || text.contains("\\u"));
        }
    }
}
