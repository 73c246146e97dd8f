//! Lock files: which of a workspace's members use a package that is another one now. One file a format.
//!
//! A format reads into a [`LockGraph`]; comparing two of them is the same for all. What cannot be read is an error, never an empty
//! graph: whoever asks then takes everything for changed.

pub(crate) mod bun;
pub(crate) mod cargo;
pub(crate) mod npm;
pub(crate) mod pnpm;
pub(crate) mod uv;
pub(crate) mod yarn;

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Why a lock file was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotALock(pub(crate) String);

/// A number of a package in its graph.
pub(crate) type PackageId = usize;

#[derive(Debug, Clone, Default)]
struct Package {
    /// What sets it apart in the file.
    key: String,
    name: String,
    /// All that the file says of it.
    content: String,
    /// Whether it is a project of the repository; the word is what the format calls it by.
    member: Option<String>,
}

/// What a lock file says: packages, and what each needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct LockGraph {
    packages: Vec<Package>,
    needs: Vec<Vec<PackageId>>,
    by_key: HashMap<String, PackageId>,
    /// What is not about a single package: versions, settings.
    pub(crate) settings: BTreeMap<String, String>,
}

impl LockGraph {
    /// Adds a package; of two with one key the contents are joined.
    fn add(&mut self, key: &str, name: &str, content: &str, member: Option<&str>) -> PackageId {
        if let Some(known) = self.by_key.get(key) {
            let package = &mut self.packages[*known];
            package.content.push_str(content);
            return *known;
        }
        let number = self.packages.len();
        self.packages.push(Package {
            key: key.to_owned(),
            name: name.to_owned(),
            content: content.to_owned(),
            member: member.map(str::to_owned),
        });
        self.needs.push(Vec::new());
        self.by_key.insert(key.to_owned(), number);
        number
    }

    fn need(&mut self, package: PackageId, needed: PackageId) {
        self.needs[package].push(needed);
    }

    fn find(&self, key: &str) -> Option<PackageId> {
        self.by_key.get(key).copied()
    }

    /// Returns the packages of a name.
    pub(crate) fn named(&self, name: &str) -> Vec<PackageId> {
        let all = self.packages.iter().enumerate();
        all.filter(|(_, package)| package.name == name)
            .map(|(number, _)| number)
            .collect()
    }

    /// Returns the name of a package that is a project of the repository.
    pub(crate) fn name(&self, package: PackageId) -> Option<String> {
        let package = &self.packages[package];
        package.member.is_some().then(|| package.name.clone())
    }

    /// Returns the packages from elsewhere: what sets each apart in the file, its name, and all that the file says of it.
    pub(crate) fn outside(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let outside = self
            .packages
            .iter()
            .filter(|package| package.member.is_none());
        outside.map(|one| (one.key.as_str(), one.name.as_str(), one.content.as_str()))
    }

    /// Returns packages and all that need them, however indirectly.
    pub(crate) fn dependents(&self, seeds: &[PackageId]) -> BTreeSet<PackageId> {
        let mut users = vec![Vec::new(); self.packages.len()];
        for (package, needs) in self.needs.iter().enumerate() {
            for needed in needs {
                users[*needed].push(package);
            }
        }
        let mut found: BTreeSet<PackageId> = seeds.iter().copied().collect();
        let mut open: Vec<PackageId> = seeds.to_vec();
        while let Some(package) = open.pop() {
            for user in &users[package] {
                if found.insert(*user) {
                    open.push(*user);
                }
            }
        }
        found
    }

    /// Returns the packages that another graph has not, or has otherwise.
    fn differing(&self, other: &Self) -> Vec<PackageId> {
        let all = self.packages.iter().enumerate();
        let differs = all.filter(|(_, package)| {
            let counterpart = other
                .find(&package.key)
                .map(|number| &other.packages[number]);
            counterpart.is_none_or(|counterpart| counterpart.content != package.content)
        });
        differs.map(|(number, _)| number).collect()
    }
}

/// What differs between two versions of a lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LockChange {
    /// Settings that are about every package.
    pub(crate) settings: Vec<String>,
    /// Members that use a changed package, with one such package each.
    pub(crate) members: BTreeMap<String, String>,
}

/// Compares two versions of a lock file; a missing one is empty.
pub(crate) fn compare(old: &LockGraph, new: &LockGraph) -> LockChange {
    let keys: BTreeSet<_> = old.settings.keys().chain(new.settings.keys()).collect();
    let settings = keys
        .into_iter()
        .filter(|key| old.settings.get(*key) != new.settings.get(*key));
    let mut change = LockChange {
        settings: settings.cloned().collect(),
        members: BTreeMap::new(),
    };
    for (graph, other) in [(new, old), (old, new)] {
        let seeds = graph.differing(other);
        for seed in &seeds {
            // A changed package that most will look for comes first: one from outside.
            if graph.packages[*seed].member.is_none() {
                graph.note_users(&[*seed], &mut change);
            }
        }
        graph.note_users(&seeds, &mut change);
    }
    change
}

impl LockGraph {
    fn note_users(&self, seeds: &[PackageId], change: &mut LockChange) {
        let Some(first) = seeds.first() else { return };
        for user in self.dependents(seeds) {
            if let Some(member) = &self.packages[user].member {
                let named = if seeds.len() == 1 { *first } else { user };
                let key = self.packages[named].key.clone();
                change.members.entry(member.clone()).or_insert(key);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares two texts of a format and shows the members that use what changed.
    pub(crate) fn users(
        read: fn(&str) -> Result<LockGraph, NotALock>,
        old: &str,
        new: &str,
    ) -> Vec<String> {
        let change = compare(&read(old).unwrap(), &read(new).unwrap());
        let same = compare(&read(new).unwrap(), &read(old).unwrap());
        assert_eq!(
            change.members.keys().collect::<Vec<_>>(),
            same.members.keys().collect::<Vec<_>>(),
            "users of a change and of its opposite are the same",
        );
        assert_eq!(
            compare(&read(old).unwrap(), &read(old).unwrap()),
            LockChange::default()
        );
        let settings = change.settings.iter().map(|key| format!("!{key}"));
        settings.chain(change.members.into_keys()).collect()
    }

    #[test]
    fn cycles_end() {
        let mut graph = LockGraph::default();
        let a = graph.add("a", "a", "", Some("a"));
        let b = graph.add("b", "b", "", None);
        graph.need(a, b);
        graph.need(b, a);
        assert_eq!(graph.dependents(&[b]).len(), 2);
    }

    #[test]
    fn what_comes_from_elsewhere_is_listed_with_what_the_file_says_of_it() {
        let mut graph = LockGraph::default();
        graph.add("p/a", "a", "own", Some("p/a"));
        graph.add("b@1", "b", "integrity", None);
        assert_eq!(
            graph.outside().collect::<Vec<_>>(),
            [("b@1", "b", "integrity")]
        );
    }
}
