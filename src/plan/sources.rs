//! The bytes that graphs are read from: a commit's tree, and blobs by their object id.
//!
//! A blob is parsed once, whichever commits hold it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::change::{Kind, Tree};
use crate::json;
use crate::order;

/// Blobs by object id, and what they were parsed to.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    bytes: HashMap<Arc<str>, Option<Arc<[u8]>>>,
    toml: RefCell<HashMap<Arc<str>, Parsed<toml::Table>>>,
    json: RefCell<HashMap<Arc<str>, Parsed<serde_json::Value>>>,
    /// What is asked of a tree beside the contents of files, while somebody wants to know.
    asked: RefCell<Option<Asked>>,
}

/// For paths, whether they are there; those of folders end in a slash.
pub(crate) type Asked = BTreeMap<String, bool>;

/// Whether a tree gives the same answers.
pub(crate) fn answers(tree: &Tree, asked: &Asked) -> bool {
    asked.iter().all(|(path, answer)| {
        let found = match path.strip_suffix('/') {
            Some(folder) => tree.has_folder(folder),
            None => tree.get(path).is_some(),
        };
        found == *answer
    })
}

/// A parsed document, or why it is none.
pub(crate) type Parsed<T> = Result<Rc<T>, Rc<str>>;

impl Blobs {
    pub(crate) fn has(&self, object: &str) -> bool {
        self.bytes.contains_key(object)
    }

    /// Begins to write down what is asked.
    pub(crate) fn begin_asking(&self) {
        *self.asked.borrow_mut() = Some(Asked::new());
    }

    /// Returns what was asked since.
    pub(crate) fn end_asking(&self) -> Asked {
        self.asked.borrow_mut().take().unwrap_or_default()
    }

    /// Keeps the bytes of a blob; nothing for one that is missing.
    pub(crate) fn insert(&mut self, object: Arc<str>, bytes: Option<Arc<[u8]>>) {
        self.bytes.insert(object, bytes);
    }

    /// Returns the bytes of a blob that was read.
    pub(crate) fn get(&self, object: &str) -> Option<&Arc<[u8]>> {
        self.bytes.get(object)?.as_ref()
    }
}

/// A commit's files, as far as graphs need them.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) blobs: &'a Blobs,
}

impl<'a> Sources<'a> {
    /// Returns the text of a file; nothing when it is not there or was not read.
    pub(crate) fn text(&self, path: &str) -> Option<&'a str> {
        let bytes = self.bytes(path)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        std::str::from_utf8(bytes).ok()
    }

    fn bytes(&self, path: &str) -> Option<&'a [u8]> {
        self.blobs
            .get(self.tree.file(path)?)
            .map(|bytes| &bytes[..])
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        let answer = self.tree.get(path).is_some();
        self.note(path.to_owned(), answer);
        answer
    }

    /// Whether a path lies in a submodule, of whose files nothing is known.
    pub(crate) fn is_in_submodule(&self, path: &str) -> bool {
        ancestors(path).any(|folder| {
            let entry = self.tree.get(folder);
            entry.is_some_and(|entry| entry.kind() == Kind::Submodule)
        })
    }

    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        let answer = self.tree.has_folder(folder);
        self.note(format!("{folder}/"), answer);
        answer
    }

    fn note(&self, path: String, answer: bool) {
        if let Some(asked) = self.blobs.asked.borrow_mut().as_mut() {
            asked.insert(path, answer);
        }
    }

    /// Reads a TOML file; nothing when there is none.
    pub(crate) fn toml(&self, path: &str) -> Option<Parsed<toml::Table>> {
        self.parsed(path, &self.blobs.toml, &|text| {
            text.parse::<toml::Table>()
                .map_err(|error| error.message().to_owned())
        })
    }

    /// Reads a JSON file; nothing when there is none.
    pub(crate) fn json(&self, path: &str) -> Option<Parsed<serde_json::Value>> {
        self.parsed(path, &self.blobs.json, &|text| {
            json::read(text).map_err(|error| error.to_string())
        })
    }

    fn parsed<T>(
        &self,
        path: &str,
        cache: &RefCell<HashMap<Arc<str>, Parsed<T>>>,
        parse: &dyn Fn(&str) -> Result<T, String>,
    ) -> Option<Parsed<T>> {
        let object = self.tree.file(path)?;
        if let Some(known) = cache.borrow().get(object) {
            return Some(known.clone());
        }
        let parsed = match self.text(path) {
            Some(text) => parse(text).map(Rc::new).map_err(Rc::from),
            None => Err(Rc::from("it is no UTF-8 text, or its object is missing")),
        };
        cache.borrow_mut().insert(object.into(), parsed.clone());
        Some(parsed)
    }

    /// Returns the folders that hold a file of a name, each after those that it lies in; `""` is the top.
    pub(crate) fn folders_with(&self, name: &str) -> Vec<&'a str> {
        let files = self
            .tree
            .iter()
            .filter(|(_, entry)| entry.kind() == Kind::File);
        let folders = files.filter_map(|(path, _)| match path.strip_suffix(name)? {
            "" => Some(""),
            folder => folder.strip_suffix('/'),
        });
        let mut folders: Vec<&str> = folders.filter(|folder| !is_foreign(folder)).collect();
        // A tree is in order of files: `apps/y/package.json` comes before `package.json`.
        order::sort(&mut folders);
        folders
    }
}

/// Whether a folder holds what package managers put there.
fn is_foreign(folder: &str) -> bool {
    folder.split('/').any(|part| part == "node_modules")
}

/// Returns the last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns what follows the last dot of a path's name.
pub(crate) fn extension(path: &str) -> Option<&str> {
    file_name(path)
        .rsplit_once('.')
        .map(|(_, extension)| extension)
}

/// Returns the folder of a path; `""` for the top.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns a path that is meant from a folder, from the top; nothing when it leads out of the repository.
pub(crate) fn join(folder: &str, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path is a folder or lies in it; everything lies in the top.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns a folder and those above it, the top last.
pub(crate) fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| {
        (!folder.is_empty()).then(|| folder_of(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_stay_in_the_repository() {
        assert_eq!(join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(join("", "x").as_deref(), Some("x"));
        assert_eq!(join("a", "..").as_deref(), Some(""));
        assert_eq!(join("a", "../../x"), None);
        assert_eq!(join("a", "/etc"), None);
        assert_eq!(join("a", "..\\b").as_deref(), Some("b"));
    }

    #[test]
    fn a_folder_comes_after_those_that_it_lies_in() {
        let files = ["a/x/m.toml", "a/m.toml", "m.toml", "a-b/m.toml", "z/m.toml"];
        let tree = crate::change::tests_support::tree(files.map(|file| (file, "")));
        let sources = Sources {
            tree: &tree,
            blobs: &Blobs::default(),
        };
        assert_eq!(sources.folders_with("m.toml"), ["", "a", "a-b", "a/x", "z"]);
    }

    #[test]
    fn a_folder_holds_itself_and_no_namesake() {
        assert!(is_within("a/b", "a") && is_within("a", "a") && is_within("a", ""));
        assert!(!is_within("ab", "a"));
        assert_eq!(ancestors("a/b").collect::<Vec<_>>(), ["a/b", "a", ""]);
    }
}
