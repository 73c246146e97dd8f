//! What was checked and what came of it, for formats that name both: one model, whatever the command.

use crate::finding::{Finding, Location, Severity};

/// Something that was looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Check {
    /// `room/name`, as `maestro explain` takes it.
    pub(crate) code: String,
    /// What it is called here.
    pub(crate) name: String,
    /// What it is, in one line.
    pub(crate) what: String,
    /// What it is, in full.
    pub(crate) help: String,
    /// Why it was not looked for.
    pub(crate) skipped: Option<String>,
    pub(crate) problems: Vec<Problem>,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    /// One sentence.
    pub(crate) message: String,
    pub(crate) location: Option<Location>,
    /// What else is known of it, by name: observed, limit, reason, fix, owner…
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Stays the same when lines move.
    pub(crate) fingerprint: Option<String>,
    /// Why it does not count.
    pub(crate) forgiven: Option<String>,
}

/// Returns findings as what was checked: one check a code.
pub(super) fn of_findings(findings: Vec<Finding>) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for finding in findings {
        let problem = Problem {
            severity: finding.severity,
            message: finding.message,
            location: finding.location,
            facts: Vec::new(),
            fingerprint: None,
            forgiven: None,
        };
        match checks.iter_mut().find(|check| check.code == finding.code) {
            Some(check) => check.problems.push(problem),
            None => checks.push(Check {
                name: finding.code.clone(),
                code: finding.code,
                problems: vec![problem],
                ..Check::default()
            }),
        }
    }
    checks
}
