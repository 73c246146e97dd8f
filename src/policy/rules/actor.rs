//! `actor`: who may ask for a change.

use serde::Deserialize;

use super::{About, Order};
use crate::policy::subject::Subject;
use crate::policy::words::Words;
use crate::policy::{Breach, Rule, Target};

pub(super) const ABOUT: About = About {
    name: "actor",
    what: "a change by somebody who may not ask for one",
    why: "Who opened a pull request, who pushed last and who started the run are three people, and GitHub's word for how each stands to the repository (`OWNER`, `MEMBER`, \
          `COLLABORATOR`, `CONTRIBUTOR`, `NONE`…) is known of the first. Accounts are compared by their login without regard to case, never by a \
          name that anybody may take. `same: true` wants the same account all the way. What nobody said is a breach where there is a pull \
          request. Example: `associations: [OWNER, MEMBER, COLLABORATOR]`, `deny: [mallory]`",
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
mod tests {
    use crate::policy::Weight;
    use crate::policy::rules::tests::{Case, check_weights};

    fn by(author: &str, association: &str) -> Case {
        Case::default().asked(|asked| {
            asked.number = Some(1);
            asked.author = Some(author.to_owned());
            asked.association = Some(association.to_owned());
        })
    }

    #[test]
    fn associations_and_accounts_count() {
        let rule = "{rule: actor, associations: [OWNER, MEMBER], allow: ['bot[bot]'], deny: [mallory]}";
        check_weights(rule, by("ada", "MEMBER"), &[]);
        check_weights(rule, by("eve", "NONE"), &[("eve, NONE", None)]);
        check_weights(rule, by("Bot[bot]", "NONE"), &[]);
        check_weights(rule, by("Mallory", "OWNER"), &[("Mallory", None)]);
        check_weights(rule, by("ada", "MEMBER").asked(|asked| asked.actor = Some("mallory".to_owned())), &[("mallory", None)]);
    }

    #[test]
    fn bots_and_changing_hands_can_be_refused() {
        let rule = "{rule: actor, bots: deny, same: true}";
        check_weights(rule, by("x[bot]", "NONE").asked(|asked| asked.is_bot = true), &[("x[bot]", None)]);
        check_weights(rule, by("ada", "NONE").asked(|asked| asked.triggering_actor = Some("eve".into())), &[("ada, then eve", None)]);
        check_weights(rule, by("ada", "NONE").asked(|asked| asked.actor = Some("ADA".into())), &[]);
    }

    #[test]
    fn what_nobody_said_is_a_breach_where_there_is_a_pull_request() {
        let rule = "{rule: actor, bots: deny}";
        check_weights(rule, Case::default(), &[("no author", Some(Weight::Warn))]);
        check_weights(rule, Case::default().asked(|asked| asked.number = Some(1)), &[("no author", None)]);
        let rule = "{rule: actor, associations: [OWNER]}";
        let case = Case::default().asked(|asked| asked.author = Some("ada".into()));
        check_weights(rule, case, &[("ada, association unknown", None)]);
    }
}
