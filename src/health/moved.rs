//! Files that a change moves: what stood elsewhere before is not new.
//!
//! As git's own detection (`git diff -M50%`): of an added file and a deleted one that have at least half of their bytes in common, line by line, one
//! is the other. Elsewhere in maestro a move is a deletion and an addition, because whoever moves a file out of a project has changed that project.

use std::collections::BTreeMap;

use crate::change::lines::compare;
use crate::order;
use crate::policy::subject::{AddedLine, FileLines};

/// More files than this, added or deleted, are not held against each other.
const MOST: usize = 200;

/// Larger files neither.
const LARGEST: usize = 2 * 1024 * 1024;

/// How often each line stands in a text.
type Lines<'a> = BTreeMap<&'a [u8], usize>;

fn lines(text: &[u8]) -> Lines<'_> {
    let mut lines = Lines::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// Returns how many bytes two texts have in common.
fn common(one: &Lines<'_>, other: &Lines<'_>) -> usize {
    let shared = one
        .iter()
        .filter_map(|(line, count)| Some(line.len() * count.min(other.get(line)?)));
    shared.sum()
}

/// Puts what was deleted beside what was added, where one is the other.
pub(crate) fn join(files: Vec<FileLines<'_>>) -> Vec<FileLines<'_>> {
    let fits =
        |text: Option<&[u8]>| text.is_some_and(|text| text.len() <= LARGEST && !text.is_empty());
    let of = |is_wanted: &dyn Fn(&FileLines<'_>) -> bool| -> Vec<usize> {
        let found = files
            .iter()
            .enumerate()
            .filter(|(_, file)| !file.is_binary && is_wanted(file));
        found.map(|(at, _)| at).take(MOST).collect()
    };
    let gone = of(&|file| file.new.is_none() && fits(file.old));
    let come = of(&|file| file.old.is_none() && fits(file.new));
    if gone.is_empty() || come.is_empty() {
        return files;
    }
    let old = |at: usize| files.get(at).and_then(|file| file.old).unwrap_or_default();
    let new = |at: usize| files.get(at).and_then(|file| file.new).unwrap_or_default();
    let known: Vec<(usize, Lines<'_>)> = gone.iter().map(|at| (*at, lines(old(*at)))).collect();
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for &at in &come {
        let own = lines(new(at));
        for (from, theirs) in &known {
            let shared = common(&own, theirs);
            if shared * 2 >= new(at).len().max(old(*from).len()) {
                pairs.push((shared, at, *from));
            }
        }
    }
    // The most alike first; each is taken once.
    order::sort_by(&mut pairs, |one, other| {
        other
            .0
            .cmp(&one.0)
            .then((one.1, one.2).cmp(&(other.1, other.2)))
    });
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    let mut taken: Vec<usize> = Vec::new();
    for (_, to, from) in pairs {
        if !moved.contains_key(&to) && !taken.contains(&from) {
            moved.insert(to, from);
            taken.push(from);
        }
    }
    let joined = files
        .iter()
        .enumerate()
        .filter(|(at, _)| !taken.contains(at));
    let joined = joined.map(|(at, file)| match moved.get(&at) {
        None => file.clone(),
        Some(&from) => {
            let found = compare(old(from), file.new.unwrap_or_default());
            let added = found
                .added
                .into_iter()
                .map(|(number, text)| AddedLine { number, text });
            FileLines {
                old: files.get(from).and_then(|file| file.old),
                added: added.collect(),
                deleted: found.deleted,
                ..file.clone()
            }
        }
    });
    joined.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn come<'a>(path: &str, text: &'a str) -> FileLines<'a> {
        FileLines {
            old: None,
            ..file(path, "", text)
        }
    }

    fn gone<'a>(path: &str, text: &'a str) -> FileLines<'a> {
        FileLines {
            new: None,
            ..file(path, text, "")
        }
    }

    /// Paths, with the lines that are new.
    fn joined(files: Vec<FileLines<'_>>) -> Vec<(String, Vec<u32>)> {
        let joined = join(files).into_iter();
        joined
            .map(|file| {
                (
                    file.path.clone(),
                    file.added.iter().map(|line| line.number).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn what_stood_elsewhere_is_not_new() {
        let files = vec![
            gone("a.py", "one\ntwo\nthree\n"),
            come("b.py", "one\ntwo\n3\n"),
        ];
        assert_eq!(joined(files), [("b.py".into(), vec![3])]);
    }

    #[test]
    fn what_has_little_in_common_is_new() {
        let files = vec![
            gone("a.py", "one\ntwo\nthree\n"),
            come("b.py", "one\n2\n3\nfour\n"),
        ];
        assert_eq!(
            joined(files),
            [("a.py".into(), vec![]), ("b.py".into(), vec![1, 2, 3, 4])]
        );
    }

    #[test]
    fn each_is_taken_once_and_the_most_alike_first() {
        let text = "one\ntwo\nthree\nfour\n";
        let files = vec![
            come("b.py", "one\ntwo\nthree\n4\n"),
            come("c.py", text),
            gone("a.py", text),
        ];
        assert_eq!(
            joined(files),
            [("b.py".into(), vec![1, 2, 3, 4]), ("c.py".into(), vec![])]
        );
    }
}
