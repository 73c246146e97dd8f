//! Whether a statement says what was asked for: about these files, of this kind, by this policy, and good news.

use serde_json::Value;

use super::codes::{self, Code};
use super::facts;
use super::index::{self, Named};
use super::judge::{Asked, Judgement, OnDisk};
use super::predicates::{self, reference, slsa, svr, vsa};
use super::statement::{Statement, Subject};
use super::texts;

/// Adds what stands against a statement.
pub(super) fn check(judgement: &mut Judgement, statement: &Statement, asked: &Asked<'_>) {
    if let Some(wanted) = &asked.predicate_type
        && *wanted != statement.predicate_type
    {
        let message = format!("it is `{}`, and not `{wanted}`", statement.predicate_type);
        judgement.because(codes::PREDICATE_TYPE, message);
    }
    about_artifacts(judgement, statement, asked);
    if let Some(on_disk) = asked.on_disk {
        files_are_the_same(judgement, statement, on_disk);
    } else if asked.artifacts.is_empty() {
        let note = "no file was compared: `--artifact FILE` or `--files DIR` does";
        judgement.notes.push(note.to_owned());
    }
    says(judgement, statement, asked);
    match predicates::of_type(&statement.predicate_type) {
        Some(known) if !asked.takes_bad_news => {
            if let Some(trouble) = (known.trouble)(&statement.predicate) {
                judgement.because(codes::RESULT, trouble);
            }
        }
        Some(_) => {}
        None => {
            let note = format!(
                "nothing is known here about `{}`: its content was not judged",
                statement.predicate_type
            );
            judgement.notes.push(note);
        }
    }
}

fn about_artifacts(judgement: &mut Judgement, statement: &Statement, asked: &Asked<'_>) {
    for artifact in asked.artifacts {
        if statement.subjects.iter().any(|of| of.is(artifact.sha)) {
            continue;
        }
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let namesake = statement
            .subjects
            .iter()
            .find(|of| !of.name.is_empty() && name(&of.name) == name(&artifact.path));
        let (path, sha) = (&artifact.path, artifact.sha);
        match namesake.and_then(|of| of.digest("sha256")) {
            Some(digest) => {
                let message = format!("`{path}` has sha256 {sha}, and the statement says {digest}");
                judgement.because(codes::FILE_DIFFERS, message);
            }
            None => {
                let message = format!("`{path}` (sha256 {sha}) is none of its subjects");
                judgement.because(codes::NOT_A_SUBJECT, message);
            }
        }
    }
}

/// Compares every file that the statement names with the one on disk.
fn files_are_the_same(
    judgement: &mut Judgement,
    statement: &Statement,
    on_disk: &dyn Fn(&str) -> OnDisk,
) {
    let of_subject = |subject: &Subject| {
        Some(Named {
            path: Some(subject.name.clone()).filter(|name| !name.is_empty())?,
            sha256: subject.digest("sha256")?.to_owned(),
        })
    };
    let mut named: Vec<Named> = statement.subjects.iter().filter_map(of_subject).collect();
    if statement.predicate_type == facts::index_type() {
        named.extend(index::files(&statement.predicate));
    }
    if statement.predicate_type == reference::TYPE {
        named.extend(references(&statement.predicate));
    }
    for subject in &statement.subjects {
        let is_source = subject.digest("gitCommit").is_some();
        if of_subject(subject).is_none() && !is_source {
            let name = &subject.name;
            let message = format!("its subject `{name}` has no name or no SHA-256 to compare");
            judgement.because(codes::NOT_COMPARABLE, message);
        }
    }
    crate::order::sort_by(&mut named, |a, b| {
        (&a.path, &a.sha256).cmp(&(&b.path, &b.sha256))
    });
    named.dedup();
    if named.is_empty() {
        let note = "it names no file that could be compared";
        judgement.notes.push(note.to_owned());
    }
    for Named { path, sha256 } in named {
        match on_disk(&path) {
            OnDisk::Is(sha) if sha.to_string().eq_ignore_ascii_case(&sha256) => {}
            OnDisk::Is(sha) => {
                let message = format!("`{path}` has sha256 {sha}, and the statement says {sha256}");
                judgement.because(codes::FILE_DIFFERS, message);
            }
            OnDisk::Missing(why) => {
                judgement.because(codes::FILE_MISSING, format!("`{path}` {why}"));
            }
        }
    }
}

fn references(predicate: &Value) -> Vec<Named> {
    let list = predicate.get("references").and_then(Value::as_array);
    let named = list.into_iter().flatten().filter_map(|row| {
        Some(Named {
            path: row.get("name")?.as_str()?.to_owned(),
            sha256: row.pointer("/digest/sha256")?.as_str()?.to_owned(),
        })
    });
    named.collect()
}

/// A type of predicates, and where in one of them a text is.
type Place = (fn() -> String, &'static [&'static str]);

/// Where predicates have a text, and how it is called.
struct Places {
    what: &'static str,
    code: &'static Code,
    is_hexadecimal: bool,
    of: &'static [Place],
}

const POLICIES: Places = Places {
    what: "policy",
    code: codes::POLICY,
    is_hexadecimal: true,
    of: &[
        (
            || svr::TYPE.to_owned(),
            &["verifier", "policies", "*", "digest", "sha256"],
        ),
        (|| vsa::TYPE.to_owned(), &["policy", "digest", "sha256"]),
        (facts::index_type, &["policy", "sha256"]),
    ],
};

const COMMITS: Places = Places {
    what: "commit",
    code: codes::COMMIT,
    is_hexadecimal: true,
    of: &[
        (
            || slsa::TYPE.to_owned(),
            &[
                "buildDefinition",
                "resolvedDependencies",
                "*",
                "digest",
                "gitCommit",
            ],
        ),
        (facts::index_type, &["run", "commit"]),
    ],
};

const BUILDERS: Places = Places {
    what: "builder",
    code: codes::BUILDER,
    is_hexadecimal: false,
    of: &[
        (|| slsa::TYPE.to_owned(), &["runDetails", "builder", "id"]),
        (|| reference::TYPE.to_owned(), &["attester", "id"]),
        (facts::index_type, &["builder"]),
    ],
};

const RESOURCES: Places = Places {
    what: "resource",
    code: codes::RESOURCE,
    is_hexadecimal: false,
    of: &[(|| vsa::TYPE.to_owned(), &["resourceUri"])],
};

const PROPERTIES: Places = Places {
    what: "property",
    code: codes::PROPERTY,
    is_hexadecimal: false,
    of: &[(|| svr::TYPE.to_owned(), &["properties", "*"])],
};

impl Places {
    fn texts<'v>(&self, statement: &'v Statement) -> Vec<&'v str> {
        let mut texts_there = Vec::new();
        for (kind, path) in self.of {
            if kind() == statement.predicate_type {
                texts(&statement.predicate, path, &mut texts_there);
            }
        }
        texts_there
    }

    fn must_hold(&self, judgement: &mut Judgement, found: &[&str], wanted: &str) {
        // Hexadecimal digits may be of either case; in names a letter is a letter.
        let is_it = |text: &&str| {
            **text == *wanted || self.is_hexadecimal && text.eq_ignore_ascii_case(wanted)
        };
        if found.iter().any(is_it) {
            return;
        }
        let what = self.what;
        let message = match found {
            [] => format!("it names no {what}, and `{wanted}` was asked for"),
            found => format!(
                "its {what} is `{}`, and `{wanted}` was asked for",
                found.join("`, `")
            ),
        };
        judgement.because(self.code, message);
    }
}

fn says(judgement: &mut Judgement, statement: &Statement, asked: &Asked<'_>) {
    for (places, wanted) in [
        (&POLICIES, &asked.policy),
        (&BUILDERS, &asked.builder),
        (&RESOURCES, &asked.resource),
    ] {
        if let Some(wanted) = wanted {
            places.must_hold(judgement, &places.texts(statement), wanted);
        }
    }
    for wanted in asked.properties {
        PROPERTIES.must_hold(judgement, &PROPERTIES.texts(statement), wanted);
    }
    if let Some(wanted) = &asked.commit {
        let subjects = statement.subjects.iter();
        let mut found: Vec<&str> = subjects.filter_map(|of| of.digest("gitCommit")).collect();
        found.extend(COMMITS.texts(statement));
        COMMITS.must_hold(judgement, &found, wanted);
    }
}

/// Compares the statements that an index refers to with what is there: signed in the same call, or beside the index.
pub(crate) fn statements_are_there(judgement: &mut Judgement, is_there: &dyn Fn(&Named) -> OnDisk) {
    let Some(statement) = &judgement.statement else {
        return;
    };
    if statement.predicate_type != facts::index_type() {
        return;
    }
    for named in index::statements(&statement.predicate) {
        let message = match is_there(&named) {
            OnDisk::Is(sha) if sha.to_string() == named.sha256 => continue,
            OnDisk::Is(sha) => format!(
                "`{}` has sha256 {sha}, and the index says {}",
                named.path, named.sha256
            ),
            OnDisk::Missing(why) => format!("`{}` {why}", named.path),
        };
        judgement.because(codes::STATEMENT_DIFFERS, message);
    }
}
