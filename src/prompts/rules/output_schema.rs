//! `output-schema`: an output schema that is no JSON Schema, or says what maestro does not check.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::output_schema::faults;
use crate::prompts::place::Step::Key;

pub(super) const RULE: Rule = Rule {
    name: "output-schema",
    severity: Severity::Error,
    what: "an output schema is no JSON Schema, or goes beyond what maestro checks",
    why: "Answers are checked against it before they are used. A keyword that is not checked would be a promise that nobody keeps, so it is refused: \
          docs/prompts.md lists those that are known (JSON Schema, draft 2020-12).",
    check: |draft, _| {
        let schema = draft.file().and_then(|file| file.output.as_ref());
        let faults = schema.map(faults).unwrap_or_default().into_iter();
        let found = faults.map(|fault| {
            let path = fault.split(": ").next().unwrap_or_default();
            let way: Vec<_> = path.split('.').map(Key).collect();
            Found::at(draft, &way, fault.clone())
        });
        found.collect()
    },
};
