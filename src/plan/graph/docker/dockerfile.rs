//! A `Dockerfile`: its stages, and what they take from the build context (docs.docker.com, "Dockerfile reference").

use std::collections::{BTreeMap, BTreeSet};

/// A stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stage {
    name: Option<String>,
    /// Images, stages and named contexts that it is made from.
    from: BTreeSet<String>,
    /// Paths from the context's top; globs as COPY has them, `""` for all of it.
    sources: BTreeSet<String>,
}

/// What a Dockerfile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    stages: Vec<Stage>,
}

/// What an image of a Dockerfile is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) sources: BTreeSet<String>,
    /// What is no stage: other images and named contexts.
    pub(super) images: BTreeSet<String>,
}

impl Dockerfile {
    pub(super) fn read(text: &str) -> Self {
        let mut file = Self::default();
        let mut args: BTreeMap<String, String> = BTreeMap::new();
        for line in instructions(text) {
            let (verb, rest) = line
                .split_once(char::is_whitespace)
                .unwrap_or((line.as_str(), ""));
            let rest = rest.trim();
            match verb.to_ascii_uppercase().as_str() {
                "ARG" | "ENV" => note_variables(rest, &mut args),
                "FROM" => file.stages.push(from(rest, &args)),
                "COPY" | "ADD" => file.copy(rest, &args),
                "RUN" => file.mounts(rest, &args),
                "ONBUILD" => {
                    if let Some(copied) = rest
                        .strip_prefix("COPY ")
                        .or_else(|| rest.strip_prefix("ADD "))
                    {
                        file.copy(copied, &args);
                    }
                }
                _ => {}
            }
        }
        file
    }

    fn copy(&mut self, rest: &str, args: &BTreeMap<String, String>) {
        let Some(stage) = self.stages.last_mut() else {
            return;
        };
        let (flags, paths) = words(rest);
        if let Some(from) = flag(&flags, "from") {
            stage.from.insert(substitute(from, args).0);
            return;
        }
        let Some((_, sources)) = paths.split_last() else {
            return;
        };
        for source in sources {
            if source.starts_with("<<") {
                return;
            }
            if !source.contains("://") && !source.starts_with("git@") {
                stage.sources.insert(source_of(source, args));
            }
        }
    }

    fn mounts(&mut self, rest: &str, args: &BTreeMap<String, String>) {
        let Some(stage) = self.stages.last_mut() else {
            return;
        };
        let (flags, _) = words(rest);
        for mount in flags
            .iter()
            .filter_map(|flag| flag.strip_prefix("--mount="))
        {
            let field = |names: &[&str]| {
                let mut fields = mount.split(',').filter_map(|field| field.split_once('='));
                fields
                    .find(|(name, _)| names.contains(name))
                    .map(|(_, value)| value)
            };
            if let Some(from) = field(&["from"]) {
                stage.from.insert(substitute(from, args).0);
            } else if field(&["type"]).unwrap_or("bind") == "bind" {
                stage
                    .sources
                    .insert(source_of(field(&["source", "src"]).unwrap_or("."), args));
            }
        }
    }

    /// Returns what the image of a stage, or of the last one, is made from.
    pub(super) fn inputs(&self, target: Option<&str>) -> Inputs {
        let mut inputs = Inputs::default();
        let named = target.and_then(|target| self.find(target));
        // A target that is not there may be a variable: then every stage counts.
        let mut open: Vec<usize> = match (target, named) {
            (Some(_), None) => (0..self.stages.len()).collect(),
            (_, Some(stage)) => vec![stage],
            (None, None) => self.stages.len().checked_sub(1).into_iter().collect(),
        };
        let mut seen: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(number) = open.pop() {
            let stage = &self.stages[number];
            inputs.sources.extend(stage.sources.iter().cloned());
            for from in &stage.from {
                match self.find(from) {
                    Some(other) if other != number => {
                        if seen.insert(other) {
                            open.push(other);
                        }
                    }
                    _ => {
                        inputs.images.insert(from.clone());
                    }
                }
            }
        }
        inputs
    }

    fn find(&self, name: &str) -> Option<usize> {
        let by_name = self.stages.iter().position(|stage| {
            stage
                .name
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        });
        by_name.or_else(|| {
            name.parse()
                .ok()
                .filter(|number| *number < self.stages.len())
        })
    }
}

fn from(rest: &str, args: &BTreeMap<String, String>) -> Stage {
    let (_, words) = words(rest);
    let mut stage = Stage::default();
    if let Some(image) = words.first() {
        stage.from.insert(substitute(image, args).0);
    }
    if let [_, verb, name, ..] = &words[..]
        && verb.eq_ignore_ascii_case("as")
    {
        stage.name = Some(name.clone());
    }
    stage
}

/// Returns a source as a path from the context's top; what only the build knows ends it.
fn source_of(source: &str, args: &BTreeMap<String, String>) -> String {
    let (text, is_known) = substitute(source, args);
    let text = if is_known {
        text
    } else {
        let known = text.split('$').next().unwrap_or_default();
        known
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    // `--parents` marks with `/./` where the copied path begins.
    let text = text.replace("/./", "/");
    let text = text.trim_start_matches("./").trim_matches('/');
    if text == "." {
        String::new()
    } else {
        text.to_owned()
    }
}

/// Puts variables in, and says whether all were known.
pub(super) fn substitute(text: &str, args: &BTreeMap<String, String>) -> (String, bool) {
    let mut out = String::new();
    let mut rest = text;
    let mut is_known = true;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, default, length) = if let Some(inner) = after.strip_prefix('{') {
            let end = inner.find('}').unwrap_or(inner.len());
            let body = &inner[..end];
            let (name, default) = match body.find([':', '-', '?', '+']) {
                Some(cut) => (
                    &body[..cut],
                    body[cut..].split_once('-').map(|(_, default)| default),
                ),
                None => (body, None),
            };
            (name, default, (end + 2).min(after.len()))
        } else {
            let end = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(after.len());
            (&after[..end], None, end)
        };
        match args.get(name).map(String::as_str).or(default) {
            Some(value) => out.push_str(value),
            None => {
                is_known = false;
                out.push('$');
            }
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    (out, is_known)
}

fn note_variables(rest: &str, args: &mut BTreeMap<String, String>) {
    for word in rest.split_whitespace() {
        if let Some((name, value)) = word.split_once('=') {
            let (value, is_known) = substitute(value.trim_matches(['"', '\'']), args);
            if is_known {
                args.insert(name.to_owned(), value);
            }
        }
    }
}

fn flag<'f>(flags: &'f [String], name: &str) -> Option<&'f str> {
    flags.iter().find_map(|flag| {
        flag.strip_prefix("--")?
            .strip_prefix(name)?
            .strip_prefix('=')
    })
}

/// Splits off flags, and reads the rest as words or as a JSON list of them.
fn words(rest: &str) -> (Vec<String>, Vec<String>) {
    let mut flags = Vec::new();
    let mut rest = rest.trim();
    while rest.starts_with("--") {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        flags.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    if rest.starts_with('[')
        && let Ok(list) = serde_json::from_str(rest)
    {
        return (flags, list);
    }
    let words = rest
        .split_whitespace()
        .map(|word| word.trim_matches('"').to_owned());
    (flags, words.collect())
}

/// Returns the instructions: continued lines joined, comments and here-documents left out.
fn instructions(text: &str) -> Vec<String> {
    let directive = text.lines().take_while(|line| line.starts_with('#'));
    let backtick = directive
        .filter(|line| line.to_ascii_lowercase().replace(' ', "") == "#escape=`")
        .count()
        > 0;
    let escape = if backtick { '`' } else { '\\' };
    let mut found = Vec::new();
    let mut current = String::new();
    let mut ends: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(end) = ends.first() {
            if line.trim_start_matches('\t').trim_end() == end {
                ends.remove(0);
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.starts_with('#') || trimmed.is_empty() {
            continue;
        }
        if let Some(continued) = trimmed.strip_suffix(escape) {
            current.push_str(continued);
            current.push(' ');
            continue;
        }
        current.push_str(trimmed);
        ends = here_documents(&current);
        found.push(std::mem::take(&mut current));
    }
    if !current.is_empty() {
        found.push(current);
    }
    found
}

fn here_documents(line: &str) -> Vec<String> {
    let verb = line
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_ascii_uppercase();
    if !["RUN", "COPY", "ADD"].contains(&verb.as_str()) {
        return Vec::new();
    }
    let words = line
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("<<"));
    let words = words.map(|word| word.trim_start_matches('-').trim_matches(['"', '\'']));
    let names =
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, target: Option<&str>, sources: &[&str], images: &[&str]) {
        let inputs = Dockerfile::read(text).inputs(target);
        assert_eq!(
            inputs
                .sources
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
            sources
        );
        assert_eq!(
            inputs.images.iter().map(String::as_str).collect::<Vec<_>>(),
            images
        );
    }

    const STAGES: &str = "# syntax=docker/dockerfile:1\nARG TAG=3.20\nFROM alpine:${TAG} AS base\nCOPY shared/ /s\n\
        FROM base AS build\nCOPY --chown=1:1 [\"go.mod\", \"a b\", \"./\"]\nRUN --mount=type=bind,source=gen,target=/g \\\n  # note\n  make\n\
        FROM node AS web\nCOPY web .\nFROM scratch\nCOPY --from=build /x /x\nCOPY --from=ghcr.io/a/b /y /y\n";

    #[test]
    fn an_image_is_made_from_what_its_stages_take() {
        check(
            STAGES,
            None,
            &["a b", "gen", "go.mod", "shared"],
            &["alpine:3.20", "ghcr.io/a/b", "scratch"],
        );
        check(STAGES, Some("web"), &["web"], &["node"]);
        check(STAGES, Some("0"), &["shared"], &["alpine:3.20"]);
    }

    #[test]
    fn here_documents_and_addresses_are_no_files() {
        let text = "FROM x\nCOPY <<EOF /a\nCOPY not this\nEOF\nADD https://example.com/f /f\nADD data.tar /d\n";
        check(text, None, &["data.tar"], &["x"]);
    }

    #[test]
    fn what_only_the_build_knows_is_a_whole_folder() {
        check(
            "FROM x\nARG D\nCOPY apps/${D}/x .\n",
            None,
            &["apps"],
            &["x"],
        );
        check(
            "FROM x\nARG D=web\nCOPY apps/$D/x .\n",
            None,
            &["apps/web/x"],
            &["x"],
        );
        check("FROM x\nCOPY ${D:-api} .\n", None, &["api"], &["x"]);
        check("FROM x\nCOPY . .\n", None, &[""], &["x"]);
    }
}
