//! Typed variables: what is put into a template is checked before anything is rendered.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::file::{TypeWord, VariableFile};
use crate::config::nearest;

/// Values by name.
pub(crate) type Values = Map<String, Value>;

/// Returns what a value is, for people.
pub(crate) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Returns what a value must be, for people.
fn expected(kind: &VariableFile) -> String {
    match (kind.kind, &kind.items) {
        (TypeWord::String, _) => "a string".into(),
        (TypeWord::Integer, _) => "an integer".into(),
        (TypeWord::Number, _) => "a number".into(),
        (TypeWord::Boolean, _) => "a boolean".into(),
        (TypeWord::Array, Some(items)) => format!("an array of {}", plural(items.kind)),
        (TypeWord::Array, None) => "an array".into(),
        (TypeWord::Object, _) => "an object".into(),
        (TypeWord::Json, _) => "any value".into(),
    }
}

fn plural(kind: TypeWord) -> &'static str {
    match kind {
        TypeWord::String => "strings",
        TypeWord::Integer => "integers",
        TypeWord::Number => "numbers",
        TypeWord::Boolean => "booleans",
        TypeWord::Array => "arrays",
        TypeWord::Object => "objects",
        TypeWord::Json => "values",
    }
}

fn suits(kind: TypeWord, value: &Value) -> bool {
    match kind {
        TypeWord::String => value.is_string(),
        TypeWord::Integer => value.is_i64() || value.is_u64(),
        TypeWord::Number => value.is_number(),
        TypeWord::Boolean => value.is_boolean(),
        TypeWord::Array => value.is_array(),
        TypeWord::Object => value.is_object(),
        TypeWord::Json => true,
    }
}

/// Checks values against what was declared and fills in defaults; the error names the place, as `tasks[2].files`.
pub(crate) fn check(
    declared: &BTreeMap<String, VariableFile>,
    mut values: Values,
) -> Result<Values, String> {
    fields(declared, &mut values, "")?;
    Ok(values)
}

fn fields(
    declared: &BTreeMap<String, VariableFile>,
    values: &mut Values,
    path: &str,
) -> Result<(), String> {
    let at = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let unknown = values.keys().find(|name| !declared.contains_key(*name));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = declared.keys().map(String::as_str).collect();
        let what = if path.is_empty() { "variable" } else { "key" };
        let more = match nearest(unknown, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "there is none".to_owned(),
            None => format!("there are {}", names.join(", ")),
        };
        return Err(format!("{}: no {what} of this name; {more}", at(unknown)));
    }
    for (name, kind) in declared {
        match (values.get_mut(name), &kind.default) {
            (Some(value), _) => one(kind, value, &at(name))?,
            (None, Some(default)) => {
                let mut default = default.clone();
                one(kind, &mut default, &at(name))?;
                values.insert(name.clone(), default);
            }
            (None, None) if kind.optional => {}
            (None, None) => {
                return Err(format!(
                    "{}: missing; expected {}",
                    at(name),
                    expected(kind)
                ));
            }
        }
    }
    Ok(())
}

fn one(kind: &VariableFile, value: &mut Value, path: &str) -> Result<(), String> {
    if !suits(kind.kind, value) {
        let (expected, found) = (expected(kind), found(value));
        return Err(format!("{path}: expected {expected}, found {found}"));
    }
    if let (Some(words), Some(text)) = (&kind.words, value.as_str())
        && !words.iter().any(|word| word == text)
    {
        let words = words.join("`, `");
        return Err(format!("{path}: expected one of `{words}`, found `{text}`"));
    }
    match (value, &kind.items, &kind.fields) {
        (Value::Array(entries), Some(items), _) => {
            for (at, entry) in entries.iter_mut().enumerate() {
                one(items, entry, &format!("{path}[{at}]"))?;
            }
        }
        (Value::Object(values), _, Some(declared)) => fields(declared, values, path)?,
        _ => {}
    }
    Ok(())
}

/// Returns what is wrong with a declaration itself, with the names that lead there.
pub(crate) fn faults(declared: &BTreeMap<String, VariableFile>) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    for (name, kind) in declared {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(is_name)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            let words = format!("`{name}` is no name: letters, digits and `_` only");
            found.push((vec![name.clone()], words));
        }
        fault(kind, &mut vec![name.clone()], &mut found);
    }
    found
}

fn fault(kind: &VariableFile, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let mut complain = |words: &str| found.push((path.clone(), words.to_owned()));
    match kind.kind {
        TypeWord::Array if kind.items.is_none() => complain("an array needs `items`"),
        TypeWord::Object if kind.fields.is_none() => complain("an object needs `fields`"),
        _ => {}
    }
    if kind.kind != TypeWord::Array && kind.items.is_some() {
        complain("only an array has `items`");
    }
    if kind.kind != TypeWord::Object && kind.fields.is_some() {
        complain("only an object has `fields`");
    }
    if kind.kind != TypeWord::String && kind.words.is_some() {
        complain("only a string has `enum`");
    }
    if let Some(default) = &kind.default
        && let Err(words) = one(kind, &mut default.clone(), "its default")
    {
        complain(&words);
    }
    let below = kind.fields.iter().flatten();
    for (name, kind) in below {
        path.push(name.clone());
        fault(kind, path, found);
        path.pop();
    }
    if let Some(items) = &kind.items {
        path.push("items".into());
        fault(items, path, found);
        path.pop();
    }
}

/// Returns why callers of an older declaration break with a newer one.
pub(crate) fn breaks(
    old: &BTreeMap<String, VariableFile>,
    new: &BTreeMap<String, VariableFile>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    broken(old, new, "", &mut found);
    found
}

fn broken(
    old: &BTreeMap<String, VariableFile>,
    new: &BTreeMap<String, VariableFile>,
    path: &str,
    found: &mut Vec<(String, String)>,
) {
    let at = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for (name, was) in old {
        match new.get(name) {
            None => found.push((at(name), "is gone".into())),
            Some(is) => broken_type(was, is, &at(name), found),
        }
    }
    for (name, is) in new {
        if !old.contains_key(name) && !is.optional && is.default.is_none() {
            found.push((at(name), "is new and must be given".into()));
        }
    }
}

fn broken_type(
    was: &VariableFile,
    is: &VariableFile,
    path: &str,
    found: &mut Vec<(String, String)>,
) {
    let widens =
        is.kind == TypeWord::Json || (was.kind, is.kind) == (TypeWord::Integer, TypeWord::Number);
    if was.kind != is.kind && !widens {
        let words = format!("was {} and is {}", expected(was), expected(is));
        found.push((path.to_owned(), words));
        return;
    }
    let could_lack = was.optional || was.default.is_some();
    if could_lack && !is.optional && is.default.is_none() {
        found.push((path.to_owned(), "must be given now".into()));
    }
    let narrower = match (&was.words, &is.words) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(was), Some(is)) => was.iter().any(|word| !is.contains(word)),
    };
    if narrower {
        found.push((path.to_owned(), "takes fewer words".into()));
    }
    if let (Some(was), Some(is)) = (&was.fields, &is.fields) {
        broken(was, is, path, found);
    }
    if let (Some(was), Some(is)) = (&was.items, &is.items) {
        broken_type(was, is, &format!("{path}[]"), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(yaml: &str) -> BTreeMap<String, VariableFile> {
        serde_yaml::from_str(yaml).unwrap()
    }

    const TASKS: &str = "
title: {type: string, enum: [a, b]}
count: {type: integer, default: 3}
note: {type: string, optional: true}
tasks:
  type: array
  items:
    type: object
    fields:
      files: {type: array, items: {type: string}}
";

    fn refused(values: &str) -> String {
        check(&declared(TASKS), serde_json::from_str(values).unwrap()).unwrap_err()
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        assert_eq!(
            refused(r#"{"title": "a", "tasks": [{"files": []}, {"files": []}, {"files": 7}]}"#),
            "tasks[2].files: expected an array of strings, found a number"
        );
        assert_eq!(
            refused(r#"{"title": "a", "tasks": [{"files": ["x", null]}]}"#),
            "tasks[0].files[1]: expected a string, found null"
        );
        assert_eq!(
            refused(r#"{"title": "a", "tasks": [{"fils": []}]}"#),
            "tasks[0].fils: no key of this name; did you mean `files`?"
        );
        assert_eq!(
            refused(r#"{"title": "c", "tasks": []}"#),
            "title: expected one of `a`, `b`, found `c`"
        );
        assert_eq!(
            refused(r#"{"title": "a", "count": 1.5, "tasks": []}"#),
            "count: expected an integer, found a number"
        );
        assert_eq!(
            refused(r#"{"title": "a"}"#),
            "tasks: missing; expected an array of objects"
        );
        assert_eq!(
            refused(r#"{"titel": "a", "tasks": []}"#),
            "titel: no variable of this name; did you mean `title`?"
        );
    }

    #[test]
    fn a_default_is_filled_in_and_an_optional_value_may_lack() {
        let values = serde_json::from_str(r#"{"title": "a", "tasks": []}"#).unwrap();
        let values = check(&declared(TASKS), values).unwrap();
        assert_eq!(values["count"], 3);
        assert!(!values.contains_key("note"));
    }

    #[test]
    fn a_declaration_that_means_nothing_is_refused() {
        let faults = faults(&declared(
            "a: {type: array}\nb: {type: string, items: {type: string}}\nc: {type: integer, default: x}\n1d: {type: object}",
        ));
        let words: Vec<_> = faults.into_iter().map(|(_, words)| words).collect();
        assert_eq!(
            words,
            [
                "`1d` is no name: letters, digits and `_` only",
                "an object needs `fields`",
                "an array needs `items`",
                "only an array has `items`",
                "its default: expected an integer, found a string",
            ]
        );
    }

    #[test]
    fn what_breaks_a_caller_is_told_from_what_does_not() {
        let breaks = |old: &str, new: &str| {
            let found = breaks(&declared(old), &declared(new)).into_iter();
            let found: Vec<_> = found
                .map(|(name, words)| format!("{name} {words}"))
                .collect();
            found.join("; ")
        };
        assert_eq!(breaks("a: {type: string}", "{}"), "a is gone");
        assert_eq!(
            breaks("{}", "a: {type: string}"),
            "a is new and must be given"
        );
        assert_eq!(breaks("{}", "a: {type: string, optional: true}"), "");
        assert_eq!(breaks("a: {type: integer}", "a: {type: number}"), "");
        assert_eq!(
            breaks("a: {type: number}", "a: {type: integer}"),
            "a was a number and is an integer"
        );
        assert_eq!(
            breaks(
                "a: {type: array, items: {type: object, fields: {b: {type: string}}}}",
                "a: {type: array, items: {type: object, fields: {}}}"
            ),
            "a[].b is gone"
        );
        assert_eq!(
            breaks(
                "a: {type: string, enum: [x, y]}",
                "a: {type: string, enum: [x]}"
            ),
            "a takes fewer words"
        );
    }
}
