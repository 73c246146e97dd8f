//! What a run came to, as the event `agent_run` has it: its tasks by role, what they cost, and what went wrong on the way. No login, prompt or secret.
//!
//! The payload is frozen: a field never changes its meaning and never goes; new ones may come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bundle::{Bundle, BundleTask};
use super::graph::TaskSpec;
use super::record::{Head, Record};
use super::roles::PLANNER;
use super::step::{End, Turn};
use super::story::end_name;
use crate::money::Usd;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The commit that it started from.
    pub(crate) base: String,
    /// Nothing where it is only known by what it left.
    #[serde(default)]
    pub(crate) began: Option<Timestamp>,
    /// What it could cost at most; nothing where its calls have no price.
    #[serde(default)]
    pub(crate) cap_usd: Option<Usd>,
    /// The commit that has all that is done; of a published run the tip of its branch.
    #[serde(default)]
    pub(crate) commit: Option<String>,
    /// `builtin`, `command` where somebody else's program did the work, or `recorded` where answers came from a file and nobody was paid.
    #[serde(default)]
    pub(crate) engine: String,
    /// Changed paths.
    #[serde(default)]
    pub(crate) files: u64,
    /// The issue's number.
    #[serde(default)]
    pub(crate) issue: Option<u64>,
    /// `complete`, `partial`, `failed`, `needs-answers`, `no-plan`, `stopped`, `stopped-by-budget` or `stopped-by-deadline`.
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) pull_request: Option<u64>,
    /// How often it was gone on with.
    #[serde(default)]
    pub(crate) resumed: u32,
    pub(crate) run: String,
    pub(crate) spent_usd: Usd,
    /// `ended`, or `published` by another job, which knows the pull request and not how long things took.
    pub(crate) stage: String,
    /// In the order of the plan; the planner's own is first.
    pub(crate) tasks: Vec<TaskAccount>,
    /// From its first line to its last in milliseconds, pauses included.
    #[serde(default)]
    pub(crate) took_ms: Option<u64>,
    #[serde(default)]
    pub(crate) tree: Option<String>,
    /// Of maestro.
    #[serde(default)]
    pub(crate) version: String,
}

/// What became of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskAccount {
    /// Turns that ended, whatever their end.
    pub(crate) attempts: u64,
    /// What did not pass, in order. A task that is done and has none was right at the first try.
    #[serde(default)]
    pub(crate) failures: Vec<FailureAccount>,
    #[serde(default)]
    pub(crate) models: Vec<String>,
    pub(crate) role: String,
    /// `done`, `failed`, `skipped` (what it needs was not done) or `open` (the run ended before it did).
    pub(crate) state: String,
    pub(crate) task: String,
    /// All turns together, in milliseconds.
    #[serde(default)]
    pub(crate) took_ms: Option<u64>,
    pub(crate) usd: Usd,
}

/// What was wrong with a task's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureAccount {
    /// The role that refused it; nothing where a check did.
    #[serde(default)]
    pub(crate) by: Option<String>,
    /// `refused` (a check), `broken` (no answer that makes sense), `rejected` (somebody after it), `hopeless`, `money`, or `let-through` (the run went
    /// on without it); of a published run the task's state.
    pub(crate) end: String,
    /// One line.
    pub(crate) why: String,
}

/// What is known of a run beside its journal.
pub(crate) struct Known<'k> {
    pub(crate) head: &'k Head,
    pub(crate) outcome: &'k str,
    pub(crate) commit: Option<&'k str>,
    pub(crate) tree: Option<&'k str>,
    pub(crate) files: u64,
    pub(crate) cap: Option<Usd>,
    pub(crate) engine: &'k str,
    pub(crate) pull_request: Option<u64>,
    /// The state of each task, in the plan's order.
    pub(crate) states: &'k [&'k str],
    /// Why there is no plan: how that ended, and in words.
    pub(crate) no_plan: Option<(End, &'k str)>,
    /// Takes secrets out of a text.
    pub(crate) clean: &'k dyn Fn(&str) -> String,
}

/// So many failures of a task are told: the first, and the last where there are more.
const MOST_FAILURES: usize = 10;

/// No line of a failure is longer, in bytes.
const LONGEST: usize = 240;

/// Adds up a journal; `times` are when its records were written, in milliseconds.
pub(crate) fn account(known: &Known<'_>, records: &[Record], times: &[Option<i64>]) -> Account {
    let head = known.head;
    let mut adding = Adding {
        known,
        tasks: vec![TaskAccount {
            role: PLANNER.to_owned(),
            state: "open".to_owned(),
            task: "plan".to_owned(),
            ..TaskAccount::default()
        }],
        specs: &[],
        begun: Vec::new(),
        resumed: 0,
        planning: None,
    };
    let all_times = times.iter().copied().chain(std::iter::repeat(None));
    for (record, at) in records.iter().zip(all_times) {
        adding.add(record, at);
    }
    if let Some((end, why)) = &known.no_plan {
        let planner = &mut adding.tasks[0];
        "failed".clone_into(&mut planner.state);
        fail(planner, None, end, why, known);
    }
    let spent = adding.tasks.iter().map(|task| task.usd);
    Account {
        base: head.base.clone(),
        began: Some(head.at),
        cap_usd: known.cap,
        commit: known.commit.map(str::to_owned),
        engine: known.engine.to_owned(),
        files: known.files,
        issue: head.issue["number"].as_u64(),
        outcome: known.outcome.to_owned(),
        pull_request: known.pull_request,
        resumed: adding.resumed,
        run: head.run.clone(),
        spent_usd: spent.fold(Usd::ZERO, Usd::saturating_add),
        stage: "ended".to_owned(),
        took_ms: since(
            times.first().copied().flatten(),
            times.last().copied().flatten(),
        ),
        tasks: adding.tasks,
        tree: known.tree.map(str::to_owned),
        version: head.version.clone(),
    }
}

fn since(from: Option<i64>, to: Option<i64>) -> Option<u64> {
    u64::try_from(to? - from?).ok()
}

/// What was added up so far. The first task is the planner's.
struct Adding<'a> {
    known: &'a Known<'a>,
    tasks: Vec<TaskAccount>,
    specs: &'a [TaskSpec],
    /// Turns under way, and when they began.
    begun: Vec<(Turn, Option<i64>)>,
    resumed: u32,
    /// When the planner was asked last.
    planning: Option<i64>,
}

impl<'a> Adding<'a> {
    fn add(&mut self, record: &'a Record, at: Option<i64>) {
        match record {
            Record::Plan { tasks, .. } => self.plan(tasks),
            Record::Begun { turn } => self.begun.push((*turn, at)),
            Record::Ended { turn, end, work } => {
                let from = self.begun.iter().position(|(begun, _)| begun == turn);
                let from = from.and_then(|place| self.begun.swap_remove(place).1);
                if let Some(task) = self.tasks.get_mut(turn.task.at() + 1) {
                    task.attempts += 1;
                    task.usd = task.usd.saturating_add(work.usd);
                    take_time(task, since(from, at));
                    for model in &work.models {
                        take_model(task, model);
                    }
                }
                self.failed(*turn, end, &work.why);
            }
            Record::Intent { step, .. } if step.starts_with("plan/") => self.planning = at,
            Record::Outcome { step, result } if step.starts_with("plan/") => {
                let planner = &mut self.tasks[0];
                planner.attempts += 1;
                let usd = result["usd"].as_str().and_then(|usd| usd.parse().ok());
                planner.usd = planner.usd.saturating_add(usd.unwrap_or(Usd::ZERO));
                take_time(planner, since(self.planning, at));
                if let Some(model) = result["model"].as_str() {
                    take_model(planner, model);
                }
            }
            Record::Resumed { .. } => self.resumed += 1,
            Record::Run(_)
            | Record::Intent { .. }
            | Record::Outcome { .. }
            | Record::Halted { .. }
            | Record::Over { .. } => {}
        }
    }

    fn plan(&mut self, specs: &'a [TaskSpec]) {
        self.specs = specs;
        self.tasks.truncate(1);
        "done".clone_into(&mut self.tasks[0].state);
        let states = self.known.states.iter().copied();
        let states = states.chain(std::iter::repeat("open"));
        self.tasks
            .extend(specs.iter().zip(states).map(|(spec, state)| TaskAccount {
                role: spec.role.clone(),
                state: state.to_owned(),
                task: spec.id.clone(),
                ..TaskAccount::default()
            }));
    }

    /// Writes a failure down where the work is that was wrong.
    fn failed(&mut self, turn: Turn, end: &End, why: &str) {
        let own = turn.task.at();
        let role = self.specs.get(own).map(|spec| spec.role.clone());
        match end {
            End::Done if why.is_empty() => {}
            End::Rejected(blamed) if !blamed.is_empty() => {
                for one in blamed {
                    if let Some(task) = self.tasks.get_mut(one.at() + 1) {
                        fail(task, role.clone(), end, why, self.known);
                    }
                }
            }
            _ => {
                if let Some(task) = self.tasks.get_mut(own + 1) {
                    fail(task, None, end, why, self.known);
                }
            }
        }
    }
}

fn take_time(task: &mut TaskAccount, ms: Option<u64>) {
    if let Some(ms) = ms {
        task.took_ms = Some(task.took_ms.unwrap_or(0).saturating_add(ms));
    }
}

fn take_model(task: &mut TaskAccount, model: &str) {
    if !task.models.iter().any(|known| known == model) {
        task.models.push(model.to_owned());
    }
}

fn fail(task: &mut TaskAccount, by: Option<String>, end: &End, why: &str, known: &Known<'_>) {
    if task.failures.len() >= MOST_FAILURES {
        task.failures.pop();
    }
    let why = (known.clean)(&gist(why));
    let author = known.head.issue["author"].as_str().unwrap_or_default();
    task.failures.push(FailureAccount {
        by,
        end: match end {
            End::Done => "let-through".to_owned(),
            end => end_name(end).to_owned(),
        },
        why: nameless(&why, author),
    });
}

/// Returns what a bundle says of its run, and where it was published.
pub(crate) fn published(
    bundle: &Bundle,
    (commit, pull_request): (&str, Option<u64>),
    clean: &dyn Fn(&str) -> String,
) -> Account {
    let author = bundle.issue.author.as_deref().unwrap_or_default();
    let task = |task: &BundleTask| TaskAccount {
        attempts: u64::from(task.attempts),
        failures: Vec::from_iter(task.why.as_ref().map(|why| FailureAccount {
            by: None,
            end: task.state.name().to_owned(),
            why: nameless(&clean(&gist(why)), author),
        })),
        models: task.models.clone(),
        role: task.role.clone(),
        state: task.state.name().to_owned(),
        task: task.id.clone(),
        took_ms: None,
        usd: task.cost_usd,
    };
    Account {
        base: bundle.base.commit.clone(),
        began: None,
        cap_usd: Some(bundle.cap_usd),
        commit: Some(commit.to_owned()),
        engine: String::new(),
        files: 0,
        issue: bundle.issue.number,
        outcome: bundle.outcome.name().to_owned(),
        pull_request,
        resumed: 0,
        run: bundle.run.clone(),
        spent_usd: bundle.spent_usd,
        stage: "published".to_owned(),
        tasks: bundle.tasks.iter().map(task).collect(),
        took_ms: None,
        tree: Some(bundle.head.tree.clone()),
        version: String::new(),
    }
}

/// Returns the one line that says most: of a command that failed what it said last, of other words the first line.
pub(crate) fn gist(why: &str) -> String {
    let mut lines = why.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else {
        return String::new();
    };
    let whole = match lines.next_back() {
        Some(end) if first.starts_with("$ ") && end.starts_with('(') => {
            let said = lines.next_back().unwrap_or("it said nothing");
            format!("{first}: {said} {end}")
        }
        _ => first.to_owned(),
    };
    let mut plain: String = whole
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.truncate(plain.floor_char_boundary(LONGEST));
    plain
}

/// Takes accounts' names out of a line: that of whoever wrote the issue, and what calls somebody.
fn nameless(line: &str, author: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_somebody = !word.is_empty() && (out.ends_with('@') || word == author);
        out.push_str(if is_somebody { "…" } else { word });
        let other = after.find(is_name).unwrap_or(after.len());
        out.push_str(&after[..other]);
        rest = &after[other..];
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agents::record::Work;

    fn head() -> Head {
        Head {
            schema: super::super::record::SCHEMA.to_owned(),
            run: "r1".to_owned(),
            version: "0.1.0".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            base: "b".to_owned(),
            branch: None,
            delimiter: "d".to_owned(),
            issue: json!({"number": 7, "title": "t", "author": "ada"}),
            settings: json!({}),
            inputs: json!({}),
        }
    }

    fn turn(task: u32, number: u8, round: u16) -> Turn {
        Turn {
            task: crate::agents::graph::TaskNo(task),
            number,
            round,
            climb: 0,
        }
    }

    fn work(why: &str, usd: &str) -> Work {
        Work {
            why: why.to_owned(),
            models: vec!["m".to_owned()],
            usd: usd.parse().unwrap(),
            ..Work::default()
        }
    }

    fn plan() -> Record {
        let task = |id: &str, role: &str| {
            serde_json::from_value(json!({"id": id, "role": role, "title": "", "goal": ""}))
                .unwrap()
        };
        Record::Plan {
            tasks: vec![task("a", "implementer"), task("r", "reviewer")],
            entries: Vec::new(),
        }
    }

    fn known<'k>(head: &'k Head, states: &'k [&'k str]) -> Known<'k> {
        Known {
            head,
            outcome: "complete",
            commit: Some("c"),
            tree: Some("t"),
            files: 2,
            cap: Some("10".parse().unwrap()),
            engine: "builtin",
            pull_request: None,
            states,
            no_plan: None,
            clean: &|text| text.replace("hunter2", "[redacted]"),
        }
    }

    #[test]
    fn what_was_wrong_stands_with_the_task_whose_work_it_was() {
        let head = head();
        let planned = json!({"answer": {}, "model": "big", "usd": "0.5"});
        let ended = |turn, end, why| Record::Ended {
            turn,
            end,
            work: work(why, "0.25"),
        };
        let (one, two) = (turn(0, 1, 0), turn(0, 2, 0));
        let records = [
            Record::Run(head.clone()),
            Record::Intent {
                step: "plan/model/1".to_owned(),
                input: String::new(),
            },
            Record::Outcome {
                step: "plan/model/1".to_owned(),
                result: planned,
            },
            plan(),
            Record::Begun { turn: one },
            ended(
                one,
                End::Refused,
                "$ sh test.sh\nfine so far\nexpected 5, got -1: hunter2\n(exit code 1)\n",
            ),
            Record::Begun { turn: two },
            ended(two, End::Done, ""),
            Record::Begun {
                turn: turn(1, 1, 0),
            },
            ended(
                turn(1, 1, 0),
                End::Rejected(vec![one.task]),
                "add.sh:1 it adds twice, says @bob-l (ada, ada@example.com)\nmore",
            ),
            Record::Resumed {
                at: Timestamp::UNIX_EPOCH,
            },
        ];
        let times: Vec<Option<i64>> = (0..records.len())
            .map(|at| i64::try_from(at * 10).ok())
            .collect();
        let found = account(&known(&head, &["done", "open"]), &records, &times);
        let rows: Vec<_> = found
            .tasks
            .iter()
            .map(|task| {
                (
                    task.role.as_str(),
                    task.state.as_str(),
                    task.attempts,
                    task.usd.to_string(),
                    task.took_ms,
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("planner", "done", 1, "0.5".to_owned(), Some(10)),
                ("implementer", "done", 2, "0.5".to_owned(), Some(20)),
                ("reviewer", "open", 1, "0.25".to_owned(), Some(10)),
            ]
        );
        let failures = json!(found.tasks[1].failures);
        assert_eq!(
            failures,
            json!([
                {"by": null, "end": "refused", "why": "$ sh test.sh: expected 5, got -1: [redacted] (exit code 1)"},
                {"by": "reviewer", "end": "rejected", "why": "add.sh:1 it adds twice, says @… (…, …@….com)"},
            ])
        );
        assert_eq!(
            (
                found.spent_usd.to_string().as_str(),
                found.resumed,
                found.took_ms
            ),
            ("1.25", 1, Some(100))
        );
    }

    #[test]
    fn a_run_without_a_plan_is_the_planners_failure() {
        let head = head();
        let mut known = known(&head, &[]);
        known.no_plan = Some((End::Money, "there is no money for it"));
        let found = account(&known, &[Record::Run(head.clone())], &[None]);
        assert_eq!(
            json!(found.tasks),
            json!([{"attempts": 0, "failures": [{"by": null, "end": "money", "why": "there is no money for it"}],
                "models": [], "role": "planner", "state": "failed", "task": "plan", "took_ms": null, "usd": "0"}])
        );
    }

    #[test]
    fn of_many_failures_the_first_and_the_last_are_told() {
        let head = head();
        let known = known(&head, &[]);
        let mut task = TaskAccount::default();
        for number in 0..30 {
            fail(
                &mut task,
                None,
                &End::Refused,
                &format!("{number} {}", "é".repeat(300)),
                &known,
            );
        }
        assert_eq!(task.failures.len(), MOST_FAILURES);
        assert!(task.failures[0].why.starts_with("0 ") && task.failures[9].why.starts_with("29 "));
        assert!(task.failures.iter().all(|one| one.why.len() <= LONGEST));
    }
}
