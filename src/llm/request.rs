//! What a model is asked, in words that no provider owns.

use serde_json::Value;

use super::reply::Part;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) model: String,
    /// What stands above the conversation.
    pub(crate) system: Option<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// What the answer must look like.
    pub(crate) schema: Option<Schema>,
    /// The most output. Without it nobody can say what a call may cost.
    pub(crate) max_tokens: u64,
    /// For how long a provider that asks keeps the beginning of the conversation; others decide by themselves.
    pub(crate) keep: Option<Keep>,
    pub(crate) is_streamed: bool,
    pub(crate) house: House,
}

/// Who speaks a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum House {
    /// Whoever made it.
    Own,
    /// Somebody else, who may not know its newest words.
    Other,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) is_from_model: bool,
    pub(crate) parts: Vec<Part>,
}

impl Message {
    /// What a person, or a program in their place, says.
    pub(crate) fn ask(text: impl Into<String>) -> Self {
        Self {
            is_from_model: false,
            parts: vec![Part::Text(text.into())],
        }
    }
}

/// What a model may want done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    /// JSON Schema of an object.
    pub(crate) parameters: Value,
}

/// Whether tools are called.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "what protocols can say; of ours nobody forces a tool"
    )
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// As the model likes.
    Free,
    /// One at least.
    Any,
    /// That one.
    Tool(String),
}

/// What an answer must look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    /// Letters, digits, `_` and `-`.
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// How long the beginning of a conversation is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    FiveMinutes,
    Hour,
}

impl Schema {
    /// Whether OpenAI's strict mode takes it: every object names all its properties as required and allows no others (platform.openai.com,
    /// "Structured Outputs", supported schemas).
    pub(crate) fn is_strict(&self) -> bool {
        let mut open = vec![&self.schema];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(values) => open.extend(values),
                Value::Object(fields) => {
                    let is_object = fields.get("type").is_some_and(|kind| kind == "object")
                        || fields.get("properties").is_some_and(Value::is_object);
                    if is_object && !closes(value) {
                        return false;
                    }
                    open.extend(fields.values());
                }
                _ => {}
            }
        }
        self.schema["type"] == "object"
    }
}

fn closes(object: &Value) -> bool {
    let required: Vec<_> = object["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = object["properties"].as_object();
    let mut names = properties.into_iter().flat_map(|all| all.keys());
    object["additionalProperties"] == false && names.all(|name| required.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strict_schemas_name_everything() {
        let check = |schema: Value| {
            Schema {
                name: "s".into(),
                schema,
            }
            .is_strict()
        };
        let inner = json!({"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"], "additionalProperties": false});
        let outer = |inner: &Value| json!({"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": false});
        assert!(check(outer(&inner)));
        let mut open = inner.clone();
        open["required"] = json!([]);
        assert!(!check(outer(&open)));
        let mut open = inner;
        open["additionalProperties"] = json!(true);
        assert!(!check(outer(&open)));
        assert!(!check(
            json!({"type": "array", "items": {"type": "string"}})
        ));
    }
}
