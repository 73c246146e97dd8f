//! GitHub's expressions: `${{ … }}` and what stands after `if:`, by docs.github.com's "Evaluate expressions in workflows and actions".
//!
//! What GitHub refuses when it reads a workflow (an unknown function, a context that is not there in this place) stops the test; what goes
//! wrong while it runs is an error, and fails the step or job.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::syntax::{Node, Operator, parse};

/// What an expression sees.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) contexts: BTreeMap<String, Value>,
    /// How what came before stands; nothing where no status function is allowed.
    pub(crate) status: Option<Status>,
    /// Where `hashFiles` looks.
    pub(crate) workspace: Option<PathBuf>,
}

/// What `success()` and its like answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) is_success: bool,
    pub(crate) is_failure: bool,
    pub(crate) is_cancelled: bool,
}

impl Scope {
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.contexts.insert(name.to_owned(), value);
        self
    }
}

/// Evaluates an expression.
pub(crate) fn evaluate(text: &str, scope: &Scope) -> Result<Value, String> {
    let node = parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"));
    value(&node, scope)
}

/// Whether a condition holds; without a status function it is asked only when all went well.
pub(crate) fn holds(condition: Option<&Value>, scope: &Scope) -> Result<bool, String> {
    let status = scope.status.unwrap();
    let text = match condition {
        None => return Ok(status.is_success),
        Some(Value::String(text)) => text.trim(),
        Some(other) => &other.to_string(),
    };
    let text = match text.strip_prefix("${{") {
        Some(rest) => rest
            .strip_suffix("}}")
            .filter(|inside| !inside.contains("${{"))
            .unwrap_or_else(|| panic!("`if: {text}` is a text, and always true")),
        None => {
            assert!(
                !text.contains("${{"),
                "`if: {text}` is a text, and always true"
            );
            text
        }
    };
    let node = parse(text).unwrap_or_else(|error| panic!("`if: {text}`: {error}"));
    let asks = node.calls(&["success", "failure", "always", "cancelled"]);
    if !asks && !status.is_success {
        return Ok(false);
    }
    Ok(is_true(&value(&node, scope)?))
}

/// Evaluates the expressions in a text; a text that is one expression keeps the type of its value.
pub(crate) fn interpolate(text: &str, scope: &Scope) -> Result<Value, String> {
    let mut parts: Vec<Value> = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("${{") {
        if begin > 0 {
            parts.push(Value::from(&rest[..begin]));
        }
        let inside = &rest[begin + 3..];
        let end = end_of(inside).unwrap_or_else(|| panic!("`{text}`: `}}}}` is missing"));
        parts.push(evaluate(&inside[..end], scope)?);
        rest = &inside[end + 2..];
    }
    if parts.len() == 1 && rest.is_empty() {
        return Ok(parts.remove(0));
    }
    let whole: String = parts.iter().map(string).collect();
    Ok(Value::from(whole + rest))
}

/// Evaluates a text into a text.
pub(crate) fn text(text: &str, scope: &Scope) -> Result<String, String> {
    interpolate(text, scope).map(|value| string(&value))
}

/// Where `}}` ends an expression, texts in it left out.
fn end_of(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|at| {
        is_quoted ^= bytes[*at] == b'\'';
        !is_quoted && bytes[*at..].starts_with(b"}}")
    })
}

fn value(node: &Node, scope: &Scope) -> Result<Value, String> {
    Ok(match node {
        Node::Literal(value) => value.clone(),
        Node::Context(name) => context(name, scope),
        Node::Index(object, index) => {
            let (object, index) = (value(object, scope)?, value(index, scope)?);
            index_of(&object, &index)
        }
        Node::Filtered(object) => match value(object, scope)? {
            Value::Array(items) => Value::Array(items),
            Value::Object(members) => members.into_iter().map(|(_, value)| value).collect(),
            _ => Value::Array(Vec::new()),
        },
        Node::Each(list, index) => {
            let (list, index) = (value(list, scope)?, value(index, scope)?);
            let items = list.as_array().cloned().unwrap_or_default().into_iter();
            let found = items.map(|item| index_of(&item, &index));
            found.filter(|found| !found.is_null()).collect()
        }
        Node::Not(inner) => Value::from(!is_true(&value(inner, scope)?)),
        Node::Both(left, right) => match value(left, scope)? {
            left if is_true(&left) => value(right, scope)?,
            left => left,
        },
        Node::Either(left, right) => match value(left, scope)? {
            left if is_true(&left) => left,
            _ => value(right, scope)?,
        },
        Node::Compared(operator, left, right) => {
            let (left, right) = (value(left, scope)?, value(right, scope)?);
            Value::from(compared(*operator, &left, &right))
        }
        Node::Call(name, arguments) => {
            let given: Result<Vec<Value>, String> = arguments
                .iter()
                .map(|argument| value(argument, scope))
                .collect();
            call(name, &given?, scope)?
        }
    })
}

fn context(name: &str, scope: &Scope) -> Value {
    let found = scope
        .contexts
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    let known: Vec<&String> = scope.contexts.keys().collect();
    found.map_or_else(
        || panic!("there is no `{name}` in this place, which has {known:?}"),
        |(_, value)| value.clone(),
    )
}

fn index_of(object: &Value, index: &Value) -> Value {
    match (object, index) {
        (Value::Object(members), _) => {
            let name = string(index);
            let found = members
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(&name));
            found.map_or(Value::Null, |(_, value)| value.clone())
        }
        (Value::Array(items), _) => {
            // A fraction is cut off, and nothing stands at a number that is none.
            let at = format!("{:.0}", number(index).trunc()).parse::<usize>();
            let found = at.ok().and_then(|at| items.get(at));
            found.cloned().unwrap_or(Value::Null)
        }
        _ => Value::Null,
    }
}

/// Whether a value counts as true.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Number(it) => it.as_f64().is_some_and(|it| it != 0.0),
        Value::String(it) => !it.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A value as a text.
pub(crate) fn string(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(it) => it.to_string(),
        Value::Number(it) => {
            let float = it.as_f64().unwrap();
            if float.fract() == 0.0 && float.abs() < 1e15 {
                return format!("{float:.0}");
            }
            float.to_string()
        }
        Value::String(it) => it.clone(),
        Value::Array(_) => "Array".to_owned(),
        Value::Object(_) => "Object".to_owned(),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(it) => f64::from(u8::from(*it)),
        Value::Number(it) => it.as_f64().unwrap(),
        Value::String(it) if it.trim().is_empty() => 0.0,
        Value::String(it) => super::syntax::number(it.trim()).unwrap_or(f64::NAN),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

fn compared(operator: Operator, left: &Value, right: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => {
            Some(left.to_uppercase().cmp(&right.to_uppercase()))
        }
        // Two lists or objects are equal when they are the same one, which no two of ours are.
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => None,
        (Value::Null, Value::Null) => Some(Equal),
        _ => number(left).partial_cmp(&number(right)),
    };
    match operator {
        Operator::Equal => order == Some(Equal),
        Operator::Unequal => order != Some(Equal),
        Operator::Less => order == Some(Less),
        Operator::Greater => order == Some(Greater),
        Operator::NoMore => matches!(order, Some(Less | Equal)),
        Operator::NoLess => matches!(order, Some(Greater | Equal)),
    }
}

fn call(name: &str, given: &[Value], scope: &Scope) -> Result<Value, String> {
    let status = || {
        assert!(given.is_empty(), "`{name}` takes nothing");
        scope
            .status
            .unwrap_or_else(|| panic!("`{name}()` is for `if:`"))
    };
    let lower = |at: usize| string(&given[at]).to_lowercase();
    let takes = |least: usize, most: usize| {
        let count = given.len();
        assert!(
            (least..=most).contains(&count),
            "`{name}` with {count} arguments"
        );
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "success" => Value::from(status().is_success),
        "failure" => Value::from(status().is_failure),
        "cancelled" => Value::from(status().is_cancelled),
        "always" => {
            let _ = status();
            Value::from(true)
        }
        "contains" => {
            takes(2, 2);
            Value::from(match &given[0] {
                Value::Array(items) => items
                    .iter()
                    .any(|item| compared(Operator::Equal, item, &given[1])),
                Value::Object(_) => false,
                _ => lower(0).contains(&lower(1)),
            })
        }
        "startswith" => {
            takes(2, 2);
            Value::from(lower(0).starts_with(&lower(1)))
        }
        "endswith" => {
            takes(2, 2);
            Value::from(lower(0).ends_with(&lower(1)))
        }
        "format" => {
            takes(1, 255);
            Value::from(format(&string(&given[0]), &given[1..])?)
        }
        "join" => {
            takes(1, 2);
            let between = given.get(1).map_or_else(|| ",".to_owned(), string);
            Value::from(match &given[0] {
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(string).collect();
                    items.join(&between)
                }
                other => string(other),
            })
        }
        "tojson" => {
            takes(1, 1);
            Value::from(serde_json::to_string_pretty(&given[0]).unwrap())
        }
        "fromjson" => {
            takes(1, 1);
            serde_json::from_str(&string(&given[0]))
                .map_err(|error| format!("Error parsing fromJson: {error}"))?
        }
        "hashfiles" => {
            takes(1, 255);
            let folder = scope.workspace.as_ref();
            let folder = folder.unwrap_or_else(|| panic!("`hashFiles` is for steps"));
            let patterns: Vec<String> = given.iter().map(string).collect();
            Value::from(super::files::hash(folder, &patterns))
        }
        _ => panic!("there is no function `{name}`"),
    })
}

/// `format('{0} {{x}}', …)`.
fn format(template: &str, given: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let here = &rest[at..];
        if here.starts_with("{{") || here.starts_with("}}") {
            out.push_str(&here[..1]);
            rest = &here[2..];
            continue;
        }
        let bad = || format!("The following format string is invalid: {template}");
        let end = here.find('}').filter(|end| *end > 1).ok_or_else(bad)?;
        let index: usize = here[1..end].parse().map_err(|_| bad())?;
        out.push_str(&string(given.get(index).ok_or_else(bad)?));
        rest = &here[end + 1..];
    }
    Ok(out + rest)
}
