//! A turn: ground, guard, work, guard, proof, commit.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::crew::{Command, Judged, Ran};
use super::drive::Ended;
use super::edit;
use super::engine::{Done, Workplace};
use super::steps::Abandon;
use super::team::{Left, Team, git, input, step_name};
use super::testing::tests_body;
use crate::agents::board::Body;
use crate::agents::change_record::{Facts, record};
use crate::agents::edits::FileChange;
use crate::agents::graph::TaskSpec;
use crate::agents::record::Work;
use crate::agents::roles::{self, DOCS, Proof, Right, Role, TESTS};
use crate::agents::step::{End, Turn};
use crate::agents::trailers::{Trailers, message};
use crate::agents::words::words;
use crate::llm::router::Tier;
use crate::money::Usd;
use crate::ports::trees::RunCommit;

/// What a turn has spent and made so far.
#[derive(Debug, Default)]
pub(super) struct Tab {
    pub(super) usd: Usd,
    pub(super) models: Vec<String>,
    /// Commands that ran.
    pub(super) runs: u32,
}

impl Tab {
    pub(super) fn heard(&mut self, model: &str, usd: Usd) {
        self.usd = self.usd.saturating_add(usd);
        if !self.models.iter().any(|known| known == model) {
            self.models.push(model.to_owned());
        }
    }
}

/// How work on a turn ended without being done.
#[derive(Debug)]
pub(super) struct Undone {
    pub(super) end: End,
    pub(super) why: String,
}

pub(super) fn undone<T>(end: End, why: impl Into<String>) -> Result<T, Undone> {
    Err(Undone {
        end,
        why: why.into(),
    })
}

impl Team<'_> {
    /// Works on a turn to its end.
    pub(crate) fn work(&self, turn: Turn) -> Result<Ended, Abandon> {
        let mut tab = Tab::default();
        let done = self.attempt(turn, &mut tab)?;
        let mut ended = match done {
            Ok(work) => Ended {
                turn,
                end: End::Done,
                work,
            },
            Err(undone) => self.not_done(turn, &undone)?,
        };
        ended.work.usd = tab.usd;
        ended.work.models = tab.models;
        Ok(ended)
    }

    fn attempt(&self, turn: Turn, tab: &mut Tab) -> Result<Result<Work, Undone>, Abandon> {
        let spec = self.spec(turn.task);
        let Some(role) = self.role(&spec.role) else {
            return Ok(undone(
                End::Hopeless,
                format!("there is no role `{}`", spec.role),
            ));
        };
        let ground = match self.ground(turn.task)? {
            Ok(ground) => ground,
            Err((who, why)) => return Ok(undone(End::Rejected(vec![who]), why)),
        };
        if let Judged::Blocked(why) = self.guard.before(spec)? {
            let why = format!("the policy does not let it begin: {why}");
            return Ok(undone(End::Hopeless, why));
        }
        let scope = self.scope(role, spec, &ground)?;
        let mut place = Workplace {
            turn,
            role,
            spec,
            ground: &ground,
            scope: &scope,
            folder: self.tree_folder(turn.task),
            tree: ground.tree.clone(),
            planned: None,
            free: Vec::new(),
            results: None,
        };
        self.trees
            .check_out(&self.store, &spec.id, &place.folder, &ground.commit)
            .map_err(git)?;
        let worked = self.prepared(&mut place, tab)?;
        let removed = self.trees.remove(&self.store, &spec.id, &place.folder);
        removed.map_err(git)?;
        Ok(worked)
    }

    /// Works in a work tree that is there.
    fn prepared(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
    ) -> Result<Result<Work, Undone>, Abandon> {
        // What is red before is what the work is about.
        match place.role.proof {
            Proof::Commands | Proof::Verdict if place.shows_commands() => {
                let ran = self.commands(place, tab)?;
                place.results = Some(ran.unwrap_or_else(|failed| failed));
            }
            Proof::Tests => {
                if let Some(red) = self.red_ground(place, tab)? {
                    return Ok(Err(red));
                }
            }
            _ => {}
        }
        let done = match self.agent {
            Some(agent) => self.errand(place, tab, agent)?,
            None => self.builtin(place, tab)?,
        };
        let done = match done {
            Ok(done) => done,
            Err(undone) => return Ok(Err(undone)),
        };
        if let Some(leak) = self.guard.leak(&done.answer.to_string()) {
            let why = format!("its answer has what nobody may know in it: {leak}");
            return Ok(undone(End::Hopeless, why));
        }
        let recorded = match place.role.proof {
            Proof::Record => self.record(place, &done)?,
            _ => None,
        };
        if let Err(undone) = self.judge(place)? {
            return Ok(Err(undone));
        }
        let mut bodies = match self.prove(place, &done, tab)? {
            Ok(bodies) => bodies,
            Err(undone) => return Ok(Err(undone)),
        };
        bodies.extend(bodies_of(
            place.role,
            &done.answer,
            &self.changed(place)?,
            recorded,
        ));
        let said = crate::json::text(&bodies).unwrap_or_default();
        if let Some(leak) = self.guard.leak(&said) {
            let why = format!("it wrote what nobody may know on the blackboard: {leak}");
            return Ok(undone(End::Hopeless, why));
        }
        let left = self.commit(place, &done, tab)?;
        Ok(Ok(Work {
            commit: Some(left.commit),
            tree: Some(left.tree),
            entries: self.entries(place.turn, bodies),
            ..Work::default()
        }))
    }

    /// Writes the record of the change, and returns its path.
    fn record(&self, place: &mut Workplace<'_>, done: &Done) -> Result<Option<String>, Abandon> {
        let above = self.graph.above(place.turn.task);
        let tasks: Vec<String> = above.iter().map(|one| self.spec(*one).id.clone()).collect();
        let cost = {
            let shared = self.shared();
            let costs = above.iter().filter_map(|one| shared.spent.get(one));
            costs.fold(Usd::ZERO, |sum, usd| sum.saturating_add(*usd))
        };
        let facts = Facts {
            run: &self.head.run,
            issue: self.head.issue["number"].as_u64(),
            tasks: &tasks,
            cost,
            today: self.head.at.to_zoned(TimeZone::UTC).date(),
        };
        let Some(file) = record(&done.answer["change"], &facts) else {
            return Ok(None);
        };
        let change = FileChange {
            path: file.path.clone(),
            before: None,
            after: Some(file.text.into_bytes()),
        };
        edit::write(self.files, &place.folder, &[change])
            .map_err(|error| Abandon::trouble("the work tree cannot be written", error))?;
        place.tree = self
            .trees
            .snapshot(&self.store, &place.spec.id, &place.folder)
            .map_err(git)?;
        Ok(Some(file.path))
    }

    /// Holds the change against the role's rights and the policy.
    fn judge(&self, place: &Workplace<'_>) -> Result<Result<(), Undone>, Abandon> {
        let trees = (place.ground.tree.as_str(), place.tree.as_str());
        if trees.0 == trees.1 {
            return Ok(Ok(()));
        }
        let outside: Vec<String> = self
            .changed(place)?
            .into_iter()
            .filter(|path| !place.may_touch(path))
            .collect();
        if !outside.is_empty() {
            let why = format!(
                "it changed what is not its own: {}. It may change: {}",
                outside.join(", "),
                place.shown_scope().join(", ")
            );
            return Ok(undone(End::Refused, why));
        }
        match self.guard.after(place.spec, place.scope, trees)? {
            Judged::Passes => Ok(Ok(())),
            Judged::Blocked(why) => Ok(undone(
                End::Refused,
                format!("the policy refuses the change: {why}"),
            )),
        }
    }

    pub(super) fn changed(&self, place: &Workplace<'_>) -> Result<Vec<String>, Abandon> {
        if place.ground.tree == place.tree {
            return Ok(Vec::new());
        }
        let changes = self
            .trees
            .changes(&self.store, &place.ground.tree, &place.tree)
            .map_err(git)?;
        Ok(changes.into_iter().map(|change| change.path).collect())
    }

    /// Returns globs of what a turn may touch.
    fn scope(&self, role: &Role, spec: &TaskSpec, ground: &Left) -> Result<Vec<String>, Abandon> {
        let globs = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        let named = || spec.files.iter().chain(&spec.new_files).cloned();
        Ok(match role.right {
            Right::Nothing => Vec::new(),
            Right::NewFiles => {
                let there = self.trees.paths(&self.store, &ground.tree).map_err(git)?;
                let is_new = |path: &String| there.binary_search(path).is_err();
                named().filter(is_new).collect()
            }
            Right::Paths => role.paths.clone(),
            Right::Scope => {
                let locks: Vec<String> = named().flat_map(|path| roles::locks_of(&path)).collect();
                named().chain(locks).collect()
            }
            Right::Tests => globs(TESTS),
            Right::Docs => globs(DOCS),
        })
    }

    /// Runs the commands of a task; the error is what the first that failed said.
    fn commands(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
    ) -> Result<Result<String, String>, Abandon> {
        let mut said = String::new();
        for command in &place.spec.acceptance.commands {
            let ran = self.run(place, tab, command, true)?;
            let words = told(command, &ran);
            if !ran.is_fine() {
                return Ok(Err(words));
            }
            said.push_str(&words);
        }
        Ok(Ok(said))
    }

    /// Runs a command in the work tree, as a step. A check leaves the work tree as it was; what else a command changes stays within what may be
    /// touched.
    pub(super) fn run(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
        command: &str,
        is_check: bool,
    ) -> Result<Ran, Abandon> {
        tab.runs += 1;
        let step = step_name(&place.spec.id, place.turn, "run", tab.runs);
        let input = input(&[command, &place.tree]);
        let before = place.tree.clone();
        let result = self.steps.perform(&step, input, || {
            // Only what the configuration names may want a shell.
            let words = words(command)
                .unwrap_or_else(|_| ["sh", "-c", command].map(str::to_owned).to_vec());
            let mut ran = self.runner.run(&Command {
                task: &place.spec.id,
                words: &words,
                folder: &place.folder,
                variables: &[],
            })?;
            let folder = place.folder.to_string_lossy();
            ran.output = ran.output.replace(&*folder, ".");
            let after = self.taken(place, &before, &mut ran)?;
            let (tree, patch, undone) =
                self.keep_what_may_stay(place, (&before, after), is_check)?;
            if !undone.is_empty() && !is_check {
                ran.output.push_str(&format!(
                    "\n(it changed files that are not yours, which was undone: {})",
                    undone.join(", ")
                ));
            }
            Ok(serde_json::json!({
                "code": ran.code,
                "ended": ran.ended,
                "output": ran.output,
                "tree": tree,
                "patch": patch,
            }))
        })?;
        self.catch_up(place, &step, &result)?;
        Ok(Ran {
            code: result["code"]
                .as_i64()
                .and_then(|code| i32::try_from(code).ok()),
            ended: result["ended"].as_str().map(str::to_owned),
            output: result["output"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// Takes back what a command changed and may not; returns the tree, what was changed as a patch, and what was taken back.
    fn keep_what_may_stay(
        &self,
        place: &Workplace<'_>,
        (before, after): (&str, String),
        is_check: bool,
    ) -> Result<(String, String, Vec<String>), Abandon> {
        let name = &place.spec.id;
        if after == before {
            return Ok((after, String::new(), Vec::new()));
        }
        let changes = self
            .trees
            .changes(&self.store, before, &after)
            .map_err(git)?;
        let paths = changes.into_iter().map(|change| change.path);
        let (kept, undone): (Vec<String>, Vec<String>) =
            paths.partition(|path| !is_check && place.may_touch(path));
        let patch = self
            .trees
            .patch(&self.store, before, &after, &kept)
            .map_err(git)?;
        let tree = if undone.is_empty() {
            after
        } else {
            let tree = self.trees.apply(&self.store, before, &patch).map_err(git)?;
            self.trees
                .reset(&self.store, name, &place.folder, &tree)
                .map_err(git)?;
            tree
        };
        Ok((tree, as_text(patch), undone))
    }

    /// Brings the work tree to what a step left, also when it was done before and elsewhere.
    pub(super) fn catch_up(
        &self,
        place: &mut Workplace<'_>,
        step: &str,
        result: &Value,
    ) -> Result<(), Abandon> {
        let tree = result["tree"].as_str().unwrap_or_default();
        if tree == place.tree {
            return Ok(());
        }
        let patch = result["patch"].as_str().unwrap_or_default();
        let made = self
            .trees
            .apply(&self.store, &place.tree, &as_bytes(patch))
            .map_err(git)?;
        if made != tree {
            return Err(Abandon::Diverged {
                step: step.to_owned(),
                what: format!("it left the tree {made} and was to leave {tree}"),
            });
        }
        place.tree = made;
        self.trees
            .reset(&self.store, &place.spec.id, &place.folder, &place.tree)
            .map_err(git)
    }

    /// Whether the work is done, as far as the role can be held to it.
    fn prove(
        &self,
        place: &mut Workplace<'_>,
        done: &Done,
        tab: &mut Tab,
    ) -> Result<Result<Vec<Body>, Undone>, Abandon> {
        match place.role.proof {
            Proof::Commands => match self.commands(place, tab)? {
                Ok(_) => Ok(Ok(Vec::new())),
                Err(why) => Ok(undone(End::Refused, why)),
            },
            Proof::Tests => {
                let run = self.planned_tests(place, tab)?;
                if run.failed.is_empty() && run.output.is_empty() {
                    return Ok(Ok(vec![tests_body(run)]));
                }
                Ok(undone(End::Refused, run.output))
            }
            Proof::Verdict => Ok(self.verdict(place, &done.answer)),
            Proof::Record => Ok(Ok(Vec::new())),
        }
    }

    fn commit(&self, place: &Workplace<'_>, done: &Done, tab: &Tab) -> Result<Left, Abandon> {
        if place.tree == place.ground.tree {
            return Ok(place.ground.clone());
        }
        let summary = done.answer["summary"].as_str().unwrap_or_default();
        let trailers = Trailers {
            run: self.head.run.clone(),
            task: Some(place.spec.id.clone()),
            role: Some(place.spec.role.clone()),
            models: tab.models.clone(),
            cost: Some(tab.usd),
        };
        let message = message(&place.spec.title, summary, &trailers);
        let commit = RunCommit {
            tree: place.tree.clone(),
            parents: vec![place.ground.commit.clone()],
            message,
            at: self.head.at,
        };
        let commit = self.trees.commit(&self.store, &commit).map_err(git)?;
        Ok(Left {
            commit,
            tree: place.tree.clone(),
        })
    }
}

/// How a patch is written that is no UTF-8.
const BASE64: &str = "base64:";

pub(super) fn as_text(patch: Vec<u8>) -> String {
    use base64::Engine as _;
    String::from_utf8(patch).unwrap_or_else(|error| {
        let digits = base64::engine::general_purpose::STANDARD.encode(error.as_bytes());
        format!("{BASE64}{digits}")
    })
}

fn as_bytes(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    match text.strip_prefix(BASE64) {
        Some(digits) => base64::engine::general_purpose::STANDARD
            .decode(digits)
            .unwrap_or_default(),
        None => text.as_bytes().to_vec(),
    }
}

/// Returns the tier that a turn asks.
pub(super) fn tier_of(place: &Workplace<'_>, own: Tier) -> Tier {
    roles::tier(place.role, own, place.spec, place.turn.climb)
}

/// Says what a command said.
pub(super) fn told(command: &str, ran: &Ran) -> String {
    let end = match (&ran.ended, ran.code) {
        (Some(why), _) => why.clone(),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "ended by a signal".to_owned(),
    };
    format!("$ {command}\n{}\n({end})\n", ran.output.trim_end())
}

fn bodies_of(
    role: &Role,
    answer: &Value,
    changed: &[String],
    recorded: Option<String>,
) -> Vec<Body> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut bodies = Vec::new();
    if !changed.is_empty() {
        bodies.push(Body::Patch {
            summary: text(&answer["summary"]),
            files: changed.to_vec(),
        });
    }
    let notes = texts(&answer["notes"]);
    if !notes.is_empty() {
        bodies.push(Body::Notes { notes });
    }
    if let Some(interfaces) = answer["interfaces"].as_array() {
        bodies.push(Body::Skeleton {
            interfaces: interfaces.clone(),
        });
    }
    if role.proof == Proof::Verdict {
        bodies.push(Body::Review {
            verdict: text(&answer["verdict"]),
            summary: text(&answer["summary"]),
            findings: answer["findings"].as_array().cloned().unwrap_or_default(),
        });
    }
    if role.proof == Proof::Record {
        let request = &answer["pull_request"];
        bodies.push(Body::Summary {
            title: text(&request["title"]),
            body: text(&request["body"]),
            change_record: recorded,
        });
    }
    let lines = texts(&answer["suspicious"]);
    if !lines.is_empty() {
        bodies.push(Body::Suspicions { lines });
    }
    bodies
}
