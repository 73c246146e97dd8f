//! CODEOWNERS, as GitHub reads it (docs.github.com, "About code owners"): the last pattern that matches a path wins, and a pattern
//! without owners takes them away. `!`, `[ ]` and a `#` behind a backslash do not work there, so such lines count for nothing.

use crate::stars;

/// Where the file may lie; the first that is there counts.
pub(crate) const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub reads no larger file.
const LARGEST: usize = 3 * 1024 * 1024;

/// A file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CodeOwners {
    rules: Vec<Rule>,
    /// Lines that count for nothing, from 1, and why.
    pub(crate) problems: Vec<(usize, &'static str)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    parts: Vec<Part>,
    owners: Vec<String>,
}

/// A part of a pattern, between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Any folders, or none.
    Any,
    /// A name with stars and question marks.
    Name(String),
    /// Exactly one name, with nothing below it.
    Last,
    /// Anything below, at least one name.
    Below,
}

impl CodeOwners {
    pub(crate) fn read(text: &str) -> Self {
        let mut read = Self::default();
        if text.len() > LARGEST {
            read.problems
                .push((1, "the file is larger than 3 MB: GitHub does not read it"));
            return read;
        }
        for (number, line) in (1..).zip(text.lines()) {
            match rule(line) {
                Ok(rule) => read.rules.extend(rule),
                Err(problem) => read.problems.push((number, problem)),
            }
        }
        read
    }

    /// Returns the owners of a path; none when nobody owns it.
    pub(crate) fn of(&self, path: &str) -> &[String] {
        let path: Vec<&str> = path.split('/').collect();
        let mut rules = self.rules.iter().rev();
        let rule = rules.find(|rule| matches(&rule.parts, &path));
        rule.map_or(&[], |rule| &rule.owners)
    }
}

/// Reads a line; nothing for one that says nothing.
fn rule(line: &str) -> Result<Option<Rule>, &'static str> {
    let words = words(line);
    let Some((pattern, owners)) = words.split_first() else {
        return Ok(None);
    };
    if pattern.starts_with('!') {
        return Err("`!` does not work in CODEOWNERS");
    }
    if pattern.starts_with("\\#") {
        return Err("a pattern cannot begin with `#`");
    }
    if pattern.contains(['[', ']']) {
        return Err("`[ ]` does not work in CODEOWNERS");
    }
    if !owners.iter().all(|owner| is_owner(owner)) {
        return Err("an owner is `@user`, `@org/team` or an address");
    }
    Ok(Some(Rule {
        parts: parts(&pattern.replace("\\ ", " ")),
        owners: owners.to_vec(),
    }))
}

/// Splits a line at blanks that no backslash stands before; a `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for c in line.chars() {
        if c == '#' && word.is_empty() {
            break;
        }
        if c.is_whitespace() && !escaped {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn is_owner(word: &str) -> bool {
    match word.strip_prefix('@') {
        Some(name) => {
            !name.is_empty() && name.split('/').count() <= 2 && !name.split('/').any(str::is_empty)
        }
        None => word
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.')),
    }
}

fn parts(pattern: &str) -> Vec<Part> {
    let is_folder = pattern.ends_with('/');
    let inner = pattern.trim_matches('/');
    // A slash before the end ties the pattern to the top.
    let is_tied = pattern.trim_end_matches('/').contains('/');
    let mut parts = Vec::new();
    if !is_tied {
        parts.push(Part::Any);
    }
    let names: Vec<&str> = inner.split('/').filter(|name| !name.is_empty()).collect();
    for (number, name) in names.iter().enumerate() {
        let is_last = number + 1 == names.len();
        parts.push(match *name {
            "**" if is_last => Part::Below,
            "**" => Part::Any,
            // `docs/*` does not go down into folders.
            "*" if is_last && !is_folder => Part::Last,
            name => Part::Name(name.to_owned()),
        });
    }
    if is_folder {
        parts.push(Part::Below);
    }
    parts
}

/// Whether parts match a path or a folder above it. Each place of the path that the parts so far may have come to is followed at
/// once, so that many stars take no time without end.
fn matches(parts: &[Part], path: &[&str]) -> bool {
    let mut at = vec![false; path.len() + 1];
    at[0] = true;
    for part in parts {
        let mut next = vec![false; path.len() + 1];
        for place in (0..=path.len()).filter(|place| at[*place]) {
            match part {
                Part::Any => next[place..].fill(true),
                Part::Name(name) => {
                    if place < path.len() && stars::matches(name.as_bytes(), path[place].as_bytes())
                    {
                        next[place + 1] = true;
                    }
                }
                Part::Last => {
                    if place + 1 == path.len() {
                        return true;
                    }
                }
                Part::Below => {
                    if place < path.len() {
                        return true;
                    }
                }
            }
        }
        at = next;
    }
    let ends_open = !matches!(parts.last(), Some(Part::Last | Part::Below) | None);
    // What a pattern names may be a folder: everything in it is meant.
    ends_open && at.iter().skip(1).any(|reached| *reached)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, cases: &[(&str, &str)]) {
        let read = CodeOwners::read(text);
        for (path, owners) in cases {
            assert_eq!(read.of(path).join(" "), *owners, "{path}");
        }
    }

    /// The file of GitHub's documentation, pattern by pattern.
    #[test]
    fn patterns_match_as_githubs_documentation_says() {
        check("*  @all", &[("a", "@all"), ("a/b/c", "@all")]);
        check(
            "*.js @js #this is an inline comment.",
            &[("a.js", "@js"), ("x/a.js", "@js"), ("a.jsx", "")],
        );
        check("*.go docs@example.com", &[("x/a.go", "docs@example.com")]);
        check(
            "*.txt @octo-org/octocats",
            &[("a.txt", "@octo-org/octocats")],
        );
        check(
            "/build/logs/ @d",
            &[
                ("build/logs/a", "@d"),
                ("build/logs/x/a", "@d"),
                ("x/build/logs/a", ""),
                ("build/logs", ""),
            ],
        );
        check(
            "docs/* @d",
            &[
                ("docs/a.md", "@d"),
                ("docs/build-app/a.md", ""),
                ("x/docs/a.md", ""),
            ],
        );
        check(
            "apps/ @o",
            &[("apps/a", "@o"), ("x/apps/y/a", "@o"), ("apps", "")],
        );
        check("/docs/ @d", &[("docs/x/a", "@d"), ("x/docs/a", "")]);
        check("/scripts/ @a @b", &[("scripts/a", "@a @b")]);
        check(
            "**/logs @o",
            &[
                ("build/logs/a", "@o"),
                ("deeply/nested/logs/a", "@o"),
                ("logs/a", "@o"),
                ("logs", "@o"),
            ],
        );
        check(
            "/apps/ @o\n/apps/github\n",
            &[("apps/x", "@o"), ("apps/github", ""), ("apps/github/a", "")],
        );
        check(
            "/apps/ @o\n/apps/github @doctocat\n",
            &[("apps/github/a", "@doctocat")],
        );
    }

    #[test]
    fn the_last_pattern_wins_and_what_does_not_work_counts_for_nothing() {
        check(
            "* @a\n/src/ @b\n*.md @c\n",
            &[("x", "@a"), ("src/x", "@b"), ("src/x.md", "@c")],
        );
        let read = CodeOwners::read("# c\n\n!a @x\n\\#b @x\n[ab] @x\nc x\nd @x/y/z\ne @\nf @ok\n");
        let lines: Vec<usize> = read.problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
        assert_eq!(read.of("f"), ["@ok"]);
        assert_eq!(CodeOwners::read(&" ".repeat(LARGEST + 1)).problems.len(), 1);
    }

    #[test]
    fn names_are_matched_whole_and_by_case() {
        check("/a\\ b/*.rs @x", &[("a b/c.rs", "@x"), ("a b/d/c.rs", "")]);
        check("Src/ @x", &[("src/a", ""), ("Src/a", "@x")]);
        check(
            "/a/**/z @x",
            &[("a/z", "@x"), ("a/b/c/z", "@x"), ("a/b/c/zz", "")],
        );
        check("/a/** @x", &[("a/b/c", "@x"), ("a", "")]);
        check("/* @x", &[("a", "@x"), ("a/b", "")]);
        check(
            "t?st @x",
            &[("test", "@x"), ("tst", ""), ("x/tast/y", "@x")],
        );
    }

    #[test]
    fn many_stars_take_no_time_without_end() {
        let pattern = format!("/{}z @x", "**/*a*/".repeat(40));
        let path = "aaaa/".repeat(200);
        let read = CodeOwners::read(&pattern);
        assert!(read.of(&path).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_plain_path_owns_itself_and_all_below(path in "[a-c]{1,2}(/[a-c]{1,2}){0,3}", below in "[a-c]{1,2}") {
            let read = CodeOwners::read(&format!("/{path} @x"));
            prop_assert_eq!(read.of(&path).len(), 1);
            let inside = format!("{path}/{below}");
            prop_assert_eq!(read.of(&inside).len(), 1);
            let beside = format!("{path}x");
            prop_assert!(read.of(&beside).is_empty());
        }

        #[test]
        fn no_text_is_too_much(text in ".{0,200}", path in ".{0,60}") {
            let _ = CodeOwners::read(&text).of(&path);
        }
    }
}
