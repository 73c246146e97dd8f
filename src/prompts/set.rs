//! A folder `prompts/`, and the built-in one: which prompts there are, and which stands for which.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::file::{FILE_SCHEMA, KIND, PromptFile};
use super::place::{Step, first_line_of};
use super::prepared::{Prepared, Problem, Template};
use super::references::{self, Fault};
use super::rules::{Around, Complaint, first_error};
use crate::config::{YamlError, nearest, read_as};
use crate::sha::{Hasher, Sha};

/// The folder of a repository that holds prompts.
pub(crate) const FOLDER: &str = "prompts";

/// A file of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the folder, as `planner.yaml`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What a YAML file turned out to be.
#[derive(Debug, Clone)]
pub(crate) enum Reading {
    Prompt(Box<PromptFile>),
    Broken(Box<YamlError>),
    /// It does not say that it is ours.
    Foreign,
}

/// A YAML file of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) reading: Reading,
}

impl Draft {
    pub(crate) fn file(&self) -> Option<&PromptFile> {
        match &self.reading {
            Reading::Prompt(file) => Some(file),
            Reading::Broken(_) | Reading::Foreign => None,
        }
    }

    /// Returns the prompt's name. A file that cannot be read says it too: otherwise a built-in prompt would silently stand for it.
    pub(crate) fn prompt(&self) -> Option<&str> {
        match &self.reading {
            Reading::Prompt(file) => Some(&file.name),
            Reading::Broken(_) => {
                let said = self
                    .text
                    .lines()
                    .find_map(|line| line.strip_prefix("name:"));
                let said = said.map(|name| name.trim().trim_matches(['"', '\'']));
                said.or_else(|| self.name.rsplit_once('.').map(|(stem, _)| stem))
            }
            Reading::Foreign => None,
        }
    }

    /// Returns the path from the repository's top.
    pub(crate) fn path(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    /// Returns path and line of a place in a template.
    pub(crate) fn at(&self, template: &Template, line: usize) -> (String, u32) {
        let line = u32::try_from(line).unwrap_or(u32::MAX).max(1);
        match template {
            Template::Part(name) => (format!("{FOLDER}/{name}"), line),
            Template::Message(number) => {
                let way = [
                    Step::Key("messages"),
                    Step::Entry(*number),
                    Step::Key("content"),
                ];
                let first = first_line_of(&self.text, &way);
                (self.path(), first.saturating_add(line - 1))
            }
        }
    }
}

/// Whether a file of the folder can be a prompt, a part, or what a golden case renders to.
pub(crate) fn is_wanted(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default();
    if name.contains('/') {
        ["md", "txt", "j2", "jinja"].contains(&extension)
    } else {
        ["yaml", "yml"].contains(&extension)
    }
}

/// A folder of prompts, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Set {
    pub(crate) drafts: Vec<Draft>,
    /// What templates may include, by name from the folder.
    pub(crate) parts: BTreeMap<String, String>,
    /// What golden cases must render to, by name from `golden/`.
    pub(crate) golden: BTreeMap<String, String>,
}

impl Set {
    pub(crate) fn read(mut sources: Vec<Source>) -> Self {
        crate::order::sort_by(&mut sources, |one, other| one.name.cmp(&other.name));
        let mut set = Self::default();
        for Source { name, text } in sources {
            if let Some(below) = name.strip_prefix("golden/") {
                set.golden.insert(below.to_owned(), text);
            } else if name.contains('/') {
                set.parts.insert(name, text);
            } else if is_wanted(&name) {
                let reading = reading(&text, &format!("{FOLDER}/{name}"));
                set.drafts.push(Draft {
                    name,
                    text,
                    reading,
                });
            }
        }
        set
    }

    /// Returns the draft of a prompt's name.
    pub(crate) fn find(&self, name: &str) -> Option<&Draft> {
        let named = |draft: &&Draft| draft.prompt() == Some(name);
        self.drafts.iter().find(named)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.drafts.iter().filter_map(Draft::prompt)
    }
}

/// Other tools keep prompts in a folder of this name too.
fn reading(text: &str, path: &str) -> Reading {
    let is_ours = text.lines().any(|line| {
        let value = line.strip_prefix("schema:").map(str::trim_start);
        value.is_some_and(|value| {
            value
                .trim_start_matches(['"', '\''])
                .starts_with("maestro.")
        })
    });
    if !is_ours {
        return Reading::Foreign;
    }
    match read_as::<PromptFile>(KIND, text, path) {
        Ok(file) if file.schema == FILE_SCHEMA => Reading::Prompt(Box::new(file)),
        Ok(file) => Reading::Broken(Box::new(YamlError {
            message: format!(
                "its schema is `{}`, and this maestro reads `{FILE_SCHEMA}`",
                file.schema
            ),
            excerpt: None,
            hint: None,
            place: Some((1, 1)),
        })),
        Err(error) => Reading::Broken(Box::new(error)),
    }
}

/// Returns every text that a prompt's messages can bring in; a folder's own parts come before the built-in ones.
pub(crate) fn parts_of(
    file: &PromptFile,
    set: &Set,
    fallback: Option<&Set>,
) -> Result<BTreeMap<String, String>, Problem> {
    let find = |name: &str| {
        let own = set.parts.get(name);
        let part = own.or_else(|| fallback?.parts.get(name));
        part.map(String::as_str)
    };
    let known = || {
        let all = set
            .parts
            .keys()
            .chain(fallback.into_iter().flat_map(|set| set.parts.keys()));
        all.cloned().collect()
    };
    let mut parts = BTreeMap::new();
    for (at, message) in file.messages.iter().enumerate() {
        let found = references::closure(&message.content, &find, &known);
        let found = found.map_err(
            |Fault {
                 within,
                 line,
                 words,
             }| Problem {
                place: Some((within.map_or(Template::Message(at), Template::Part), line)),
                words,
            },
        )?;
        parts.extend(
            found
                .into_iter()
                .map(|(name, text)| (name, text.to_owned())),
        );
    }
    Ok(parts)
}

/// Returns the digest of everything that can come into a prompt's messages, and who speaks them.
pub(crate) fn digest(file: &PromptFile, parts: &BTreeMap<String, String>) -> Sha {
    let mut hasher = Hasher::default();
    let messages = file.messages.iter();
    let messages = messages.map(|message| (message.role.name(), message.content.as_str()));
    let parts = parts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    for (kind, texts) in [
        ("message", messages.collect::<Vec<_>>()),
        ("part", parts.collect()),
    ] {
        for (name, text) in texts {
            for piece in [kind, name, text] {
                hasher.part(piece.as_bytes());
            }
        }
    }
    hasher.sha()
}

/// Where a prompt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The binary.
    BuiltIn,
    /// The repository's folder.
    Repository,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Repository => "repository",
        }
    }
}

/// A prompt, ready for use.
pub(crate) struct Prompt<'a> {
    pub(crate) draft: &'a Draft,
    pub(crate) file: &'a PromptFile,
    pub(crate) version: Version,
    pub(crate) origin: Origin,
    /// The version of the built-in prompt that it stands for.
    pub(crate) overrides: Option<&'a str>,
    /// See [`digest`].
    pub(crate) sha256: Sha,
    pub(crate) prepared: Prepared,
}

/// The prompts of a repository over the built-in ones.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    pub(crate) own: Set,
    pub(crate) built_in: Set,
}

/// Why there is no prompt.
pub(crate) enum Missing {
    /// Nobody has the name; the nearest that somebody has.
    Unknown(Option<String>),
    /// It is there, and wrong.
    Wrong(Box<Complaint>),
}

impl Library {
    pub(crate) fn new(own: Vec<Source>) -> Self {
        Self {
            own: Set::read(own),
            built_in: Set::read(super::built_in::sources()),
        }
    }

    /// Returns every prompt's name, sorted.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.own.names().chain(self.built_in.names()).collect()
    }

    /// Returns the prompt that a name stands for. A built-in one sees built-in parts only, so that it is the same everywhere.
    pub(crate) fn load(&self, name: &str) -> Result<Prompt<'_>, Missing> {
        let built_in = self.built_in.find(name);
        let (draft, origin) = match (self.own.find(name), built_in) {
            (Some(own), _) => (own, Origin::Repository),
            (None, Some(built_in)) => (built_in, Origin::BuiltIn),
            (None, None) => {
                let names: Vec<&str> = self.names().into_iter().collect();
                return Err(Missing::Unknown(nearest(name, &names).map(str::to_owned)));
            }
        };
        let around = match origin {
            Origin::Repository => self.around(None),
            Origin::BuiltIn => Around::of(&self.built_in),
        };
        self.prompt(draft, origin, &around)
            .map_err(|complaint| Missing::Wrong(Box::new(complaint)))
    }

    /// Returns what a repository's own prompts are looked at with.
    pub(crate) fn around<'a>(&'a self, base: Option<&'a Set>) -> Around<'a> {
        Around {
            set: &self.own,
            fallback: Some(&self.built_in),
            base,
        }
    }

    fn prompt<'a>(
        &'a self,
        draft: &'a Draft,
        origin: Origin,
        around: &Around<'_>,
    ) -> Result<Prompt<'a>, Complaint> {
        if let Some(complaint) = first_error(draft, around) {
            return Err(complaint);
        }
        let wrong = |words: &str| Complaint::whole(draft, "unreadable", words);
        let file = draft.file().ok_or_else(|| wrong("it is no prompt"))?;
        let failed = |problem: Problem| wrong(&problem.words);
        let parts = parts_of(file, around.set, around.fallback).map_err(failed)?;
        let shadowed = self.built_in.find(&file.name).and_then(Draft::file);
        let shadowed = shadowed.filter(|_| origin == Origin::Repository);
        Ok(Prompt {
            draft,
            file,
            version: Version::parse(&file.version).map_err(|error| wrong(&error.to_string()))?,
            origin,
            overrides: shadowed.map(|file| file.version.as_str()),
            sha256: digest(file, &parts),
            prepared: Prepared::new(file, &parts).map_err(failed)?,
        })
    }
}
