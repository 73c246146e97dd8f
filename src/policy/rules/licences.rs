//! `licences`: a dependency under a licence that is not allowed.
//!
//! Judged are the SPDX expressions of bills of materials and lock files: one side of `OR` is enough, both sides of `AND` are needed, an
//! exception has to be allowed with its licence, and "or later" is met by any later version. What nobody can tell (free words, `LicenseRef-`,
//! nothing) is unknown, which has an outcome of its own.

use jiff::civil::Date;
use serde::Deserialize;

use super::{About, Order};
use super::packages::{
    Outcome, fingerprint, holds, is_called, missing, push_unknown, said, target_of,
};
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule};
use crate::supply::licence::{Entry, Lists, Verdict, short};
use crate::supply::sbom::Component;

pub(super) const ABOUT: About = About {
    name: "licences",
    what: "a dependency under a licence that is not allowed",
    why: "Removing such a dependency after a release is far dearer than before a merge. SPDX expressions of bills of materials and lock files are judged: one side of `OR` is enough, both sides of `AND` are needed, an exception has to be allowed with its licence, and `or later` is met by any later version. What nobody can tell (free words, `LicenseRef-`, nothing) is `unknown`, which has an outcome of its own; `exempt` lets a package through, with a reason and an owner. Example: `allow: [MIT, Apache-2.0, ISC]`, `unknown: review`",
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
mod tests {
    use super::super::packages::tests::{bills, judge, said_by};
    use super::*;

    const ALLOW: &str = "{allow: [MIT, Apache-2.0]}";

    #[test]
    fn what_is_new_is_judged_by_its_expression() {
        let supplied = bills(
            &["npm old 1.0.0 GPL-3.0-only", "npm kept 1.0.0 MIT"],
            &[
                "npm old 1.0.0 GPL-3.0-only",
                "npm kept 1.1.0 AGPL-3.0-only",
                "npm both 1.0.0 MIT OR GPL-3.0-only",
                "npm all 1.0.0 MIT AND GPL-3.0-only",
                "npm words 1.0.0 SEE LICENSE IN LICENSE.md",
                "npm silent 1.0.0",
            ],
        );
        assert_eq!(
            said_by::<Licences>(ALLOW, &supplied),
            [
                "`all@1.0.0` is under GPL-3.0-only, which is not allowed",
                "`kept@1.1.0` is under AGPL-3.0-only, which is not allowed",
                "the licence of `silent@1.0.0` cannot be told: no licence is stated",
                "the licence of `words@1.0.0` cannot be told: `SEE LICENSE IN LICENSE.md` is no SPDX expression",
            ]
        );
        assert_eq!(
            said_by::<Licences>("{allow: [MIT], scope: all}", &supplied).len(),
            5
        );
        let breaches = judge::<Licences>(ALLOW, Some(&supplied), "2026-11-26");
        assert_eq!(breaches[0].observed, "GPL-3.0-only");
        assert_eq!(breaches[0].limit, "MIT, Apache-2.0");
        let warned = said_by::<Licences>("{allow: [MIT], unknown: warn}", &supplied);
        assert_eq!(
            warned
                .iter()
                .filter(|line| line.starts_with("warn: the licence"))
                .count(),
            2
        );
        let let_through = said_by::<Licences>("{allow: [MIT], unknown: allow}", &supplied);
        assert_eq!(let_through.len(), 2);
    }

    #[test]
    fn an_exemption_is_for_a_package_and_ends() {
        let supplied = bills(
            &["npm x 1 MIT"],
            &["npm x 1 MIT", "npm words 1.0.0 SEE LICENSE IN A"],
        );
        let settings = |more: &str| {
            format!(
                "{{allow: [MIT], exempt: [{{package: words, reason: bought, owner: '@acme/legal'{more}}}]}}"
            )
        };
        let said = |more: &str| said_by::<Licences>(&settings(more), &supplied);
        let none: [&str; 0] = [];
        assert_eq!(said(""), none);
        assert_eq!(said(", version: 1.0.0"), none);
        assert_eq!(said(", until: 2026-11-26"), none);
        assert_eq!(said(", version: 1.0.1").len(), 1);
        assert_eq!(said(", allow: [MIT]").len(), 1);
        assert_eq!(
            said(", until: 2026-11-25"),
            [
                "the licence of `words@1.0.0` cannot be told: `SEE LICENSE IN A` is no SPDX expression; its exemption by @acme/legal ended on 2026-11-25"
            ]
        );
    }

    #[test]
    fn what_is_missing_is_a_breach() {
        let breaches = judge::<Licences>(ALLOW, None, "2026-11-26");
        assert_eq!(breaches.len(), 1);
        let mut supplied = bills(&[], &["npm x 1 MIT"]);
        supplied.base.bills.clear();
        assert_eq!(
            said_by::<Licences>(ALLOW, &supplied),
            [
                "no SBOM of the base was given, and no lock files were read: what is new cannot be told"
            ]
        );
        let empty = bills(&["npm x 1 MIT"], &[]);
        assert_eq!(
            said_by::<Licences>(ALLOW, &empty),
            ["the SBOM of the head names no component"]
        );
    }

    #[test]
    fn settings_that_are_wrong_are_refused() {
        let fault = |settings: &str| match serde_yaml::from_str::<Licences>(settings) {
            Ok(rule) => rule.is_sound().unwrap_err(),
            Err(fault) => fault.to_string(),
        };
        let apache = fault("allow:\n  - MIT\n  - Apache2\n");
        assert!(
            apache.contains("`Apache2` is no identifier") && apache.contains("line 3 column 5"),
            "{apache}"
        );
        assert!(fault("{allowed: [MIT]}").contains("unknown field `allowed`"));
        assert!(fault("{}").contains("it asks for nothing"));
        assert!(
            fault("{deny: [MIT], exempt: [{package: a, reason: b}]}")
                .contains("missing field `owner`")
        );
        assert!(
            fault("{deny: [MIT], exempt: [{package: a, reason: ' ', owner: c}]}")
                .contains("`reason` is empty")
        );
        assert!(
            fault("{deny: [MIT], exempt: [{package: a, reason: b, owner: c, until: 2026-02-30}]}")
                .contains("until")
        );
    }
}
