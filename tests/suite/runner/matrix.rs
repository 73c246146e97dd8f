//! `strategy.matrix`: the legs of a job.

use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

use super::expressions::{Scope, interpolate};
use super::workflow::json;

/// A leg: axes and further members, in order.
pub(super) type Leg = Vec<(String, Value)>;

/// A job's strategy.
pub(super) struct Strategy {
    pub(super) legs: Vec<Leg>,
    pub(super) fails_fast: bool,
}

/// Evaluates every text in a value.
fn evaluated(value: &Value, scope: &Scope) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => interpolate(text, scope)?,
        Value::Array(items) => {
            let items: Result<Vec<Value>, String> =
                items.iter().map(|item| evaluated(item, scope)).collect();
            Value::Array(items?)
        }
        Value::Object(members) => {
            let members: Result<Map<String, Value>, String> = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), evaluated(value, scope)?)))
                .collect();
            Value::Object(members?)
        }
        other => other.clone(),
    })
}

/// Members of a mapping in their order, evaluated.
fn members(yaml: &Yaml, scope: &Scope) -> Result<Vec<(String, Value)>, String> {
    if let Yaml::Mapping(mapping) = yaml {
        let members = mapping.iter().map(|(name, value)| {
            let name = name.as_str().unwrap().to_owned();
            Ok((name, evaluated(&json(value), scope)?))
        });
        return members.collect();
    }
    match evaluated(&json(yaml), scope)? {
        Value::Object(members) => Ok(members.into_iter().collect()),
        other => Err(format!("Unexpected value '{other}' for the matrix")),
    }
}

/// Reads a strategy.
pub(super) fn strategy(yaml: Option<&Yaml>, scope: &Scope) -> Result<Strategy, String> {
    let Some(yaml) = yaml else {
        return Ok(Strategy {
            legs: vec![Vec::new()],
            fails_fast: true,
        });
    };
    let mapping = yaml.as_mapping().expect("`strategy` is a mapping");
    for key in mapping.keys() {
        let known = ["matrix", "fail-fast", "max-parallel"];
        assert!(
            known.contains(&key.as_str().unwrap()),
            "no `strategy.{key:?}`"
        );
    }
    let fails_fast = match yaml.get("fail-fast") {
        None => true,
        Some(value) => evaluated(&json(value), scope)? == true,
    };
    let Some(matrix) = yaml.get("matrix") else {
        return Ok(Strategy {
            legs: vec![Vec::new()],
            fails_fast,
        });
    };
    let legs = legs(members(matrix, scope)?)?;
    if legs.is_empty() {
        return Err("Matrix vector does not contain any values".to_owned());
    }
    if legs.len() > 256 {
        return Err(format!(
            "Strategy expanded to {} jobs, and 256 are the most",
            legs.len()
        ));
    }
    Ok(Strategy { legs, fails_fast })
}

fn objects(value: Value, what: &str) -> Result<Vec<Map<String, Value>>, String> {
    let Value::Array(items) = value else {
        return Err(format!("`{what}` of the matrix is no list"));
    };
    let objects = items.into_iter().map(|item| match item {
        Value::Object(members) => Ok(members),
        other => Err(format!("`{what}` of the matrix has {other} in it")),
    });
    objects.collect()
}

/// Every combination of the axes but those excluded, then `include`.
fn legs(members: Vec<(String, Value)>) -> Result<Vec<Leg>, String> {
    let mut legs: Vec<Leg> = Vec::new();
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    let mut axes = Vec::new();
    for (name, value) in members {
        match name.as_str() {
            "include" => include = objects(value, "include")?,
            "exclude" => exclude = objects(value, "exclude")?,
            _ => {
                let Value::Array(values) = value else {
                    return Err(format!("the axis `{name}` of the matrix is no list"));
                };
                let before = if axes.is_empty() {
                    vec![Vec::new()]
                } else {
                    std::mem::take(&mut legs)
                };
                axes.push(name.clone());
                for leg in before {
                    for value in &values {
                        let mut leg = leg.clone();
                        leg.push((name.clone(), value.clone()));
                        legs.push(leg);
                    }
                }
            }
        }
    }
    let has = |leg: &Leg, name: &str, value: &Value| {
        leg.iter()
            .any(|(known, found)| known == name && found == value)
    };
    legs.retain(|leg| {
        let is_out =
            |out: &Map<String, Value>| out.iter().all(|(name, value)| has(leg, name, value));
        !exclude.iter().any(is_out)
    });
    let originals: Vec<Leg> = legs.clone();
    for more in include {
        let fits = |leg: &Leg| {
            let of_axes = more.iter().filter(|(name, _)| axes.contains(name));
            of_axes
                .into_iter()
                .all(|(name, value)| has(leg, name, value))
        };
        let mut is_used = false;
        for (at, original) in originals.iter().enumerate() {
            if fits(original) {
                is_used = true;
                for (name, value) in &more {
                    legs[at].retain(|(known, _)| known != name || axes.contains(name));
                    if !axes.contains(name) {
                        legs[at].push((name.clone(), value.clone()));
                    }
                }
            }
        }
        if !is_used {
            legs.push(more.into_iter().collect());
        }
    }
    Ok(legs)
}
