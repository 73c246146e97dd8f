//! Which job of the configuration a workflow's job is, and which workflow jobs are tests at all: by their names, which is all that GitHub tells.

use crate::setup::slug;

/// Words of names of jobs and workflows that test.
const TESTS: &[&str] = &[
    "ci",
    "coverage",
    "ctest",
    "cypress",
    "e2e",
    "integration",
    "jest",
    "junit",
    "mocha",
    "nextest",
    "nox",
    "phpunit",
    "playwright",
    "pytest",
    "rspec",
    "smoke",
    "spec",
    "specs",
    "test",
    "testing",
    "tests",
    "tox",
    "unit",
    "unittest",
    "unittests",
    "vitest",
];

/// Words of names of what does something else, whatever workflow it is in.
const OTHERS: &[&str] = &[
    "audit",
    "backport",
    "bench",
    "benchmark",
    "benchmarks",
    "cla",
    "codeql",
    "deploy",
    "deployment",
    "docs",
    "documentation",
    "fmt",
    "format",
    "image",
    "label",
    "labeler",
    "lint",
    "pages",
    "publish",
    "release",
    "scorecard",
    "stale",
    "triage",
    "wheels",
    "zizmor",
];

/// Returns the job of the configuration that a workflow's job is called after: `test`, `test (ubuntu, 3.12)` and `ci / test` are all `test`.
pub(crate) fn job_of<'j>(name: &str, jobs: &'j [String]) -> Option<&'j str> {
    // What a reusable workflow calls its jobs comes last.
    let last = name.rsplit(" / ").next().unwrap_or(name);
    let plain = last.split(" (").next().unwrap_or(last);
    let found = [name, last, plain].into_iter().find_map(|name| {
        let wanted = slug(name);
        jobs.iter().find(|job| slug(job) == wanted)
    });
    found.map(String::as_str)
}

/// Whether a workflow's job tests, as far as names tell: it, or the workflow that it is in, is called so, and neither is called after something else.
pub(crate) fn is_test(workflow: &str, file: &str, job: &str) -> bool {
    let file = file.rsplit('/').next().unwrap_or(file);
    let file = file.split('.').next().unwrap_or(file);
    let has = |name: &str, list: &[&str]| {
        let name = name.to_lowercase();
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| list.contains(&word))
    };
    let names = [job, workflow, file];
    !names.iter().any(|name| has(name, OTHERS)) && names.iter().any(|name| has(name, TESTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_known_by_name_whatever_stands_around_it() {
        let jobs = ["test".to_owned(), "go-tools".to_owned()];
        for (name, found) in [
            ("test", Some("test")),
            ("Test (ubuntu-latest, 3.12)", Some("test")),
            ("ci / test (1)", Some("test")),
            ("go tools", Some("go-tools")),
            ("tests", None),
            ("", None),
            ("(ubuntu)", None),
        ] {
            assert_eq!(job_of(name, &jobs), found, "{name}");
        }
    }

    #[test]
    fn what_tests_is_told_from_what_does_something_else() {
        for (workflow, file, job, is) in [
            ("CI", ".github/workflows/ci.yml", "build (3.12)", true),
            ("Python", "python.yml", "unit tests", true),
            ("Python", "tests.yaml", "3.12", true),
            ("CI", "ci.yml", "lint", false),
            ("Release", "release.yml", "test", false),
            ("Deploy pages", "pages.yml", "build", false),
            ("Close", "stale.yml", "stale", false),
            ("Contest", "contest.yml", "latest", false),
            ("", "", "", false),
        ] {
            assert_eq!(is_test(workflow, file, job), is, "{workflow} {file} {job}");
        }
    }
}
