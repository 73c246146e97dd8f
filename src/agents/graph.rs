//! The task graph: what a plan asks for, held against its bounds before anybody works on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::{command_fault, is_name, path_fault, rule_fault};
use crate::order;

/// What a plan wants done by one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskSpec {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) title: String,
    pub(crate) goal: String,
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    /// Files that are there, and that it may change.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    #[serde(default)]
    pub(crate) new_files: Vec<String>,
    #[serde(default)]
    pub(crate) acceptance: Acceptance,
    #[serde(default)]
    pub(crate) complexity: Complexity,
}

/// When a task is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// Each ends with exit code 0 then.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
    /// What can be seen then.
    #[serde(default)]
    pub(crate) done_when: String,
}

/// How hard a plan takes a task to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Complexity {
    Small,
    #[default]
    Medium,
    Large,
}

/// How large a plan may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) tasks: usize,
    /// Of one task, new ones included.
    pub(crate) files: usize,
    /// Of one task.
    pub(crate) commands: usize,
    /// Bytes of any text of a task.
    pub(crate) text: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            tasks: 12,
            files: 8,
            commands: 8,
            text: 16 * 1024,
        }
    }
}

/// What a plan is held against.
pub(crate) struct Rules<'a> {
    pub(crate) bounds: Bounds,
    pub(crate) is_role: &'a dyn Fn(&str) -> bool,
    /// What the commands of a role may begin with, word by word.
    pub(crate) commands: &'a dyn Fn(&str) -> &'a [String],
    /// Whether a role may change a file at all.
    pub(crate) may_change: &'a dyn Fn(&str, &str) -> bool,
    /// Whether the repository has a file.
    pub(crate) has_file: &'a dyn Fn(&str) -> bool,
}

/// A place in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TaskNo(pub(crate) u32);

impl TaskNo {
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Who waits for whom. Numbers are places in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    /// Where a task's dependencies begin in `needs`; one more than there are tasks.
    needs_from: Vec<u32>,
    needs: Vec<TaskNo>,
    feeds_from: Vec<u32>,
    feeds: Vec<TaskNo>,
    /// Every task after all that it depends on, and among those in the plan's order.
    order: Vec<TaskNo>,
}

impl Graph {
    /// Builds a graph from the dependencies of each task; the error names the tasks of a cycle, in its order.
    pub(crate) fn new(needs: &[Vec<TaskNo>]) -> Result<Self, Vec<TaskNo>> {
        let count = needs.len();
        let mut feeds = vec![Vec::new(); count];
        let mut needs_from = Vec::with_capacity(count + 1);
        let mut flat = Vec::new();
        for (at, own) in needs.iter().enumerate() {
            needs_from.push(short(flat.len()));
            let mut own = own.clone();
            order::sort(&mut own);
            own.dedup();
            for one in &own {
                if let Some(feeds) = feeds.get_mut(one.at()) {
                    feeds.push(TaskNo(short(at)));
                    flat.push(*one);
                }
            }
        }
        needs_from.push(short(flat.len()));
        let mut graph = Self {
            needs_from,
            needs: flat,
            feeds_from: Vec::with_capacity(count + 1),
            feeds: Vec::new(),
            order: Vec::with_capacity(count),
        };
        for own in feeds {
            graph.feeds_from.push(short(graph.feeds.len()));
            graph.feeds.extend(own);
        }
        graph.feeds_from.push(short(graph.feeds.len()));
        graph.sort().map(|()| graph)
    }

    /// Kahn's algorithm (Kahn 1962, "Topological sorting of large networks"), the smallest number first.
    fn sort(&mut self) -> Result<(), Vec<TaskNo>> {
        let mut missing: Vec<u32> = (0..self.len())
            .map(|at| short(self.needs(TaskNo(short(at))).len()))
            .collect();
        let first = (0..self.len()).filter(|at| missing[*at] == 0);
        let mut ready: std::collections::BinaryHeap<_> =
            first.map(|at| std::cmp::Reverse(short(at))).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(std::cmp::Reverse(at)) = ready.pop() {
            order.push(TaskNo(at));
            for next in self.feeds(TaskNo(at)) {
                missing[next.at()] -= 1;
                if missing[next.at()] == 0 {
                    ready.push(std::cmp::Reverse(next.0));
                }
            }
        }
        if order.len() < self.len() {
            return Err(self.cycle(&missing));
        }
        self.order = order;
        Ok(())
    }

    /// Walks against the arrows among what is never ready until a task comes up again.
    fn cycle(&self, missing: &[u32]) -> Vec<TaskNo> {
        let Some(start) = missing.iter().position(|missing| *missing > 0) else {
            return Vec::new();
        };
        let mut seen: Vec<TaskNo> = Vec::new();
        let mut at = TaskNo(short(start));
        while !seen.contains(&at) {
            seen.push(at);
            let stuck = self.needs(at).iter().find(|one| missing[one.at()] > 0);
            let Some(next) = stuck else { break };
            at = *next;
        }
        let from = seen.iter().position(|one| *one == at).unwrap_or(0);
        let mut cycle = seen.split_off(from);
        cycle.reverse();
        cycle
    }

    pub(crate) fn len(&self) -> usize {
        self.needs_from.len().saturating_sub(1)
    }

    /// Returns what a task depends on, in the plan's order.
    pub(crate) fn needs(&self, task: TaskNo) -> &[TaskNo] {
        slice(&self.needs_from, &self.needs, task)
    }

    /// Returns what depends on a task, in the plan's order.
    pub(crate) fn feeds(&self, task: TaskNo) -> &[TaskNo] {
        slice(&self.feeds_from, &self.feeds, task)
    }

    /// Returns every task after all that it depends on.
    pub(crate) fn order(&self) -> &[TaskNo] {
        &self.order
    }

    /// Returns all that a task depends on, over any number of steps, in the plan's order.
    pub(crate) fn above(&self, task: TaskNo) -> Vec<TaskNo> {
        self.reach(task, Self::needs)
    }

    /// Returns all that depends on a task, over any number of steps, in the plan's order.
    pub(crate) fn below(&self, task: TaskNo) -> Vec<TaskNo> {
        self.reach(task, Self::feeds)
    }

    fn reach(&self, task: TaskNo, next: fn(&Self, TaskNo) -> &[TaskNo]) -> Vec<TaskNo> {
        let mut seen = vec![false; self.len()];
        let mut open = vec![task];
        while let Some(at) = open.pop() {
            for one in next(self, at) {
                if !std::mem::replace(&mut seen[one.at()], true) {
                    open.push(*one);
                }
            }
        }
        let reached = seen.iter().enumerate().filter(|(_, seen)| **seen);
        reached.map(|(at, _)| TaskNo(short(at))).collect()
    }
}

fn slice<'a>(from: &[u32], flat: &'a [TaskNo], task: TaskNo) -> &'a [TaskNo] {
    let bound = |at: usize| from.get(at).map_or(0, |at| *at as usize);
    flat.get(bound(task.at())..bound(task.at() + 1))
        .unwrap_or(&[])
}

/// Plans are bounded long before this matters.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A fault of a plan, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The task; none when it is about the plan.
    pub(crate) task: Option<String>,
    pub(crate) words: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.task {
            Some(task) => write!(f, "task `{task}`: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// Holds a plan against its rules, and returns who waits for whom, or all that is wrong.
pub(crate) fn check(tasks: &[TaskSpec], rules: &Rules<'_>) -> Result<Graph, Vec<Fault>> {
    let mut faults = Vec::new();
    let whole = |words: String| Fault { task: None, words };
    if tasks.is_empty() {
        faults.push(whole("the plan has no task".to_owned()));
    }
    if tasks.len() > rules.bounds.tasks {
        let words = format!(
            "the plan has {} tasks, and may have {}",
            tasks.len(),
            rules.bounds.tasks
        );
        return Err(vec![whole(words)]);
    }
    let mut numbers = BTreeMap::new();
    for (at, task) in tasks.iter().enumerate() {
        if numbers.insert(task.id.as_str(), short(at)).is_some() {
            faults.push(whole(format!("two tasks are called `{}`", task.id)));
        }
    }
    let mut needs = Vec::with_capacity(tasks.len());
    for task in tasks {
        let mut say = |words: String| {
            faults.push(Fault {
                task: Some(task.id.chars().take(64).collect()),
                words,
            });
        };
        task_faults(task, rules, &mut say);
        let mut own = Vec::with_capacity(task.depends_on.len());
        for name in &task.depends_on {
            match numbers.get(name.as_str()) {
                Some(number) => own.push(TaskNo(*number)),
                None => say(format!("it depends on `{name}`, which the plan has not")),
            }
        }
        needs.push(own);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let name = |no: &TaskNo| tasks.get(no.at()).map_or("?", |task| task.id.as_str());
    let graph = Graph::new(&needs).map_err(|cycle| {
        let mut names: Vec<&str> = cycle.iter().map(name).collect();
        names.extend(names.first().copied());
        vec![whole(format!(
            "tasks wait for each other: {}",
            names.join(" → ")
        ))]
    })?;
    let shared = shared_files(tasks, &graph);
    if shared.is_empty() {
        return Ok(graph);
    }
    let words = shared.iter().map(|(path, one, other)| {
        whole(format!(
            "`{}` and `{}` both name `{path}`, and neither waits for the other",
            name(one),
            name(other)
        ))
    });
    Err(words.collect())
}

/// Finds files that two tasks may change at the same time.
fn shared_files<'t>(tasks: &'t [TaskSpec], graph: &Graph) -> Vec<(&'t str, TaskNo, TaskNo)> {
    let mut owners: BTreeMap<&str, Vec<TaskNo>> = BTreeMap::new();
    for (at, task) in tasks.iter().enumerate() {
        for path in task.files.iter().chain(&task.new_files) {
            let own = owners.entry(path.as_str()).or_default();
            if own.last() != Some(&TaskNo(short(at))) {
                own.push(TaskNo(short(at)));
            }
        }
    }
    let mut shared = Vec::new();
    for (path, own) in owners {
        for (at, one) in own.iter().enumerate() {
            let below = graph.below(*one);
            let above = graph.above(*one);
            let apart = own[at + 1..]
                .iter()
                .filter(|other| !below.contains(other) && !above.contains(other));
            shared.extend(apart.map(|other| (path, *one, *other)));
        }
    }
    shared
}

fn task_faults(task: &TaskSpec, rules: &Rules<'_>, say: &mut dyn FnMut(String)) {
    let bounds = rules.bounds;
    if !is_name(&task.id) {
        say(
            "its id is not of small letters, digits and `-`, beginning with a letter, 48 at most"
                .to_owned(),
        );
    }
    if !(rules.is_role)(&task.role) {
        say(format!("there is no role `{}`", task.role));
    }
    for (what, text) in [
        ("title", &task.title),
        ("goal", &task.goal),
        ("acceptance.done_when", &task.acceptance.done_when),
    ] {
        if text.len() > bounds.text {
            say(format!("its `{what}` is longer than {} bytes", bounds.text));
        }
    }
    if task.title.trim().is_empty() || task.goal.trim().is_empty() {
        say("it has no `title` or no `goal`".to_owned());
    }
    let files = task.files.len() + task.new_files.len();
    if files > bounds.files {
        say(format!(
            "it names {files} files, and may name {}",
            bounds.files
        ));
    }
    for path in task.files.iter().chain(&task.new_files) {
        if let Some(words) = path_fault(path).or_else(|| rule_fault(path)) {
            say(format!("`{path}` {words}"));
        } else if !(rules.may_change)(&task.role, path) {
            say(format!(
                "`{path}` is nothing that `{}` may change",
                task.role
            ));
        }
    }
    for path in &task.files {
        if path_fault(path).is_none() && !(rules.has_file)(path) {
            say(format!(
                "`files` names `{path}`, which is not there; what is to be made stands in `new_files`"
            ));
        }
    }
    for path in &task.new_files {
        if path_fault(path).is_none() && (rules.has_file)(path) {
            say(format!(
                "`new_files` names `{path}`, which is there; what is to be changed stands in `files`"
            ));
        }
    }
    if task.acceptance.commands.len() > bounds.commands {
        say(format!("it has more than {} commands", bounds.commands));
    }
    for command in &task.acceptance.commands {
        if let Some(words) = command_fault(command, (rules.commands)(&task.role)) {
            say(format!("the command `{command}` {words}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn task(id: &str, needs: &[&str]) -> TaskSpec {
        TaskSpec {
            id: id.to_owned(),
            role: "implementer".to_owned(),
            title: "t".to_owned(),
            goal: "g".to_owned(),
            depends_on: needs.iter().map(|&one| one.to_owned()).collect(),
            files: Vec::new(),
            new_files: Vec::new(),
            acceptance: Acceptance::default(),
            complexity: Complexity::Small,
        }
    }

    fn faults(tasks: &[TaskSpec]) -> Vec<String> {
        let commands = ["cargo test".to_owned(), "make check".to_owned()];
        let rules = Rules {
            bounds: Bounds {
                tasks: 4,
                files: 2,
                commands: 2,
                text: 100,
            },
            is_role: &|role| role == "implementer",
            commands: &|_| &commands,
            may_change: &|_, path| path != "docs/a.md",
            has_file: &|path| path == "src/lib.rs",
        };
        match check(tasks, &rules) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_sound_plan_has_an_order() {
        let mut last = task("c", &["a", "b", "a"]);
        last.files = vec!["src/lib.rs".to_owned()];
        last.new_files = vec!["src/new.rs".to_owned()];
        last.acceptance.commands = vec!["cargo test --offline -- 'a b'".to_owned()];
        let tasks = [last, task("b", &["a"]), task("a", &[])];
        assert_eq!(faults(&tasks), [""; 0]);
        let graph = Graph::new(&[vec![TaskNo(1), TaskNo(2)], vec![TaskNo(2)], vec![]]).unwrap();
        assert_eq!(graph.order(), [TaskNo(2), TaskNo(1), TaskNo(0)]);
        assert_eq!(graph.above(TaskNo(0)), [TaskNo(1), TaskNo(2)]);
        assert_eq!(graph.below(TaskNo(2)), [TaskNo(0), TaskNo(1)]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let mut odd = task("A b", &["nobody"]);
        odd.role = "Wizard".to_owned();
        odd.goal = " ".to_owned();
        odd.files = vec![
            "../x".to_owned(),
            "src/none.rs".to_owned(),
            ".GIT/hooks".to_owned(),
        ];
        odd.new_files = vec!["src/lib.rs".to_owned(), "docs/a.md".to_owned()];
        odd.acceptance.commands = vec![
            "cargo test; rm -rf /".to_owned(),
            "curl x".to_owned(),
            "cargo testify".to_owned(),
        ];
        let found = faults(&[odd, task("b", &[]), task("b", &[])]);
        for part in [
            "two tasks are called `b`",
            "its id is not of small letters",
            "there is no role `Wizard`",
            "no `title` or no `goal`",
            "it names 5 files, and may name 2",
            "`docs/a.md` is nothing that `Wizard` may change",
            "`../x` has an empty part",
            "`src/none.rs`, which is not there",
            "`.GIT/hooks` is git's own",
            "`new_files` names `src/lib.rs`, which is there",
            "more than 2 commands",
            "has `;`, which only a shell understands",
            "the command `curl x` begins with none of cargo test, make check",
            "the command `cargo testify` begins with none",
            "it depends on `nobody`",
        ] {
            assert!(
                found.iter().any(|fault| fault.contains(part)),
                "{part}: {found:#?}"
            );
        }
        assert_eq!(faults(&[]), ["the plan has no task"]);
        let many: Vec<TaskSpec> = (0..5).map(|at| task(&format!("t{at}"), &[])).collect();
        assert_eq!(faults(&many), ["the plan has 5 tasks, and may have 4"]);
    }

    #[test]
    fn tasks_that_share_a_file_wait_for_each_other() {
        let with = |id: &str, needs: &[&str]| {
            let mut task = task(id, needs);
            task.files = vec!["src/lib.rs".to_owned()];
            task
        };
        assert_eq!(
            faults(&[with("a", &[]), with("b", &[])]),
            ["`a` and `b` both name `src/lib.rs`, and neither waits for the other"]
        );
        let between = task("m", &["a"]);
        assert_eq!(
            faults(&[with("a", &[]), between, with("b", &["m"])]),
            [""; 0]
        );
    }

    #[test]
    fn a_cycle_is_named_along_its_arrows() {
        let tasks = [
            task("a", &["c"]),
            task("b", &["a"]),
            task("c", &["b"]),
            task("d", &["c"]),
        ];
        let found = faults(&tasks);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].ends_with("b → c → a → b")
                || found[0].ends_with("a → b → c → a")
                || found[0].ends_with("c → a → b → c"),
            "{found:?}"
        );
        assert_eq!(
            faults(&[task("a", &["a"])]),
            ["tasks wait for each other: a → a"]
        );
    }

    proptest! {
        #[test]
        fn the_order_has_every_task_after_its_needs(
            needs in prop::collection::vec(prop::collection::vec(0..30_u32, 0..3), 0..30),
        ) {
            let count = u32::try_from(needs.len()).unwrap();
            let needs: Vec<Vec<TaskNo>> = needs.iter().map(|own| own.iter().filter(|one| **one < count).copied().map(TaskNo).collect()).collect();
            match Graph::new(&needs) {
                Ok(graph) => {
                    prop_assert_eq!(graph.order().len(), needs.len());
                    let mut done = vec![false; needs.len()];
                    for task in graph.order() {
                        prop_assert!(graph.needs(*task).iter().all(|one| done[one.at()]));
                        done[task.at()] = true;
                    }
                }
                Err(cycle) => {
                    prop_assert!(!cycle.is_empty());
                    for (at, task) in cycle.iter().enumerate() {
                        let next = cycle[(at + 1) % cycle.len()];
                        prop_assert!(needs[next.at()].contains(task), "{:?}", cycle);
                    }
                }
            }
        }
    }
}
