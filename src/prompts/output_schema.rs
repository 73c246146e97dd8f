//! The JSON Schema of an answer: a stated part of draft 2020-12, and nothing that is silently not looked at.
//!
//! Known: `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `minProperties`, `maxProperties`, `items`, `minItems`, `maxItems`,
//! `uniqueItems`, `minLength`, `maxLength`, `pattern` (as Rust's `regex` reads it), `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`,
//! `allOf`, `anyOf`, `oneOf`, `not`, and `$ref` to `#/$defs/NAME`. Notes for people are let stand. Any other keyword is a fault of the schema.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Number, Value};

use super::variables::found;
use crate::config::nearest;

/// Keywords that say nothing about a value.
const NOTES: [&str; 8] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
];

const KNOWN: [&str; 24] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "$ref",
];

const TYPES: [&str; 7] = [
    "string", "integer", "number", "boolean", "array", "object", "null",
];

/// More comparisons than this, and an answer is refused.
const MOST_STEPS: u32 = 1_000_000;

/// Answers and schemas nested deeper than this are refused.
const DEEPEST: u32 = 160;

/// More mismatches than this help nobody.
const MOST_MISMATCHES: usize = 10;

/// Returns what is wrong with a schema, each with its place.
pub(crate) fn faults(schema: &Value) -> Vec<String> {
    let mut looking = Looking {
        root: schema,
        found: Vec::new(),
    };
    looking.schema(schema, "output", 0);
    if looking.found.is_empty() {
        looking.rounds();
    }
    looking.found
}

struct Looking<'a> {
    root: &'a Value,
    found: Vec<String>,
}

impl Looking<'_> {
    fn complain(&mut self, path: &str, words: &str) {
        self.found.push(format!("{path}: {words}"));
    }

    fn schema(&mut self, schema: &Value, path: &str, depth: u32) {
        if depth > DEEPEST {
            return self.complain(path, "nested too deep");
        }
        let object = match schema {
            Value::Bool(_) => return,
            Value::Object(object) => object,
            other => {
                let words = format!("expected a schema, found {}", found(other));
                return self.complain(path, &words);
            }
        };
        for (key, value) in object {
            let at = format!("{path}.{key}");
            self.keyword(key, value, &at, depth + 1);
        }
    }

    fn keyword(&mut self, key: &str, value: &Value, at: &str, depth: u32) {
        match key {
            "type" => self.types(value, at),
            "enum" => self.wants(
                value.as_array().is_some_and(|all| !all.is_empty()),
                at,
                "a list that is not empty",
            ),
            "properties" | "$defs" => match value {
                Value::Object(schemas) => {
                    for (name, schema) in schemas {
                        self.schema(schema, &format!("{at}.{name}"), depth);
                    }
                }
                _ => self.wants(false, at, "an object of schemas"),
            },
            "items" | "additionalProperties" | "not" => self.schema(value, at, depth),
            "allOf" | "anyOf" | "oneOf" => match value.as_array().filter(|all| !all.is_empty()) {
                Some(schemas) => {
                    for (number, schema) in schemas.iter().enumerate() {
                        self.schema(schema, &format!("{at}[{number}]"), depth);
                    }
                }
                None => self.wants(false, at, "a list of schemas that is not empty"),
            },
            "required" => {
                let is_names = value
                    .as_array()
                    .is_some_and(|all| all.iter().all(Value::is_string));
                self.wants(is_names, at, "a list of names");
            }
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
            | "maxProperties" => {
                self.wants(value.is_u64(), at, "a whole number from 0");
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                self.wants(value.is_number(), at, "a number");
            }
            "uniqueItems" => self.wants(value.is_boolean(), at, "a boolean"),
            "pattern" => match value.as_str().map(Regex::new) {
                Some(Ok(_)) => {}
                Some(Err(_)) => self.complain(at, "no regular expression"),
                None => self.wants(false, at, "a string"),
            },
            "$ref" => {
                let name = value
                    .as_str()
                    .and_then(|text| text.strip_prefix("#/$defs/"));
                let target = name.and_then(|name| self.root.get("$defs")?.get(name));
                if target.is_none() {
                    self.complain(at, "expected `#/$defs/NAME` of this schema");
                }
            }
            "const" => {}
            key if NOTES.contains(&key) => {}
            key => {
                let near = nearest(key, &KNOWN).map(|near| format!("; did you mean `{near}`?"));
                let near = near.unwrap_or_default();
                self.complain(at, &format!("a keyword that maestro does not check{near}"));
            }
        }
    }

    fn types(&mut self, value: &Value, at: &str) {
        let is_type = |value: &Value| value.as_str().is_some_and(|word| TYPES.contains(&word));
        let is_fine = is_type(value)
            || value
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(is_type));
        let words = format!("one of {}, or a list of them", TYPES.join(", "));
        self.wants(is_fine, at, &words);
    }

    fn wants(&mut self, is_fine: bool, at: &str, what: &str) {
        if !is_fine {
            self.complain(at, &format!("expected {what}"));
        }
    }

    /// A definition that leads back to itself without a step into the value never ends.
    fn rounds(&mut self) {
        let Some(Value::Object(definitions)) = self.root.get("$defs") else {
            return;
        };
        for name in definitions.keys() {
            let mut open = vec![name.as_str()];
            let mut done = BTreeSet::new();
            while let Some(next) = open.pop() {
                let mut named = Vec::new();
                if let Some(schema) = definitions.get(next) {
                    in_place(schema, &mut named);
                }
                if named.contains(&name.as_str()) {
                    self.complain(&format!("output.$defs.{name}"), "leads back to itself");
                    return;
                }
                open.extend(named.into_iter().filter(|one| done.insert(*one)));
            }
        }
    }
}

/// Adds the definitions that are applied to the same value.
fn in_place<'a>(schema: &'a Value, named: &mut Vec<&'a str>) {
    let name = schema.get("$ref").and_then(Value::as_str);
    named.extend(name.and_then(|text| text.strip_prefix("#/$defs/")));
    for key in ["allOf", "anyOf", "oneOf"] {
        for schema in schema
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            in_place(schema, named);
        }
    }
    if let Some(schema) = schema.get("not") {
        in_place(schema, named);
    }
}

/// Checks an answer against a schema without faults; the mismatches name their places, as `tasks[2].files[0]`.
pub(crate) fn check(schema: &Value, answer: &Value) -> Result<(), Vec<String>> {
    let mut checking = Checking {
        root: schema,
        steps: 0,
        is_exhausted: false,
        mismatches: Vec::new(),
    };
    checking.value(schema, answer, "", 0);
    if checking.is_exhausted {
        return Err(vec![
            "the answer takes too long to check, or is nested too deep".into(),
        ]);
    }
    if checking.mismatches.is_empty() {
        Ok(())
    } else {
        Err(checking.mismatches)
    }
}

struct Checking<'a> {
    root: &'a Value,
    steps: u32,
    is_exhausted: bool,
    mismatches: Vec<String>,
}

impl<'a> Checking<'a> {
    fn complain(&mut self, path: &str, words: impl Into<String>) {
        if self.mismatches.len() < MOST_MISMATCHES {
            let path = if path.is_empty() { "the answer" } else { path };
            self.mismatches.push(format!("{path}: {}", words.into()));
        }
    }

    /// Whether a value suits, without a word about why not.
    fn suits(&mut self, schema: &'a Value, value: &Value, path: &str, depth: u32) -> bool {
        let kept = std::mem::take(&mut self.mismatches);
        self.value(schema, value, path, depth);
        std::mem::replace(&mut self.mismatches, kept).is_empty()
    }

    fn value(&mut self, schema: &'a Value, value: &Value, path: &str, depth: u32) {
        self.steps += 1;
        if self.steps > MOST_STEPS || depth > DEEPEST {
            self.is_exhausted = true;
        }
        if self.is_exhausted {
            return;
        }
        let object = match schema {
            Value::Object(object) => object,
            Value::Bool(false) => return self.complain(path, "nothing may stand here"),
            _ => return,
        };
        if let Some(types) = object.get("type")
            && !is_of(types, value)
        {
            let words = match types {
                Value::String(word) => named(word).to_owned(),
                types => {
                    let words = types.as_array().into_iter().flatten();
                    let words: Vec<_> = words.filter_map(Value::as_str).map(named).collect();
                    words.join(" or ")
                }
            };
            return self.complain(path, format!("expected {words}, found {}", found(value)));
        }
        if let Some(Value::Array(words)) = object.get("enum")
            && !words.iter().any(|word| same(word, value))
        {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            self.complain(path, format!("expected one of {}", words.join(", ")));
        }
        if let Some(wanted) = object.get("const")
            && !same(wanted, value)
        {
            self.complain(path, format!("expected {wanted}"));
        }
        match value {
            Value::String(text) => self.text(object, text, path),
            Value::Number(number) => self.number(object, number, path),
            Value::Array(entries) => self.array(object, entries, path, depth),
            Value::Object(fields) => self.object(object, fields, path, depth),
            _ => {}
        }
        self.combined(object, value, path, depth);
    }

    fn text(&mut self, schema: &Map<String, Value>, text: &str, path: &str) {
        let length = text.chars().count() as u64;
        self.size(
            schema,
            ("minLength", "maxLength"),
            length,
            "characters",
            path,
        );
        let pattern = schema.get("pattern").and_then(Value::as_str);
        if let Some(Ok(regex)) = pattern.map(Regex::new)
            && !regex.is_match(text)
        {
            let words = format!("does not match `{}`", pattern.unwrap_or_default());
            self.complain(path, words);
        }
    }

    fn size(
        &mut self,
        schema: &Map<String, Value>,
        (least, most): (&str, &str),
        size: u64,
        what: &str,
        path: &str,
    ) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        if let Some(least) = bound(least).filter(|least| size < *least) {
            self.complain(
                path,
                format!("expected {least} or more {what}, found {size}"),
            );
        }
        if let Some(most) = bound(most).filter(|most| size > *most) {
            self.complain(
                path,
                format!("expected {most} or fewer {what}, found {size}"),
            );
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: &Number, path: &str) {
        let bounds = [
            ("minimum", "at least", [Ordering::Greater, Ordering::Equal]),
            ("maximum", "at most", [Ordering::Less, Ordering::Equal]),
            ("exclusiveMinimum", "more than", [Ordering::Greater; 2]),
            ("exclusiveMaximum", "less than", [Ordering::Less; 2]),
        ];
        for (key, words, fine) in bounds {
            if let Some(Value::Number(bound)) = schema.get(key)
                && !compare(number, bound).is_some_and(|order| fine.contains(&order))
            {
                self.complain(path, format!("expected {words} {bound}, found {number}"));
            }
        }
    }

    fn array(&mut self, schema: &'a Map<String, Value>, entries: &[Value], path: &str, depth: u32) {
        self.size(
            schema,
            ("minItems", "maxItems"),
            entries.len() as u64,
            "entries",
            path,
        );
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = BTreeSet::new();
            if let Some(twice) = entries
                .iter()
                .position(|entry| !seen.insert(canonical(entry)))
            {
                self.complain(&format!("{path}[{twice}]"), "stands twice");
            }
        }
        if let Some(items) = schema.get("items") {
            for (at, entry) in entries.iter().enumerate() {
                self.value(items, entry, &format!("{path}[{at}]"), depth + 1);
            }
        }
    }

    fn object(
        &mut self,
        schema: &'a Map<String, Value>,
        fields: &Map<String, Value>,
        path: &str,
        depth: u32,
    ) {
        self.size(
            schema,
            ("minProperties", "maxProperties"),
            fields.len() as u64,
            "keys",
            path,
        );
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                self.complain(path, format!("`{name}` is missing"));
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, value) in fields {
            let at = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let own = known.and_then(|known| known.get(name));
            match own.or_else(|| schema.get("additionalProperties")) {
                Some(Value::Bool(false)) if own.is_none() => {
                    self.complain(&at, "no key of this name");
                }
                Some(schema) => self.value(schema, value, &at, depth + 1),
                None => {}
            }
        }
    }

    fn combined(&mut self, schema: &'a Map<String, Value>, value: &Value, path: &str, depth: u32) {
        let name = schema.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|text| text.strip_prefix("#/$defs/"));
        if let Some(target) = name.and_then(|name| self.root.get("$defs")?.get(name)) {
            self.value(target, value, path, depth + 1);
        }
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.value(schema, value, path, depth + 1);
        }
        if let Some(schemas) = list("anyOf")
            && !schemas
                .iter()
                .any(|schema| self.suits(schema, value, path, depth + 1))
        {
            self.complain(path, format!("suits none of the {} forms", schemas.len()));
        }
        if let Some(schemas) = list("oneOf") {
            let suiting = schemas
                .iter()
                .filter(|schema| self.suits(schema, value, path, depth + 1));
            let suiting = suiting.count();
            if suiting != 1 {
                let words = format!(
                    "suits {suiting} of the {} forms instead of one",
                    schemas.len()
                );
                self.complain(path, words);
            }
        }
        if let Some(schema) = schema.get("not")
            && self.suits(schema, value, path, depth + 1)
        {
            self.complain(path, "is of a form that is not allowed");
        }
    }
}

fn named(word: &str) -> &'static str {
    match word {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "a boolean",
        "array" => "an array",
        "object" => "an object",
        _ => "null",
    }
}

fn is_of(types: &Value, value: &Value) -> bool {
    let is = |word: &str| match word {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        // 1.0 is an integer (JSON Schema validation, 6.1.1).
        _ => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
    };
    match types {
        Value::String(word) => is(word),
        Value::Array(words) => words.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn whole(number: &Number) -> Option<i128> {
    let signed = number.as_i64().map(i128::from);
    signed.or_else(|| number.as_u64().map(i128::from))
}

fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

/// Returns a text that equal values share: keys sorted, 1.0 as 1 (JSON Schema core, 4.2.2).
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match (whole(number), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(float)) if float.fract() == 0.0 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        Value::Array(entries) => {
            let entries: Vec<_> = entries.iter().map(canonical).collect();
            format!("[{}]", entries.join(","))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            crate::order::sort(&mut fields);
            format!("{{{}}}", fields.join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
