//! `diff-size`: more at once than a person can review.

use serde::Deserialize;

use super::{About, Order};
use crate::change::Change;
use crate::policy::globs::Globs;
use crate::policy::paths::folded;
use crate::policy::subject::{FileLines, Subject};
use crate::policy::{Breach, Rule, Target, Weight};

pub(super) const ABOUT: About = About {
    name: "diff-size",
    what: "a change that is larger than people can review",
    fix: "split the change into parts that each make sense",
    keys: &[
        ("max_files", Order::Less),
        ("max_lines", Order::Less),
        ("max_kb", Order::Less),
        ("exclude", Order::Shrinks),
    ],
};

/// `diff-size`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DiffSize {
    /// The most files; as many as there are unless set.
    #[serde(default)]
    max_files: Option<u32>,
    /// The most lines, added and gone.
    #[serde(default)]
    max_lines: Option<u32>,
    /// The most KB (of 1,024 bytes) that are added.
    #[serde(default)]
    max_kb: Option<u32>,
    /// Globs of files that do not count; lock files, snapshots, vendored and generated files unless set.
    #[serde(default)]
    exclude: Option<Globs>,
}

/// Names of lock files.
const LOCKS: [&str; 19] = [
    "bun.lock", "bun.lockb", "cargo.lock", "composer.lock", "deno.lock", "flake.lock", "gemfile.lock", "go.sum", "gradle.lockfile", "mix.lock",
    "npm-shrinkwrap.json", "package-lock.json", "packages.lock.json", "pdm.lock", "pipfile.lock", "pnpm-lock.yaml", "poetry.lock", "uv.lock",
    "yarn.lock",
];

/// Folders of what others or programs wrote.
const FOLDERS: [&str; 8] = ["vendor", "node_modules", "third_party", "__snapshots__", "snapshots", "testdata", "fixtures", "generated"];

/// How names of generated files end.
const ENDS: [&str; 9] = [".min.js", ".min.css", ".map", ".snap", ".pb.go", "_pb2.py", ".g.dart", ".generated.ts", ".svg"];

/// Whether a file does not count where nobody says which do not.
fn is_generated(path: &str) -> bool {
    let path = folded(path);
    let mut names = path.split('/').rev();
    let name = names.next().unwrap_or_default();
    LOCKS.contains(&name) || ENDS.iter().any(|end| name.ends_with(end)) || names.any(|folder| FOLDERS.contains(&folder))
}

impl DiffSize {
    fn counts(&self, change: &Change) -> bool {
        match &self.exclude {
            Some(globs) => !globs.excepts(change),
            None => !is_generated(&change.path),
        }
    }
}

/// Bytes that a file adds: its new lines with their ends, or all of a binary one.
fn added_bytes(lines: &FileLines<'_>) -> u64 {
    if lines.is_binary {
        return lines.new.map_or(0, |new| new.len() as u64);
    }
    lines.added.iter().map(|line| line.text.len() as u64 + 1).sum()
}

impl Rule for DiffSize {
    fn is_sound(&self) -> Result<(), String> {
        if self.max_files.is_none() && self.max_lines.is_none() && self.max_kb.is_none() {
            return Err("it has no limit: set `max_files`, `max_lines` or `max_kb`".to_owned());
        }
        if [self.max_files, self.max_lines, self.max_kb].contains(&Some(0)) {
            return Err("a limit of 0 lets no change in; take 1 or more".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let counted: Vec<&Change> = subject.changes.iter().filter(|change| self.counts(change)).collect();
        let left_out = subject.changes.len() - counted.len();
        let (mut lines, mut bytes) = (0, 0);
        for found in counted.iter().filter_map(|change| subject.lines_of(&change.path)) {
            lines += found.added.len() as u64 + found.deleted;
            bytes += added_bytes(found);
        }
        let rows = [
            (self.max_files, counted.len() as u64, "files", "the change has more files than people can review at once"),
            (self.max_lines, lines, "lines", "the change has more lines than people can review at once"),
            (self.max_kb, bytes.div_ceil(1024), "KB", "the change adds more than people can review at once"),
        ];
        for (limit, seen, unit, message) in rows {
            let Some(limit) = limit.map(u64::from).filter(|limit| seen > *limit) else {
                continue;
            };
            let weight = (seen <= 2 * limit).then_some(Weight::Warn);
            let rest = match left_out {
                0 => String::new(),
                count => format!(", {count} generated or excluded ones not counted"),
            };
            let limit = format!("at most {limit} {unit} (up to {} it only warns)", 2 * limit);
            breaches.push(Breach::new(Target::Change, message, format!("{seen} {unit}{rest}"), limit).weight(weight));
        }
    }
}

#[cfg(test)]
mod tests;
