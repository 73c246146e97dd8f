//! Statements in both forms.

use super::*;

fn read_text(text: &str) -> Vec<Statement> {
    read("vex.json", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"))
}

fn package(purl: &str) -> Package {
    Package::parse(purl).unwrap()
}

fn about(statement: &Statement, purl: &str) -> bool {
    statement.is_about(Asked {
        package: &package(purl),
        reference: None,
        whole: None,
    })
}

#[test]
fn statements_of_openvex_are_read() {
    let statements = read_text(
        r#"{"@context": "https://openvex.dev/ns/v0.2.0", "author": "us", "timestamp": "2026-01-02T00:00:00Z", "statements": [
            {"vulnerability": {"@id": "https://nvd.nist.gov/vuln/detail/CVE-2099-1", "name": "CVE-2099-1", "aliases": ["GHSA-x"]}, "timestamp": "2026-01-03T00:00:00Z",
             "products": [{"@id": "pkg:oci/shop", "subcomponents": [{"@id": "pkg:npm/a@1"}]}], "status": "not_affected", "justification": "component_not_present"},
            {"vulnerability": "CVE-2099-2", "products": ["pkg:npm/b"], "status": "fixed"},
            {"vulnerability": {"name": "CVE-2099-3"}, "products": [{"@id": "x", "identifiers": {"purl": "pkg:npm/c@1"}}], "status": "not_affected", "impact_statement": "not called"}]}"#,
    );
    let [second, third, first] = &statements[..] else {
        panic!("{statements:?}");
    };
    assert_eq!(first.ids, ["CVE-2099-1", "CVE-2099-1", "GHSA-x"]);
    assert_eq!(
        first.justification.as_deref(),
        Some("component_not_present")
    );
    assert!(
        about(first, "pkg:npm/a@1")
            && !about(first, "pkg:npm/a@2")
            && !about(first, "pkg:oci/shop")
    );
    assert_eq!(
        (second.status, &second.justification),
        (Status::Fixed, &None)
    );
    assert!(about(second, "pkg:npm/b@9") && !about(second, "pkg:pypi/b@9"));
    assert_eq!(third.justification.as_deref(), Some("not called"));
    assert!(about(third, "pkg:npm/c@1"));
}

#[test]
fn states_of_cyclonedx_are_read() {
    let statements = read_text(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"timestamp": "2026-01-01T00:00:00Z"},
        "components": [{"bom-ref": "r", "name": "a", "version": "1", "purl": "pkg:npm/a@1"}],
        "vulnerabilities": [
            {"id": "CVE-2099-1", "analysis": {"state": "false_positive", "detail": "another a"}, "affects": [{"ref": "r"}]},
            {"id": "CVE-2099-2", "analysis": {"state": "in_triage"}, "affects": [{"ref": "urn:cdx:3e67/1#other"}]},
            {"id": "CVE-2099-3", "affects": [{"ref": "r"}]}]}"#,
    );
    assert_eq!(statements.len(), 2);
    assert_eq!(statements[0].status, Status::NotAffected);
    assert!(about(&statements[0], "pkg:npm/a@1"));
    let other = package("pkg:npm/z@1");
    let by_reference = Asked {
        package: &other,
        reference: Some("other"),
        whole: None,
    };
    assert!(statements[1].is_about(by_reference));
    assert!(!statements[0].is_about(by_reference));
}

#[test]
fn a_statement_about_the_whole_is_about_its_parts() {
    let statements = read_text(
        r#"{"@context": ["https://openvex.dev/ns"], "statements": [
            {"vulnerability": {"name": "CVE-2099-1"}, "products": [{"@id": "pkg:npm/shop@1"}], "status": "affected"}]}"#,
    );
    let (part, whole, other) = (
        package("pkg:npm/a@1"),
        package("pkg:npm/shop@1"),
        package("pkg:npm/shop@2"),
    );
    let asked = |whole| Asked {
        package: &part,
        reference: None,
        whole: Some((whole, None)),
    };
    assert!(statements[0].is_about(asked(&whole)));
    assert!(!statements[0].is_about(asked(&other)));
}

#[test]
fn words_of_nobody_are_refused() {
    let fault = |statement: &str| {
        let text =
            format!(r#"{{"@context": "https://openvex.dev/ns", "statements": [{statement}]}}"#);
        read("a", text.as_bytes()).unwrap_err().message
    };
    assert_eq!(
        fault(r#"{"vulnerability": "CVE-1", "products": [], "status": "not-affected"}"#),
        "`not-affected` is no status of OpenVEX"
    );
    assert_eq!(
        fault(r#"{"products": [], "status": "fixed"}"#),
        "a statement names no vulnerability"
    );
    assert_eq!(
        fault(
            r#"{"vulnerability": "CVE-1", "status": "not_affected", "justification": "trust_me"}"#
        ),
        "`trust_me` is no justification of OpenVEX"
    );
    assert_eq!(
        fault(r#"{"vulnerability": "CVE-1", "status": "fixed", "products": [{}]}"#),
        "a product has no `@id`"
    );
}
