//! `PHPUnit`: `--filter` with a pattern that is false for what is left out (docs.phpunit.de, "Command-Line Test Runner").

use std::collections::BTreeMap;
use std::path::Path;

use super::skip::{argument, escaped_pattern, innermost};
use super::{Runner, Skip, Unskippable};
use crate::order;

pub(super) struct Phpunit;

/// PCRE2 takes patterns of 64 KiB once they are compiled, as PHP builds it (pcre2limits(3)).
const LONGEST: usize = 60_000;

impl Runner for Phpunit {
    fn name(&self) -> &'static str {
        "phpunit"
    }

    /// The pattern is held against `Class::test with data set "x"`, which is unique.
    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        let mut classes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (suite, test) in tests {
            // Reports write dots for the backslashes of namespaces.
            let class = innermost(suite).replace('.', "\\");
            if !is_class(&class) {
                let why = format!("its report names no class, but `{}`", innermost(suite));
                return Err(Unskippable::test(suite, test, why));
            }
            classes.entry(class).or_default().push(test);
        }
        if classes.is_empty() {
            return Ok(Skip::default());
        }
        let mut alternatives = Vec::new();
        let mut compiled = 0;
        for (class, mut names) in classes {
            order::sort(&mut names);
            names.dedup();
            // A letter becomes two bytes, an alternative some more.
            compiled += names.iter().map(|name| 2 * name.len() + 8).sum::<usize>();
            compiled += 2 * class.len() + 16;
            let names: Vec<String> = names.into_iter().map(escaped_pattern).collect();
            let class = escaped_pattern(&class);
            alternatives.push(format!("{class}::(?:{})", names.join("|")));
        }
        if compiled > LONGEST {
            let (bytes, what, most) = (compiled, "a pattern of PHP", LONGEST);
            return Err(Unskippable::TooLong { bytes, what, most });
        }
        let pattern = format!("/^(?!(?:{})\\z)/", alternatives.join("|"));
        Ok(Skip::args(vec!["--filter".to_owned(), argument(pattern)?]))
    }

    /// Failures, and tests that threw something else (`PHPUnit\TextUI\TestRunner`, `FAILURE_EXIT` and `EXCEPTION_EXIT`).
    fn failed(&self) -> &'static [i32] {
        &[1, 2]
    }
}

/// Whether a text is a class with its namespaces (PHP manual, "Classes and Objects").
fn is_class(text: &str) -> bool {
    text.split('\\').all(|part| {
        let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        part.starts_with(is_letter) && part.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_left_out_by_class_and_name() {
        let tests = [
            ("suite > App\\ATest > App.ATest", "testA"),
            (
                "suite > BTest > BTest::testB > BTest",
                "testB with data set \"a/b\"",
            ),
            ("suite > App\\ATest > App.ATest", "testC"),
        ];
        let skip = Phpunit.skip(&tests, Path::new("")).unwrap();
        let pattern =
            r#"/^(?!(?:App\\ATest::(?:testA|testC)|BTest::(?:testB with data set \"a\/b\"))\z)/"#;
        assert_eq!(skip.args, ["--filter", pattern]);
        assert_eq!(Phpunit.skip(&[], Path::new("")).unwrap(), Skip::default());
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        let no_class = Phpunit.skip(&[("tests/a.phpt", "tests/a.phpt")], Path::new(""));
        assert!(no_class.unwrap_err().to_string().contains("names no class"));
        let names: Vec<String> = (0..1000).map(|n| format!("test_{n:040}")).collect();
        let tests: Vec<(&str, &str)> = names.iter().map(|name| ("ATest", name.as_str())).collect();
        let problem = Phpunit.skip(&tests, Path::new("")).unwrap_err();
        assert!(
            problem.to_string().contains("a pattern of PHP"),
            "{problem}"
        );
    }
}
