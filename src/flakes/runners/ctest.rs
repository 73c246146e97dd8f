//! `CTest`: `--exclude-regex` with the whole names (cmake.org, "ctest(1)").

use std::path::Path;

use super::skip::argument;
use super::{Runner, Skip, Unskippable};
use crate::order;

pub(super) struct Ctest;

/// `CMake` compiles patterns into less than 64 KiB, and runs everything where they are longer (`Source/kwsys/RegularExpression.cxx`,
/// "Expression too big").
const LONGEST: usize = 60_000;

impl Runner for Ctest {
    fn name(&self) -> &'static str {
        "ctest"
    }

    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        for (suite, test) in tests {
            if test.contains("[NON-XML-CHAR-") {
                let why = "its name has a character that no report can hold";
                return Err(Unskippable::test(suite, test, why));
            }
        }
        let mut names: Vec<&str> = tests.iter().map(|(_, test)| *test).collect();
        if names.is_empty() {
            return Ok(Skip::default());
        }
        order::sort(&mut names);
        names.dedup();
        let bytes = names.iter().map(|name| compiled(name)).sum();
        if bytes > LONGEST {
            let (what, most) = ("a pattern of CMake", LONGEST);
            return Err(Unskippable::TooLong { bytes, what, most });
        }
        let names: Vec<String> = names.into_iter().map(escaped).collect();
        let pattern = argument(format!("^({})$", names.join("|")))?;
        Ok(Skip::args(vec!["--exclude-regex".to_owned(), pattern]))
    }

    /// Seen with CTest 3.25.
    fn failed(&self) -> &'static [i32] {
        &[8]
    }
}

fn has_meaning(c: char) -> bool {
    "^$.[]*+?()|\\-".contains(c)
}

/// Returns at least the bytes that a name takes in a compiled pattern.
fn compiled(name: &str) -> usize {
    let of = |c: char| match c {
        ' ' => 12,
        c if has_meaning(c) => 9,
        c => c.len_utf8(),
    };
    10 + name.chars().map(of).sum::<usize>()
}

/// Writes a name as a pattern. Reports have tabs and line breaks of names as they are, which readers of XML take for spaces.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        if c == ' ' {
            escaped.push_str("[ \t\r\n]");
            continue;
        }
        if has_meaning(c) {
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
    fn tests_are_left_out_by_whole_name() {
        let tests = [("(empty)", "b.c"), ("(empty)", "a b"), ("Linux-c++", "b.c")];
        let skip = Ctest.skip(&tests, Path::new("")).unwrap();
        assert_eq!(skip.args, ["--exclude-regex", "^(a[ \t\r\n]b|b\\.c)$"]);
        assert_eq!(Ctest.skip(&[], Path::new("")).unwrap(), Skip::default());
    }

    #[test]
    fn what_the_report_says_in_other_words_is_refused() {
        let tests = [("(empty)", "a[NON-XML-CHAR-0x1B]")];
        assert!(Ctest.skip(&tests, Path::new("")).is_err());
    }

    #[test]
    fn more_than_cmake_takes_is_refused() {
        let name = "x".repeat(LONGEST);
        let problem = Ctest.skip(&[("", &name)], Path::new("")).unwrap_err();
        assert!(
            problem.to_string().contains("a pattern of CMake"),
            "{problem}"
        );
    }
}
