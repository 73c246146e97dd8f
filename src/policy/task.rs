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

#[cfg(test)]
mod tests {
    use super::super::baseline::Baseline;
    use super::super::engine::{Outcome, judge};
    use super::super::rules::tests::Case;
    use super::super::tighten::Policy;
    use super::*;

    fn task(more: &str) -> Task {
        let text = format!(r#"{{"schema": "maestro.policy-task/v1", "id": "t"{more}}}"#);
        Task::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_task_says_of_itself_is_judged_as_a_pull_request_is() {
        let task = task(
            r#", "title": "fix: x", "author": "ada", "association": "MEMBER", "labels": ["data:eu"]"#,
        );
        let expected = Asked {
            title: Some("fix: x".to_owned()),
            author: Some("ada".to_owned()),
            association: Some("MEMBER".to_owned()),
            labels: vec!["data:eu".to_owned()],
            is_agent: true,
            ..Asked::default()
        };
        assert_eq!(task.asked(), expected);
    }

    #[test]
    fn an_agent_stays_within_its_task() {
        let outside = |task: &Task, paths: &[&str]| -> Vec<String> {
            let policy = Policy::default();
            let judgement = Case::paths(paths)
                .with(|subject| judge(&policy, &Baseline::default(), subject, Some(task)));
            let is_blocked = judgement.outcome == Outcome::Blocked;
            assert_eq!(is_blocked, !judgement.violations.is_empty());
            for one in &judgement.violations {
                assert_eq!(one.message, "the file is outside of the agent's task");
                assert!(!one.reason.is_empty());
            }
            let violations = judgement.violations.into_iter();
            violations
                .map(|one| format!("{}: {}, {}", one.rule.name, one.observed, one.limit))
                .collect()
        };
        let scoped = task(r#", "scope": ["src/**", "README.md"]"#);
        assert_eq!(
            outside(
                &scoped,
                &["src/a.rs", "README.md", "build.rs", "SRC/b.rs", "src/../c"]
            ),
            [
                "task-scope: added SRC/b.rs, only src/**, README.md",
                "task-scope: added build.rs, only src/**, README.md",
                "task-scope: added src/../c, only src/**, README.md",
            ]
        );
        let none: [&str; 0] = [];
        assert_eq!(outside(&scoped, &["src/a.rs"]), none);
        assert_eq!(outside(&task(""), &["build.rs"]), none);
    }

    #[test]
    fn whatever_is_no_task_is_refused() {
        for (text, expected) in [
            (
                r#"{"schema": "maestro.policy-task/v2", "id": "t"}"#,
                "its schema is `maestro.policy-task/v2`, and this version reads `maestro.policy-task/v1`",
            ),
            (
                r#"{"schema": "maestro.policy-task/v1", "id": " "}"#,
                "it names no `id`",
            ),
        ] {
            assert_eq!(
                Task::read(text.as_bytes()).unwrap_err().to_string(),
                expected
            );
        }
    }

    #[test]
    fn files_that_are_planned_are_changes_of_what_is_there() {
        let task = task(r#", "files": ["b", "a", "b"]"#);
        let changes = task.planned(|path| (path == "a").then(|| Entry::regular("now")));
        let seen: Vec<_> = changes
            .iter()
            .map(|change| (change.path.as_str(), change.status().name()))
            .collect();
        assert_eq!(seen, [("a", "modified"), ("b", "added")]);
    }
}
