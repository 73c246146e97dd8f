//! The team at work: what each turn stands on, who does it, what it leaves behind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::crew::{Agent, Guard, Heard, Oracle, Runner, Silent, Tests, Wish, keep, kept};
use super::drive::Ended;
use super::steps::{Abandon, Steps};
use crate::agents::board::{Board, Body, Entry, RunKey};
use crate::agents::graph::{Graph, TaskNo, TaskSpec};
use crate::agents::record::{Head, Work};
use crate::agents::roles::Role;
use crate::agents::step::{End, Turn};
use crate::agents::trailers::{Trailers, message};
use crate::llm::router::Tier;
use crate::money::Usd;
use crate::ports::trees::{Merged, RunCommit, RunStore, Trees};
use crate::ports::{Files, GitError};
use crate::prompts::set::Library;
use crate::sha::Sha;

/// What a task left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) commit: String,
    pub(crate) tree: String,
}

/// What turns write and read.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) board: Board,
    pub(crate) left: BTreeMap<TaskNo, Left>,
    /// What all turns of a task cost.
    pub(crate) spent: BTreeMap<TaskNo, Usd>,
    /// Why earlier turns of a task did not pass.
    pub(crate) failures: BTreeMap<TaskNo, Vec<String>>,
    /// Why tasks are not done that the run goes on without.
    pub(crate) let_through: BTreeMap<TaskNo, String>,
}

/// How much a turn may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Answers that a model gives.
    pub(crate) answers: u32,
    /// Answers that make no sense.
    pub(crate) slips: u32,
    /// Bytes of a diff, a file or an output that a prompt takes.
    pub(crate) text: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answers: 40,
            slips: 3,
            text: 160 * 1024,
        }
    }
}

/// A team.
pub(crate) struct Team<'t> {
    pub(crate) head: &'t Head,
    pub(crate) trees: &'t dyn Trees,
    pub(crate) store: RunStore,
    /// Where work trees are, outside of every repository: build tools look for more of a project in the folders above.
    pub(crate) root: PathBuf,
    pub(crate) files: &'t dyn Files,
    pub(crate) steps: &'t Steps<'t>,
    pub(crate) oracle: &'t dyn Oracle,
    pub(crate) guard: &'t dyn Guard,
    pub(crate) runner: &'t dyn Runner,
    pub(crate) tests: &'t dyn Tests,
    /// Who works in place of the built-in engine.
    pub(crate) agent: Option<&'t dyn Agent>,
    pub(crate) library: &'t Library,
    /// The models of the tiers, as the journal's head names them.
    pub(crate) models: [String; 3],
    pub(crate) roles: Vec<Role>,
    /// Who is asked for the plan, where somebody chose it.
    pub(crate) planner: Option<Tier>,
    /// How often tasks are tried whose role says nothing else.
    pub(crate) tries: u8,
    pub(crate) specs: Vec<TaskSpec>,
    pub(crate) graph: Graph,
    pub(crate) key: RunKey,
    /// What every model is told beside its prompt.
    pub(crate) mark: String,
    pub(crate) patience: Patience,
    /// Commands that agents may run, word by word from the beginning.
    pub(crate) commands: Vec<String>,
    pub(crate) shared: Mutex<Shared>,
}

pub(super) fn git(error: GitError) -> Abandon {
    Abandon::trouble("git failed", error)
}

impl Team<'_> {
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spec(&self, task: TaskNo) -> &TaskSpec {
        &self.specs[task.at()]
    }

    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        self.role_named(name)
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Returns what the commands of a role may begin with.
    pub(crate) fn commands_for(&self, name: &str) -> &[String] {
        match self.role(name) {
            Some(role) if !role.commands.is_empty() => &role.commands,
            _ => &self.commands,
        }
    }

    pub(super) fn tries_of(&self, task: TaskNo) -> u8 {
        let role = self.role(&self.spec(task).role);
        role.and_then(|role| role.tries).unwrap_or(self.tries)
    }

    /// Returns how often each task is tried, in the plan's order.
    pub(super) fn limits(&self) -> Vec<u8> {
        let tasks = (0..).map(TaskNo).zip(&self.specs);
        tasks.map(|(task, _)| self.tries_of(task)).collect()
    }

    /// Returns how large a file of the run's base is.
    pub(crate) fn size_of(&self, path: &str) -> u64 {
        let file = self.trees.file(&self.store, &self.head.base, path);
        file.ok().flatten().map_or(0, |bytes| bytes.len() as u64)
    }

    /// Asks a model, as a step of a turn.
    pub(super) fn ask(
        &self,
        step: &str,
        wish: &Wish<'_>,
    ) -> Result<Result<Heard, Silent>, Abandon> {
        let input = wish.digest(&self.models[wish.tier as usize]);
        let value = self
            .steps
            .perform(step, input, || Ok(keep(&self.oracle.ask(wish)?)))?;
        kept(&value).ok_or_else(|| Abandon::Diverged {
            step: step.to_owned(),
            what: "its outcome is no answer".to_owned(),
        })
    }

    /// Returns what a task stands on: all that it depends on, merged in the plan's order. The error names who must mend a conflict, and why.
    pub(super) fn ground(&self, task: TaskNo) -> Result<Result<Left, (TaskNo, String)>, Abandon> {
        self.merged(self.graph.needs(task))
    }

    /// Merges what some tasks left, in the plan's order.
    pub(crate) fn merged(
        &self,
        tasks: &[TaskNo],
    ) -> Result<Result<Left, (TaskNo, String)>, Abandon> {
        let mut whole: Option<Left> = None;
        for task in tasks {
            let Some(next) = self.shared().left.get(task).cloned() else {
                continue;
            };
            let Some(so_far) = &whole else {
                whole = Some(next);
                continue;
            };
            if so_far.commit == next.commit {
                continue;
            }
            let merged = self
                .trees
                .merge(&self.store, &so_far.commit, &next.commit)
                .map_err(git)?;
            let tree = match merged {
                Merged::Clean(tree) => tree,
                Merged::Conflict(files) => {
                    let why = format!(
                        "it changes the same lines as a task that ran beside it: {}",
                        files.join(", ")
                    );
                    return Ok(Err((*task, why)));
                }
            };
            let trailers = Trailers {
                run: self.head.run.clone(),
                task: None,
                role: None,
                models: Vec::new(),
                cost: None,
            };
            let commit = RunCommit {
                tree: tree.clone(),
                parents: vec![so_far.commit.clone(), next.commit],
                message: message(&format!("Merge {}", self.spec(*task).id), "", &trailers),
                at: self.head.at,
            };
            let commit = self.trees.commit(&self.store, &commit).map_err(git)?;
            whole = Some(Left { commit, tree });
        }
        match whole {
            Some(whole) => Ok(Ok(whole)),
            None => {
                let commit = self.head.base.clone();
                let tree = self.trees.tree_of(&self.store, &commit).map_err(git)?;
                Ok(Ok(Left { commit, tree }))
            }
        }
    }

    /// Returns the names of all tasks above one, in the plan's order.
    pub(super) fn names_above(&self, task: TaskNo) -> Vec<&str> {
        let above = self.graph.above(task);
        above
            .iter()
            .map(|one| self.spec(*one).id.as_str())
            .collect()
    }

    /// Hears how a turn ended: what later turns stand on.
    pub(crate) fn heard(&self, ended: &Ended) {
        let Ended { turn, end, work } = ended;
        let mut shared = self.shared();
        let spent = shared.spent.entry(turn.task).or_default();
        *spent = spent.saturating_add(work.usd);
        for entry in &work.entries {
            // It is the very entry that this run wrote; one that is not signed by its task is not taken.
            let _taken = shared.board.take(&self.key, entry.clone());
        }
        match end {
            End::Done => {
                shared.let_through.remove(&turn.task);
                if !work.why.is_empty() {
                    shared.let_through.insert(turn.task, work.why.clone());
                }
                if let (Some(commit), Some(tree)) = (&work.commit, &work.tree) {
                    let left = Left {
                        commit: commit.clone(),
                        tree: tree.clone(),
                    };
                    shared.left.insert(turn.task, left);
                }
            }
            End::Rejected(blamed) => {
                for task in blamed {
                    let words = format!("{}: {}", self.spec(turn.task).role, work.why);
                    shared.failures.entry(*task).or_default().push(words);
                }
            }
            End::Refused | End::Broken | End::Hopeless | End::Money => {
                let why = work.why.clone();
                shared.failures.entry(turn.task).or_default().push(why);
            }
        }
    }

    /// Signs what a turn writes to the blackboard. The entries count when the turn's end does.
    pub(super) fn entries(&self, turn: Turn, bodies: Vec<Body>) -> Vec<Entry> {
        let spec = self.spec(turn.task);
        let mut board = self.shared().board.clone();
        let entries = bodies.into_iter();
        entries
            .map(|body| board.write(&self.key, &spec.id, &spec.role, body))
            .collect()
    }

    /// Returns the folder of a task's work tree.
    pub(super) fn tree_folder(&self, task: TaskNo) -> PathBuf {
        self.root.join("trees").join(&self.spec(task).id)
    }

    /// Cuts a text to what a prompt takes, at a line.
    pub(super) fn cut(&self, text: &str) -> String {
        let most = self.patience.text;
        if text.len() <= most {
            return text.to_owned();
        }
        let (head, tail) = (
            text.floor_char_boundary(most / 2),
            text.ceil_char_boundary(text.len() - most / 2),
        );
        let left_out = tail - head;
        format!(
            "{}\n… {left_out} bytes are left out …\n{}",
            &text[..head],
            &text[tail..]
        )
    }
}

/// Returns a step's name: task, round, try, what, number.
pub(super) fn step_name(id: &str, turn: Turn, what: &str, number: u32) -> String {
    format!("{id}/{}.{}/{what}/{number}", turn.round, turn.number)
}

/// A step's input, from texts.
pub(super) fn input(parts: &[&str]) -> Sha {
    Sha::of(Value::from(parts.to_vec()).to_string().as_bytes())
}

/// How a turn ended before anything was done.
pub(super) fn ended(turn: Turn, end: End, why: impl Into<String>) -> Ended {
    Ended {
        turn,
        end,
        work: Work {
            why: why.into(),
            ..Work::default()
        },
    }
}
