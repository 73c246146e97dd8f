//! A folder kept in memory, and laid down as often as somebody wants it: a few writes instead of the processes that made it.
//!
//! An index that was laid down elsewhere has other times than its files: git looks at them again, as after any copy.

use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};

use super::harness::Maestro;

/// Everything below a folder.
pub(crate) struct Snapshot {
    /// What the folder was called.
    from: [String; 2],
    found: Vec<(PathBuf, Entry)>,
}

/// Where a repository names others that it has objects of, by whole paths (gitrepository-layout(5)).
const ALTERNATES: &str = "objects/info/alternates";

enum Entry {
    Folder,
    File(Vec<u8>, Permissions),
    Link(PathBuf),
}

impl Snapshot {
    /// Reads a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut found = Vec::new();
        let mut waiting = vec![PathBuf::new()];
        while let Some(below) = waiting.pop() {
            for entry in fs::read_dir(folder.join(&below)).unwrap() {
                let entry = entry.unwrap();
                let path = below.join(entry.file_name());
                let kind = entry.file_type().unwrap();
                let what = if kind.is_dir() {
                    waiting.push(path.clone());
                    Entry::Folder
                } else if kind.is_symlink() {
                    Entry::Link(fs::read_link(entry.path()).unwrap())
                } else {
                    let permissions = entry.metadata().unwrap().permissions();
                    Entry::File(fs::read(entry.path()).unwrap(), permissions)
                };
                found.push((path, what));
            }
        }
        // Folders come before what is in them.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let names = [folder.canonicalize().unwrap(), folder.to_path_buf()];
        let from = names.map(|name| shown(&name));
        Self { from, found }
    }

    /// Writes all of it into a folder that has none of it.
    pub(crate) fn lay(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for (path, what) in &self.found {
            let path = folder.join(path);
            match what {
                Entry::Folder => fs::create_dir(&path).unwrap(),
                Entry::File(bytes, _) if path.ends_with(ALTERNATES) => {
                    let mut text = String::from_utf8(bytes.clone()).unwrap();
                    for from in &self.from {
                        text = text.replace(from.as_str(), &shown(folder));
                    }
                    fs::write(&path, text).unwrap();
                }
                Entry::File(bytes, permissions) => {
                    fs::write(&path, bytes).unwrap();
                    fs::set_permissions(&path, permissions.clone()).unwrap();
                }
                #[cfg(unix)]
                Entry::Link(to) => std::os::unix::fs::symlink(to, &path).unwrap(),
                #[cfg(not(unix))]
                Entry::Link(to) => panic!("{} leads to {}", path.display(), to.display()),
            }
        }
    }
}

/// Returns a folder's name without a separator at its end.
fn shown(folder: &Path) -> String {
    let name = folder.to_str().unwrap();
    name.trim_end_matches(['/', '\\']).to_owned()
}

#[test]
fn what_is_laid_down_is_what_was_there() {
    let from = Maestro::in_repo();
    from.file("a/b/c.txt", "c");
    fs::create_dir(from.path("empty")).unwrap();
    let to = Maestro::in_folder();
    Snapshot::of(&from.path("")).lay(&to.path(""));
    assert_eq!(fs::read(to.path("a/b/c.txt")).unwrap(), b"c");
    assert!(to.path("empty").is_dir());
    let status = |repository: &Maestro| {
        let log = repository.git(&["log", "--format=%H %s"]);
        log + &repository.git(&["status", "--porcelain"])
    };
    assert_eq!(status(&to), status(&from));
}

#[test]
fn a_repository_that_has_objects_of_another_one_finds_them_where_both_are_now() {
    let from = Maestro::in_repo();
    from.git(&["clone", "--quiet", "--shared", ".", "other"]);
    assert!(from.path("other/.git").join(ALTERNATES).exists());
    let to = Maestro::laid(&Snapshot::of(&from.path("")));
    let log = |of: &Maestro| of.git(&["-C", "other", "log", "--format=%H"]);
    let there = log(&from);
    drop(from);
    assert_eq!(log(&to), there);
}
