//! The files of a commit, and the same files before a list of changes.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::Change;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Link,
    Submodule,
}

/// A file, link or submodule of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    mode: u32,
    /// Full object id.
    pub(crate) object: Arc<str>,
}

impl Entry {
    /// Reads mode and object as git prints them; nothing for the mode of what is not there.
    pub(super) fn parse(mode: &str, object: &str) -> Option<Option<Self>> {
        let mode = u32::from_str_radix(mode, 8).ok()?;
        Some((mode != 0).then(|| Self {
            mode,
            object: object.into(),
        }))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.mode {
            0o120_000 => Kind::Link,
            0o160_000 => Kind::Submodule,
            _ => Kind::File,
        }
    }
}

/// The files of a commit, by path from the top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<Arc<str>, Entry>);

impl Tree {
    /// Reads `git ls-tree -r -z --full-tree`: `mode type object`, tab, path, NUL. What is no such line is left out.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|byte| *byte == 0);
        // Git hands them out in order of bytes, as the map keeps them.
        Self(lines.filter_map(parse_line).collect())
    }

    /// Returns the tree as it was before the changes.
    pub(crate) fn before(&self, changes: &[Change]) -> Self {
        let mut before = self.clone();
        before.undo(changes);
        before
    }

    /// Takes changes back.
    pub(crate) fn undo(&mut self, changes: &[Change]) {
        for change in changes {
            self.0.remove(change.path.as_str());
        }
        for change in changes {
            if let Some(old) = &change.old {
                self.0.insert(change.path.as_str().into(), old.clone());
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(path)
    }

    /// Returns the object of a regular file.
    pub(crate) fn file(&self, path: &str) -> Option<&Arc<str>> {
        let entry = self.get(path)?;
        (entry.kind() == Kind::File).then_some(&entry.object)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.0.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns what lies below a folder; all for the top, `""`.
    pub(crate) fn below<'t>(
        &'t self,
        folder: &str,
    ) -> impl Iterator<Item = (&'t Arc<str>, &'t Entry)> + use<'t> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let from: Bound<&str> = Bound::Included(&prefix);
        self.0
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// Whether something lies below a folder.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        self.below(folder).next().is_some()
    }
}

fn parse_line(line: &[u8]) -> Option<(Arc<str>, Entry)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let mode = words.next()?;
    words.next()?;
    let entry = Entry::parse(mode, words.next()?)??;
    let path = String::from_utf8_lossy(&line[tab + 1..]);
    Some((Arc::from(path.as_ref()), entry))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes a tree of regular files from paths and objects.
    pub(crate) fn tree<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tree {
        let entry = |object: &str| Entry {
            mode: 0o100_644,
            object: object.into(),
        };
        let files = files.into_iter();
        Tree(files.map(|(path, object)| (path.into(), entry(object))).collect())
    }

    /// Returns what turns one tree into another.
    pub(crate) fn changes(old: &Tree, new: &Tree) -> Vec<Change> {
        let mut paths: Vec<_> = old.0.keys().chain(new.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let changes = paths.into_iter().map(|path| Change {
            path: path.to_string(),
            is_text: true,
            old: old.get(path).cloned(),
            new: new.get(path).cloned(),
        });
        changes.filter(|change| change.old != change.new).collect()
    }

    #[test]
    fn a_folder_holds_what_lies_below_it_and_no_namesake() {
        let tree = tree([("a/b", "1"), ("a/c/d", "2"), ("a-b/c", "3"), ("ab", "4")]);
        let below: Vec<_> = tree.below("a").map(|(path, _)| path.to_string()).collect();
        assert_eq!(below, ["a/b", "a/c/d"]);
        assert!(tree.has_folder("a/c") && !tree.has_folder("a/b"));
        assert_eq!(tree.below("").count(), 4);
    }

    proptest! {
        #[test]
        fn taking_the_changes_back_gives_the_old_tree(
            old in proptest::collection::btree_map("[ab]{1,2}(/[ab])?", "[12]", 0..8),
            new in proptest::collection::btree_map("[ab]{1,2}(/[ab])?", "[12]", 0..8),
        ) {
            let tree = |files: &BTreeMap<String, String>| {
                tree(files.iter().map(|(path, object)| (path.as_str(), object.as_str())))
            };
            let (old, new) = (tree(&old), tree(&new));
            prop_assert_eq!(new.before(&changes(&old, &new)), old);
        }
    }
}
