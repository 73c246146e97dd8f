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
    why: "Some files are worth a second pair of eyes whatever else says that all is well. Approvals count when they are of this very head (a later push takes them away), by a \
          person and not a bot, who may write to the repository (GitHub calls such a reviewer `OWNER`, `MEMBER` or `COLLABORATOR`), and who neither wrote nor pushed \
          the change. With `from`, only those of the named accounts count. Example: `paths: ['src/payments/**']`, `approvals: 2`",
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
mod tests {
    use crate::policy::rules::tests::{Case, check};

    fn approved(by: &[&str]) -> Case {
        Case::paths(&["pay/a"]).asked(|asked| {
            asked.author = Some("ada".into());
            asked.approvals = by.iter().map(|login| (*login).to_owned()).collect();
        })
    }

    #[test]
    fn others_than_the_author_approve() {
        let rule = "{rule: human-approval, paths: ['pay/**'], approvals: 2}";
        check(rule, approved(&["bob", "eve"]), &[]);
        for too_few in [&[] as &[&str], &["bob"], &["bob", "ADA"], &["bob", "Bob"]] {
            check(rule, approved(too_few), &["pay/a"]);
        }
        check(rule, Case::paths(&["src/a"]), &[]);
    }

    #[test]
    fn only_named_accounts_may_count() {
        let rule = "{rule: human-approval, from: [bob]}";
        check(rule, approved(&["eve"]), &["pay/a"]);
        check(rule, approved(&["Bob"]), &[]);
    }
}
