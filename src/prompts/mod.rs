//! Prompts as data: typed variables in, messages out, and what must come back.
//!
//! Decisions only: files come in as texts, and nothing is random here. Whatever comes from outside reaches a message between delimiters.

mod built_in;
pub(crate) mod diff;
pub(crate) mod file;
pub(crate) mod github_form;
pub(crate) mod golden;
pub(crate) mod output_schema;
pub(crate) mod place;
pub(crate) mod prepared;
mod references;
pub(crate) mod rules;
pub(crate) mod set;
#[cfg(feature = "bench")]
pub mod speed;
pub(crate) mod untrusted;
mod variables;
mod wrap;

#[cfg(test)]
mod tests;
