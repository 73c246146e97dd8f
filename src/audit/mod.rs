//! What maestro would bring a repository, measured on its own past: what plans would have skipped and missed, runs that failed and passed on the same
//! commit, how long CI takes, how changes are delivered, what the built-in policy says of them, and what nobody could know.
//!
//! Pure: commits that were planned anew, GitHub's runs and jobs, and metrics come in, one document goes out. Nothing is claimed that was not measured:
//! what is estimated says from how many of how many, and what is missing says how to get it.

pub(crate) mod capabilities;
pub(crate) mod document;
pub(crate) mod facts;
pub(crate) mod links;
mod missing;
pub(crate) mod names;
pub(crate) mod reruns;
pub(crate) mod sample;
pub(crate) mod savings;
pub(crate) mod sections;
mod tally;
#[cfg(test)]
mod tests;

use document::Audit;
use facts::Facts;

/// Works it all out; `clean` takes secrets out of what somebody else wrote.
pub(crate) fn audit(facts: &Facts<'_>, clean: &dyn Fn(&str) -> Option<String>) -> Audit {
    let mut audit = tally::audit(facts);
    audit.next = capabilities::of(&audit);
    audit.each_foreign(&mut |text| {
        if let Some(new) = clean(text) {
            *text = new;
        }
    });
    audit
}
