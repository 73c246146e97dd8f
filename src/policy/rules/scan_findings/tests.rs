//! Changes that `scan-findings` is about, and such that it leaves alone.

use super::*;
use crate::policy::packages::tests::{judge, said_by};
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
        said_by::<ScanFindings>("{security_severity: critical}", &supplied("", &one)).len(),
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
    let breaches = judge::<ScanFindings>("{}", Some(&failed), "2026-11-26");
    assert_eq!(
        breaches[0].fix.as_deref(),
        Some("look at the notifications of lint, and run it again")
    );
    let mut alone = Supplied::default();
    alone.add_sarif(Side::Head, log.as_bytes(), None).unwrap();
    assert_eq!(said_by::<ScanFindings>("{}", &alone).len(), 2);
}

#[test]
fn a_file_that_was_moved_keeps_its_findings() {
    let (zero, one) = ("0".repeat(40), "1".repeat(40));
    let raw =
        format!(":100644 000000 {one} {zero} D\0old.py\0:000000 100644 {zero} {one} A\0new.py\0");
    let changes = crate::change::parse_raw(raw.as_bytes()).unwrap();
    assert_eq!(moves(&changes), HashMap::from([("new.py", "old.py")]));
}

#[test]
fn a_finding_comes_with_what_to_suppress_and_where() {
    let one = result("sql", "src/a.py", 3, "query(x)");
    let breaches = judge::<ScanFindings>("{}", Some(&supplied("", &one)), "2026-11-26");
    assert_eq!(
        breaches[0].fix.as_deref(),
        Some("fix it, or suppress `sql` where lint lets you say why")
    );
}

#[test]
fn a_baseline_knows_a_finding_by_its_file_and_text_wherever_it_stands() {
    let print = |path: &str, line: u32, text: &str| {
        let one = supplied("", &result("sql", path, line, text));
        let breaches = judge::<ScanFindings>("{}", Some(&one), "2026-11-26");
        breaches[0].fingerprint.clone().unwrap()
    };
    let known = print("a.py", 3, "query(x)");
    assert_eq!(known, print("a.py", 30, "query(x)"));
    assert_ne!(known, print("b.py", 3, "query(x)"));
    assert_ne!(known, print("a.py", 3, "query(y)"));
}
