//! Reads what `init` looks at: the files that are committed, or, before the first commit, those of the work tree.

use std::path::Path;
use std::sync::Arc;

use crate::change::Tree;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::conduct::planner::Planner;
use crate::error::CommandError;
use crate::plan::graph::Graph;
use crate::plan::graph::components::Components;
use crate::plan::rules::Rules;
use crate::plan::sources::{Blobs, Sources};
use crate::ports::GitError;
use crate::setup::{Seen, is_wanted};
use crate::state::StateError;

/// A larger file says nothing about how tests are run.
const LARGEST: usize = 1024 * 1024;

/// Names that a default branch may have where nobody says which it is.
const USUAL: [&str; 4] = ["main", "master", "trunk", "develop"];

/// What was read.
pub(in crate::cli) struct Looked {
    tree: Tree,
    graph: Arc<Graph>,
    blobs: Blobs,
    pub(super) default_branch: String,
}

impl Looked {
    pub(in crate::cli) fn seen(&self) -> Seen<'_> {
        Seen {
            sources: Sources {
                tree: &self.tree,
                blobs: &self.blobs,
            },
            graph: &self.graph,
        }
    }
}

pub(in crate::cli) fn look(session: &Session<'_>, top: &Path) -> Result<Looked, CommandError> {
    let checkout = session.checkout.as_ref().map_err(no_repository)?;
    let read = || {
        let history = session.world.history.as_ref();
        let mut planner = Planner::new(
            history,
            top,
            &checkout.common_dir,
            None,
            Components::default(),
        )?;
        let object = match planner.commit("HEAD")? {
            Some(head) => head.object,
            None => history.tree_of_work(top)?,
        };
        let tree = planner.list(&object)?;
        let whole = planner.plan(tree, Vec::new(), &Rules::none(".maestro"))?;
        let tree = whole.after.tree;
        let blobs = blobs(&mut planner, &tree)?;
        let head = session.world.git.head(top)?.branch;
        let default_branch = default_branch(&mut planner, head)?;
        Ok(Looked {
            tree,
            graph: whole.after.graph,
            blobs,
            default_branch,
        })
    };
    read().map_err(|error: GitError| StateError::from(error).into())
}

fn blobs(planner: &mut Planner<'_>, tree: &Tree) -> Result<Blobs, GitError> {
    let wanted = tree.iter().filter(|(path, _)| is_wanted(path));
    let names: Vec<String> = wanted
        .filter(|(_, entry)| entry.kind() == crate::change::Kind::File)
        .map(|(_, entry)| entry.object.to_owned())
        .collect();
    let mut blobs = Blobs::default();
    planner.objects.read(&names, &mut |at, object| {
        let bytes = object.map(|object| object.bytes);
        let bytes = bytes.filter(|bytes| bytes.len() <= LARGEST);
        blobs.insert(names[at].as_str().into(), bytes.map(Into::into));
    })?;
    Ok(blobs)
}

/// Returns the branch that is the remote's default, as far as the clone tells; else the one that is checked out, if its name is usual.
fn default_branch(planner: &mut Planner<'_>, head: Option<String>) -> Result<String, GitError> {
    let own = head.clone().into_iter().filter(|name| !name.is_empty());
    let usual = USUAL.iter().map(|name| (*name).to_owned());
    let candidates: Vec<String> = own.chain(usual).collect();
    let at = |planner: &mut Planner<'_>, revision: &str| {
        let commit = planner.commit(revision)?;
        Ok::<_, GitError>(commit.map(|commit| commit.object))
    };
    if let Some(default) = at(planner, "refs/remotes/origin/HEAD")? {
        // A name that is usual is believed before the branch that happens to be checked out.
        for name in candidates
            .iter()
            .skip(usize::from(head.is_some()))
            .chain(&candidates)
        {
            let revision = format!("refs/remotes/origin/{name}");
            if at(planner, &revision)?.as_ref() == Some(&default) {
                return Ok(name.clone());
            }
        }
    }
    let usual = head.filter(|name| USUAL.contains(&name.as_str()));
    if let Some(name) = usual {
        return Ok(name);
    }
    for name in USUAL {
        if at(planner, &format!("refs/heads/{name}"))?.is_some() {
            return Ok(name.to_owned());
        }
    }
    Ok(candidates.into_iter().next().unwrap_or_default())
}
