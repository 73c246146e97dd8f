//! Maven Surefire: `-Dtest` with what is left out after a `!` (maven.apache.org, "Running a Single Test", "Inclusions and Exclusions of Tests").
//!
//! Its files of exclusions take no methods, and `-Dtest` takes the place of what a POM includes: the classes that Surefire includes by
//! itself are named again. In `JUnit` 5 classes inside of them have tests of their own, in `JUnit` 4 Surefire leaves them out.

use std::path::Path;

use super::skip::{argument, innermost};
use super::{Runner, Skip, Unskippable};
use crate::order;

/// With `JUnit` 5.
pub(super) struct Surefire;

/// With `JUnit` 4.
pub(super) struct SurefireJunit4;

/// What Surefire includes by itself.
const CLASSES: &str = "**/Test*.java,**/*Test.java,**/*Tests.java,**/*TestCase.java";

/// Classes inside of those.
const INNER: &str = "**/Test*$*,**/*Test$*,**/*Tests$*,**/*TestCase$*";

const CONDITION: &str =
    "the POM must leave Surefire's own includes and excludes as they are: -Dtest takes their place";

impl Runner for Surefire {
    fn name(&self) -> &'static str {
        "surefire"
    }

    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        for (suite, test) in tests {
            if test.contains(['(', '{', '[']) {
                let why = "Surefire leaves out a method of JUnit 5 with all its invocations, or not at all";
                return Err(Unskippable::test(suite, test, why));
            }
        }
        without(&format!("{CLASSES},{INNER}"), tests)
    }
}

impl Runner for SurefireJunit4 {
    fn name(&self) -> &'static str {
        "surefire-junit4"
    }

    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        without(&format!("{CLASSES},!**/*$*"), tests)
    }
}

fn without(classes: &str, tests: &[(&str, &str)]) -> Result<Skip, Unskippable> {
    let mut patterns = Vec::new();
    for (suite, test) in tests {
        let class = innermost(suite);
        if !is_class(class) {
            let why = format!("its report names no class, but `{class}`");
            return Err(Unskippable::test(suite, test, why));
        }
        let file = escaped(&class.replace('.', "/"));
        patterns.push(format!("!%regex[{file}\\x2Eclass#{}]", escaped(test)));
    }
    if patterns.is_empty() {
        return Ok(Skip::default());
    }
    order::sort(&mut patterns);
    patterns.dedup();
    let test = argument(format!("-Dtest={classes},{}", patterns.join(",")))?;
    Ok(Skip {
        condition: Some(CONDITION),
        ..Skip::args(vec![test])
    })
}

/// Whether a text is a class with its package (Java Language Specification, 3.8).
fn is_class(text: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
    text.split('.')
        .all(|part| !part.is_empty() && part.chars().all(is_inside))
}

/// Writes a text as a pattern of Java (`java.util.regex.Pattern`) without any character that Surefire takes names apart at.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => escaped.push(c),
            // Reports have tabs as they are, which readers of XML take for spaces.
            ' ' => escaped.push_str("(\\x20|\\x09)"),
            c => escaped.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_left_out_by_patterns_of_one_meaning() {
        let tests = [("demo.ATest$Inner", "b"), ("demo.ATest$Inner", "a")];
        let skip = Surefire.skip(&tests, Path::new("")).unwrap();
        let pattern = "!%regex[demo\\x{2F}ATest\\x{24}Inner\\x2Eclass#";
        let expected = format!("-Dtest={CLASSES},{INNER},{pattern}a],{pattern}b]");
        assert_eq!(skip.args, [expected]);
        assert!(skip.condition.is_some());
        assert_eq!(Surefire.skip(&[], Path::new("")).unwrap(), Skip::default());
    }

    #[test]
    fn parameters_of_junit_4_are_names() {
        let skip = SurefireJunit4
            .skip(&[("ATest", "p[a, é]")], Path::new(""))
            .unwrap();
        let expected =
            "!**/*$*,!%regex[ATest\\x2Eclass#p\\x{5B}a\\x{2C}(\\x20|\\x09)\\x{E9}\\x{5D}]";
        assert!(skip.args[0].ends_with(expected), "{:?}", skip.args);
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        for (suite, test) in [
            ("demo.ATest", "p(String)[1]"),
            ("demo.ATest", "p{String}[2]"),
            ("says hello", "a"),
        ] {
            assert!(
                Surefire.skip(&[(suite, test)], Path::new("")).is_err(),
                "{suite} {test}"
            );
        }
    }
}
