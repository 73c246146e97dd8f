//! Where code of any language branches, and how deep: words and signs outside of comments and texts, and indentation.
//!
//! A decision is what McCabe's number counts ("A Complexity Measure", IEEE Trans. Softw. Eng. 2:4, 1976), without parsing: words like `if` and `while`,
//! `&&`, `||` and the conditional `?`. Depth follows indentation, which tells nesting about as well as a parser does (A. Hindle, M. Godfrey, R. Holt,
//! "Reading Beside the Lines", ICPC 2008).

/// Larger files are generated.
const LARGEST: usize = 2 * 1024 * 1024;

/// So is what has a line as long as this.
const LONGEST_LINE: usize = 5000;

/// How a language writes comments and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Language {
    /// What a comment to the end of the line begins with.
    line: &'static [&'static str],
    /// What comments over several lines stand between.
    block: Option<(&'static str, &'static str)>,
    /// Quotes that stand alone.
    quotes: &'static str,
    /// Whether three quotes make a text over several lines.
    has_triple: bool,
    /// Whether `and` and `or` decide.
    has_words: bool,
    /// Whether a single quote may be a lifetime.
    has_lifetimes: bool,
}

const CURLY: Language = Language {
    line: &["//"],
    block: Some(("/*", "*/")),
    quotes: "\"'`",
    has_triple: false,
    has_words: false,
    has_lifetimes: false,
};

const HASH: Language = Language {
    line: &["#"],
    block: None,
    quotes: "\"'`",
    has_triple: false,
    has_words: true,
    has_lifetimes: false,
};

/// Which languages there are, by the endings of their files.
const LANGUAGES: &[(&str, Language)] = &[
    (
        "c cc cpp cxx h hh hpp hxx m mm cs js jsx mjs cjs ts tsx mts cts go dart zig glsl proto",
        CURLY,
    ),
    (
        "java kt kts scala groovy gradle swift",
        Language {
            has_triple: true,
            ..CURLY
        },
    ),
    (
        "rs",
        Language {
            has_lifetimes: true,
            quotes: "\"'",
            ..CURLY
        },
    ),
    (
        "php",
        Language {
            line: &["//", "#"],
            has_words: true,
            ..CURLY
        },
    ),
    (
        "py pyi pyx",
        Language {
            has_triple: true,
            quotes: "\"'",
            ..HASH
        },
    ),
    ("rb rake gemspec ex exs jl r pl pm cr", HASH),
    ("sh bash zsh", HASH),
    (
        "lua",
        Language {
            line: &["--"],
            block: Some(("--[[", "]]")),
            quotes: "\"'",
            ..HASH
        },
    ),
    (
        "hs elm",
        Language {
            line: &["--"],
            block: Some(("{-", "-}")),
            quotes: "\"",
            has_words: false,
            ..HASH
        },
    ),
];

/// Words that decide.
const WORDS: &[&str] = &[
    "if", "elif", "elsif", "elseif", "unless", "for", "foreach", "while", "until", "case", "when",
    "catch", "except", "rescue", "guard", "match",
];

/// A line that decides something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u32,
    /// How many decisions it has.
    pub(super) decisions: u32,
    /// How many levels it is indented.
    pub(super) depth: u32,
}

/// Whether a path is code that can be looked into.
pub(super) fn is_code(path: &str) -> bool {
    language(path).is_some()
}

fn language(path: &str) -> Option<Language> {
    let name = path.rsplit('/').next()?;
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let known = LANGUAGES
        .iter()
        .find(|(endings, _)| endings.split(' ').any(|one| one == ending));
    known.map(|(_, language)| *language)
}

/// Returns the lines of a file that decide something; nothing for what is no code, or made by a program.
pub(super) fn lines(path: &str, text: &[u8]) -> Option<Vec<Line>> {
    let language = language(path)?;
    if text.len() > LARGEST
        || text
            .split(|byte| *byte == b'\n')
            .any(|line| line.len() > LONGEST_LINE)
    {
        return None;
    }
    let unit = unit(text);
    let mut state = Inside::Code;
    let mut lines = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let is_inside = state != Inside::Code;
        let decisions = decisions(line, language, &mut state);
        if decisions > 0 {
            lines.push(Line {
                number: u32::try_from(at + 1).unwrap_or(u32::MAX),
                decisions,
                depth: if is_inside { 0 } else { depth(line, unit) },
            });
        }
    }
    Some(lines)
}

/// How many spaces a level has: the fewest that any line has.
fn unit(text: &[u8]) -> usize {
    let spaces = text.split(|byte| *byte == b'\n').map(|line| {
        let spaces = line.iter().take_while(|byte| **byte == b' ').count();
        // A lone space stands before the `*` of a comment.
        if spaces < line.len() { spaces } else { 0 }
    });
    spaces
        .filter(|spaces| *spaces >= 2)
        .min()
        .unwrap_or(4)
        .min(8)
}

fn depth(line: &[u8], unit: usize) -> u32 {
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
    let (tabs, spaces) = indent.fold((0, 0), |(tabs, spaces), byte| {
        if *byte == b'\t' {
            (tabs + 1, spaces)
        } else {
            (tabs, spaces + 1)
        }
    });
    u32::try_from(tabs + spaces / unit.max(1)).unwrap_or(u32::MAX)
}

/// Where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    /// A comment, up to this.
    Comment(&'static str),
    /// A text up to this quote, so many times.
    Text(u8, usize),
}

/// Counts the decisions of a line.
fn decisions(line: &[u8], language: Language, state: &mut Inside) -> u32 {
    let mut count = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let rest = line.get(at..).unwrap_or_default();
        match *state {
            Inside::Comment(end) => {
                if rest.starts_with(end.as_bytes()) {
                    *state = Inside::Code;
                    at += end.len();
                } else {
                    at += 1;
                }
                continue;
            }
            Inside::Text(quote, times) => {
                if byte == b'\\' {
                    at += 2;
                } else if rest.iter().take_while(|byte| **byte == quote).count() >= times {
                    *state = Inside::Code;
                    at += times;
                } else {
                    at += 1;
                }
                continue;
            }
            Inside::Code => {}
        }
        if let Some((begin, end)) = language.block
            && rest.starts_with(begin.as_bytes())
        {
            *state = Inside::Comment(end);
            at += begin.len();
        } else if begins_comment(line, at, language) {
            break;
        } else if language.quotes.as_bytes().contains(&byte) {
            at += quoted(rest, language, state);
        } else if is_word(byte) {
            let word = rest.iter().take_while(|byte| is_word(**byte)).count();
            count += u32::from(decides(line, at, word, language));
            at += word;
        } else if rest.starts_with(b"&&") || rest.starts_with(b"||") {
            // `||` with nothing before is a closure without arguments.
            let before = line.get(..at).unwrap_or_default().trim_ascii_end().last();
            let is_closure = byte == b'|'
                && before.is_none_or(|before| matches!(before, b'(' | b'=' | b',' | b'{'));
            count += u32::from(!is_closure);
            at += 2;
        } else {
            // `a ? b : c`, and not `a?.b`, `a?: b` or `f()?`.
            let is_lone = byte == b'?'
                && at > 0
                && line.get(at - 1) == Some(&b' ')
                && line.get(at + 1).is_none_or(|next| *next == b' ');
            count += u32::from(is_lone);
            at += 1;
        }
    }
    // Texts with one quote end with their line, but for those of Rust and templates.
    if let Inside::Text(quote, 1) = *state
        && !(quote == b'`' || language.has_lifetimes && quote == b'"')
    {
        *state = Inside::Code;
    }
    count
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn begins_comment(line: &[u8], at: usize, language: Language) -> bool {
    let rest = line.get(at..).unwrap_or_default();
    language.line.iter().any(|begin| {
        // `$#` and `a#b` of shells begin none.
        let is_free = *begin != "#"
            || at == 0
            || matches!(
                line.get(at - 1),
                Some(b' ' | b'\t' | b';' | b')' | b'}' | b']' | b',')
            );
        is_free && rest.starts_with(begin.as_bytes())
    })
}

/// Steps over what a quote begins; what does not end on the line goes on after it.
fn quoted(rest: &[u8], language: Language, state: &mut Inside) -> usize {
    let Some(&quote) = rest.first() else {
        return 1;
    };
    let times = rest.iter().take_while(|byte| **byte == quote).count();
    if language.has_triple && times >= 3 {
        *state = Inside::Text(quote, 3);
        return 3;
    }
    if language.has_lifetimes && quote == b'\'' {
        let is_char = rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'');
        // A lifetime, or a letter of several bytes.
        let end = rest.iter().skip(2).take(10).position(|byte| *byte == b'\'');
        return match end {
            Some(end) if is_char => end + 3,
            _ => 1,
        };
    }
    if quote == b'\'' && !rest.get(1..).unwrap_or_default().contains(&quote) {
        // An apostrophe.
        return 1;
    }
    *state = Inside::Text(quote, 1);
    1
}

/// Whether the word at a place decides something: no member, variable, symbol or preprocessor's.
fn decides(line: &[u8], at: usize, length: usize, language: Language) -> bool {
    let word = line.get(at..at + length).unwrap_or_default();
    let is_one = WORDS.iter().any(|one| one.as_bytes() == word)
        || language.has_words && (word == b"and" || word == b"or");
    if !is_one {
        return false;
    }
    let before = at.checked_sub(1).and_then(|before| line.get(before));
    let after = line.get(at + length);
    let is_free =
        before.is_none_or(|byte| !matches!(byte, b'.' | b'$' | b'@' | b'#' | b'-' | b'/'));
    // `match:` is a name, and `for` of Rust's `impl A for B` no loop.
    let is_name = matches!(after, Some(b'=' | b'-' | b'/'))
        || after == Some(&b':')
        || after == Some(&b'(') && matches!(word, b"match" | b"when" | b"guard");
    let is_impl = word == b"for" && line.trim_ascii_start().starts_with(b"impl");
    // In a shell `case` has its arms, and `esac` ends it.
    is_free && !is_name && !is_impl
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(path: &str, text: &str) -> u32 {
        lines(path, text.as_bytes())
            .unwrap()
            .iter()
            .map(|line| line.decisions)
            .sum()
    }

    #[test]
    fn words_and_signs_that_decide_are_counted() {
        assert_eq!(
            sum(
                "a.c",
                "if (a && b || c) { x = d ? 1 : 2; } else { while (1); }"
            ),
            5
        );
        assert_eq!(
            sum(
                "a.py",
                "if a and b:\n    pass\nelif c or not d:\n    pass\nexcept E:\n"
            ),
            5
        );
        assert_eq!(
            sum(
                "a.rs",
                "impl<'a> A for B<'a> {\n    let x = f()?; let g = || 1; if x == '\\'' || y {}\n}"
            ),
            2
        );
        assert_eq!(
            sum(
                "a.ts",
                "const a?: string = b?.c; x.catch(e); if (a ?? b) {}"
            ),
            1
        );
        assert_eq!(
            sum("a.rb", "return 1 if a unless b\nx.for_each { |if_| }"),
            2
        );
        assert_eq!(sum("a.sh", "if [ $# -gt 1 ] && x; then\n  case $1 in\n"), 3);
    }

    #[test]
    fn comments_and_texts_decide_nothing() {
        assert_eq!(
            sum(
                "a.c",
                "// if\n/* while\n for */ \"if && \\\" if\" '?' `if`\n#if X\n"
            ),
            0
        );
        assert_eq!(
            sum(
                "a.py",
                "# if\n'''if\n\"\"\" for'''\nx = \"it's if\" # don't if\n"
            ),
            0
        );
        assert_eq!(sum("a.js", "`if\n${a} while`\n"), 0);
        assert_eq!(
            sum(
                "a.rs",
                "let a = \"if\n    while\"; let b = 'x'; // it's if\n"
            ),
            0
        );
    }

    #[test]
    fn depth_is_counted_in_the_levels_of_the_file() {
        let depths = |text: &str| {
            lines("a.py", text.as_bytes())
                .unwrap()
                .iter()
                .map(|line| line.depth)
                .collect::<Vec<_>>()
        };
        assert_eq!(depths("def f():\n  if a:\n    if b:\n      pass\n"), [1, 2]);
        assert_eq!(depths("def f():\n    if a:\n        if b:\n"), [1, 2]);
        assert_eq!(depths("def f():\n\tif a:\n\t\tif b:\n"), [1, 2]);
    }

    #[test]
    fn what_is_no_code_is_not_looked_into() {
        assert_eq!(lines("a.md", b"if"), None);
        assert_eq!(lines("Makefile", b"if"), None);
        assert_eq!(lines("a.min.js", "if(a)".repeat(2000).as_bytes()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_makes_it_panic(ending in prop::sample::select(vec!["rs", "py", "js", "lua", "php"]), bytes in prop::collection::vec(any::<u8>(), 0..200), words in "(if |'|\"|`|/\\*|\\*/|#|\\\\|\n|é| ){0,40}") {
            let _ = lines(&format!("a.{ending}"), &bytes);
            let _ = lines(&format!("a.{ending}"), words.as_bytes());
        }
    }
}
