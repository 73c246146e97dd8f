//! `actor`: who may ask for a change.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::subject::Subject;
use crate::policy::words::Words;
use crate::policy::{Breach, Rule, Target};

pub(super) const ABOUT: About = About {
    name: "actor",
    what: "a change by somebody who may not ask for one",
    fix: "ask a member to open or push the change",
    keys: &[
        ("associations", Order::Narrows),
        ("allow", Order::Shrinks),
        ("deny", Order::Grows),
        ("bots", Order::Words(&["allow", "deny"], "allow")),
        ("same", Order::True),
    ],
};

/// `actor`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Actor {
    /// How authors may stand to the repository, in GitHub's words; any way unless set.
    #[serde(default)]
    associations: Vec<Association>,
    /// Accounts that may whatever their association is.
    #[serde(default)]
    allow: Vec<Words>,
    /// Accounts that may not.
    #[serde(default)]
    deny: Vec<Words>,
    /// Whether bots may: `allow`, unless set, or `deny`.
    #[serde(default)]
    bots: Bots,
    /// Whether who opened it, who pushed and who started the run must be one.
    #[serde(default)]
    same: bool,
}

/// GitHub's words (docs.github.com, `author_association`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Association {
    Owner,
    Member,
    Collaborator,
    Contributor,
    FirstTimeContributor,
    FirstTimer,
    Mannequin,
    None,
}

impl Association {
    fn name(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Member => "MEMBER",
            Self::Collaborator => "COLLABORATOR",
            Self::Contributor => "CONTRIBUTOR",
            Self::FirstTimeContributor => "FIRST_TIME_CONTRIBUTOR",
            Self::FirstTimer => "FIRST_TIMER",
            Self::Mannequin => "MANNEQUIN",
            Self::None => "NONE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
enum Bots {
    #[default]
    Allow,
    Deny,
}

fn has(list: &[Words], login: &str) -> bool {
    list.iter().any(|one| one.0.eq_ignore_ascii_case(login))
}

impl Rule for Actor {
    fn is_sound(&self) -> Result<(), String> {
        if self.associations.is_empty() && self.deny.is_empty() && self.bots == Bots::Allow && !self.same {
            return Err("it asks for nothing: set `associations`, `deny`, `bots` or `same`".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let asked = subject.asked;
        let target = || Target::Said("author");
        let Some(author) = &asked.author else {
            let breach = Breach::new(target(), "nobody knows who asks for the change", "no author", "a known author");
            breaches.push(breach.fix("run it in a pull request's workflow").weight(asked.weight_of_unknown()));
            return;
        };
        let people = [Some(author), asked.actor.as_ref(), asked.triggering_actor.as_ref()];
        for denied in people.into_iter().flatten().filter(|login| has(&self.deny, login)) {
            breaches.push(Breach::new(target(), "the account may not ask for changes", denied.clone(), "another account"));
        }
        if self.bots == Bots::Deny && asked.is_bot && !has(&self.allow, author) {
            breaches.push(Breach::new(target(), "no bot may ask for changes", author.clone(), "a person"));
        }
        if !self.associations.is_empty() && !has(&self.allow, author) {
            let stands = asked.association.as_deref();
            if !self.associations.iter().any(|one| Some(one.name()) == stands) {
                let names: Vec<&str> = self.associations.iter().map(|one| one.name()).collect();
                let observed = format!("{author}, {}", stands.unwrap_or("association unknown"));
                breaches.push(Breach::new(target(), "the author stands too far from the repository", observed, format!("one of {}", names.join(", "))));
            }
        }
        let others = people.iter().flatten().find(|login| !login.eq_ignore_ascii_case(author));
        if self.same
            && let Some(other) = others
        {
            let observed = format!("{author}, then {other}");
            breaches.push(Breach::new(target(), "another account pushed or started the run", observed, "one account all the way"));
        }
    }
}

#[cfg(test)]
mod tests;
