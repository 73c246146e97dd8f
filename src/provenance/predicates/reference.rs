//! Reference v0.1 (in-toto/attestation, `spec/predicates/reference.md`): a bill of materials that is not in the statement, by its digest.

use serde_json::{Value, json};

use crate::provenance::facts::{Evidence, Sbom};

pub(crate) const TYPE: &str = "https://in-toto.io/attestation/reference/v0.1";

pub(crate) fn predicate(evidence: &Evidence) -> Value {
    let references: Vec<Value> = evidence
        .sboms
        .iter()
        .map(|sbom| reference(evidence, sbom))
        .collect();
    json!({ "attester": { "id": evidence.builder }, "references": references })
}

fn reference(evidence: &Evidence, sbom: &Sbom) -> Value {
    // Who has no better address finds it among the artifacts of the run, or beside the statement.
    let location = evidence
        .sbom_location
        .clone()
        .or_else(|| evidence.run.url());
    json!({
        "digest": { "sha256": sbom.file.sha.to_string() },
        "downloadLocation": location.unwrap_or_else(|| sbom.file.path.clone()),
        "mediaType": sbom.media_type,
        "name": sbom.file.path,
    })
}

/// Returns what a bill of materials is: of its form, as far as its beginning tells.
pub(crate) fn media_type(value: &Value) -> &'static str {
    let is = |member: &str| value.get(member).is_some();
    if value.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
        "application/vnd.cyclonedx+json"
    } else if is("spdxVersion") || is("@graph") {
        "application/spdx+json"
    } else if value.is_null() {
        "application/octet-stream"
    } else {
        "application/json"
    }
}
