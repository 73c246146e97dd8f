//! What turns came to, added up from the journal, and what was found that stops nobody.

use serde_json::Value;

use crate::agents::board::Body;
use crate::agents::graph::TaskNo;
use crate::agents::record::Record;
use crate::conduct::agents::recording::Recording;
use crate::conduct::agents::team::Team;
use crate::money::Usd;

/// Says what those found whom the run does not wait for.
pub(super) fn advice(team: &Team<'_>) -> Vec<String> {
    let shared = team.shared();
    let mut said = Vec::new();
    for entry in shared.board.newest() {
        let role = team.role_named(&entry.role);
        if role.is_none_or(|role| role.gates) {
            continue;
        }
        if let Body::Review { findings, .. } = &entry.body {
            said.extend(findings.iter().map(|found| {
                let text = |name: &str| found[name].as_str().unwrap_or_default();
                let (path, line) = (text("path"), &found["line"]);
                format!(
                    "{} ({}): {path}:{line} {}",
                    entry.role,
                    text("severity"),
                    text("title")
                )
            }));
        }
    }
    said
}

/// What the turns of a run came to, by task.
pub(super) struct Totals {
    rows: Vec<Total>,
    pub(super) usd: Usd,
    pub(super) files: Vec<String>,
}

/// What the turns of a task came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    pub(super) tries: u64,
    pub(super) models: Vec<String>,
    pub(super) usd: Usd,
}

impl Totals {
    /// Adds up what a journal says; `plan` is what planning cost.
    pub(super) fn new(recording: &Recording, tasks: usize, files: Vec<String>) -> Self {
        let mut rows = vec![Total::default(); tasks];
        let mut usd = Usd::ZERO;
        for (step, kept) in &recording.steps {
            if step.starts_with("plan/") {
                usd = usd.saturating_add(bill(&kept.result));
            }
        }
        for record in &recording.records {
            let Record::Ended { turn, work, .. } = record else {
                continue;
            };
            if let Some(row) = rows.get_mut(turn.task.at()) {
                row.tries += 1;
                row.usd = row.usd.saturating_add(work.usd);
                usd = usd.saturating_add(work.usd);
                for model in &work.models {
                    if !row.models.contains(model) {
                        row.models.push(model.clone());
                    }
                }
            }
        }
        Self { rows, usd, files }
    }

    pub(super) fn of(&self, no: TaskNo) -> Total {
        self.rows.get(no.at()).cloned().unwrap_or_default()
    }
}

fn bill(result: &Value) -> Usd {
    let usd = result["usd"].as_str().and_then(|usd| usd.parse().ok());
    usd.unwrap_or(Usd::ZERO)
}
