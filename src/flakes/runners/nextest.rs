//! cargo-nextest: `cargo nextest list --message-format json`, and filtersets (nexte.st, "Filterset DSL reference").

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

use super::skip::argument;
use super::{
    Known, LONGEST, ListProblem, Runner, Sharded, Skip, Unit, Unskippable, by_group, sizes, texts,
    tidy,
};

use crate::json;

pub(super) struct Nextest;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Suite {
    binary_id: String,
    #[serde(default)]
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    #[serde(default)]
    ignored: bool,
    #[serde(default)]
    filter_match: Option<Match>,
}

impl Case {
    fn is_listed(&self) -> bool {
        let found = self.filter_match.as_ref();
        found.is_none_or(|found| found.status == "matches")
    }
}

#[derive(Deserialize)]
struct Match {
    status: String,
}

impl Runner for Nextest {
    fn name(&self) -> &'static str {
        "nextest"
    }

    fn skip(&self, tests: &[(&str, &str)], _: &Path) -> Result<Skip, Unskippable> {
        let term = |(suite, test): &(&str, &str)| {
            format!(
                "(binary_id(={}) & test(={}))",
                escaped(suite),
                escaped(test)
            )
        };
        let all: Vec<String> = tests.iter().map(term).collect();
        let args = if all.is_empty() {
            Vec::new()
        } else {
            let all = argument(format!("not ({})", all.join(" | ")))?;
            vec!["-E".to_owned(), all]
        };
        Ok(Skip::args(args))
    }

    /// `NextestExitCode::TEST_RUN_FAILED` of the crate `nextest-metadata`.
    fn failed(&self) -> &'static [i32] {
        &[100]
    }

    fn shards(&self) -> Option<&dyn Sharded> {
        Some(self)
    }
}

impl Sharded for Nextest {
    fn list_command(&self) -> &'static str {
        "cargo nextest list --message-format json"
    }

    fn read_list(&self, text: &str) -> Result<Vec<Unit>, ListProblem> {
        let wrong = |error: serde_json::Error| ListProblem::new(error.line(), error.to_string());
        let list: List = json::read(text).map_err(wrong)?;
        let mut units = Vec::new();
        for suite in list.rust_suites.into_values() {
            let cases = suite.testcases.values();
            let is_of_part = cases
                .into_iter()
                .any(|case| !case.is_listed() && !case.ignored);
            for (name, case) in &suite.testcases {
                if case.is_listed() {
                    let unit = Unit::new(&suite.binary_id, name);
                    units.push(Unit { is_of_part, ..unit });
                }
            }
        }
        Ok(tidy(units))
    }

    fn only(&self, chosen: &[&Unit], all: &[Unit]) -> Vec<Vec<String>> {
        if chosen.is_empty() {
            return vec![texts(&["-E", "none()", "--no-tests", "pass"])];
        }
        let mut sizes = sizes(all);
        for unit in all.iter().filter(|unit| unit.is_of_part) {
            sizes.remove(unit.group.as_str());
        }
        let mut expressions: Vec<String> = Vec::new();
        let mut add = |term: String| match expressions.last_mut() {
            Some(last) if last.len() + term.len() < LONGEST => {
                last.push_str(" | ");
                last.push_str(&term);
            }
            _ => expressions.push(term),
        };
        for (binary, names) in by_group(chosen) {
            let binary_id = format!("binary_id(={})", escaped(binary));
            if sizes.get(binary) == Some(&names.len()) {
                add(binary_id);
                continue;
            }
            let tests: Vec<String> = names
                .iter()
                .map(|name| format!("test(={})", escaped(name)))
                .collect();
            let mut rest = &tests[..];
            while !rest.is_empty() {
                let mut room = LONGEST / 2;
                let fitting = rest.iter().take_while(|term| {
                    let fits = room >= term.len() + 3;
                    room = room.saturating_sub(term.len() + 3);
                    fits
                });
                let (now, later) = rest.split_at(fitting.count().max(1));
                add(format!("({binary_id} & ({}))", now.join(" | ")));
                rest = later;
            }
        }
        let both = expressions
            .into_iter()
            .flat_map(|one| ["-E".to_owned(), one]);
        vec![both.collect()]
    }

    fn time_of(&self, unit: &Unit, known: &Known) -> Option<f64> {
        known.test(&unit.group, &unit.name)
    }
}

/// Escapes a string for a filterset.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            ')' => escaped.push_str("\\)"),
            ',' => escaped.push_str("\\,"),
            '/' => escaped.push_str("\\/"),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                escaped.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::{known, listed};
    use super::*;

    const LIST: &str = r#"{"rust-build-meta":{},"test-count":4,"rust-suites":{
        "a":{"package-name":"a","binary-id":"a","testcases":{
            "m::one":{"kind":"test","ignored":false,"filter-match":{"status":"matches"}},
            "m::two":{"kind":"test","ignored":true,"filter-match":{"status":"mismatch","reason":"ignored"}},
            "m::three":{"kind":"test","ignored":false,"filter-match":{"status":"matches"}}}},
        "a::it":{"binary-id":"a::it","testcases":{"odd, (name)":{"ignored":false}}}}}"#;

    #[test]
    fn tests_that_nextest_would_run_are_listed() {
        assert_eq!(
            listed(&Nextest, LIST),
            ["a m::one", "a m::three", "a::it odd, (name)"]
        );
        assert_eq!(Nextest.read_list("{").unwrap_err().line, 1);
    }

    #[test]
    fn whole_binaries_are_named_and_others_test_by_test() {
        let all = Nextest.read_list(LIST).unwrap();
        let calls = Nextest.only(&[&all[0], &all[2]], &all);
        assert_eq!(
            calls,
            [[
                "-E",
                "(binary_id(=a) & (test(=m::one))) | binary_id(=a::it)"
            ]]
        );
        assert_eq!(escaped("odd, (x)\\/\n"), "odd\\, (x\\)\\\\\\/\\u{a}");
    }

    #[test]
    fn a_binary_that_the_list_has_only_part_of_is_not_named_whole() {
        let filtered = LIST.replace("\"reason\":\"ignored\"", "\"reason\":\"expression\"");
        let filtered = filtered.replace("\"ignored\":true", "\"ignored\":false");
        let all = Nextest.read_list(&filtered).unwrap();
        let calls = Nextest.only(&[&all[0], &all[1]], &all);
        let expected = "(binary_id(=a) & (test(=m::one) | test(=m::three)))";
        assert_eq!(calls, [["-E", expected]]);
    }

    #[test]
    fn tests_are_left_out_by_binary_and_name() {
        let skip = Nextest
            .skip(&[("a::it", "x"), ("a", "odd)")], Path::new(""))
            .unwrap();
        let expected = "not ((binary_id(=a::it) & test(=x)) | (binary_id(=a) & test(=odd\\))))";
        assert_eq!(skip.args, ["-E", expected]);
        assert_eq!(Nextest.skip(&[], Path::new("")).unwrap(), Skip::default());
    }

    #[test]
    fn no_argument_is_longer_than_the_system_takes() {
        let all: Vec<Unit> = (0..9000)
            .map(|n| Unit::new("a", format!("module::test_{n:06}")))
            .collect();
        let chosen: Vec<&Unit> = all.iter().skip(1).collect();
        let calls = Nextest.only(&chosen, &all);
        assert!(calls[0].len() > 3 && calls[0].iter().all(|word| word.len() < 131_000));
        let named: usize = calls[0]
            .iter()
            .map(|word| word.matches("test(=").count())
            .sum();
        assert_eq!(named, 8999);
    }

    #[test]
    fn reports_call_the_suite_by_the_binary() {
        let known = known(&[("a::it", "x", 7.0)]);
        assert_eq!(Nextest.time_of(&Unit::new("a::it", "x"), &known), Some(7.0));
        assert_eq!(Nextest.time_of(&Unit::new("a", "x"), &known), None);
    }
}
