//! Which tool wrote a report, by its content: a report of the wrong kind is refused by its name, never read as an empty one.

use super::json::Value;
use super::{NotRead, Wanted};

/// A form of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    CycloneDx,
    Spdx,
    Syft,
    Grype,
    OsvScanner,
    Trivy,
    CargoAudit,
    NpmAudit,
    PipAudit,
    Sarif,
    OpenVex,
}

impl Form {
    /// Returns its name, as `a Grype report`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CycloneDx => "a CycloneDX document",
            Self::Spdx => "an SPDX document",
            Self::Syft => "a Syft report",
            Self::Grype => "a Grype report",
            Self::OsvScanner => "an OSV-Scanner report",
            Self::Trivy => "a Trivy report",
            Self::CargoAudit => "a cargo-audit report",
            Self::NpmAudit => "an npm audit report",
            Self::PipAudit => "a pip-audit report",
            Self::Sarif => "a SARIF log",
            Self::OpenVex => "an OpenVEX document",
        }
    }

    /// Whether it can be read as what is wanted.
    fn fits(self, wanted: Wanted) -> bool {
        match self {
            Self::CycloneDx => wanted != Wanted::Sarif,
            _ => self.kind() == wanted,
        }
    }

    /// What it is made for.
    fn kind(self) -> Wanted {
        match self {
            Self::CycloneDx | Self::Spdx | Self::Syft => Wanted::Sbom,
            Self::Sarif => Wanted::Sarif,
            Self::OpenVex => Wanted::Vex,
            _ => Wanted::Vulnerabilities,
        }
    }

    /// Recognises a document that is wanted for something, or says what it is.
    pub(crate) fn of(root: Value<'_>, wanted: Wanted) -> Result<Self, NotRead> {
        let form = recognise(root)?;
        if form.fits(wanted) {
            return Ok(form);
        }
        let (form_name, kind) = (form.name(), form.kind());
        Err(
            NotRead::new(format!("this is {form_name}, not {}", wanted.name()))
                .hint(format!("give it to `{}`", kind.option())),
        )
    }
}

fn recognise(root: Value<'_>) -> Result<Form, NotRead> {
    let has = |name: &str| root.get(name).is_some();
    let is_list = |name: &str| root.get(name).is_some_and(Value::is_array);
    let text = |name: &str| root.string(name).unwrap_or_default();
    if text("bomFormat") == "CycloneDX" {
        return Ok(Form::CycloneDx);
    }
    if has("spdxVersion") {
        return Ok(Form::Spdx);
    }
    let context = context(root);
    if context.contains("openvex") {
        return Ok(Form::OpenVex);
    }
    if is_list("runs") {
        return Ok(Form::Sarif);
    }
    if is_list("artifacts") && has("artifactRelationships") {
        return Ok(Form::Syft);
    }
    if is_list("matches") {
        return Ok(Form::Grype);
    }
    if has("SchemaVersion") && has("ArtifactName") {
        return Ok(Form::Trivy);
    }
    if root.get("vulnerabilities").is_some_and(Value::is_object) {
        let inner = root.path(&["vulnerabilities", "list"]);
        if has("lockfile") || inner.is_some_and(Value::is_array) {
            return Ok(Form::CargoAudit);
        }
        if has("auditReportVersion") {
            return Ok(Form::NpmAudit);
        }
    }
    if is_list("dependencies") && has("fixes") {
        return Ok(Form::PipAudit);
    }
    if is_list("results") {
        let first = root.list("results").next();
        let is_osv = first.is_none_or(|first| first.get("packages").is_some());
        if is_osv && !has("errors") && !has("metrics") {
            return Ok(Form::OsvScanner);
        }
    }
    Err(foreign(root, &context))
}

/// Returns the context of a document in JSON-LD: a text or a list of them.
fn context(root: Value<'_>) -> String {
    let Some(context) = root.get("@context") else {
        return String::new();
    };
    let texts = context.items().filter_map(Value::text);
    let all: Vec<_> = context.text().into_iter().chain(texts).collect();
    all.join(" ")
}

/// Names what is known and not read.
fn foreign(root: Value<'_>, context: &str) -> NotRead {
    let has = |name: &str| root.get(name).is_some();
    let says = |name: &str| NotRead::at(root.place(), format!("this is {name}"));
    let sarif = "let the tool write SARIF and give that to `--sarif`";
    if context.contains("spdx.org") || has("@graph") {
        let version = if context.contains("/3.") { " 3" } else { "" };
        return says(&format!("SPDX{version} in JSON-LD, which is not read yet"))
            .hint("let the tool write SPDX 2.3 or CycloneDX");
    }
    if has("payloadType") && has("payload") || has("dsseEnvelope") {
        return says("a signed envelope, not the report in it").hint("give the report itself");
    }
    if has("predicateType") {
        return says("an in-toto statement, not a report").hint("give the predicate alone");
    }
    if root.path(&["document", "csaf_version"]).is_some() {
        return says("a CSAF document, which is not read").hint("give OpenVEX or CycloneDX VEX");
    }
    if has("advisories") && has("metadata") {
        return says("an audit in the form of npm 6, which has no versions")
            .hint("npm 7 and later write the form that is read");
    }
    if has("auditReportVersion") || (has("error") && (has("method") || has("message"))) {
        let words = root.string("message").unwrap_or_default();
        return says(&format!("what npm audit prints when it failed: {words}"))
            .hint("a scan that failed says nothing; run it again");
    }
    if has("manifests") && has("detector") {
        return says("a snapshot for GitHub's dependency graph")
            .hint("let the tool write CycloneDX or SPDX 2.3");
    }
    if has("results") && has("paths") {
        return says("a Semgrep report in its own JSON").hint(sarif);
    }
    if has("results") && has("metrics") {
        return says("a Bandit report in its own JSON").hint(sarif);
    }
    let first = root.items().next();
    if first.is_some_and(|first| first.get("vulns").is_some() || first.get("skip_reason").is_some())
    {
        return says("a report of pip-audit 1").hint("pip-audit 2 writes the form that is read");
    }
    if first.is_some_and(|first| first.get("messages").is_some()) {
        return says("an ESLint report in its own JSON").hint(sarif);
    }
    if first.is_some_and(|first| first.get("RuleID").is_some()) {
        return says("a Gitleaks report in its own JSON").hint(sarif);
    }
    NotRead::at(root.place(), "this is no report that is known here").hint(
        "read are CycloneDX, SPDX 2, Syft, Grype, OSV-Scanner, Trivy, cargo-audit, npm audit, pip-audit, SARIF and OpenVEX",
    )
}

#[cfg(test)]
mod tests {
    use super::super::json::Document;
    use super::*;

    fn said(text: &str, wanted: Wanted) -> String {
        let document = Document::parse(text).unwrap();
        match Form::of(document.root(), wanted) {
            Ok(form) => form.name().to_owned(),
            Err(fault) => format!("{fault}; {}", fault.hint.as_deref().unwrap_or_default()),
        }
    }

    #[test]
    fn a_report_for_another_option_is_named() {
        let grype = r#"{"matches": [], "descriptor": {"name": "grype"}}"#;
        assert_eq!(said(grype, Wanted::Vulnerabilities), "a Grype report");
        assert_eq!(
            said(grype, Wanted::Sbom),
            "this is a Grype report, not an SBOM; give it to `--vulns`"
        );
        let bom = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#;
        assert_eq!(said(bom, Wanted::Vex), "a CycloneDX document");
        assert_eq!(
            said(bom, Wanted::Sarif),
            "this is a CycloneDX document, not a SARIF log; give it to `--sbom`"
        );
    }

    #[test]
    fn what_is_not_read_is_named_too() {
        let third =
            r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}"#;
        assert!(
            said(third, Wanted::Sbom).starts_with("this is SPDX 3 in JSON-LD, which is not read")
        );
        let failed =
            r#"{"message": "405 Method Not Allowed", "method": "POST", "error": {"summary": ""}}"#;
        assert!(said(failed, Wanted::Vulnerabilities).contains("failed: 405 Method Not Allowed"));
        for text in [
            "{}",
            "[]",
            "7",
            r#"{"vulnerabilities": {}}"#,
            r#"{"vulnerabilities": []}"#,
        ] {
            let have = said(text, Wanted::Vulnerabilities);
            assert!(
                have.starts_with("this is no report that is known here"),
                "{have}"
            );
        }
    }
}
