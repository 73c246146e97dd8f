//! What makes a runner leave out tests, and what those of several runners have in common.

use std::path::Path;

use super::{LONGEST, NESTED, Runner};
use crate::flakes::quarantine::shown;

/// How a runner is told to leave out tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Skip {
    /// Arguments to add to its command.
    pub(crate) args: Vec<String>,
    /// A file to put into the folder: name and content.
    pub(crate) file: Option<(&'static str, String)>,
    /// A variable that must lead to that folder.
    pub(crate) variable: Option<&'static str>,
    /// What must be so for no other test to be left out.
    pub(crate) condition: Option<&'static str>,
}

impl Skip {
    /// Returns arguments that need a file in the folder.
    pub(super) fn with_file(args: Vec<String>, name: &'static str, text: String) -> Self {
        Self {
            file: Some((name, text)),
            ..Self::args(args)
        }
    }

    /// Returns arguments that need nothing.
    pub(super) fn args(args: Vec<String>) -> Self {
        Self {
            args,
            ..Self::default()
        }
    }
}

/// Why a runner cannot leave out exactly what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unskippable {
    #[error("`{test}` cannot be left out: {why}")]
    Test { test: String, why: String },
    #[error("what leaves the tests out takes {bytes} bytes, and {what} holds {most}")]
    TooLong {
        bytes: usize,
        what: &'static str,
        most: usize,
    },
}

impl Unskippable {
    pub(super) fn test(suite: &str, test: &str, why: impl Into<String>) -> Self {
        Self::Test {
            test: shown(suite, test),
            why: why.into(),
        }
    }
}

/// Returns what makes a runner leave out these tests and no others, as [`Runner::skip`] does, where their names are whole.
pub(crate) fn left_out(
    runner: &dyn Runner,
    tests: &[(&str, &str)],
    folder: &Path,
) -> Result<Skip, Unskippable> {
    for (suite, test) in tests {
        for name in [suite, test] {
            if is_cut(name) {
                let why = "its name was cut when it was stored, and nothing tells what it was";
                return Err(Unskippable::test(suite, test, why));
            }
            if name.contains("[redacted:") {
                let why = "a secret was taken out of its name when it was stored";
                return Err(Unskippable::test(suite, test, why));
            }
            if name.contains(char::REPLACEMENT_CHARACTER) {
                let why = "its name has what its report could not write in UTF-8";
                return Err(Unskippable::test(suite, test, why));
            }
        }
    }
    runner.skip(tests, folder)
}

/// Whether a name ends with the digest that the reader puts in the place of what is too long.
fn is_cut(name: &str) -> bool {
    name.len() > SHORTEST_CUT
        && name.rsplit_once('~').is_some_and(|(_, digest)| {
            digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// No name that was cut is shorter: it loses at most a word of what is kept.
const SHORTEST_CUT: usize = 3_000;

/// Returns an argument that the system takes.
pub(super) fn argument(text: String) -> Result<String, Unskippable> {
    let (bytes, what, most) = (text.len(), "one argument", LONGEST);
    if bytes > most {
        return Err(Unskippable::TooLong { bytes, what, most });
    }
    Ok(text)
}

/// Returns the innermost suite.
pub(super) fn innermost(suite: &str) -> &str {
    suite.rsplit(NESTED).next().unwrap_or_default()
}

/// Returns a program that knows these tests: `NAMES` in it, between single quotes, becomes a list of pairs in JSON.
pub(super) fn program(template: &str, tests: &[(&str, &str)]) -> String {
    let mut tests = tests.to_vec();
    crate::order::sort(&mut tests);
    tests.dedup();
    let json = crate::json::text(&tests).unwrap_or_default();
    // In JavaScript, Python and Ruby, JSON between single quotes is text once its quotes and backslashes are escaped.
    let literal = json.replace('\\', "\\\\").replace('\'', "\\'");
    template.replacen("NAMES", &literal, 1)
}

/// Returns the path of a file in a folder, as an argument.
pub(super) fn path_in(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Escapes what has a meaning in patterns of Perl's kind; what is no letter of ASCII is as it is.
pub(super) fn escaped_pattern(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '_' {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_data_of_a_program() {
        let text = program(
            "x = 'NAMES'",
            &[("b", "it's"), ("a", "\\ \"\n"), ("b", "it's")],
        );
        assert_eq!(text, r#"x = '[["a","\\\\ \\"\\n"],["b","it\'s"]]'"#);
    }

    #[test]
    fn no_argument_is_longer_than_the_system_takes() {
        assert!(argument("x".repeat(LONGEST)).is_ok());
        let problem = argument("x".repeat(LONGEST + 1)).unwrap_err();
        assert!(
            problem.to_string().contains("takes 100001 bytes"),
            "{problem}"
        );
    }

    #[test]
    fn names_that_are_not_whole_are_refused() {
        let runner = super::super::find("pytest").unwrap();
        let mut name = "x y ".repeat(2000);
        assert!(crate::junit::bound_name(&mut name));
        for name in [name.as_str(), "test_p[[redacted:url-password]]", "\u{fffd}"] {
            assert!(left_out(runner, &[("a", name)], Path::new("")).is_err());
            assert!(left_out(runner, &[(name, "a")], Path::new("")).is_err());
        }
        assert!(left_out(runner, &[("a", "x~0123456789abcdef")], Path::new("")).is_ok());
    }

    #[test]
    fn patterns_mean_what_they_say() {
        assert_eq!(escaped_pattern("a_b/[c]+é\n"), "a_b\\/\\[c\\]\\+é\n");
    }
}
