//! Which file of the repository a report means: reports name files as their machine had them, below source folders, or below packages.
//!
//! A name is taken when it is a path of the repository, when it is one with something before it (`/ci/work/r/src/a.py`), or when one
//! path ends with it (`com/acme/A.java`). Where several do, the way that most files of the report went decides, and without one the file is nobody's.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Report;

/// Paths that end alike; more are nobody's.
const MOST_ALIKE: usize = 64;

/// Longer names are nobody's: no system has them.
const LONGEST: usize = 4096;

/// Folders inside each other that are looked at.
const DEEPEST: usize = 128;

/// The paths of a repository, to be found by how they end.
#[derive(Debug)]
pub(crate) struct Places<'p> {
    paths: HashSet<&'p str>,
    /// Components from the last to the first, each with a slash behind it; and the path.
    backwards: Vec<(String, &'p str)>,
}

/// A way from a report's name to a path: what is taken off, and what is put before.
type Way = (String, String);

impl<'p> Places<'p> {
    pub(crate) fn new(paths: impl Iterator<Item = &'p str>) -> Self {
        let paths: HashSet<&str> = paths.collect();
        let mut backwards: Vec<(String, &str)> =
            paths.iter().map(|path| (turned(path), *path)).collect();
        backwards.sort_unstable();
        Self { paths, backwards }
    }

    /// Returns for each file of a report its path; `checkout` are folders that the repository may have lain in.
    pub(super) fn of(&self, report: &Report, checkout: &[String]) -> Vec<Option<&'p str>> {
        let roots: Vec<String> = report
            .sources
            .iter()
            .map(|source| tidy(source))
            .filter(|source| source.len() <= LONGEST)
            .collect();
        let checkout: Vec<String> = checkout
            .iter()
            .map(|folder| tidy(folder))
            .filter(|folder| folder.len() > 1)
            .collect();
        let mut ways: HashMap<Way, usize> = HashMap::new();
        let all: Vec<Vec<(Way, &'p str)>> = report
            .files
            .iter()
            .map(|file| self.candidates(&tidy(&file.path), &roots, &checkout))
            .collect();
        for (way, _) in all.iter().flatten() {
            *ways.entry(way.clone()).or_default() += 1;
        }
        let chosen = all.into_iter().map(|candidates| {
            let votes = |way: &Way| ways.get(way).copied().unwrap_or_default();
            let most = candidates.iter().map(|(way, _)| votes(way)).max()?;
            let best: BTreeSet<&'p str> = candidates
                .iter()
                .filter(|(way, _)| votes(way) == most)
                .map(|(_, path)| *path)
                .collect();
            match best.len() {
                1 => best.first().copied(),
                _ => None,
            }
        });
        chosen.collect()
    }

    /// Returns the paths that a name may mean, each with the way to it; an exact one is the only one.
    fn candidates(&self, name: &str, roots: &[String], checkout: &[String]) -> Vec<(Way, &'p str)> {
        if name.len() > LONGEST {
            return Vec::new();
        }
        let below = |path: &str| {
            let inner = checkout
                .iter()
                .find_map(|folder| path.strip_prefix(folder.as_str())?.strip_prefix('/'));
            inner.map(str::to_owned)
        };
        if name.starts_with('/') {
            if let Some(path) =
                below(name).and_then(|inner| self.paths.get(inner.as_str()).copied())
            {
                return vec![(Way::default(), path)];
            }
        } else {
            // Below a source folder first: that is what the report itself says.
            for root in roots {
                let joined = tidy(&format!("{root}/{name}"));
                let inner = below(&joined).unwrap_or(joined);
                if let Some(path) = self.paths.get(inner.as_str()) {
                    return vec![(Way::default(), path)];
                }
            }
            if let Some(path) = self.paths.get(name) {
                return vec![(Way::default(), path)];
            }
        }
        let mut found = self.shorter(name);
        if !name.starts_with('/') {
            for root in roots.iter().filter(|root| root.starts_with('/')) {
                found.extend(self.shorter(&tidy(&format!("{root}/{name}"))));
            }
            found.extend(self.longer(name));
        }
        found
    }

    /// Returns the longest path that a name ends with.
    fn shorter(&self, name: &str) -> Vec<(Way, &'p str)> {
        let cuts = memchr::memchr_iter(b'/', name.as_bytes()).take(DEEPEST);
        let mut rests = cuts.filter_map(|at| Some((name.get(..=at)?, name.get(at + 1..)?)));
        let found = rests.find_map(|(before, rest)| {
            Some(((before.to_owned(), String::new()), *self.paths.get(rest)?))
        });
        found.into_iter().collect()
    }

    /// Returns the paths that end with a name.
    fn longer(&self, name: &str) -> Vec<(Way, &'p str)> {
        let key = turned(name);
        let from = self.backwards.partition_point(|(turned, _)| *turned < key);
        let alike = self
            .backwards
            .iter()
            .skip(from)
            .take_while(|(turned, _)| turned.starts_with(&key));
        let found: Vec<(Way, &str)> = alike
            .take(MOST_ALIKE + 1)
            .map(|(_, path)| {
                let before = path.get(..path.len() - name.len()).unwrap_or_default();
                ((String::new(), before.to_owned()), *path)
            })
            .collect();
        if found.len() > MOST_ALIKE {
            Vec::new()
        } else {
            found
        }
    }
}

/// Returns a path with its last component first.
fn turned(path: &str) -> String {
    let mut turned = String::with_capacity(path.len() + 1);
    for part in path.rsplit('/') {
        turned.push_str(part);
        turned.push('/');
    }
    turned
}

/// Returns a path with slashes, and without `.`, `..` and what says that it is a file; above the top there is nothing.
fn tidy(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let path = path.strip_prefix("file://").unwrap_or(&path);
    // `C:/work` is as absolute as `/work`.
    let drive = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let (is_absolute, path) = if drive {
        (true, path.get(2..).unwrap_or_default())
    } else {
        (path.starts_with('/'), path)
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if is_absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
