//! The files of a commit, and the same files before a list of changes.

use std::collections::BTreeMap;
use std::num::ParseIntError;
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
    pub(super) fn parse(mode: &str, object: &str) -> Result<Option<Self>, ParseIntError> {
        let mode = u32::from_str_radix(mode, 8)?;
        Ok((mode != 0).then(|| Self {
            mode,
            object: object.into(),
        }))
    }

    pub(crate) fn kind(&self) -> Kind {
        kind_of(self.mode)
    }

    /// Whether it is a file that may be run.
    pub(crate) fn is_executable(&self) -> bool {
        self.kind() == Kind::File && self.mode & 0o111 != 0
    }

    /// Returns a regular file of an object.
    pub(crate) fn regular(object: &str) -> Self {
        Self {
            mode: 0o100_644,
            object: object.into(),
        }
    }
}

fn kind_of(mode: u32) -> Kind {
    match mode {
        0o120_000 => Kind::Link,
        0o160_000 => Kind::Submodule,
        _ => Kind::File,
    }
}

/// A file, link or submodule, as a tree shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed<'t> {
    mode: u32,
    /// Full object id.
    pub(crate) object: &'t str,
}

impl Listed<'_> {
    pub(crate) fn kind(&self) -> Kind {
        kind_of(self.mode)
    }

    /// Returns it with an object of its own.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            mode: self.mode,
            object: self.object.into(),
        }
    }
}

/// What git listed: one text, and where each path and object stands in it, in order of path.
#[derive(Debug, Default)]
struct Listing {
    text: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    path: (usize, usize),
    object: (usize, usize),
    mode: u32,
}

impl Listing {
    fn path(&self, row: &Row) -> &str {
        &self.text[row.path.0..row.path.1]
    }

    fn listed(&self, row: &Row) -> Listed<'_> {
        Listed {
            mode: row.mode,
            object: &self.text[row.object.0..row.object.1],
        }
    }

    /// Returns where a path is, or would be.
    fn place(&self, path: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| self.path(row).cmp(path))
    }
}

/// The files of a commit, by path from the top.
///
/// Trees of neighbouring commits share what git listed once, and keep only what differs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    listing: Arc<Listing>,
    /// What is otherwise than listed; nothing for what is not there.
    differs: BTreeMap<Arc<str>, Option<Entry>>,
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Tree {
    /// Reads `git ls-tree -r -z --full-tree`: `mode type object`, tab, path, NUL. What is no such line is left out.
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        let mut rows = Vec::with_capacity(text.len() / 80);
        let mut start = 0;
        while start < text.len() {
            let end =
                memchr::memchr(0, &text.as_bytes()[start..]).map_or(text.len(), |at| start + at);
            rows.extend(parse_line(&text[start..end], start));
            start = end + 1;
        }
        let mut listing = Listing { text, rows };
        // Git hands them out in order of bytes; what was no UTF-8 may stand elsewhere now.
        let text = &listing.text;
        if !listing
            .rows
            .is_sorted_by(|a, b| text[a.path.0..a.path.1] <= text[b.path.0..b.path.1])
        {
            let mut rows = std::mem::take(&mut listing.rows);
            crate::order::sort_by(&mut rows, |a, b| listing.path(a).cmp(listing.path(b)));
            listing.rows = rows;
        }
        Self {
            listing: Arc::new(listing),
            differs: BTreeMap::new(),
        }
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
            self.differs
                .insert(change.path.as_str().into(), change.old.clone());
        }
    }

    pub(crate) fn get<'t>(&'t self, path: &str) -> Option<Listed<'t>> {
        if let Some(differs) = self.differs.get(path) {
            return differs.as_ref().map(listed);
        }
        let place = self.listing.place(path).ok()?;
        Some(self.listing.listed(&self.listing.rows[place]))
    }

    /// Returns the object of a regular file.
    pub(crate) fn file<'t>(&'t self, path: &str) -> Option<&'t str> {
        let listed = self.get(path)?;
        (listed.kind() == Kind::File).then_some(listed.object)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Listed<'_>)> {
        self.below("")
    }

    /// Returns what lies below a folder, in order; all for the top, `""`.
    pub(crate) fn below<'t>(
        &'t self,
        folder: &str,
    ) -> impl Iterator<Item = (&'t str, Listed<'t>)> + use<'t> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let listing = &*self.listing;
        let first = listing.place(&prefix).unwrap_or_else(|place| place);
        let rows = listing.rows[first..]
            .iter()
            .map(|row| (listing.path(row), listing.listed(row)));
        let from: Bound<&str> = Bound::Included(&prefix);
        let differs = self.differs.range::<str, _>((from, Bound::Unbounded));
        let mut rows = rows.peekable();
        let mut differs = differs
            .map(|(path, entry)| (&**path, entry.as_ref()))
            .peekable();
        let merged = std::iter::from_fn(move || {
            loop {
                let listed_first = match (rows.peek(), differs.peek()) {
                    (None, None) => return None,
                    (Some((row, _)), Some((other, _))) => row < other,
                    (row, _) => row.is_some(),
                };
                if listed_first {
                    return rows.next();
                }
                let (path, entry) = differs.next()?;
                if rows.peek().is_some_and(|(row, _)| *row == path) {
                    rows.next();
                }
                if let Some(entry) = entry {
                    return Some((path, listed(entry)));
                }
            }
        });
        merged.take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// Whether something lies below a folder.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        self.below(folder).next().is_some()
    }
}

fn listed(entry: &Entry) -> Listed<'_> {
    Listed {
        mode: entry.mode,
        object: &entry.object,
    }
}

/// Reads a line that begins at a place of the text.
fn parse_line(line: &str, start: usize) -> Option<Row> {
    let tab = line.find('\t')?;
    let mut words = line[..tab].split(' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    words.next()?;
    let object = words.next()?;
    let object_start = start + (object.as_ptr() as usize - line.as_ptr() as usize);
    Some(Row {
        path: (start + tab + 1, start + line.len()),
        object: (object_start, object_start + object.len()),
        mode,
    })
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
        let mut tree = Tree::default();
        for (number, (path, object)) in files.into_iter().enumerate() {
            // Some as git lists them, some as what differs.
            if number % 2 == 0 {
                tree.differs.insert(path.into(), Some(entry(object)));
            } else {
                let mut lines: Vec<String> = Vec::new();
                let listing = &tree.listing;
                lines.extend(listing.rows.iter().map(|row| {
                    format!(
                        "100644 blob {}\t{}\0",
                        listing.listed(row).object,
                        listing.path(row)
                    )
                }));
                if !object.contains(['\t', '\0', ' ', '\n']) && !object.is_empty() {
                    lines.push(format!("100644 blob {object}\t{path}\0"));
                    crate::order::sort_by(&mut lines, |a, b| {
                        a.split('\t').nth(1).cmp(&b.split('\t').nth(1))
                    });
                    tree.listing = Tree::parse(lines.concat().into_bytes()).listing;
                } else {
                    tree.differs.insert(path.into(), Some(entry(object)));
                }
            }
        }
        tree
    }

    /// Returns what turns one tree into another.
    pub(crate) fn changes(old: &Tree, new: &Tree) -> Vec<Change> {
        let mut paths: Vec<_> = old.iter().chain(new.iter()).map(|(path, _)| path).collect();
        paths.sort_unstable();
        paths.dedup();
        let changes = paths.into_iter().map(|path| Change {
            path: path.to_string(),
            is_text: true,
            old: old.get(path).map(|one| one.entry()),
            new: new.get(path).map(|one| one.entry()),
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
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
