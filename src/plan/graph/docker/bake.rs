//! `docker-bake.hcl` and `docker-bake.json` (docs.docker.com, "Bake file reference"): targets, as far as plans need them.
//!
//! A variable is its default, except in `args`: those of a command line's environment are what it is for. Every other expression is
//! not known.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::described::{BuildFile, Described, Place, named_context, place};
use super::hcl;
use super::words::{UNKNOWN, may_be};
use crate::json;
use crate::plan::graph::Graph;
use crate::plan::sources::{Sources, extension, file_name, folder_of};

/// How deep targets and variables build on each other.
const DEEPEST: usize = 32;

/// From how many targets one inherits.
const MOST_PARENTS: usize = 64;

/// A longer text is not followed.
const LONGEST: usize = 512;

/// The files that `docker buildx bake` reads by itself, a later one over an earlier one.
const BY_ITSELF: [&str; 4] = [
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// Bake files put together: targets and variables as they stand there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bake {
    targets: BTreeMap<String, Map<String, Value>>,
    variables: BTreeMap<String, Value>,
}

/// A target. What is not known is [`UNKNOWN`] in its texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    context: Option<String>,
    dockerfile: Option<String>,
    inline: Option<String>,
    /// The stage.
    stage: Option<String>,
    /// Named contexts.
    contexts: BTreeMap<String, String>,
    args: BTreeMap<String, String>,
    /// Whether arguments are given that cannot be read.
    args_are_open: bool,
    tags: Vec<String>,
    /// What a target of a matrix is called.
    alias: Option<String>,
}

impl Bake {
    /// Reads a bake file in HCL.
    pub(super) fn hcl(text: &str) -> Self {
        let mut bake = Self::default();
        for block in hcl::read(text) {
            match (block.word.as_str(), block.labels.into_iter().next()) {
                ("target", Some(name)) => bake.say(name, block.body),
                ("variable", Some(name)) => {
                    let default = block.body.get("default").cloned();
                    bake.variables.insert(name, default.unwrap_or_default());
                }
                (word, None) => {
                    if let Some(value) = block.value {
                        bake.variables.insert(word.to_owned(), value);
                    }
                }
                _ => {}
            }
        }
        bake
    }

    /// Reads a bake file in JSON.
    pub(super) fn json(document: &Value) -> Self {
        let mut bake = Self::default();
        for (name, body) in named(document.get("variable")) {
            let default = body.get("default").cloned();
            bake.variables.insert(name, default.unwrap_or_default());
        }
        for (name, body) in named(document.get("target")) {
            bake.say(name, body);
        }
        bake
    }

    /// Adds what is said of a target to what was said before: what is later holds, maps and lists grow.
    fn say(&mut self, name: String, body: Map<String, Value>) {
        let known = self.targets.entry(name).or_default();
        for (key, value) in body {
            match (known.get_mut(&key), value) {
                (Some(Value::Object(before)), Value::Object(after)) => before.extend(after),
                (Some(Value::Array(before)), Value::Array(after)) => before.extend(after),
                (_, value) => {
                    known.insert(key, value);
                }
            }
        }
    }

    fn over(mut self, other: Self) -> Self {
        for (name, body) in other.targets {
            self.say(name, body);
        }
        for (name, default) in other.variables {
            if !default.is_null() || !self.variables.contains_key(&name) {
                self.variables.insert(name, default);
            }
        }
        self
    }

    /// Returns the targets, with what they inherit.
    pub(super) fn targets(&self) -> BTreeMap<String, Target> {
        let variables = Variables {
            defaults: &self.variables,
            known: RefCell::new(BTreeMap::new()),
        };
        let own = self.targets.iter().map(|(name, body)| {
            let target = Target::read(body, &variables);
            (name.as_str(), target)
        });
        let own: BTreeMap<&str, (Target, Vec<String>)> = crate::order::map(own);
        let mut done = BTreeMap::new();
        for name in own.keys() {
            inherit(name, &own, &mut done, 0);
        }
        let done = done.into_iter();
        crate::order::map(done.filter_map(|(name, target)| Some((name.to_owned(), target?))))
    }
}

/// Returns what a target is with what it inherits; nothing where that ends nowhere.
fn inherit<'t>(
    name: &'t str,
    own: &BTreeMap<&'t str, (Target, Vec<String>)>,
    done: &mut BTreeMap<&'t str, Option<Target>>,
    depth: usize,
) -> Option<Target> {
    if let Some(target) = done.get(name) {
        return target.clone();
    }
    let (target, parents) = own.get(name)?;
    done.insert(name, None);
    let mut whole = Target::default();
    for (number, parent) in parents.iter().enumerate() {
        let same = own.get_key_value(parent.as_str());
        let mut meant: Vec<&str> = same.into_iter().map(|(name, _)| *name).collect();
        if meant.is_empty() {
            let aliased = own.iter().filter(|(_, (target, _))| {
                target
                    .alias
                    .as_ref()
                    .is_some_and(|alias| may_be(alias, parent))
            });
            meant.extend(aliased.map(|(name, _)| *name));
        }
        let parent = match meant[..] {
            [one] if depth < DEEPEST && number < MOST_PARENTS => inherit(one, own, done, depth + 1),
            _ => None,
        };
        whole = parent.unwrap_or_else(Target::unknown).under(whole);
    }
    let whole = target.clone().under(whole);
    done.insert(name, Some(whole.clone()));
    Some(whole)
}

impl Target {
    /// A target of which nothing is known.
    fn unknown() -> Self {
        let unknown = UNKNOWN.to_string();
        Self {
            context: Some(unknown.clone()),
            dockerfile: Some(unknown.clone()),
            stage: Some(unknown.clone()),
            contexts: [(unknown.clone(), unknown)].into(),
            args_are_open: true,
            ..Self::default()
        }
    }

    /// Returns the target with what it does not say itself from another one.
    fn under(self, other: Self) -> Self {
        let mut args = other.args;
        if self.args_are_open {
            args.clear();
        }
        args.extend(self.args);
        let mut contexts = other.contexts;
        contexts.extend(self.contexts);
        Self {
            context: self.context.or(other.context),
            dockerfile: self.dockerfile.or(other.dockerfile),
            inline: self.inline.or(other.inline),
            stage: self.stage.or(other.stage),
            contexts,
            args,
            args_are_open: self.args_are_open || other.args_are_open,
            tags: if self.tags.is_empty() {
                other.tags
            } else {
                self.tags
            },
            alias: self.alias,
        }
    }

    /// Reads a target's own words, and from which targets it inherits.
    fn read(body: &Map<String, Value>, variables: &Variables<'_>) -> (Self, Vec<String>) {
        let matrix = body.get("matrix");
        let turns: BTreeSet<&str> = matrix
            .and_then(Value::as_object)
            .map(|matrix| matrix.keys().map(String::as_str).collect())
            .unwrap_or_default();
        // One that cannot be read may have any name.
        let is_open = matrix.is_some_and(|matrix| !matrix.is_object());
        let lookup = |name: &str| {
            if is_open || turns.contains(name) {
                return None;
            }
            variables.get(name, 0)
        };
        let known = |value: &Value| text_of(value, &lookup);
        let given = |value: &Value| text_of(value, &|_| None);
        let text = |key: &str| body.get(key).map(known);
        let list = |key: &str| -> Vec<String> {
            match body.get(key) {
                None => Vec::new(),
                Some(Value::Array(list)) => list.iter().map(known).collect(),
                Some(_) => vec![UNKNOWN.to_string()],
            }
        };
        let map = |key: &str, read: &dyn Fn(&Value) -> String| match body.get(key) {
            None => Some(BTreeMap::new()),
            Some(Value::Object(map)) => {
                let pairs = map.iter().map(|(name, value)| (name.clone(), read(value)));
                Some(crate::order::map(pairs))
            }
            Some(_) => None,
        };
        let args = map("args", &given);
        let anything = || [(UNKNOWN.to_string(), UNKNOWN.to_string())].into();
        let target = Self {
            context: text("context"),
            dockerfile: text("dockerfile"),
            inline: text("dockerfile-inline"),
            stage: text("target"),
            contexts: map("contexts", &known).unwrap_or_else(anything),
            args_are_open: args.is_none(),
            args: args.unwrap_or_default(),
            tags: list("tags"),
            alias: text("name"),
        };
        (target, list("inherits"))
    }
}

/// Returns the blocks of a kind; JSON may have lists of them.
fn named(value: Option<&Value>) -> Vec<(String, Map<String, Value>)> {
    let mut found = Vec::new();
    for map in some_of(value).into_iter().filter_map(Value::as_object) {
        for (name, bodies) in map {
            let bodies = some_of(Some(bodies)).into_iter();
            let bodies = bodies.filter_map(Value::as_object);
            found.extend(bodies.map(|body| (name.clone(), body.clone())));
        }
    }
    found
}

fn some_of(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().collect(),
        value => value.into_iter().collect(),
    }
}

/// What variables are.
struct Variables<'f> {
    defaults: &'f BTreeMap<String, Value>,
    known: RefCell<BTreeMap<String, String>>,
}

impl Variables<'_> {
    fn get(&self, name: &str, depth: usize) -> Option<String> {
        if let Some(known) = self.known.borrow().get(name) {
            return Some(known.clone());
        }
        let default = self.defaults.get(name).filter(|_| depth < DEEPEST)?;
        // One that needs itself is not known.
        let unknown = UNKNOWN.to_string();
        self.known.borrow_mut().insert(name.to_owned(), unknown);
        let value = text_of(default, &|inner| self.get(inner, depth + 1));
        self.known
            .borrow_mut()
            .insert(name.to_owned(), value.clone());
        Some(value)
    }
}

/// Returns a value as text.
fn text_of(value: &Value, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    match value {
        Value::String(text) => template(text, lookup),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.to_string(),
        _ => UNKNOWN.to_string(),
    }
}

/// Puts variables in; every other expression is not known.
fn template(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '%']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            out.push_str(&rest[1..3]);
            rest = &rest[3..];
        } else if rest.starts_with("%{") {
            // Conditions and loops.
            return UNKNOWN.to_string();
        } else if let Some(inner) = rest.strip_prefix("${") {
            let end = inner.find('}').unwrap_or(inner.len());
            let name = inner[..end].trim_matches(|c: char| c == '~' || c.is_whitespace());
            let is_literal = name.len() > 1
                && name.starts_with('"')
                && name.ends_with('"')
                && !name[1..name.len() - 1].contains(['"', '\\', '$', '%']);
            let is_name = name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
            if is_literal {
                out.push_str(&name[1..name.len() - 1]);
            } else if is_name {
                let value = lookup(name).filter(|value| value.len() <= LONGEST);
                out.push_str(&value.unwrap_or_else(|| UNKNOWN.to_string()));
            } else {
                // Where it ends takes more to say.
                out.push(UNKNOWN);
                return out;
            }
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
        if out.len() > text.len() + 4 * LONGEST {
            return UNKNOWN.to_string();
        }
    }
    out.push_str(rest);
    out
}

/// Reads bake files. Those of one folder may be called by themselves, or over the ones that bake reads by itself.
pub(super) fn read(sources: Sources<'_>, paths: &[String], graph: &mut Graph) -> Vec<Described> {
    let mut folders: BTreeMap<&str, Vec<(&str, Bake)>> = BTreeMap::new();
    for path in paths {
        let Some(text) = sources.text(path) else {
            continue;
        };
        let bake = if extension(path) == Some("json") {
            match json::read(text) {
                Ok(document) => Bake::json(&document),
                Err(error) => {
                    graph.trouble(path, error.to_string());
                    continue;
                }
            }
        } else {
            Bake::hcl(text)
        };
        let files = folders.entry(folder_of(path)).or_default();
        files.push((path, bake));
    }
    let mut found = Vec::new();
    for files in folders.values() {
        found.extend(folder(sources, files));
    }
    found
}

fn folder(sources: Sources<'_>, files: &[(&str, Bake)]) -> Vec<Described> {
    let place_of = |path: &str| BY_ITSELF.iter().position(|name| *name == file_name(path));
    let mut usual: Vec<_> = files
        .iter()
        .filter_map(|(path, bake)| Some((place_of(path)?, *path, bake)))
        .collect();
    crate::order::sort_by_key(&mut usual, |(place, ..)| *place);
    let base = usual
        .iter()
        .fold(Bake::default(), |all, (.., bake)| all.over((*bake).clone()));
    let paths: Vec<&str> = usual.iter().map(|(_, path, _)| *path).collect();
    let by_itself = base.targets();
    let mut found = Vec::new();
    for (name, target) in &by_itself {
        found.extend(describe(sources, &paths, name, target));
    }
    for (path, bake) in files.iter().filter(|(path, _)| place_of(path).is_none()) {
        let mut paths = paths.clone();
        paths.push(path);
        for (name, target) in &base.clone().over(bake.clone()).targets() {
            let is_other = by_itself.get(name) != Some(target);
            if !by_itself.is_empty() && (is_other || bake.targets.contains_key(name)) {
                found.extend(describe(sources, &paths, name, target));
            }
        }
        for (name, target) in &bake.targets() {
            let alone = describe(sources, &[path], name, target);
            // Without a Dockerfile it only adds to another file.
            let is_whole = alone
                .iter()
                .any(|one| one.inline.is_some() || one.inputs(sources).is_some());
            if is_whole || !by_itself.contains_key(name) {
                found.extend(alone);
            }
        }
    }
    found
}

/// Describes a target's image. Paths are meant from where bake is called: beside the file, or at the top.
fn describe(sources: Sources<'_>, paths: &[&str], name: &str, target: &Target) -> Vec<Described> {
    let Some((first, others)) = paths.split_first() else {
        return Vec::new();
    };
    let own = folder_of(first);
    let build = |folder: &str| {
        let mut one = Described::new(first, name);
        one.alias.clone_from(&target.alias);
        one.target.clone_from(&target.stage);
        one.args.clone_from(&target.args);
        one.tags.clone_from(&target.tags);
        one.reads = others.iter().map(|path| (*path).to_owned()).collect();
        let contexts = target.contexts.iter();
        let contexts = contexts
            .map(|(name, context)| (name.clone(), named_context(context, "target:", folder)));
        one.contexts = crate::order::map(contexts);
        let context = place(folder, target.context.as_deref().unwrap_or("."));
        let file = match (&target.inline, &target.dockerfile) {
            (Some(text), _) => BuildFile::Inline(text.clone()),
            (None, Some(path)) => BuildFile::Path(path.clone()),
            (None, None) => BuildFile::default(),
        };
        one.build(
            context.unwrap_or(Place::Below(String::new())),
            &file,
            sources,
        );
        one
    };
    let beside = build(own);
    if own.is_empty() {
        return vec![beside];
    }
    let top = build("");
    let is_there = |one: &Described| {
        let file = one.dockerfile.as_deref();
        file.is_some_and(|file| sources.text(file).is_some())
    };
    match (is_there(&beside), is_there(&top)) {
        (true, false) => vec![beside],
        (false, true) => vec![top],
        // It may be called from either.
        _ => vec![beside, top],
    }
}

#[cfg(test)]
mod tests;
