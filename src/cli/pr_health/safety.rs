//! What the policy and scanners have against the change.

use serde_json::Value;

use super::InputArgs;
use crate::cli::check_policy::CheckPolicyDocument;
use crate::cli::check_policy::supplied::{bytes_of, refused};
use crate::cli::session::Session;
use crate::error::{CommandError, ErrorKind};
use crate::finding::Location;
use crate::health::{Concern, Security};
use crate::json;
use crate::state::v1::{POLICY_VERDICT, decode_policy_verdict};
use crate::supply::sarif::{self, Finding, Level};
use crate::supply::severity::Severity;

/// Rules that are about other things than safety.
const OTHER_RULES: [&str; 5] = [
    "budget",
    "diff-size",
    "human-approval",
    "tests-with-code",
    "title",
];

/// Gathers it.
pub(super) fn find(
    session: &mut Session<'_>,
    args: &InputArgs,
    (head, number): (&str, Option<u64>),
) -> Result<Security, CommandError> {
    let mut security = Security::default();
    match &args.policy_report {
        Some(path) => {
            let bytes = bytes_of(session, path)?;
            let name = path.display().to_string();
            of_report(&bytes, head, &mut security).map_err(|words| {
                CommandError::message(ErrorKind::BadInput, format!("`{name}` {words}")).hint(
                    "`maestro check-policy --report json=FILE` writes one, on the same commit",
                )
            })?;
        }
        None => of_state(session, (head, number), &mut security),
    }
    let here = session.base.display().to_string();
    let read = |files: &[std::path::PathBuf]| -> Result<Vec<Finding>, CommandError> {
        let mut findings = Vec::new();
        for path in files {
            let bytes = bytes_of(session, path)?;
            let name = path.display().to_string();
            findings.extend(
                sarif::read(&bytes, Some(&here))
                    .map_err(|fault| refused(&name, fault))?
                    .findings,
            );
        }
        Ok(findings)
    };
    let (is, was) = (read(&args.sarif)?, read(&args.base_sarif)?);
    security
        .sources
        .extend(args.sarif.iter().map(|path| path.display().to_string()));
    let new = sarif::new_since(&is, &was, &|_| None);
    security.concerns.extend(new.into_iter().map(of_finding));
    Ok(security)
}

/// Takes what the policy said just now.
pub(super) fn of_verdict(policy: Option<&CheckPolicyDocument>, head: &str) -> Security {
    let mut security = Security::default();
    let text = policy.and_then(|policy| json::bytes(policy).ok());
    // One that is about another commit says nothing of this one.
    let _ignored = text.map(|text| of_report(&text, head, &mut security));
    security
}

/// Reads the document of `check-policy`.
fn of_report(bytes: &[u8], head: &str, security: &mut Security) -> Result<(), String> {
    let document: Value = json::read(bytes).map_err(|error| format!("is no JSON: {error}"))?;
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if text(&document, "schema") != "maestro.check-policy/v1" {
        return Err("is no `maestro.check-policy/v1`".into());
    }
    if text(&document, "outcome") == "disabled" {
        return Ok(());
    }
    let judged = text(&document, "head");
    if judged != head {
        return Err(format!(
            "is about the commit `{judged}`, and `{head}` is judged"
        ));
    }
    security.sources.push("check-policy".into());
    let violations = document.get("violations").and_then(Value::as_array);
    for one in violations.into_iter().flatten() {
        let rule = text(one, "rule");
        let is_forgiven = one
            .get("forgiven")
            .is_some_and(|forgiven| !forgiven.is_null());
        if is_forgiven || OTHER_RULES.contains(&rule.as_str()) {
            continue;
        }
        let severity = match text(one, "severity").as_str() {
            "block" if matches!(rule.as_str(), "secrets" | "vulnerabilities") => Severity::Critical,
            "block" => Severity::High,
            "review" => Severity::Medium,
            _ => Severity::Low,
        };
        let target = one.get("target").unwrap_or(&Value::Null);
        let line = target.get("line").and_then(Value::as_u64);
        let path = text(target, "path");
        security.concerns.push(Concern {
            severity,
            about: text(one, "message"),
            source: format!("policy/{rule}"),
            place: (!path.is_empty()).then(|| Location {
                path,
                line: line.and_then(|line| u32::try_from(line).ok()),
                column: None,
            }),
            url: None,
        });
    }
    Ok(())
}

/// Takes the last verdict on this head that is stored.
fn of_state(
    session: &mut Session<'_>,
    (head, number): (&str, Option<u64>),
    security: &mut Security,
) {
    let Ok(state) = session.state() else {
        return;
    };
    let mut last = None;
    let read = state.read(&|kind, _| kind == POLICY_VERDICT, &mut |event| {
        let record = decode_policy_verdict(event)?;
        let is_its =
            record.head == head && (record.pull_request == number || record.pull_request.is_none());
        if is_its
            && last
                .as_ref()
                .is_none_or(|(at, id, _)| (*at, *id) < (event.at, event.id))
        {
            last = Some((event.at, event.id, record));
        }
        Ok(())
    });
    if let Err(error) = read {
        session
            .ui
            .warn(&format!("what the policy said is not known: {error}"));
        return;
    }
    let Some((.., record)) = last else {
        return;
    };
    security.sources.push("check-policy".into());
    let kinds = [
        (&record.blocked_by, Severity::High),
        (&record.review_by, Severity::Medium),
        (&record.warned_by, Severity::Low),
    ];
    for (ids, severity) in kinds {
        security.concerns.extend(ids.iter().map(|id| Concern {
            severity,
            about: id.clone(),
            source: "the policy".into(),
            place: None,
            url: None,
        }));
    }
}

fn of_finding(finding: &Finding) -> Concern {
    let by_level = match finding.level {
        Level::Error => Severity::High,
        Level::Warning => Severity::Medium,
        _ => Severity::Low,
    };
    Concern {
        severity: finding.severity.unwrap_or(by_level),
        about: finding.message.clone(),
        source: format!("{} ({})", finding.tool, finding.rule),
        place: finding.path.clone().map(|path| Location {
            path,
            line: finding.line,
            column: None,
        }),
        url: None,
    }
}
