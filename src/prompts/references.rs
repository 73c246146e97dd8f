//! Which other files a template names: `include`, `extends`, `import` and `from`, read without running anything.
//!
//! Only a name in quotes is taken, so that a prompt's digest covers every text that can come into it.

use std::collections::{BTreeMap, BTreeSet};

/// A name in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: String,
    /// The template's line, from one.
    pub(crate) line: usize,
}

/// Why a template's references cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The template that names it; none for the first one.
    pub(crate) within: Option<String>,
    pub(crate) line: usize,
    pub(crate) words: String,
}

const KEYWORDS: [&str; 4] = ["include", "extends", "import", "from"];

/// Returns the names in a template, in order.
pub(crate) fn references(template: &str) -> Result<Vec<Reference>, Fault> {
    let mut found = Vec::new();
    let mut at = 0;
    let (mut line, mut counted) = (1, 0);
    while let Some(open) = template.get(at..).and_then(|rest| rest.find('{')) {
        let start = at + open;
        let rest = template.get(start..).unwrap_or_default();
        at = start + 1;
        if rest.starts_with("{#") {
            at = start + rest.find("#}").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            let is_block = rest.starts_with("{%");
            let inside = rest.get(2..).unwrap_or_default();
            let length = length_of_tag(inside, if is_block { "%}" } else { "}}" });
            at = start + 2 + length;
            let tag = inside.get(..length).unwrap_or_default();
            let words = tag.trim_start_matches(['-', '+']).trim_start();
            if is_block && first_word(words) == "raw" {
                at = end_of_raw(template, at);
            } else if is_block && let Some(rest) = after_keyword(words) {
                let passed = template.get(counted..start).unwrap_or_default();
                line += passed.matches('\n').count();
                counted = start;
                let name = quoted(rest).ok_or_else(|| Fault {
                    within: None,
                    line,
                    words: "an include names one file, in quotes".into(),
                })?;
                found.push(Reference { name, line });
            }
        }
    }
    Ok(found)
}

/// Returns how long a tag is until its end; what stands in quotes ends nothing.
fn length_of_tag(inside: &str, end: &str) -> usize {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if inside.get(at..).is_some_and(|rest| rest.starts_with(end)) => return at,
            Some(_) | None => {}
        }
    }
    inside.len()
}

fn end_of_raw(template: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(open) = template.get(at..).and_then(|rest| rest.find("{%")) {
        at += open + 2;
        let rest = template.get(at..).unwrap_or_default();
        if first_word(rest.trim_start_matches(['-', '+']).trim_start()) == "endraw" {
            return at;
        }
    }
    template.len()
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn after_keyword(words: &str) -> Option<&str> {
    let keyword = first_word(words);
    KEYWORDS
        .contains(&keyword)
        .then(|| words.get(keyword.len()..).unwrap_or_default().trim_start())
}

/// Reads a name in quotes that nothing is done to.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let (name, rest) = text.get(1..)?.split_once(quote)?;
    let next = first_word(rest.trim_start());
    let is_alone = rest.trim().trim_matches(['-', '+']).is_empty()
        || ["as", "import", "with", "without"].contains(&next);
    (is_alone && !name.contains('\\')).then(|| name.to_owned())
}

/// Why a name leads nowhere that may be read.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    let is_inside = !name.is_empty()
        && !name.starts_with('/')
        && !name.contains(['\\', ':', '\0'])
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (!is_inside).then_some("leaves the folder `prompts/`")
}

/// Returns every file that a template and those that it names can bring in, by name.
pub(crate) fn closure<'a>(
    template: &str,
    find: &dyn Fn(&str) -> Option<&'a str>,
    known: &dyn Fn() -> Vec<String>,
) -> Result<BTreeMap<String, &'a str>, Fault> {
    let mut walk = Walk {
        find,
        known,
        parts: BTreeMap::new(),
        done: BTreeSet::new(),
        open: Vec::new(),
    };
    walk.follow(template, None)?;
    Ok(walk.parts)
}

/// A chain of includes that is longer than this was not written by a person.
const LONGEST_CHAIN: usize = 20;

struct Walk<'w, 'a> {
    find: &'w dyn Fn(&str) -> Option<&'a str>,
    known: &'w dyn Fn() -> Vec<String>,
    parts: BTreeMap<String, &'a str>,
    done: BTreeSet<String>,
    open: Vec<String>,
}

impl Walk<'_, '_> {
    fn follow(&mut self, template: &str, within: Option<&str>) -> Result<(), Fault> {
        let fault = |line, words| Fault {
            within: within.map(str::to_owned),
            line,
            words,
        };
        let named = references(template).map_err(|found| fault(found.line, found.words))?;
        for Reference { name, line } in named {
            if let Some(words) = name_fault(&name) {
                return Err(fault(line, format!("`{name}` {words}")));
            }
            if let Some(at) = self.open.iter().position(|open| *open == name) {
                let round = self.open.iter().skip(at).chain([&name]);
                let round: Vec<_> = round.map(String::as_str).collect();
                return Err(fault(
                    line,
                    format!("includes go round: {}", round.join(" -> ")),
                ));
            }
            if self.done.contains(&name) {
                continue;
            }
            let Some(text) = (self.find)(&name) else {
                let known = (self.known)();
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let near = crate::config::nearest(&name, &known);
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(fault(line, format!("there is no `prompts/{name}`{near}")));
            };
            if self.open.len() >= LONGEST_CHAIN {
                let words =
                    format!("more than {LONGEST_CHAIN} files include each other in a chain");
                return Err(fault(line, words));
            }
            self.open.push(name.clone());
            self.follow(text, Some(&name))?;
            self.open.pop();
            self.done.insert(name.clone());
            self.parts.insert(name, text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(template: &str) -> Vec<(String, usize)> {
        let found = references(template).unwrap().into_iter();
        found.map(|one| (one.name, one.line)).collect()
    }

    #[test]
    fn names_are_found_with_their_lines() {
        assert_eq!(
            names(
                "{% include \"a\" %}\n{%- extends 'b' -%}\n{% import \"c\" as c %}\n{% from \"d\" import e %}"
            ),
            [
                ("a".into(), 1),
                ("b".into(), 2),
                ("c".into(), 3),
                ("d".into(), 4)
            ]
        );
    }

    #[test]
    fn comments_raw_blocks_and_texts_name_nothing() {
        assert_eq!(
            names(
                "{# {% include 'a' %} #}{% raw %}{% include 'b' %}{% endraw %}{{ \"{% include 'c' %}\" }}{% set x = \"%}\" %}{% include 'd' %}"
            ),
            [("d".into(), 1)]
        );
        assert_eq!(names("{ {% } {{ {%"), []);
    }

    #[test]
    fn a_name_that_is_computed_is_refused() {
        for template in [
            "{% include name %}",
            "{% include ['a', 'b'] %}",
            "{% include 'a' ~ b %}",
            "{% include 'a' ignore missing %}",
            "{% include 'a' if b else c %}",
            "{% include 'a\\x2f' %}",
        ] {
            let fault = references(template).unwrap_err();
            assert_eq!(fault.words, "an include names one file, in quotes");
        }
    }

    fn follow(template: &str, files: &[(&str, &'static str)]) -> Result<Vec<String>, String> {
        let find = |name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| *text)
        };
        let known = || files.iter().map(|(name, _)| (*name).to_owned()).collect();
        match closure(template, &find, &known) {
            Ok(parts) => Ok(parts.into_keys().collect()),
            Err(fault) => Err(format!(
                "{}:{}: {}",
                fault.within.unwrap_or_default(),
                fault.line,
                fault.words
            )),
        }
    }

    #[test]
    fn everything_that_can_come_in_is_found() {
        let files = [("a", "{% include 'b' %}"), ("b", ""), ("c", "")];
        assert_eq!(
            follow("{% include 'a' %}{% include 'b' %}", &files),
            Ok(vec!["a".into(), "b".into()])
        );
    }

    #[test]
    fn a_round_is_told_as_a_way() {
        let files = [
            ("a", "x\n{% extends 'b' %}"),
            ("b", "{% import 'c' as c %}"),
            ("c", "{% include 'b' %}"),
        ];
        assert_eq!(
            follow("{% include 'a' %}", &files),
            Err("c:1: includes go round: b -> c -> b".into())
        );
    }

    #[test]
    fn nothing_outside_is_read() {
        for name in [
            "../a",
            "/etc/passwd",
            "a/../../b",
            "C:/a",
            "a//b",
            "./a",
            "",
        ] {
            let template = format!("{{% include '{name}' %}}");
            let words = follow(&template, &[]).unwrap_err();
            assert!(words.ends_with("leaves the folder `prompts/`"), "{words}");
        }
        assert_eq!(
            follow("\n{% include 'parts/dat.md' %}", &[("parts/data.md", "")]),
            Err(":2: there is no `prompts/parts/dat.md`; did you mean `parts/data.md`?".into())
        );
    }
}
