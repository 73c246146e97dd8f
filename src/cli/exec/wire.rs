//! `maestro.exec/v1`: how a job's command ended, and what is forgiven.

use std::collections::BTreeMap;
use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::task::Task;
use crate::cli::flakes::FlakesGateDocument;
use crate::cli::flakes::ingest::Stored;
use crate::exec::{Ending, Obstacle, Standing};
use crate::finding::{Finding, Severity};
use crate::flakes::gate::Judged;
use crate::flakes::trusted::Trusted;
use crate::flakes::verdict::times;
use crate::output::{Page, Report};

/// How a job's command ended, and what is forgiven.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.exec/v1"))]
pub(crate) struct ExecDocument {
    /// `maestro.exec/v1`
    schema: &'static str,
    /// Whether nothing ran.
    dry_run: bool,
    /// The job of the configuration.
    job: Option<String>,
    /// What keeps its legs apart: shard, axes.
    leg: String,
    /// The command.
    command: String,
    /// Variables that it finds.
    variables: BTreeMap<String, String>,
    /// After so many seconds it is stopped.
    timeout_seconds: Option<u64>,
    /// Where its reports are looked for.
    junit: Vec<String>,
    /// `exited`, `killed` (by a signal) or `timed-out`.
    ended: Option<&'static str>,
    /// Its exit status, or the number of the signal.
    status: Option<i32>,
    /// `passed`, `forgiven`, `would-forgive` (with `enforce: [flakes]` on the base) or `failed`.
    standing: Option<&'static str>,
    /// What maestro exits with.
    exit_code: u8,
    /// Why a failure is not forgiven, beside what the reports say.
    obstacles: Vec<ObstacleRow>,
    /// What the reports say, under the rules that were handed on.
    tests: Option<FlakesGateDocument>,
    /// Tests of mode `skip` that the runner was told to leave out.
    left_out: Vec<String>,
    /// Reports that are older than the run, which are not read.
    stale: Vec<String>,
    /// Events that were stored.
    events: u64,
    /// What else somebody should know.
    notes: Vec<String>,
}

/// Why a failure is not forgiven.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ObstacleRow {
    /// `no-rules`, `bad-rules`, `killed`, `timed-out`, `not-reached`, `earlier-report`, `unclear-command` or `not-read`.
    code: &'static str,
    detail: String,
}

impl ExecDocument {
    pub(super) fn of_dry_run(task: &Task) -> Self {
        Self {
            schema: "maestro.exec/v1",
            dry_run: true,
            job: task.job.clone(),
            leg: task.leg().to_owned(),
            command: task.shown(),
            variables: task
                .variables()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            timeout_seconds: task.within.map(|within| within.as_secs()),
            junit: task
                .junit
                .0
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            ended: None,
            status: None,
            standing: None,
            exit_code: 0,
            obstacles: Vec::new(),
            tests: None,
            left_out: Vec::new(),
            stale: Vec::new(),
            events: 0,
            notes: Vec::new(),
        }
    }

    pub(super) fn new(task: &Task, ending: Ending, standing: Standing, exit_code: u8) -> Self {
        let (ended, status) = match ending {
            Ending::Exited(status) => ("exited", Some(status)),
            Ending::Killed(signal) => ("killed", Some(signal)),
            Ending::TimedOut => ("timed-out", None),
        };
        Self {
            dry_run: false,
            ended: Some(ended),
            status,
            standing: Some(standing.name()),
            exit_code,
            ..Self::of_dry_run(task)
        }
    }

    pub(super) fn tests(&mut self, rules: &Trusted, judged: &Judged, files: u64) {
        self.tests = Some(FlakesGateDocument::new(rules, judged, files));
    }

    pub(super) fn left_out(&mut self, tests: Vec<String>) {
        self.left_out = tests;
    }

    pub(super) fn stale(&mut self, stale: Vec<String>) {
        self.stale = stale;
    }

    pub(super) fn obstacles(&mut self, obstacles: &[Obstacle]) {
        let rows = obstacles.iter().map(|obstacle| ObstacleRow {
            code: obstacle.code(),
            detail: obstacle.words(),
        });
        self.obstacles = rows.collect();
    }

    pub(super) fn stored(&mut self, stored: &Stored) {
        self.events = stored.events;
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Returns who it is about, for people.
    fn name(&self) -> String {
        let name = self.job.as_ref().unwrap_or(&self.command);
        match self.leg.as_str() {
            "" => format!("`{name}`"),
            leg => format!("`{name}` ({leg})"),
        }
    }

    /// Returns the line that says it all.
    fn sentence(&self) -> String {
        let name = self.name();
        let (tests, failures, forgiven) = self
            .tests
            .as_ref()
            .map_or((0, 0, 0), FlakesGateDocument::numbers);
        let counts = format!("{} in {}", times(failures, "failure"), times(tests, "test"));
        let how = match (self.ended, self.status) {
            (Some("killed"), Some(signal)) => format!("was ended by signal {signal}"),
            (Some("timed-out"), _) => "ran for too long and was stopped".to_owned(),
            (_, status) => format!("exited with {}", status.unwrap_or_default()),
        };
        match self.standing {
            Some("passed") => format!("{name} passed: {counts}."),
            Some("forgiven") => {
                format!("{name} {how}, and all is forgiven: {counts}, every one in quarantine.")
            }
            Some("would-forgive") => format!(
                "{name} {how}; with `enforce: [flakes]` on the base it would be forgiven: {counts}, every one in quarantine."
            ),
            Some(_) => format!("{name} {how}: {counts}, {forgiven} of them forgiven."),
            None => format!("{name} would run: {}", self.command),
        }
    }
}

impl Report for ExecDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(self.sentence());
        if self.dry_run {
            for (name, value) in &self.variables {
                page.text(format!("{name}={value}"));
            }
            for path in &self.junit {
                page.text(format!("Its reports: {path}"));
            }
            return page;
        }
        for row in &self.obstacles {
            page.text(format!("Nothing is forgiven: {}.", row.detail));
        }
        if self.standing != Some("passed")
            && let Some(tests) = &self.tests
        {
            tests.list(&mut page);
        }
        if !self.left_out.is_empty() {
            page.text(format!(
                "{} in quarantine did not run: {}.",
                times(self.left_out.len() as u64, "test"),
                self.left_out.join(", ")
            ));
        }
        for path in &self.stale {
            page.text(format!("Not read: `{path}` is from before this run."));
        }
        for note in &self.notes {
            page.text(format!("Note: {note}."));
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let new = |code: &str, severity, message: String| Finding {
            code: format!("exec/{code}"),
            severity,
            message,
            location: None,
        };
        let mut findings = Vec::new();
        if !matches!(self.standing, None | Some("passed")) {
            if self.standing != Some("forgiven") {
                findings.push(new("failed", Severity::Error, self.sentence()));
            }
            let tests = self.tests.as_ref();
            findings.extend(tests.map(Report::findings).unwrap_or_default());
        }
        let notes = self.notes.iter();
        findings.extend(notes.map(|note| new("note", Severity::Warning, note.clone())));
        findings
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let (_, failures, forgiven) = self
            .tests
            .as_ref()
            .map_or((0, 0, 0), FlakesGateDocument::numbers);
        vec![
            (
                "standing".to_owned(),
                self.standing.unwrap_or_default().to_owned(),
            ),
            ("failures".to_owned(), failures.to_string()),
            ("forgiven".to_owned(), forgiven.to_string()),
        ]
    }
}
