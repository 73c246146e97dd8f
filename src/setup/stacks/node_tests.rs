//! Test runners of Node.js, and the options that add a report to what they print.
//!
//! Vitest 3 (`--reporter`, `--outputFile`), Jest 30 (`--json`, `--outputFile`), Playwright 1.5x (`PLAYWRIGHT_JUNIT_OUTPUT_NAME`), Node.js 22
//! (`--test-reporter`), each by its own documentation.

/// What makes a script leave a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reporting {
    /// Added to the script's own arguments.
    pub(super) arguments: String,
    /// Set for the script.
    pub(super) variable: Option<&'static str>,
    /// Where the report lies afterwards, from the package.
    pub(super) report: Option<String>,
    /// What a person may do where nothing can be added.
    pub(super) comment: Option<String>,
}

impl Reporting {
    pub(super) fn none(comment: &str) -> Self {
        Self {
            comment: Some(comment.to_owned()),
            ..Self::default()
        }
    }
}

const BY_HAND: &str =
    "For test reports: add the options for a JUnit report to the script `test`, and `junit:` here.";

/// Looks at a script. Arguments reach only a script that is a single command; `passes_on` is whether the package manager hands them on.
pub(super) fn reporting(script: &str, passes_on: bool) -> Reporting {
    let is_single = !script.contains(['&', '|', ';', '>', '<', '`', '$', '\n']);
    if !is_single || !passes_on {
        return Reporting::none(BY_HAND);
    }
    let mut words = script
        .split_whitespace()
        .skip_while(|word| word.contains('=') || *word == "cross-env" || *word == "npx");
    let runner = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let has = |option: &str| rest.iter().any(|word| word.starts_with(option));
    let to = |arguments: &str, report: &str| Reporting {
        arguments: arguments.to_owned(),
        report: Some(report.to_owned()),
        ..Reporting::default()
    };
    match runner {
        "vitest" if !has("--reporter") && !has("--outputFile") => to(
            "--reporter=default --reporter=junit --outputFile.junit=junit.xml",
            "junit.xml",
        ),
        "jest" if !has("--json") && !has("--outputFile") && !has("--reporters") => to(
            "--ci --json --outputFile=jest-results.json",
            "jest-results.json",
        ),
        "playwright" if rest.first() == Some(&"test") && !has("--reporter") => Reporting {
            variable: Some("PLAYWRIGHT_JUNIT_OUTPUT_NAME=playwright.xml"),
            ..to("--reporter=list,junit", "playwright.xml")
        },
        // Options that follow files are files to node.
        "node" if rest == ["--test"] => to(
            "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=junit.xml",
            "junit.xml",
        ),
        _ => Reporting::none(BY_HAND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, report: Option<&str>) {
        assert_eq!(
            reporting(script, true).report.as_deref(),
            report,
            "{script}"
        );
    }

    #[test]
    fn runners_are_known_by_the_first_word() {
        check("vitest", Some("junit.xml"));
        check("vitest run --coverage", Some("junit.xml"));
        check("cross-env NODE_ENV=test jest", Some("jest-results.json"));
        check("TZ=UTC npx playwright test", Some("playwright.xml"));
        check("node --test", Some("junit.xml"));
    }

    #[test]
    fn what_would_not_reach_the_runner_is_not_added() {
        check("tsc && vitest", None);
        check("vitest run --reporter=dot", None);
        check("node --test test/a.js", None);
        check("turbo run test", None);
        check("playwright show-report", None);
        assert_eq!(reporting("vitest", false).report, None);
    }
}
