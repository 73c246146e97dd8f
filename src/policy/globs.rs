//! Globs of a policy: over paths from the top, as `.gitignore` writes them. None takes out again (`!`): what is left out has its own key.

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::paths::{folded, oddity};
use crate::change::{Change, Entry, Kind};
use crate::plan::graph::patterns::Patterns;
use crate::stars;

/// An ordered list of globs, as they are written, and folded.
#[derive(Debug, Clone)]
pub(crate) struct Globs {
    exact: Patterns,
    folded: Patterns,
    /// The names of each folded glob, between its slashes.
    names: Vec<Vec<String>>,
}

impl Default for Globs {
    fn default() -> Self {
        Self::built_in(&[])
    }
}

impl Globs {
    pub(crate) fn new<S: AsRef<str>>(globs: &[S]) -> Result<Self, String> {
        let mut names = Vec::with_capacity(globs.len());
        let mut lowered = Vec::with_capacity(globs.len());
        for glob in globs {
            let glob = glob.as_ref();
            let trimmed = glob.trim_start_matches("./").trim_matches('/');
            if trimmed.is_empty() || trimmed == "." {
                return Err(format!(
                    "`{glob}` is no glob: it names no file; write `**` for all"
                ));
            }
            if glob.starts_with('!') {
                return Err(format!(
                    "`{glob}` takes out again: write what is left out under `except`"
                ));
            }
            let lower: String = glob
                .chars()
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase)
                .collect();
            let trimmed = lower.trim_start_matches("./").trim_matches('/');
            names.push(trimmed.split('/').map(str::to_owned).collect());
            lowered.push(lower);
        }
        Ok(Self {
            exact: Patterns::new(globs).map_err(|error| error.to_string())?,
            folded: Patterns::new(lowered).map_err(|error| error.to_string())?,
            names,
        })
    }

    /// Returns globs that this program brings along.
    pub(crate) fn built_in(globs: &[&str]) -> Self {
        Self::new(globs).unwrap_or_else(|_| Self {
            exact: Patterns::default(),
            folded: Patterns::default(),
            names: Vec::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the glob that takes in a path as it is written.
    pub(crate) fn exactly(&self, path: &str) -> Option<&str> {
        self.exact.matched(path)
    }

    /// Returns the glob that takes in any spelling of a path.
    pub(crate) fn anyhow(&self, path: &str) -> Option<&str> {
        let anyhow = self.folded.matched(&folded(path));
        anyhow
            .and_then(|glob| self.written(glob))
            .or_else(|| self.exact.matched(path))
    }

    /// Returns the glob that is about something inside a folder: whoever puts a link in its place decides what lies there. A glob that begins
    /// with two stars is about every folder, and says nothing of this one.
    pub(crate) fn inside(&self, folder: &str) -> Option<&str> {
        let folder = folded(folder);
        let folder: Vec<&str> = folder.split('/').collect();
        let at = self.names.iter().position(|glob| is_above(&folder, glob))?;
        self.exact.sources().nth(at)
    }

    /// Returns the glob that takes in a change: the path in any spelling, or what lies behind it when it is a link or submodule.
    pub(crate) fn touching(&self, change: &Change) -> Option<&str> {
        let sides = [&change.old, &change.new];
        let is_file = |entry: &Entry| entry.kind() == Kind::File;
        let is_plain = sides.into_iter().flatten().all(is_file);
        // A file where a folder was, or the other way round, comes as its own path too.
        let stands_for = if is_plain && change.old.is_some() {
            None
        } else {
            self.inside(&change.path)
        };
        self.anyhow(&change.path).or(stands_for)
    }

    /// Whether a change is left out: only by the path as it is written, and only where that is a plain one.
    pub(crate) fn excepts(&self, change: &Change) -> bool {
        oddity(&change.path, change.is_text).is_none() && self.exactly(&change.path).is_some()
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        self.exact.sources()
    }

    fn written(&self, folded: &str) -> Option<&str> {
        let at = self.folded.sources().position(|source| source == folded)?;
        self.exact.sources().nth(at)
    }
}

/// Whether a glob may take in something inside a folder.
fn is_above(folder: &[&str], glob: &[String]) -> bool {
    for (at, name) in folder.iter().enumerate() {
        let Some(part) = glob.get(at) else {
            return false;
        };
        if part == "**" {
            return at > 0;
        }
        // What is more than stars may be anything.
        let is_simple = !part.contains(['[', '{', '\\']);
        if is_simple && !stars::matches(part.as_bytes(), name.as_bytes()) {
            return false;
        }
    }
    glob.len() > folder.len()
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let globs: Vec<Glob> = Vec::deserialize(deserializer)?;
        let globs: Vec<&str> = globs.iter().map(|glob| glob.0.as_str()).collect();
        Self::new(&globs).map_err(D::Error::custom)
    }
}

#[cfg(test)]
impl JsonSchema for Globs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Globs".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Vec<String>>::json_schema(generator)
    }
}

/// One glob, looked at where it stands.
struct Glob(String);

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Glob;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a glob, as `src/**`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Glob, E> {
                Globs::new(&[text]).map_err(E::custom)?;
                Ok(Glob(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_taken_in_and_named_as_the_glob_was_written() {
        let globs = Globs::new(&["Docs/**", ".github/Workflows/**"]).unwrap();
        assert_eq!(
            globs.anyhow(".GITHUB/workflows/a"),
            Some(".github/Workflows/**")
        );
        assert_eq!(globs.exactly(".github/workflows/a"), None);
        assert_eq!(globs.inside(".Github"), Some(".github/Workflows/**"));
        assert_eq!(globs.inside("docs"), Some("Docs/**"));
        assert_eq!(globs.inside("src"), None);
        let globs = Globs::new(&["deploy*/**", "a/**/x", "**/y", "b/*/c"]).unwrap();
        for folder in ["deployment", "a", "a/b", "a/b/c", "b", "b/x"] {
            assert!(globs.inside(folder).is_some(), "{folder}");
        }
        for folder in ["c", "b/x/c", "b/x/c/d"] {
            assert_eq!(globs.inside(folder), None, "{folder}");
        }
        // What is more than stars may be anything.
        assert!(Globs::new(&["{p,q}/r"]).unwrap().inside("c").is_some());
    }

    #[test]
    fn globs_that_take_out_or_say_nothing_are_refused() {
        for glob in ["", "/", ".", "!a", "a[b"] {
            assert!(Globs::new(&[glob]).is_err(), "{glob:?}");
        }
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_stands_for_what_lies_in_it() {
        use super::super::rules::tests::Case;
        let globs = Globs::new(&["deploy/**"]).unwrap();
        let touches =
            |case: Case| case.with(|subject| globs.touching(&subject.changes[0]).is_some());
        for case in [
            Case::default().link("deploy", "x"),
            Case::default().submodule("Deploy"),
            Case::default().link_to_file("deploy"),
            Case::default().added("deploy", "x\n"),
            Case::default().added("deploy/a", "x\n"),
        ] {
            assert!(touches(case));
        }
        // A file that was one before is no folder.
        assert!(!touches(Case::default().changed("deploy", "x\n", "y\n")));
        assert!(!touches(Case::default().link("lib", "x")));
    }
}
