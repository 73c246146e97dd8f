//! What suites say of themselves, held against what they list.
//!
//! `tests` is no measure: pytest counts subtests, Surefire retries and Catch2 assertions there. Failures are, because each is an element.

use quick_xml::events::BytesStart;

use super::attributes;
use super::notes::{NoteCode, Notes};

/// What an open suite says, and what was read before it.
#[derive(Debug, Clone, Copy)]
struct Suite {
    tests: u64,
    failed: u64,
    /// Cases and failures before it.
    before: (u64, u64),
    offset: u64,
}

#[derive(Debug, Default)]
pub(super) struct Said {
    open: Vec<Suite>,
    /// Failures so far, whatever they stand in.
    failures: u64,
}

impl Said {
    pub(super) fn failure(&mut self) {
        self.failures += 1;
    }

    pub(super) fn open(&mut self, tag: &BytesStart<'_>, cases: u64, offset: u64) {
        let (mut tests, mut failed) = (0, 0_u64);
        // Whoever reads the suite's name notes what is wrong with its attributes.
        let mut known = Notes::default();
        attributes::each(tag, offset, &mut known, |name, value, _| {
            let text = std::str::from_utf8(value).unwrap_or_default();
            let number = text.trim().parse::<u64>().unwrap_or(0);
            match name {
                b"tests" => tests = number,
                b"failures" | b"errors" => failed = failed.saturating_add(number),
                _ => {}
            }
        });
        self.open.push(Suite {
            tests,
            failed,
            before: (cases, self.failures),
            offset,
        });
    }

    pub(super) fn close(&mut self, cases: u64, notes: &mut Notes) {
        let Some(suite) = self.open.pop() else { return };
        let (cases_before, failures_before) = suite.before;
        let failures = self.failures - failures_before;
        if suite.failed > failures {
            let words = format!("{} against {failures}", suite.failed);
            notes.detail(NoteCode::SaysMore, suite.offset, words);
        } else if suite.tests > 0 && cases == cases_before {
            let words = format!("{} tests against none", suite.tests);
            notes.detail(NoteCode::SaysMore, suite.offset, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::junit::{Form, NoteCode, read};

    #[track_caller]
    fn check(report: &str, expected: &[&str]) {
        let reading = read(Form::Xml, report.as_bytes(), "", &mut |_, _, _| {}).unwrap();
        let notes = reading.notes.iter();
        let notes = notes.filter(|note| note.code == NoteCode::SaysMore);
        let words: Vec<&str> = notes.filter_map(|note| note.detail.as_deref()).collect();
        assert_eq!(words, expected, "{report}");
    }

    #[test]
    fn a_suite_that_lists_fewer_failures_than_it_says_is_noted() {
        let suite = |said: &str, cases: &str| format!("<testsuite {said}>{cases}</testsuite>");
        let failed = r#"<testcase name="a"><failure/></testcase>"#;
        check(&suite(r#"tests="1" failures="1""#, failed), &[]);
        check(
            &suite(r#"tests="2" failures="2""#, failed),
            &["2 against 1"],
        );
        check(
            &suite(r#"failures="1" errors="2""#, failed),
            &["3 against 1"],
        );
        check(&suite(r#"tests="33" failures="1""#, failed), &[]);
        check(&suite(r#"tests="6""#, ""), &["6 tests against none"]);
        check(&suite(r#"tests="0""#, ""), &[]);
        check(&suite(r#"tests="x" failures="-1""#, ""), &[]);
    }

    #[test]
    fn retries_and_failures_of_suites_count() {
        check(
            r#"<testsuite failures="1"><testcase name="a"><rerunFailure/><flakyError/></testcase></testsuite>"#,
            &[],
        );
        check(
            r#"<testsuite errors="1"><error message="set-up"/><testcase name="a"/></testsuite>"#,
            &[],
        );
        check(
            r#"<testsuites><testsuite failures="2"><testsuite failures="1"><testcase name="a"><failure/></testcase></testsuite><testsuite failures="1"><testcase name="b"/></testsuite></testsuite></testsuites>"#,
            &["2 against 1", "1 against 0"],
        );
    }
}
