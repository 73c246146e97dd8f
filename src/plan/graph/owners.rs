//! Whose a file is.

use std::collections::HashMap;

use super::docker::Image;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{ancestors, extension, is_within};

/// Why a project is concerned by a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bond {
    /// The file is its own.
    Own,
    /// It is made from the file, which lies elsewhere.
    Reads,
}

/// A graph's projects by folder.
pub(crate) struct Owners<'g> {
    by_folder: HashMap<(Kind, &'g str), (&'g str, &'g Project)>,
    kinds: Vec<Kind>,
    readers: Vec<(&'g str, &'g Project)>,
}

impl<'g> Owners<'g> {
    pub(crate) fn new(graph: &'g Graph) -> Self {
        let mut by_folder = HashMap::new();
        let mut kinds = Vec::new();
        let mut readers = Vec::new();
        for (id, project) in graph.projects() {
            if project.scope != Scope::Nothing {
                by_folder.insert((project.kind, project.dir.as_str()), (id.as_str(), project));
                if !kinds.contains(&project.kind) {
                    kinds.push(project.kind);
                }
            }
            if !project.reads.is_empty() || project.patterns.is_some() {
                readers.push((id.as_str(), project));
            }
        }
        Self {
            by_folder,
            kinds,
            readers,
        }
    }

    /// Returns the projects that a path concerns, with the bond.
    pub(crate) fn of(&self, path: &str) -> Vec<(&'g str, Bond)> {
        let mut found = Vec::new();
        for kind in &self.kinds {
            self.owners(*kind, path, &mut |id| found.push((id, Bond::Own)));
        }
        for (id, project) in &self.readers {
            let reads = project.reads.iter().any(|read| is_within(path, read));
            let matches = || {
                project
                    .patterns
                    .as_ref()
                    .is_some_and(|patterns| patterns.is_match(path))
            };
            if reads || matches() {
                let own = match &project.image {
                    None => project.kind == Kind::Component,
                    Some(image) => is_of_image(path, image),
                };
                found.push((*id, if own { Bond::Own } else { Bond::Reads }));
            }
        }
        found
    }

    /// Returns the projects that may be made from something inside a folder of which no more than its name is known.
    pub(crate) fn inside(&self, folder: &str) -> Vec<(&'g str, Bond)> {
        let readers = self.readers.iter().filter(|(_, project)| {
            let mut reads = project.reads.iter();
            let patterns = project.patterns.as_ref();
            reads.any(|read| is_within(read, folder))
                || patterns.is_some_and(|patterns| patterns.may_match_in(folder).is_some())
        });
        readers.map(|(id, _)| (*id, Bond::Reads)).collect()
    }

    fn owners(&self, kind: Kind, path: &str, found: &mut dyn FnMut(&'g str)) {
        let mut is_inner = false;
        for folder in ancestors(path) {
            let Some((id, project)) = self.by_folder.get(&(kind, folder)) else {
                continue;
            };
            if is_inner {
                if is_target(path, &project.dir) {
                    found(id);
                }
                return;
            }
            match &project.scope {
                // Cargo looks for targets in a package's folders even where another package lies in them.
                Scope::Folder if kind == Kind::Cargo => {
                    found(id);
                    is_inner = true;
                }
                Scope::Folder => return found(id),
                Scope::Loose => found(id),
                Scope::Root(own) => {
                    if own.iter().any(|own| is_within(path, own)) {
                        found(id);
                    }
                    return;
                }
                Scope::Nothing => {}
            }
        }
    }

    /// Returns the Cargo packages that a file belongs to.
    pub(crate) fn cargo(&self, path: &str) -> Vec<&'g str> {
        self.of_kind(Kind::Cargo, path)
    }

    /// Returns the projects of an ecosystem that a file belongs to.
    pub(crate) fn of_kind(&self, kind: Kind, path: &str) -> Vec<&'g str> {
        let mut found = Vec::new();
        self.owners(kind, path, &mut |id| found.push(id));
        found
    }
}

/// Whether a file that an image is made from is there for the image: it describes it, or lies in a build context that is not the
/// whole repository.
fn is_of_image(path: &str, image: &Image) -> bool {
    let context = image.context.as_deref().unwrap_or_default();
    let describes = image.dockerfile.as_deref() == Some(path);
    describes || path.ends_with(".dockerignore") || !context.is_empty() && is_within(path, context)
}

/// Whether Cargo takes a file for a test, example, benchmark or binary of a package (The Cargo Book, "Target auto-discovery").
fn is_target(path: &str, package: &str) -> bool {
    let rest = path.strip_prefix(package).unwrap_or(path);
    let parts: Vec<&str> = rest.trim_start_matches('/').split('/').collect();
    let (["tests" | "examples" | "benches", inside @ ..] | ["src", "bin", inside @ ..]) =
        &parts[..]
    else {
        return false;
    };
    matches!(inside, [file] if extension(file) == Some("rs")) || matches!(inside, [_, "main.rs"])
}

#[cfg(test)]
mod tests {
    use super::{Image, Kind, Owners, is_of_image};
    use crate::plan::graph::tests::read;

    #[track_caller]
    fn check(path: &str, expected: &[&str]) {
        let files = [
            (
                "Cargo.toml",
                "[workspace]\nmembers=['a', 'a/tests', 'a/derive']",
            ),
            ("a/Cargo.toml", "[package]\nname='a'"),
            ("a/tests/Cargo.toml", "[package]\nname='t'"),
            ("a/derive/Cargo.toml", "[package]\nname='d'"),
        ];
        let graph = read(&files);
        let mut found: Vec<&str> = Owners::new(&graph)
            .of(path)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_target_of_the_outer_package_is_its_own_too() {
        check("a/tests/build.rs", &["cargo:a", "cargo:a/tests"]);
        check("a/tests/x/main.rs", &["cargo:a", "cargo:a/tests"]);
        check("a/tests/src/lib.rs", &["cargo:a/tests"]);
        check("a/derive/src/lib.rs", &["cargo:a/derive"]);
        check("a/src/lib.rs", &["cargo:a"]);
    }

    #[test]
    fn each_ecosystem_has_owners_of_its_own() {
        let graph = read(&[
            ("a/Cargo.toml", "[package]\nname='a'"),
            ("a/package.json", r#"{"name": "a"}"#),
        ]);
        let owners = Owners::new(&graph);
        assert_eq!(owners.cargo("a/src/lib.rs"), ["cargo:a"]);
        assert_eq!(owners.of_kind(Kind::Npm, "a/src/lib.rs"), ["npm:a"]);
        assert!(owners.of_kind(Kind::Python, "a/src/lib.rs").is_empty());
    }

    #[test]
    fn an_images_own_files_describe_it_or_lie_in_its_context() {
        let image = |context: &str| Image {
            context: Some(context.to_owned()),
            dockerfile: Some("build/Dockerfile".to_owned()),
            ..Image::default()
        };
        for (path, context, is_own) in [
            ("build/Dockerfile", "", true),
            ("build/Dockerfile.dockerignore", "", true),
            ("web/index.html", "web", true),
            ("api/index.html", "web", false),
            // What has the whole repository for its context does not own it.
            ("web/index.html", "", false),
        ] {
            assert_eq!(is_of_image(path, &image(context)), is_own, "{path}");
        }
    }
}
