//! SLSA Verification Summary v1 (slsa.dev/spec/v1.2, "Verification Summary Attestation"): what a verifier decided about a resource.
//!
//! `check-policy` looks at no build level, and the summary says so: `SLSA_BUILD_LEVEL_UNEVALUATED`.

use serde_json::{Value, json};

use super::svr::uri;
use crate::provenance::facts::{Evidence, policy_verifier};
use crate::provenance::readings::Policy;

pub(crate) const TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// Which version of SLSA the levels are meant by.
const SLSA: &str = "1.2";

/// Takes the resource, and the statements that stand for what was judged: name and digest.
pub(crate) fn predicate(
    evidence: &Evidence,
    policy: &Policy,
    resource: &str,
    inputs: &[(String, String)],
) -> Value {
    let (result, level) = if policy.outcome.has_passed() {
        ("PASSED", "SLSA_BUILD_LEVEL_UNEVALUATED")
    } else {
        ("FAILED", "FAILED")
    };
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|(uri, sha256)| json!({ "digest": { "sha256": sha256 }, "uri": uri }))
        .collect();
    // The policy must be named; one without a file is the verifier's own.
    let path = Some(policy.path.clone()).filter(|path| !path.is_empty());
    let named = uri(evidence, policy)
        .or(path)
        .unwrap_or_else(policy_verifier);
    json!({
        "inputAttestations": inputs,
        "policy": { "digest": { "sha256": policy.sha256 }, "uri": named },
        "resourceUri": resource,
        "slsaVersion": SLSA,
        "timeVerified": evidence.at.to_string(),
        "verificationResult": result,
        "verifiedLevels": [level],
        "verifier": { "id": policy_verifier() },
    })
}

pub(crate) fn trouble(predicate: &Value) -> Option<String> {
    super::not(predicate, "verificationResult", &["PASSED"])
}
