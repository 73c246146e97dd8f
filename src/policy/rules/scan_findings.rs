//! `scan-findings`: what scanners find in a change, by their SARIF logs.
//!
//! New is what the base's log has not: findings are known by what their tool calls stable, or by the text that they are about, never by
//! lines. A scanner that failed, or that looked at the base and not at the head, says nothing about the change, which is a breach.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{About, Order};
use crate::policy::packages::missing;
use crate::change::Change;
use crate::finding::Location;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule, Target};
use crate::supply::sarif::{Finding, Level, Log, new_since};
use crate::supply::severity::Severity;

pub(super) const ABOUT: About = About {
    name: "scan-findings",
    what: "what scanners find that was not there before",
    fix: "fix it, or suppress it where the scanner lets one say why",
    keys: &[("level", Order::Words(&["error", "warning", "note", "none"], "error")), ("security_severity", Order::Words(&["none", "critical", "high", "medium", "low", "negligible"], "none")), ("new_only", Order::False(true)), ("tools", Order::Grows)],
};

/// `scan-findings`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanFindings {
    /// From which level of SARIF on findings count; `error` unless set.
    #[serde(default = "error")]
    level: Level,
    /// From which severity on findings count whatever their level, where the tool rates them (`security-severity`).
    #[serde(default)]
    security_severity: Option<Severity>,
    /// Whether only those count that the base has not; so it is unless set.
    #[serde(default = "yes")]
    new_only: bool,
    /// Scanners that must have run.
    #[serde(default)]
    tools: Vec<String>,
}

fn error() -> Level {
    Level::Error
}

fn yes() -> bool {
    true
}

impl ScanFindings {
    /// Says which scanners say nothing.
    fn check_tools(&self, head: &Log, base: Option<&Log>, breaches: &mut Vec<Breach>) {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let ran = |tool: &str| head.tools.iter().any(|own| same(own, tool));
        for tool in &head.failed {
            let message =
                format!("{tool} says itself that it failed: what it did not find may be there");
            let limit = "a run that succeeded".to_owned();
            breaches.push(Breach {
                fix: Some(format!(
                    "look at the notifications of {tool}, and run it again"
                )),
                ..Breach::new(
                    Target::Report(tool.clone()),
                    message,
                    "`executionSuccessful` is false",
                    limit,
                )
            });
        }
        let of_base = base.into_iter().flat_map(|base| &base.tools);
        let wanted: BTreeSet<&String> = self.tools.iter().chain(of_base).collect();
        for tool in wanted.into_iter().filter(|tool| !ran(tool)) {
            breaches.push(missing(
                format!("there is no log of {tool} about the head"),
                "--sarif",
                "the same scanners as on the base",
            ));
        }
    }

    fn counts(&self, finding: &Finding) -> bool {
        let is_severe = self
            .security_severity
            .is_some_and(|least| finding.severity.is_some_and(|own| own >= least));
        finding.level >= self.level || is_severe
    }

    fn breach(&self, finding: &Finding) -> Breach {
        let target = match &finding.path {
            Some(path) => Target::Place(Location {
                path: path.clone(),
                line: finding.line,
                column: None,
            }),
            None => Target::Report(finding.tool.clone()),
        };
        let rating = match finding.severity {
            Some(severity) => format!("{}, {}", finding.level.name(), severity.name()),
            None => finding.level.name().to_owned(),
        };
        let limit = match self.security_severity {
            Some(severity) => format!("below {} and below {}", self.level.name(), severity.name()),
            None => format!("below {}", self.level.name()),
        };
        let what = if finding.message.is_empty() {
            String::new()
        } else {
            let line = finding.message.lines().next().unwrap_or_default();
            format!(": {}", &line[..line.floor_char_boundary(300)])
        };
        let path = finding.path.as_deref().unwrap_or_default();
        Breach {
            fingerprint: Some(format!("scan-findings:{}:{path}", finding.mark)),
            fix: Some(format!(
                "fix it, or suppress `{}` where {} lets you say why",
                finding.rule, finding.tool
            )),
            ..Breach::new(
                target,
                format!("{} finds `{}`{what}", finding.tool, finding.rule),
                rating,
                limit,
            )
        }
    }
}

/// Returns where files that were moved unchanged lay before.
fn moves(changes: &[Change]) -> HashMap<&str, &str> {
    let gone = changes.iter().filter(|change| change.new.is_none());
    let gone: HashMap<&str, &str> = gone
        .filter_map(|change| Some((&*change.old.as_ref()?.object, change.path.as_str())))
        .collect();
    let come = changes.iter().filter(|change| change.old.is_none());
    come.filter_map(|change| {
        Some((
            change.path.as_str(),
            *gone.get(&*change.new.as_ref()?.object)?,
        ))
    })
    .collect()
}

impl Rule for ScanFindings {
    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let log = |side: fn(&crate::supply::Supplied) -> &crate::supply::Given| {
            subject
                .supplied
                .and_then(|supplied| side(supplied).log.as_ref())
        };
        let (head, base) = (
            log(|supplied| &supplied.head),
            log(|supplied| &supplied.base),
        );
        let Some(head) = head else {
            breaches.push(missing(
                "no SARIF log of the head was given".into(),
                "--sarif",
                "a log of a scanner",
            ));
            return;
        };
        self.check_tools(head, base, breaches);
        let found: Vec<&Finding> = match base {
            _ if !self.new_only => head.findings.iter().collect(),
            Some(base) => {
                let former = moves(subject.changes);
                let moved = |path: &str| former.get(path).map(|path| (*path).to_owned());
                new_since(&head.findings, &base.findings, &moved)
            }
            None => {
                let what =
                    "no SARIF log of the base was given: which findings are new cannot be told";
                breaches.push(missing(
                    what.into(),
                    "--base-sarif",
                    "a log about the base as well",
                ));
                return;
            }
        };
        let counted = found.into_iter().filter(|finding| self.counts(finding));
        breaches.extend(counted.map(|finding| self.breach(finding)));
    }
}

#[cfg(test)]
mod tests;
