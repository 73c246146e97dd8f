//! `human-approval`: a change that persons must have approved.

use serde::Deserialize;

use super::{About, Order};
use crate::order;
use crate::policy::globs::Globs;
use crate::policy::subject::Subject;
use crate::policy::words::Words;
use crate::policy::{Breach, Rule};

pub(super) const ABOUT: About = About {
    name: "human-approval",
    what: "a change to sensitive files that too few persons approved",
    fix: "ask for a review of the last commit",
    keys: &[("paths", Order::Scope), ("approvals", Order::More), ("from", Order::Narrows)],
};

/// `human-approval`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct HumanApproval {
    /// Globs of sensitive files; all unless set.
    #[serde(default)]
    paths: Globs,
    /// How many persons; 1 unless set.
    #[serde(default)]
    approvals: Option<u8>,
    /// Accounts whose approvals count; those of all who may write unless set.
    #[serde(default)]
    from: Vec<Words>,
}

impl Rule for HumanApproval {
    fn is_sound(&self) -> Result<(), String> {
        match self.approvals {
            Some(0) => Err("`approvals` is 0, and asks for nobody".to_owned()),
            Some(count) if !self.from.is_empty() && usize::from(count) > self.from.len() => {
                Err(format!("`approvals` is {count}, and `from` names fewer accounts"))
            }
            _ => Ok(()),
        }
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let touched = subject.changes.iter().find(|change| self.paths.is_empty() || self.paths.touching(change).is_some());
        let Some(first) = touched else {
            return;
        };
        let counts = |login: &&str| self.from.is_empty() || self.from.iter().any(|one| one.0.eq_ignore_ascii_case(login));
        let mut people: Vec<String> = subject.asked.others().filter(counts).map(str::to_lowercase).collect();
        order::sort(&mut people);
        people.dedup();
        let wanted = usize::from(self.approvals.unwrap_or(1));
        if people.len() < wanted {
            let observed = match people.as_slice() {
                [] => "no approval of this head".to_owned(),
                people => format!("approved by {}", people.join(", ")),
            };
            breaches.push(Breach::new(subject.place(&first.path), "persons have to approve this change", observed, format!("approvals: {wanted}")));
        }
    }
}

#[cfg(test)]
mod tests;
