//! `agents:` in the configuration file: who is on the team of `run-agents`, how much it may do, and whose changes are those of agents.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A team of agents, and whose changes are those of agents.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentsFile {
    /// Tasks that are worked on at once; 4 unless set.
    #[serde(default)]
    pub(crate) concurrency: Option<u32>,
    /// How often a task is tried; 3 unless set.
    #[serde(default)]
    pub(crate) max_attempts: Option<u8>,
    /// The most tasks of a plan; 12 unless set.
    #[serde(default)]
    pub(crate) max_tasks: Option<u32>,
    /// The most that a run may cost, in US dollars; 10 unless set. The caps of the budget hold as well.
    #[serde(default)]
    pub(crate) max_usd: Option<AmountFile>,
    /// Commands that agents may run, and longer forms of them; those of the jobs and of the manifests at the top unless set.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
    /// Accounts that are agents, as their login is written, beside those that are known; their changes are told apart from those of people.
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    /// How a line begins, in the last paragraph of a commit's message, that says that an agent wrote it, as `Co-Authored-By: Claude`; beside those that
    /// are known.
    #[serde(default)]
    pub(crate) trailers: Vec<String>,
    /// Roles by name: what is other than usual of `planner`, `scaffolder`, `implementer`, `tester`, `reviewer` and `docs`, and roles of your own.
    #[serde(default)]
    pub(crate) roles: BTreeMap<String, RoleFile>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleFile {
    /// What it does, for the planner. A role of your own needs it, unless it is `security` or `performance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) does: Option<String>,
    /// The prompt of a role of your own; the one that is called as the role is unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<String>,
    /// Which model it begins with: a tier of `models.tiers`. The prompt's own unless set; `small` or `medium` where commands check the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<TierWord>,
    /// Globs of what it may change. Those of a usual role are taken from what that may change anyway; a role of your own without any changes nothing and judges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) paths: Vec<String>,
    /// Commands that it may run, and longer forms of them, in place of everybody's. A role of your own that judges sees what they print; one that changes files is done when
    /// they end with exit code 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<String>,
    /// How often a task of it is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_attempts: Option<u8>,
    /// The most that a task of it may cost, all tries together, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_usd: Option<AmountFile>,
    /// Whether the run stops at what it finds, or at its failure; `true` unless set. For `reviewer` and roles of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gates: Option<bool>,
    /// Roles that a role of your own comes after; `reviewer` unless set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
    /// Whether a role of your own is on every plan, or only on those that ask for it; `true` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) always: Option<bool>,
}

/// US dollars, as a number or a text.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged, expecting = "expected US dollars, as `2.50`")]
pub(crate) enum AmountFile {
    /// Whole ones.
    Whole(u64),
    /// With cents.
    Decimal(f64),
    /// As it is written.
    Text(String),
}

impl AmountFile {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Whole(whole) => whole.to_string(),
            Self::Decimal(decimal) => decimal.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// How strong a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum TierWord {
    Small,
    Medium,
    Large,
}
