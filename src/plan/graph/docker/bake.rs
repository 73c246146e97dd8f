//! `docker-bake.hcl` and `docker-bake.json` (docs.docker.com, "Bake file reference"): targets, as far as plans need them.
//!
//! Of HCL, blocks, strings, lists, maps and variables with defaults are read; every other expression is not known, and a context
//! that is not known may be any.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a bake file says of something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing: the default holds.
    #[default]
    Nothing,
    Text(String),
    /// Something that only the build knows.
    Unknown,
}

impl Said {
    /// Returns the text, or the default where nothing is said; nothing when it is not known.
    pub(super) fn or(self, default: &str) -> Option<String> {
        match self {
            Self::Nothing => Some(default.to_owned()),
            Self::Text(text) => Some(text),
            Self::Unknown => None,
        }
    }
}

/// A target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) inherits: Vec<String>,
    pub(super) context: Said,
    pub(super) dockerfile: Said,
    /// The stage.
    pub(super) stage: Said,
    /// Named contexts.
    pub(super) contexts: BTreeMap<String, String>,
    pub(super) tags: Vec<String>,
}

/// Reads a bake file in HCL.
pub(super) fn read_hcl(text: &str) -> BTreeMap<String, Target> {
    let mut parser = Parser {
        text,
        at: 0,
        variables: BTreeMap::new(),
    };
    let mut blocks = Vec::new();
    while let Some(word) = parser.word() {
        let mut labels = Vec::new();
        while let Some(label) = parser.string() {
            labels.push(label.or("").unwrap_or_default());
        }
        if parser.eat('{') {
            let body = parser.body();
            if word == "variable"
                && let Some(name) = labels.first()
                && let Some(default) = body.get("default").and_then(Value::as_str)
            {
                parser.variables.insert(name.clone(), default.to_owned());
            }
            blocks.push((word, labels, body));
        } else if parser.eat('=') {
            parser.value();
        } else {
            parser.skip_one();
        }
    }
    // A variable may be declared after its use.
    let variables = parser.variables;
    let targets = blocks.into_iter().filter(|(word, ..)| word == "target");
    targets
        .filter_map(|(_, labels, body)| {
            Some((labels.into_iter().next()?, target(&body, &variables)))
        })
        .collect()
}

/// Reads a bake file in JSON.
pub(super) fn read_json(document: &Value) -> BTreeMap<String, Target> {
    let variables = document.get("variable").and_then(Value::as_object);
    let variables = variables
        .into_iter()
        .flatten()
        .filter_map(|(name, variable)| {
            Some((name.clone(), variable.get("default")?.as_str()?.to_owned()))
        });
    let variables = variables.collect();
    let targets = document.get("target").and_then(Value::as_object);
    let targets = targets.into_iter().flatten();
    targets
        .filter_map(|(name, body)| Some((name.clone(), target(body.as_object()?, &variables))))
        .collect()
}

fn target(body: &Map<String, Value>, variables: &BTreeMap<String, String>) -> Target {
    let known = |text: &str| {
        let (text, is_known) = super::dockerfile::substitute(text, variables);
        is_known.then_some(text)
    };
    let text = |key: &str| match body.get(key) {
        None => Said::Nothing,
        Some(value) => value
            .as_str()
            .and_then(known)
            .map_or(Said::Unknown, Said::Text),
    };
    let list = |key: &str| -> Vec<String> {
        let list = body.get(key).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let contexts = body.get("contexts").and_then(Value::as_object);
    let contexts = contexts
        .into_iter()
        .flatten()
        .filter_map(|(name, context)| Some((name.clone(), known(context.as_str()?)?)));
    Target {
        inherits: list("inherits"),
        context: text("context"),
        dockerfile: text("dockerfile"),
        stage: text("target"),
        contexts: contexts.collect(),
        tags: list("tags"),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    variables: BTreeMap<String, String>,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with('#') || trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
            } else {
                return;
            }
        }
    }

    fn skip_one(&mut self) {
        self.skip_space();
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn eat(&mut self, sign: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    fn word(&mut self) -> Option<String> {
        loop {
            self.skip_space();
            let rest = self.rest();
            if rest.is_empty() {
                return None;
            }
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
                .unwrap_or(rest.len());
            if end > 0 {
                self.at += end;
                return Some(rest[..end].to_owned());
            }
            self.skip_one();
        }
    }

    /// Reads a quoted string; it is not known when it holds more than variables.
    fn string(&mut self) -> Option<Said> {
        self.skip_space();
        let rest = self.rest().strip_prefix('"')?;
        let mut escaped = false;
        let end = rest.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let end = end.map_or(rest.len(), |(end, _)| end);
        self.at += (end + 2).min(rest.len() + 1);
        let text = &rest[..end];
        let plain = !text.split("${").skip(1).any(|part| {
            let inner = part.split('}').next().unwrap_or_default();
            !inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        Some(if plain {
            Said::Text(text.replace("\\\"", "\""))
        } else {
            Said::Unknown
        })
    }

    fn body(&mut self) -> Map<String, Value> {
        let mut body = Map::new();
        loop {
            if self.eat('}') || self.rest().is_empty() {
                return body;
            }
            let key = match self.string() {
                Some(key) => key.or("").unwrap_or_default(),
                None => match self.word() {
                    Some(word) => word,
                    None => return body,
                },
            };
            if self.eat('=') || self.eat(':') {
                let value = self.value();
                body.insert(key, value);
                self.eat(',');
            } else {
                while self.string().is_some() {}
                if self.eat('{') {
                    self.body();
                }
            }
        }
    }

    /// Reads a value; one that is not known is null.
    fn value(&mut self) -> Value {
        self.skip_space();
        let value = match self.rest().chars().next() {
            Some('"') => match self.string() {
                Some(Said::Text(text)) => Value::String(text),
                _ => Value::Null,
            },
            Some('[') => {
                self.skip_one();
                let mut list = Vec::new();
                while !self.eat(']') && !self.rest().is_empty() {
                    list.push(self.value());
                    self.eat(',');
                }
                Value::Array(list)
            }
            Some('{') => {
                self.skip_one();
                Value::Object(self.body())
            }
            _ => {
                let before = self.at;
                let word = self.word();
                match word {
                    // A variable alone.
                    Some(word) if !self.rest().starts_with(['(', '.', '[']) => {
                        Value::String(format!("${{{word}}}"))
                    }
                    _ => {
                        self.at = self.at.max(before + 1).min(self.text.len());
                        Value::Null
                    }
                }
            }
        };
        self.skip_operators(value)
    }

    /// What stands behind a value on its line makes it one that is not known.
    fn skip_operators(&mut self, value: Value) -> Value {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with([',', ']', '}', '#', '/']) {
            return value;
        }
        let mut depth = 0_i32;
        for (at, c) in self.rest().char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ']' | '}' | ',' | '\n' if depth <= 0 => {
                    self.at += at;
                    return Value::Null;
                }
                _ => {}
            }
        }
        self.at = self.text.len();
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_hcl_are_read() {
        let text = r#"
            # what is built
            group "default" { targets = ["app", "base"] }
            target "app" {
              inherits = ["_common"]
              context = "${ROOT}/app"
              dockerfile = "../Dockerfile"
              target = notequal("", X) ? "a" : "b"
              contexts = { base = "target:base", src = "../lib" }
              args = { A = join(",", ["x"]), }
              tags = ["r/app:latest"]
            }
            variable "ROOT" { default = "services" }
            function "f" { params = [x] result = "${x}y" }
            target "base" {}
        "#;
        let targets = read_hcl(text);
        assert_eq!(targets.keys().collect::<Vec<_>>(), ["app", "base"]);
        let app = &targets["app"];
        assert_eq!(app.context, Said::Text("services/app".into()));
        assert_eq!(app.dockerfile, Said::Text("../Dockerfile".into()));
        assert_eq!(app.stage, Said::Unknown);
        assert_eq!(app.contexts["base"], "target:base");
        assert_eq!(app.contexts["src"], "../lib");
        assert_eq!(app.tags, ["r/app:latest"]);
        assert_eq!(app.inherits, ["_common"]);
        assert_eq!(targets["base"], Target::default());
    }

    #[test]
    fn nonsense_ends() {
        for text in [
            "target \"a\" {",
            "target",
            "}}}",
            "target \"a\" { x = ",
            "\"",
            "a = (",
            "target \"a\" { context = [ \"x\" ",
        ] {
            let _whatever = read_hcl(text);
        }
    }
}
