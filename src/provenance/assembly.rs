//! From what is known of a run to the statements about it, one a predicate, and the index over them.

use serde_json::{Value, json};

use super::facts::{Evidence, index_type};
use super::index::{Index, StatementRow};
use super::predicates::{reference, slsa, svr, test_result, vsa, vulns};
use super::statement;
use crate::sha::Sha;

/// A statement, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// What its files are called, as `test-result`.
    pub(crate) name: String,
    pub(crate) predicate_type: String,
    /// Alone, for those who have the statement made by somebody else.
    pub(crate) predicate: Value,
    /// The statement, byte for byte.
    pub(crate) text: String,
}

impl Written {
    fn new(name: impl Into<String>, of: &[Value], predicate_type: &str, predicate: Value) -> Self {
        Self {
            name: name.into(),
            predicate_type: predicate_type.to_owned(),
            text: statement::write(of, predicate_type, &predicate),
            predicate,
        }
    }

    /// Returns the name of the statement's file.
    pub(crate) fn file(&self) -> String {
        format!("{}{STATEMENT_ENDING}", self.name)
    }

    pub(crate) fn sha(&self) -> Sha {
        Sha::of(self.text.as_bytes())
    }
}

/// How the names of statements end.
pub(crate) const STATEMENT_ENDING: &str = ".statement.json";

/// Everything that is said about a run.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// One a predicate; the index is the last.
    pub(crate) statements: Vec<Written>,
    pub(crate) index: Index,
}

/// Says all of it. None where there is nothing that it could be about: neither an artifact nor a commit.
pub(crate) fn assemble(evidence: &Evidence) -> Option<Assembly> {
    let built = evidence.built();
    let all = evidence.built_and_source();
    if built.is_empty() {
        return None;
    }
    let mut statements = vec![Written::new(
        "slsa-provenance",
        &built,
        slsa::TYPE,
        slsa::predicate(evidence),
    )];
    let mut say = |name: String, of: &[Value], kind: &str, predicate: Value| {
        statements.push(Written::new(name, of, kind, predicate));
    };
    if let Some(tests) = &evidence.tests {
        let predicate = test_result::predicate(evidence, tests);
        say("test-result".into(), &all, test_result::TYPE, predicate);
    }
    for (at, scan) in evidence.scans.iter().enumerate() {
        let name = match at {
            0 => "vulns".to_owned(),
            _ => format!("vulns-{}", at + 1),
        };
        say(name, &built, vulns::TYPE, vulns::predicate(scan));
    }
    if let Some(policy) = &evidence.policy {
        let predicate = svr::predicate(evidence, policy);
        say("svr".into(), &all, svr::TYPE, predicate);
    }
    if !evidence.sboms.is_empty() {
        let predicate = reference::predicate(evidence);
        say("sbom-reference".into(), &built, reference::TYPE, predicate);
    }
    if let (Some(policy), Some(resource)) = (&evidence.policy, &evidence.resource) {
        let inputs: Vec<(String, String)> = statements
            .iter()
            .map(|written| (written.file(), written.sha().to_string()))
            .collect();
        let predicate = vsa::predicate(evidence, policy, resource, &inputs);
        statements.push(Written::new("vsa", &built, vsa::TYPE, predicate));
    }
    let rows = statements.iter().map(|written| StatementRow {
        file: written.file(),
        predicate_type: written.predicate_type.clone(),
        sha256: written.sha().to_string(),
    });
    let index = Index::new(evidence, rows.collect());
    statements.push(Written::new("index", &all, &index_type(), json!(index)));
    Some(Assembly { statements, index })
}
