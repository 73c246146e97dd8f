//! The built-in engine: a model looks around, changes files and runs commands until it says that it is done.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use super::brief::Brief;
use super::crew::{Heard, Silent, Wish};
use super::edit::{self, InGit};
use super::steps::Abandon;
use super::team::{Left, Team, git, step_name};
use super::turn::{Tab, Undone, tier_of, told, undone};
use crate::agents::answers;
use crate::agents::edits::{Edit, structured};
use crate::agents::graph::TaskSpec;
use crate::agents::roles::{self, Proof, Right, Role};
use crate::agents::step::{End, Turn};
use crate::agents::tools::{self, Act};
use crate::agents::words::command_fault;
use crate::change::Kind;
use crate::llm::reply::{Part, Stop, ToolCall, ToolResult};
use crate::llm::request::Message;
use crate::prompts::output_schema;

/// Where a turn works.
pub(super) struct Workplace<'p> {
    pub(super) turn: Turn,
    pub(super) role: &'p Role,
    pub(super) spec: &'p TaskSpec,
    pub(super) ground: &'p Left,
    /// Paths and globs that it may touch.
    pub(super) scope: &'p [String],
    pub(super) folder: PathBuf,
    /// What the work tree holds.
    pub(super) tree: String,
    /// What runs the tests that the change affects, once that was asked.
    pub(super) planned: Option<Vec<(String, Option<String>)>>,
    /// Edits that were written as text.
    pub(super) free: Vec<Edit>,
    /// What the commands said before the work began.
    pub(super) results: Option<String>,
}

impl Workplace<'_> {
    pub(super) fn may_touch(&self, path: &str) -> bool {
        let is_glob = matches!(self.role.right, Right::Tests | Right::Docs | Right::Paths);
        let is_in_scope = self.scope.iter().any(|one| one == path);
        is_in_scope || (is_glob && self.role.may_name(path) && roles::within(self.scope, path))
    }

    /// Whether its commands run before it begins.
    pub(super) fn shows_commands(&self) -> bool {
        let is_wanted = self.role.proof == Proof::Commands || self.role.is_own;
        is_wanted && !self.spec.acceptance.commands.is_empty()
    }

    /// Returns what a model is told of what it may change.
    pub(super) fn shown_scope(&self) -> &[String] {
        match self.role.right {
            Right::Tests | Right::Docs if !self.role.paths.is_empty() => &self.role.paths,
            _ => self.scope,
        }
    }
}

/// What a model's last word was.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) answer: Value,
}

/// A conversation of a turn.
struct Talk {
    messages: Vec<Message>,
    /// Answers so far that made no sense.
    slips: u32,
    last_fault: String,
}

impl Talk {
    fn say(&mut self, text: String) {
        self.messages.push(Message::ask(text));
    }

    fn slip(&mut self, fault: String) {
        self.slips += 1;
        self.last_fault = fault;
    }
}

impl Team<'_> {
    /// Lets a model work until it is done.
    pub(super) fn builtin(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
    ) -> Result<Result<Done, Undone>, Abandon> {
        let fill = |declared: &_| self.values(place, declared);
        let brief = match self.brief(&place.role.prompt, &fill)? {
            Ok(brief) => brief,
            Err(why) => return Ok(undone(End::Hopeless, why)),
        };
        let Brief {
            system,
            messages,
            schema,
            tier,
            max_tokens,
        } = brief;
        let may_edit = place.role.right != Right::Nothing;
        let may_run = may_edit && !self.commands_of(place).is_empty();
        let tools = tools::tools(&schema, may_run, may_edit);
        let tier = tier_of(place, tier);
        let mut talk = Talk {
            messages,
            slips: 0,
            last_fault: String::new(),
        };
        for number in 1..=self.patience.answers {
            let step = step_name(&place.spec.id, place.turn, "model", number);
            let wish = Wish {
                task: &place.spec.id,
                role: &place.spec.role,
                tier,
                system: system.as_deref(),
                mark: &self.mark,
                messages: &talk.messages,
                tools: &tools,
                schema: None,
                max_tokens,
            };
            let heard = match self.ask(&step, &wish)? {
                Ok(heard) => heard,
                Err(silent) => return Ok(Err(silence(silent, tab))),
            };
            tab.heard(&heard.model, heard.usd);
            if let Some(done) = self.take(place, tab, &mut talk, heard, &schema)? {
                return Ok(done);
            }
            if talk.slips > self.patience.slips {
                let why = format!("its answers made no sense: {}", talk.last_fault);
                return Ok(undone(End::Broken, why));
            }
        }
        let most = self.patience.answers;
        Ok(undone(
            End::Broken,
            format!("it was not done after {most} answers"),
        ))
    }

    /// Takes an answer: does what it calls for, and returns the end when it is one.
    fn take(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
        talk: &mut Talk,
        heard: Heard,
        schema: &Value,
    ) -> Result<Option<Result<Done, Undone>>, Abandon> {
        let answer = heard.answer;
        if answer.stop == Stop::Refusal {
            return Ok(Some(undone(
                End::Hopeless,
                "the model, or a filter of its provider, will not do it",
            )));
        }
        let calls: Vec<ToolCall> = answer.calls().cloned().collect();
        let text = answer.text();
        talk.messages.push(Message {
            is_from_model: true,
            parts: answer.parts,
        });
        if calls.is_empty() {
            let found = match answer.stop {
                Stop::MaxTokens => Err("it is longer than it may be, and was cut off".to_owned()),
                _ => answers::object(&text).or_else(|fault| self.free(place, &text).ok_or(fault)),
            };
            let checked = found.and_then(|found| fits(schema, found));
            let worked = match checked {
                Ok(found) => self.finish(place, found)?,
                Err(fault) => Err(fault),
            };
            return Ok(match worked {
                Ok(done) => Some(done),
                Err(fault) => {
                    talk.say(format!(
                        "Your answer cannot be taken: {fault}\n\nAnswer again, whole."
                    ));
                    talk.slip(fault);
                    None
                }
            });
        }
        let mut results = Vec::with_capacity(calls.len());
        let mut end = None;
        for call in &calls {
            let done = match tools::read(call) {
                Err(fault) => Err(fault),
                Ok(Act::Finish(found)) => match fits(schema, found) {
                    Ok(found) => match self.finish(place, found)? {
                        Ok(done) => {
                            end = Some(done);
                            Ok("done".to_owned())
                        }
                        Err(fault) => Err(fault),
                    },
                    Err(fault) => Err(fault),
                },
                Ok(act) => self.act(place, tab, &act)?,
            };
            if let Err(fault) = &done {
                talk.slip(format!("`{}`: {fault}", call.name));
            }
            results.push(Part::Result(ToolResult {
                call: call.id.clone(),
                text: self.cut(&done.clone().unwrap_or_else(|fault| fault)),
                is_error: done.is_err(),
            }));
        }
        talk.messages.push(Message {
            is_from_model: false,
            parts: results,
        });
        Ok(end)
    }

    /// Reads edits that were written as text, in the forms that models know, as an answer of the role.
    fn free(&self, place: &mut Workplace<'_>, text: &str) -> Option<Value> {
        let tree = InGit::new(self.trees, &self.store, &place.tree).ok()?;
        let names = crate::agents::edits::Tree::names(&tree);
        let known = |path: &str| names.iter().any(|name| name == path);
        let edits = crate::agents::edits::parse(text, &known).ok()?;
        place.free = edits;
        // What was said before the first block.
        let summary: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(300)
            .collect();
        Some(
            serde_json::json!({"summary": summary, "edits": [], "notes": [], "blocked": "", "suspicious": []}),
        )
    }

    /// Takes a last word that fits its schema: applies its edits. The error is for the model.
    fn finish(
        &self,
        place: &mut Workplace<'_>,
        found: Value,
    ) -> Result<Result<Result<Done, Undone>, String>, Abandon> {
        let blocked = found["blocked"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let mut edits = std::mem::take(&mut place.free);
        edits.extend(match &found["edits"] {
            Value::Null => Vec::new(),
            Value::Array(edits) if edits.is_empty() => Vec::new(),
            edits => match structured(edits) {
                Ok(edits) => edits,
                Err(malformed) => return Ok(Err(malformed.for_model())),
            },
        });
        if edits.is_empty() && !blocked.is_empty() {
            return Ok(Ok(Err(Undone {
                end: End::Hopeless,
                why: format!("it says that it cannot be done: {blocked}"),
            })));
        }
        if let Err(fault) = self.edit(place, &edits)? {
            return Ok(Err(fault));
        }
        Ok(Ok(Ok(Done { answer: found })))
    }

    /// Changes files, all of it or nothing.
    fn edit(
        &self,
        place: &mut Workplace<'_>,
        edits: &[Edit],
    ) -> Result<Result<(), String>, Abandon> {
        if edits.is_empty() {
            return Ok(Ok(()));
        }
        let is_own = |edit: &&Edit| {
            let mut scope = place.scope.iter();
            place.may_touch(&edit.path) || scope.any(|one| one.eq_ignore_ascii_case(&edit.path))
        };
        if let Some(edit) = edits.iter().find(|edit| !is_own(edit)) {
            let scope = place.shown_scope().join(", ");
            return Ok(Err(format!(
                "`{}` is not yours to change; nothing was changed. You may change: {scope}",
                edit.path
            )));
        }
        let tree = InGit::new(self.trees, &self.store, &place.tree).map_err(git)?;
        let changes = match edit::made(&tree, edits) {
            Ok(changes) => changes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let outside = changes.iter().find(|change| !place.may_touch(&change.path));
        if let Some(change) = outside {
            let scope = place.shown_scope().join(", ");
            return Ok(Err(format!(
                "`{}` is not yours to change; nothing was changed. You may change: {scope}",
                change.path
            )));
        }
        edit::write(self.files, &place.folder, &changes)
            .map_err(|error| Abandon::trouble("the work tree cannot be written", error))?;
        place.tree = self
            .trees
            .snapshot(&self.store, &place.spec.id, &place.folder)
            .map_err(git)?;
        Ok(Ok(()))
    }

    fn act(
        &self,
        place: &mut Workplace<'_>,
        tab: &mut Tab,
        act: &Act,
    ) -> Result<Result<String, String>, Abandon> {
        match act {
            Act::Edit { edits } => match structured(edits) {
                Ok(edits) => Ok(self.edit(place, &edits)?.map(|()| "applied".to_owned())),
                Err(malformed) => Ok(Err(malformed.for_model())),
            },
            Act::Run { command } => {
                if let Some(fault) = command_fault(command, &self.commands_of(place)) {
                    return Ok(Err(format!("`{command}` {fault}")));
                }
                if let Some(leak) = self.guard.leak(command) {
                    return Ok(Err(format!(
                        "the command has what nobody may know in it: {leak}"
                    )));
                }
                let ran = self.run(place, tab, command, false)?;
                Ok(Ok(told(command, &ran)))
            }
            Act::List { below } => self.list(place, below),
            Act::Read { path, from, lines } => Ok(self.read_lines(place, path, *from, *lines)),
            Act::Search { pattern, below } => self.search(place, pattern, below),
            Act::Finish(_) => Ok(Err("it is not done".to_owned())),
        }
    }

    /// Returns what commands of a turn may begin with.
    fn commands_of(&self, place: &Workplace<'_>) -> Vec<String> {
        let own = place.spec.acceptance.commands.iter();
        let allowed = self.commands_for(&place.spec.role).iter();
        allowed.chain(own).cloned().collect()
    }

    fn list(&self, place: &Workplace<'_>, below: &str) -> Result<Result<String, String>, Abandon> {
        let paths = self.trees.paths(&self.store, &place.tree).map_err(git)?;
        let below = below.trim_matches('/');
        let mut found: Vec<&str> = paths
            .iter()
            .filter(|path| is_below(path, below))
            .map(String::as_str)
            .collect();
        let count = found.len();
        found.truncate(1000);
        if count == 0 {
            return Ok(Err(format!("there is nothing below `{below}`")));
        }
        let mut text = found.join("\n");
        if count > found.len() {
            text.push_str(&format!("\n… and {} more", count - found.len()));
        }
        Ok(Ok(text))
    }

    fn read_lines(
        &self,
        place: &Workplace<'_>,
        path: &str,
        from: u64,
        lines: u64,
    ) -> Result<String, String> {
        if let Some(fault) = crate::agents::words::path_fault(path) {
            return Err(format!("`{path}` {fault}"));
        }
        // From git, not from the disk: a link in the work tree leads nowhere.
        let bytes = self.trees.file(&self.store, &place.tree, path);
        let bytes = bytes.map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("there is no file `{path}`"))?;
        let text = String::from_utf8_lossy(&bytes);
        let skip = usize::try_from(from - 1).unwrap_or(usize::MAX);
        let most = usize::try_from(lines).unwrap_or(usize::MAX);
        let found: Vec<&str> = text.lines().skip(skip).take(most).collect();
        let count = text.lines().count();
        Ok(format!(
            "{}\n({} of {count} lines, from {from})",
            found.join("\n"),
            found.len()
        ))
    }

    fn search(
        &self,
        place: &Workplace<'_>,
        pattern: &str,
        below: &str,
    ) -> Result<Result<String, String>, Abandon> {
        let listed = self.trees.listed(&self.store, &place.tree).map_err(git)?;
        let below = below.trim_matches('/');
        let mut found = Vec::new();
        // A link leads out of the work tree, and nothing shuts us in.
        let files = listed.iter().filter(|(_, kind)| *kind == Kind::File);
        for (path, _) in files.filter(|(path, _)| is_below(path, below)) {
            let mut text = String::new();
            let Ok(file) = self.files.open(&place.folder.join(path)) else {
                continue;
            };
            if file
                .take(2 * 1024 * 1024)
                .read_to_string(&mut text)
                .is_err()
            {
                continue;
            }
            let hits = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.contains(pattern));
            for (at, line) in hits {
                let line: String = line.chars().take(300).collect();
                found.push(format!("{path}:{}: {line}", at + 1));
                if found.len() >= 200 {
                    found.push("… and more".to_owned());
                    return Ok(Ok(found.join("\n")));
                }
            }
        }
        if found.is_empty() {
            return Ok(Ok("nothing was found".to_owned()));
        }
        Ok(Ok(found.join("\n")))
    }
}

fn is_below(path: &str, below: &str) -> bool {
    below.is_empty()
        || path
            .strip_prefix(below)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Holds an answer against its schema; the error is for the model.
pub(super) fn fits(schema: &Value, found: Value) -> Result<Value, String> {
    match output_schema::check(schema, &found) {
        Ok(()) => Ok(found),
        Err(faults) => Err(faults.join("; ")),
    }
}

/// Says how a turn ends that nobody answers.
pub(super) fn silence(silent: Silent, tab: &mut Tab) -> Undone {
    match silent {
        Silent::Money(why) => Undone {
            end: End::Money,
            why,
        },
        Silent::Refused(why) => Undone {
            end: End::Hopeless,
            why,
        },
        Silent::Broken(why, usd) => {
            tab.usd = tab.usd.saturating_add(usd);
            Undone {
                end: End::Broken,
                why,
            }
        }
    }
}
