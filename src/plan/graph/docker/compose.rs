//! Compose files (docs.docker.com, "Compose file reference"): the services that are built.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_yaml::Value;

use super::described::{BuildFile, Described, Named, Place, named_context, place};
use super::words::{UNKNOWN, Words};
use crate::config;
use crate::plan::graph::Graph;
use crate::plan::sources::{Sources, folder_of, join};

/// How deep merged maps and extended services lie in each other.
const DEEPEST: usize = 16;

/// Of more ways to put the files of a folder together, any is possible.
const MOST_WAYS: usize = 64;

/// Services as one file has them.
#[derive(Debug, Clone)]
struct Service {
    file: String,
    name: String,
    build: Build,
}

/// How a service is built, as far as a file says it.
#[derive(Debug, Clone, Default)]
struct Build {
    /// Whether it is built at all.
    is_there: bool,
    /// Whether more of it is said where we cannot read.
    is_open: bool,
    context: Option<Place>,
    file: Option<BuildFile>,
    target: Option<String>,
    args: BTreeMap<String, String>,
    contexts: BTreeMap<String, Named>,
    image: Option<String>,
    /// Other files that it stands in.
    reads: Vec<String>,
}

/// Reads compose files; a service that several files of a folder describe may be built by any of them together.
pub(super) fn read(sources: Sources<'_>, paths: &[String], graph: &mut Graph) -> Vec<Described> {
    let mut reader = Reader {
        sources,
        documents: BTreeMap::new(),
        environments: BTreeMap::new(),
    };
    let mut services: BTreeMap<(String, String), Vec<Service>> = BTreeMap::new();
    for path in paths {
        let document = match reader.document(path) {
            Some(Ok(document)) => document,
            Some(Err(words)) => {
                graph.trouble(path, &*words);
                continue;
            }
            None => continue,
        };
        let folder = folder_of(path);
        for (name, service) in get(&document, "services").map(entries).unwrap_or_default() {
            let build = reader.service(&document, path, service, 0);
            let key = (folder.to_owned(), name.to_owned());
            services.entry(key).or_default().push(Service {
                file: path.clone(),
                name: name.to_owned(),
                build,
            });
        }
    }
    let mut found = Vec::new();
    for same in services.values() {
        for one in same.iter().filter(|one| one.build.is_there) {
            found.extend(ways(sources, one, same));
        }
    }
    found
}

/// Returns the ways to build a service of one file, where other files say what this one does not.
fn ways(sources: Sources<'_>, one: &Service, same: &[Service]) -> Vec<Described> {
    let folder = folder_of(&one.file);
    let contexts: BTreeSet<Place> = match &one.build.context {
        Some(context) => [context.clone()].into(),
        None => crate::order::set(same.iter().filter_map(|other| other.build.context.clone())),
    };
    let files: BTreeSet<BuildFile> = match &one.build.file {
        Some(file) => [file.clone()].into(),
        None => {
            let said = same.iter().filter_map(|other| other.build.file.clone());
            crate::order::set(said.chain([BuildFile::default()]))
        }
    };
    let contexts = if contexts.is_empty() {
        [Place::Known(folder.to_owned())].into()
    } else {
        contexts
    };
    let mut described = Described::new(&one.file, &one.name);
    described.args.clone_from(&one.build.args);
    described.contexts.clone_from(&one.build.contexts);
    let tags = same.iter().filter_map(|other| other.build.image.clone());
    described.tags = tags.collect();
    let is_elsewhere = same.iter().any(|other| other.build.target.is_some());
    described.target = match &one.build.target {
        None if is_elsewhere => Some(UNKNOWN.to_string()),
        target => target.clone(),
    };
    described.reads.clone_from(&one.build.reads);
    if sources
        .text(&one.file)
        .is_some_and(|text| text.contains('$'))
    {
        described.reads.extend(join(folder, ".env"));
        described
            .reads
            .extend(sources.has(".env").then(|| ".env".to_owned()));
    }
    if one.build.is_open || contexts.len() * files.len() > MOST_WAYS {
        return vec![described];
    }
    let mut found = Vec::new();
    for context in &contexts {
        for file in &files {
            let mut way = described.clone();
            way.build(context.clone(), file, sources);
            found.push(way);
        }
    }
    found
}

type Document = Result<Rc<Value>, Rc<str>>;

struct Reader<'s> {
    sources: Sources<'s>,
    documents: BTreeMap<String, Document>,
    /// By folder.
    environments: BTreeMap<String, Rc<Environment>>,
}

impl Reader<'_> {
    /// Returns a document; nothing when it is not at hand.
    fn document(&mut self, path: &str) -> Option<Document> {
        if let Some(document) = self.documents.get(path) {
            return Some(document.clone());
        }
        let text = self.sources.text(path)?;
        let document = config::read_foreign::<Value>(text)
            .map(Rc::new)
            .map_err(Rc::from);
        self.documents.insert(path.to_owned(), document.clone());
        Some(document)
    }

    fn environment(&mut self, folder: &str) -> Rc<Environment> {
        let sources = self.sources;
        let known = self.environments.entry(folder.to_owned());
        Rc::clone(known.or_insert_with(|| Rc::new(Environment::of(sources, folder))))
    }

    fn service(&mut self, document: &Value, path: &str, service: &Value, depth: usize) -> Build {
        let mut build = match get(service, "extends") {
            Some(extends) => self.extended(document, path, extends, depth),
            None => Build::default(),
        };
        let environment = self.environment(folder_of(path));
        if let Some(image) = get(service, "image").and_then(Value::as_str) {
            build.image = Some(environment.expand(image));
        }
        if let Some(own) = get(service, "build").filter(|own| !untagged(own).is_null()) {
            build.is_there = true;
            build.say(own, folder_of(path), &environment);
        }
        build
    }

    /// Returns what a service has from the one that it extends.
    fn extended(&mut self, document: &Value, path: &str, extends: &Value, depth: usize) -> Build {
        let unknown = Build {
            is_there: true,
            is_open: true,
            ..Build::default()
        };
        let name = extends
            .as_str()
            .or_else(|| get(extends, "service").and_then(Value::as_str));
        let Some(name) = name.filter(|_| depth < DEEPEST) else {
            return unknown;
        };
        let Some(file) = get(extends, "file").and_then(Value::as_str) else {
            let service = get(document, "services").and_then(|services| get(services, name));
            return match service {
                Some(service) => self.service(document, path, service, depth + 1),
                None => unknown,
            };
        };
        let Some(path) = join(folder_of(path), file) else {
            return unknown;
        };
        let Some(Ok(document)) = self.document(&path) else {
            return unknown;
        };
        let service = get(&document, "services").and_then(|services| get(services, name));
        service.map_or(unknown, |service| {
            let mut build = self.service(&document, &path, service, depth + 1);
            build.reads.push(path.clone());
            build
        })
    }
}

impl Build {
    /// Takes over what `build:` says.
    fn say(&mut self, build: &Value, folder: &str, environment: &Environment) {
        let text = |key: &str| {
            let text = get(build, key)?.as_str()?;
            Some(environment.expand(text))
        };
        let context = match build.as_str() {
            Some(context) => Some(environment.expand(context)),
            None => text("context"),
        };
        if let Some(context) = context {
            let anywhere = Place::Below(String::new());
            self.context = Some(place(folder, &context).unwrap_or(anywhere));
        }
        if let Some(dockerfile) = text("dockerfile") {
            self.file = Some(BuildFile::Path(dockerfile));
        }
        if let Some(inline) = text("dockerfile_inline") {
            self.file = Some(BuildFile::Inline(inline));
        }
        self.target = text("target").or(self.target.take());
        for (name, value) in get(build, "args").map(pairs).unwrap_or_default() {
            // What the environment says of a value may be something else on another day.
            let value = value.map_or(UNKNOWN.to_string(), |value| {
                let words = Words {
                    lookup: &|_| Some(UNKNOWN.to_string()),
                    escape: None,
                };
                words.expand(&value)
            });
            self.args.insert(name, value);
        }
        for (name, context) in get(build, "additional_contexts")
            .map(pairs)
            .unwrap_or_default()
        {
            let context =
                context.map_or(UNKNOWN.to_string(), |context| environment.expand(&context));
            self.contexts
                .insert(name, named_context(&context, "service:", folder));
        }
    }
}

/// What `.env` beside a compose file says.
struct Environment {
    values: BTreeMap<String, String>,
    /// Whether there is one that cannot be read.
    is_open: bool,
}

impl Environment {
    fn of(sources: Sources<'_>, folder: &str) -> Self {
        let own = join(folder, ".env").unwrap_or_default();
        let text = sources.text(&own);
        let mut environment = Self {
            values: BTreeMap::new(),
            is_open: text.is_none() && sources.has(&own),
        };
        // Whoever calls compose from the top may have the top's file.
        if !folder.is_empty() && (sources.has(".env")) {
            let mut top = Self {
                values: BTreeMap::new(),
                is_open: false,
            };
            top.read(sources.text(".env").unwrap_or_default());
            let names = top.values.into_keys();
            environment.values = crate::order::map(names.map(|name| (name, UNKNOWN.to_string())));
        }
        environment.read(text.unwrap_or_default());
        environment
    }

    fn read(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once(['=', ':']) else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if name.starts_with('#') {
                continue;
            }
            let value = if let Some(raw) = value.strip_prefix('\'') {
                raw.split('\'').next().unwrap_or_default().to_owned()
            } else if let Some(quoted) = value.strip_prefix('"') {
                self.expand(quoted.split('"').next().unwrap_or_default())
            } else {
                let plain = value.split(" #").next().unwrap_or_default();
                self.expand(plain.trim_end())
            };
            self.values.insert(name.to_owned(), value);
        }
    }

    fn expand(&self, text: &str) -> String {
        let words = Words {
            lookup: &|name| {
                let open = || self.is_open.then(|| UNKNOWN.to_string());
                self.values.get(name).cloned().or_else(open)
            },
            escape: None,
        };
        words.expand(text)
    }
}

fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => &tagged.value,
        value => value,
    }
}

/// Returns a key's value, with merged maps looked into where a map does not have it itself.
fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let mut found = None;
    walk(value, 0, &mut |name, value| {
        if name == key && found.is_none() {
            found = Some(value);
        }
    });
    found
}

/// Returns the keys and values of a map and of those that are merged into it.
fn entries(value: &Value) -> Vec<(&str, &Value)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    walk(value, 0, &mut |name, value| {
        if seen.insert(name) {
            found.push((name, value));
        }
    });
    found
}

/// Goes through a map's own keys first, then through those of `<<`; what comes first holds.
fn walk<'v>(value: &'v Value, depth: usize, visit: &mut dyn FnMut(&'v str, &'v Value)) {
    let Some(map) = value.as_mapping().filter(|_| depth < DEEPEST) else {
        return;
    };
    let named = || {
        map.iter()
            .filter_map(|(key, value)| Some((key.as_str()?, value)))
    };
    for (name, value) in named().filter(|(name, _)| *name != "<<") {
        visit(name, value);
    }
    for (_, merged) in named().filter(|(name, _)| *name == "<<") {
        for one in merged.as_sequence().into_iter().flatten() {
            walk(one, depth + 1, visit);
        }
        walk(merged, depth + 1, visit);
    }
}

/// Reads a map, or a list of `NAME=VALUE`; nothing for a value that stands in the environment.
fn pairs(value: &Value) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for (name, value) in entries(value) {
        found.push((name.to_owned(), scalar(value)));
    }
    for line in value.as_sequence().into_iter().flatten() {
        let Some(line) = line.as_str() else {
            continue;
        };
        found.push(match line.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (line.to_owned(), None),
        });
    }
    found
}

fn scalar(value: &Value) -> Option<String> {
    match untagged(value) {
        Value::String(text) => Some(text.clone()),
        Value::Bool(is) => Some(is.to_string()),
        // Numbers are written in more than one way.
        _ => None,
    }
}
