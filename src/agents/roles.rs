//! Roles: who may change what, whose work is always wanted, and how strong a model it takes. The six that every run has, and a team's own.

use super::graph::{Acceptance, Complexity, TaskSpec};
use crate::llm::router::Tier;

/// What a role may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Nothing,
    /// Files that are not there yet, of those that its task names.
    NewFiles,
    /// The files that its task names.
    Scope,
    /// Tests.
    Tests,
    /// Documents, and the record of the change.
    Docs,
}

/// What makes a role's work done, beside an answer that fits its schema and a change that the policy lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The commands of its task end with exit code 0.
    Commands,
    /// So do the planned tests, known flaky ones forgiven.
    Tests,
    /// It found nothing that must be mended first.
    Verdict,
    /// The record of the change is valid.
    Record,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// The prompt that it is told.
    pub(crate) prompt: String,
    /// For the planner.
    pub(crate) does: String,
    pub(crate) right: Right,
    pub(crate) proof: Proof,
    /// Whether it is added to a plan that leaves it out.
    pub(crate) is_always: bool,
}

/// The role that makes the plan.
pub(crate) const PLANNER: &str = "planner";

/// Globs of tests, in the manner of most ecosystems.
pub(crate) const TESTS: &[&str] = &[
    "tests/**",
    "**/tests/**",
    "test/**",
    "**/test/**",
    "**/__tests__/**",
    "**/testdata/**",
    "**/*_test.*",
    "**/test_*.*",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*Test.java",
    "**/*Tests.cs",
    "spec/**",
];

/// Globs of documents.
pub(crate) const DOCS: &[&str] = &[
    "docs/**",
    "doc/**",
    "**/*.md",
    "**/*.rst",
    "**/*.adoc",
    "CHANGELOG*",
    ".maestro/changes/*.yaml",
];

fn role(name: &str, does: &str, right: Right, proof: Proof, is_always: bool) -> Role {
    Role {
        name: name.to_owned(),
        prompt: name.to_owned(),
        does: does.to_owned(),
        right,
        proof,
        is_always,
    }
}

/// The roles that every team has, in the order of their work.
pub(crate) fn built_in() -> Vec<Role> {
    vec![
        role(
            "scaffolder",
            "makes new files with the shape of what is to come, so that it builds",
            Right::NewFiles,
            Proof::Commands,
            false,
        ),
        role(
            "implementer",
            "writes the code of one task, within its files",
            Right::Scope,
            Proof::Commands,
            false,
        ),
        role(
            "tester",
            "writes tests for the change and runs all that it affects",
            Right::Tests,
            Proof::Tests,
            true,
        ),
        role(
            "reviewer",
            "looks for what is wrong with the change, and changes nothing",
            Right::Nothing,
            Proof::Verdict,
            true,
        ),
        role(
            "docs",
            "writes documents, the record of the change, and the text of the pull request",
            Right::Docs,
            Proof::Record,
            true,
        ),
    ]
}

/// Lock files by manifest: who may change the one may change the other, where package managers keep it.
const LOCKS: [(&str, &[&str]); 7] = [
    ("Cargo.toml", &["Cargo.lock"]),
    (
        "package.json",
        &[
            "package-lock.json",
            "npm-shrinkwrap.json",
            "pnpm-lock.yaml",
            "yarn.lock",
            "bun.lock",
        ],
    ),
    ("go.mod", &["go.sum"]),
    ("pyproject.toml", &["uv.lock", "poetry.lock", "pdm.lock"]),
    ("Pipfile", &["Pipfile.lock"]),
    ("Gemfile", &["Gemfile.lock"]),
    ("composer.json", &["composer.lock"]),
];

/// Returns the lock files of a manifest, beside it and at the top; none for other files.
pub(crate) fn locks_of(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let own = LOCKS.iter().find(|(manifest, _)| *manifest == name);
    let locks = own.into_iter().flat_map(|(_, locks)| locks.iter());
    locks
        .flat_map(|&lock| match folder {
            "" => vec![lock.to_owned()],
            folder => vec![format!("{folder}/{lock}"), lock.to_owned()],
        })
        .collect()
}

/// Adds the tasks that are always wanted and that a plan leaves out; each waits for all that nobody else waits for.
pub(crate) fn complete(tasks: &mut Vec<TaskSpec>, roles: &[Role]) {
    for role in roles.iter().filter(|role| role.is_always) {
        if tasks.iter().any(|task| task.role == role.name) {
            continue;
        }
        let is_last = |task: &&TaskSpec| {
            let mut others = tasks.iter();
            !others.any(|other| other.depends_on.contains(&task.id))
        };
        let last: Vec<String> = tasks
            .iter()
            .filter(is_last)
            .map(|task| task.id.clone())
            .collect();
        let taken = |id: &str| tasks.iter().any(|task| task.id == id);
        let mut id = role.name.clone();
        while taken(&id) {
            id.push_str("-2");
        }
        tasks.push(TaskSpec {
            id,
            role: role.name.clone(),
            title: format!("{}: the whole change", role.name),
            goal: role.does.clone(),
            depends_on: last,
            files: Vec::new(),
            new_files: Vec::new(),
            acceptance: Acceptance::default(),
            complexity: Complexity::Medium,
        });
    }
}

/// Returns which tier a turn asks: the cheapest that may do where a check follows, the role's own where none does; one up for each check that
/// refused the work.
pub(crate) fn tier(role: &Role, own: Tier, task: &TaskSpec, climb: u8) -> Tier {
    let is_checked = matches!(role.proof, Proof::Commands) && !task.acceptance.commands.is_empty();
    let start = match (is_checked, task.complexity) {
        (true, Complexity::Small | Complexity::Medium) => Tier::Small,
        (true, Complexity::Large) => Tier::Medium,
        (false, _) => own,
    };
    (0..climb).fold(start, |tier, _| tier.up().unwrap_or(tier))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, role: &str, needs: &[&str]) -> TaskSpec {
        TaskSpec {
            id: id.to_owned(),
            role: role.to_owned(),
            title: String::new(),
            goal: String::new(),
            depends_on: needs.iter().map(|&one| one.to_owned()).collect(),
            files: Vec::new(),
            new_files: Vec::new(),
            acceptance: Acceptance::default(),
            complexity: Complexity::Small,
        }
    }

    #[test]
    fn what_is_always_wanted_comes_after_all_else() {
        let mut tasks = vec![
            task("a", "implementer", &[]),
            task("reviewer", "implementer", &["a"]),
            task("b", "implementer", &[]),
        ];
        complete(&mut tasks, &built_in());
        let seen: Vec<_> = tasks[3..]
            .iter()
            .map(|task| (task.id.as_str(), task.depends_on.join(" ")))
            .collect();
        assert_eq!(
            seen,
            [
                ("tester", "reviewer b".to_owned()),
                ("reviewer-2", "tester".to_owned()),
                ("docs", "reviewer-2".to_owned())
            ]
        );
        let count = tasks.len();
        complete(&mut tasks, &built_in());
        assert_eq!(tasks.len(), count);
    }

    #[test]
    fn a_manifest_brings_its_lock_file() {
        assert_eq!(locks_of("Cargo.toml"), ["Cargo.lock"]);
        assert_eq!(locks_of("a/go.mod"), ["a/go.sum", "go.sum"]);
        assert_eq!(locks_of("src/lib.rs"), [""; 0]);
    }

    #[test]
    fn a_check_lets_a_cheap_model_begin() {
        let roles = built_in();
        let mut one = task("a", "implementer", &[]);
        assert_eq!(tier(&roles[1], Tier::Medium, &one, 0), Tier::Medium);
        one.acceptance.commands = vec!["make".to_owned()];
        assert_eq!(tier(&roles[1], Tier::Medium, &one, 0), Tier::Small);
        assert_eq!(tier(&roles[1], Tier::Medium, &one, 1), Tier::Medium);
        assert_eq!(tier(&roles[1], Tier::Medium, &one, 9), Tier::Large);
        one.complexity = Complexity::Large;
        assert_eq!(tier(&roles[1], Tier::Small, &one, 0), Tier::Medium);
        assert_eq!(tier(&roles[3], Tier::Large, &one, 0), Tier::Large);
    }
}
