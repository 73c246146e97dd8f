//! What a change of a workspace's root manifest or lock file reaches.
//!
//! Both are compared by what they say, not by their bytes. What cannot be read runs everything.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::graph::cargo::manifest::{Manifest, RootChange, root_change};
use super::graph::{Graph, Kind, npm, python};
use super::locks::{self, LockChange, LockGraph, NotALock};
use super::sources::{Sources, file_name, folder_of, join};
use crate::change::Change;
use crate::config;

/// One side of a comparison.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) sources: Sources<'a>,
    pub(crate) graph: &'a Graph,
}

/// What a manifest's or lock file's change reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// These projects, each with words that say why.
    Projects(&'static str, Vec<(String, String)>),
    /// It could not be read.
    Unreadable(&'static str, String),
}

pub(crate) const LOCKFILE: &str = "lockfile";
pub(crate) const ROOT_MANIFEST: &str = "root-manifest";
pub(crate) const UNREADABLE: &str = "manifest-unreadable";

/// Returns what a change reaches, where its path is a workspace's root manifest or lock file; nothing for every other path.
pub(crate) fn reach(change: &Change, old: Side<'_>, new: Side<'_>) -> Option<Reach> {
    let path = change.path.as_str();
    let dir = folder_of(path);
    let kind = kind_of(path)?;
    let members = members(kind, dir, old, new);
    // A package by itself owns its files.
    if members.is_empty() {
        return None;
    }
    let comparison = Comparison {
        path,
        dir,
        kind,
        old,
        new,
        members,
    };
    Some(match file_name(path) {
        "Cargo.toml" => comparison.cargo_manifest(),
        "package.json" => comparison.npm_manifest(),
        "pnpm-workspace.yaml" => comparison.pnpm_workspace(),
        "pyproject.toml" => comparison.python_manifest(),
        "go.work" | "go.work.sum" => {
            comparison.everyone(ROOT_MANIFEST, "it is about every module that it uses")
        }
        _ => comparison.lock(),
    })
}

/// Whether a path is the root manifest or a lock file of a workspace in a graph: then a change is held to what it says.
pub(crate) fn is_compared(path: &str, graph: &Graph) -> bool {
    kind_of(path).is_some_and(|kind| graph.members_of(kind, folder_of(path)).next().is_some())
}

/// Whether a path may be a workspace's root manifest or lock file.
pub(crate) fn may_reach(path: &str) -> bool {
    kind_of(path).is_some()
}

fn kind_of(path: &str) -> Option<Kind> {
    Some(match file_name(path) {
        "Cargo.toml" | "Cargo.lock" => Kind::Cargo,
        "package.json"
        | "pnpm-workspace.yaml"
        | "package-lock.json"
        | "npm-shrinkwrap.json"
        | "pnpm-lock.yaml"
        | "yarn.lock"
        | "bun.lock"
        | "bun.lockb" => Kind::Npm,
        "pyproject.toml" | "uv.lock" => Kind::Python,
        "go.work" | "go.work.sum" => Kind::Go,
        _ => return None,
    })
}

/// Returns the ids of a workspace's members, on either side.
fn members(kind: Kind, dir: &str, old: Side<'_>, new: Side<'_>) -> BTreeSet<String> {
    let of = |side: Side<'_>| -> BTreeSet<String> {
        side.graph
            .members_of(kind, dir)
            .map(|(id, _)| id.clone())
            .collect()
    };
    &of(old) | &of(new)
}

struct Comparison<'a> {
    path: &'a str,
    dir: &'a str,
    kind: Kind,
    old: Side<'a>,
    new: Side<'a>,
    members: BTreeSet<String>,
}

impl Comparison<'_> {
    fn everyone(&self, code: &'static str, words: &str) -> Reach {
        Reach::Projects(
            code,
            self.members
                .iter()
                .map(|id| (id.clone(), words.to_owned()))
                .collect(),
        )
    }

    fn unreadable(&self, words: &str) -> Reach {
        Reach::Unreadable(
            UNREADABLE,
            format!("`{}` could not be read: {words}", self.path),
        )
    }

    /// Returns the file of both sides, or what follows where it is not on both or cannot be read.
    fn both<T>(
        &self,
        read: impl Fn(Side<'_>) -> Option<Result<T, Rc<str>>>,
    ) -> Result<(T, T), Reach> {
        match (read(self.old), read(self.new)) {
            (Some(Ok(old)), Some(Ok(new))) => Ok((old, new)),
            (None, _) | (_, None) => {
                Err(self.everyone(ROOT_MANIFEST, "the workspace's root came or went"))
            }
            (Some(Err(words)), _) | (_, Some(Err(words))) => Err(self.unreadable(&words)),
        }
    }

    /// Returns the root's own package, if it is one.
    fn own(&self) -> Option<String> {
        let id = super::graph::Project::new(self.kind, self.dir, "").id();
        self.members.contains(&id).then_some(id)
    }

    fn cargo_manifest(&self) -> Reach {
        let (old, new) = match self.both(|side| side.sources.toml(self.path)) {
            Ok(both) => both,
            Err(reach) => return reach,
        };
        let change = root_change(&old, &new);
        if let Some(key) = change.everyone.first() {
            return self.everyone(ROOT_MANIFEST, &format!("`{key}` is for every member"));
        }
        let mut reached = Vec::new();
        for id in &self.members {
            let words = [self.old, self.new].iter().find_map(|side| {
                let project = side.graph.get(id)?;
                let table = side
                    .sources
                    .toml(&join(&project.dir, "Cargo.toml")?)?
                    .ok()?;
                concerned(&Manifest::read(&table), &change)
            });
            let is_own = change.own && self.own().as_ref() == Some(id);
            let own = is_own.then(|| "the package's own part of the manifest changed".to_owned());
            reached.extend(words.or(own).map(|words| (id.clone(), words)));
        }
        Reach::Projects(ROOT_MANIFEST, reached)
    }

    fn npm_manifest(&self) -> Reach {
        let (old, new) = match self.both(|side| side.sources.json(self.path)) {
            Ok(both) => both,
            Err(reach) => return reach,
        };
        if let Some(key) = npm::root_change(&old, &new).first() {
            return self.everyone(
                ROOT_MANIFEST,
                &format!("`{key}` of the root is for every member"),
            );
        }
        let own = (old != new).then(|| self.own()).flatten();
        let own = own.map(|own| (own, "the root's own words changed".to_owned()));
        let mut reached: Vec<_> = own.into_iter().collect();
        if npm::catalogs_differ(&old, &new) {
            reached.extend(self.takers());
        }
        Reach::Projects(ROOT_MANIFEST, reached)
    }

    fn pnpm_workspace(&self) -> Reach {
        let read = |side: Side<'_>| {
            let text = side.sources.text(self.path).unwrap_or_default();
            let read: Result<serde_yaml::Value, String> = config::read_foreign(text);
            Some(read.map_err(Rc::from))
        };
        let (old, new) = match self.both(read) {
            Ok(both) => both,
            Err(reach) => return reach,
        };
        let keys = |value: &serde_yaml::Value| -> BTreeSet<String> {
            let mapping = value.as_mapping().into_iter().flatten();
            mapping
                .filter_map(|(key, _)| key.as_str().map(str::to_owned))
                .collect()
        };
        let mut catalog = false;
        for key in &keys(&old) | &keys(&new) {
            if old.get(&key) == new.get(&key) {
                continue;
            }
            match key.as_str() {
                // Members come and go in the graph.
                "packages" => {}
                "catalog" | "catalogs" => catalog = true,
                key => {
                    return self.everyone(ROOT_MANIFEST, &format!("`{key}` is for every member"));
                }
            }
        }
        if !catalog {
            return Reach::Projects(ROOT_MANIFEST, Vec::new());
        }
        Reach::Projects(ROOT_MANIFEST, self.takers())
    }

    /// Returns the members that take versions from a catalog.
    fn takers(&self) -> Vec<(String, String)> {
        let uses = |id: &String| {
            [self.old, self.new].iter().any(|side| {
                let project = side.graph.get(id);
                let path = project.and_then(|project| join(&project.dir, "package.json"));
                let manifest = path.and_then(|path| side.sources.json(&path)?.ok());
                manifest.is_some_and(|manifest| {
                    npm::dependencies(&manifest)
                        .iter()
                        .any(|(_, range)| range.starts_with("catalog:"))
                })
            })
        };
        let takers = self.members.iter().filter(|id| uses(id));
        takers
            .map(|id| (id.clone(), "it takes versions from the catalog".to_owned()))
            .collect()
    }

    fn python_manifest(&self) -> Reach {
        let (old, new) = match self.both(|side| side.sources.toml(self.path)) {
            Ok(both) => both,
            Err(reach) => return reach,
        };
        if let Some(part) = python::root_change(&old, &new).first() {
            return self.everyone(ROOT_MANIFEST, &format!("`{part}` is for every member"));
        }
        let own = (old != new).then(|| self.own()).flatten();
        let own = own.map(|own| {
            (
                own,
                "the project's own part of the manifest changed".to_owned(),
            )
        });
        Reach::Projects(ROOT_MANIFEST, own.into_iter().collect())
    }

    fn lock(&self) -> Reach {
        let (Some(old), Some(new)) = (text_of(self.old, self.path), text_of(self.new, self.path))
        else {
            return self.everyone(LOCKFILE, "the lock file came or went");
        };
        let (old, new) = match (old, new, plain_reader(self.path)) {
            // A megabyte takes as long to read as the rest of a plan: both sides at once.
            (Ok(old), Ok(new), Some(read)) => both(read, old, new),
            (old, new, _) => (
                old.and_then(|text| self.read_yarn(self.old, text)),
                new.and_then(|text| self.read_yarn(self.new, text)),
            ),
        };
        let (old, new) = match (old, new) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(words), _) | (_, Err(words)) => {
                return Reach::Unreadable(
                    LOCKFILE,
                    format!("`{}` could not be read: {words}", self.path),
                );
            }
        };
        let change = locks::compare(&old, &new);
        if let Some(setting) = change.settings.first() {
            return self.everyone(
                LOCKFILE,
                &format!("`{setting}` of the lock file is for every member"),
            );
        }
        self.users(&change)
    }

    fn users(&self, change: &LockChange) -> Reach {
        let mut reached = Vec::new();
        for (member, package) in &change.members {
            let words = format!("it uses `{package}`, which changed");
            if self.kind == Kind::Npm && member.is_empty() {
                // Tools of the root are every member's.
                return self.everyone(
                    LOCKFILE,
                    &format!("the root uses `{package}`, which changed"),
                );
            }
            let found = self.find(member);
            reached.extend(found.into_iter().map(|id| (id, words.clone())));
        }
        Reach::Projects(LOCKFILE, reached)
    }

    /// Returns the projects that a lock file calls by a word: a name for Cargo, a folder for the others.
    fn find(&self, member: &str) -> BTreeSet<String> {
        if self.kind == Kind::Cargo {
            let graphs = [self.old.graph, self.new.graph];
            let projects = graphs.iter().flat_map(|graph| graph.projects());
            let named = projects
                .filter(|(_, project)| project.kind == Kind::Cargo && project.name == member);
            let named: Vec<_> = named.collect();
            let own = named.iter().any(|(id, _)| self.members.contains(*id));
            // Another workspace may have a package of that name.
            let named = named.into_iter().filter(|(id, project)| {
                if own {
                    self.members.contains(*id)
                } else {
                    project.workspace.is_none()
                }
            });
            return named.map(|(id, _)| id.clone()).collect();
        }
        let dir = join(self.dir, member).unwrap_or_default();
        let id = super::graph::Project::new(self.kind, dir, "").id();
        let is_there = [self.old.graph, self.new.graph]
            .iter()
            .any(|graph| graph.get(&id).is_some());
        is_there.then_some(id).into_iter().collect()
    }

    /// Reads a lock file of Yarn, which does not name the members itself.
    fn read_yarn(&self, side: Side<'_>, text: &str) -> Result<LockGraph, NotALock> {
        if file_name(self.path) != "yarn.lock" {
            return Err(NotALock("its form is not known".to_owned()));
        }
        let members = side.graph.members_of(Kind::Npm, self.dir);
        let manifests = members.filter_map(|(_, project)| {
            let manifest = side
                .sources
                .json(&join(&project.dir, "package.json")?)?
                .ok()?;
            let folder = project.dir.strip_prefix(self.dir).unwrap_or(&project.dir);
            let needs = npm::dependencies(&manifest).into_iter().collect();
            Some((folder.trim_start_matches('/').to_owned(), needs))
        });
        locks::yarn::read(text, &manifests.collect::<Vec<_>>())
    }
}

/// Returns the text of a file that is there.
fn text_of<'a>(side: Side<'a>, path: &str) -> Option<Result<&'a str, NotALock>> {
    side.sources.tree.file(path)?;
    let missing = || NotALock("it is no text".to_owned());
    Some(side.sources.text(path).ok_or_else(missing))
}

/// What reads a lock file from its text alone.
type PlainReader = fn(&str) -> Result<LockGraph, NotALock>;

fn plain_reader(path: &str) -> Option<PlainReader> {
    Some(match file_name(path) {
        "Cargo.lock" => locks::cargo::read,
        "package-lock.json" | "npm-shrinkwrap.json" => locks::npm::read,
        "pnpm-lock.yaml" => locks::pnpm::read,
        "bun.lock" => locks::bun::read,
        "uv.lock" => locks::uv::read,
        _ => return None,
    })
}

type Locks = (Result<LockGraph, NotALock>, Result<LockGraph, NotALock>);

fn both(read: PlainReader, old: &str, new: &str) -> Locks {
    std::thread::scope(|scope| {
        let old = scope.spawn(move || read(old));
        let new = read(new);
        match old.join() {
            Ok(old) => (old, new),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Whether a change of the root concerns a member, and how.
fn concerned(manifest: &Manifest, change: &RootChange) -> Option<String> {
    let from_root = manifest
        .dependencies
        .iter()
        .filter(|one| one.from_workspace);
    let dependency = from_root
        .map(|one| &one.key)
        .find(|key| change.dependencies.contains(*key));
    if let Some(key) = dependency {
        return Some(format!("it uses `{key}` of `workspace.dependencies`"));
    }
    if let Some(key) = manifest
        .inherits
        .iter()
        .find(|key| change.package.contains(*key))
    {
        return Some(format!("it takes over `{key}` of `workspace.package`"));
    }
    (change.lints && manifest.inherits_lints).then(|| "it takes over `workspace.lints`".to_owned())
}

#[cfg(test)]
mod tests;
