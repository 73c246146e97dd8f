//! How runs follow each other: each index names the heads that had been seen, and a run that nobody names yet is a head.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Previous;

/// Of so many heads a run links to the newest only; those that were not seen stay heads.
const MOST_HEADS: usize = 256;

/// A run that is known, and what it links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) this: Previous,
    /// Digests, as the index has them.
    pub(crate) previous: Vec<String>,
}

/// Returns the heads among runs other than this one, oldest first: events of the run itself are its own, and none that came before it.
pub(crate) fn heads(links: &[Link], run: &str) -> Vec<Previous> {
    let others = || links.iter().filter(|link| link.this.run != run);
    let named: BTreeSet<&str> = others()
        .flat_map(|link| link.previous.iter().map(String::as_str))
        .collect();
    let heads = others().filter(|link| !named.contains(link.this.sha.to_string().as_str()));
    let mut heads: Vec<Previous> = heads.map(|link| link.this.clone()).collect();
    crate::order::sort(&mut heads);
    heads.dedup();
    let many = heads.len().saturating_sub(MOST_HEADS);
    heads.split_off(many)
}

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Missing {
    pub(crate) sha256: String,
    /// Who names it.
    pub(crate) named_by: String,
}

/// Follows the links from some runs, and returns those that lead nowhere.
pub(crate) fn missing(known: &BTreeMap<String, Vec<String>>, from: &[String]) -> Vec<Missing> {
    let mut seen = BTreeSet::new();
    let mut missing = BTreeSet::new();
    let mut open: Vec<&String> = from.iter().collect();
    while let Some(next) = open.pop() {
        if !seen.insert(next) {
            continue;
        }
        for previous in known.get(next).into_iter().flatten() {
            if known.contains_key(previous) {
                open.push(previous);
            } else {
                missing.insert(Missing {
                    sha256: previous.clone(),
                    named_by: next.clone(),
                });
            }
        }
    }
    missing.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha::Sha;

    fn link(run: &str, previous: &[&str]) -> Link {
        Link {
            this: Previous {
                at: jiff::Timestamp::UNIX_EPOCH,
                sha: Sha::of(run.as_bytes()),
                run: run.into(),
                attempt: 1,
            },
            previous: previous
                .iter()
                .map(|run| Sha::of(run.as_bytes()).to_string())
                .collect(),
        }
    }

    fn runs(heads: &[Previous]) -> Vec<&str> {
        let mut runs: Vec<&str> = heads.iter().map(|head| head.run.as_str()).collect();
        runs.sort_unstable();
        runs
    }

    #[test]
    fn runs_that_nobody_names_are_heads() {
        let links = [link("a", &[]), link("b", &["a"]), link("c", &["a"])];
        assert_eq!(runs(&heads(&links, "d")), ["b", "c"]);
        // Written again, a run sees what it saw before.
        let mut again = links.to_vec();
        again.push(link("d", &["b", "c"]));
        assert_eq!(heads(&again, "d"), heads(&links, "d"));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named_with_who_names_it() {
        let known = |links: &[Link]| {
            let row = |link: &Link| (link.this.sha.to_string(), link.previous.clone());
            links.iter().map(row).collect::<BTreeMap<_, _>>()
        };
        let sha = |run: &str| Sha::of(run.as_bytes()).to_string();
        let whole = [link("a", &[]), link("b", &["a"]), link("c", &["a", "b"])];
        assert_eq!(missing(&known(&whole), &[sha("c")]), []);
        let cut = [link("b", &["a"]), link("c", &["b"])];
        let wanted = Missing {
            sha256: sha("a"),
            named_by: sha("b"),
        };
        assert_eq!(missing(&known(&cut), &[sha("c")]), [wanted]);
        // A circle ends.
        let circle = [link("a", &["b"]), link("b", &["a"])];
        assert_eq!(missing(&known(&circle), &[sha("a")]), []);
    }
}
