//! Who is on the team: the usual roles, as far as the configuration narrows them, and those that it adds.

use std::collections::BTreeMap;

use super::roles::{Proof, Right, Role, built_in, glob_fault};
use super::words::{is_name, words};
use crate::config::agents::{RoleFile, TierWord};
use crate::config::nearest;
use crate::llm::router::Tier;
use crate::money::Usd;

/// A team's roles, in the order of their work, and the planner's tier where somebody chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roster {
    pub(crate) roles: Vec<Role>,
    pub(crate) planner: Option<Tier>,
}

/// Why a configuration makes no team.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RosterProblem {
    #[error("`agents.roles.{0}` is none of the usual roles, and does not say what it `does`")]
    Unknown(String),
    #[error(
        "`agents.roles.{0}` is no name: small letters, digits and `-`, beginning with a letter"
    )]
    Name(String),
    #[error("`agents.roles.{role}.{key}` {what}")]
    Key {
        role: String,
        key: &'static str,
        what: String,
    },
    #[error("roles wait for each other: {0}")]
    Cycle(String),
}

impl RosterProblem {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unknown(name) => match nearest(name, &names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write `does:`, or one of {}", names().join(", ")),
            },
            _ => "`maestro util schema config` prints what may stand where".to_owned(),
        }
    }
}

/// Roles that have a prompt and are on no plan unless somebody wants them.
const KNOWN: [(&str, &str); 2] = [
    (
        "performance",
        "looks for what the change makes slower or larger, and changes nothing",
    ),
    (
        "security",
        "looks for what an attacker could do with the change, and changes nothing",
    ),
];

/// What the record of a change is written to, whatever else its writer may change.
const RECORDS: &str = ".maestro/changes/*.yaml";

fn names() -> Vec<&'static str> {
    vec![
        "planner",
        "scaffolder",
        "implementer",
        "tester",
        "reviewer",
        "docs",
        "security",
        "performance",
    ]
}

/// Makes a team of what the configuration says of its roles.
pub(crate) fn roster(files: &BTreeMap<String, RoleFile>) -> Result<Roster, RosterProblem> {
    let mut roster = Roster {
        roles: built_in(),
        planner: None,
    };
    let mut added = Vec::new();
    for (name, file) in files {
        check(name, file)?;
        if name == super::roles::PLANNER {
            planner(file)?;
            roster.planner = file.tier.map(tier);
        } else if let Some(role) = roster.roles.iter_mut().find(|role| role.name == *name) {
            narrow(role, file)?;
        } else {
            added.push(own(name, file)?);
        }
    }
    while !added.is_empty() {
        let is_ready = |role: &Role| {
            role.after
                .iter()
                .all(|name| place(&roster.roles, name).is_some())
        };
        let Some(at) = added.iter().position(is_ready) else {
            return Err(stuck(&added, files));
        };
        let role = added.remove(at);
        let behind = role
            .after
            .iter()
            .filter_map(|name| place(&roster.roles, name));
        let behind = behind.max().map_or(roster.roles.len(), |last| last + 1);
        // Of those that come after the same one, the first by name is the first.
        let later = roster.roles[behind..].iter();
        let beside = later
            .take_while(|other| other.is_own && other.after == role.after)
            .count();
        roster.roles.insert(behind + beside, role);
    }
    Ok(roster)
}

fn place(roles: &[Role], name: &str) -> Option<usize> {
    roles.iter().position(|role| role.name == name)
}

/// Says why roles have no place.
fn stuck(left: &[Role], files: &BTreeMap<String, RoleFile>) -> RosterProblem {
    let built_in = built_in();
    for role in left {
        let is_there =
            |name: &&String| files.contains_key(*name) || place(&built_in, name).is_some();
        if let Some(missing) = role
            .after
            .iter()
            .find(|name| !is_there(name) || *name == super::roles::PLANNER)
        {
            return wrong(
                &role.name,
                "after",
                format!("names `{missing}`, and nobody on a plan is called so"),
            );
        }
    }
    let names: Vec<&str> = left.iter().map(|role| role.name.as_str()).collect();
    RosterProblem::Cycle(names.join(", "))
}

fn wrong(role: &str, key: &'static str, what: impl Into<String>) -> RosterProblem {
    RosterProblem::Key {
        role: role.to_owned(),
        key,
        what: what.into(),
    }
}

/// Holds against its bounds what any role may have.
fn check(name: &str, file: &RoleFile) -> Result<(), RosterProblem> {
    if !is_name(name) {
        return Err(RosterProblem::Name(name.to_owned()));
    }
    for glob in &file.paths {
        if let Some(fault) = glob_fault(glob) {
            return Err(wrong(name, "paths", format!("has `{glob}`, which {fault}")));
        }
    }
    for command in &file.commands {
        if let Err(fault) = words(command) {
            return Err(wrong(
                name,
                "commands",
                format!("has `{command}`, which {fault}"),
            ));
        }
    }
    if file
        .max_attempts
        .is_some_and(|most| !(1..=9).contains(&most))
    {
        return Err(wrong(name, "max_attempts", "is no number from 1 to 9"));
    }
    cap(name, file).map(drop)
}

fn cap(name: &str, file: &RoleFile) -> Result<Option<Usd>, RosterProblem> {
    let Some(amount) = &file.max_usd else {
        return Ok(None);
    };
    let text = amount.text();
    text.parse()
        .map(Some)
        .map_err(|error| wrong(name, "max_usd", format!("is `{text}`: {error}")))
}

fn planner(file: &RoleFile) -> Result<(), RosterProblem> {
    let rest = RoleFile {
        tier: None,
        ..file.clone()
    };
    if rest == RoleFile::default() {
        return Ok(());
    }
    let what = "is all that can be chosen of the planner, which changes nothing and comes first";
    Err(wrong(super::roles::PLANNER, "tier", what))
}

/// Narrows a usual role.
fn narrow(role: &mut Role, file: &RoleFile) -> Result<(), RosterProblem> {
    let name = role.name.clone();
    let of_own = [
        ("does", file.does.is_some()),
        ("prompt", file.prompt.is_some()),
        ("after", !file.after.is_empty()),
        ("always", file.always.is_some()),
    ];
    if let Some((key, _)) = of_own.into_iter().find(|(_, is_set)| *is_set) {
        return Err(wrong(&name, key, "is for roles of your own"));
    }
    if role.right == Right::Nothing && !file.paths.is_empty() {
        return Err(wrong(
            &name,
            "paths",
            "gives files to a role that changes nothing",
        ));
    }
    if file.gates == Some(false) && role.proof != Proof::Verdict {
        return Err(wrong(
            &name,
            "gates",
            "is `false`, and others stand on its work",
        ));
    }
    common(role, file)?;
    if role.right == Right::Docs && !role.paths.is_empty() {
        role.paths.push(RECORDS.to_owned());
    }
    Ok(())
}

/// Makes a role that the team adds.
fn own(name: &str, file: &RoleFile) -> Result<Role, RosterProblem> {
    let known = KNOWN.iter().find(|(known, _)| *known == name);
    let does = file
        .does
        .clone()
        .or(known.map(|(_, does)| (*does).to_owned()));
    let does = does.ok_or_else(|| RosterProblem::Unknown(name.to_owned()))?;
    let judges = file.paths.is_empty();
    let mut role = Role {
        name: name.to_owned(),
        prompt: file.prompt.clone().unwrap_or_else(|| name.to_owned()),
        does,
        right: if judges { Right::Nothing } else { Right::Paths },
        proof: if judges {
            Proof::Verdict
        } else {
            Proof::Commands
        },
        is_always: file.always.unwrap_or(true),
        is_own: true,
        after: file.after.clone(),
        ..Role::default()
    };
    if role.after.is_empty() {
        role.after.push("reviewer".to_owned());
    }
    common(&mut role, file)?;
    Ok(role)
}

fn common(role: &mut Role, file: &RoleFile) -> Result<(), RosterProblem> {
    role.tier = file.tier.map(tier);
    role.paths.clone_from(&file.paths);
    role.commands.clone_from(&file.commands);
    role.tries = file.max_attempts;
    role.cap = cap(&role.name, file)?;
    role.gates = file.gates.unwrap_or(true);
    Ok(())
}

fn tier(word: TierWord) -> Tier {
    match word {
        TierWord::Small => Tier::Small,
        TierWord::Medium => Tier::Medium,
        TierWord::Large => Tier::Large,
    }
}

/// Leaves of some commands what others allow too: of two that begin alike the longer one.
pub(crate) fn both(own: &[String], allowed: &[String]) -> Vec<String> {
    let split = |command: &String| words(command).unwrap_or_default();
    let pairs = own
        .iter()
        .flat_map(|one| allowed.iter().map(move |other| (one, other)));
    let mut left: Vec<String> = pairs
        .filter_map(|(one, other)| {
            let (a, b) = (split(one), split(other));
            if a.starts_with(&b) {
                Some(one.clone())
            } else {
                b.starts_with(&a).then(|| other.clone())
            }
        })
        .collect();
    left.dedup();
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Roster, RosterProblem> {
        roster(&serde_yaml::from_str(text).unwrap())
    }

    #[track_caller]
    fn order(text: &str, wanted: &str) {
        let roles = read(text).unwrap().roles;
        let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
        assert_eq!(names.join(" "), wanted);
    }

    #[track_caller]
    fn refused(text: &str, wanted: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), wanted);
    }

    #[test]
    fn nobody_is_who_is_usual() {
        assert_eq!(read("{}").unwrap().roles, built_in());
    }

    #[test]
    fn roles_of_a_team_come_after_whom_they_name() {
        order(
            "security: {}",
            "scaffolder implementer tester reviewer security docs",
        );
        order(
            "b: {does: d, after: [a]}\na: {does: d, after: [implementer]}\nc: {does: d, after: [docs]}",
            "scaffolder implementer a b tester reviewer docs c",
        );
        order(
            "security: {}\nperformance: {}\nlicences: {does: d}",
            "scaffolder implementer tester reviewer licences performance security docs",
        );
    }

    #[test]
    fn a_role_without_paths_judges_and_one_with_paths_works() {
        let roles = read("a: {does: d}\nb: {does: d, paths: ['src/**'], gates: false, tier: large, max_usd: 0.5, max_attempts: 1}").unwrap().roles;
        let find = |name: &str| roles.iter().find(|role| role.name == name).unwrap();
        let (a, b) = (find("a"), find("b"));
        assert_eq!(
            (a.right, a.proof, a.gates),
            (Right::Nothing, Proof::Verdict, true)
        );
        assert_eq!(
            (b.right, b.proof, b.gates),
            (Right::Paths, Proof::Commands, false)
        );
        assert_eq!(
            (b.tier, b.tries, b.cap),
            (Some(Tier::Large), Some(1), "0.5".parse().ok())
        );
    }

    #[test]
    fn rights_are_only_narrowed() {
        refused(
            "reviewer: {paths: ['**']}",
            "`agents.roles.reviewer.paths` gives files to a role that changes nothing",
        );
        refused(
            "tester: {gates: false}",
            "`agents.roles.tester.gates` is `false`, and others stand on its work",
        );
        refused(
            "tester: {after: [docs]}",
            "`agents.roles.tester.after` is for roles of your own",
        );
        refused(
            "planner: {max_attempts: 2}",
            "`agents.roles.planner.tier` is all that can be chosen of the planner, which changes nothing and comes first",
        );
        let docs = read("docs: {paths: ['docs/**']}").unwrap().roles;
        assert_eq!(docs.last().unwrap().paths, ["docs/**", RECORDS]);
        assert_eq!(
            read("planner: {tier: large}").unwrap().planner,
            Some(Tier::Large)
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let problem = read("implementor: {tier: large}").unwrap_err();
        assert_eq!(problem.hint(), "did you mean `implementer`?");
        refused(
            "a: {does: d, after: [b]}",
            "`agents.roles.a.after` names `b`, and nobody on a plan is called so",
        );
        refused(
            "a: {does: d, after: [b]}\nb: {does: d, after: [a]}",
            "roles wait for each other: a, b",
        );
        refused(
            "A: {does: d}",
            "`agents.roles.A` is no name: small letters, digits and `-`, beginning with a letter",
        );
        refused(
            "tester: {max_attempts: 0}",
            "`agents.roles.tester.max_attempts` is no number from 1 to 9",
        );
        for text in [
            "tester: {max_usd: much}",
            "tester: {paths: ['a[']}",
            "tester: {commands: ['a | b']}",
            "tester: {max_usd: -1}",
        ] {
            assert!(
                matches!(read(text), Err(RosterProblem::Key { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn of_two_lists_of_commands_the_narrower_is_left() {
        let list = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            both(&list("cargo, npm test, make"), &list("cargo test, npm")),
            ["cargo test", "npm test"]
        );
    }
}
