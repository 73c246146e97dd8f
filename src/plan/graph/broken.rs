//! Manifests that cannot be read: which of them plans cannot do without.
//!
//! Repositories keep broken manifests on purpose, as test data. Such a one must not run everything for ever; one that somebody may
//! depend through must.

use super::Graph;
use crate::plan::sources::{Sources, ancestors, is_within};

/// Words in names of folders that hold what is not built: test data, and what new projects are made from.
const DATA: &[&str] = &[
    "example",
    "examples",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "sample",
    "samples",
    "snapshot",
    "snapshots",
    "spec",
    "specs",
    "template",
    "templates",
    "test",
    "testcases",
    "testdata",
    "testing",
    "tests",
];

/// An ecosystem's manifests.
pub(super) struct Manifests<'a> {
    /// The name of the file.
    pub(super) name: &'a str,
    /// Files beside a manifest that say that it is used by itself.
    pub(super) locks: &'a [&'a str],
    /// Every folder with one, each after those that it lies in.
    pub(super) folders: &'a [&'a str],
}

impl Manifests<'_> {
    /// Adds trouble for those that cannot be read, with the words why, and that no workspace names. What lies inside a package is
    /// that package's.
    pub(super) fn note(
        &self,
        sources: Sources<'_>,
        words: &dyn Fn(&str) -> Option<String>,
        is_inside: &dyn Fn(&str) -> bool,
        graph: &mut Graph,
    ) {
        for (number, dir) in self.folders.iter().enumerate() {
            let Some(words) = words(dir) else { continue };
            if dir.is_empty() || (self.matters(sources, number, dir) && !is_inside(dir)) {
                graph.trouble(path_in(dir, self.name), words);
            }
        }
    }

    /// Whether it may be a project or a workspace's root.
    fn matters(&self, sources: Sources<'_>, number: usize, dir: &str) -> bool {
        if is_data(dir) {
            return false;
        }
        let mut above = ancestors(dir).skip(1);
        let is_nested = above.any(|above| self.folders[..number].binary_search(&above).is_ok());
        // What lies below one comes right behind it, but for folders whose names begin as its own does.
        let below = &self.folders[number + 1..];
        let mut below = below.iter().take_while(|below| below.starts_with(dir));
        !is_nested
            || below.any(|below| is_within(below, dir))
            || self
                .locks
                .iter()
                .any(|lock| sources.has(&path_in(dir, lock)))
    }
}

/// Whether a folder's path says that nothing in it is built.
fn is_data(dir: &str) -> bool {
    let is_word = |word: &str| DATA.iter().any(|data| data.eq_ignore_ascii_case(word));
    dir.contains("{{") || dir.split(|c: char| !c.is_ascii_alphanumeric()).any(is_word)
}

/// Returns the path of a file in a folder.
pub(super) fn path_in(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::graph::tests::read;

    /// Returns the paths of manifests that a graph cannot do without.
    fn troubles(files: &[(&str, &str)]) -> Vec<String> {
        let graph = read(files);
        graph.troubles.into_iter().map(|one| one.path).collect()
    }

    const NPM: (&str, &str) = ("package.json", r#"{"name": "r", "workspaces": ["p/*"]}"#);

    #[test]
    fn a_broken_root_is_trouble_in_every_ecosystem() {
        let files = [
            ("package.json", r#"{"workspaces": ["p/*"],}"#),
            ("pyproject.toml", "[tool.uv.workspace\n"),
            ("rust/Cargo.toml", "[workspace\n"),
            ("web/pyproject.toml", "[project"),
            ("p/a/package.json", r#"{"name": "a"}"#),
        ];
        assert_eq!(
            troubles(&files),
            ["package.json", "pyproject.toml", "rust/Cargo.toml"]
        );
        assert_eq!(troubles(&files[3..]), ["web/pyproject.toml"]);
    }

    #[test]
    fn test_data_is_none() {
        let files = [
            NPM,
            ("p/a/package.json", r#"{"name": "a"}"#),
            ("p/a/cases/bad/package.json", "{"),
            ("p/a/cases/bad/package-lock.json", "{}"),
            ("docs/bad/package.json", "{"),
            ("test-fixtures/bad/Cargo.toml", "["),
            ("__fixtures__/bad/pyproject.toml", "["),
            ("gen/{{name}}/package.json", "{"),
        ];
        assert!(troubles(&files).is_empty());
    }

    #[test]
    fn what_others_may_depend_through_is_trouble() {
        let files = [
            NPM,
            ("p/a/package.json", "{"),
            ("latest/web/package.json", "{"),
            ("latest/web/x/package.json", "{}"),
            ("site/package.json", "{"),
            ("site/yarn.lock", ""),
            ("lib/x/package.json", "{"),
            (
                "p/b/package.json",
                r#"{"dependencies": {"x": "file:../../lib/x"}}"#,
            ),
        ];
        assert_eq!(
            troubles(&files),
            [
                "latest/web/package.json",
                "lib/x/package.json",
                "p/a/package.json",
                "site/package.json"
            ]
        );
    }
}
