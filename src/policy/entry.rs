//! An entry of a policy: a rule with its settings, and everything around it.

use std::fmt;

use jiff::civil::Date;
#[cfg(test)]
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::globs::Globs;
use super::rules::About;
use super::subject::Asked;
use super::words::{Day, Id, Words};
use super::{Rule, Target, Weight};

/// A rule with its settings, and what an entry says around it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) rule: &'static About,
    pub(crate) severity: Weight,
    /// Why it matters here.
    pub(crate) reason: String,
    /// What helps, where it says more than the rule does.
    pub(crate) fix: Option<String>,
    pub(crate) owner: Option<String>,
    /// Until when it holds, this day included.
    pub(crate) expires: Option<Date>,
    pub(crate) applies_to: AppliesTo,
    pub(crate) check: Box<dyn Rule>,
    /// The rule's own keys, as they are written.
    pub(crate) keys: Map<String, Value>,
    /// Whether an organisation holds it: nobody may ignore, baseline or loosen it.
    pub(crate) is_locked: bool,
}

/// Whose changes an entry is about: any of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AppliesTo {
    pub(crate) all: bool,
    pub(crate) agents: bool,
    pub(crate) forks: bool,
    pub(crate) teams: Vec<String>,
}

impl AppliesTo {
    pub(crate) const ALL: Self = Self {
        all: true,
        agents: false,
        forks: false,
        teams: Vec::new(),
    };

    /// Whether it is about a change; `declared` says whether a policy lists a team's accounts. Where nobody knows whose team wrote it, it is.
    pub(crate) fn includes(&self, asked: &Asked, declared: impl Fn(&str) -> bool) -> bool {
        let is_meant = |team: &String| {
            let is_member = asked.teams.iter().any(|one| one.eq_ignore_ascii_case(team));
            let is_unknown = asked.teams.is_empty() && (asked.author.is_none() || !declared(team));
            is_member || is_unknown
        };
        self.all
            || self.agents && asked.is_agent
            || self.forks && asked.is_fork
            || self.teams.iter().any(is_meant)
    }

    /// Whether it is about every change that another one is about.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let has = |team: &String| self.teams.iter().any(|one| one.eq_ignore_ascii_case(team));
        self.all
            || !other.all
                && (self.agents || !other.agents)
                && (self.forks || !other.forks)
                && other.teams.iter().all(has)
    }
}

impl fmt::Display for AppliesTo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<String> = Vec::new();
        for (is_named, name) in [
            (self.all, "all"),
            (self.agents, "agents"),
            (self.forks, "forks"),
        ] {
            names.extend(is_named.then(|| name.to_owned()));
        }
        names.extend(self.teams.iter().map(|team| format!("team {team}")));
        out.write_str(&names.join(", "))
    }
}

/// Whose changes, as a file says it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(inline))]
enum Whose {
    All,
    Agents,
    Forks,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(inline))]
struct OfTeams {
    /// Names of teams.
    teams: Vec<Words>,
}

impl<'de> Deserialize<'de> for AppliesTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = AppliesTo;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`all`, `agents`, `forks`, a list of them, or `{teams: […]}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AppliesTo, E> {
                let whose = Whose::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(AppliesTo {
                    all: matches!(whose, Whose::All),
                    agents: matches!(whose, Whose::Agents),
                    forks: matches!(whose, Whose::Forks),
                    teams: Vec::new(),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<AppliesTo, A::Error> {
                let parts: Vec<AppliesTo> = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                if parts.is_empty() {
                    return Err(A::Error::custom(
                        "it is about nobody: name `all`, `agents`, `forks` or teams",
                    ));
                }
                let mut whole = AppliesTo::default();
                for part in parts {
                    whole.all |= part.all;
                    whole.agents |= part.agents;
                    whole.forks |= part.forks;
                    whole.teams.extend(part.teams);
                }
                Ok(whole)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AppliesTo, A::Error> {
                let of = OfTeams::deserialize(MapAccessDeserializer::new(map))?;
                if of.teams.is_empty() {
                    return Err(A::Error::custom("it is about nobody: name a team"));
                }
                Ok(AppliesTo {
                    teams: of.teams.into_iter().map(|team| team.0).collect(),
                    ..AppliesTo::default()
                })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What is forgiven for a while, and why.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    /// The id of the entry.
    pub(crate) entry: Id,
    /// A glob of paths; either this or `package`.
    #[serde(default)]
    pub(crate) path: Option<Globs1>,
    /// A package, as `name` or `name@version`.
    #[serde(default)]
    pub(crate) package: Option<Words>,
    /// Why.
    pub(crate) reason: Words,
    /// Who answers for it.
    pub(crate) owner: Words,
    /// The last day on which it is forgiven.
    pub(crate) expires: Day,
}

/// One glob.
#[derive(Debug, Clone)]
pub(crate) struct Globs1(pub(crate) Globs);

impl<'de> Deserialize<'de> for Globs1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::words::checked(deserializer, "a glob, as `src/**`", |text| {
            Globs::new(&[text])
        })
        .map(Self)
    }
}

#[cfg(test)]
impl JsonSchema for Globs1 {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Glob".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
impl JsonSchema for AppliesTo {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AppliesTo".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (one, teams) = (
            Whose::json_schema(generator),
            OfTeams::json_schema(generator),
        );
        schemars::json_schema!({
            "oneOf": [one, teams, { "type": "array", "minItems": 1, "items": { "oneOf": [one, teams] } }]
        })
    }
}

impl Ignore {
    /// Whether it still forgives.
    pub(crate) fn holds(&self, today: Date) -> bool {
        today <= self.expires.0
    }

    /// Whether it is about a breach of an entry.
    pub(crate) fn is_about(&self, entry: &str, target: &Target) -> bool {
        if self.entry.0 != entry {
            return false;
        }
        match target {
            Target::Place(place) => self
                .path
                .as_ref()
                .is_some_and(|globs| globs.0.exactly(&place.path).is_some()),
            Target::Package { name, version, .. } => self.package.as_ref().is_some_and(|package| {
                package.0 == *name
                    || package
                        .0
                        .strip_prefix(name)
                        .and_then(|rest| rest.strip_prefix('@'))
                        == Some(version)
            }),
            Target::Change | Target::Said(_) | Target::Report(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Location;

    fn ignore(what: &str) -> Ignore {
        let text = format!("{{entry: e, {what}, reason: r, owner: o, expires: 2026-12-31}}");
        serde_yaml::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_ignored_is_a_package_in_any_version_or_in_one() {
        let target = |name: &str, version: &str| Target::Package {
            name: name.to_owned(),
            version: version.to_owned(),
            purl: None,
        };
        for (package, name, version, expected) in [
            ("left-pad", "left-pad", "1.0.0", true),
            ("left-pad", "left-pad", "2.0.0", true),
            ("left-pad", "left-pad-2", "1.0.0", false),
            ("left-pad@1.0.0", "left-pad", "1.0.0", true),
            ("left-pad@1.0.0", "left-pad", "1.0.1", false),
            ("@acme/a", "@acme/a", "1", true),
            ("@acme/a@1", "@acme/a", "1", true),
        ] {
            let ignore = ignore(&format!("package: '{package}'"));
            let target = target(name, version);
            assert_eq!(
                ignore.is_about("e", &target),
                expected,
                "{package} {name} {version}"
            );
            assert!(!ignore.is_about("other", &target), "{package}");
        }
        assert!(!ignore("path: '**'").is_about("e", &target("a", "1")));
    }

    #[test]
    fn what_is_ignored_is_a_file_and_never_the_change_as_a_whole() {
        let place = |path: &str| {
            Target::Place(Location {
                path: path.to_owned(),
                line: None,
                column: None,
            })
        };
        let all = ignore("path: 'src/**'");
        assert!(all.is_about("e", &place("src/a")));
        assert!(!all.is_about("e", &place("lib/a")));
        assert!(!all.is_about("other", &place("src/a")));
        assert!(!ignore("package: 'src/a'").is_about("e", &place("src/a")));
        let everything = ignore("path: '**'");
        for target in [
            Target::Change,
            Target::Said("title"),
            Target::Report("r".to_owned()),
        ] {
            assert!(!everything.is_about("e", &target), "{target:?}");
        }
    }

    #[test]
    fn an_entry_about_a_team_is_about_whoever_may_be_in_it() {
        let applies: AppliesTo = serde_yaml::from_str("{teams: [data]}").unwrap();
        for (author, teams, is_declared, expected) in [
            (Some("ada"), &["Data"] as &[&str], true, true),
            (Some("ada"), &["web"], true, false),
            (Some("ada"), &["web"], false, false),
            // The policy lists the team's accounts, and this is none of them.
            (Some("ada"), &[], true, false),
            (Some("ada"), &[], false, true),
            (None, &[], true, true),
            (None, &[], false, true),
        ] {
            let asked = Asked {
                author: author.map(str::to_owned),
                teams: teams.iter().map(|team| (*team).to_owned()).collect(),
                ..Asked::default()
            };
            assert_eq!(
                applies.includes(&asked, |_| is_declared),
                expected,
                "{author:?} {teams:?} {is_declared}"
            );
        }
    }

    #[test]
    fn whose_changes_are_meant_is_said_in_words() {
        for (text, expected) in [
            ("all", "all"),
            ("[all]", "all"),
            ("[agents]", "agents"),
            ("[forks]", "forks"),
            ("[agents, forks]", "agents, forks"),
            ("[agents, {teams: [a, b]}]", "agents, team a, team b"),
        ] {
            let applies: AppliesTo = serde_yaml::from_str(text).unwrap();
            assert_eq!(applies.to_string(), expected);
        }
        let fault = serde_yaml::from_str::<AppliesTo>("5")
            .unwrap_err()
            .to_string();
        let wanted = "expected `all`, `agents`, `forks`, a list of them, or `{teams: […]}`";
        assert!(fault.ends_with(wanted), "{fault}");
    }
}
