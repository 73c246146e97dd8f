//! Docker: the images that Dockerfiles, compose files and bake files describe, and the files that each is made from.
//!
//! An image's own files are those that COPY and ADD take from its build context, as far as `.dockerignore` lets them in.

mod bake;
mod dockerfile;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use super::patterns::Patterns;
use super::{Graph, Kind, Project, Scope};
use crate::plan::sources::{Sources, extension, file_name, folder_of, join};
use bake::Said;
use dockerfile::{Dockerfile, Inputs, substitute};

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

/// An image as some file describes it.
#[derive(Debug, Clone, Default)]
struct Described {
    /// The file, from the top.
    file: String,
    name: String,
    /// From the top; none when it is not known.
    context: Option<String>,
    /// From the top; none when it is written in the file itself or not known.
    dockerfile: Option<String>,
    target: Option<String>,
    /// Named contexts: other images by name, folders from the top.
    contexts: BTreeMap<String, Named>,
    /// What others call it in `FROM`.
    tags: Vec<String>,
}

#[derive(Debug, Clone)]
enum Named {
    Image(String),
    Folder(String),
}

/// Whether a file of this name describes images.
pub(super) fn is_source(name: &str) -> bool {
    is_dockerfile(name) || is_compose(name) || is_bake(name) || name.ends_with(".dockerignore")
}

fn is_dockerfile(name: &str) -> bool {
    let is = |word: &str| {
        let after = name.strip_prefix(word);
        let before = name.strip_suffix(word);
        after.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            || before.is_some_and(|rest| rest.ends_with('.'))
    };
    (is("Dockerfile") || is("Containerfile") || extension(name) == Some("dockerfile"))
        && !name.ends_with(".dockerignore")
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
    let mut described = Vec::new();
    let mut alone = Vec::new();
    for (path, _) in sources.tree.iter() {
        let name = file_name(path);
        if is_compose(name) {
            described.extend(compose(sources, path, graph));
        } else if is_bake(name) {
            described.extend(bake_file(sources, path, graph));
        } else if is_dockerfile(name) && !path.split('/').any(|part| part == "node_modules") {
            alone.push(path.to_string());
        }
    }
    let used: BTreeSet<&str> = described
        .iter()
        .filter_map(|one| one.dockerfile.as_deref())
        .collect();
    let alone: Vec<Described> = alone
        .iter()
        .filter(|path| !used.contains(path.as_str()))
        .map(|path| by_itself(sources, path))
        .collect();
    described.extend(alone);
    for one in &described {
        add(sources, one, graph);
    }
    for one in &described {
        add_edges(sources, one, &described, graph);
    }
}

/// A Dockerfile that nothing names is built with its own folder, unless what it copies lies from the top only.
fn by_itself(sources: Sources<'_>, path: &str) -> Described {
    let folder = folder_of(path);
    let inputs = Dockerfile::read(sources.text(path).unwrap_or_default()).inputs(None);
    let plain = inputs
        .sources
        .iter()
        .filter(|source| !source.contains(['*', '?', '[']));
    let plain: Vec<&String> = plain.collect();
    let exist = |context: &str| {
        plain.iter().all(|source| {
            let path = join(context, source).unwrap_or_default();
            sources.has(&path) || sources.has_folder(&path)
        })
    };
    let context = if exist(folder) || !exist("") {
        folder
    } else {
        ""
    };
    let name = file_name(path);
    Described {
        file: path.to_owned(),
        name: if name == "Dockerfile" {
            String::new()
        } else {
            name.to_owned()
        },
        context: Some(context.to_owned()),
        dockerfile: Some(path.to_owned()),
        ..Described::default()
    }
}

impl Described {
    fn id(&self) -> String {
        self.project().id()
    }

    fn project(&self) -> Project {
        let folder = folder_of(&self.file);
        let name = if self.name.is_empty() {
            file_name(folder)
        } else {
            &self.name
        };
        let mut project = Project::new(Kind::Docker, folder, name);
        project.part = (!self.name.is_empty()).then(|| self.name.clone());
        project.scope = Scope::Nothing;
        project
    }

    fn inputs(&self, sources: Sources<'_>) -> Option<Inputs> {
        let text = sources.text(self.dockerfile.as_deref()?)?;
        Some(Dockerfile::read(text).inputs(self.target.as_deref()))
    }
}

fn add(sources: Sources<'_>, one: &Described, graph: &mut Graph) {
    let mut project = one.project();
    let id = project.id();
    project.reads.push(one.file.clone());
    project.reads.extend(one.dockerfile.clone());
    for named in one.contexts.values() {
        if let Named::Folder(folder) = named {
            project.reads.push(folder.clone());
        }
    }
    let mut globs: Vec<String> = Vec::new();
    match (&one.context, one.inputs(sources)) {
        (Some(context), Some(inputs)) => {
            globs.extend(
                inputs
                    .sources
                    .iter()
                    .filter_map(|source| join(context, source)),
            );
            let own = one
                .dockerfile
                .as_ref()
                .map(|file| format!("{file}.dockerignore"));
            let shared = join(context, ".dockerignore").unwrap_or_default();
            let ignore = own.filter(|own| sources.has(own)).unwrap_or(shared);
            if !globs.is_empty() {
                globs.extend(ignored(sources.text(&ignore).unwrap_or_default(), context));
            }
            project.reads.push(ignore);
        }
        (Some(context), None) => globs.push(context.clone()),
        // It may be built from anything.
        (None, _) => globs.push(String::new()),
    }
    let globs = globs.into_iter().map(|glob| {
        if glob.is_empty() {
            ".".to_owned()
        } else {
            glob
        }
    });
    project.patterns = Patterns::new(globs).ok();
    if project.patterns.is_none() {
        project.reads.push(one.context.clone().unwrap_or_default());
    }
    project.image = Some(Image {
        context: one.context.clone(),
        dockerfile: one.dockerfile.clone(),
        target: one.target.clone(),
        cache_scope: cache_scope(&id),
    });
    if let Some(known) = graph.get_mut(&id) {
        // A second file says more of the same service.
        known.reads.append(&mut project.reads);
        let both = known
            .patterns
            .iter()
            .chain(&project.patterns)
            .flat_map(Patterns::sources);
        known.patterns = Patterns::new(both.map(str::to_owned).collect::<Vec<_>>()).ok();
        return;
    }
    graph.add(project);
}

/// Returns what `.dockerignore` keeps out, as patterns that take away; nothing where it has exceptions.
fn ignored(text: &str, context: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    if lines.iter().any(|line| line.starts_with('!')) {
        return Vec::new();
    }
    let globs = lines
        .iter()
        .filter_map(|line| join(context, line.trim_start_matches('/')));
    globs
        .filter(|glob| !glob.is_empty())
        .map(|glob| format!("!{glob}"))
        .collect()
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
    let digest = crate::event::Sha::of(id.as_bytes()).to_string();
    format!("{}-{}", plain.trim_matches('-'), &digest[..8])
}

fn add_edges(sources: Sources<'_>, one: &Described, all: &[Described], graph: &mut Graph) {
    let from = one.id();
    let folder = folder_of(&one.file);
    let sibling = |name: &str| {
        all.iter()
            .find(|other| other.name == name && folder_of(&other.file) == folder)
    };
    for named in one.contexts.values() {
        if let Named::Image(name) = named
            && let Some(other) = sibling(name)
        {
            graph.depend(&from, &other.id());
        }
    }
    for image in one.inputs(sources).unwrap_or_default().images {
        if one.contexts.contains_key(&image) {
            continue;
        }
        for other in all
            .iter()
            .filter(|other| other.tags.iter().any(|tag| same_image(tag, &image)))
        {
            graph.depend(&from, &other.id());
        }
    }
}

/// Whether a tag and what stands in `FROM` are the same image, whichever version.
fn same_image(tag: &str, image: &str) -> bool {
    let bare = |name: &str| {
        let name = name.split('@').next().unwrap_or_default();
        let slash = name.rfind('/').map_or(0, |slash| slash + 1);
        let end = name[slash..]
            .find(':')
            .map_or(name.len(), |colon| slash + colon);
        name[..end].to_owned()
    };
    !tag.is_empty() && bare(tag) == bare(image)
}

fn compose(sources: Sources<'_>, path: &str, graph: &mut Graph) -> Vec<Described> {
    let document = match serde_yaml::from_str::<Value>(sources.text(path).unwrap_or_default()) {
        Ok(document) => document,
        Err(error) => {
            graph.trouble(path, error.to_string());
            return Vec::new();
        }
    };
    let services = document
        .get("services")
        .and_then(|services| services.as_mapping());
    let mut found = Vec::new();
    for (name, service) in services.into_iter().flatten() {
        let (Some(name), Some(build)) = (name.as_str(), service.get("build")) else {
            continue;
        };
        let text = |key: &str| build.get(key).and_then(|value| value.as_str());
        let context = build.as_str().or_else(|| text("context")).unwrap_or(".");
        let context = place(folder_of(path), context);
        let dockerfile = text("dockerfile").unwrap_or("Dockerfile");
        let is_inline = build.get("dockerfile_inline").is_some();
        let named = build.get("additional_contexts");
        found.push(Described {
            file: path.to_owned(),
            name: name.to_owned(),
            dockerfile: context
                .as_deref()
                .filter(|_| !is_inline)
                .and_then(|context| place(context, dockerfile)),
            context,
            target: text("target").map(str::to_owned),
            contexts: named
                .map(|named| compose_contexts(named, folder_of(path)))
                .unwrap_or_default(),
            tags: service
                .get("image")
                .and_then(|image| image.as_str())
                .map(str::to_owned)
                .into_iter()
                .collect(),
        });
    }
    found
}

fn compose_contexts(named: &Value, folder: &str) -> BTreeMap<String, Named> {
    let mut pairs = Vec::new();
    for (name, context) in named.as_mapping().into_iter().flatten() {
        pairs.extend(name.as_str().zip(context.as_str()));
    }
    let list = named
        .as_sequence()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str());
    pairs.extend(list.filter_map(|one| one.split_once('=')));
    pairs
        .into_iter()
        .filter_map(|(name, context)| {
            Some((name.to_owned(), named_context(context, "service:", folder)?))
        })
        .collect()
}

fn named_context(context: &str, scheme: &str, folder: &str) -> Option<Named> {
    if let Some(image) = context.strip_prefix(scheme) {
        return Some(Named::Image(image.to_owned()));
    }
    place(folder, context).map(Named::Folder)
}

/// Returns a folder or file from the top; nothing for an address, or for what only the build knows.
fn place(folder: &str, path: &str) -> Option<String> {
    let (path, is_known) = substitute(path, &BTreeMap::new());
    if !is_known || path.contains("://") || path.contains("git@") {
        return None;
    }
    join(folder, &path)
}

fn bake_file(sources: Sources<'_>, path: &str, graph: &mut Graph) -> Vec<Described> {
    let text = sources.text(path).unwrap_or_default();
    let targets = if extension(path) == Some("json") {
        match serde_json::from_str(text) {
            Ok(document) => bake::read_json(&document),
            Err(error) => {
                graph.trouble(path, error.to_string());
                return Vec::new();
            }
        }
    } else {
        bake::read_hcl(text)
    };
    let mut found = Vec::new();
    for (name, target) in &targets {
        let mut chain = vec![target];
        let mut next = 0;
        while let Some(one) = chain.get(next).copied() {
            let parents = one
                .inherits
                .iter()
                .rev()
                .filter_map(|parent| targets.get(parent));
            // A loop of targets would go on forever.
            chain.extend(parents.take(if chain.len() > 64 { 0 } else { 64 }));
            next += 1;
        }
        let first = |pick: fn(&bake::Target) -> &Said| {
            let said = chain.iter().map(|one| pick(one));
            let mut said = said.filter(|said| **said != Said::Nothing);
            said.next().cloned().unwrap_or_default()
        };
        let context = first(|one| &one.context).or(".");
        let dockerfile = first(|one| &one.dockerfile).or("Dockerfile");
        // Paths are meant from where bake is called: beside the file, or at the top.
        let is_there = |folder: &str| {
            let context = place(folder, context.as_deref()?)?;
            let file = place(&context, dockerfile.as_deref()?)?;
            sources.has(&file).then_some(())
        };
        let own = folder_of(path);
        let folder = if is_there(own).is_none() && is_there("").is_some() {
            ""
        } else {
            own
        };
        let context = context.and_then(|context| place(folder, &context));
        let named = chain.iter().flat_map(|one| &one.contexts);
        found.push(Described {
            file: path.to_owned(),
            name: name.clone(),
            dockerfile: context
                .as_deref()
                .zip(dockerfile.as_deref())
                .and_then(|(context, file)| place(context, file)),
            context,
            target: match first(|one| &one.stage) {
                Said::Text(stage) => Some(stage),
                _ => None,
            },
            contexts: named
                .filter_map(|(name, context)| {
                    Some((name.clone(), named_context(context, "target:", folder)?))
                })
                .collect(),
            tags: target.tags.clone(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::plan::graph::owners::Owners;
    use crate::plan::graph::tests::{dependents, projects, read};

    #[track_caller]
    fn check(files: &[(&str, &str)], path: &str, expected: &[&str]) {
        let graph = read(files);
        let mut found: Vec<_> = Owners::new(&graph)
            .of(path)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_services_image_is_made_from_its_context() {
        let files = [
            (
                "compose.yaml",
                "services:\n  api:\n    build: ./api\n  web:\n    build: {context: ., dockerfile: web/Dockerfile, target: prod}\n  db: {image: postgres}\n",
            ),
            ("api/Dockerfile", "FROM rust\nCOPY . .\n"),
            ("api/.dockerignore", "target\n*.md\n"),
            (
                "web/Dockerfile",
                "FROM node AS prod\nCOPY package.json web ./\nFROM prod AS dev\nCOPY dev .\n",
            ),
        ];
        assert_eq!(projects(&read(&files)), ["docker:.#api", "docker:.#web"]);
        check(&files, "api/src/main.rs", &["docker:.#api"]);
        check(&files, "api/README.md", &[]);
        check(&files, "api/target/x", &[]);
        check(&files, "api/.dockerignore", &["docker:.#api"]);
        check(&files, "web/x.js", &["docker:.#web"]);
        check(&files, "package.json", &["docker:.#web"]);
        check(&files, "dev/x", &[]);
        check(&files, "compose.yaml", &["docker:.#api", "docker:.#web"]);
    }

    #[test]
    fn bake_targets_build_on_each_other() {
        let files = [
            (
                "docker/docker-bake.hcl",
                "target \"app\" {\ncontext = \"../app\"\ncontexts = { base = \"target:base\" }\n}\ntarget \"base\" {\ncontext = \"..\"\ndockerfile = \"docker/base.Dockerfile\"\n}\n",
            ),
            (
                "docker/base.Dockerfile",
                "FROM debian\nCOPY scripts/*.sh /\n",
            ),
            ("app/Dockerfile", "FROM base\nCOPY src src\n"),
        ];
        assert_eq!(
            projects(&read(&files)),
            ["docker:docker#app", "docker:docker#base"]
        );
        assert_eq!(
            dependents(&read(&files), "docker:docker#base"),
            ["docker:docker#app"]
        );
        check(&files, "scripts/a.sh", &["docker:docker#base"]);
        check(&files, "app/src/x", &["docker:docker#app"]);
        check(&files, "app/other", &[]);
    }

    #[test]
    fn a_dockerfile_alone_is_built_where_its_files_are() {
        let files = [
            ("deploy/Dockerfile", "FROM x\nCOPY crates crates\n"),
            ("crates/a.rs", ""),
            ("tool/Dockerfile", "FROM x\nCOPY . .\n"),
        ];
        check(&files, "crates/a.rs", &["docker:deploy"]);
        check(&files, "tool/x", &["docker:tool"]);
    }

    #[test]
    fn an_image_that_another_is_from_is_its_dependency() {
        let files = [
            (
                "docker-compose.yml",
                "services:\n  base:\n    image: acme/base:dev\n    build: base\n  app:\n    build: app\n",
            ),
            ("base/Dockerfile", "FROM debian\n"),
            ("app/Dockerfile", "FROM acme/base\n"),
        ];
        assert_eq!(dependents(&read(&files), "docker:.#base"), ["docker:.#app"]);
    }

    #[test]
    fn what_is_not_known_may_be_anything() {
        let files = [("compose.yml", "services:\n  a:\n    build: ${WHERE}\n")];
        check(&files, "some/file", &["docker:.#a"]);
    }
}
