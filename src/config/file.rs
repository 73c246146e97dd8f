//! The configuration file, version 1.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// What `schema:` must say.
pub(crate) const CONFIG_SCHEMA: &str = "maestro.config/v1";

/// What is looked at before anything else, whatever the other keys are.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) requires: Option<String>,
}

/// `.maestro/maestro.yaml`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "maestro.config/v1", inline)]
pub(crate) struct ConfigFile {
    /// The version of this file: `maestro.config/v1`.
    pub(crate) schema: String,
    /// Which versions of maestro may read it, as a Cargo version requirement, for example ">=0.1, <0.2".
    #[serde(default)]
    pub(crate) requires: Option<String>,
    /// The jobs of your CI, by name.
    #[serde(default)]
    pub(crate) jobs: BTreeMap<String, JobFile>,
    /// How results are shown.
    #[serde(default)]
    pub(crate) output: OutputFile,
    /// How state is kept.
    #[serde(default)]
    pub(crate) state: StateFile,
}

/// One job of your CI.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobFile {
    /// Where the job leaves its test reports: a path or glob, relative to the repository's top.
    pub(crate) junit: String,
}

/// How results are shown.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputFile {
    /// How results are written to standard output.
    #[serde(default)]
    pub(crate) format: Option<FormatWord>,
    /// When to colour.
    #[serde(default)]
    pub(crate) color: Option<ColorWord>,
    /// How messages on standard error look.
    #[serde(default)]
    pub(crate) log_format: Option<LogWord>,
}

/// Words of the file; a wrong one is shown with its place.
macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),+ })+) => {
        $(
            #[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
            pub(crate) enum $name {
                $(#[serde(rename = $word)] $variant,)+
            }

            impl From<$name> for String {
                fn from(word: $name) -> Self {
                    match word { $($name::$variant => $word.to_owned(),)+ }
                }
            }
        )+
    };
}

words! {
    FormatWord { Human = "human", Json = "json", Ndjson = "ndjson", Markdown = "markdown", Github = "github" }
    ColorWord { Auto = "auto", Always = "always", Never = "never" }
    LogWord { Human = "human", Json = "json" }
}

/// How state is kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateFile {
    /// Whether secrets are taken out of test messages before they are written; `true` unless set.
    #[serde(default)]
    pub(crate) redact: Option<bool>,
    /// The git remote that the state is shared through; `origin` unless set.
    #[serde(default)]
    pub(crate) remote: Option<String>,
    /// The branch that holds the folded state; `maestro-state` unless set. A small repository may name its default branch.
    #[serde(default)]
    pub(crate) branch: Option<String>,
}
