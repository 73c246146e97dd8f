//! Globs over paths from the top, as `.gitignore` writes them; a later `!` takes out what an earlier one took in.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

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
    /// What only a glob says.
    Glob { itself: GlobMatcher, below: GlobMatcher },
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.sources().eq(other.sources())
    }
}

impl Patterns {
    pub(crate) fn new<S: AsRef<str>>(globs: impl IntoIterator<Item = S>) -> Result<Self, BadGlob> {
        let patterns: Result<Vec<_>, _> = globs.into_iter().map(|glob| pattern(glob.as_ref())).collect();
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
            Form::Glob { itself, below } => itself.is_match(path) || below.is_match(path),
        }
    }
}

fn pattern(source: &str) -> Result<Pattern, BadGlob> {
    let (is_negative, glob) = match source.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let glob = glob.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
    let has_magic = glob.contains(['*', '?', '[', '{', '\\']);
    let form = if has_magic {
        Form::Glob {
            itself: compile(glob, source)?,
            below: compile(&format!("{glob}/**"), source)?,
        }
    } else {
        Form::Plain(if glob == "." { String::new() } else { glob.to_owned() })
    };
    Ok(Pattern {
        source: source.to_owned(),
        is_negative,
        form,
    })
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
        check(&["packages/*"], &["packages/a/b/c", "packages/a"], &["packages"]);
    }

    #[test]
    fn a_name_is_a_file_or_a_folder() {
        check(&["docs"], &["docs", "docs/a/b"], &["docs2", "x/docs"]);
        check(&["./docs/"], &["docs/a"], &[]);
    }

    #[test]
    fn the_last_glob_that_matches_decides() {
        check(&["src/**", "!src/**/*.md", "src/keep.md"], &["src/a.rs", "src/keep.md"], &["src/d/b.md"]);
    }

    #[test]
    fn a_broken_glob_is_named() {
        assert_eq!(Patterns::new(["a[b"]).unwrap_err().glob, "a[b");
    }
}
