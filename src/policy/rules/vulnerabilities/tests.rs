//! What the rule says, by reports made here.

use super::*;
use crate::policy::packages::tests::{bill, judge, said_by};
use crate::supply::Side;

/// Returns a Grype report of findings `id severity package version fixed`; a dash stands for what is not there.
fn grype(built: &str, findings: &[&str]) -> Vec<u8> {
    let matches = findings.iter().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, severity, name, version, fixed] = words[..] else {
            panic!("{line}");
        };
        let (id, related) = id.split_once('=').unwrap_or((id, ""));
        let related: Vec<_> = [related].into_iter().filter(|id| !id.is_empty()).map(|id| serde_json::json!({"id": id})).collect();
        let fix = if fixed == "-" {
            serde_json::json!({"versions": [], "state": "not-fixed"})
        } else {
            serde_json::json!({"versions": [fixed], "state": "fixed"})
        };
        serde_json::json!({
            "vulnerability": {"id": id, "severity": severity, "fix": fix},
            "relatedVulnerabilities": related,
            "artifact": {"name": name, "version": version, "type": "npm", "purl": format!("pkg:npm/{name}@{version}")},
        })
    });
    let matches: Vec<_> = matches.collect();
    let built = serde_json::json!({"built": format!("{built}T04:11:38Z")});
    serde_json::json!({"matches": matches, "descriptor": {"name": "grype", "version": "0.87.0", "db": built}}).to_string().into_bytes()
}

fn supplied(findings: &[&str]) -> Supplied {
    let mut supplied = Supplied::default();
    supplied
        .add_vulnerabilities(Side::Head, "grype.json", &grype("2026-11-20", findings))
        .unwrap();
    supplied
}

fn said(settings: &str, findings: &[&str]) -> Vec<String> {
    said_by::<Vulnerabilities>(settings, &supplied(findings))
}

const TWO: &[&str] = &[
    "GHSA-p6mc-m468-83gw=CVE-2020-8203 High lodash 4.17.15 4.17.19",
    "CVE-2020-28500 Medium lodash 4.17.15 -",
];

#[test]
fn findings_at_or_above_a_severity_are_said() {
    let first =
        "`lodash@4.17.15` has CVE-2020-8203, also GHSA-p6mc-m468-83gw (high, found by grype)";
    assert_eq!(said("{}", TWO), [first]);
    assert_eq!(
        said("{fail_on: medium}", TWO),
        [
            "`lodash@4.17.15` has CVE-2020-28500 (medium, found by grype)",
            first
        ]
    );
    assert_eq!(said("{fail_on: medium, only_fixed: true}", TWO), [first]);
    assert!(said("{fail_on: critical}", TWO).is_empty());
    let breaches = judge::<Vulnerabilities>("{}", Some(&supplied(TWO)), "2026-11-26");
    assert_eq!(
        breaches[0].fix.as_deref(),
        Some("update `lodash`: fixed in 4.17.19")
    );
    assert_eq!(breaches[0].observed, "high");
    assert_eq!(breaches[0].limit, "below high");
}

#[test]
fn a_finding_without_a_severity_never_passes_unseen() {
    let one = &["CVE-2020-1 Unknown a 1.0.0 -"];
    let line = "`a@1.0.0` has CVE-2020-1 (unknown severity, found by grype)";
    assert_eq!(said("{fail_on: critical}", one), [line]);
    assert_eq!(said("{unknown: warn}", one), [format!("warn: {line}")]);
    assert!(said("{unknown: allow}", one).is_empty());
}

#[test]
fn an_ignore_goes_by_any_name_and_ends() {
    let settings = |more: &str| {
        format!(
            "{{ignore: [{{id: cve-2020-8203, reason: not reached, owner: '@acme/web', {more}}}]}}"
        )
    };
    assert!(said(&settings("until: 2026-11-26"), TWO).is_empty());
    assert!(
        said(
            &settings("until: 2026-12-01, package: lodash, version: 4.17.15"),
            TWO
        )
        .is_empty()
    );
    assert_eq!(
        said(
            &settings("until: 2026-12-01, package: lodash, version: 4.17.16"),
            TWO
        )
        .len(),
        1
    );
    assert_eq!(
        said(&settings("until: 2026-12-01, package: underscore"), TWO).len(),
        1
    );
    assert_eq!(
        said(&settings("until: 2026-11-25"), TWO),
        [
            "`lodash@4.17.15` has CVE-2020-8203, also GHSA-p6mc-m468-83gw (high, found by grype); its ignore by @acme/web ended on 2026-11-25 (not reached)"
        ]
    );
}

#[test]
fn settings_that_are_wrong_are_refused() {
    let fault = |settings: &str| match serde_yaml::from_str::<Vulnerabilities>(settings) {
        Ok(rule) => rule.is_sound().unwrap_err(),
        Err(fault) => fault.to_string(),
    };
    assert!(fault("{fail_on: hgih}").contains("unknown variant `hgih`"));
    assert!(
        fault("{ignore: [{id: CVE-1, reason: a, owner: b}]}").contains("missing field `until`")
    );
    for day in ["soon", "2026-13-01", "2026-02-30", "''", "1"] {
        let fault = fault(&format!(
            "{{ignore: [{{id: CVE-1, reason: a, owner: b, until: {day}}}]}}"
        ));
        assert!(fault.contains("until"), "{day}: {fault}");
    }
    assert!(
        fault("{ignore: [{id: CVE-1, reason: '', owner: b, until: 2026-12-01}]}")
            .contains("`reason` is empty")
    );
    assert!(
        fault("{ignore: [{id: CVE-1, reason: a, owner: b, until: 2026-12-01, version: '1'}]}")
            .contains("no `package`")
    );
    for what in ["package: a", "package: a, version: '1'"] {
        let settings =
            format!("{{ignore: [{{id: CVE-1, reason: a, owner: b, until: 2026-12-01, {what}}}]}}");
        let rule: Vulnerabilities = serde_yaml::from_str(&settings).unwrap();
        assert_eq!(rule.is_sound(), Ok(()), "{what}");
    }
}

#[test]
fn an_empty_report_is_not_a_clean_one() {
    assert_eq!(judge::<Vulnerabilities>("{}", None, "2026-11-26").len(), 1);
    assert_eq!(
        said_by::<Vulnerabilities>("{}", &Supplied::default()),
        ["no report of vulnerabilities was given"]
    );
    assert!(said("{}", &[]).is_empty());
    let mut skipped = Supplied::default();
    let report =
        br#"{"dependencies": [{"name": "jinja2", "skip_reason": "not on PyPI"}], "fixes": []}"#;
    skipped
        .add_vulnerabilities(Side::Head, "pip.json", report)
        .unwrap();
    assert_eq!(
        said_by::<Vulnerabilities>("{}", &skipped),
        [
            "pip-audit looked at no package: its report says nothing",
            "pip-audit could not look at 1 package, as jinja2: not on PyPI",
        ]
    );
    assert_eq!(
        said_by::<Vulnerabilities>("{max_database_age: 5, unknown: warn}", &supplied(&[])),
        ["warn: the database of grype is 6 days old (2026-11-20)"]
    );
    assert!(said("{max_database_age: 6}", &[]).is_empty());
    assert_eq!(
        said_by::<Vulnerabilities>("{max_database_age: 6, unknown: allow}", &skipped).len(),
        0
    );
    assert_eq!(
        said_by::<Vulnerabilities>("{max_database_age: 6}", &skipped).len(),
        3
    );
}

#[test]
fn a_report_that_does_not_say_what_it_looked_at_is_unknown() {
    let mut silent = Supplied::default();
    silent
        .add_vulnerabilities(Side::Head, "osv.json", br#"{"results": []}"#)
        .unwrap();
    let line = "osv-scanner found nothing, and does not say that it looked at anything";
    assert_eq!(said_by::<Vulnerabilities>("{}", &silent), [line]);
    let breaches = judge::<Vulnerabilities>("{}", Some(&silent), "2026-11-26");
    assert!(
        breaches[0]
            .fix
            .as_deref()
            .unwrap()
            .contains("--all-packages")
    );
    let mut all = Supplied::default();
    let listed = br#"{"results": [{"packages": [{"package": {"name": "a", "version": "1", "ecosystem": "npm"}}]}]}"#;
    all.add_vulnerabilities(Side::Head, "osv.json", listed)
        .unwrap();
    assert!(said_by::<Vulnerabilities>("{}", &all).is_empty());
}

#[test]
fn what_is_new_is_told_by_the_base() {
    let mut both = supplied(TWO);
    let settings = "{fail_on: low, new_only: true}";
    assert_eq!(
        said_by::<Vulnerabilities>(settings, &both).len(),
        1,
        "nothing is known of the base"
    );
    // The base's scanner knows it by the other name.
    let base = grype("2026-11-20", &["CVE-2020-8203 High lodash 4.17.14 4.17.19"]);
    both.add_vulnerabilities(Side::Base, "base.json", &base)
        .unwrap();
    assert_eq!(
        said_by::<Vulnerabilities>(settings, &both),
        ["`lodash@4.17.15` has CVE-2020-28500 (medium, found by grype)"]
    );
    let mut by_bills = supplied(TWO);
    by_bills
        .add_sbom(Side::Base, &bill(&["npm lodash 4.17.15 MIT"]))
        .unwrap();
    by_bills
        .add_sbom(Side::Head, &bill(&["npm lodash 4.17.15 MIT"]))
        .unwrap();
    assert!(said_by::<Vulnerabilities>(settings, &by_bills).is_empty());
    by_bills.base.bills.clear();
    by_bills
        .add_sbom(Side::Base, &bill(&["npm lodash 4.17.14 MIT"]))
        .unwrap();
    assert_eq!(said_by::<Vulnerabilities>(settings, &by_bills).len(), 2);
}

#[test]
fn a_vex_statement_counts_when_it_says_why() {
    let with = |statement: &str| {
        let mut all = supplied(TWO);
        let document = format!(
            r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "author": "a", "timestamp": "2026-01-01T00:00:00Z", "statements": [{statement}]}}"#
        );
        all.add_vex("vex.json", document.as_bytes()).unwrap();
        said_by::<Vulnerabilities>("{}", &all)
    };
    let about = r#""vulnerability": {"name": "CVE-2020-8203"}, "products": [{"@id": "pkg:npm/lodash@4.17.15"}]"#;
    let why = r#""justification": "vulnerable_code_not_in_execute_path""#;
    assert!(with(&format!(r#"{{{about}, "status": "not_affected", {why}}}"#)).is_empty());
    assert_eq!(
        with(&format!(r#"{{{about}, "status": "not_affected"}}"#)),
        [
            "`lodash@4.17.15` has CVE-2020-8203, also GHSA-p6mc-m468-83gw (high, found by grype); `vex.json` says that it is not affected and not why, so that does not count"
        ]
    );
    assert_eq!(with(&format!(r#"{{{about}, "status": "fixed"}}"#)).len(), 1);
    assert!(
        with(&format!(
            r#"{{{about}, "status": "fixed", "status_notes": "patched by us"}}"#
        ))
        .is_empty()
    );
    // Another version, and a later word.
    let other = about.replace("4.17.15", "4.17.14");
    assert_eq!(
        with(&format!(r#"{{{other}, "status": "not_affected", {why}}}"#)).len(),
        1
    );
    let later =
        format!(r#"{{{about}, "status": "affected", "timestamp": "2026-02-01T00:00:00Z"}}"#);
    assert_eq!(
        with(&format!(
            r#"{later}, {{{about}, "status": "not_affected", {why}}}"#
        ))
        .len(),
        1
    );
}

#[test]
fn of_statements_under_two_names_the_later_counts_and_else_the_first_name() {
    let lodash = r#""products": [{"@id": "pkg:npm/lodash@4.17.15"}]"#;
    let statement = |name: &str, is_harmless: bool, day: &str| {
        let status = if is_harmless {
            r#""not_affected", "justification": "component_not_present""#
        } else {
            r#""affected""#
        };
        format!(
            r#"{{"vulnerability": {{"name": "{name}"}}, {lodash}, "status": {status}, "timestamp": "{day}T00:00:00Z"}}"#
        )
    };
    let (cve, ghsa) = ("CVE-2020-8203", "GHSA-p6mc-m468-83gw");
    for (of_cve, of_ghsa, is_excused) in [
        ((true, "2026-01-01"), (false, "2026-02-01"), false),
        ((true, "2026-02-01"), (false, "2026-01-01"), true),
        ((false, "2026-01-01"), (true, "2026-02-01"), true),
        ((false, "2026-02-01"), (true, "2026-01-01"), false),
        ((true, "2026-01-01"), (false, "2026-01-01"), true),
        ((false, "2026-01-01"), (true, "2026-01-01"), false),
    ] {
        let statements = [
            statement(cve, of_cve.0, of_cve.1),
            statement(ghsa, of_ghsa.0, of_ghsa.1),
        ];
        let document = format!(
            r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "author": "a", "timestamp": "2026-01-01T00:00:00Z", "statements": [{}]}}"#,
            statements.join(", ")
        );
        let mut all = supplied(TWO);
        all.add_vex("vex.json", document.as_bytes()).unwrap();
        let said = said_by::<Vulnerabilities>("{}", &all);
        assert_eq!(said.is_empty(), is_excused, "{of_cve:?} {of_ghsa:?}");
    }
}

#[test]
fn remarks_are_warned_of() {
    let report = br#"{"database": {}, "lockfile": {"dependency-count": 2}, "vulnerabilities": {"list": []}, "warnings": {"unmaintained": [
        {"kind": "unmaintained", "package": {"name": "a", "version": "1.0.0"}, "advisory": {"id": "RUSTSEC-2024-1", "informational": "unmaintained"}, "versions": {"patched": []}}]}}"#;
    let mut all = Supplied::default();
    all.add_vulnerabilities(Side::Head, "audit.json", report)
        .unwrap();
    let line = "`a@1.0.0` has RUSTSEC-2024-1 (unmaintained, found by cargo-audit)";
    assert_eq!(
        said_by::<Vulnerabilities>("{}", &all),
        [format!("warn: {line}")]
    );
    assert!(said_by::<Vulnerabilities>("{remarks: allow}", &all).is_empty());
    assert_eq!(
        said_by::<Vulnerabilities>("{only_fixed: true}", &all).len(),
        1
    );
}

#[test]
fn a_baseline_knows_a_vulnerability_by_its_package_and_name() {
    let print = |finding: &str| {
        let supplied = supplied(&[finding]);
        let breaches = judge::<Vulnerabilities>("{}", Some(&supplied), "2026-11-26");
        breaches[0].fingerprint.clone().unwrap()
    };
    let known = print("CVE-2020-1 High a 1.0.0 -");
    assert_eq!(known, print("CVE-2020-1 Critical a 1.0.1 2.0.0"));
    assert_ne!(known, print("CVE-2020-2 High a 1.0.0 -"));
    assert_ne!(known, print("CVE-2020-1 High b 1.0.0 -"));
}
