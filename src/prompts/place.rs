//! Where in a YAML file something stands, by the indentation that people write: the parser keeps no places.
//!
//! What is written in another way (flow style, anchors) is found less exactly, and never wrongly read: places are for messages only.

/// One step of the way to a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// A key of a mapping.
    Key(&'a str),
    /// An entry of a list, from zero.
    Entry(usize),
}

struct Line<'a> {
    number: u32,
    indent: usize,
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let numbered = (1..).zip(text.lines());
    let lines = numbered.map(|(number, line)| {
        let text = line.trim_start_matches(' ');
        Line {
            number,
            indent: line.len() - text.len(),
            text: text.trim_end(),
        }
    });
    lines
        .filter(|line| !line.text.is_empty() && !line.text.starts_with('#'))
        .collect()
}

/// Returns the line of a value's key or dash, or of the last step that is found; the first line when none is.
pub(crate) fn line_of(text: &str, way: &[Step<'_>]) -> u32 {
    let all = lines(text);
    let mut range = all.as_slice();
    let mut line = 1;
    // Where a list's entry begins, its first key stands on the line of the dash.
    let mut dash: Option<(u32, usize, &str)> = None;
    for step in way {
        let found = match step {
            Step::Key(key) => dash
                .filter(|(_, _, first)| is_key(first, key))
                .map(|(number, indent, _)| (number, indent, None))
                .or_else(|| {
                    let indent = dash.map(|(_, indent, _)| indent);
                    let indent = indent.or_else(|| range.first().map(|line| line.indent))?;
                    let at = range
                        .iter()
                        .position(|line| line.indent == indent && is_key(line.text, key))?;
                    Some((range.get(at)?.number, indent, Some(at)))
                }),
            Step::Entry(number) => {
                let indent = range.first().map_or(0, |line| line.indent);
                let is_entry = |line: &Line<'_>| {
                    line.indent == indent && (line.text == "-" || line.text.starts_with("- "))
                };
                let entries = range.iter().enumerate().filter(|(_, line)| is_entry(line));
                let at = entries.map(|(at, _)| at).nth(*number);
                at.and_then(|at| Some((range.get(at)?.number, indent, Some(at))))
            }
        };
        let Some((number, indent, at)) = found else {
            return line;
        };
        line = number;
        let from = at.map_or(0, |at| at + 1);
        let entry = at
            .and_then(|at| range.get(at))
            .filter(|_| matches!(step, Step::Entry(_)));
        dash = entry.map(|entry| {
            let first = entry.text.trim_start_matches('-');
            let inner = first.trim_start_matches(' ');
            (number, indent + 1 + (first.len() - inner.len()), inner)
        });
        let rest = range.get(from..).unwrap_or_default();
        let is_key_step = matches!(step, Step::Key(_));
        let length = rest.iter().position(|line| {
            // A list may stand as far left as the key that it belongs to.
            let is_own_list = is_key_step && line.indent == indent && line.text.starts_with('-');
            line.indent <= indent && !is_own_list
        });
        range = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
    }
    line
}

/// Returns the same with its column, from one: that of the last key of the way, where the line has it.
pub(crate) fn place_of(text: &str, way: &[Step<'_>]) -> (u32, u32) {
    let line = line_of(text, way);
    let whole = text
        .lines()
        .nth(line.saturating_sub(1) as usize)
        .unwrap_or_default();
    let first = whole.len() - whole.trim_start().len();
    let keys = way.iter().rev().filter_map(|step| match step {
        Step::Key(key) if !key.is_empty() => Some(*key),
        Step::Key(_) | Step::Entry(_) => None,
    });
    let mut found = keys.filter_map(|key| {
        let mut starts = whole.match_indices(key).map(|(at, _)| at);
        starts.find(|at| {
            let before = whole[..*at].chars().next_back();
            before.is_none_or(|c| " {,\"'".contains(c)) && is_key(&whole[*at..], key)
        })
    });
    let at = found.next().unwrap_or(first);
    let column = 1 + whole[..at].chars().count();
    (line, u32::try_from(column).unwrap_or(u32::MAX))
}

fn is_key(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches(['"', '\'']);
    line.strip_prefix(key).is_some_and(|rest| {
        rest.trim_start_matches(['"', '\''])
            .trim_start()
            .starts_with(':')
    })
}

/// Returns the line of a text's own first line: below its key in a block, beside it otherwise.
pub(crate) fn first_line_of(text: &str, way: &[Step<'_>]) -> u32 {
    let line = line_of(text, way);
    let key = text.lines().nth(line.saturating_sub(1) as usize);
    let is_block = key.is_some_and(|key| {
        let end = key.rsplit(' ').next().unwrap_or_default();
        end.starts_with(['|', '>']) && end.len() <= 3
    });
    line + u32::from(is_block)
}

#[cfg(test)]
mod tests {
    use super::Step::{Entry, Key};
    use super::*;

    const TEXT: &str = "\
schema: x
name: a
variables:
  issue:
    type: object
    fields:
      title: {type: string}
# a comment
messages:
  - role: system
    content: |
      name: no key
      - no entry
  - role: user
    content: short
golden:
- name: one
  expect:
    contains: [a]
- name: two
  expect: {}
";

    #[test]
    fn keys_and_entries_are_found() {
        let at = |way: &[Step<'_>]| line_of(TEXT, way);
        assert_eq!(at(&[Key("name")]), 2);
        assert_eq!(at(&[Key("variables"), Key("issue"), Key("fields")]), 6);
        assert_eq!(at(&[Key("messages"), Entry(0)]), 10);
        assert_eq!(at(&[Key("messages"), Entry(0), Key("role")]), 10);
        assert_eq!(at(&[Key("messages"), Entry(0), Key("content")]), 11);
        assert_eq!(at(&[Key("messages"), Entry(1), Key("content")]), 15);
        assert_eq!(at(&[Key("golden"), Entry(1)]), 20);
        assert_eq!(
            at(&[Key("golden"), Entry(0), Key("expect"), Key("contains")]),
            19
        );
    }

    #[test]
    fn a_key_has_its_column_also_inside_a_line() {
        let at = |text: &str| place_of(text, &[Key("flakes"), Key("review_by")]);
        assert_eq!(at("a: 1\nflakes:\n  review_by: 3d\n"), (3, 3));
        assert_eq!(at("flakes: { quarantine: gate, review_by: 3d }\n"), (1, 29));
        assert_eq!(at("flakes: {x_review_by: 1, \"review_by\": 3d}\n"), (1, 27));
        assert_eq!(at("flakes: &a {}\n"), (1, 1));
        assert_eq!(at("'flakes': x\n"), (1, 2));
        assert_eq!(at(""), (1, 1));
    }

    #[test]
    fn what_is_not_found_has_the_place_of_what_is() {
        assert_eq!(line_of(TEXT, &[Key("variables"), Key("nobody")]), 3);
        assert_eq!(line_of(TEXT, &[Key("nobody")]), 1);
        assert_eq!(line_of("", &[Key("a")]), 1);
    }

    #[test]
    fn a_block_begins_below_its_key() {
        let way = [Key("messages"), Entry(0), Key("content")];
        assert_eq!(first_line_of(TEXT, &way), 12);
        let way = [Key("messages"), Entry(1), Key("content")];
        assert_eq!(first_line_of(TEXT, &way), 15);
    }
}
