//! Many repositories beside one another: who is behind the files that an organisation shares, who loosened what it locks, and who runs an old maestro.
//!
//! Invariant: what is not known is never taken for being up to date.

pub(crate) mod side;
pub(crate) mod standing;
pub(crate) mod used;

use side::Side;
use standing::Standing;
use used::Used;

/// What was read of a repository, and where it stands.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) requires: Option<String>,
    /// What blocks, once its organisation's file is below its own.
    pub(crate) enforce: Vec<String>,
    pub(crate) config: Side,
    pub(crate) policy: Side,
    /// How many tests are forgiven, and how many of them longer than they may; or what is wrong with the file.
    pub(crate) quarantine: Option<Result<(usize, usize), String>>,
    /// Where its workflows take maestro from.
    pub(crate) used: Vec<Used>,
}

/// Says what is wrong with a repository. `most` is how many commits it may be behind; without, being behind is not wrong.
pub(crate) fn complaints(
    member: &Member,
    (config, policy): (Option<Standing>, Option<Standing>),
    most: Option<u64>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, side, standing) in [
        ("configuration", &member.config, config),
        ("policy", &member.policy, policy),
    ] {
        if let Some(problem) = &side.problem {
            found.push(format!("its {name} does not count: {problem}"));
        }
        let keys = side.loosened.iter();
        found.extend(keys.map(|one| {
            format!(
                "its {name} loosens `{}`: {} instead of {}",
                one.key, one.own, one.floor
            )
        }));
        if let (Some(most), Some(standing)) = (most, standing)
            && !standing.is_within(most)
        {
            found.push(format!("its {name} is {}", standing.words()));
        }
    }
    if let Some(Err(problem)) = &member.quarantine {
        found.push(format!("its quarantine does not count: {problem}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::side::Looser;
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_order() {
        let looser = Looser {
            key: "enforce".to_owned(),
            line: 3,
            floor: "[plan]".to_owned(),
            own: "[]".to_owned(),
        };
        let member = Member {
            config: Side {
                loosened: vec![looser],
                ..Side::default()
            },
            policy: Side {
                problem: Some("line 1".to_owned()),
                ..Side::default()
            },
            quarantine: Some(Err("no JSON".to_owned())),
            ..Member::default()
        };
        let standings = (Some(Standing::Behind(Some(3))), None);
        let said = |most| complaints(&member, standings, most);
        let always = [
            "its configuration loosens `enforce`: [] instead of [plan]",
            "its policy does not count: line 1",
            "its quarantine does not count: no JSON",
        ];
        assert_eq!(said(None), always);
        assert_eq!(said(Some(3)), always);
        assert_eq!(said(Some(2))[1], "its configuration is 3 commits behind");
        let unknown = (None, Some(Standing::Unknown));
        let said = complaints(&Member::default(), unknown, Some(9));
        assert_eq!(
            said,
            ["its policy is at a commit that nobody could compare"]
        );
    }
}
