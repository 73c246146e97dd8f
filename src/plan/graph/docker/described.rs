//! An image as some file describes it.

use std::collections::BTreeMap;

use super::dockerfile::{Dockerfile, Given, Inputs};
use super::words::UNKNOWN;
use crate::plan::graph::{Kind, Project, Scope};
use crate::plan::sources::{Sources, file_name, folder_of, join};

/// Where something lies, from the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Known(String),
    /// Somewhere below a folder.
    Below(String),
}

/// A named context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// Another image of the same folder, by its name.
    Image(String),
    /// An image by its tag.
    Tag(String),
    Folder(String),
    /// Nothing of the repository.
    Elsewhere,
}

/// An image as some file describes it. What only the build knows is [`UNKNOWN`] in its texts.
#[derive(Debug, Clone)]
pub(super) struct Described {
    /// The file, from the top.
    pub(super) file: String,
    pub(super) name: String,
    /// What others of its folder may call it as well.
    pub(super) alias: Option<String>,
    pub(super) context: Place,
    /// From the top; none when it is written in the file itself or not known.
    pub(super) dockerfile: Option<String>,
    /// The Dockerfile's text, where the file has it.
    pub(super) inline: Option<String>,
    pub(super) target: Option<String>,
    pub(super) args: BTreeMap<String, String>,
    pub(super) contexts: BTreeMap<String, Named>,
    /// What others call it in `FROM`.
    pub(super) tags: Vec<String>,
    /// What it is made from beside its context, from the top.
    pub(super) reads: Vec<String>,
}

impl Described {
    pub(super) fn new(file: &str, name: &str) -> Self {
        Self {
            file: file.to_owned(),
            name: name.to_owned(),
            alias: None,
            context: Place::Below(String::new()),
            dockerfile: None,
            inline: None,
            target: None,
            args: BTreeMap::new(),
            contexts: BTreeMap::new(),
            tags: Vec::new(),
            reads: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> String {
        self.project().id()
    }

    pub(super) fn project(&self) -> Project {
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

    /// Says where it is built, and by which Dockerfile.
    pub(super) fn build(&mut self, context: Place, file: &BuildFile, sources: Sources<'_>) {
        self.context = context;
        match (&self.context, file) {
            (_, BuildFile::Inline(text)) => {
                self.inline = Some(text.clone()).filter(|text| !text.contains(UNKNOWN));
            }
            (Place::Known(context), BuildFile::Path(path)) => match place(context, path) {
                Some(Place::Known(path)) => self.dockerfile = Some(spelled(path, sources)),
                Some(Place::Below(folder)) => self.reads.push(folder),
                None => self.reads.push(String::new()),
            },
            (Place::Below(_), BuildFile::Path(path)) => {
                if path.starts_with('/') || path.contains("..") || path.contains(UNKNOWN) {
                    self.context = Place::Below(String::new());
                }
            }
        }
    }

    /// Returns what it is made from; nothing when its Dockerfile is not at hand.
    pub(super) fn inputs(&self, sources: Sources<'_>) -> Option<Inputs> {
        let text = match &self.inline {
            Some(text) => text,
            None => sources.text(self.dockerfile.as_deref()?)?,
        };
        let given = Given {
            args: Some(&self.args),
            defaults_hold: false,
        };
        Some(Dockerfile::read(text, &given).inputs(self.target.as_deref()))
    }
}

/// Which Dockerfile an image is built by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BuildFile {
    /// A path from the context.
    Path(String),
    Inline(String),
}

impl Default for BuildFile {
    fn default() -> Self {
        Self::Path("Dockerfile".to_owned())
    }
}

/// A Dockerfile may be spelled in small letters.
fn spelled(path: String, sources: Sources<'_>) -> String {
    if file_name(&path) == "Dockerfile" && !sources.has(&path) {
        let folder = path.strip_suffix("Dockerfile").unwrap_or_default();
        let small = format!("{folder}dockerfile");
        if sources.has(&small) {
            return small;
        }
    }
    path
}

/// Returns a folder or file from the top; nothing for an address, and for what lies elsewhere.
pub(super) fn place(folder: &str, path: &str) -> Option<Place> {
    if path.contains("://") || path.contains("git@") {
        return None;
    }
    let Some((known, _)) = path.split_once(UNKNOWN) else {
        return join(folder, path).map(Place::Known);
    };
    let Some((known, _)) = known
        .rsplit_once('/')
        .filter(|(known, _)| !known.is_empty())
    else {
        return Some(Place::Below(String::new()));
    };
    Some(Place::Below(join(folder, known).unwrap_or_default()))
}

/// Reads a named context; a scheme leads to another image of the same file.
pub(super) fn named_context(context: &str, scheme: &str, folder: &str) -> Named {
    if let Some(name) = context.strip_prefix(scheme) {
        return Named::Image(name.to_owned());
    }
    if let Some(tag) = context.strip_prefix("docker-image://") {
        return Named::Tag(tag.to_owned());
    }
    // What begins with something unknown may be an address or any folder.
    if context.starts_with(UNKNOWN) {
        return Named::Folder(String::new());
    }
    match place(folder, context) {
        Some(Place::Known(folder) | Place::Below(folder)) => Named::Folder(folder),
        None => Named::Elsewhere,
    }
}
