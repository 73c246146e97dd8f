//! `licences`: a dependency under a licence that is not allowed.
//!
//! Judged are the SPDX expressions of bills of materials and lock files: one side of `OR` is enough, both sides of `AND` are needed, an
//! exception has to be allowed with its licence, and "or later" is met by any later version. What nobody can tell (free words, `LicenseRef-`,
//! nothing) is unknown, which has an outcome of its own.

use jiff::civil::Date;
use serde::Deserialize;

use super::{About, Order};
use crate::policy::packages::{
    Outcome, fingerprint, holds, is_called, missing, push_unknown, said, target_of,
};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};
use crate::supply::licence::{Entry, Lists, Verdict, short};
use crate::supply::sbom::Component;

pub(super) const ABOUT: About = About {
    name: "licences",
    what: "a dependency under a licence that is not allowed",
    fix: "use another package, or let its licence be allowed",
    keys: &[("allow", Order::Narrows), ("deny", Order::Grows), ("unknown", Order::Words(&["allow", "warn", "review", "block"], "block")), ("scope", Order::Words(&["new", "all"], "new")), ("exempt", Order::Shrinks)],
};

/// `licences`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Licences {
    /// SPDX identifiers of licences that are allowed, with their exceptions; all that are not denied unless set.
    #[serde(default)]
    allow: Vec<Entry>,
    /// SPDX identifiers of licences that are not, with any exception.
    #[serde(default)]
    deny: Vec<Entry>,
    /// What follows for a licence that nobody can tell; the entry's own severity unless set.
    #[serde(default)]
    unknown: Option<Outcome>,
    /// Which dependencies are judged; those that the change brings unless set.
    #[serde(default)]
    scope: Scope,
    /// Packages that are let through.
    #[serde(default)]
    exempt: Vec<Exempt>,
}

/// Which dependencies are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Scope {
    /// Those that are new, or have another version.
    #[default]
    New,
    /// All of them.
    All,
}

/// A package that is let through.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Exempt {
    /// The package, as its registry has it.
    package: String,
    /// One version of it; all unless set.
    #[serde(default)]
    version: Option<String>,
    /// Only under one of these licences; under any unless set.
    #[serde(default)]
    allow: Vec<Entry>,
    /// Why.
    reason: String,
    /// Who answers for it.
    owner: String,
    /// The last day on which it holds; for good unless set.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    until: Option<Date>,
}

impl Licences {
    fn judge(&self, component: &Component, today: Date, breaches: &mut Vec<Breach>) {
        let slash_is_or = component.package.kind == "cargo";
        let stated = component.judged_licences();
        let lists = Lists {
            allow: &self.allow,
            deny: &self.deny,
        };
        let verdict = lists.judge(&stated, slash_is_or);
        if verdict == Verdict::Allowed {
            return;
        }
        let package = &component.package;
        let mut ended = String::new();
        for exempt in &self.exempt {
            if !is_called(package, &exempt.package, exempt.version.as_deref()) {
                continue;
            }
            let own = Lists {
                allow: &exempt.allow,
                deny: &[],
            };
            if !exempt.allow.is_empty() && own.judge(&stated, slash_is_or) != Verdict::Allowed {
                continue;
            }
            match exempt.until.filter(|until| !holds(*until, today)) {
                None => return,
                Some(until) => {
                    ended = format!("; its exemption by {} ended on {until}", exempt.owner);
                }
            }
        }
        let limit = self.limit();
        let shown = package.shown();
        let (message, observed, is_unknown) = match verdict {
            Verdict::Denied(what) => (
                format!("`{shown}` is under {what}, which is not allowed{ended}"),
                what,
                false,
            ),
            Verdict::Unknown(why) => {
                let observed = if stated.iter().all(|text| text.is_empty()) {
                    "no licence".to_owned()
                } else {
                    short(&stated.join(" AND "))
                };
                (
                    format!("the licence of `{shown}` cannot be told: {why}{ended}"),
                    observed,
                    true,
                )
            }
            Verdict::Allowed => return,
        };
        let breach = Breach {
            fingerprint: Some(fingerprint("licences", package, &observed)),
            fix: Some(if is_unknown {
                "look its licence up, and exempt the package with a reason and an owner".into()
            } else {
                format!(
                    "use another package than `{}`, or let its licence be allowed",
                    package.name
                )
            }),
            ..Breach::new(target_of(component), message, observed, limit)
        };
        if is_unknown {
            push_unknown(breach, self.unknown, breaches);
        } else {
            breaches.push(breach);
        }
    }

    fn limit(&self) -> String {
        let named = |list: &[Entry]| {
            let shown: Vec<String> = list.iter().take(5).map(Entry::to_string).collect();
            match list.len().saturating_sub(shown.len()) {
                0 => shown.join(", "),
                more => format!("{} and {more} more", shown.join(", ")),
            }
        };
        match (self.allow.is_empty(), self.deny.is_empty()) {
            (false, true) => named(&self.allow),
            (true, _) => format!("none of {}", named(&self.deny)),
            (false, false) => format!("{}; none of {}", named(&self.allow), named(&self.deny)),
        }
    }
}

impl Rule for Licences {
    fn is_sound(&self) -> Result<(), String> {
        if self.allow.is_empty() && self.deny.is_empty() {
            return Err("it asks for nothing: set `allow` or `deny`".into());
        }
        for exempt in &self.exempt {
            said("package", &exempt.package)?;
            said("reason", &exempt.reason)?;
            said("owner", &exempt.owner)?;
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let limit = "the licences of what the change brings";
        let Some(supplied) = subject.supplied else {
            breaches.push(missing("no SBOM was given".into(), "--sbom", limit));
            return;
        };
        let components = match self.scope {
            Scope::All => supplied.components(),
            Scope::New => supplied
                .news()
                .map(|news| news.into_iter().map(|one| one.component).collect()),
        };
        match components {
            Ok(components) => {
                for component in &components {
                    self.judge(component, subject.today, breaches);
                }
            }
            Err(what) => breaches.push(missing(what, "--sbom", limit)),
        }
    }
}

#[cfg(test)]
mod tests;
