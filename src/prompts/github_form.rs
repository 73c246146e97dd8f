//! GitHub's `.prompt.yml` (docs.github.com, "Storing prompts in GitHub repositories"; fields as in `pkg/prompt/prompt.go` of github/gh-models), in and out.
//!
//! Its templates know `{{name}}` and nothing else, its variables are texts without a type, its evaluators judge answers of a model. What has no
//! counterpart is told in notes; nothing is dropped in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::file::{FILE_SCHEMA, PromptFile, TypeWord};
use super::output_schema;
use super::prepared::DELIMITER;
use crate::config;
use crate::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a mapping")]
struct Theirs {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    model_parameters: Parameters,
    #[serde(default)]
    response_format: Option<String>,
    #[serde(default)]
    json_schema: Option<String>,
    messages: Vec<Said>,
    #[serde(default)]
    test_data: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    evaluators: Vec<Value>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
}

#[derive(Deserialize, Serialize)]
struct Said {
    role: String,
    content: String,
}

/// A file of ours, as it is written.
#[derive(Serialize)]
struct Ours<'a> {
    schema: &'static str,
    name: &'a str,
    version: &'static str,
    role: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    model: BTreeMap<&'static str, Value>,
    variables: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    messages: Vec<Said>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    golden: Vec<Value>,
}

/// A file that was converted.
#[derive(Debug)]
pub(crate) struct Converted {
    /// The prompt's name.
    pub(crate) name: String,
    pub(crate) text: String,
    /// What has no counterpart, or wants a look.
    pub(crate) notes: Vec<String>,
}

/// Makes a prompt of a `.prompt.yml`.
pub(crate) fn import(text: &str, name: Option<&str>) -> Result<Converted, String> {
    let theirs: Theirs = config::read_foreign(text)?;
    let name = name.map_or_else(|| slug(&theirs.name), str::to_owned);
    if name.is_empty() {
        return Err("it has no `name`; give one".into());
    }
    let mut notes = Vec::new();
    let mut variables = BTreeMap::new();
    let mut messages = Vec::new();
    for said in theirs.messages {
        let content = template(&said.content, &mut variables);
        messages.push(Said { content, ..said });
    }
    if variables.contains_key(DELIMITER) {
        return Err("its variable `delimiter` has a meaning of its own here; rename it".into());
    }
    if !variables.is_empty() {
        notes.push("its variables are trusted: where one comes from outside, declare it `untrusted: true` and write `{{ name | data }}`".into());
    }
    let mut model = BTreeMap::from([("tier", json!("medium"))]);
    let parameters = theirs.model_parameters;
    if let Some(tokens) = parameters.max_tokens {
        model.insert("max_output_tokens", json!(tokens));
    }
    if let Some(warmth) = parameters.temperature {
        model.insert("temperature", json!(warmth));
    }
    if !theirs.model.is_empty() {
        notes.push(format!(
            "it asks for the model `{}`; `model.tier` is medium",
            theirs.model
        ));
    }
    if parameters.top_p.is_some() {
        notes.push("`topP` has no counterpart".into());
    }
    let output = schema(
        theirs.response_format.as_deref(),
        theirs.json_schema.as_deref(),
        &mut notes,
    )?;
    if !theirs.evaluators.is_empty() {
        let count = theirs.evaluators.len();
        notes.push(format!(
            "{count} evaluators judge a model's answers and have no counterpart"
        ));
    }
    let golden = golden(&theirs.test_data, &variables, &mut notes);
    let ours = Ours {
        schema: FILE_SCHEMA,
        name: &name,
        version: "1.0.0",
        role: &name,
        description: &theirs.description,
        model,
        variables,
        output,
        messages,
        golden,
    };
    let text = serde_yaml::to_string(&ours).map_err(|error| error.to_string())?;
    Ok(Converted { name, text, notes })
}

/// Returns a name of ours.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(64) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches(|c: char| c == '-' || c.is_ascii_digit())
        .to_owned()
}

/// What begins a tag of our templates, and how it is written as text.
const OPENINGS: [(&str, &str); 3] = [
    ("{{", "{{ \"{{\" }}"),
    ("{%", "{{ \"{%\" }}"),
    ("{#", "{{ \"{#\" }}"),
];

/// Turns their template into ours: a name stays one, everything else is text.
fn template(content: &str, variables: &mut BTreeMap<String, Value>) -> String {
    let mut ours = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        ours.push_str(before);
        if let Some((name, length)) = placeholder(tail) {
            variables.insert(name.to_owned(), json!({"type": "string"}));
            ours.push_str(tail.get(..length).unwrap_or_default());
            rest = tail.get(length..).unwrap_or_default();
            continue;
        }
        let opening = OPENINGS
            .iter()
            .find(|(opening, _)| tail.starts_with(opening));
        let (theirs, text) = opening.copied().unwrap_or(("{", "{"));
        ours.push_str(text);
        rest = tail.get(theirs.len()..).unwrap_or_default();
    }
    ours.push_str(rest);
    ours
}

/// Reads `{{name}}` at the beginning of a text, and how long it is.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("{{")?;
    let end = inside.find("}}")?;
    let name = inside.get(..end)?.trim();
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, end + 4))
}

fn schema(
    format: Option<&str>,
    text: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<Value>, String> {
    if format == Some("json_object") {
        return Ok(Some(json!({"type": "object"})));
    }
    let Some(text) = text else { return Ok(None) };
    let whole: Value =
        json::read(text).map_err(|error| format!("its `jsonSchema` is no JSON: {error}"))?;
    let schema = whole.get("schema").cloned().unwrap_or(whole);
    let faults = output_schema::faults(&schema);
    if faults.is_empty() {
        return Ok(Some(schema));
    }
    notes.push(format!("its schema is left out: {}", faults.join("; ")));
    Ok(None)
}

/// Makes cases of test data: every value that is put in comes out.
fn golden(
    data: &[BTreeMap<String, Value>],
    variables: &BTreeMap<String, Value>,
    notes: &mut Vec<String>,
) -> Vec<Value> {
    let mut cases = Vec::new();
    for (number, values) in data.iter().enumerate() {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let used = values
            .iter()
            .filter(|(name, _)| variables.contains_key(*name))
            .map(|(name, value)| (name, text(value)));
        let used = crate::order::map(used);
        if used.len() < variables.len() || used.is_empty() {
            notes.push(format!(
                "test data {} does not give every variable and is left out",
                number + 1
            ));
            continue;
        }
        let contains: Vec<&str> = used.values().map(|value| value.trim()).collect();
        cases.push(json!({"name": format!("test data {}", number + 1), "variables": used, "expect": {"contains": contains}}));
    }
    cases
}

/// Makes a `.prompt.yml` of a prompt, where that form can say it.
pub(crate) fn export(file: &PromptFile, model: Option<&str>) -> Result<Converted, String> {
    let mut messages = Vec::new();
    for (at, message) in file.messages.iter().enumerate() {
        let content =
            plain(&message.content).map_err(|words| format!("message {}: {words}", at + 1))?;
        messages.push(json!({"role": message.role.name(), "content": content}));
    }
    let typed = file
        .variables
        .iter()
        .find(|(_, kind)| kind.kind != TypeWord::String);
    if let Some((name, _)) = typed {
        return Err(format!(
            "`{name}` is no string, and that form has nothing else"
        ));
    }
    let parameters = Parameters {
        max_tokens: file.model.max_output_tokens,
        temperature: file.model.temperature,
        top_p: None,
    };
    let mut theirs = serde_json::Map::new();
    theirs.insert("name".into(), json!(file.name));
    theirs.insert("description".into(), json!(file.description));
    theirs.extend(model.map(|model| ("model".into(), json!(model))));
    theirs.insert("modelParameters".into(), json!(parameters));
    if let Some(schema) = &file.output {
        let whole = json!({"name": file.name, "strict": true, "schema": schema});
        let text = json::pretty(&whole).map_err(|error| error.to_string())?;
        theirs.insert("responseFormat".into(), json!("json_schema"));
        theirs.insert("jsonSchema".into(), json!(text));
    }
    theirs.insert("messages".into(), Value::from(messages));
    let cases = file
        .golden
        .iter()
        .filter(|case| case.expect.error.is_none());
    let data: Vec<Value> = cases.map(|case| json!(case.variables)).collect();
    if !data.is_empty() {
        theirs.insert("testData".into(), Value::from(data));
    }
    let text = serde_yaml::to_string(&theirs).map_err(|error| error.to_string())?;
    Ok(Converted {
        name: file.name.clone(),
        text,
        notes: vec!["types, version, tier and what cases expect have no counterpart".into()],
    })
}

/// Turns our template into theirs.
fn plain(content: &str) -> Result<String, String> {
    let mut theirs = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        theirs.push_str(before);
        let literal = OPENINGS.iter().find(|(_, text)| tail.starts_with(text));
        let length = if let Some((opening, text)) = literal {
            theirs.push_str(opening);
            text.len()
        } else if let Some((_, length)) = placeholder(tail) {
            theirs.push_str(tail.get(..length).unwrap_or_default());
            length
        } else if let Some((opening, _)) = OPENINGS
            .iter()
            .find(|(opening, _)| tail.starts_with(opening))
        {
            return Err(format!("it has a `{opening}` that is more than a name"));
        } else {
            theirs.push('{');
            1
        };
        rest = tail.get(length..).unwrap_or_default();
    }
    theirs.push_str(rest);
    Ok(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::set::{Library, Source};

    const THEIRS: &str = r#"
name: 1. Explain it!
description: Explains.
model: openai/gpt-4o
modelParameters: {temperature: 0.5, maxTokens: 50, topP: 0.9}
responseFormat: json_schema
jsonSchema: '{"name": "x", "strict": true, "schema": {"type": "object", "required": ["a"]}}'
messages:
  - role: system
    content: |
      You write {% raw %} and {# notes #} and {{ no name }} in {braces}.
  - role: user
    content: "{{topic}} for {{ who }}"
testData:
  - {topic: rain, who: me, expected: wet}
  - {topic: snow}
evaluators: [{name: e, string: {contains: x}}]
"#;

    #[test]
    fn an_import_is_a_sound_prompt_that_says_what_was_lost() {
        let converted = import(THEIRS, None).unwrap();
        assert_eq!(converted.name, "explain-it");
        assert_eq!(converted.notes.len(), 5, "{:?}", converted.notes);
        let library = Library::new(vec![Source {
            name: "a.yaml".into(),
            text: converted.text,
        }]);
        let complaints = crate::prompts::rules::lint(&library.around(None));
        assert_eq!(complaints, []);
        let prompt = library.load("explain-it").ok().unwrap();
        let values = json!({"topic": "t", "who": "w"});
        let messages = prompt
            .prepared
            .render(values.as_object().unwrap().clone())
            .unwrap();
        assert_eq!(
            messages[0].content,
            "You write {% raw %} and {# notes #} and {{ no name }} in {braces}."
        );
        assert_eq!(messages[1].content, "t for w");
        assert_eq!(prompt.file.golden.len(), 1);
        assert_eq!(
            prompt.file.output,
            Some(json!({"type": "object", "required": ["a"]}))
        );
        // And back.
        let back = export(prompt.file, Some("openai/gpt-4o")).unwrap();
        let (first, second): (Theirs, Theirs) = (
            serde_yaml::from_str(THEIRS).unwrap(),
            serde_yaml::from_str(&back.text).unwrap(),
        );
        let said = |theirs: &Theirs| -> Vec<String> {
            theirs
                .messages
                .iter()
                .map(|said| format!("{}: {}", said.role, said.content))
                .collect()
        };
        assert_eq!(said(&first), said(&second));
        assert_eq!(second.model, "openai/gpt-4o");
        assert_eq!(second.model_parameters.max_tokens, Some(50));
        assert!(second.json_schema.unwrap().contains("\"required\""));
    }

    #[test]
    fn what_the_other_form_cannot_say_is_refused() {
        let file = |content: &str, kind: &str| -> PromptFile {
            serde_yaml::from_str(&format!(
                "schema: {FILE_SCHEMA}\nname: a\nversion: 1.0.0\nrole: r\nvariables: {{x: {{type: {kind}}}}}\nmessages: [{{role: user, content: '{content}'}}]\n"
            ))
            .unwrap()
        };
        let refused = |content: &str, kind: &str| export(&file(content, kind), None).unwrap_err();
        assert_eq!(
            refused("{% if x %}", "string"),
            "message 1: it has a `{%` that is more than a name"
        );
        assert_eq!(
            refused("{{ x | data }}", "string"),
            "message 1: it has a `{{` that is more than a name"
        );
        assert_eq!(
            refused("{{ x }}", "integer"),
            "`x` is no string, and that form has nothing else"
        );
    }
}
