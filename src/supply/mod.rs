//! What a change brings along: components and their licences, known vulnerabilities, findings of scanners; one reader a form.

/// What was given about a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supplied {}
