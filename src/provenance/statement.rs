//! in-toto statements (in-toto/attestation, `spec/v1/statement.md` and `resource_descriptor.md`): what is said, and of which artifacts.

use serde_json::{Value, json};

use super::{Malformed, strict};
use crate::sha::Sha;

/// Version 1 of a statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What came before it, as tools of some years ago still write it.
const STATEMENT_0_1: &str = "https://in-toto.io/Statement/v0.1";

/// One artifact that a statement is about, or refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// What it is called there; empty where it has no name.
    pub(crate) name: String,
    /// Algorithm and digest, in order.
    pub(crate) digests: Vec<(String, String)>,
}

impl Subject {
    /// Returns its digest by this algorithm.
    pub(crate) fn digest(&self, algorithm: &str) -> Option<&str> {
        let mut digests = self.digests.iter();
        let found = digests.find(|(name, _)| name == algorithm);
        found.map(|(_, digest)| digest.as_str())
    }

    /// Whether a file with this digest is it. Matching is by digest only: a name proves nothing.
    pub(crate) fn is(&self, sha: Sha) -> bool {
        let sha = sha.to_string();
        self.digest("sha256")
            .is_some_and(|digest| digest.eq_ignore_ascii_case(&sha))
    }

    fn read(value: &Value) -> Result<Self, Malformed> {
        let name = value.get("name").and_then(Value::as_str);
        let digests = value.get("digest").and_then(Value::as_object);
        let digests = digests.filter(|digests| !digests.is_empty());
        let digests = digests.ok_or_else(|| Malformed::new("a subject has no digest"))?;
        let digests = digests.iter().map(|(algorithm, digest)| {
            let digest = digest.as_str();
            let digest = digest.ok_or_else(|| Malformed::new("a subject's digest is no text"))?;
            Ok((algorithm.clone(), digest.to_owned()))
        });
        Ok(Self {
            name: name.unwrap_or_default().to_owned(),
            digests: digests.collect::<Result<_, Malformed>>()?,
        })
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) predicate_type: String,
    pub(crate) predicate: Value,
}

impl Statement {
    /// Reads the bytes of a statement.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = strict::read(bytes).map_err(|error| Malformed(error.to_string()))?;
        Self::of(&value)
    }

    /// Takes a value for a statement.
    pub(crate) fn of(value: &Value) -> Result<Self, Malformed> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        match text("_type") {
            Some(STATEMENT | STATEMENT_0_1) => {}
            Some(other) => return Err(Malformed(format!("`{other}` is no statement's `_type`"))),
            None => return Err(Malformed::new("the statement has no `_type`")),
        }
        let predicate_type = text("predicateType").filter(|name| !name.is_empty());
        let predicate_type =
            predicate_type.ok_or_else(|| Malformed::new("the statement has no `predicateType`"))?;
        let subjects = value.get("subject").and_then(Value::as_array);
        let subjects = subjects.filter(|subjects| !subjects.is_empty());
        let subjects = subjects.ok_or_else(|| Malformed::new("the statement has no subject"))?;
        Ok(Self {
            subjects: subjects
                .iter()
                .map(Subject::read)
                .collect::<Result<_, _>>()?,
            predicate_type: predicate_type.to_owned(),
            predicate: value.get("predicate").cloned().unwrap_or_default(),
        })
    }
}

/// Whether a value says that it is a statement.
pub(crate) fn is_statement(value: &Value) -> bool {
    value.get("_type").is_some() && value.get("predicateType").is_some()
}

/// Writes a statement. Names stand in order and nothing between the tokens, so that equal statements are equal bytes.
pub(crate) fn write(subjects: &[Value], predicate_type: &str, predicate: &Value) -> String {
    json!({
        "_type": STATEMENT,
        "predicate": predicate,
        "predicateType": predicate_type,
        "subject": subjects,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reads_back() {
        let subject = json!({ "name": "a", "digest": { "sha256": Sha::of(b"x").to_string() } });
        let text = write(&[subject], "t", &json!({ "b": 1 }));
        let read = Statement::read(text.as_bytes()).unwrap();
        assert_eq!(read.predicate_type, "t");
        assert_eq!(read.predicate, json!({ "b": 1 }));
        assert!(read.subjects[0].is(Sha::of(b"x")));
        assert!(!read.subjects[0].is(Sha::of(b"y")));
    }

    #[test]
    fn what_lacks_a_part_is_no_statement() {
        for (text, words) in [
            ("{}", "no `_type`"),
            (r#"{"_type": "x"}"#, "`x` is no statement"),
            (
                r#"{"_type": "https://in-toto.io/Statement/v1"}"#,
                "no `predicateType`",
            ),
            (
                r#"{"_type": "https://in-toto.io/Statement/v1", "predicateType": "t", "subject": []}"#,
                "no subject",
            ),
            (
                r#"{"_type": "https://in-toto.io/Statement/v1", "predicateType": "t", "subject": [{"name": "a", "digest": {}}]}"#,
                "no digest",
            ),
            (
                r#"{"_type": "https://in-toto.io/Statement/v1", "predicateType": "t", "subject": [], "subject": []}"#,
                "twice",
            ),
        ] {
            let error = Statement::read(text.as_bytes()).unwrap_err();
            assert!(error.0.contains(words), "{error}");
        }
    }
}
