//! Globs over paths from the top, as `.gitignore` writes them; a later `!` takes out what an earlier one took in.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::sources::is_within;

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
    Parts(Vec<String>),
    /// What needs more.
    Glob {
        itself: GlobMatcher,
        below: GlobMatcher,
    },
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

impl Patterns {
    pub(crate) fn new<S: AsRef<str>>(globs: impl IntoIterator<Item = S>) -> Result<Self, BadGlob> {
        let patterns: Result<Vec<_>, _> = globs
            .into_iter()
            .map(|glob| pattern(glob.as_ref()))
            .collect();
        Ok(Self(patterns?.into()))
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
            Form::Parts(parts) => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let path: Vec<&str> = path.split('/').collect();
                matches_parts(&parts, &path)
            }
            Form::Glob { itself, below } => itself.is_match(path) || below.is_match(path),
        }
    }
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
        Form::Parts(glob.split('/').map(str::to_owned).collect())
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

/// Whether parts of a glob match a path or a folder above it.
///
/// Part by part, with every place of the path that the parts so far may have come to: many `**` must not take time without end.
fn matches_parts(glob: &[&str], path: &[&str]) -> bool {
    let mut places = vec![false; path.len() + 1];
    places[0] = true;
    for (number, part) in glob.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if *part == "**" {
            // At the end it needs something to stand for.
            let least = usize::from(number + 1 == glob.len());
            let Some(first) = places.iter().position(|place| *place) else {
                return false;
            };
            for place in next.iter_mut().skip(first + least) {
                *place = true;
            }
        } else {
            for (place, name) in path.iter().enumerate() {
                next[place + 1] = places[place] && matches_name(part.as_bytes(), name.as_bytes());
            }
        }
        places = next;
    }
    // What lies below a match matches too.
    places.contains(&true)
}

/// Whether a glob of stars and question marks matches a name.
fn matches_name(glob: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last star stands, and from where it takes the rest.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match glob.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(b'?') => {
                // One character, of however many bytes.
                place += 1;
                while name.get(place).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    place += 1;
                }
                at += 1;
            }
            Some(byte) if *byte == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    place = from + 1;
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
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
}
