//! What a command for the shell does after its tests: whether a failed test may be all that went wrong.
//!
//! A shell that stops at the first failure never comes to the commands behind it, and no report says so. Failures are forgiven
//! only where the last command was reached; where that cannot be told, nothing is forgiven.

/// How a text hangs together, as far as it is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One command, or one pipeline.
    One,
    /// Several, one after the other; the last begins at this byte.
    List(usize),
    /// More than a list; what it has, in words.
    Other(&'static str),
}

/// Words that make more of a text than a list of commands (POSIX.1-2024, Shell Command Language, 2.4 and 2.15; Bash manual, 3.2.5).
const WORDS: &[(&str, &str)] = &[
    ("if", "a condition"),
    ("case", "a condition"),
    ("[[", "a condition"),
    ("for", "a loop"),
    ("while", "a loop"),
    ("until", "a loop"),
    ("do", "a loop"),
    ("done", "a loop"),
    ("then", "a condition"),
    ("else", "a condition"),
    ("elif", "a condition"),
    ("fi", "a condition"),
    ("esac", "a condition"),
    ("select", "a loop"),
    ("function", "a function"),
    ("coproc", "a command in the background"),
    ("{", "a group of commands"),
    ("!", "a command whose failure counts as success"),
    ("trap", "a trap"),
    ("exit", "an exit of its own"),
    ("return", "an exit of its own"),
    ("set", "other settings of the shell"),
    ("shopt", "other settings of the shell"),
];

/// Returns how a text hangs together.
pub(crate) fn shape(script: &str) -> Shape {
    let mut reader = Reader {
        bytes: script.as_bytes(),
        at: 0,
        parts: Vec::new(),
        start: None,
        continues: false,
    };
    if let Err(what) = reader.read() {
        return Shape::Other(what);
    }
    let parts = &reader.parts;
    for start in parts {
        if let Some(what) = unusual(&script[*start..]) {
            return Shape::Other(what);
        }
    }
    match parts.as_slice() {
        [] | [_] => Shape::One,
        [.., last] => Shape::List(*last),
    }
}

/// Returns what the first word of a command makes of it.
fn unusual(command: &str) -> Option<&'static str> {
    let mut words = command.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let first = first.trim_end_matches(';');
    let (_, what) = WORDS.iter().find(|(word, _)| *word == first)?;
    // `set -x` and the like only make the shell stricter or more talkative.
    let adds = |word: &str| word.starts_with('-') && word != "--";
    let is_stricter = first == "set"
        && words.next().is_some_and(adds)
        && !command.lines().next().unwrap_or_default().contains('+');
    (!is_stricter).then_some(*what)
}

/// Returns the text with a note that its last command was reached: a file that is written before it. Where that cannot be
/// written, the command runs all the same.
pub(crate) fn with_mark(script: &str, last: usize, file: &str) -> String {
    let file = file.replace('\'', "'\\''");
    let (before, rest) = script.split_at(last);
    format!("{before}{{ true >'{file}' || true; }} 2>/dev/null && {rest}")
}

struct Reader<'s> {
    bytes: &'s [u8],
    at: usize,
    /// Where commands begin.
    parts: Vec<usize>,
    /// Where the one that is read begins.
    start: Option<usize>,
    /// Whether an operator stands before, so that a line break ends nothing.
    continues: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn end(&mut self) {
        self.parts.extend(self.start.take());
    }

    fn word(&mut self) {
        self.start.get_or_insert(self.at);
        self.continues = false;
    }

    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' if self.continues => {}
                b'\n' | b';' => {
                    self.end();
                    self.continues = false;
                }
                b'#' if self.begins_word() => self.comment(),
                b'&' => self.ampersand()?,
                b'|' => {
                    match self.bytes.get(self.at + 1) {
                        Some(b'|') => return Err("an alternative"),
                        Some(b'&') => self.at += 1,
                        _ => {}
                    }
                    self.continues = true;
                }
                b'(' | b')' => return Err("parentheses"),
                b'`' => return Err("a command inside a command"),
                b'<' if self.bytes[self.at..].starts_with(b"<<") => {
                    return Err("a text of several lines");
                }
                b'<' | b'>' => {
                    self.word();
                    // `2>&1`, `>|file`.
                    if matches!(self.bytes.get(self.at + 1), Some(b'&' | b'|' | b'>')) {
                        self.at += 1;
                    }
                }
                b'\'' | b'"' => {
                    self.word();
                    self.quoted(byte)?;
                }
                b'\\' => {
                    if self.bytes.get(self.at + 1) != Some(&b'\n') {
                        self.word();
                    }
                    self.at += 1;
                }
                b'$' => {
                    self.word();
                    self.dollar()?;
                }
                _ => self.word(),
            }
            self.at += 1;
        }
        self.end();
        Ok(())
    }

    fn begins_word(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.bytes[at]);
        before.is_none_or(|byte| b" \t\n\r;&|".contains(&byte))
    }

    fn comment(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n');
        // The line break itself is read as one.
        self.at += length.unwrap_or(rest.len()) - 1;
    }

    fn ampersand(&mut self) -> Result<(), &'static str> {
        match self.bytes.get(self.at + 1) {
            Some(b'&') => {
                self.at += 1;
                self.end();
                self.continues = true;
                Ok(())
            }
            // `&>file`
            Some(b'>') => {
                self.word();
                self.at += 1;
                Ok(())
            }
            _ => Err("a command in the background"),
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<(), &'static str> {
        loop {
            self.at += 1;
            match self.peek() {
                None => return Err("a quote that is not closed"),
                Some(byte) if byte == quote => return Ok(()),
                Some(b'\\') if quote == b'"' => self.at += 1,
                Some(b'`') if quote == b'"' => return Err("a command inside a command"),
                Some(b'$') if quote == b'"' => self.dollar()?,
                Some(_) => {}
            }
        }
    }

    /// Takes `$NAME` as it comes, and `${NAME}` as far as there is nothing in it that hides more.
    fn dollar(&mut self) -> Result<(), &'static str> {
        match self.bytes.get(self.at + 1) {
            Some(b'(') => Err("a command inside a command"),
            Some(b'{') => {
                let rest = &self.bytes[self.at..];
                let length = rest.iter().position(|byte| *byte == b'}');
                let length = length.ok_or("a variable that is not closed")?;
                if rest[2..length]
                    .iter()
                    .any(|byte| b"$`'\"\\{(".contains(byte))
                {
                    return Err("a variable with more inside");
                }
                self.at += length;
                Ok(())
            }
            Some(b'\'' | b'"') => Err("a quote of Bash's own"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the last command, `one`, or what else there is.
    fn last(script: &str) -> &str {
        match shape(script) {
            Shape::One => "one",
            Shape::List(at) => &script[at..],
            Shape::Other(what) => what,
        }
    }

    #[test]
    fn one_command_is_one() {
        for script in [
            "cargo test",
            "cargo test;",
            "\n# why\n cargo test # and then\n",
            "cargo test \\\n  --workspace",
            "A=1 B='2; 3' cargo test --features \"a && b\" > log 2>&1",
            "npx jest | tee log",
            "npx jest |\n tee log",
            "pytest -k 'a and not b' --shard=${SHARD:-1/1} &> log",
            "echo a#b \\; c \\& d",
            "",
        ] {
            assert_eq!(last(script), "one", "{script}");
        }
    }

    #[test]
    fn the_last_of_several_is_found() {
        for (script, expected) in [
            ("pnpm install && pnpm -r test", "pnpm -r test"),
            ("pnpm install\npnpm -r test\n", "pnpm -r test\n"),
            ("a; b ; c", "c"),
            ("a &&\n\n  b", "b"),
            ("set -x\ncd web # there\n  npx jest", "npx jest"),
            ("a 2>&1; 'b c' d", "'b c' d"),
            ("a # b; c\nd", "d"),
        ] {
            assert_eq!(last(script), expected, "{script}");
        }
    }

    #[test]
    fn what_is_more_than_a_list_is_not_guessed_at() {
        for (script, expected) in [
            ("if a; then b; fi", "a condition"),
            ("for x in a b; do pytest $x; done", "a loop"),
            ("ls | while read x; do pytest $x; done", "a loop"),
            ("(cd web; npx jest)", "parentheses"),
            ("f() { a; }; f", "parentheses"),
            ("{ a; b; }", "a group of commands"),
            ("! pytest", "a command whose failure counts as success"),
            ("set +e\npytest", "other settings of the shell"),
            ("set -e +o pipefail; pytest", "other settings of the shell"),
            ("trap 'exit 1' EXIT; pytest", "a trap"),
            ("pytest; exit 1", "an exit of its own"),
            ("pytest || npm run lint", "an alternative"),
            ("npx jest || true; npm run lint", "an alternative"),
            ("server & pytest", "a command in the background"),
            ("pytest $(cat args)", "a command inside a command"),
            ("pytest \"`cat args`\"", "a command inside a command"),
            ("cat <<X\na\nX", "a text of several lines"),
            ("pytest 'a", "a quote that is not closed"),
            ("pytest ${A:-${B}}", "a variable with more inside"),
        ] {
            assert_eq!(last(script), expected, "{script}");
        }
    }

    #[test]
    fn the_mark_stands_before_the_last_command() {
        let script = "a && b c";
        let Shape::List(last) = shape(script) else {
            panic!("a list");
        };
        assert_eq!(
            with_mark(script, last, "/t/it's"),
            "a && { true >'/t/it'\\''s' || true; } 2>/dev/null && b c"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_shape_and_its_last_command_begins_inside(script in "[a-z '\"\\\\;&|#$(){}<>!\n=\u{e9}]{0,40}") {
            if let Shape::List(at) = shape(&script) {
                proptest::prop_assert!(at > 0 && at < script.len());
                proptest::prop_assert!(script.is_char_boundary(at));
            }
        }
    }
}
