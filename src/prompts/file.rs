//! A prompt's file, version 1: `prompts/NAME.yaml`.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::config::Kind;

/// What `schema:` must say.
pub(crate) const FILE_SCHEMA: &str = "maestro.prompt-file/v1";

/// How such a file is read.
pub(crate) const KIND: Kind = Kind {
    schema: FILE_SCHEMA,
    published: "prompt-file",
};

/// `prompts/NAME.yaml`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.prompt-file/v1", inline))]
pub(crate) struct PromptFile {
    /// The version of this form: `maestro.prompt-file/v1`.
    pub(crate) schema: String,
    /// What it is called: small letters, digits and `-`. A repository's prompt stands in for a built-in one of the same name.
    pub(crate) name: String,
    /// Its semantic version. Whatever a model is told or must answer changes with it only.
    pub(crate) version: String,
    /// Which role of an agents' run uses it.
    pub(crate) role: String,
    /// What it is for, in one line.
    #[serde(default)]
    pub(crate) description: String,
    /// What to ask of a model.
    #[serde(default)]
    pub(crate) model: ModelFile,
    /// What is put in, by name. `delimiter` is there by itself.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, VariableFile>,
    /// The JSON Schema of the answer; without one the answer is text.
    #[serde(default)]
    pub(crate) output: Option<Value>,
    /// What is sent, in order; each is a template in Jinja's language.
    pub(crate) messages: Vec<MessageFile>,
    /// Cases that `maestro prompts test` runs.
    #[serde(default)]
    pub(crate) golden: Vec<GoldenFile>,
}

/// What to ask of a model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelFile {
    /// How strong a model the work wants; `medium` unless set.
    #[serde(default)]
    pub(crate) tier: TierWord,
    /// The most tokens of an answer.
    #[serde(default)]
    pub(crate) max_output_tokens: Option<u32>,
    /// From 0 to 2; the provider's own unless set.
    #[serde(default)]
    pub(crate) temperature: Option<f64>,
}

/// How strong a model is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum TierWord {
    /// The cheapest.
    Small,
    /// The usual.
    #[default]
    Medium,
    /// The strongest.
    Large,
}

impl TierWord {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct VariableFile {
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) kind: TypeWord,
    /// What it means, in one line.
    #[serde(default)]
    pub(crate) description: String,
    /// Of an array: what each entry is.
    #[serde(default)]
    pub(crate) items: Option<Box<Self>>,
    /// Of an object: its keys; others are refused.
    #[serde(default)]
    pub(crate) fields: Option<BTreeMap<String, Self>>,
    /// Of a string: the words that are allowed.
    #[serde(default, rename = "enum")]
    pub(crate) words: Option<Vec<String>>,
    /// It may be left out; the template asks with `is defined`.
    #[serde(default)]
    pub(crate) optional: bool,
    /// What it is when it is left out.
    #[serde(default)]
    pub(crate) default: Option<Value>,
    /// It comes from outside (an issue, a diff, a log, a model) and leaves the template through the filter `data` only.
    #[serde(default)]
    pub(crate) untrusted: bool,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum TypeWord {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// Named values.
    Object,
    /// Whatever JSON can say; always untrusted.
    Json,
}

/// A message that is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageFile {
    /// Who speaks.
    pub(crate) role: SpeakerWord,
    /// The template.
    pub(crate) content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum SpeakerWord {
    /// The rules.
    System,
    /// The task.
    User,
    /// An example of an answer.
    Assistant,
}

impl SpeakerWord {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// Variables, and what becomes of them.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct GoldenFile {
    /// What it shows, as a sentence.
    pub(crate) name: String,
    /// What is put in.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Value>,
    /// What must come out.
    pub(crate) expect: ExpectFile,
}

/// What must come out of a case; at least one of these.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectFile {
    /// Texts that some message has.
    #[serde(default)]
    pub(crate) contains: Vec<String>,
    /// Texts that no message has.
    #[serde(default)]
    pub(crate) excludes: Vec<String>,
    /// The messages to the byte, in a file below `prompts/golden/`; `maestro prompts test --bless` writes it.
    #[serde(default)]
    pub(crate) rendering: Option<String>,
    /// It is refused with words that have this in them.
    #[serde(default)]
    pub(crate) error: Option<String>,
    /// An answer that the output schema takes.
    #[serde(default)]
    pub(crate) valid_output: Option<Value>,
    /// An answer that the output schema refuses.
    #[serde(default)]
    pub(crate) invalid_output: Option<Value>,
}

impl ExpectFile {
    /// Whether nothing is expected.
    pub(crate) fn is_empty(&self) -> bool {
        self.contains.is_empty()
            && self.excludes.is_empty()
            && self.rendering.is_none()
            && self.error.is_none()
            && self.valid_output.is_none()
            && self.invalid_output.is_none()
    }
}
