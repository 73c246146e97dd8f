//! `GoogleTest`: `--gtest_filter` with what is left out after a `-` (google.github.io/googletest, "Running a Subset of the Tests").

use std::path::Path;

use super::skip::{innermost, path_in};
use super::{LONGEST, Runner, Skip, Unskippable};
use crate::order;

pub(super) struct Gtest;

const FILE: &str = "maestro_quarantine.gtest";

impl Runner for Gtest {
    fn name(&self) -> &'static str {
        "gtest"
    }

    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        let mut names = Vec::new();
        for (suite, test) in tests {
            let group = innermost(suite);
            let refuse = |why: String| Err(Unskippable::test(suite, test, why));
            if let Some(c) = [group, test]
                .join(".")
                .chars()
                .find(|c| "*?:\n".contains(*c))
            {
                return refuse(format!("a filter of GoogleTest cannot say {c:?}"));
            }
            if group.is_empty() || group.contains('.') || test.contains('.') {
                return refuse("a filter of GoogleTest cannot say where its suite ends".to_owned());
            }
            names.push(format!("{group}.{test}"));
        }
        if names.is_empty() {
            return Ok(Skip::default());
        }
        order::sort(&mut names);
        names.dedup();
        let filter = format!("--gtest_filter=-{}", names.join(":"));
        // A longer one goes to a file of flags.
        if filter.len() <= LONGEST {
            return Ok(Skip::args(vec![filter]));
        }
        let args = vec![format!("--gtest_flagfile={}", path_in(folder, FILE))];
        Ok(Skip::with_file(args, FILE, filter + "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_left_out_by_suite_and_name() {
        let tests = [("All/Net", "Works/1"), ("A", "b-c"), ("A", "b-c")];
        let skip = Gtest.skip(&tests, Path::new("")).unwrap();
        assert_eq!(skip.args, ["--gtest_filter=-A.b-c:All/Net.Works/1"]);
        assert_eq!(Gtest.skip(&[], Path::new("")).unwrap(), Skip::default());
    }

    #[test]
    fn long_filters_go_to_a_file() {
        let names: Vec<String> = (0..9000).map(|n| format!("Works/{n:09}")).collect();
        let tests: Vec<(&str, &str)> = names.iter().map(|name| ("Net", name.as_str())).collect();
        let skip = Gtest.skip(&tests, Path::new("/out")).unwrap();
        assert_eq!(
            skip.args,
            ["--gtest_flagfile=/out/maestro_quarantine.gtest"]
        );
        let (_, text) = skip.file.unwrap();
        assert!(text.starts_with("--gtest_filter=-Net.Works/000000000:"));
    }

    #[test]
    fn what_a_filter_cannot_say_is_refused() {
        for (suite, test) in [
            ("Typed/std::string", "Works"),
            ("A", "b*"),
            ("A.b", "c"),
            ("A", "b?"),
        ] {
            let problem = Gtest.skip(&[(suite, test)], Path::new("")).unwrap_err();
            assert!(
                problem.to_string().contains("a filter of GoogleTest"),
                "{problem}"
            );
        }
    }
}
