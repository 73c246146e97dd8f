//! Reads what a plan is made from: commits, trees, the few blobs that matter, and the graphs in them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::seen::Seen;
use crate::change::base::Commit;
use crate::change::{Change, Entry, Kind, Tree, parse_raw};
use crate::plan::assess::{Assessment, Input, Reason, SOURCE_MISSING, Since, assess};
use crate::plan::graph::components::Components;
use crate::plan::graph::{self, Graph};
use crate::plan::links::Links;
use crate::plan::manifests::{self, Side};
use crate::plan::rules::Rules;
use crate::plan::sources::{Asked, Blobs, Sources, answers, file_name};
use crate::ports::GitError;
use crate::ports::history::{History, Objects};
use crate::sha::Sha;

/// A commit's files and the graph in them.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) tree: Tree,
    pub(crate) graph: Arc<Graph>,
    pub(crate) links: Arc<Links>,
}

/// A base, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) snapshot: Snapshot,
    pub(crate) changes: Vec<Change>,
}

/// A planned change: what it is and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) after: Snapshot,
    pub(crate) before: Vec<Before>,
    pub(crate) assessment: Assessment,
}

/// Reads a repository for plans; what was read once stays for the next plan.
pub(crate) struct Planner<'w> {
    pub(crate) history: &'w dyn History,
    pub(crate) folder: PathBuf,
    common_dir: PathBuf,
    /// The remote that has what a partial clone misses; none when nothing may be fetched.
    pub(crate) promisor: Option<String>,
    lazily: bool,
    pub(crate) objects: Box<dyn Objects>,
    pub(super) blobs: Blobs,
    /// What Rust sources mention; load and keep it for the next run.
    pub(crate) mentions: super::readers::Mentions,
    /// What Go sources import; load and keep it for the next run.
    pub(crate) imports: super::imports::Imports,
    components: Components,
    /// Graphs of earlier plans; load and keep them for the next run.
    pub(crate) kept: super::graphs::Kept,
    graphs: HashMap<Sha, Vec<Read>>,
    pub(super) seen: Seen,
}

/// A graph that was read, with what was asked of its tree beside the manifests.
#[derive(Clone)]
struct Read {
    asked: Asked,
    graph: Arc<Graph>,
    links: Arc<Links>,
}

impl<'w> Planner<'w> {
    /// Starts reading. What is missing is fetched from the remote, if one is given.
    pub(crate) fn new(
        history: &'w dyn History,
        folder: &Path,
        common_dir: &Path,
        remote: Option<&str>,
        components: Components,
    ) -> Result<Self, GitError> {
        let is_partial = history.is_partial(common_dir);
        Ok(Self {
            history,
            folder: folder.to_owned(),
            common_dir: common_dir.to_owned(),
            promisor: remote.filter(|_| is_partial).map(str::to_owned),
            lazily: remote.is_some(),
            objects: history.objects(folder, remote.is_some())?,
            blobs: Blobs::default(),
            mentions: super::readers::Mentions::default(),
            imports: super::imports::Imports::default(),
            components,
            kept: super::graphs::Kept::default(),
            graphs: HashMap::new(),
            seen: Seen::default(),
        })
    }

    /// Takes over what the configuration declares.
    pub(crate) fn set_components(&mut self, components: Components) {
        self.components = components;
        self.graphs.clear();
    }

    /// Whether it may ask a remote for what is missing.
    pub(crate) fn may_fetch(&self) -> bool {
        self.lazily
    }

    /// Starts reading anew: a process that runs does not see where a shallow clone ends now.
    pub(super) fn reopen(&mut self) -> Result<(), GitError> {
        self.objects = self.history.objects(&self.folder, self.lazily)?;
        Ok(())
    }

    /// Whether the clone ends somewhere before the first commit.
    pub(crate) fn is_shallow(&self) -> bool {
        self.history.is_shallow(&self.common_dir)
    }

    /// Returns a commit by id or revision; nothing when it is not here.
    pub(crate) fn commit(&mut self, revision: &str) -> Result<Option<Commit>, GitError> {
        let names = [format!("{revision}^{{commit}}")];
        let mut found = None;
        self.objects.read(&names, &mut |_, object| {
            found = object.filter(|object| object.kind == "commit");
        })?;
        Ok(found.and_then(|object| {
            let text = String::from_utf8_lossy(&object.bytes);
            let head = text.split("\n\n").next().unwrap_or_default();
            let field = |name: &'static str| {
                head.lines()
                    .filter_map(move |line| line.strip_prefix(name).map(str::to_owned))
            };
            Some(Commit {
                object: object.id,
                tree: field("tree ").next()?,
                parents: field("parent ").collect(),
            })
        }))
    }

    /// Reads a commit's files.
    pub(crate) fn list(&mut self, commit: &str) -> Result<Tree, GitError> {
        let key = commit.to_owned();
        if let Some(tree) = self.seen.tree.of(&key) {
            return Ok(tree);
        }
        let tree = Tree::parse(self.history.list_tree(&self.folder, commit)?);
        Ok(self.seen.tree.keep(key, tree))
    }

    /// Reads what differs between some commits and one, by id.
    pub(crate) fn diffs(
        &mut self,
        bases: &[String],
        head: &str,
    ) -> Result<Vec<Vec<Change>>, GitError> {
        let key = (bases.to_vec(), head.to_owned());
        if let Some(diffs) = self.seen.diffs.of(&key) {
            return Ok(diffs);
        }
        let diffs = diffs(self.history, &self.folder, bases, head)?;
        Ok(self.seen.diffs.keep(key, diffs))
    }

    /// Reads what differs between some commits and one, by id, and the files of that one; git lists and compares at the same time.
    pub(crate) fn changes(
        &mut self,
        bases: &[String],
        head: &str,
    ) -> Result<(Tree, Vec<Vec<Change>>), GitError> {
        let key = (bases.to_vec(), head.to_owned());
        if !self.seen.diffs.has(&key) && !self.seen.tree.has(&key.1) {
            let (history, folder) = (self.history, self.folder.as_path());
            let (tree, found) = std::thread::scope(|scope| {
                // The longer one stays here: memory that another thread takes grows in small steps.
                let found = scope.spawn(move || diffs(history, folder, bases, head));
                let tree = history.list_tree(folder, head).map(Tree::parse);
                let found = match found.join() {
                    Ok(found) => found,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                Ok::<_, GitError>((tree?, found?))
            })?;
            let tree = self.seen.tree.keep(key.1.clone(), tree);
            return Ok((tree, self.seen.diffs.keep(key, found)));
        }
        Ok((self.list(head)?, self.diffs(bases, head)?))
    }

    /// Plans a change: the tree after it, and one list of changes for each base.
    pub(crate) fn plan(
        &mut self,
        tree: Tree,
        diffs: Vec<Vec<Change>>,
        rules: &Rules,
    ) -> Result<Planned, GitError> {
        let before: Vec<(Tree, Vec<Change>)> = diffs
            .into_iter()
            .map(|changes| (tree.before(&changes), changes))
            .collect();
        let key = self.key(&tree);
        let keys = before.iter().map(|(tree, changes)| {
            // Most changes touch nothing that a graph is read from.
            if changes.iter().any(touches_graph) {
                self.key(tree)
            } else {
                key
            }
        });
        let keys: Vec<Sha> = keys.collect();
        let trees = before.iter().map(|(tree, _)| tree);
        let is_known = self.known(key, &tree).is_some()
            && trees
                .zip(&keys)
                .all(|(tree, key)| self.known(*key, tree).is_some());
        let mut changed = before.iter().flat_map(|(_, changes)| changes);
        // Where graphs are known, manifests are looked into only to see what a root's change says.
        if !is_known || changed.any(|change| manifests::may_reach(&change.path)) {
            self.read_all(&tree, &before)?;
        }
        let after = self.snapshot(tree, key);
        let before: Vec<Before> = before
            .into_iter()
            .zip(keys)
            .map(|((tree, changes), key)| Before {
                snapshot: self.snapshot(tree, key),
                changes,
            })
            .collect();
        let mut planned = Planned {
            after,
            before,
            assessment: Assessment::default(),
        };
        let none = Graph::default();
        planned.assessment = self.assess(&planned, rules, &[], &none);
        if planned.assessment.reasons.is_empty() && !planned.assessment.files.is_empty() {
            let readings = match self.readings(&planned)? {
                Ok(readings) => readings,
                Err(path) => {
                    planned.assessment.reasons.push(source_missing(path));
                    return Ok(planned);
                }
            };
            if !readings.is_empty() {
                planned.assessment = self.assess(&planned, rules, &readings, &none);
            }
            let imported = match self.imported(&planned)? {
                Ok(imported) => imported,
                Err(path) => {
                    planned.assessment.reasons.push(source_missing(path));
                    return Ok(planned);
                }
            };
            if imported.edges().next().is_some() {
                planned.assessment = self.assess(&planned, rules, &readings, &imported);
            }
        }
        Ok(planned)
    }

    /// Reads every manifest of some trees, and the lock files that changed.
    fn read_all(&mut self, tree: &Tree, before: &[(Tree, Vec<Change>)]) -> Result<(), GitError> {
        let mut wanted = BTreeSet::new();
        wanted_of(tree, &mut wanted);
        for (tree, changes) in before {
            wanted_of(tree, &mut wanted);
            let locks = changes.iter().filter(|change| is_lock(&change.path));
            let sides = locks.flat_map(|change| [&change.old, &change.new]);
            wanted.extend(sides.flatten().map(|entry| Arc::clone(&entry.object)));
        }
        self.read(wanted)?;
        self.read_patched(tree)?;
        for (tree, _) in before {
            self.read_patched(tree)?;
        }
        Ok(())
    }

    /// Returns the graph of a tree, if it was read before.
    fn known(&mut self, key: Sha, tree: &Tree) -> Option<Read> {
        let kept = &self.kept;
        let found = self.graphs.entry(key).or_insert_with(|| {
            let kept = kept.find(&key).into_iter();
            kept.map(|(asked, graph, links)| Read {
                asked,
                graph: Arc::new(graph),
                links: Arc::new(links),
            })
            .collect()
        });
        found
            .iter()
            .find(|read| answers(tree, &read.asked))
            .cloned()
    }

    /// Returns a digest of all that a graph is read from.
    fn key(&self, tree: &Tree) -> Sha {
        let mut text = format!("{} {:?}\n", super::graphs::VERSION, self.components);
        for (path, entry) in tree.iter() {
            if is_wanted(path, entry.kind()) || is_lock(path) {
                text.push_str(entry.object);
                text.push_str(path);
                text.push('\0');
            } else if file_name(path) == PACKAGE || entry.kind() == Kind::Submodule {
                text.push_str(path);
                text.push('\0');
            }
        }
        Sha::of(text.as_bytes())
    }

    fn assess(
        &self,
        planned: &Planned,
        rules: &Rules,
        readings: &[crate::plan::assess::Reading],
        imported: &Graph,
    ) -> Assessment {
        let since: Vec<Since<'_>> = planned
            .before
            .iter()
            .map(|before| Since {
                old: self.side(&before.snapshot),
                links: &before.snapshot.links,
                changes: &before.changes,
            })
            .collect();
        assess(Input {
            new: self.side(&planned.after),
            links: &planned.after.links,
            since: &since,
            rules,
            readings,
            imported,
        })
    }

    fn side<'a>(&'a self, snapshot: &'a Snapshot) -> Side<'a> {
        Side {
            sources: Sources {
                tree: &snapshot.tree,
                blobs: &self.blobs,
            },
            graph: &snapshot.graph,
        }
    }

    /// Reads the graph of a tree whose blobs are here; trees with the same manifests have the same one.
    fn snapshot(&mut self, tree: Tree, key: Sha) -> Snapshot {
        let read = self.known(key, &tree).unwrap_or_else(|| {
            let sources = Sources {
                tree: &tree,
                blobs: &self.blobs,
            };
            self.blobs.begin_asking();
            let graph = graph::read(sources, &self.components);
            let links = Links::read(sources);
            let mut asked = self.blobs.end_asking();
            // Whether these are there is in the key.
            asked.retain(|path, _| !(is_wanted(path, Kind::File) || is_lock(path)));
            self.kept.add(key, &asked, &graph, &links);
            let read = Read {
                asked,
                graph: Arc::new(graph),
                links: Arc::new(links),
            };
            self.graphs.entry(key).or_default().push(read.clone());
            read
        });
        Snapshot {
            tree,
            graph: read.graph,
            links: read.links,
        }
    }

    /// A patch by path reaches those that a lock file names.
    fn read_patched(&mut self, tree: &Tree) -> Result<(), GitError> {
        let mut wanted = BTreeSet::new();
        for (path, entry) in tree
            .iter()
            .filter(|(path, _)| file_name(path) == "Cargo.toml")
        {
            let text = self.blobs.get(entry.object);
            let patches = text.is_some_and(|text| {
                memchr::memmem::find(text, b"[patch")
                    .or_else(|| memchr::memmem::find(text, b"[replace"))
                    .is_some()
            });
            let lock = format!(
                "{}Cargo.lock",
                path.strip_suffix("Cargo.toml").unwrap_or_default()
            );
            if patches && let Some(lock) = tree.file(&lock) {
                wanted.insert(lock.into());
            }
        }
        self.read(wanted)
    }

    /// Reads blobs that were not read yet.
    pub(super) fn read(&mut self, wanted: BTreeSet<Arc<str>>) -> Result<(), GitError> {
        let wanted: Vec<Arc<str>> = wanted
            .into_iter()
            .filter(|object| !self.blobs.has(object))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        self.prefetch(&names)?;
        let blobs = &mut self.blobs;
        self.objects.read(&names, &mut |place, object| {
            let bytes = object
                .filter(|object| object.kind == "blob")
                .map(|object| Arc::from(object.bytes));
            blobs.insert(Arc::clone(&wanted[place]), bytes);
        })
    }

    /// A partial clone would ask its remote for each blob by itself.
    pub(super) fn prefetch(&self, names: &[String]) -> Result<(), GitError> {
        let Some(remote) = &self.promisor else {
            return Ok(());
        };
        let missing = self.history.missing(&self.folder, names)?;
        if missing.len() > 1 {
            self.history.fetch_objects(&self.folder, remote, &missing)?;
        }
        Ok(())
    }
}

fn diffs(
    history: &dyn History,
    folder: &Path,
    bases: &[String],
    head: &str,
) -> Result<Vec<Vec<Change>>, GitError> {
    let diffs = bases.iter().map(|base| {
        let raw = history.raw_diff(folder, base, head)?;
        parse_raw(&raw).map_err(|error| GitError::Refused(error.to_string()))
    });
    diffs.collect()
}

fn source_missing(path: String) -> Reason {
    Reason {
        code: SOURCE_MISSING,
        detail: format!("`{path}` may read what changed, and its object is not in this clone"),
        path: Some(path),
    }
}

fn wanted_of(tree: &Tree, wanted: &mut BTreeSet<Arc<str>>) {
    let entries = tree
        .iter()
        .filter(|(path, entry)| is_wanted(path, entry.kind()));
    wanted.extend(entries.map(|(_, entry)| Arc::from(entry.object)));
}

fn is_wanted(path: &str, kind: Kind) -> bool {
    match kind {
        Kind::Link => true,
        Kind::File => graph::is_source(path) && !path.split('/').any(|part| part == "node_modules"),
        Kind::Submodule => false,
    }
}

/// Whether a graph may be another one after a change.
fn touches_graph(change: &Change) -> bool {
    let sides = [&change.old, &change.new];
    let mut kinds = sides.into_iter().flatten().map(Entry::kind);
    // That a submodule is there counts, and not what it is at.
    is_lock(&change.path)
        || file_name(&change.path) == PACKAGE
        || kinds.any(|kind| is_wanted(&change.path, kind) || kind == Kind::Submodule)
}

/// Folders with such a file may be packages of Python; what it says does not matter.
const PACKAGE: &str = "__init__.py";

fn is_lock(path: &str) -> bool {
    matches!(
        file_name(path),
        "Cargo.lock"
            | "package-lock.json"
            | "npm-shrinkwrap.json"
            | "pnpm-lock.yaml"
            | "yarn.lock"
            | "bun.lock"
            | "uv.lock"
    )
}
