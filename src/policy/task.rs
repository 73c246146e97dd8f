//! An agent's task, as it is judged before it starts and after it ends.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Violation;
use super::globs::Globs;
use super::standing::{TASK_SCOPE, violation};
use super::subject::{Asked, Subject};
use super::{Weight, paths};
use crate::change::{Change, Entry};
use crate::json;
use crate::order;

pub(crate) const SCHEMA: &str = "maestro.policy-task/v1";

/// The file of `maestro check-policy --task`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(title = "maestro.policy-task/v1", inline))]
pub(crate) struct Task {
    /// `maestro.policy-task/v1`
    pub(crate) schema: String,
    /// What it is called.
    pub(crate) id: String,
    /// What it is about, in one line.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// The account that asked for it.
    #[serde(default)]
    pub(crate) author: Option<String>,
    /// How that account stands to the repository, in GitHub's words.
    #[serde(default)]
    pub(crate) association: Option<String>,
    /// Labels of the issue.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    /// Files that the agent means to change, from the top.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// Globs of the files that the task is about; all unless set.
    #[serde(default)]
    pub(crate) scope: Globs,
}

/// Why a text is no task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskProblem {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    #[error("it names no `id`")]
    NoId,
}

impl Task {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, TaskProblem> {
        let task: Self = json::read(bytes)?;
        if task.schema != SCHEMA {
            return Err(TaskProblem::Schema(task.schema));
        }
        if task.id.trim().is_empty() {
            return Err(TaskProblem::NoId);
        }
        Ok(task)
    }

    /// Returns what it says of itself.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            title: self.title.clone(),
            author: self.author.clone(),
            association: self.association.clone(),
            labels: self.labels.clone(),
            is_agent: true,
            ..Asked::default()
        }
    }

    /// Returns the files that it means to change as changes; `old` says what a file is now.
    pub(crate) fn planned(&self, old: impl Fn(&str) -> Option<Entry>) -> Vec<Change> {
        let mut files = self.files.clone();
        order::sort(&mut files);
        files.dedup();
        let changes = files.into_iter().map(|path| Change {
            is_text: true,
            old: old(&path),
            new: Some(Entry::regular("planned")),
            path,
        });
        changes.collect()
    }

    /// Names what is outside of the task.
    pub(crate) fn outside(&self, subject: &Subject<'_>, violations: &mut Vec<Violation>) {
        if self.scope.is_empty() {
            return;
        }
        for change in subject.changes {
            let is_plain = paths::oddity(&change.path, change.is_text).is_none();
            if is_plain && self.scope.exactly(&change.path).is_some() {
                continue;
            }
            let observed = format!("{} {}", change.status().name(), change.path);
            let scope: Vec<&str> = self.scope.sources().collect();
            let limit = format!("only {}", scope.join(", "));
            violations.push(Violation {
                message: "the file is outside of the agent's task".to_owned(),
                reason: "an agent that does something else was talked into it, or has lost its way"
                    .to_owned(),
                ..violation(
                    &TASK_SCOPE,
                    Weight::Block,
                    subject.place(&change.path),
                    observed,
                    &limit,
                )
            });
        }
    }
}
