//! `tests-with-code`: code that changes, and no test with it.

use serde::Deserialize;

use super::{About, Order};
use crate::change::Change;
use crate::policy::globs::Globs;
use crate::policy::paths::folded;
use crate::policy::subject::Subject;
use crate::policy::{Breach, Rule, Target};

pub(super) const ABOUT: About = About {
    name: "tests-with-code",
    what: "code that changes without any test",
    fix: "add a test that fails without the change",
    keys: &[("code", Order::Grows), ("tests", Order::Shrinks), ("least_lines", Order::Less)],
};

/// `tests-with-code`
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TestsWithCode {
    /// Globs of code.
    code: Globs,
    /// Globs of tests; files that most test runners take for tests unless set.
    #[serde(default)]
    tests: Option<Globs>,
    /// A change that adds fewer lines of code needs no test; 10 unless set.
    #[serde(default)]
    least_lines: Option<u32>,
}

/// Lines that begin a test begin so.
const MARKS: [&str; 14] = [
    "#[test]", "#[tokio::test", "#[rstest", "#[cfg(test)]", "def test_", "async def test_", "it(", "test(", "describe(", "func Test", "@Test", "[Test]", "[Fact]",
    "fn test_",
];

/// Whether runners take a file for a test by its name.
fn is_test(path: &str) -> bool {
    let path = folded(path);
    let mut names = path.split('/').rev();
    let name = names.next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    names.any(|folder| matches!(folder, "test" | "tests" | "__tests__" | "spec" | "specs" | "e2e"))
        || name.contains(".test.")
        || name.contains(".spec.")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.ends_with("tests")
        || stem.len() > 4 && stem.ends_with("test") && name == format!("{stem}.java")
}

impl TestsWithCode {
    fn is_test(&self, change: &Change) -> bool {
        match &self.tests {
            Some(globs) => globs.excepts(change),
            None => is_test(&change.path),
        }
    }
}

impl Rule for TestsWithCode {
    fn is_sound(&self) -> Result<(), String> {
        if self.code.is_empty() {
            return Err("`code` names no path".to_owned());
        }
        Ok(())
    }

    fn check(&self, subject: &Subject<'_>, breaches: &mut Vec<Breach>) {
        let (mut code, mut files) = (0_u64, 0_u64);
        for change in subject.changes {
            let Some(lines) = subject.lines_of(&change.path).filter(|lines| !lines.added.is_empty()) else {
                continue;
            };
            if self.is_test(change) {
                return;
            }
            if self.code.anyhow(&change.path).is_none() {
                continue;
            }
            let begins = |mark: &&str, text: &[u8]| text.trim_ascii_start().starts_with(mark.as_bytes());
            if lines.added.iter().any(|line| MARKS.iter().any(|mark| begins(mark, line.text))) {
                return;
            }
            code += lines.added.len() as u64;
            files += 1;
        }
        let least = u64::from(self.least_lines.unwrap_or(10));
        if files > 0 && code >= least {
            breaches.push(Breach::new(
                Target::Change,
                "the change has code and no test",
                format!("{code} new lines of code in {files} files, and no new line of a test"),
                format!("a test with {least} new lines of code and more"),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
