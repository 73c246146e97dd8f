//! Reports in the forms that runners write themselves, beside the JUnit of the same tests: the same tests must come out under
//! the same names, with the same results.

use std::collections::BTreeMap;

use crate::harness::{Maestro, Tests, package};

/// Where reports were made, which is not where they are read.
const MADE_IN: &str = "/checkout";

fn tests_of(report: &str) -> Tests {
    let maestro = Maestro::in_repo();
    let text = std::fs::read_to_string(package().join("fixtures").join(report)).unwrap();
    let here = maestro.path("").canonicalize().unwrap();
    let text = text.replace(MADE_IN, here.to_str().unwrap());
    maestro.file("report", text);
    maestro.tests_of("report")
}

/// Compares two reports but for tests that one of them has otherwise, or not at all.
#[track_caller]
fn same(dialect: &str, junit: &str, count: usize, but: &[&str]) {
    let (mut ours, mut theirs) = (
        tests_of(&format!("dialects/{dialect}")),
        tests_of(&format!("junit/{junit}")),
    );
    for tests in [&mut ours, &mut theirs] {
        tests.retain(|(_, name), _| !but.contains(&name.as_str()));
    }
    assert_eq!(ours, theirs, "{dialect}");
    assert_eq!(ours.len(), count, "{dialect}");
}

#[test]
fn boost_logs_give_the_tests_of_its_junit() {
    same("boost/basic.xml", "boost/basic.xml", 15, &[]);
}

#[test]
fn go_events_give_the_tests_of_gotestsum() {
    same("gotestsum/basic.json", "gotestsum/basic.xml", 19, &[]);
    same("gotestsum/reruns.json", "gotestsum/reruns.xml", 3, &[]);
    // Its JUnit has no word of a package that could not be built.
    same(
        "gotestsum/build_error.json",
        "gotestsum/build_error.xml",
        1,
        &["TestMain"],
    );
}

#[test]
fn libtest_json_gives_the_tests_of_its_junit() {
    // Its JUnit has no word of ignored tests.
    same("libtest/unit.json", "libtest/unit.xml", 6, &["is_ignored"]);
    same("libtest/doc.json", "libtest/doc.xml", 2, &[]);
    // The JSON does not tell integration tests from unit tests, so that modules inside the former are classes.
    let but: Vec<String> = (1..=3).map(|n| format!("case_{n}")).collect();
    let but: Vec<String> = but
        .iter()
        .flat_map(|case| [case.clone(), format!("parametrised::{case}")])
        .collect();
    let but: Vec<&str> = but.iter().map(String::as_str).collect();
    same(
        "libtest/integration.json",
        "libtest/integration.xml",
        2,
        &but,
    );
}

#[test]
fn vitest_json_gives_the_tests_of_its_junit() {
    // The JSON has no word of a hook that failed.
    let hooks = ["with a broken afterAll", "with a broken beforeAll"];
    same("vitest/basic.json", "vitest/basic.xml", 19, &hooks);
    same("vitest/suite_error.json", "vitest/suite_error.xml", 1, &[]);
}

#[test]
fn tap_of_node_gives_the_tests_of_its_junit() {
    // In TAP a test that is to be done may fail; the JUnit counts it as failed. The others are escaped twice there.
    let but = [
        "is to do and fails",
        "line\\nbreak",
        "line\nbreak",
        "linebreak",
        "\u{1f980} \"quoted\" 'single' <&>",
        "\u{1f980} &quot;quoted&quot; 'single' <&>",
    ];
    same("node/basic.tap", "node/basic.xml", 16, &but);
}

#[test]
fn ctest_xml_gives_the_tests_of_its_junit() {
    same("ctest/basic.xml", "ctest/basic.xml", 20, &[]);
}

#[test]
fn playwright_json_gives_the_tests_of_its_junit_and_every_retry() {
    same("playwright/basic.json", "playwright/basic.xml", 20, &[]);
    let retries = tests_of("dialects/playwright/retries.json");
    let of = |name: &str| retries[&("flaky.spec.js".to_owned(), name.to_owned())];
    assert_eq!(of("flaky"), (2, 1));
    assert_eq!(of("always fails"), (2, 2));
    assert_eq!(of("passes"), (1, 0));
}

#[test]
fn jest_json_gives_full_names_and_every_retry() {
    // With these options jest-junit writes titles without those around them, and a test that is to be written as passed.
    let but = [
        "never runs",
        "outer with a broken hook never runs",
        "nested",
        "outer inner <&> nested",
        "is to do",
    ];
    same("jest/basic.json", "jest/options.xml", 13, &but);
    let retries = tests_of("dialects/jest/retry.json");
    let of = |name: &str| retries[&("flaky.test.js".to_owned(), name.to_owned())];
    assert_eq!((of("flaky"), of("always fails")), ((2, 1), (2, 2)));
    let broken = tests_of("dialects/jest/suite_error.json");
    let whole = ("broken.test.js".to_owned(), "broken.test.js".to_owned());
    assert_eq!(broken, BTreeMap::from([(whole, (1, 1))]));
}

#[test]
fn folders_are_searched_for_other_forms_and_other_json_is_passed_over() {
    let maestro = Maestro::in_folder();
    maestro.file(
        "r/a.trx",
        r#"<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results><UnitTestResult testName="a" outcome="Passed"/></Results></TestRun>"#,
    );
    maestro.file("r/b.tap", "1..1\nok 1 - b\n");
    maestro.file("r/c.json", r#"{"numTotalTests":0,"testResults":[]}"#);
    maestro.file("r/package.json", r#"{"name":"x"}"#);
    let document = maestro.json(&["flakes", "ingest", "--dry-run", "r"]);
    let dialects: Vec<_> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["dialect"].as_str().unwrap())
        .collect();
    assert_eq!(dialects, ["trx", "tap", "jest"]);
    assert_eq!(document["notes"].as_array().unwrap().len(), 0);
    // A named file must be a report.
    maestro
        .run(["flakes", "ingest", "--dry-run", "r/package.json"])
        .exits_with(65);
}
