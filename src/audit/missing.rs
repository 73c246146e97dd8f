//! What git does not have, and how to get it.

use super::document::Missing;
use super::facts::Facts;

pub(super) fn of_git(facts: &Facts<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    match facts.newest {
        None => missing.push(Missing::new(
            "changes",
            "nothing is committed yet",
            "run it in a clone that has commits",
        )),
        Some(newest) if facts.changes.is_empty() => missing.push(Missing::new(
            "changes",
            format!(
                "there is none in the {} days before {}; the newest is of {newest}",
                facts.days, facts.now
            ),
            format!("fetch, look at more --days, or look back from then: --now {newest}"),
        )),
        Some(_) => {}
    }
    if facts.is_shallow {
        missing.push(Missing::new(
            "older changes and tags",
            "this clone is shallow",
            "git fetch --unshallow --tags",
        ));
    }
    if facts.is_cut {
        missing.push(Missing::new(
            "older changes",
            format!(
                "there are more than the newest {} in this time",
                facts.changes.len()
            ),
            "look at more with --limit",
        ));
    }
    let unjudged = facts.changes.iter().filter(|one| one.policy.is_none());
    let unjudged = unjudged.count();
    if unjudged > 0 {
        missing.push(Missing::new(
            "what the policy says of some changes",
            format!("{unjudged} are too large, or their files are not in this clone"),
            "maestro check-policy --base COMMIT^ --head COMMIT in a full clone",
        ));
    }
    missing
}
