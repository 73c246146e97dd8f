//! What a turn's prompt is told: every variable that roles may declare, made from what the turn stands on.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::engine::Workplace;
use super::steps::Abandon;
use super::team::{Team, git};
use crate::agents::board::Body;
use crate::prompts::file::VariableFile;
use crate::prompts::prepared::DELIMITER;

/// Files that say how a team writes, best first.
const CONVENTIONS: [&str; 3] = [
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md",
];

/// So much of it is read.
const CONVENTIONS_BYTES: usize = 16 * 1024;

impl Team<'_> {
    /// Returns the values of a turn, as far as its prompt declares them.
    pub(super) fn values(
        &self,
        place: &Workplace<'_>,
        declared: &BTreeMap<String, VariableFile>,
    ) -> Result<Map<String, Value>, Abandon> {
        let mut values = Map::new();
        values.insert(DELIMITER.to_owned(), json!(self.head.delimiter));
        for name in declared.keys() {
            if let Some(value) = self.value(place, name)? {
                values.insert(name.clone(), value);
            }
        }
        // The prompt's own defaults and checks say the rest.
        if let Some(fields) = declared
            .get("issue")
            .and_then(|issue| issue.fields.as_ref())
            && let Some(Value::Object(issue)) = values.get_mut("issue")
        {
            issue.retain(|name, _| fields.contains_key(name));
        }
        Ok(values)
    }

    fn value(&self, place: &Workplace<'_>, name: &str) -> Result<Option<Value>, Abandon> {
        let spec = place.spec;
        Ok(match name {
            "task" => Some(json!({
                "id": spec.id,
                "title": spec.title,
                "goal": spec.goal,
                "done_when": spec.acceptance.done_when,
                "commands": spec.acceptance.commands,
            })),
            "may_change" => Some(json!(place.shown_scope())),
            "files" => Some(self.file_values(place)?),
            "notes" => Some(json!(self.notes(place))),
            "conventions" => self.conventions(&place.ground.tree)?,
            "attempts" => {
                let shared = self.shared();
                let failures = shared.failures.get(&place.turn.task);
                let errors = failures.into_iter().flatten();
                Some(errors.map(|error| json!({"error": error})).collect())
            }
            "patch" => Some(json!(self.patch_so_far(place)?)),
            "intent" => {
                let text = |name: &str| self.head.issue[name].as_str().unwrap_or_default();
                Some(json!(format!("{}\n\n{}", text("title"), text("body"))))
            }
            "issue" => Some(self.head.issue.clone()),
            "board" => {
                let names = self.names_above(place.turn.task);
                let shared = self.shared();
                let entries = shared.board.of(&names);
                let entries = entries.map(
                    |entry| json!({"task": entry.task, "role": entry.role, "says": entry.body}),
                );
                Some(entries.collect())
            }
            "scans" => self.scans(place),
            "results" => place
                .results
                .as_ref()
                .map(|results| json!(self.cut(results))),
            _ => None,
        })
    }

    /// Returns the files of a task as they stand.
    fn file_values(&self, place: &Workplace<'_>) -> Result<Value, Abandon> {
        let mut room = self.patience.text;
        let mut files = Vec::new();
        let mut named: Vec<&String> = place
            .spec
            .files
            .iter()
            .chain(&place.spec.new_files)
            .collect();
        let changed = self.touched_so_far(place)?;
        if place.spec.files.is_empty() {
            named.extend(changed.iter().filter(|path| place.may_touch(path)));
        }
        named.dedup();
        for path in named {
            let bytes = self
                .trees
                .file(&self.store, &place.ground.tree, path)
                .map_err(git)?;
            let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
                continue;
            };
            if text.len() > room {
                continue;
            }
            room -= text.len();
            files.push(json!({"path": path, "text": text}));
        }
        Ok(Value::from(files))
    }

    /// Returns what changed between the run's base and a turn's ground.
    fn touched_so_far(&self, place: &Workplace<'_>) -> Result<Vec<String>, Abandon> {
        let base = self
            .trees
            .tree_of(&self.store, &self.head.base)
            .map_err(git)?;
        if base == place.ground.tree {
            return Ok(Vec::new());
        }
        let changes = self
            .trees
            .changes(&self.store, &base, &place.ground.tree)
            .map_err(git)?;
        Ok(changes.into_iter().map(|change| change.path).collect())
    }

    fn patch_so_far(&self, place: &Workplace<'_>) -> Result<String, Abandon> {
        let base = self
            .trees
            .tree_of(&self.store, &self.head.base)
            .map_err(git)?;
        if base == place.ground.tree {
            return Ok("(nothing was changed yet)".to_owned());
        }
        let diff = self
            .trees
            .diff(&self.store, &base, &place.ground.tree)
            .map_err(git)?;
        Ok(self.cut(&String::from_utf8_lossy(&diff)))
    }

    fn notes(&self, place: &Workplace<'_>) -> Vec<String> {
        let names = self.names_above(place.turn.task);
        let shared = self.shared();
        let mut notes = Vec::new();
        for entry in shared.board.of(&names) {
            match &entry.body {
                Body::Notes { notes: own } => {
                    notes.extend(own.iter().map(|note| format!("{}: {note}", entry.task)));
                }
                Body::Skeleton { interfaces } => {
                    notes.extend(
                        interfaces
                            .iter()
                            .map(|one| format!("{}: {one}", entry.task)),
                    );
                }
                _ => {}
            }
        }
        notes
    }

    fn scans(&self, place: &Workplace<'_>) -> Option<Value> {
        let names = self.names_above(place.turn.task);
        let shared = self.shared();
        let tests = shared
            .board
            .of(&names)
            .filter_map(|entry| match &entry.body {
                Body::Tests { .. } => Some(json!(entry.body)),
                _ => None,
            });
        let tests: Vec<Value> = tests.collect();
        // What a judge's own commands said.
        let commands = place.results.as_ref().filter(|_| place.role.is_own);
        let commands = commands.map(|results| self.cut(results));
        (!tests.is_empty() || commands.is_some())
            .then(|| json!({"tests": tests, "commands": commands}))
    }

    pub(super) fn conventions(&self, tree: &str) -> Result<Option<Value>, Abandon> {
        for path in CONVENTIONS {
            let Some(bytes) = self.trees.file(&self.store, tree, path).map_err(git)? else {
                continue;
            };
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            text.truncate(text.floor_char_boundary(CONVENTIONS_BYTES));
            return Ok(Some(json!(text)));
        }
        Ok(None)
    }
}
