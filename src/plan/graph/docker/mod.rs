//! Docker: the images that Dockerfiles, compose files and bake files describe, and the files that each is made from.
//!
//! An image's own files are those that COPY and ADD take from its build context, as far as `.dockerignore` lets them in. What only
//! the build knows may be anything.

mod bake;
mod compose;
mod described;
mod dockerfile;
mod globs;
mod hcl;
mod lines;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::patterns::Patterns;
use super::{Graph, Project};
use crate::plan::sources::{Sources, extension, file_name, folder_of, join};
use described::{Described, Named, Place};
use dockerfile::{Dockerfile, Given, Inputs};
use words::{UNKNOWN, may_be};

/// How an image is built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// The build context, from the top; none when it is not known.
    pub(crate) context: Option<String>,
    pub(crate) dockerfile: Option<String>,
    pub(crate) target: Option<String>,
    /// A name for its build cache that no other image of the repository has.
    pub(crate) cache_scope: String,
}

/// Whether a file of this name describes images.
pub(super) fn is_source(name: &str) -> bool {
    is_dockerfile(name)
        || is_compose(name)
        || is_bake(name)
        || name.ends_with(".dockerignore")
        || name == ".env"
}

fn is_dockerfile(name: &str) -> bool {
    let is = |word: &str| {
        let after = name.strip_prefix(word);
        let before = name.strip_suffix(word);
        after.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
            || before.is_some_and(|rest| rest.ends_with('.'))
    };
    let is_small = name == "dockerfile" || extension(name) == Some("dockerfile");
    (is("Dockerfile") || is("Containerfile") || is_small) && !name.ends_with(".dockerignore")
}

fn is_compose(name: &str) -> bool {
    let stem = name
        .strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"));
    stem.is_some_and(|stem| {
        let words = ["compose", "docker-compose"];
        let mut rests = words.iter().filter_map(|word| stem.strip_prefix(word));
        rests.any(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

fn is_bake(name: &str) -> bool {
    name.starts_with("docker-bake.") && matches!(extension(name), Some("hcl" | "json"))
}

/// Adds the images and their edges.
pub(super) fn read(sources: Sources<'_>, graph: &mut Graph) {
    let (mut composes, mut bakes, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for (path, _) in sources.tree.iter() {
        let name = file_name(path);
        if is_compose(name) {
            composes.push(path.to_owned());
        } else if is_bake(name) {
            bakes.push(path.to_owned());
        } else if is_dockerfile(name) && !path.split('/').any(|part| part == "node_modules") {
            alone.push(path.to_owned());
        }
    }
    let mut described = compose::read(sources, &composes, graph);
    described.extend(bake::read(sources, &bakes, graph));
    let used: BTreeSet<&str> = described
        .iter()
        .filter_map(|one| one.dockerfile.as_deref())
        .collect();
    alone.retain(|path| !used.contains(path.as_str()));
    described.extend(alone.iter().map(|path| by_itself(sources, path)));
    let images = Images::new(sources, described);
    for number in 0..images.described.len() {
        images.add(number, graph);
    }
    for number in 0..images.described.len() {
        images.add_edges(number, graph);
    }
}

/// A Dockerfile that nothing names is built with its own folder, unless what it copies lies from the top only.
fn by_itself(sources: Sources<'_>, path: &str) -> Described {
    let folder = folder_of(path);
    let given = Given {
        args: None,
        defaults_hold: true,
    };
    let text = sources.text(path).unwrap_or_default();
    let inputs = Dockerfile::read(text, &given).inputs(None);
    let plain = inputs
        .sources
        .iter()
        .filter(|source| !source.contains(['*', '?']));
    let plain: Vec<&String> = plain.collect();
    let exist = |context: &str| {
        plain.iter().all(|source| {
            let path = join(context, source).unwrap_or_default();
            sources.has(&path) || sources.has_folder(&path) || sources.is_in_submodule(&path)
        })
    };
    let context = if exist(folder) || !exist("") {
        folder
    } else {
        ""
    };
    let name = file_name(path);
    let mut described = Described::new(path, if name == "Dockerfile" { "" } else { name });
    described.context = Place::Known(context.to_owned());
    described.dockerfile = Some(path.to_owned());
    described
}

/// The images of a repository, and what each is made from.
struct Images<'s> {
    sources: Sources<'s>,
    described: Vec<Described>,
    ids: Vec<String>,
    /// Nothing where the Dockerfile is not at hand.
    inputs: Vec<Option<Inputs>>,
    /// Tags without their versions.
    tags: Vec<Vec<String>>,
}

impl<'s> Images<'s> {
    fn new(sources: Sources<'s>, described: Vec<Described>) -> Self {
        let inputs = described.iter().map(|one| one.inputs(sources)).collect();
        let tags = described.iter().map(|one| {
            let tags = one.tags.iter().map(|tag| bare(tag));
            tags.filter(|tag| !tag.is_empty()).collect()
        });
        let tags = tags.collect();
        let ids = described.iter().map(Described::id).collect();
        Self {
            sources,
            described,
            ids,
            inputs,
            tags,
        }
    }

    fn add(&self, number: usize, graph: &mut Graph) {
        let one = &self.described[number];
        let mut project = one.project();
        let id = project.id();
        project.reads.push(one.file.clone());
        project.reads.extend(one.dockerfile.clone());
        project.reads.extend(one.reads.iter().cloned());
        for named in one.contexts.values() {
            if let Named::Folder(folder) = named {
                project.reads.push(folder.clone());
            }
        }
        let mut globs: Vec<String> = Vec::new();
        match (&one.context, self.taken(number)) {
            (Place::Known(context), Some(taken)) => {
                globs.extend(taken.iter().map(|source| globs::under(context, source)));
                let ignore = self.ignore_file(one, context);
                if !globs.is_empty() {
                    let text = self.sources.text(&ignore).unwrap_or_default();
                    globs.extend(globs::ignored(text, context));
                }
                project.reads.push(ignore);
            }
            // It may be built from anything there.
            (Place::Known(folder) | Place::Below(folder), _) => {
                globs.push(globs::under(folder, ""));
            }
        }
        project.patterns = Patterns::new(globs).ok();
        let context = match &one.context {
            Place::Known(context) => Some(context.clone()),
            Place::Below(_) => None,
        };
        if project.patterns.is_none() {
            project.reads.push(context.clone().unwrap_or_default());
        }
        project.image = Some(Image {
            context,
            dockerfile: one.dockerfile.clone(),
            target: one
                .target
                .clone()
                .filter(|target| !target.contains(UNKNOWN)),
            cache_scope: cache_scope(&id),
        });
        match graph.get_mut(&id) {
            Some(known) => put_together(known, project),
            None => {
                graph.add(project);
            }
        }
    }

    fn ignore_file(&self, one: &Described, context: &str) -> String {
        let own = one
            .dockerfile
            .as_ref()
            .map(|file| format!("{file}.dockerignore"));
        let shared = join(context, ".dockerignore").unwrap_or_default();
        own.filter(|own| self.sources.has(own)).unwrap_or(shared)
    }

    /// Returns what an image takes from its context, triggers of the images that it is from included; nothing when it may be all.
    fn taken(&self, number: usize) -> Option<BTreeSet<&str>> {
        let inputs = self.inputs[number].as_ref()?;
        let mut taken: BTreeSet<&str> = inputs.sources.iter().map(String::as_str).collect();
        for base in self.bases(number) {
            taken.extend(
                self.inputs[base]
                    .as_ref()?
                    .triggers
                    .iter()
                    .map(String::as_str),
            );
        }
        Some(taken)
    }

    /// Returns the images that one is made from.
    fn bases(&self, number: usize) -> BTreeSet<usize> {
        let one = &self.described[number];
        let mut found = BTreeSet::new();
        let mut tags: Vec<&str> = Vec::new();
        for named in one.contexts.values() {
            match named {
                Named::Image(name) => found.extend(self.siblings(one, name)),
                Named::Tag(tag) => tags.push(tag),
                Named::Folder(_) | Named::Elsewhere => {}
            }
        }
        match &self.inputs[number] {
            Some(inputs) => {
                let images = inputs.images.iter();
                tags.extend(
                    images
                        .filter(|image| !one.contexts.contains_key(*image))
                        .map(String::as_str),
                );
            }
            // Its Dockerfile was not read: it may be from any.
            None => tags = vec![WHATEVER],
        }
        let tags: Vec<String> = tags.into_iter().map(bare).collect();
        for (other, own) in self.tags.iter().enumerate() {
            if own
                .iter()
                .any(|own| tags.iter().any(|tag| may_be(own, tag)))
            {
                found.insert(other);
            }
        }
        found.remove(&number);
        found
    }

    /// Returns the images of the same folder that a name may mean.
    fn siblings(&self, one: &Described, name: &str) -> impl Iterator<Item = usize> {
        let folder = folder_of(&one.file);
        let siblings = self.described.iter().enumerate().filter(move |(_, other)| {
            let alias = other.alias.as_deref();
            folder_of(&other.file) == folder
                && (may_be(&other.name, name) || alias.is_some_and(|alias| may_be(alias, name)))
        });
        siblings.map(|(number, _)| number)
    }

    fn add_edges(&self, number: usize, graph: &mut Graph) {
        for base in self.bases(number) {
            graph.depend(&self.ids[number], &self.ids[base]);
        }
    }
}

/// An image of which nothing is known.
const WHATEVER: &str = "\0";

/// Returns an image's name without its version, as it is on Docker Hub without more words.
fn bare(name: &str) -> String {
    let name = name.split('@').next().unwrap_or_default();
    let slash = name.rfind('/').map_or(0, |slash| slash + 1);
    let end = name[slash..]
        .find(':')
        .map_or(name.len(), |colon| slash + colon);
    let name = &name[..end];
    let name = name.strip_prefix("index.").unwrap_or(name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_owned()
}

/// A second file says more of the same image.
fn put_together(known: &mut Project, mut other: Project) {
    known.reads.append(&mut other.reads);
    if known.patterns == other.patterns {
        return;
    }
    let both = known
        .patterns
        .iter()
        .chain(&other.patterns)
        .flat_map(Patterns::sources);
    // What one of them keeps out the other may take in.
    let both = both.filter(|glob| !glob.starts_with('!'));
    known.patterns = Patterns::new(both.map(str::to_owned).collect::<Vec<_>>()).ok();
}

/// Returns a name that a cache may have: letters, digits and dashes.
fn cache_scope(id: &str) -> String {
    let plain = id.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    let plain: String = plain.collect();
    // Two ids may look alike without their signs.
    let digest = crate::sha::Sha::of(id.as_bytes()).to_string();
    format!("{}-{}", plain.trim_matches('-'), &digest[..8])
}

#[cfg(test)]
mod tests;
