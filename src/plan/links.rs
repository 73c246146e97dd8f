//! Links: a file that changes has changed under every name that a link gives it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sources::{Sources, folder_of, is_within, join};
use crate::change::Kind;

/// Links that lead to links are followed so far.
const DEEPEST: usize = 16;

/// The links of a tree: where each leads, from the top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Links(BTreeMap<String, String>);

impl Links {
    /// Reads the links whose objects were read.
    pub(crate) fn read(sources: Sources<'_>) -> Self {
        let links = sources
            .tree
            .iter()
            .filter(|(_, entry)| entry.kind() == Kind::Link);
        let links = links.filter_map(|(path, entry)| {
            let bytes = sources.blobs.get(entry.object)?;
            let target = std::str::from_utf8(bytes).ok()?;
            Some((path.to_string(), join(folder_of(path), target)?))
        });
        Self(crate::order::map(links))
    }

    /// Returns the links that lead to something inside a folder.
    pub(crate) fn leading_into(&self, folder: &str) -> impl Iterator<Item = String> {
        let links = self.0.iter();
        links
            .filter(move |(_, target)| is_within(target, folder))
            .map(|(link, _)| link.clone())
    }

    /// Returns the other names of a path.
    pub(crate) fn names_of(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut last = vec![path.to_owned()];
        for _ in 0..DEEPEST {
            let mut next = Vec::new();
            for name in &last {
                for (link, target) in &self.0 {
                    // A link to a folder around itself gives names without end.
                    if !is_within(name, target) || is_within(link, target) {
                        continue;
                    }
                    let rest = name[target.len()..].trim_start_matches('/');
                    let other = if rest.is_empty() {
                        link.clone()
                    } else {
                        format!("{link}/{rest}")
                    };
                    if other != path && !names.contains(&other) {
                        names.push(other.clone());
                        next.push(other);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            last = next;
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_names_that_links_give_it() {
        let links = [
            ("crates/a/LICENSE", "LICENSE"),
            ("crates/b/shared", "shared"),
            ("crates/c/shared", "crates/b/shared"),
            ("shared/loop", "shared"),
        ];
        let links = Links(
            links
                .map(|(link, target)| (link.to_owned(), target.to_owned()))
                .into(),
        );
        assert_eq!(links.names_of("LICENSE"), ["crates/a/LICENSE"]);
        assert_eq!(
            links.names_of("shared/x"),
            ["crates/b/shared/x", "crates/c/shared/x"]
        );
        assert!(links.names_of("other").is_empty());
    }
}
