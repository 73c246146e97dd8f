//! The instructions of a `Dockerfile`, as BuildKit's parser finds them.

use std::collections::HashMap;

use super::words::{Words, split};

use crate::json;

/// An instruction: its verb in capitals, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) verb: String,
    pub(super) rest: String,
}

impl Instruction {
    pub(super) fn parse(line: &str) -> Self {
        let line = line.trim();
        let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        Self {
            verb: verb.to_ascii_uppercase(),
            rest: rest.trim().to_owned(),
        }
    }
}

/// Returns the instructions, with continued lines joined and without comments and here-documents, and the escape sign.
pub(super) fn instructions(text: &str) -> (Vec<Instruction>, char) {
    let escape = escape_sign(text);
    let lines: Vec<&str> = text.lines().collect();
    let ends = text.contains("<<").then(|| Ends::of(&lines));
    let mut found = Vec::new();
    let mut current = String::new();
    let mut number = 0;
    while let Some(line) = lines.get(number) {
        number += 1;
        let begins = line.trim_start();
        if begins.starts_with('#') || begins.is_empty() {
            continue;
        }
        let continued = line.trim_end_matches([' ', '\t']).strip_suffix(escape);
        // Two escapes are one sign, and the line ends.
        if let Some(continued) = continued.filter(|line| !line.ends_with(escape)) {
            current.push_str(continued);
            continue;
        }
        current.push_str(line);
        let instruction = Instruction::parse(&std::mem::take(&mut current));
        if let Some(ends) = &ends {
            for document in here_documents(&instruction) {
                // One that never ends is none.
                number = ends.after(&document, number).unwrap_or(number);
            }
        }
        found.push(instruction);
    }
    if !current.is_empty() {
        found.push(Instruction::parse(&current));
    }
    (found, escape)
}

/// Directives stand before everything else, other comments too.
fn escape_sign(text: &str) -> char {
    for line in text.lines() {
        let directive = line
            .trim()
            .strip_prefix('#')
            .and_then(|line| line.split_once('='));
        let Some((name, value)) = directive else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`" {
            return '`';
        }
    }
    '\\'
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct HereDocument {
    end: String,
    /// Whether tabs may stand before the end.
    takes_tabs: bool,
}

/// Where each line stands.
struct Ends<'t> {
    whole: HashMap<&'t str, Vec<usize>>,
    without_tabs: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Ends<'t> {
    fn of(lines: &[&'t str]) -> Self {
        let mut whole: HashMap<_, Vec<_>> = HashMap::new();
        let mut without_tabs: HashMap<_, Vec<_>> = HashMap::new();
        for (number, line) in lines.iter().enumerate() {
            whole.entry(*line).or_default().push(number);
            without_tabs
                .entry(line.trim_start_matches('\t'))
                .or_default()
                .push(number);
        }
        Self {
            whole,
            without_tabs,
        }
    }

    /// Returns the line behind the end of a here-document that begins with a line.
    fn after(&self, document: &HereDocument, from: usize) -> Option<usize> {
        let lines = if document.takes_tabs {
            &self.without_tabs
        } else {
            &self.whole
        };
        let places = lines.get(document.end.as_str())?;
        let next = places.partition_point(|place| *place < from);
        places.get(next).map(|place| place + 1)
    }
}

/// Returns the here-documents that an instruction begins: words of its line, not what stands in quotes.
fn here_documents(instruction: &Instruction) -> Vec<HereDocument> {
    let inner;
    let (verb, rest) = if instruction.verb == "ONBUILD" {
        inner = Instruction::parse(&instruction.rest);
        (inner.verb.as_str(), inner.rest.as_str())
    } else {
        (instruction.verb.as_str(), instruction.rest.as_str())
    };
    let may_hold = matches!(verb, "RUN" | "COPY" | "ADD") && rest.contains("<<");
    if !may_hold || verb == "RUN" && json::read::<Vec<String>>(rest).is_ok() {
        return Vec::new();
    }
    let words = split(rest, '\\').unwrap_or_default();
    words.into_iter().filter_map(here_document).collect()
}

fn here_document(word: &str) -> Option<HereDocument> {
    let name = word
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .strip_prefix("<<")?;
    let (takes_tabs, name) = match name.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, name),
    };
    if name.is_empty() || name.contains('<') {
        return None;
    }
    let words = Words {
        lookup: &|name| Some(format!("${name}")),
        escape: Some('\\'),
    };
    Some(HereDocument {
        end: words.expand(name),
        takes_tabs,
    })
}

/// Whether a word of COPY begins a here-document.
pub(super) fn is_here_document(word: &str) -> bool {
    here_document(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (found, _) = instructions(text);
        let found: Vec<String> = found
            .iter()
            .map(|one| format!("{} {}", one.verb, one.rest))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_here_document_is_a_word_of_the_line() {
        check(
            "RUN <<EOF\nCOPY a b\nEOF\nCOPY c d\n",
            &["RUN <<EOF", "COPY c d"],
        );
        check(
            "RUN sh -c \"cat <<EOF > /x\"\nCOPY c d\nEOF\n",
            &["RUN sh -c \"cat <<EOF > /x\"", "COPY c d", "EOF "],
        );
        check(
            "COPY <<A <<-'B C' /d\nx\nA\n\tCOPY x\n\tB C\nCOPY c d\n",
            &["COPY <<A <<-'B C' /d", "COPY c d"],
        );
        check(
            "RUN cat <<<x 1<<2\nCOPY c d\n",
            &["RUN cat <<<x 1<<2", "COPY c d"],
        );
        check(
            "RUN [\"a\", \"<<E\"]\nCOPY c d\nE\n",
            &["RUN [\"a\", \"<<E\"]", "COPY c d", "E "],
        );
        check(
            "onbuild run <<E\nCOPY a b\nE\nUSER x\n",
            &["ONBUILD run <<E", "USER x"],
        );
        // The end is that line, not one like it.
        check("RUN <<E\n E\nFROM x\nE\nUSER x\n", &["RUN <<E", "USER x"]);
    }

    #[test]
    fn lines_are_continued_as_they_stand() {
        check("COPY a\\\n# no\n\nb \\  \n  c\n", &["COPY ab   c"]);
        check("RUN echo \\\\\nCOPY a b\n", &["RUN echo \\\\", "COPY a b"]);
        check("# escape=`\nCOPY a `\n b\n", &["COPY a  b"]);
        check("# syntax=x\n# Escape = `\nCOPY a `\n b\n", &["COPY a  b"]);
        check("# escape=\\\nCOPY a \\\n b\n", &["COPY a  b"]);
        check("# other=`\nCOPY a \\\n b\n", &["COPY a  b"]);
        check(
            "# x\n# escape=`\nCOPY a `\nUSER b\n",
            &["COPY a `", "USER b"],
        );
    }
}
