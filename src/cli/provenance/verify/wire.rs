//! The document of `provenance verify`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Finding, Location, Severity};
use crate::output::{Inline, Page, Report};
use crate::provenance::judge::{Judgement, Standing};
use crate::provenance::predicates;

/// What was found out about signed documents.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance-verify/v1"))]
pub(crate) struct VerifyDocument {
    /// `maestro.provenance-verify/v1`
    schema: &'static str,
    /// `verified` only when every document is; `failed` when one is wrong; else `unsupported`.
    verdict: &'static str,
    documents: Vec<Row>,
}

/// A document.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Row {
    file: String,
    /// `verified`, `failed` or `unsupported`.
    verdict: &'static str,
    /// `sigstore-bundle`, `dsse-envelope` or `statement`.
    form: &'static str,
    /// The key that signed it: base64 of the SHA-256 of its public half in DER.
    key: Option<String>,
    /// Nothing when the signature does not hold: then nothing in it was read.
    predicate_type: Option<String>,
    /// What the statement is about.
    subjects: Vec<SubjectRow>,
    /// Of the bytes that are signed.
    sha256: Option<String>,
    /// Why it is not verified.
    reasons: Vec<ReasonRow>,
    /// What was not looked at.
    notes: Vec<String>,
    #[serde(skip)]
    standing: Standing,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SubjectRow {
    name: String,
    /// The algorithm, as `sha256` or `gitCommit`.
    algorithm: String,
    digest: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ReasonRow {
    /// `provenance/…`, as `maestro explain` takes it.
    code: String,
    message: String,
}

impl Row {
    pub(super) fn new(file: String, judgement: &Judgement) -> Self {
        let statement = judgement.statement.as_ref();
        let subjects = statement.into_iter().flat_map(|statement| {
            statement.subjects.iter().flat_map(|subject| {
                let row = |(algorithm, digest): &(String, String)| SubjectRow {
                    name: subject.name.clone(),
                    algorithm: algorithm.clone(),
                    digest: digest.clone(),
                };
                subject.digests.iter().map(row)
            })
        });
        let reasons = judgement.reasons.iter().map(|reason| ReasonRow {
            code: format!("provenance/{}", reason.code.name),
            message: reason.message.clone(),
        });
        let standing = judgement.standing();
        Self {
            file,
            verdict: standing.name(),
            form: judgement.form.name(),
            key: judgement.key.clone(),
            predicate_type: statement.map(|statement| statement.predicate_type.clone()),
            subjects: subjects.collect(),
            sha256: judgement.sha.map(|sha| sha.to_string()),
            reasons: reasons.collect(),
            notes: judgement.notes.clone(),
            standing,
        }
    }

    fn show(&self, page: &mut Page) {
        let plain = |text: String| Inline::Plain(text);
        let code = |text: &str| Inline::Code(text.to_owned());
        let mut line = vec![plain(format!("{}: ", self.verdict)), code(&self.file)];
        if let Some(kind) = &self.predicate_type {
            let name = predicates::of_type(kind).map_or(kind.as_str(), |known| known.name);
            line.push(plain(" says ".to_owned()));
            line.push(code(name));
            let names = self.subjects.iter().map(|subject| subject.name.as_str());
            let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
            names.dedup();
            if let [first, rest @ ..] = &names[..] {
                line.push(plain(" about ".to_owned()));
                line.push(code(first));
                if !rest.is_empty() {
                    line.push(plain(format!(" and {} more", rest.len())));
                }
            }
        }
        if let Some(key) = &self.key {
            line.push(plain(", signed by key ".to_owned()));
            line.push(code(key));
        }
        page.line(line);
        for reason in &self.reasons {
            page.line(vec![
                plain("  ".to_owned()),
                code(&reason.code),
                plain(format!(": {}", reason.message)),
            ]);
        }
        for note in &self.notes {
            page.line(vec![plain(format!("  note: {note}"))]);
        }
    }
}

impl VerifyDocument {
    pub(super) fn new(documents: Vec<Row>) -> Self {
        let worst = documents.iter().map(|row| row.standing).max();
        Self {
            schema: "maestro.provenance-verify/v1",
            verdict: worst.unwrap_or(Standing::Unsupported).name(),
            documents,
        }
    }
}

impl Report for VerifyDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        for row in &self.documents {
            row.show(&mut page);
        }
        page
    }

    fn findings(&self) -> Vec<Finding> {
        let found = self.documents.iter().flat_map(|row| {
            row.reasons.iter().map(|reason| Finding {
                code: reason.code.clone(),
                severity: Severity::Error,
                message: reason.message.clone(),
                location: Some(Location {
                    path: row.file.clone(),
                    line: None,
                    column: None,
                }),
            })
        });
        found.collect()
    }

    fn outputs(&self) -> Vec<(String, String)> {
        vec![("verdict".to_owned(), self.verdict.to_owned())]
    }
}
