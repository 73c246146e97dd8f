//! `scan-findings`: what scanners find in a change, by their SARIF logs.
//!
//! New is what the base's log has not: findings are known by what their tool calls stable, or by the text that they are about, never by
//! lines. A scanner that failed, or that looked at the base and not at the head, says nothing about the change, which is a breach.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{About, Order};
use super::packages::missing;
use crate::change::Change;
use crate::finding::Location;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule, Target};
use crate::supply::sarif::{Finding, Level, Log, new_since};
use crate::supply::severity::Severity;

pub(super) const ABOUT: About = About {
    name: "scan-findings",
    what: "what scanners find that was not there before",
    why: "Findings of SARIF logs are compared with those of the base by what their tool calls stable, or by the text that they are about, never by lines: old ones stop nobody, new ones are told where they come in. A scanner that failed, or that looked at the base and not at the head, says nothing about the change. Example: `level: error`, `severity: high`",
    fix: "fix it, or suppress it where the scanner lets one say why",
    keys: &[("level", Order::Words(&["error", "warning", "note", "none"], "error")), ("severity", Order::Words(&["none", "critical", "high", "medium", "low", "negligible"], "none")), ("new_only", Order::False(true)), ("tools", Order::Grows)],
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
    severity: Option<Severity>,
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
            .severity
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
        let limit = match self.severity {
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
mod tests {
    use super::super::packages::tests::{judge, said_by};
    use super::*;
    use crate::supply::{Side, Supplied};

    fn log(tool: &str, results: &str) -> Vec<u8> {
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "{tool}", "rules": [
                {{"id": "sql", "defaultConfiguration": {{"level": "error"}}, "properties": {{"security-severity": "9.1"}}}},
                {{"id": "style", "defaultConfiguration": {{"level": "note"}}}}]}}}}, "results": [{results}]}}]}}"#
        )
        .into_bytes()
    }

    fn result(rule: &str, path: &str, line: u32, text: &str) -> String {
        format!(
            r#"{{"ruleId": "{rule}", "message": {{"text": "found at line {line}"}}, "locations": [{{"physicalLocation": {{
                "artifactLocation": {{"uri": "{path}"}}, "region": {{"startLine": {line}, "snippet": {{"text": "{text}"}}}}}}}}]}}"#
        )
    }

    fn supplied(base: &str, head: &str) -> Supplied {
        let mut supplied = Supplied::default();
        supplied
            .add_sarif(Side::Base, &log("lint", base), None)
            .unwrap();
        supplied
            .add_sarif(Side::Head, &log("lint", head), None)
            .unwrap();
        supplied
    }

    #[test]
    fn only_what_the_base_has_not_counts() {
        let old = result("sql", "src/a.py", 3, "query(x)");
        let moved_down = result("sql", "src/a.py", 30, "query(x)");
        let new = result("sql", "src/a.py", 31, "query(x)");
        let other = result("style", "src/b.py", 1, "y");
        let head = format!("{moved_down}, {new}, {other}");
        assert_eq!(
            said_by::<ScanFindings>("{}", &supplied(&old, &head)),
            ["lint finds `sql`: found at line 31"]
        );
        assert_eq!(
            said_by::<ScanFindings>("{level: note}", &supplied(&old, &head)).len(),
            2
        );
        assert_eq!(
            said_by::<ScanFindings>("{new_only: false}", &supplied(&old, &head)).len(),
            2
        );
        let breaches = judge::<ScanFindings>("{}", Some(&supplied(&old, &head)), "2026-11-26");
        assert_eq!(
            (breaches[0].observed.as_str(), breaches[0].limit.as_str()),
            ("error, critical", "below error")
        );
    }

    #[test]
    fn a_severity_counts_whatever_the_level() {
        let one =
            result("sql", "a.py", 1, "q").replace("\"ruleId\"", "\"level\": \"note\", \"ruleId\"");
        assert!(said_by::<ScanFindings>("{}", &supplied("", &one)).is_empty());
        assert_eq!(
            said_by::<ScanFindings>("{severity: critical}", &supplied("", &one)).len(),
            1
        );
    }

    #[test]
    fn a_scanner_that_says_nothing_is_a_breach() {
        assert_eq!(judge::<ScanFindings>("{}", None, "2026-11-26").len(), 1);
        let mut other = supplied("", "");
        other.add_sarif(Side::Base, &log("deep", ""), None).unwrap();
        assert_eq!(
            said_by::<ScanFindings>("{}", &other),
            ["there is no log of deep about the head"]
        );
        assert_eq!(
            said_by::<ScanFindings>("{tools: [secrets]}", &supplied("", "")),
            ["there is no log of secrets about the head"]
        );
        let mut failed = supplied("", "");
        let log = String::from_utf8(log("lint", "")).unwrap();
        let log = log.replace(
            "\"results\"",
            "\"invocations\": [{\"executionSuccessful\": false}], \"results\"",
        );
        failed.add_sarif(Side::Head, log.as_bytes(), None).unwrap();
        assert_eq!(
            said_by::<ScanFindings>("{}", &failed),
            ["lint says itself that it failed: what it did not find may be there"]
        );
        let mut alone = Supplied::default();
        alone.add_sarif(Side::Head, log.as_bytes(), None).unwrap();
        assert_eq!(said_by::<ScanFindings>("{}", &alone).len(), 2);
    }

    #[test]
    fn a_file_that_was_moved_keeps_its_findings() {
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let raw = format!(
            ":100644 000000 {one} {zero} D\0old.py\0:000000 100644 {zero} {one} A\0new.py\0"
        );
        let changes = crate::change::parse_raw(raw.as_bytes()).unwrap();
        assert_eq!(moves(&changes), HashMap::from([("new.py", "old.py")]));
    }
}
