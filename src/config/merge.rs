//! A repository's configuration over its organisation's.
//!
//! Mappings are put together key by key, and the repository's value stands in place of the organisation's. So do its lists, but for those that only name
//! more than is known anyway (`JOINED`): to these it adds. A list that permits or describes could never be made shorter if it were joined.

use super::tree::Tree;

/// Lists of what is guarded, beside what is known: entries come on top.
const JOINED: [&str; 4] = [
    "run_all_on",
    "flakes.never",
    "agents.authors",
    "agents.trailers",
];

/// What a file says of itself.
pub(super) const HEAD: [&str; 4] = ["schema", "requires", "extends", "locked"];

/// Whether a list is added to.
pub(crate) fn is_joined(way: &[String]) -> bool {
    JOINED.contains(&way.join(".").as_str())
}

/// Puts a repository's configuration over its organisation's. What the organisation's file locks or extends is said of that file.
pub(super) fn over(base: &Tree, own: &Tree) -> Tree {
    let Tree::Map(entries) = base else {
        return own.clone();
    };
    let entries = entries.iter();
    let kept = entries.filter(|(key, _)| !matches!(key.as_str(), "extends" | "locked"));
    at(&mut Vec::new(), &Tree::Map(kept.cloned().collect()), own)
}

/// The same, somewhere inside.
pub(super) fn at(way: &mut Vec<String>, base: &Tree, own: &Tree) -> Tree {
    match (base, own) {
        (base, own) if own.is_null() => base.clone(),
        (Tree::Map(floor), Tree::Map(mine)) => {
            let mut entries = Vec::new();
            for (key, value) in floor {
                way.push(key.clone());
                let value = own
                    .key(key)
                    .map_or_else(|| value.clone(), |own| at(way, value, own));
                way.pop();
                entries.push((key.clone(), value));
            }
            let new = mine.iter().filter(|(key, _)| base.key(key).is_none());
            entries.extend(new.cloned());
            Tree::Map(entries)
        }
        (Tree::List(floor), Tree::List(mine)) if is_joined(way) => {
            let new = mine.iter().filter(|entry| !floor.contains(entry));
            Tree::List(floor.iter().chain(new).cloned().collect())
        }
        _ => own.clone(),
    }
}
