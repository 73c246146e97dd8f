//! `foreign-file`: a YAML file that does not say that it is a prompt of maestro's.

use super::{Found, Rule};
use crate::finding::Severity;
use crate::prompts::file::FILE_SCHEMA;
use crate::prompts::set::Reading;

pub(super) const RULE: Rule = Rule {
    name: "foreign-file",
    severity: Severity::Notice,
    what: "a YAML file in `prompts/` is not maestro's",
    why: "Other tools keep prompts in a folder of this name too, so a file counts only when it has a line `schema: maestro.prompt-file/v1`. \
          If it was meant to count, add that line.",
    check: |draft, _| match draft.reading {
        Reading::Foreign => {
            let words = format!("it has no `schema: {FILE_SCHEMA}` and is left alone");
            vec![Found::line(draft.path(), 1, words)]
        }
        Reading::Prompt(_) | Reading::Broken(_) => Vec::new(),
    },
};
