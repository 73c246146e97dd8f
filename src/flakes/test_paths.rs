//! Which file a test is in, where its report does not say.
//!
//! Reports name files, packages, classes or modules. What they name is looked for among the repository's files: it must be the only one.

use std::collections::BTreeMap;

/// Endings of sources in which tests are found by a dotted name.
const ENDINGS: &[&str] = &[
    "py", "java", "kt", "scala", "groovy", "cs", "fs", "php", "rb", "swift", "ts", "tsx", "js",
    "jsx", "go",
];

/// A repository's files by their names.
pub(crate) struct TestPaths<'f> {
    by_name: BTreeMap<&'f str, Vec<&'f str>>,
}

impl<'f> TestPaths<'f> {
    pub(crate) fn new(files: impl Iterator<Item = &'f str>) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for file in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            by_name.entry(name).or_default().push(file);
        }
        Self { by_name }
    }

    /// Returns the file of a test, by the names of the suites around it.
    pub(crate) fn of(&self, suite: &str) -> Option<&'f str> {
        let parts: Vec<&str> = suite.split(" > ").collect();
        // The innermost says most.
        parts
            .iter()
            .rev()
            .find_map(|part| self.file(part).or_else(|| self.dotted(part)))
    }

    /// A path, or its end.
    fn file(&self, text: &str) -> Option<&'f str> {
        let text = text.trim_start_matches("./").replace('\\', "/");
        let name = text.rsplit('/').next()?;
        let found = self.by_name.get(name)?.iter();
        let mut found = found.filter(|file| {
            file.strip_suffix(text.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// `tests.test_a.TestB` or `org.example.NetTest$Inner`: the longest beginning that is a file.
    fn dotted(&self, text: &str) -> Option<&'f str> {
        let text = text.split(['$', '[', '(']).next().unwrap_or(text);
        let mut names: Vec<&str> = text.split(['.', '/']).collect();
        while !names.is_empty() {
            for ending in ENDINGS {
                if let Some(file) = self.file(&format!("{}.{ending}", names.join("/"))) {
                    return Some(file);
                }
            }
            names.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reports_name_is_found_if_there_is_only_one() {
        let files = [
            "src/a.test.ts",
            "lib/b.test.ts",
            "old/b.test.ts",
            "tests/sub/test_x.py",
            "app/src/test/java/org/example/NetTest.java",
        ];
        let paths = TestPaths::new(files.into_iter());
        assert_eq!(paths.of("src/a.test.ts"), Some(files[0]));
        assert_eq!(paths.of("a.test.ts > d"), Some(files[0]));
        assert_eq!(paths.of("b.test.ts"), None);
        assert_eq!(paths.of("lib/b.test.ts"), Some(files[1]));
        assert_eq!(paths.of("pytest > tests.sub.test_x.TestY"), Some(files[3]));
        assert_eq!(paths.of("org.example.NetTest$Inner"), Some(files[4]));
        assert_eq!(paths.of("crate::bin"), None);
    }
}
