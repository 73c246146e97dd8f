//! Roles: who may change what, whose work is always wanted, and how strong a model it takes. The six that every run has, and a team's own.

use globset::{GlobBuilder, GlobSetBuilder};

use super::graph::{Acceptance, Complexity, TaskSpec};
use crate::llm::router::Tier;
use crate::money::Usd;

/// What a role may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Right {
    #[default]
    Nothing,
    /// Files that are not there yet, of those that its task names.
    NewFiles,
    /// The files that its task names.
    Scope,
    /// Tests.
    Tests,
    /// Documents, and the record of the change.
    Docs,
    /// What its globs name.
    Paths,
}

/// What makes a role's work done, beside an answer that fits its schema and a change that the policy lets pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The commands of its task end with exit code 0.
    Commands,
    /// So do the planned tests, known flaky ones forgiven.
    Tests,
    /// It found nothing that must be mended first.
    #[default]
    Verdict,
    /// The record of the change is valid.
    Record,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Whether the team added it.
    pub(crate) is_own: bool,
    /// The roles that it comes after.
    pub(crate) after: Vec<String>,
    /// Who is asked first; the prompt and the task say it where it is open.
    pub(crate) tier: Option<Tier>,
    /// Globs outside of which it changes nothing, whatever its right; none leaves the right as it is.
    pub(crate) paths: Vec<String>,
    /// What its commands may begin with; everybody's where there are none.
    pub(crate) commands: Vec<String>,
    pub(crate) tries: Option<u8>,
    /// What one of its tasks may cost.
    pub(crate) cap: Option<Usd>,
    /// Whether the run stops at what it finds, and at its failure.
    pub(crate) gates: bool,
}

/// Whether a path is within one of some globs; one that cannot be read lets nothing in.
pub(crate) fn within(globs: &[String], path: &str) -> bool {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        set.add(match glob {
            Ok(glob) => glob,
            Err(_) => return false,
        });
    }
    set.build().is_ok_and(|set| set.is_match(path))
}

/// Says what is wrong with a glob of paths.
pub(crate) fn glob_fault(glob: &str) -> Option<String> {
    if glob.is_empty() || glob.starts_with(['/', '!']) {
        return Some("is no glob of paths from the repository's top".to_owned());
    }
    let made = GlobBuilder::new(glob).literal_separator(true).build();
    made.err()
        .map(|error| format!("is no glob: {}", error.kind()))
}

impl Role {
    /// Whether its task may name a file.
    pub(crate) fn may_name(&self, path: &str) -> bool {
        self.paths.is_empty() || within(&self.paths, path)
    }
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
        gates: true,
        ..Role::default()
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

/// Adds the tasks that are always wanted and that a plan leaves out; each waits for all that nobody else waits for. Tasks of roles that the team added wait
/// for those of all roles before theirs, whatever the plan says: it is not the planner's to leave out what a gate looks at. Nor is it what the checks of a
/// run look at: where none of a check's tasks comes after all work before it, its only one does, or a last one is added.
pub(crate) fn complete(tasks: &mut Vec<TaskSpec>, roles: &[Role]) {
    for (at, role) in roles.iter().enumerate() {
        let own: Vec<usize> = (0..tasks.len())
            .filter(|at| tasks[*at].role == role.name)
            .collect();
        if own.is_empty() {
            if role.is_always {
                tasks.push(last(tasks, role, &roles[at + 1..]));
            }
        } else if role.is_own {
            wait_for(tasks, role, &roles[..at]);
        } else if role.is_always && role.proof != Proof::Record {
            look_at_all(tasks, &own, role, &roles[..at], &roles[at + 1..]);
        }
    }
}

/// A task that comes after all others but those of later checks.
fn last(tasks: &[TaskSpec], role: &Role, later: &[Role]) -> TaskSpec {
    let later = later.iter().filter(|one| one.proof != Proof::Record);
    let before = tasks
        .iter()
        .filter(|task| !later.clone().any(|one| one.name == task.role));
    let is_last = |task: &&TaskSpec| {
        let mut others = before.clone();
        !others.any(|other| other.depends_on.contains(&task.id))
    };
    let waits: Vec<String> = before
        .clone()
        .filter(is_last)
        .map(|task| task.id.clone())
        .collect();
    let taken = |id: &str| tasks.iter().any(|task| task.id == id);
    let mut id = role.name.clone();
    while taken(&id) {
        id.push_str("-2");
    }
    TaskSpec {
        id,
        role: role.name.clone(),
        title: format!("{}: the whole change", role.name),
        goal: role.does.clone(),
        depends_on: waits,
        files: Vec::new(),
        new_files: Vec::new(),
        acceptance: Acceptance {
            commands: if role.is_own {
                role.commands.clone()
            } else {
                Vec::new()
            },
            ..Acceptance::default()
        },
        complexity: Complexity::Medium,
    }
}

/// Sees to it that one of a check's tasks comes after all work of the roles before it.
fn look_at_all(
    tasks: &mut Vec<TaskSpec>,
    own: &[usize],
    role: &Role,
    before: &[Role],
    later: &[Role],
) {
    let is_before = |task: &TaskSpec| before.iter().any(|other| other.name == task.role);
    let work: Vec<usize> = (0..tasks.len())
        .filter(|at| is_before(&tasks[*at]))
        .collect();
    let sees_all = |at: &usize| {
        let seen = behind(tasks, *at);
        work.iter().all(|one| seen[*one])
    };
    if own.iter().any(sees_all) {
        return;
    }
    if let &[only] = own
        && !work.iter().any(|at| behind(tasks, *at)[only])
    {
        return wait_for(tasks, role, before);
    }
    tasks.push(last(tasks, role, later));
}

/// Which tasks a task comes after, itself left out unless it stands in a circle.
fn behind(tasks: &[TaskSpec], at: usize) -> Vec<bool> {
    let mut seen = vec![false; tasks.len()];
    let mut open = vec![at];
    while let Some(at) = open.pop() {
        for (other, task) in tasks.iter().enumerate() {
            if !seen[other] && tasks[at].depends_on.contains(&task.id) {
                seen[other] = true;
                open.push(other);
            }
        }
    }
    seen
}

/// Lets the tasks of a role wait for all tasks of others.
fn wait_for(tasks: &mut [TaskSpec], role: &Role, others: &[Role]) {
    let is_before = |task: &&TaskSpec| others.iter().any(|other| other.name == task.role);
    let before: Vec<String> = tasks
        .iter()
        .filter(is_before)
        .map(|task| task.id.clone())
        .collect();
    for task in tasks.iter_mut().filter(|task| task.role == role.name) {
        for id in &before {
            if !task.depends_on.contains(id) {
                task.depends_on.push(id.clone());
            }
        }
    }
}

/// Returns which tier a turn asks: the cheapest that may do where a check follows, the role's own where none does; one up for each check that
/// refused the work. What the team chose goes before both.
pub(crate) fn tier(role: &Role, own: Tier, task: &TaskSpec, climb: u8) -> Tier {
    let is_checked = matches!(role.proof, Proof::Commands) && !task.acceptance.commands.is_empty();
    let start = match (role.tier, is_checked, task.complexity) {
        (Some(tier), _, _) => tier,
        (None, true, Complexity::Small | Complexity::Medium) => Tier::Small,
        (None, true, Complexity::Large) => Tier::Medium,
        (None, false, _) => own,
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
    fn a_gate_that_the_team_added_waits_for_all_before_it() {
        let mut roles = built_in();
        let gate = Role {
            name: "security".to_owned(),
            is_own: true,
            is_always: true,
            commands: vec!["scan".to_owned()],
            ..Role::default()
        };
        roles.insert(4, gate);
        let needs = |tasks: &[TaskSpec], id: &str| {
            let task = tasks.iter().find(|task| task.id == id).unwrap();
            (
                task.depends_on.join(" "),
                task.acceptance.commands.join(" "),
            )
        };
        let mut tasks = vec![
            task("early", "security", &[]),
            task("a", "implementer", &[]),
        ];
        complete(&mut tasks, &roles);
        assert_eq!(
            needs(&tasks, "early"),
            ("a tester reviewer".to_owned(), String::new())
        );
        let mut tasks = vec![task("a", "implementer", &[])];
        complete(&mut tasks, &roles);
        assert_eq!(
            needs(&tasks, "security"),
            ("reviewer".to_owned(), "scan".to_owned())
        );
        assert_eq!(needs(&tasks, "docs").0, "security");
    }

    #[test]
    fn a_plan_cannot_have_its_checks_look_away() {
        let ended = |mut tasks: Vec<TaskSpec>| {
            complete(&mut tasks, &built_in());
            let count = tasks.len();
            complete(&mut tasks, &built_in());
            assert_eq!(tasks.len(), count);
            let all: Vec<String> = tasks
                .iter()
                .map(|task| format!("{}({})", task.id, task.depends_on.join(" ")))
                .collect();
            all.join(" ")
        };
        // One that would look at nothing looks at everything.
        assert_eq!(
            ended(vec![
                task("look", "reviewer", &[]),
                task("a", "implementer", &[])
            ]),
            "look(a tester) a() tester(a) docs(look)"
        );
        // One that others wait for stays, and a last one looks at the rest.
        assert_eq!(
            ended(vec![
                task("look", "reviewer", &["a"]),
                task("a", "implementer", &[]),
                task("b", "implementer", &["look"]),
            ]),
            "look(a) a() b(look) tester(a b) reviewer(tester) docs(reviewer)"
        );
        // Each branch is tested by itself, and then all of it.
        assert_eq!(
            ended(vec![
                task("a", "implementer", &[]),
                task("b", "implementer", &[]),
                task("ta", "tester", &["a"]),
                task("tb", "tester", &["b"]),
            ]),
            "a() b() ta(a) tb(b) tester(ta tb) reviewer(tester) docs(reviewer)"
        );
        // One that comes after all work is enough.
        assert_eq!(
            ended(vec![
                task("a", "implementer", &[]),
                task("t", "tester", &["a"]),
                task("r", "reviewer", &["t"]),
            ]),
            "a() t(a) r(t) docs(r)"
        );
        // Circles are found later, and hold nobody up here.
        assert!(
            ended(vec![
                task("r", "reviewer", &["r"]),
                task("a", "implementer", &["a"])
            ])
            .starts_with("r(r a tester) a(a)")
        );
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
        let mut chosen = roles[1].clone();
        chosen.tier = Some(Tier::Medium);
        assert_eq!(tier(&chosen, Tier::Small, &one, 1), Tier::Large);
    }
}
