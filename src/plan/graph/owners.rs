//! Whose a file is.

use std::collections::HashMap;

use super::docker::Image;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{ancestors, is_within};

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

    fn owners(&self, kind: Kind, path: &str, found: &mut dyn FnMut(&'g str)) {
        for folder in ancestors(path) {
            let Some((id, project)) = self.by_folder.get(&(kind, folder)) else {
                continue;
            };
            match &project.scope {
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
        let mut found = Vec::new();
        self.owners(Kind::Cargo, path, &mut |id| found.push(id));
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
