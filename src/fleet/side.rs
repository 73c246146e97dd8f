//! A repository's configuration or policy over the file that it extends: which keys it loosens, and which it has otherwise.

use crate::config::extends::Extends;
use crate::config::file::Head;
use crate::config::layers::{BadBase, Layers};
use crate::config::{ConfigFile, YamlError, read};
use crate::policy::file::{self as policy, PolicyFile};
use crate::policy::tighten::tighten;
use crate::prompts::place::{Step, line_of, place_of};

/// One of the two files.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) extends: Option<Extends>,
    pub(crate) loosened: Vec<Looser>,
    /// Keys (of a policy: entries) that both have, and the repository otherwise.
    pub(crate) overridden: Vec<String>,
    /// Why it does not count.
    pub(crate) problem: Option<String>,
}

/// A key by which a repository is looser than what is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looser {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) floor: String,
    pub(crate) own: String,
}

/// What a configuration says beside that.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) requires: Option<String>,
    pub(crate) enforce: Vec<String>,
}

fn problem(error: &YamlError) -> String {
    match error.place {
        Some((line, column)) => format!("line {line}, column {column}: {}", error.message),
        None => error.message.clone(),
    }
}

/// Returns what a configuration extends.
pub(crate) fn config_extends(text: &str) -> Option<Extends> {
    read::<ConfigFile>(text, "").ok()?.extends
}

/// Returns what a policy extends.
pub(crate) fn policy_extends(text: &str) -> Option<Extends> {
    policy::read(text, "").ok()?.extends
}

/// Judges a configuration. `base` is the text of what it extends, or why there is none.
pub(crate) fn of_config(text: &str, base: Option<Result<&str, &str>>) -> (Side, Said) {
    let mut side = Side::default();
    let mut said = Said::default();
    // A file for another version of maestro says at least that.
    if let Ok(Head { requires }) = read(text, "") {
        said.requires = requires;
    }
    let own: ConfigFile = match read(text, "") {
        Ok(own) => own,
        Err(error) => {
            side.problem = Some(problem(&error));
            return (side, said);
        }
    };
    let words = |file: &ConfigFile| {
        file.enforce
            .iter()
            .map(|word| String::from(*word))
            .collect()
    };
    said.enforce = words(&own);
    side.extends = own.extends;
    let layers = match base {
        None => return (side, said),
        Some(Ok(base)) => Layers::read(text, base, "").map_err(bad_base),
        Some(Err(why)) => Err(why.to_owned()),
    };
    match layers {
        Ok(layers) => {
            if let Ok(merged) = layers.config("") {
                said.enforce = words(&merged);
                said.requires = merged.requires;
            }
            let loosened = layers.loosened().into_iter();
            side.loosened = loosened
                .map(|one| {
                    let way: Vec<Step<'_>> = one.way.iter().map(|key| Step::Key(key)).collect();
                    Looser {
                        line: place_of(text, &way).0,
                        key: one.key(),
                        floor: one.floor,
                        own: one.own,
                    }
                })
                .collect();
            side.overridden = layers.overridden();
        }
        Err(why) => side.problem = Some(why),
    }
    (side, said)
}

fn bad_base(why: BadBase) -> String {
    match why {
        BadBase::Yaml(error) => format!("what it extends: {}", problem(&error)),
        BadBase::Schema(schema) => format!("what it extends has schema `{schema}`"),
        BadBase::Extends => "what it extends extends another one itself".to_owned(),
        BadBase::Unknown(name, _) => {
            format!("what it extends locks `{name}`, which it does not set")
        }
    }
}

/// Judges a policy in the same way.
pub(crate) fn of_policy(text: &str, base: Option<Result<&str, &str>>) -> Side {
    let mut side = Side::default();
    let own = match policy::read(text, "") {
        Ok(own) => own,
        Err(error) => {
            side.problem = Some(problem(&error));
            return side;
        }
    };
    side.extends.clone_from(&own.extends);
    let floor = match base {
        None => return side,
        Some(Ok(base)) => policy::read(base, "")
            .map_err(|error| format!("what it extends: {}", problem(&error)))
            .and_then(|floor| match floor.extends {
                None => Ok(floor),
                Some(_) => Err("what it extends extends another one itself".to_owned()),
            }),
        Some(Err(why)) => Err(why.to_owned()),
    };
    let floor = match floor {
        Ok(floor) => floor,
        Err(why) => {
            side.problem = Some(why);
            return side;
        }
    };
    side.overridden = same_ids(&floor, &own);
    if let Err(loosened) = tighten(floor, own) {
        side.loosened = loosened
            .into_iter()
            .map(|one| {
                let (list, key) = (Step::Key(one.list), Step::Key(&one.key));
                let line = if one.list == "teams" {
                    line_of(text, &[list, key])
                } else {
                    line_of(text, &[list, Step::Entry(one.at), key])
                };
                Looser {
                    key: format!("{}.{}", one.id, one.key),
                    line,
                    floor: one.floor,
                    own: one.own,
                }
            })
            .collect();
    }
    side
}

fn same_ids(floor: &PolicyFile, own: &PolicyFile) -> Vec<String> {
    let ids = own.entries.iter().map(|entry| &entry.id);
    let both = ids.filter(|id| floor.entries.iter().any(|held| held.id == **id));
    both.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema: maestro.config/v1\n";

    fn keys(side: &Side) -> Vec<(u32, &str)> {
        let keys = side.loosened.iter();
        keys.map(|one| (one.line, one.key.as_str())).collect()
    }

    #[test]
    fn a_configuration_is_judged_over_what_it_extends() {
        let pin = "0".repeat(40);
        let own = format!(
            "{HEAD}requires: '>=0.1'\nextends: o/n//b.yaml@{pin}\nflakes:\n  review_by: 30d\nenforce: [plan]\n"
        );
        let base =
            format!("{HEAD}locked: [flakes]\nflakes: {{review_by: 7d}}\nenforce: [policy]\n");
        let (side, said) = of_config(&own, Some(Ok(&base)));
        assert_eq!(keys(&side), [(5, "flakes.review_by")]);
        assert_eq!(side.overridden, ["flakes.review_by", "enforce"]);
        assert_eq!(
            (said.requires.as_deref(), said.enforce),
            (Some(">=0.1"), vec!["plan".to_owned()])
        );
        assert_eq!(config_extends(&own), side.extends);

        let (side, said) = of_config(&format!("{HEAD}requires: '9'\nnope: 1\n"), None);
        assert_eq!(
            side.problem.as_deref(),
            Some("line 3, column 1: unknown key `nope`")
        );
        assert_eq!(said.requires.as_deref(), Some("9"));
        let (side, _) = of_config(&own, Some(Err("not there")));
        assert_eq!(side.problem.as_deref(), Some("not there"));
        let (side, _) = of_config(
            &own,
            Some(Ok("schema: maestro.config/v1\nlocked: [nope]\n")),
        );
        assert_eq!(
            side.problem.as_deref(),
            Some("what it extends locks `nope`, which it does not set")
        );
    }

    #[test]
    fn a_policy_is_judged_over_what_it_extends() {
        let pin = "0".repeat(40);
        let rule = |severity: &str| {
            format!(
                "rules:\n- rule: protected-paths\n  id: deploy\n  severity: {severity}\n  reason: r\n  protect: ['deploy/**']\n"
            )
        };
        let own = format!(
            "schema: maestro.policy/v1\nextends: o/n//p.yaml@{pin}\n{}",
            rule("warn")
        );
        let base = format!("schema: maestro.policy/v1\nlocked: all\n{}", rule("block"));
        let side = of_policy(&own, Some(Ok(&base)));
        assert_eq!(keys(&side), [(6, "deploy.severity")]);
        assert_eq!(side.overridden, ["deploy"]);
        assert_eq!(policy_extends(&own), side.extends);
        let own = format!("schema: maestro.policy/v1\nextends: o/n//p.yaml@{pin}\n");
        let side = of_policy(&own, Some(Ok(&own)));
        assert_eq!(
            side.problem.as_deref(),
            Some("what it extends extends another one itself")
        );
        assert!(of_policy("rules: 1", None).problem.is_some());
    }
}
