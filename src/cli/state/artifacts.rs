//! What `state sync` says about artifacts.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::conduct::artifacts::{Fetched, Looked, Outcome};
use crate::finding::{Finding, Location, Severity};
use crate::flakes::verdict::times;
use crate::order;
use crate::output::{Cell, Column, Page};
use crate::state::refusal::Reason;

/// Artifacts that were looked through.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct ArtifactsRow {
    /// The repository.
    repository: String,
    /// Requests that it took.
    requests: u64,
    /// Artifacts that were new.
    artifacts: Vec<ArtifactRow>,
    /// Artifacts that wait for the next time.
    left: u64,
    /// Why they wait.
    stopped_by: Option<String>,
}

/// One artifact.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ArtifactRow {
    /// Its number at GitHub.
    id: u64,
    /// Its name.
    name: String,
    /// Events that were taken in, or would be.
    events: u64,
    /// Parts that were refused.
    refused: u64,
    /// Why: codes of the parts, or words about the whole of it.
    reasons: Vec<String>,
}

impl ArtifactsRow {
    pub(super) fn new(repository: String, requests: u64, fetched: &Fetched) -> Self {
        Self {
            repository,
            requests,
            artifacts: fetched.artifacts.iter().map(row).collect(),
            left: fetched.left,
            stopped_by: fetched.broken.as_ref().map(ToString::to_string),
        }
    }

    pub(super) fn page(&self, page: &mut Page) {
        let events = self.artifacts.iter().map(|row| row.events).sum();
        page.heading(format!(
            "Artifacts of {}: {} from {}",
            self.repository,
            times(events, "event"),
            times(self.artifacts.len() as u64, "artifact")
        ));
        let refused: Vec<&ArtifactRow> = self
            .artifacts
            .iter()
            .filter(|row| row.refused > 0)
            .collect();
        if !refused.is_empty() {
            let head = vec![
                Column::left("artifact"),
                Column::right("refused"),
                Column::left("why"),
            ];
            let rows = refused.iter().map(|row| {
                vec![
                    Cell::code(row.name.clone()),
                    Cell::plain(row.refused.to_string()),
                    Cell::plain(row.reasons.join(", ")),
                ]
            });
            page.table(head, rows.collect());
        }
        if let Some(words) = &self.stopped_by {
            page.text(format!(
                "{} left for the next time: {words}",
                times(self.left, "artifact")
            ));
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> + '_ {
        let refused = self.artifacts.iter().filter(|row| row.refused > 0);
        refused.map(|row| Finding {
            code: "artifact".into(),
            severity: Severity::Warning,
            message: format!(
                "{} refused: {}",
                times(row.refused, "part"),
                row.reasons.join(", ")
            ),
            location: Some(Location {
                path: row.name.clone(),
                line: None,
                column: None,
            }),
        })
    }
}

fn row(looked: &Looked) -> ArtifactRow {
    let (events, refused, reasons) = match &looked.outcome {
        Outcome::Refused(words) => (0, 1, vec![words.clone()]),
        Outcome::TakenIn(taken) => {
            let named = taken.refused.iter().map(|refusal| refusal.reason);
            let mut codes: Vec<&str> = named
                .chain(taken.refused_more.keys().copied())
                .map(Reason::code)
                .collect();
            order::sort(&mut codes);
            codes.dedup();
            let codes = codes.into_iter().map(str::to_owned);
            (taken.events, taken.refusals(), codes.collect())
        }
    };
    ArtifactRow {
        id: looked.id,
        name: looked.name.clone(),
        events,
        refused,
        reasons,
    }
}
