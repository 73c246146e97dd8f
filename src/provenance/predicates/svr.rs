//! Simple Verification Result v0.2 (in-toto/attestation, `spec/predicates/svr.md`): which properties somebody found, judged by which policy.
//!
//! Only what passed is a property, so that a policy that blocks leaves none.

use serde_json::{Value, json};

use crate::provenance::facts::{Evidence, policy_verifier};
use crate::provenance::readings::Policy;

pub(crate) const TYPE: &str = "https://in-toto.io/attestation/svr/v0.2";

/// `check-policy` blocked nothing and asks nobody.
const POLICY_PASSED: &str = "MAESTRO_POLICY_PASSED";

pub(crate) fn predicate(evidence: &Evidence, policy: &Policy) -> Value {
    let mut descriptor = json!({ "digest": { "sha256": policy.sha256 } });
    if let Some(members) = descriptor.as_object_mut() {
        if !policy.path.is_empty() {
            members.insert("name".to_owned(), json!(policy.path));
        }
        if let Some(uri) = uri(evidence, policy) {
            members.insert("uri".to_owned(), json!(uri));
        }
    }
    let passed = policy.outcome.has_passed().then_some(POLICY_PASSED);
    let properties: Vec<&str> = passed.into_iter().collect();
    json!({
        "properties": properties,
        "timeCreated": evidence.at.to_string(),
        "verifier": { "id": policy_verifier(), "policies": [descriptor] },
    })
}

/// Returns where the policy lies, at the commit that it was taken from.
pub(super) fn uri(evidence: &Evidence, policy: &Policy) -> Option<String> {
    let repository = evidence.run.repository_uri()?;
    let is_known = !policy.commit.is_empty() && !policy.path.is_empty();
    is_known.then(|| format!("git+{repository}@{}#{}", policy.commit, policy.path))
}

pub(crate) fn trouble(predicate: &Value) -> Option<String> {
    let properties = predicate.get("properties").and_then(Value::as_array);
    match properties {
        Some(properties) if !properties.is_empty() => None,
        _ => Some("it names no property that was found".to_owned()),
    }
}
