//! An issue in a file: front matter (YAML between two lines of `---`) or a heading gives its title, the rest is its body.

use serde::Deserialize;

use super::Raw;
use crate::config::{Kind, YamlError, read_as};

/// No issue is longer, in bytes.
pub(crate) const LARGEST: usize = 1024 * 1024;

/// A first line that is no heading is a title up to so many characters.
const LONGEST_FIRST_LINE: usize = 120;

const KIND: Kind = Kind {
    schema: "front matter of an issue",
    published: "",
};

/// What may stand in front.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    number: Option<u64>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
}

/// Why a file is no issue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoIssue {
    #[error("it has more than {LARGEST} bytes")]
    TooLarge,
    #[error("it is not UTF-8 text (byte {0})")]
    NotText(usize),
    #[error("its front matter does not end: a second line of `---` is missing")]
    Endless,
    #[error("its front matter: {}", .0.message)]
    Front(Box<YamlError>),
    #[error("it has no title: begin it with `# Title`, or with `title:` in front matter")]
    NoTitle,
}

/// Reads an issue; `shown` is what the file is known by.
pub(crate) fn read(bytes: &[u8], shown: &str) -> Result<Raw, NoIssue> {
    if bytes.len() > LARGEST {
        return Err(NoIssue::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| NoIssue::NotText(error.valid_up_to()))?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (front, rest) = match text.strip_prefix("---\n") {
        Some(rest) => {
            let (front, rest) = front_of(rest).ok_or(NoIssue::Endless)?;
            let read = if front.trim().is_empty() {
                Ok(Front::default())
            } else {
                read_as(KIND, front, shown)
            };
            (read.map_err(|error| NoIssue::Front(Box::new(error)))?, rest)
        }
        None => (Front::default(), text.as_str()),
    };
    let (title, body) = match front.title {
        Some(title) => (title, rest),
        None => titled(rest).ok_or(NoIssue::NoTitle)?,
    };
    if title.trim().is_empty() {
        return Err(NoIssue::NoTitle);
    }
    Ok(Raw {
        number: front.number,
        title: title.trim().to_owned(),
        body: body.trim_matches('\n').to_owned(),
        url: front.url,
        labels: front.labels,
        ..Raw::default()
    })
}

fn front_of(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((text.get(..at)?, text.get(at + line.len()..)?));
        }
        at += line.len();
    }
    None
}

/// Returns title and body of a text without front matter.
fn titled(text: &str) -> Option<(String, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let heading = trimmed.trim_start_matches('#');
        if heading.len() < trimmed.len() && heading.starts_with([' ', '\t']) {
            let title = heading.trim().trim_end_matches('#').trim();
            return Some((title.to_owned(), rest));
        }
        if trimmed.chars().count() <= LONGEST_FIRST_LINE {
            return Some((trimmed.to_owned(), rest));
        }
        return None;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, title: &str, body: &str) {
        let raw = read(text.as_bytes(), "issue.md").unwrap();
        assert_eq!((raw.title.as_str(), raw.body.as_str()), (title, body));
    }

    #[test]
    fn a_title_is_in_front_or_in_the_first_heading() {
        check(
            "# Sum overflows #\n\nIt panics.\n",
            "Sum overflows",
            "It panics.",
        );
        check("\u{feff}## T\r\nb\r\n", "T", "b");
        check("Sum overflows\n\nIt panics.", "Sum overflows", "It panics.");
        check("---\ntitle: T\nnumber: 7\n---\n\n# Kept\n", "T", "# Kept");
        check("---\n---\n# T\nb\n", "T", "b");
        let raw = read(b"---\ntitle: T\nnumber: 7\nlabels: [bug]\n---\n", "i").unwrap();
        assert_eq!((raw.number, raw.labels), (Some(7), vec!["bug".to_owned()]));
    }

    #[test]
    fn what_is_no_issue_says_why() {
        for (text, words) in [
            (&b""[..], "no title"),
            (b"---\ntitle: T\n", "does not end"),
            (b"---\ntitle: ' '\n---\nb", "no title"),
            (b"---\nauthor: root\n---\nb", "author"),
            (b"---\ntitle: [\n---\nb", "front matter"),
            (b"# \xff", "byte 2"),
        ] {
            let error = read(text, "issue.md").unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let large = vec![b'a'; LARGEST + 1];
        assert!(matches!(read(&large, "i"), Err(NoIssue::TooLarge)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_issue_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, "issue.md");
        }
    }
}
