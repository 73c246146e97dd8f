//! Test Result v0.1 (in-toto/attestation, `spec/predicates/test-result.md`): which tests passed, passed with a warning, failed.

use serde_json::{Map, Value, json};

use crate::provenance::facts::Evidence;
use crate::provenance::tests_of::Tests;

pub(crate) const TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

pub(crate) fn predicate(evidence: &Evidence, tests: &Tests) -> Value {
    let mut predicate = Map::new();
    let mut put = |name: &str, value: Value| predicate.insert(name.to_owned(), value);
    put("configuration", json!(configuration(evidence)));
    put("failedTests", json!(tests.failed));
    put("passedTests", json!(tests.passed));
    put("result", json!(tests.result()));
    put("warnedTests", json!(tests.warned));
    if let Some(url) = evidence.run.url() {
        put("url", json!(url));
    }
    Value::Object(predicate)
}

/// Returns what says how the tests are run: the workflow's file, or else the source.
fn configuration(evidence: &Evidence) -> Vec<Value> {
    let run = &evidence.run;
    let workflow = run.workflow().filter(|_| !run.workflow_commit.is_empty());
    match (run.repository_uri(), workflow) {
        (Some(uri), Some((path, reference))) => vec![json!({
            "digest": { "gitCommit": run.workflow_commit },
            "name": path,
            "uri": format!("git+{uri}@{reference}"),
        })],
        _ => run.source().into_iter().collect(),
    }
}

pub(crate) fn trouble(predicate: &Value) -> Option<String> {
    super::not(predicate, "result", &["PASSED", "WARNED"])
}
