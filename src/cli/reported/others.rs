//! Errors of the rooms about tests, plans, policies, provenance and what is told.

use super::Said;
use crate::flakes::muted::NoList;
use crate::flakes::neutral::NeutralError;
use crate::flakes::quarantine::QuarantineProblem;
use crate::flakes::runners::{ListProblem, Unskippable};
use crate::flakes::trusted::NotTrusted;
use crate::health::merge_time::Abstention;
use crate::json;
use crate::junit::ReadError;
use crate::plan::graph::patterns::Patterns;
use crate::plan::locks::NotALock;
use crate::policy::baseline::BaselineProblem;
use crate::policy::task::TaskProblem;
use crate::ports::signing::SigningProblem;
use crate::provenance::Malformed;
use crate::provenance::keys::KeyProblem;
use crate::supply::NotRead;
use crate::telemetry::otlp::exporter::Unsupported;

fn text(words: &str) -> String {
    words.to_owned()
}

fn json() -> serde_json::Error {
    json::read::<u8>("{").unwrap_err()
}

pub(super) fn say(said: &mut Said) {
    tests(said);
    changes(said);
    proofs(said);
}

fn tests(said: &mut Said) {
    said.reported([
        NoList::Yaml(text("did not find expected key")),
        NoList::Line(3),
        NoList::Empty,
    ]);
    said.inside([NeutralError::NoResult {
        first: text("line 1: missing field `status`"),
    }]);
    said.inside([
        ReadError::Empty,
        ReadError::Binary,
        ReadError::NoElement,
        ReadError::OtherRoot(text("html")),
        ReadError::OtherJson,
    ]);
    said.reported([
        QuarantineProblem::Json(text("expected value at line 1 column 1")),
        QuarantineProblem::Schema(text("maestro.quarantine/v9")),
        QuarantineProblem::Twice(text("s > t")),
        QuarantineProblem::Entry {
            test: text("s > t"),
            problem: "its review lies before its beginning",
        },
        QuarantineProblem::TooMany,
    ]);
    said.reported([
        NotTrusted::Json(text("expected value")),
        NotTrusted::Schema(text("maestro.trusted/v9")),
        NotTrusted::Digest,
        NotTrusted::Quarantine(QuarantineProblem::TooMany),
    ]);
    said.inside([ListProblem {
        line: 3,
        problem: text("it is no test"),
    }]);
    said.reported([
        Unskippable::Test {
            test: text("s > t"),
            why: text("its name has a quote"),
        },
        Unskippable::TooLong {
            bytes: 200_000,
            what: "an argument",
            most: 131_072,
        },
    ]);
}

fn changes(said: &mut Said) {
    said.reported([Patterns::new(&[text("a[")]).unwrap_err()]);
    said.inside([NotALock(text("line 3: expected `[[package]]`"))]);
    said.reported([
        BaselineProblem::Json(json()),
        BaselineProblem::Schema(text("maestro.policy-baseline/v9")),
        BaselineProblem::Fingerprint(text("x")),
    ]);
    said.reported([
        TaskProblem::Json(json()),
        TaskProblem::Schema(text("maestro.policy-task/v9")),
        TaskProblem::NoId,
    ]);
    said.reported([NotRead {
        message: text("it is no SBOM"),
        place: Some((3, 1)),
        hint: None,
    }]);
    said.inside([Abstention::TooFew(7), Abstention::TooOld(3)]);
}

fn proofs(said: &mut Said) {
    said.reported([
        SigningProblem::NotPem,
        SigningProblem::Encrypted,
        SigningProblem::Public,
        SigningProblem::OldForm,
        SigningProblem::OtherKind,
        SigningProblem::NoRandomness,
    ]);
    said.reported([
        KeyProblem::NotPem,
        KeyProblem::Private,
        KeyProblem::Certificate,
        KeyProblem::OtherKind,
    ]);
    said.inside([Malformed(text("`subject` is empty"))]);
    said.reported([Unsupported {
        variable: text("OTEL_EXPORTER_OTLP_PROTOCOL"),
        value: text("grpc"),
        known: "http/json",
    }]);
}
