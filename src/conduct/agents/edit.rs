//! Edits of a turn in its work tree: all of them or none.

use std::path::Path;

use crate::agents::edits::{Edit, FileChange, Found, Tree, apply};
use crate::change::Kind;
use crate::ports::trees::{RunStore, Trees};
use crate::ports::{Files, GitError};

/// The files of a tree in git: a link in the work tree leads nowhere.
pub(super) struct InGit<'g> {
    pub(super) trees: &'g dyn Trees,
    pub(super) store: &'g RunStore,
    pub(super) tree: &'g str,
    names: Vec<String>,
    links: Vec<String>,
}

impl<'g> InGit<'g> {
    pub(super) fn new(
        trees: &'g dyn Trees,
        store: &'g RunStore,
        tree: &'g str,
    ) -> Result<Self, GitError> {
        let (mut names, mut links) = (Vec::new(), Vec::new());
        for (path, kind) in trees.listed(store, tree)? {
            match kind {
                Kind::File => names.push(path),
                Kind::Link | Kind::Submodule => links.push(path),
            }
        }
        Ok(Self {
            trees,
            store,
            tree,
            names,
            links,
        })
    }
}

impl Tree for InGit<'_> {
    fn look(&self, path: &str) -> Found {
        let is_linked = |link: &String| {
            path.strip_prefix(link.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.links.iter().any(is_linked) {
            return Found::Link;
        }
        let below = format!("{path}/");
        let at = self.names.partition_point(|name| name.as_str() < path);
        if self.names.get(at).is_some_and(|name| name == path) {
            let file = self.trees.file(self.store, self.tree, path);
            return match file {
                Ok(Some(bytes)) => Found::File(bytes),
                _ => Found::Nothing,
            };
        }
        let at = self.names.partition_point(|name| *name < below);
        match self.names.get(at) {
            Some(name) if name.starts_with(&below) => Found::Folder,
            _ => Found::Nothing,
        }
    }

    fn names(&self) -> &[String] {
        &self.names
    }
}

/// Returns what edits come to; the error is for the model.
pub(super) fn made(tree: &InGit<'_>, edits: &[Edit]) -> Result<Vec<FileChange>, String> {
    apply(edits, tree).map_err(|refusal| refusal.for_model())
}

/// Writes changes to a work tree.
pub(super) fn write(
    files: &dyn Files,
    folder: &Path,
    changes: &[FileChange],
) -> std::io::Result<()> {
    for change in changes {
        let place = folder.join(&change.path);
        match &change.after {
            Some(bytes) => {
                // A command may have left a link where git does not look.
                files.clear_way(folder, Path::new(&change.path))?;
                files.create_folder(place.parent().unwrap_or(folder))?;
                files.write_atomic(&place, &mut |out| out.write_all(bytes))?;
            }
            None => files.remove(&place)?,
        }
    }
    Ok(())
}
