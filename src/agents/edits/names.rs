//! The name of a file in the lines before a block: models write it bare, bold, in backticks, behind a `#`, with a colon, in the fence's own line.

use super::peel::is_fence;

/// How many lines before a block may hold its file's name.
const REACH: usize = 3;

/// Finds the name in the lines before a block, last line first. A file that is there wins; then what looks like a path.
pub(super) fn before(lines: &[&str], known: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut sure: Vec<String> = Vec::new();
    for line in lines.iter().rev().take(REACH) {
        if let Some(name) = stripped(line) {
            names.push(name);
        }
        sure.extend(spellings(line));
        if !is_opening(line) {
            break;
        }
    }
    if let Some(name) = names.iter().chain(&sure).find(|name| known(name)) {
        return Some(name.clone());
    }
    if let Some(name) = names.iter().find(|name| is_path(name)) {
        return Some(name.clone());
    }
    if let Some(name) = sure.into_iter().find(|name| is_path(name)) {
        return Some(name);
    }
    let dotted = names
        .iter()
        .position(|name| name.contains('.'))
        .unwrap_or(0);
    (dotted < names.len()).then(|| names.swap_remove(dotted))
}

/// Finds the name in a line that holds nothing else, but for marks and a label, or in the line of a fence.
pub(super) fn alone(line: &str, known: &dyn Fn(&str) -> bool) -> Option<String> {
    let is_name = |name: &String| known(name) || is_path(name);
    if is_opening(line) {
        let bare = stripped(line).filter(is_name);
        return bare.or_else(|| spellings(line).into_iter().find(is_name));
    }
    let line = line
        .trim_start_matches(|c: char| {
            c.is_ascii_digit() || matches!(c, '#' | '*' | '-' | '.' | ' ' | '/')
        })
        .trim();
    let line = line.trim_end_matches([':', '*']);
    let label = line.split_once(':').filter(|(label, _)| {
        LABELS.contains(&label.trim_matches('*').to_ascii_lowercase().as_str())
    });
    let name = clean(label.map_or(line, |(_, name)| name));
    Some(name).filter(is_name)
}

/// What stands before a name.
const LABELS: [&str; 5] = ["file", "filename", "file name", "path", "file path"];

/// Whether a line opens a block of code.
fn is_opening(line: &str) -> bool {
    is_fence(line) || tag(line).is_some()
}

/// Returns what stands behind `<source>` and the like, which aider lets models fence with.
pub(super) fn tag(line: &str) -> Option<&str> {
    let line = line.trim();
    ["<source>", "<code>", "<pre>", "<codeblock>", "<sourcecode>"]
        .iter()
        .find_map(|tag| line.strip_prefix(tag))
}

/// Takes off a line what is no part of a name.
fn stripped(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line == "..." {
        return None;
    }
    let info = if is_fence(line) {
        Some(line.trim_start_matches(['`', '~']))
    } else {
        tag(line)
    };
    if let Some(info) = info {
        return (info.contains(['.', '/'])).then(|| info.trim().to_owned());
    }
    let name = line.trim_end_matches(':').trim_start_matches('#').trim();
    let name = name.trim_matches('`').trim_matches('*');
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns other readings of a line that hold a path: `**File:** `a.rs``, `rust:src/a.rs`, `// src/a.rs`, `rust title="a.rs"`, `a.rs (new)`.
fn spellings(line: &str) -> Vec<String> {
    let line = line.trim();
    let mut quoted = line
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|part| !part.trim().is_empty())
        .peekable();
    if !is_fence(line) && quoted.peek().is_some() {
        return quoted.map(clean).filter(|name| is_path(name)).collect();
    }
    let words = line.split([' ', '\t', '"', '\'', '(', ')', '=', ',']);
    let parts = words.flat_map(|word| {
        let (lead, rest) = word.split_once(':').unwrap_or(("", word));
        let is_lead = !lead.is_empty() && !lead.contains(['.', '/', '\\']);
        [if is_lead { rest } else { word }]
    });
    let names: Vec<String> = parts.map(clean).filter(|name| is_path(name)).collect();
    // A sentence with two paths in it names neither.
    if names.len() == 1 { names } else { Vec::new() }
}

fn clean(word: &str) -> String {
    word.trim()
        .trim_start_matches('#')
        .trim_matches(['`', '*', '_', '"', '\'', '<', '>'])
        .trim_end_matches([':', '.', ',', ';'])
        .trim()
        .to_owned()
}

/// Whether a text looks like a file's path: no white space, and a folder or an ending.
pub(super) fn is_path(name: &str) -> bool {
    let is_word = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '-' | '.' | '/' | '\\' | '+' | '@' | '[' | ']' | '(' | ')' | '~' | '$' | ','
            )
    };
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let has_ending = last
        .split_once('.')
        .is_some_and(|(_, ending)| !ending.is_empty() && ending.chars().any(char::is_alphabetic));
    let has_folder = name.trim_matches(['/', '\\']).contains(['/', '\\']) && !last.is_empty();
    name.len() < 300
        && name.chars().all(is_word)
        && (has_ending || has_folder)
        && !name.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, name: Option<&str>) {
        let lines: Vec<&str> = lines.lines().collect();
        let known = |name: &str| ["src/lib.rs", "Dockerfile", "my notes.txt"].contains(&name);
        assert_eq!(before(&lines, &known).as_deref(), name, "{lines:?}");
    }

    #[test]
    fn names_in_every_spelling() {
        for line in [
            "src/lib.rs",
            "  src/lib.rs  ",
            "src/lib.rs:",
            "### src/lib.rs",
            "**src/lib.rs**",
            "**src/lib.rs**:",
            "`src/lib.rs`",
            "### `src/lib.rs`:",
            "File: src/lib.rs",
            "**File:** `src/lib.rs`",
            "1. In `src/lib.rs`:",
            "Here is the change to src/lib.rs:",
            "// src/lib.rs",
            "<!-- src/lib.rs -->",
            "src/lib.rs (modified)",
        ] {
            check(&format!("{line}\n```rust"), Some("src/lib.rs"));
            check(line, Some("src/lib.rs"));
        }
        for fence in [
            "```src/lib.rs",
            "```rust src/lib.rs",
            "````rust:src/lib.rs",
            "~~~rust title=\"src/lib.rs\"",
            "<source>src/lib.rs",
        ] {
            check(&format!("Do this\n{fence}"), Some("src/lib.rs"));
        }
    }

    #[test]
    fn files_that_are_there_win() {
        check("Dockerfile\n```", Some("Dockerfile"));
        check("my notes.txt\n```", Some("my notes.txt"));
        check("src/lib.rs\n```rust\n```rust", Some("src/lib.rs"));
        check("other/new.rs\n```rust", Some("other/new.rs"));
    }

    #[test]
    fn lines_further_up_do_not_count() {
        check("src/lib.rs\n\n\n```", None);
        check(
            "src/lib.rs\nHere it is, as you want it\n```",
            Some("Here it is, as you want it"),
        );
        check("", None);
        check("```rust", None);
    }

    #[test]
    fn a_name_that_stands_alone() {
        let known = |name: &str| name == "Dockerfile";
        for line in [
            "a/b.rs",
            "### 1. `a/b.rs`",
            "**File: a/b.rs**",
            "File: `a/b.rs`:",
            "```rust a/b.rs",
            "```a/b.rs",
            "```rust:a/b.rs",
        ] {
            assert_eq!(alone(line, &known).as_deref(), Some("a/b.rs"), "{line}");
        }
        assert_eq!(alone("Dockerfile:", &known).as_deref(), Some("Dockerfile"));
        for line in ["An example of a/b.rs:", "```rust", "Makefile", ""] {
            assert_eq!(alone(line, &known), None, "{line}");
        }
    }

    #[test]
    fn what_looks_like_a_path() {
        for path in [
            "a.rs",
            "a/b",
            ".gitignore",
            "src\\a.py",
            "a-b/[id].tsx",
            "x/Makefile",
        ] {
            assert!(is_path(path), "{path}");
        }
        for text in [
            "a",
            "a b.rs",
            "1.2",
            "http://x.io/a",
            "and/",
            "v1.0 of it",
            "...",
        ] {
            assert!(!is_path(text), "{text}");
        }
    }
}
