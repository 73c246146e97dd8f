//! The policy's guard over an agent's tasks: what a task means to do, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::agents::canaries::Canaries;
use crate::agents::graph::TaskSpec;
use crate::agents::scan::{Found, Outgoing, Weight as ScanWeight, scan};
use crate::change::{Entry, Kind};
use crate::cli::check_policy::{Loaded, lines};
use crate::conduct::agents::crew::{Guard, Judged};
use crate::conduct::agents::steps::Abandon;
use crate::conduct::changed::Changed;
use crate::policy::engine::{Judgement, judge};
use crate::policy::globs::Globs;
use crate::policy::subject::{Asked, Subject};
use crate::policy::task::{SCHEMA, Task};
use crate::policy::{Target, Weight};
use crate::ports::trees::{RunStore, Trees};

/// Judges by the policy of the base.
pub(super) struct PolicyGuard<'g> {
    pub(super) loaded: &'g Loaded,
    pub(super) trees: &'g dyn Trees,
    pub(super) store: &'g RunStore,
    pub(super) asked: Asked,
    pub(super) canaries: &'g Canaries,
    pub(super) today: Date,
    /// Of the run's base, for what files are now.
    pub(super) base: BTreeMap<String, Entry>,
}

/// So many breaches are told.
const MOST: usize = 12;

impl PolicyGuard<'_> {
    fn task(&self, spec: &TaskSpec, scope: Option<&[String]>) -> Result<Task, Abandon> {
        let sources: Vec<String> = scope.unwrap_or_default().to_vec();
        let globs: Globs = serde_json::from_value(serde_json::json!(sources))
            .map_err(|error| Abandon::trouble("the task's scope is no list of globs", error))?;
        Ok(Task {
            schema: SCHEMA.to_owned(),
            id: spec.id.clone(),
            title: None,
            author: self.asked.author.clone(),
            association: self.asked.association.clone(),
            labels: self.asked.labels.clone(),
            files: spec.files.iter().chain(&spec.new_files).cloned().collect(),
            scope: globs,
        })
    }
}

impl Guard for PolicyGuard<'_> {
    fn leak(&self, text: &str) -> Option<String> {
        let leak = self.canaries.find(text.as_bytes())?;
        Some(format!("the canary `{}`, {}", leak.which, leak.form))
    }

    fn before(&self, spec: &TaskSpec) -> Result<Judged, Abandon> {
        let task = self.task(spec, None)?;
        let changes = task.planned(|path| self.base.get(path).cloned());
        let subject = Subject {
            changes: &changes,
            lines: &[],
            asked: &self.asked,
            supplied: None,
            today: self.today,
        };
        Ok(told(&judge(
            &self.loaded.policy,
            &self.loaded.baseline,
            &subject,
            Some(&task),
        )))
    }

    fn after(
        &self,
        spec: &TaskSpec,
        scope: &[String],
        (old, new): (&str, &str),
    ) -> Result<Judged, Abandon> {
        let git = |error| Abandon::trouble("git failed", error);
        let changes = self.trees.changes(self.store, old, new).map_err(git)?;
        let mut blobs = BTreeMap::new();
        for (side, tree) in [(0, old), (1, new)] {
            for change in &changes {
                let entry = if side == 0 { &change.old } else { &change.new };
                let Some(entry) = entry
                    .as_ref()
                    .filter(|entry| entry.kind() != Kind::Submodule)
                else {
                    continue;
                };
                if let Some(bytes) = self
                    .trees
                    .file(self.store, tree, &change.path)
                    .map_err(git)?
                {
                    blobs.insert(entry.object.to_string(), bytes);
                }
            }
        }
        let whole = Changed::of(changes, blobs);
        let lines = lines(&whole);
        let task = self.task(spec, Some(scope))?;
        let subject = Subject {
            changes: &whole.changes,
            lines: &lines,
            asked: &self.asked,
            supplied: None,
            today: self.today,
        };
        let judgement = judge(
            &self.loaded.policy,
            &self.loaded.baseline,
            &subject,
            Some(&task),
        );
        let judged = told(&judgement);
        if judged != Judged::Passes {
            return Ok(judged);
        }
        let outgoing = Outgoing {
            files: &lines,
            texts: &[],
            canaries: Some(self.canaries),
        };
        Ok(scanned(&scan(&outgoing, &BTreeSet::new())))
    }
}

fn place(target: &Target) -> String {
    match target {
        Target::Place(place) => match place.line {
            Some(line) => format!("{}:{line}", place.path),
            None => place.path.clone(),
        },
        Target::Package { name, version, .. } => format!("{name}@{version}"),
        Target::Change => "the change".to_owned(),
        Target::Said(what) => (*what).to_owned(),
        Target::Report(name) => name.clone(),
    }
}

/// What the scan of everything that leaves found, as far as it blocks.
fn scanned(found: &[Found]) -> Judged {
    let blocking = found.iter().filter(|one| one.weight == ScanWeight::Block);
    let lines: Vec<String> = blocking
        .take(MOST)
        .map(|one| {
            format!(
                "{}: {}: {}. {}",
                one.rule.name, one.place, one.rule.what, one.rule.fix
            )
        })
        .collect();
    if lines.is_empty() {
        Judged::Passes
    } else {
        Judged::Blocked(lines.join("\n"))
    }
}

/// Rules that ask for reports and lock files, which nobody has in the middle of a run: `run-agents publish` and `check-policy` judge them.
const OF_REPORTS: [&str; 4] = [
    "licences",
    "new-dependencies",
    "scan-findings",
    "vulnerabilities",
];

/// What needs a person gets one when the draft is reviewed; what is blocked goes no further.
fn told(judgement: &Judgement) -> Judged {
    let blocking: Vec<_> = judgement
        .violations
        .iter()
        .filter(|violation| violation.weight == Weight::Block && violation.forgiven.is_none())
        .filter(|violation| !OF_REPORTS.contains(&violation.rule.name))
        .collect();
    if blocking.is_empty() {
        return Judged::Passes;
    }
    let lines = blocking.iter().take(MOST).map(|violation| {
        format!(
            "{}: {}, {}: {} (limit: {}). {}",
            violation.entry,
            place(&violation.target),
            violation.message,
            violation.observed,
            violation.limit,
            violation.fix
        )
    });
    let mut words = lines.collect::<Vec<_>>().join("\n");
    if blocking.len() > MOST {
        words.push_str(&format!("\n… and {} more", blocking.len() - MOST));
    }
    Judged::Blocked(words)
}
