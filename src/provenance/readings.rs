//! What other commands and scanners said, as far as a statement repeats it: `check-policy`, `budget status`, and a scanner's report.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::facts::FileFact;
use super::{Malformed, strict};
use crate::sha::Sha;

/// What `check-policy --format json` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) report: FileFact,
    pub(crate) outcome: Outcome,
    /// The commit that was judged.
    pub(crate) head: String,
    /// Of the policy that it was judged by.
    pub(crate) sha256: String,
    /// Where that policy lies, as `check-policy` names it; empty where it does not say.
    pub(crate) path: String,
    /// The commit that the policy was taken from; empty where it does not say.
    pub(crate) commit: String,
}

/// A policy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Warned,
    /// A person has to approve.
    Review,
    Blocked,
    /// Nothing was judged.
    Disabled,
}

impl Outcome {
    const ALL: [Self; 5] = [
        Self::Passed,
        Self::Warned,
        Self::Review,
        Self::Blocked,
        Self::Disabled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Review => "review",
            Self::Blocked => "blocked",
            Self::Disabled => "disabled",
        }
    }

    /// Whether the change may go in as it is.
    pub(crate) fn has_passed(self) -> bool {
        matches!(self, Self::Passed | Self::Warned)
    }
}

/// What `budget status --format json` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) report: FileFact,
    pub(crate) pull_request: Option<u64>,
    pub(crate) month: Option<String>,
    pub(crate) calls: u64,
    /// Exact decimals, in US dollars.
    pub(crate) usd: Option<String>,
    pub(crate) unknown_usd: String,
    pub(crate) unpriced: u64,
    /// Hundredths of the cap.
    pub(crate) share: Option<u64>,
}

/// What a scanner found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scan {
    pub(crate) report: FileFact,
    /// As a package URL.
    pub(crate) scanner: String,
    pub(crate) version: String,
    /// When what it knows was made.
    pub(crate) database: Timestamp,
    pub(crate) database_version: String,
    pub(crate) at: Timestamp,
    /// As `vulns` v0.2 lists them.
    pub(crate) results: Vec<Value>,
}

fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    strict::read(bytes).map_err(|error| Malformed(format!("it is no JSON: {error}")))
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.filter(|text| !text.is_empty())
}

fn document(bytes: &[u8], schema: &str, command: &str) -> Result<Value, Malformed> {
    let value = read(bytes)?;
    match text(&value, "/schema") {
        Some(found) if found == schema => Ok(value),
        Some(found) => Err(Malformed(format!("it is `{found}`, and not `{schema}`"))),
        None => Err(Malformed(format!(
            "it has no `schema`; write it with `maestro {command} --report json=FILE`"
        ))),
    }
}

/// Reads what `check-policy` said.
pub(crate) fn policy(bytes: &[u8], report: FileFact) -> Result<Policy, Malformed> {
    let value = document(bytes, "maestro.check-policy/v1", "check-policy")?;
    if value.get("task").is_some_and(|task| !task.is_null()) {
        return Err(Malformed::new("it judged an agent's task, and no change"));
    }
    let said = text(&value, "/outcome");
    let outcome = Outcome::ALL
        .into_iter()
        .find(|known| Some(known.name()) == said);
    let sha256 = text(&value, "/policy/sha256").filter(|sha| Sha::parse(sha).is_some());
    let own = |pointer| text(&value, pointer).unwrap_or_default().to_owned();
    Ok(Policy {
        report,
        outcome: outcome.ok_or_else(|| Malformed::new("its `outcome` is none that is known"))?,
        head: text(&value, "/head")
            .ok_or_else(|| Malformed::new("it does not say which commit was judged (`head`)"))?
            .to_owned(),
        sha256: sha256
            .ok_or_else(|| Malformed::new("its `policy.sha256` is no SHA-256 digest"))?
            .to_owned(),
        // What is built in lies nowhere, whatever it is called.
        path: match text(&value, "/policy/source") {
            Some("built-in") => String::new(),
            _ => own("/policy/path"),
        },
        commit: own("/policy/commit"),
    })
}

/// Reads what `budget status` said.
pub(crate) fn budget(bytes: &[u8], report: FileFact) -> Result<Budget, Malformed> {
    let value = document(bytes, "maestro.budget-status/v1", "budget status")?;
    let count = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    let calls = count("/total/calls").ok_or_else(|| Malformed::new("it has no `total.calls`"))?;
    let unknown = text(&value, "/total/unknown_usd");
    Ok(Budget {
        report,
        pull_request: count("/pull_request"),
        month: text(&value, "/month").map(str::to_owned),
        calls,
        usd: text(&value, "/total/usd").map(str::to_owned),
        unknown_usd: unknown
            .ok_or_else(|| Malformed::new("it has no `total.unknown_usd`"))?
            .to_owned(),
        unpriced: count("/total/unpriced").unwrap_or_default(),
        share: count("/share"),
    })
}

/// Reads a scanner's report: Grype's JSON. The one place to join the readers of `supply`, which know the other scanners' forms.
///
/// Without the age of what the scanner knew and the time of the scan nothing is said: a report of nothing by an old database is no good news.
pub(crate) fn scan(bytes: &[u8], report: FileFact) -> Result<Scan, Malformed> {
    let value = read(bytes)?;
    if text(&value, "/descriptor/name") != Some("grype") {
        return Err(Malformed::new("it is no report of Grype (`grype -o json`)"));
    }
    let matches = value.get("matches").and_then(Value::as_array);
    let matches = matches.ok_or_else(|| Malformed::new("it has no list of `matches`"))?;
    let time = |pointers: &[&str], what: &str| {
        let found = pointers.iter().find_map(|pointer| text(&value, pointer));
        let found = found.and_then(|text| text.parse::<Timestamp>().ok());
        found.ok_or_else(|| Malformed(format!("it does not say {what}")))
    };
    let database = time(
        &["/descriptor/db/status/built", "/descriptor/db/built"],
        "when the database of vulnerabilities was built (`descriptor.db`)",
    )?;
    let at = time(
        &["/descriptor/timestamp"],
        "when the scan was made (`descriptor.timestamp`)",
    )?;
    let version = text(&value, "/descriptor/version").unwrap_or_default();
    let scanner = match version {
        "" | "[not provided]" => "pkg:github/anchore/grype".to_owned(),
        version => format!("pkg:github/anchore/grype@{version}"),
    };
    let mut results = matches.iter().map(found).collect::<Result<Vec<_>, _>>()?;
    results.sort_by_cached_key(Value::to_string);
    results.dedup();
    let schema = text(&value, "/descriptor/db/status/schemaVersion")
        .or_else(|| text(&value, "/descriptor/db/schemaVersion"));
    Ok(Scan {
        report,
        scanner,
        version: version.to_owned(),
        database,
        database_version: schema.unwrap_or_default().to_owned(),
        at,
        results,
    })
}

fn found(of: &Value) -> Result<Value, Malformed> {
    let id = text(of, "/vulnerability/id");
    let id = id.ok_or_else(|| Malformed::new("a match has no `vulnerability.id`"))?;
    let word = text(of, "/vulnerability/severity").unwrap_or("Unknown");
    let mut severity = vec![json!({ "method": "grype", "score": word })];
    let scores = of.pointer("/vulnerability/cvss").and_then(Value::as_array);
    for score in scores.into_iter().flatten() {
        let Some(base) = score.pointer("/metrics/baseScore") else {
            continue;
        };
        let version = text(score, "/version").unwrap_or_default();
        severity.push(json!({ "method": format!("cvss_v{version}"), "score": base.to_string() }));
    }
    let own = |pointer| text(of, pointer).unwrap_or_default();
    let mut notes = vec![
        json!({ "package": own("/artifact/name") }),
        json!({ "version": own("/artifact/version") }),
        json!({ "fix": own("/vulnerability/fix/state") }),
    ];
    if let Some(purl) = text(of, "/artifact/purl") {
        notes.push(json!({ "purl": purl }));
    }
    Ok(json!({ "annotations": notes, "id": id, "severity": severity }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FileFact {
        FileFact {
            path: "f".into(),
            sha: Sha::of(b""),
            bytes: 0,
        }
    }

    #[test]
    fn a_policy_that_passed_needs_an_outcome_a_commit_and_a_digest() {
        let sha = Sha::of(b"policy").to_string();
        let text = |outcome: &str, sha: &str| {
            format!(
                r#"{{"schema": "maestro.check-policy/v1", "outcome": "{outcome}", "head": "4f2c", "policy": {{"sha256": "{sha}", "path": "p"}}, "more": 1}}"#
            )
        };
        let read = |text: String| policy(text.as_bytes(), file());
        for (outcome, has_passed) in [
            ("passed", true),
            ("warned", true),
            ("review", false),
            ("blocked", false),
            ("disabled", false),
        ] {
            let read = read(text(outcome, &sha)).unwrap();
            assert_eq!(read.outcome.has_passed(), has_passed);
            assert_eq!((read.sha256, read.path), (sha.clone(), "p".to_owned()));
        }
        let fine = text("passed", &sha);
        let built_in = fine.replace("\"path\"", "\"source\": \"built-in\", \"path\"");
        assert_eq!(read(built_in).unwrap().path, "");
        for (text, words) in [
            (text("fine", &sha), "outcome"),
            (text("passed", "x"), "policy.sha256"),
            (fine.replace("head", "tail"), "which commit"),
            (fine.replace("more\": 1", "task\": \"t\""), "task"),
            ("{}".into(), "no `schema`"),
            (r#"{"schema": "maestro.check-policy/v2"}"#.into(), "v2"),
            ("[".into(), "no JSON"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.0.contains(words), "{error}");
        }
    }

    #[test]
    fn of_a_budget_the_sums_are_repeated() {
        let text = r#"{"schema": "maestro.budget-status/v1", "pull_request": 12, "month": null, "share": 31,
            "total": {"calls": 3, "usd": "3.12", "unknown_usd": "0", "unpriced": 1}}"#;
        let read = budget(text.as_bytes(), file()).unwrap();
        assert_eq!(
            (read.pull_request, read.calls, read.share),
            (Some(12), 3, Some(31))
        );
        assert_eq!(read.usd.as_deref(), Some("3.12"));
        assert!(budget(br#"{"schema": "maestro.budget-status/v1"}"#, file()).is_err());
    }

    const GRYPE: &str = r#"{"matches": [{"vulnerability": {"id": "CVE-2", "severity": "High", "fix": {"state": "fixed"},
        "cvss": [{"version": "3.1", "metrics": {"baseScore": 8.2}}]}, "artifact": {"name": "a", "version": "1", "purl": "pkg:deb/a@1"}}],
        "descriptor": {"name": "grype", "version": "0.104.0", "timestamp": "2026-01-05T08:00:00Z", "db": {"status": {"built": "2026-01-04T00:00:00Z", "schemaVersion": "v6.1.0"}}}}"#;

    #[test]
    fn a_scan_says_what_was_found_and_how_old_its_knowledge_is() {
        let read = scan(GRYPE.as_bytes(), file()).unwrap();
        assert_eq!(read.scanner, "pkg:github/anchore/grype@0.104.0");
        assert_eq!(read.database.to_string(), "2026-01-04T00:00:00Z");
        assert_eq!(read.database_version, "v6.1.0");
        assert_eq!(
            read.results[0]["severity"][1],
            json!({"method": "cvss_v3.1", "score": "8.2"})
        );
        assert_eq!(
            read.results[0]["annotations"][3],
            json!({"purl": "pkg:deb/a@1"})
        );
    }

    #[test]
    fn a_scan_of_unknown_age_says_nothing() {
        for (from, to, words) in [
            ("\"built\"", "\"b\"", "when the database"),
            ("\"timestamp\"", "\"t\"", "when the scan"),
            ("\"grype\"", "\"trivy\"", "no report of Grype"),
            ("\"matches\"", "\"m\"", "no list"),
            ("\"id\"", "\"i\"", "vulnerability.id"),
        ] {
            let error = scan(GRYPE.replace(from, to).as_bytes(), file()).unwrap_err();
            assert!(error.0.contains(words), "{error}");
        }
    }
}
