//! A list of repositories, as people write it: one a line, a path or `owner/name` and a path; lines that begin with `#` are comments.
//!
//! The list is read whole or refused with the numbers of its bad lines: a repository that is left out by accident would change every figure.

use std::collections::BTreeMap;
use std::fmt;

use crate::forge::repository::RepoName;

/// No path is longer (Linux, `PATH_MAX`).
const LONGEST: usize = 4096;

/// Nobody pools more repositories.
const MOST: usize = 10_000;

/// So many bad lines are told; the rest is counted.
const MOST_TOLD: usize = 5;

/// A repository of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) line: usize,
    pub(crate) name: Option<RepoName>,
    /// As it was written.
    pub(crate) path: String,
}

/// Why a repository of the list could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    /// Whether there is no such folder.
    pub(crate) is_missing: bool,
    pub(crate) words: String,
}

impl Unread {
    pub(crate) fn missing(words: &str) -> Self {
        Self {
            is_missing: true,
            words: words.to_owned(),
        }
    }

    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self {
            is_missing: false,
            words: words.into(),
        }
    }
}

/// What is wrong with a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BadList(Vec<(usize, String)>);

impl fmt::Display for BadList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (line, words)) in self.0.iter().take(MOST_TOLD).enumerate() {
            let comma = if place == 0 { "" } else { "; " };
            match line {
                0 => write!(f, "{comma}{words}")?,
                line => write!(f, "{comma}line {line}: {words}")?,
            }
        }
        match self.0.len().saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Reads a list.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Listed>, BadList> {
    let mut bad = BadList::default();
    let mut found: Vec<Listed> = Vec::new();
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let entry = match entry(line, text) {
            Ok(Some(entry)) => entry,
            Ok(None) => continue,
            Err(words) => {
                bad.0.push((line, words));
                continue;
            }
        };
        let folder = entry.path.trim_end_matches('/').to_owned();
        let name = entry
            .name
            .as_ref()
            .map(|name| name.to_string().to_lowercase());
        // A state may hold several repositories, which are told apart by name.
        let earlier = match name {
            Some(name) => names.insert(name, line),
            None => paths.insert(folder, line),
        };
        match earlier {
            Some(earlier) => {
                let words = format!("line {earlier} names it already, and it would count twice");
                bad.0.push((line, words));
            }
            None => found.push(entry),
        }
        if found.len() > MOST {
            bad.0
                .push((line, format!("there are more than {MOST} repositories")));
            break;
        }
    }
    if found.is_empty() && bad.0.is_empty() {
        bad.0.push((0, "it names no repository".to_owned()));
    }
    if bad.0.is_empty() {
        Ok(found)
    } else {
        Err(bad)
    }
}

/// Reads a line; nothing where it is blank or a comment.
fn entry(line: usize, bytes: &[u8]) -> Result<Option<Listed>, String> {
    if bytes.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    if let Some(odd) = text.chars().find(|c| is_hidden(*c)) {
        return Err(format!(
            "it holds U+{:04X}, which nobody sees",
            u32::from(odd)
        ));
    }
    if text == "---" || text.starts_with("- ") {
        return Err("this is YAML; write one path a line, and nothing before it".to_owned());
    }
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let name = RepoName::parse(first).filter(|_| !rest.is_empty());
    let path = if name.is_some() { rest } else { text };
    Ok(Some(Listed {
        line,
        name,
        path: path.to_owned(),
    }))
}

/// Whether a character is one that does not show, or changes how others do (Unicode 16, general categories Cc and Cf as far as they occur in names).
fn is_hidden(c: char) -> bool {
    c != '\t'
        && (c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, wanted: &[(usize, &str, &str)]) {
        let found = read(text.as_bytes()).unwrap();
        let shown: Vec<(usize, String, &str)> = found
            .iter()
            .map(|one| {
                let name = one.name.as_ref().map(RepoName::to_string);
                (one.line, name.unwrap_or_default(), one.path.as_str())
            })
            .collect();
        let shown: Vec<(usize, &str, &str)> = shown
            .iter()
            .map(|(line, name, path)| (*line, name.as_str(), *path))
            .collect();
        assert_eq!(shown, wanted);
    }

    fn refused(text: &[u8], words: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), words);
    }

    #[test]
    fn a_line_is_a_path_or_a_name_and_a_path() {
        check(
            "\u{feff}# ours\n../payments\r\n\nacme/web\t../clones/web\n  acme/api  states/api  \n",
            &[
                (2, "", "../payments"),
                (4, "acme/web", "../clones/web"),
                (5, "acme/api", "states/api"),
            ],
        );
        check(
            "a\no/x a\no/y a",
            &[(1, "", "a"), (2, "o/x", "a"), (3, "o/y", "a")],
        );
        // One word is a path, even where it could be a name, and so is what has spaces in it.
        check(
            "acme/web\nmy work/api\n",
            &[(1, "", "acme/web"), (2, "", "my work/api")],
        );
        check("../a b/c", &[(1, "", "../a b/c")]);
    }

    #[test]
    fn bad_lines_are_told_by_number_and_nothing_is_read() {
        refused(b"", "it names no repository");
        refused(b"a\n\xff\n", "line 2: it is not UTF-8 text");
        refused(
            "a\u{202e}b".as_bytes(),
            "line 1: it holds U+202E, which nobody sees",
        );
        refused(b"a\0b", "line 1: it holds U+0000, which nobody sees");
        refused(
            b"- a",
            "line 1: this is YAML; write one path a line, and nothing before it",
        );
        refused(
            b"a\n#\na/\n",
            "line 3: line 1 names it already, and it would count twice",
        );
        refused(
            b"o/n a\nO/N b",
            "line 2: line 1 names it already, and it would count twice",
        );
        let long = [b'a'; LONGEST + 1];
        refused(&long, "line 1: it is longer than 4096 bytes");
        let many = "\0\n".repeat(7);
        assert!(
            read(many.as_bytes())
                .unwrap_err()
                .to_string()
                .ends_with("; and 2 more")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(found) = read(&bytes) {
                prop_assert!(!found.is_empty());
                for one in found {
                    prop_assert!(!one.path.is_empty() && !one.path.contains(['\n', '\0']));
                }
            }
        }
    }
}
