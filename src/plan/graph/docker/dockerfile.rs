//! A `Dockerfile`: its stages, and what they take from the build context (docs.docker.com, "Dockerfile reference").

use std::collections::{BTreeMap, BTreeSet};

use super::globs;
use super::lines::{Instruction, instructions, is_here_document};
use super::words::{UNKNOWN, Words, may_be, split};

use crate::json;

/// How many stages are looked through for a variable.
const LONGEST_CHAIN: usize = 64;

/// Of more stages, a name that is not wholly known may mean any.
const MOST_COMPARED: usize = 256;

/// What instructions take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Taken {
    /// Images, stages and named contexts.
    from: BTreeSet<String>,
    /// Globs from the context's top, `""` for all of it.
    sources: BTreeSet<String>,
}

/// A stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stage {
    /// What stands in FROM.
    base: String,
    /// The stage that it is from, if it is one.
    parent: Option<usize>,
    taken: Taken,
    /// What images and stages take that are from this one.
    triggers: Taken,
    env: BTreeMap<String, String>,
    args: BTreeMap<String, String>,
}

/// What a Dockerfile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    stages: Vec<Stage>,
    /// Stages by their names in small letters; a later one of a name comes last.
    names: BTreeMap<String, Vec<usize>>,
    /// ARGs before the first FROM.
    args: BTreeMap<String, String>,
}

/// What an image of a Dockerfile is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) sources: BTreeSet<String>,
    /// What is no stage: other images and named contexts.
    pub(super) images: BTreeSet<String>,
    /// What images that are from this one take from their own contexts.
    pub(super) triggers: BTreeSet<String>,
}

/// What a build gives to a Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given<'g> {
    pub(super) args: Option<&'g BTreeMap<String, String>>,
    /// Whether an ARG that is not given is its default; otherwise it may be anything, because a command line may give it.
    pub(super) defaults_hold: bool,
}

impl Given<'_> {
    fn arg(&self, name: &str) -> Option<&String> {
        self.args?.get(name)
    }
}

impl Dockerfile {
    pub(super) fn read(text: &str, given: &Given<'_>) -> Self {
        let mut file = Self::default();
        let (instructions, escape) = instructions(text);
        for instruction in instructions {
            let rest = instruction.rest.as_str();
            match instruction.verb.as_str() {
                "ARG" => file.arg(rest, escape, given),
                "ENV" => file.env(rest, escape),
                "FROM" => file.from(rest, escape),
                "ONBUILD" => {
                    let inner = Instruction::parse(rest);
                    // What its variables are is known where it is built on.
                    let words = Words {
                        lookup: &|_| Some(UNKNOWN.to_string()),
                        escape: Some(escape),
                    };
                    let taken = taken(&inner, words, escape);
                    if let Some(stage) = file.stages.last_mut() {
                        stage.triggers.add(taken);
                    }
                }
                _ => {
                    let lookup = |name: &str| file.lookup(name);
                    let words = Words {
                        lookup: &lookup,
                        escape: Some(escape),
                    };
                    let taken = taken(&instruction, words, escape);
                    if let Some(stage) = file.stages.last_mut() {
                        stage.taken.add(taken);
                    }
                }
            }
        }
        file
    }

    fn expand(&self, text: &str, escape: char) -> String {
        let lookup = |name: &str| self.lookup(name);
        let words = Words {
            lookup: &lookup,
            escape: Some(escape),
        };
        words.expand(text)
    }

    /// Returns a variable as it is now: ENV goes before ARG, and stages have those of the stage that they are from.
    fn lookup(&self, name: &str) -> Option<String> {
        if self.stages.is_empty() {
            return self.args.get(name).cloned();
        }
        let chain = |pick: fn(&Stage) -> &BTreeMap<String, String>| {
            let mut stage = self.stages.last();
            for _ in 0..LONGEST_CHAIN {
                let one = stage?;
                if let Some(value) = pick(one).get(name) {
                    return Some(value.clone());
                }
                stage = one.parent.and_then(|parent| self.stages.get(parent));
            }
            stage.map(|_| UNKNOWN.to_string())
        };
        chain(|stage| &stage.env).or_else(|| chain(|stage| &stage.args))
    }

    fn arg(&mut self, rest: &str, escape: char, given: &Given<'_>) {
        for word in split(rest, escape).unwrap_or_else(|| rest.split_whitespace().collect()) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (word, None),
            };
            let value = match (given.arg(name), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) if given.defaults_hold => self.expand(default, escape),
                (None, None) => self
                    .args
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| UNKNOWN.to_string()),
                // An address stays one, whichever it is.
                (None, Some(default)) => match default.split_once("://") {
                    Some((scheme, _)) => {
                        format!("{}://{UNKNOWN}", scheme.trim_matches(['"', '\'']))
                    }
                    None => UNKNOWN.to_string(),
                },
            };
            let args = match self.stages.last_mut() {
                Some(stage) => &mut stage.args,
                None => &mut self.args,
            };
            args.insert(name.to_owned(), value);
        }
    }

    fn env(&mut self, rest: &str, escape: char) {
        let words = split(rest, escape).unwrap_or_else(|| rest.split_whitespace().collect());
        // The old form has one name, and the rest of the line is its value.
        let pairs: Vec<(&str, &str)> = match words.first() {
            Some(first) if !first.contains('=') => {
                let value = rest.trim_start().strip_prefix(first).unwrap_or_default();
                vec![(*first, value.trim())]
            }
            _ => words
                .iter()
                .filter_map(|word| word.split_once('='))
                .collect(),
        };
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), self.expand(value, escape)));
        let pairs: Vec<(String, String)> = pairs.collect();
        if let Some(stage) = self.stages.last_mut() {
            stage.env.extend(pairs);
        }
    }

    fn from(&mut self, rest: &str, escape: char) {
        let (_, words) = flags(rest, escape);
        let words: Vec<&str> = words.split_whitespace().collect();
        let expander = Words {
            lookup: &|name| self.args.get(name).cloned(),
            escape: Some(escape),
        };
        let base = words
            .first()
            .map(|image| expander.expand(image))
            .unwrap_or_default();
        // Only stages before it may be meant.
        let same = self.names.get(&base.to_ascii_lowercase());
        let parent = same.and_then(|stages| stages.last()).copied();
        if let [_, verb, name, ..] = words[..]
            && verb.eq_ignore_ascii_case("as")
        {
            let named = self.names.entry(name.to_ascii_lowercase());
            named.or_default().push(self.stages.len());
        }
        self.stages.push(Stage {
            base,
            parent,
            ..Stage::default()
        });
    }

    /// Returns what the image of a stage, or of the last one, is made from.
    pub(super) fn inputs(&self, target: Option<&str>) -> Inputs {
        let mut inputs = Inputs::default();
        let named = target.map(|target| self.named(target)).unwrap_or_default();
        let mut open: Vec<usize> = match target {
            // A target that is not there may be a variable: then every stage counts.
            Some(_) if named.is_empty() => (0..self.stages.len()).collect(),
            Some(_) => named,
            None => self.stages.len().checked_sub(1).into_iter().collect(),
        };
        for number in &open {
            let triggers = &self.stages[*number].triggers;
            inputs.triggers.extend(triggers.sources.iter().cloned());
            inputs.images.extend(triggers.from.iter().cloned());
        }
        let mut seen: BTreeSet<usize> = open.iter().copied().collect();
        let mut looked_up: BTreeSet<&str> = BTreeSet::new();
        while let Some(number) = open.pop() {
            let stage = &self.stages[number];
            inputs.sources.extend(stage.taken.sources.iter().cloned());
            let mut others: Vec<usize> = stage.parent.into_iter().collect();
            let base = stage.parent.is_none().then_some(&stage.base);
            if let Some(base) = base {
                inputs.images.insert(base.clone());
                if base.contains(UNKNOWN) && looked_up.insert(base) {
                    others.extend(self.named(base));
                }
            }
            for from in &stage.taken.from {
                if !looked_up.insert(from) {
                    continue;
                }
                let stages = self.named(from);
                if stages.iter().all(|other| *other == number) || from.contains(UNKNOWN) {
                    inputs.images.insert(from.clone());
                }
                others.extend(stages);
            }
            // Images of this kind take all of the context into what is from them.
            if base.is_some_and(|base| base.ends_with("onbuild")) {
                inputs.sources.insert(String::new());
            }
            for other in others {
                let triggers = &self.stages[other].triggers;
                inputs.sources.extend(triggers.sources.iter().cloned());
                inputs.images.extend(triggers.from.iter().cloned());
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        inputs
    }

    /// Returns the stages that a name or number may mean.
    fn named(&self, name: &str) -> Vec<usize> {
        let wanted = name.to_ascii_lowercase();
        if !wanted.contains(UNKNOWN) {
            let number = wanted.parse().ok();
            let number = number.filter(|number| *number < self.stages.len());
            let named = self.names.get(&wanted).into_iter().flatten().copied();
            return named.chain(number).collect();
        }
        if self.stages.len() > MOST_COMPARED {
            return (0..self.stages.len()).collect();
        }
        let named = self.names.iter().filter(|(own, _)| may_be(own, &wanted));
        let named = named.flat_map(|(_, stages)| stages.iter().copied());
        let numbered = (0..self.stages.len()).filter(|number| may_be(&number.to_string(), &wanted));
        named.chain(numbered).collect()
    }
}

impl Taken {
    fn add(&mut self, mut other: Self) {
        self.from.append(&mut other.from);
        self.sources.append(&mut other.sources);
    }
}

/// Returns what COPY, ADD or RUN takes.
fn taken(instruction: &Instruction, words: Words<'_>, escape: char) -> Taken {
    match instruction.verb.as_str() {
        "COPY" | "ADD" => copied(&instruction.rest, words, escape),
        "RUN" => mounted(&instruction.rest, words, escape),
        _ => Taken::default(),
    }
}

fn copied(rest: &str, expander: Words<'_>, escape: char) -> Taken {
    let mut taken = Taken::default();
    let (flags, rest) = flags(rest, escape);
    if let Some(from) = flags.iter().find_map(|flag| flag.strip_prefix("--from=")) {
        taken.from.insert(expander.expand(from));
        return taken;
    }
    let lists: Vec<Vec<String>> = match json::read(rest) {
        Ok(list) => vec![list],
        // Versions differ in whether a space in quotes ends a word.
        Err(_) => {
            let plain = rest.split_whitespace().map(str::to_owned).collect();
            let quoted = split(rest, escape).unwrap_or_default();
            vec![plain, quoted.into_iter().map(str::to_owned).collect()]
        }
    };
    for list in lists {
        let Some((_, sources)) = list.split_last() else {
            continue;
        };
        for source in sources.iter().filter(|source| !is_here_document(source)) {
            let source = expander.expand(source);
            if !source.contains("://") && !source.starts_with("git@") {
                taken.sources.insert(source_of(&source, escape));
            }
        }
    }
    taken
}

fn mounted(rest: &str, expander: Words<'_>, escape: char) -> Taken {
    let mut taken = Taken::default();
    let (flags, _) = flags(rest, escape);
    for flag in flags {
        let flag = expander.expand(flag);
        let Some(mount) = flag.strip_prefix("--mount=") else {
            continue;
        };
        let field = |names: &[&str]| {
            let mut fields = mount.split(',').filter_map(|field| field.split_once('='));
            fields
                .find(|(name, _)| names.contains(&name.trim().to_ascii_lowercase().as_str()))
                .map(|(_, value)| value.trim_matches('"'))
        };
        if let Some(from) = field(&["from"]) {
            taken.from.insert(from.to_owned());
        } else if field(&["type"]).is_none_or(|kind| kind == "bind" || kind.contains(UNKNOWN)) {
            let source = field(&["source", "src"]).unwrap_or(".");
            taken.sources.insert(source_of(source, escape));
        }
    }
    taken
}

fn source_of(source: &str, escape: char) -> String {
    if escape == '`' {
        return globs::source(&source.replace('\\', "/"));
    }
    globs::source(source)
}

/// Splits off flags.
fn flags(rest: &str, escape: char) -> (Vec<&str>, &str) {
    let mut flags = Vec::new();
    let mut rest = rest.trim();
    while rest.starts_with("--") {
        let mut quote = None;
        let mut is_escaped = false;
        let end = rest.char_indices().find(|(_, sign)| {
            let ends = sign.is_whitespace() && quote.is_none() && !is_escaped;
            if is_escaped {
                is_escaped = false;
            } else if *sign == escape {
                is_escaped = true;
            } else if quote == Some(*sign) {
                quote = None;
            } else if quote.is_none() && matches!(sign, '"' | '\'') {
                quote = Some(*sign);
            }
            ends
        });
        let end = end.map_or(rest.len(), |(end, _)| end);
        flags.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    (flags, rest)
}

#[cfg(test)]
mod tests;
