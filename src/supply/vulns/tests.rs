//! Reports of every scanner, and the same finding in several.

use super::*;

fn read_text(text: &str) -> Scan {
    read("report.json", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A finding a line: names, package, severity, fix, remark.
fn shown(found: &[Vulnerability]) -> Vec<String> {
    let line = |one: &Vulnerability| {
        let severity = one.severity.map_or("unknown", Severity::name);
        let fix = match &one.fix {
            Fix::Unknown => "?".to_owned(),
            Fix::Missing => "no fix".to_owned(),
            Fix::Versions(versions) => versions.join(" "),
        };
        let remark = one.remark.as_ref().map(|remark| format!(" ({remark})"));
        format!(
            "{} {}:{} {severity} {fix}{}",
            one.ids.join("="),
            one.package.kind,
            one.package.shown(),
            remark.unwrap_or_default()
        )
    };
    found.iter().map(line).collect()
}

#[test]
fn cargo_audit_is_read() {
    let scan = read_text(include_str!("../../../fixtures/supply/cargo-audit.json"));
    assert_eq!(
        shown(&scan.found),
        [
            "RUSTSEC-2099-0001=CVE-2099-0001=GHSA-aaaa-bbbb-cccc cargo:demo-bad@1.2.3 high >=1.2.4",
            "RUSTSEC-2099-0002 cargo:demo-old@0.3.0 unknown no fix (unmaintained)",
        ]
    );
    // A database without a remote has no date.
    assert_eq!((scan.looked_at, scan.database), (Some(3), None));
}

#[test]
fn npm_audit_is_read_and_its_failure_is_no_report() {
    let scan = read_text(include_str!("../../../fixtures/supply/npm-audit.json"));
    assert_eq!(
        shown(&scan.found),
        [
            "GHSA-aaaa-bbbb-0001 npm:lodash high lodash@4.18.1",
            "GHSA-aaaa-bbbb-0002 npm:minimist medium minimist@1.2.8",
        ]
    );
    assert_eq!(scan.looked_at, Some(3));
    let failed = include_bytes!("../../../fixtures/supply/npm-audit-failed.json");
    assert!(
        read("a", failed)
            .unwrap_err()
            .message
            .starts_with("this is what npm audit prints when it failed: 405")
    );
}

#[test]
fn what_only_uses_something_vulnerable_is_not_a_second_finding() {
    let scan = read_text(
        r#"{"auditReportVersion": 2, "vulnerabilities": {
            "deep": {"via": [{"source": 7, "name": "deep", "severity": "low", "range": "<2", "url": "https://example.org/7"}], "fixAvailable": true},
            "user": {"via": ["deep"], "fixAvailable": false}}, "metadata": {"dependencies": {"total": 2}}}"#,
    );
    assert_eq!(shown(&scan.found), ["npm-7 npm:deep low any outside <2"]);
}

#[test]
fn pip_audit_is_read_with_what_it_left_out() {
    let scan = read_text(include_str!("../../../fixtures/supply/pip-audit.json"));
    assert_eq!(
        shown(&scan.found),
        ["PYSEC-2099-1=GHSA-aaaa-bbbb-0003=CVE-2099-0003 pypi:jinja2@2.10 unknown 2.10.1"]
    );
    assert_eq!(scan.looked_at, Some(2));
    let scan = read_text(include_str!(
        "../../../fixtures/supply/pip-audit-skipped.json"
    ));
    assert_eq!(
        (scan.looked_at, scan.skipped.len(), scan.found.len()),
        (Some(0), 2, 0)
    );
}

const GRYPE: &str = r#"{"matches": [
    {"vulnerability": {"id": "GHSA-aaaa-bbbb-0001", "severity": "High", "fix": {"versions": ["4.17.19"], "state": "fixed"}},
     "relatedVulnerabilities": [{"id": "CVE-2099-0010", "severity": "Critical"}],
     "artifact": {"name": "lodash", "version": "4.17.15", "type": "npm", "purl": "pkg:npm/lodash@4.17.15"}},
    {"vulnerability": {"id": "ALAS-2099-1", "severity": "Unknown", "fix": {"versions": [], "state": "wont-fix"},
        "cvss": [{"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
     "relatedVulnerabilities": [{"id": "CVE-2099-1"}, {"id": "CVE-2099-2"}],
     "artifact": {"name": "curl", "version": "8.0", "type": "rpm"}}],
    "descriptor": {"name": "grype", "version": "0.90.0", "db": {"status": {"built": "2026-11-20T04:11:38Z"}}}}"#;

#[test]
fn grype_is_read_and_an_advisory_about_several_joins_none() {
    let scan = read_text(GRYPE);
    assert_eq!(
        shown(&scan.found),
        [
            "GHSA-aaaa-bbbb-0001=CVE-2099-0010 npm:lodash@4.17.15 high 4.17.19",
            "ALAS-2099-1 rpm:curl@8.0 critical no fix",
        ]
    );
    assert_eq!(scan.database, "2026-11-20".parse().ok());
    let older = GRYPE.replace(
        r#"{"status": {"built": "2026-11-20T04:11:38Z"}}"#,
        r#"{"built": "2026-11-19T04:11:38Z"}"#,
    );
    assert_eq!(read_text(&older).database, "2026-11-19".parse().ok());
}

const OSV: &str = r#"{"results": [{"source": {"path": "/x/package-lock.json", "type": "lockfile"}, "packages": [{
    "package": {"name": "lodash", "version": "4.17.15", "ecosystem": "npm"},
    "vulnerabilities": [
        {"id": "GHSA-aaaa-bbbb-0001", "aliases": ["CVE-2099-0010"], "database_specific": {"severity": "MODERATE"},
         "affected": [{"package": {"name": "lodash", "ecosystem": "npm"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.20"}]},
            {"type": "GIT", "events": [{"fixed": "c0ffee"}]}]},
            {"package": {"name": "lodash-es", "ecosystem": "npm"}, "ranges": [{"type": "SEMVER", "events": [{"fixed": "9"}]}]}]},
        {"id": "OSV-2099-2", "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]},
        {"id": "OSV-2099-3"},
        {"id": "OSV-2099-4", "withdrawn": "2026-01-01T00:00:00Z"}],
    "groups": [{"ids": ["OSV-2099-3"], "max_severity": "5.5"}]}]}]}"#;

#[test]
fn osv_scanner_is_read() {
    assert_eq!(
        shown(&read_text(OSV).found),
        [
            "GHSA-aaaa-bbbb-0001=CVE-2099-0010 npm:lodash@4.17.15 medium 4.17.20",
            "OSV-2099-2 npm:lodash@4.17.15 critical no fix",
            "OSV-2099-3 npm:lodash@4.17.15 medium no fix",
        ]
    );
    let empty = read_text(r#"{"results": [], "experimental_config": {}}"#);
    assert_eq!(
        (empty.tool.as_str(), empty.looked_at),
        ("osv-scanner", None)
    );
}

const TRIVY: &str = r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [
    {"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2099-0010", "PkgName": "lodash", "PkgIdentifier": {"PURL": "pkg:npm/lodash@4.17.15"}, "InstalledVersion": "4.17.15",
         "FixedVersion": "4.17.20, 5.0.0", "Status": "fixed", "Severity": "HIGH"},
        {"VulnerabilityID": "CVE-2099-0011", "PkgName": "left-pad", "InstalledVersion": "1.3.0", "Severity": "UNKNOWN", "Status": "affected",
         "CVSS": {"nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N"}}}]},
    {"Target": "x", "Class": "secret"}]}"#;

#[test]
fn trivy_is_read() {
    let scan = read_text(TRIVY);
    assert_eq!(
        shown(&scan.found),
        [
            "CVE-2099-0010 npm:lodash@4.17.15 high 4.17.20 5.0.0",
            "CVE-2099-0011 npm:left-pad@1.3.0 medium no fix"
        ]
    );
    assert_eq!(scan.looked_at, Some(1));
    let nothing = read_text(r#"{"SchemaVersion": 2, "ArtifactName": "."}"#);
    assert_eq!(nothing.looked_at, Some(0));
    assert!(read("a", br#"{"SchemaVersion": 1, "ArtifactName": "."}"#).is_err());
}

#[test]
fn a_cyclonedx_document_may_be_a_report() {
    let scan = read_text(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"bom-ref": "r", "name": "lodash", "version": "4.17.15", "purl": "pkg:npm/lodash@4.17.15"}],
        "vulnerabilities": [{"id": "CVE-2099-0010", "references": [{"id": "GHSA-aaaa-bbbb-0001"}], "ratings": [{"severity": "low"}, {"severity": "high"}], "affects": [{"ref": "r"}]}]}"#,
    );
    assert_eq!(
        shown(&scan.found),
        ["CVE-2099-0010=GHSA-aaaa-bbbb-0001 npm:lodash@4.17.15 high ?"]
    );
    let plain = br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}"#;
    assert_eq!(
        read("a", plain).unwrap_err().message,
        "this CycloneDX document has no `vulnerabilities`"
    );
}

#[test]
fn one_vulnerability_of_many_tools_is_one_finding() {
    let npm = r#"{"auditReportVersion": 2, "vulnerabilities": {
        "lodash": {"via": [{"source": 1, "severity": "low", "range": "<4.17.19", "url": "https://github.com/advisories/ghsa-none"},
            {"source": 2, "severity": "low", "range": "<4.17.19", "url": "https://github.com/advisories/GHSA-aaaa-bbbb-0001"}]}}}"#;
    let scans: Vec<Scan> = [GRYPE, OSV, TRIVY, npm]
        .into_iter()
        .map(read_text)
        .collect();
    let merged = merge(&scans);
    assert_eq!(
        shown(&merged),
        [
            "ALAS-2099-1 rpm:curl@8.0 critical no fix",
            "CVE-2099-0010=GHSA-aaaa-bbbb-0001 npm:lodash@4.17.15 high 4.17.19",
            "CVE-2099-0011 npm:left-pad@1.3.0 medium no fix",
            "OSV-2099-2 npm:lodash@4.17.15 critical no fix",
            "OSV-2099-3 npm:lodash@4.17.15 medium no fix",
            "npm-1 npm:lodash low ?",
        ]
    );
    assert_eq!(
        merged[1].tools,
        ["grype", "npm-audit", "osv-scanner", "trivy"]
    );
    let mut turned = scans;
    turned.reverse();
    assert_eq!(merge(&turned), merged);
}

#[test]
fn names_are_joined_over_several_reports() {
    let report = |ids: &[&str], version: &str| {
        let mut scan = Scan {
            tool: "t".into(),
            ..Scan::default()
        };
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        scan.add(ids, Package::new("npm", "a", version));
        scan
    };
    let merged = merge(&[
        report(&["A", "B"], "1"),
        report(&["C", "D"], "1"),
        report(&["d", "b"], "1"),
        report(&["E"], "1"),
    ]);
    assert_eq!(
        shown(&merged),
        ["A=B=C=D npm:a@1 unknown ?", "E npm:a@1 unknown ?"]
    );
    let merged = merge(&[report(&["A"], "1"), report(&["A"], "2"), report(&["A"], "")]);
    assert_eq!(
        shown(&merged),
        ["A npm:a@1 unknown ?", "A npm:a@2 unknown ?"]
    );
}

#[test]
fn findings_that_cannot_be_named_are_refused() {
    let fault = |text: &str| {
        let fault = read("a", text.as_bytes()).unwrap_err();
        format!("{:?} {}", fault.place.unwrap(), fault.message)
    };
    assert_eq!(
        fault(r#"{"matches": [{"artifact": {}}]}"#),
        "(1, 14) a match has no `vulnerability` or no `artifact`"
    );
    assert_eq!(
        fault(r#"{"matches": [{"artifact": {}, "vulnerability": {}}]}"#),
        "(1, 48) a finding has no `id`"
    );
    assert_eq!(
        fault(r#"{"results": [{"packages": {}}]}"#),
        "(1, 27) `packages` is no list"
    );
    assert_eq!(
        fault(r#"{"dependencies": [{"name": "a", "vulns": [{}]}], "fixes": []}"#),
        "(1, 43) a finding has no `id`"
    );
}
