//! Schemas, answers, and another validator beside ours.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn mismatches(schema: &Value, answer: &Value) -> String {
    assert_eq!(faults(schema), Vec::<String>::new());
    check(schema, answer).err().unwrap_or_default().join("; ")
}

#[test]
fn a_mismatch_is_named_with_its_place() {
    let schema = json!({"type": "object", "required": ["tasks"], "additionalProperties": false, "properties": {
        "tasks": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/task"}}},
        "$defs": {"task": {"type": "object", "properties": {"id": {"type": "string", "pattern": "^[a-z]+$"}, "files": {"type": "array", "items": {"type": "string"}}}}}});
    assert_eq!(
        mismatches(
            &schema,
            &json!({"tasks": [{"id": "A"}, {"files": ["x", 1]}], "more": 1})
        ),
        "more: no key of this name; tasks[0].id: does not match `^[a-z]+$`; tasks[1].files[1]: expected a string, found a number"
    );
    assert_eq!(
        mismatches(&schema, &json!({})),
        "the answer: `tasks` is missing"
    );
    assert_eq!(
        mismatches(&schema, &json!({"tasks": []})),
        "tasks: expected 1 or more entries, found 0"
    );
}

#[test]
fn a_keyword_that_is_not_checked_is_a_fault() {
    let words = |schema| faults(&schema).join("; ");
    assert_eq!(
        words(json!({"properties": {"a": {"typ": "string"}}})),
        "output.properties.a.typ: a keyword that maestro does not check; did you mean `type`?"
    );
    assert_eq!(
        words(json!({"type": "text"})),
        "output.type: expected one of string, integer, number, boolean, array, object, null, or a list of them"
    );
    assert_eq!(
        words(json!({"pattern": "("})),
        "output.pattern: no regular expression"
    );
    assert_eq!(
        words(json!({"$ref": "https://example.org/s.json"})),
        "output.$ref: expected `#/$defs/NAME` of this schema"
    );
    assert_eq!(
        words(
            json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}})
        ),
        "output.$defs.a: leads back to itself"
    );
    assert_eq!(words(json!(7)), "output: expected a schema, found a number");
}

#[test]
fn an_answer_that_branches_without_end_is_refused_in_time() {
    let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [
        {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 9}, {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 8}]}}});
    let mut answer = json!([]);
    for _ in 0..60 {
        answer = json!([answer]);
    }
    assert_eq!(
        mismatches(&schema, &answer),
        "the answer takes too long to check, or is nested too deep"
    );
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(1)),
        Just(json!(1.0)),
        Just(json!(-2.5)),
        Just(json!(7)),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("ab")),
        Just(json!("\u{e9}\u{1f600}")),
    ]
}

fn answer() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let types = proptest::sample::select(&TYPES[..]);
    let plain = prop_oneof![
        types.prop_map(|word| json!({"type": word})),
        proptest::sample::subsequence(TYPES.to_vec(), 1..3).prop_map(|words| json!({"type": words})),
        proptest::collection::vec(answer(), 1..3).prop_map(|words| json!({"enum": words})),
        answer().prop_map(|wanted| json!({"const": wanted})),
        (0u64..3, 0u64..3).prop_map(|(least, most)| json!({"minLength": least, "maxLength": most, "minItems": least, "maxItems": most})),
        (0u64..3, 0u64..3).prop_map(|(least, most)| json!({"minProperties": least, "maxProperties": most})),
        (-3i64..3).prop_map(|bound| json!({"minimum": bound, "exclusiveMaximum": 7})),
        (-3i64..3).prop_map(|bound| json!({"exclusiveMinimum": bound, "maximum": 1.5})),
        Just(json!({"pattern": "^a"})),
        Just(json!({"uniqueItems": true})),
        Just(json!({"required": ["a", "b"]})),
        any::<bool>().prop_map(Value::from),
    ];
    plain.prop_recursive(3, 16, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            inner.clone().prop_map(|schema| json!({"items": schema})),
            inner.clone().prop_map(|schema| json!({"not": schema})),
            (inner.clone(), inner.clone()).prop_map(
                |(one, rest)| json!({"properties": {"a": one}, "additionalProperties": rest})
            ),
            list.clone().prop_map(|schemas| json!({"anyOf": schemas})),
            list.clone().prop_map(|schemas| json!({"oneOf": schemas})),
            list.prop_map(|schemas| json!({"allOf": schemas})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn another_validator_says_the_same(schema in schema(), answer in answer()) {
        prop_assert_eq!(faults(&schema), Vec::<String>::new());
        let theirs = jsonschema::validator_for(&schema).unwrap().is_valid(&answer);
        prop_assert_eq!(check(&schema, &answer).is_ok(), theirs, "{} {}", schema, answer);
    }
}
