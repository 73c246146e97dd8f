//! One vulnerability under many names, found by many tools, is one finding: names that somebody calls aliases are joined, and then what is
//! said of the same package.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Fix, Scan, Vulnerability};
use crate::order;

/// No vulnerability goes by more names; who ignores one by a name beyond is not heard.
const MOST_NAMES: usize = 100;

/// Names, and which of them are one.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, usize>,
    /// As they were written.
    written: Vec<String>,
    parents: Vec<usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        let key = name.trim().to_ascii_uppercase();
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let number = self.written.len();
        self.numbers.insert(key, number);
        self.written.push(name.trim().to_owned());
        self.parents.push(number);
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            // Halving keeps the ways short.
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The lower number is the root, whatever the order: the answer must not depend on it.
        self.parents[one.max(other)] = one.min(other);
    }

    /// Returns all names by root, the best known first.
    fn groups(&mut self) -> HashMap<usize, Arc<[String]>> {
        let mut groups: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for number in 0..self.written.len() {
            let root = self.root(number);
            groups
                .entry(root)
                .or_default()
                .push(self.written[number].clone());
        }
        let sorted = groups.into_iter().map(|(root, mut names)| {
            order::sort_by(&mut names, |one, other| {
                (fame(one), one).cmp(&(fame(other), other))
            });
            names.truncate(MOST_NAMES);
            (root, names.into())
        });
        sorted.collect()
    }
}

/// Which name is shown first.
fn fame(name: &str) -> u8 {
    match name.split('-').next() {
        Some("CVE") => 0,
        Some("GHSA") => 1,
        _ => 2,
    }
}

/// Name of the vulnerability, kind and name of the package, its version.
type Key = (usize, String, String, String);

/// Joins the findings of reports; what comes out is in order and does not depend on theirs.
pub(crate) fn merge(scans: &[Scan]) -> Vec<Vulnerability> {
    let mut names = Names::default();
    let all = || scans.iter().flat_map(|scan| &scan.found);
    let mut last: Option<&Arc<[String]>> = None;
    for found in all() {
        // One advisory about many packages is looked at once.
        if last.is_some_and(|last| Arc::ptr_eq(last, &found.ids)) {
            continue;
        }
        last = Some(&found.ids);
        let mut numbers = found
            .ids
            .iter()
            .map(|id| names.number(id))
            .collect::<Vec<_>>()
            .into_iter();
        if let Some(first) = numbers.next() {
            numbers.for_each(|other| names.join(first, other));
        }
    }
    let groups = names.groups();
    let mut exact: BTreeMap<Key, Vulnerability> = BTreeMap::new();
    for found in all() {
        let Some(first) = found.ids.first() else {
            continue;
        };
        let number = names.number(first);
        let root = names.root(number);
        let (kind, name) = found.package.key();
        let key = (root, name, kind, found.package.version_key().to_owned());
        match exact.get_mut(&key) {
            Some(known) => known.take(found),
            None => {
                let mut own = found.clone();
                if let Some(ids) = groups.get(&root) {
                    own.ids = Arc::clone(ids);
                }
                exact.insert(key, own);
            }
        }
    }
    let mut merged: Vec<Vulnerability> = fill(exact).into_values().collect();
    order::sort_by(&mut merged, |one, other| {
        (one.id(), &one.package).cmp(&(other.id(), &other.package))
    });
    merged
}

/// Gives what is said of a package without its version or kind to those that have them.
fn fill(exact: BTreeMap<Key, Vulnerability>) -> BTreeMap<Key, Vulnerability> {
    let (mut whole, partial): (BTreeMap<Key, _>, BTreeMap<Key, _>) = exact
        .into_iter()
        .partition(|(key, _)| !key.2.is_empty() && !key.3.is_empty());
    let mut kinds: HashMap<(usize, String, String), Vec<String>> = HashMap::new();
    for (root, name, kind, version) in whole.keys() {
        let key = (*root, name.clone(), version.clone());
        kinds.entry(key).or_default().push(kind.clone());
    }
    for (key, found) in partial {
        let (root, name, kind, version) = key.clone();
        let mut is_taken = false;
        if version.is_empty() {
            let from = (root, name.clone(), kind.clone(), String::new());
            let same = whole.range_mut(from..).take_while(|(other, _)| {
                other.0 == root && other.1 == name && (kind.is_empty() || other.2 == kind)
            });
            for (_, own) in same {
                own.take(&found);
                is_taken = true;
            }
        } else {
            let of_version = (root, name.clone(), version.clone());
            for kind in kinds.get(&of_version).into_iter().flatten() {
                if let Some(own) =
                    whole.get_mut(&(root, name.clone(), kind.clone(), version.clone()))
                {
                    own.take(&found);
                    is_taken = true;
                }
            }
        }
        if !is_taken {
            whole.insert(key, found);
        }
    }
    whole
}

impl Vulnerability {
    /// Takes over what another tool says of the same; of two severities the worse one counts.
    fn take(&mut self, other: &Self) {
        self.severity = self.severity.max(other.severity);
        for tool in &other.tools {
            if !self.tools.contains(tool) {
                self.tools.push(tool.clone());
            }
        }
        order::sort(&mut self.tools);
        match (&mut self.fix, &other.fix) {
            // Tools spell ranges differently: the first that names a version is believed, in order.
            (Fix::Versions(own), Fix::Versions(theirs)) if theirs < own => own.clone_from(theirs),
            (Fix::Versions(_), Fix::Versions(_)) => {}
            (own, theirs) if *own < *theirs => own.clone_from(theirs),
            _ => {}
        }
        // Somebody who calls it a vulnerability outweighs a remark.
        if other.remark.is_none() {
            self.remark = None;
        }
        self.purl = self.purl.take().or_else(|| other.purl.clone());
        self.url = match (self.url.take(), &other.url) {
            (Some(own), Some(theirs)) => Some(own.min(theirs.clone())),
            (own, theirs) => own.or_else(|| theirs.clone()),
        };
    }
}
