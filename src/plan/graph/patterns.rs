//! Globs over paths from the top, as `.gitignore` writes them; a later `!` takes out what an earlier one took in.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::extglob;
use crate::plan::sources::{is_within, join};
use crate::stars;

/// Why a glob was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{glob}` is no glob: {words}")]
pub(crate) struct BadGlob {
    pub(crate) glob: String,
    words: String,
}

/// An ordered list of globs.
#[derive(Debug, Clone)]
pub(crate) struct Patterns(Arc<[Pattern]>);

#[derive(Debug)]
struct Pattern {
    source: String,
    is_negative: bool,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// A file, or all below a folder.
    Plain(String),
    /// Stars and question marks: compared part by part, because building an automaton for each costs more than a whole plan.
    Parts(Vec<Part>),
    /// What needs more.
    Glob {
        itself: GlobMatcher,
        below: GlobMatcher,
    },
}

/// What stands between two slashes of a glob.
#[derive(Debug)]
enum Part {
    /// Two stars.
    Deep,
    Name(String),
    Extended(extglob::Name),
}

impl Part {
    fn new(text: &str) -> Self {
        match text {
            "**" => Self::Deep,
            text => Self::Name(text.to_owned()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Deep => true,
            Self::Name(glob) => stars::matches(glob.as_bytes(), name.as_bytes()),
            Self::Extended(glob) => glob.matches(name),
        }
    }
}

/// Patterns are written as their globs.
impl Serialize for Patterns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.sources())
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let globs = Vec::<String>::deserialize(deserializer)?;
        Self::new(globs).map_err(serde::de::Error::custom)
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.sources().eq(other.sources())
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl Patterns {
    pub(crate) fn new<S: AsRef<str>>(globs: impl IntoIterator<Item = S>) -> Result<Self, BadGlob> {
        let patterns: Result<Vec<_>, _> = globs
            .into_iter()
            .map(|glob| pattern(glob.as_ref()))
            .collect();
        Ok(Self(patterns?.into()))
    }

    /// Reads the globs by which a workspace in a folder names its members' folders.
    pub(crate) fn of_workspace<S: AsRef<str>>(
        dir: &str,
        globs: impl IntoIterator<Item = S>,
    ) -> Result<Self, BadGlob> {
        let mut patterns = Vec::new();
        for glob in globs {
            for glob in from_top(dir, glob.as_ref())? {
                patterns.push(pattern_of_workspace(&glob)?);
            }
        }
        Ok(Self(patterns.into()))
    }

    /// Whether the last glob that is about the folder itself takes it in; `packages/*` is not about `packages/a/b`.
    pub(crate) fn names(&self, folder: &str) -> bool {
        let mut patterns = self.0.iter().rev();
        let last = patterns.find(|pattern| pattern.is_exactly(folder));
        last.is_some_and(|pattern| !pattern.is_negative)
    }

    /// Returns the glob that decides for a path, if it takes it in.
    pub(crate) fn matched(&self, path: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|pattern| pattern.matches(path))?;
        (!last.is_negative).then_some(last.source.as_str())
    }

    pub(crate) fn is_match(&self, path: &str) -> bool {
        self.matched(path).is_some()
    }

    /// Returns a glob that may take in something inside a folder.
    pub(crate) fn may_match_in(&self, folder: &str) -> Option<&str> {
        let found = self.0.iter().find(|pattern| {
            let glob = pattern
                .source
                .trim_start_matches("./")
                .trim_start_matches('/');
            let magic = glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len());
            let start = &glob[..magic];
            let inside = format!("{folder}/");
            !pattern.is_negative && (start.starts_with(&inside) || inside.starts_with(start))
        });
        found.map(|pattern| pattern.source.as_str())
    }

    /// Returns the globs as they were written.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.source.as_str())
    }

    /// Returns for each glob whether it says something about a path.
    pub(crate) fn touched<'p>(&'p self, path: &'p str) -> impl Iterator<Item = bool> + 'p {
        self.0.iter().map(move |pattern| pattern.matches(path))
    }
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        match &self.form {
            Form::Plain(plain) => is_within(path, plain),
            // What lies below a match matches too.
            Form::Parts(parts) => places(parts, path).contains(&true),
            Form::Glob { itself, below } => itself.is_match(path) || below.is_match(path),
        }
    }

    fn is_exactly(&self, path: &str) -> bool {
        match &self.form {
            Form::Plain(plain) => path == plain,
            Form::Parts(parts) => places(parts, path).last() == Some(&true),
            Form::Glob { itself, .. } => itself.is_match(path),
        }
    }
}

/// Returns a glob of a workspace as meant from the top. `a/**` names `a` too, because it stands for `a/**/package.json`.
fn from_top(dir: &str, glob: &str) -> Result<Vec<String>, BadGlob> {
    let (sign, rest) = match glob.strip_prefix('!') {
        Some(rest) if !rest.starts_with('(') => ("!", rest),
        _ => ("", glob),
    };
    let globs = if extglob::is_extended(rest) {
        extglob::expand(rest).ok_or_else(|| BadGlob {
            glob: glob.to_owned(),
            words: "it stands for too many others".to_owned(),
        })?
    } else {
        vec![rest.to_owned()]
    };
    let mut all = Vec::new();
    for glob in globs.iter().filter_map(|glob| join(dir, glob)) {
        if let Some(around) = glob.strip_suffix("/**") {
            all.push(format!("{sign}{around}"));
        } else if glob == "**" {
            all.push(format!("{sign}."));
        }
        all.push(format!("{sign}{glob}"));
    }
    Ok(all)
}

fn pattern_of_workspace(source: &str) -> Result<Pattern, BadGlob> {
    let (is_negative, glob) = match source.strip_prefix('!') {
        Some(rest) if !rest.starts_with('(') => (true, rest),
        _ => (false, source),
    };
    if !extglob::is_extended(glob) {
        return pattern(source);
    }
    let parts = glob.split('/').map(|part| {
        if part == "**" {
            return Some(Part::Deep);
        }
        extglob::Name::parse(part).map(Part::Extended)
    });
    let parts: Option<Vec<Part>> = parts.collect();
    let parts = parts.ok_or_else(|| BadGlob {
        glob: source.to_owned(),
        words: "its groups lie too deep in each other".to_owned(),
    })?;
    Ok(Pattern {
        source: source.to_owned(),
        is_negative,
        form: Form::Parts(parts),
    })
}

fn pattern(source: &str) -> Result<Pattern, BadGlob> {
    let (is_negative, glob) = match source.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let glob = glob
        .trim_start_matches("./")
        .trim_start_matches('/')
        .trim_end_matches('/');
    let has_magic = glob.contains(['*', '?', '[', '{', '\\']);
    let is_simple = !glob.contains(['[', '{', '\\']);
    let form = if has_magic && is_simple {
        Form::Parts(glob.split('/').map(Part::new).collect())
    } else if has_magic {
        Form::Glob {
            itself: compile(glob, source)?,
            below: compile(&format!("{glob}/**"), source)?,
        }
    } else {
        Form::Plain(if glob == "." {
            String::new()
        } else {
            glob.to_owned()
        })
    };
    Ok(Pattern {
        source: source.to_owned(),
        is_negative,
        form,
    })
}

/// Returns for each number of a path's parts whether a glob's parts may have come that far.
///
/// Part by part, with every place of the path that the parts so far may have come to: many `**` must not take time without end.
fn places(glob: &[Part], path: &str) -> Vec<bool> {
    let path: Vec<&str> = path.split('/').collect();
    let mut places = vec![false; path.len() + 1];
    places[0] = true;
    for (number, part) in glob.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if matches!(part, Part::Deep) {
            // At the end it needs something to stand for.
            let least = usize::from(number + 1 == glob.len());
            let first = places.iter().position(|place| *place);
            let first = first.map_or(next.len(), |first| first + least);
            for place in next.iter_mut().skip(first) {
                *place = true;
            }
        } else {
            for (place, name) in path.iter().enumerate() {
                next[place + 1] = places[place] && part.matches(name);
            }
        }
        places = next;
    }
    places
}

fn compile(glob: &str, source: &str) -> Result<GlobMatcher, BadGlob> {
    let mut builder = GlobBuilder::new(glob);
    builder.literal_separator(true).backslash_escape(true);
    let glob = builder.build().map_err(|error| BadGlob {
        glob: source.to_owned(),
        words: error.kind().to_string(),
    })?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(globs: &[&str], yes: &[&str], no: &[&str]) {
        let patterns = Patterns::new(globs).unwrap();
        for path in yes {
            assert!(patterns.is_match(path), "{globs:?} takes {path}");
        }
        for path in no {
            assert!(!patterns.is_match(path), "{globs:?} leaves {path}");
        }
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_do_not() {
        check(&["*.md"], &["a.md"], &["d/a.md"]);
        check(&["**/*.md"], &["a.md", "d/e/a.md"], &["a.mdx"]);
        check(&["docs/**"], &["docs/a", "docs/a/b"], &["docs", "docs2/a"]);
        check(
            &["packages/*"],
            &["packages/a/b/c", "packages/a"],
            &["packages"],
        );
    }

    #[test]
    fn a_name_is_a_file_or_a_folder() {
        check(&["docs"], &["docs", "docs/a/b"], &["docs2", "x/docs"]);
        check(&["./docs/"], &["docs/a"], &[]);
    }

    #[test]
    fn the_last_glob_that_matches_decides() {
        check(
            &["src/**", "!src/**/*.md", "src/keep.md"],
            &["src/a.rs", "src/keep.md"],
            &["src/d/b.md"],
        );
    }

    #[test]
    fn a_workspace_names_folders_and_not_what_lies_below() {
        let globs = [
            "packages/*",
            "packages/a/plugins/*",
            "libs/**",
            "./x/!(old)",
            "!libs/no",
        ];
        let patterns = Patterns::of_workspace("w", globs).unwrap();
        for folder in [
            "packages/a",
            "packages/a/plugins/p",
            "libs",
            "libs/a/b",
            "x/new",
        ] {
            assert!(patterns.names(&format!("w/{folder}")), "{folder}");
        }
        for folder in ["packages", "packages/a/b", "x/old", "x/new/y", "libs/no"] {
            assert!(!patterns.names(&format!("w/{folder}")), "{folder}");
        }
        let top = Patterns::of_workspace("", ["!(old)", "{a,b}/@(c|d)", "."]).unwrap();
        assert!(top.names("new") && top.names("b/c") && top.names("") && !top.names("old"));
        let all = Patterns::of_workspace("", ["**"]).unwrap();
        assert!(all.names("") && all.names("a/b"));
        let below = Patterns::of_workspace("", ["p/*"]).unwrap();
        assert!(!below.names("") && !below.names("p") && below.names("p/a"));
        // What begins with a group that is not to be is no exception, wherever the workspace lies.
        let inner = Patterns::of_workspace("w", ["!(old)"]).unwrap();
        assert!(inner.names("w/new") && !inner.names("w/old") && !inner.names("new"));
        assert!(Patterns::of_workspace("", ["@(a|*(b|*(c)))"]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parts_match_as_the_library_does(
            glob in "(\\*\\*/)?[ab*?]{1,3}(/(\\*\\*|[ab*?]{1,3})){0,3}",
            path in "[abc]{1,3}(/[abc]{1,3}){0,3}",
        ) {
            // Two stars beside something else are the library's own matter.
            prop_assume!(glob.split('/').all(|part| part == "**" || !part.contains("**")));
            prop_assume!(glob.contains(['*', '?']));
            let itself = compile(&glob, &glob).unwrap();
            let below = compile(&format!("{glob}/**"), &glob).unwrap();
            let expected = itself.is_match(&path) || below.is_match(&path);
            prop_assert_eq!(Patterns::new([&glob]).unwrap().is_match(&path), expected, "{} {}", glob, path);
        }
    }

    #[test]
    fn many_stars_end() {
        let glob = "**/*/".repeat(40) + "x";
        let path = "a/".repeat(60) + "y";
        assert!(!Patterns::new([glob]).unwrap().is_match(&path));
    }

    #[test]
    fn a_broken_glob_is_named() {
        assert_eq!(Patterns::new(["a[b"]).unwrap_err().glob, "a[b");
    }

    #[test]
    fn globs_are_the_same_that_are_written_alike_and_in_order() {
        let new = |globs: &[&str]| Patterns::new(globs).unwrap();
        assert_eq!(new(&["a/*", "!b"]), new(&["a/*", "!b"]));
        assert_ne!(new(&["a/*", "!b"]), new(&["!b", "a/*"]));
        assert_ne!(new(&["a/*"]), new(&["a/*", "!b"]));
        assert_eq!(Patterns::default(), new(&[]));
    }
}
