//! Other people's conversions, through `MAESTRO_CORPUS`: what we read from a form and from the JUnit that they make of it must be
//! the same tests with the same results.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::{Maestro, Tests, corpus};

fn tests_of(path: &Path) -> Tests {
    Maestro::in_repo().tests_of(path.to_str().unwrap())
}

/// Tests that the conversion makes passed ones although they did not run or showed nothing, in which we do not follow it.
fn is_lost(case: &str, name: &str) -> bool {
    match case {
        // `result="Inconclusive"`: neither passed nor failed.
        "testcase8" => name == "InconclusiveTest",
        // `executed="False" result="Skipped"`, with the reason beside it: xUnit.net writes a time of 0 for those, and the
        // conversion takes whatever has a time for executed.
        "testcase15" => [
            "LoadAndSaveWorkspace",
            "LoadFromFileTest",
            "DoNewClientFileTest",
            "DoOpenClientFileTest",
            "DoOpenClientFilesTest",
            "TestBackupFile",
        ]
        .iter()
        .any(|skipped| name.ends_with(&format!(".{skipped}"))),
        _ => false,
    }
}

#[test]
fn nunit_is_read_as_jenkins_converts_it() {
    let Some(folder) = corpus("junit") else {
        return;
    };
    let folder = folder.join("jenkinsci+xunit-plugin/types/nunit");
    let (mut pairs, mut tests, mut lost) = (0, 0, 0);
    for case in std::fs::read_dir(&folder).unwrap() {
        let case = case.unwrap().path();
        let number = case.file_name().unwrap().to_string_lossy().into_owned();
        let mut ours = tests_of(&case.join("input.xml"));
        let mut theirs = tests_of(&case.join("result.xml"));
        theirs.retain(|key, counts| {
            let is_lost = is_lost(&number, &key.1);
            if is_lost {
                assert_eq!(
                    (*counts, ours.remove(key)),
                    ((1, 0), Some((0, 0))),
                    "{key:?}"
                );
                lost += 1;
            }
            !is_lost
        });
        assert_eq!(ours, theirs, "{}", case.display());
        tests += ours.len();
        pairs += 1;
    }
    assert!(pairs >= 17 && tests >= 400, "{pairs} pairs, {tests} tests");
    assert_eq!(lost, 7);
}

#[test]
fn boost_is_read_as_jenkins_converts_it() {
    let Some(folder) = corpus("junit") else {
        return;
    };
    let folder = folder.join("jenkinsci+xunit-plugin/types/boosttest");
    let (mut pairs, mut tests) = (0, 0);
    for case in std::fs::read_dir(&folder).unwrap() {
        let case = case.unwrap().path();
        // There each class is the whole path with dots, below suites that say the same with other signs.
        let by_path = |name: &str, is_ours: bool| -> BTreeMap<(String, String), (u64, u64)> {
            let tests = tests_of(&case.join(name)).into_iter();
            tests
                .map(|((suite, name), counts)| {
                    let parts: Vec<&str> = suite.split(" > ").collect();
                    let path = if is_ours {
                        parts.join(".")
                    } else {
                        parts[parts.len() - 1].to_owned()
                    };
                    ((path, name), counts)
                })
                .collect()
        };
        let (ours, theirs) = (by_path("input.xml", true), by_path("result.xml", false));
        assert_eq!(ours, theirs, "{}", case.display());
        tests += ours.len();
        pairs += 1;
    }
    assert!(pairs >= 25 && tests >= 700, "{pairs} pairs, {tests} tests");
}

/// Returns cases, passed, failed or errored, and skipped.
fn totals_of(path: &Path) -> [u64; 4] {
    let maestro = Maestro::in_folder();
    let totals =
        &maestro.json(&["flakes", "ingest", "--dry-run", path.to_str().unwrap()])["totals"];
    let count = |key: &str| totals[key].as_u64().unwrap();
    let failing = count("failed") + count("errored");
    [count("cases"), count("passed"), failing, count("skipped")]
}

#[test]
fn trx_nunit_and_xunit_have_the_results_of_enricomis_conversions() {
    let Some(folder) = corpus("junit") else {
        return;
    };
    let folder = folder.join("EnricoMi+publish-unit-test-result-action/python/test/files");
    let (mut pairs, mut names) = (0, 0);
    for part in ["trx", "nunit", "xunit"] {
        for converted in crate::harness::files_below(&folder.join(part)) {
            if converted
                .extension()
                .is_none_or(|ending| ending != "junit-xml")
            {
                continue;
            }
            let ours = ["trx", "xml"].map(|ending| converted.with_extension(ending));
            let ours = ours.iter().find(|path| path.exists()).unwrap();
            let mut theirs = totals_of(&converted);
            match ours.file_stem().unwrap().to_str().unwrap() {
                // Three tests are `NotRunnable`: there skipped, here errors, as Jenkins has them and NUnit means them.
                "NUnit-correct" => theirs = [28, 18, 5, 5],
                // One test was `Aborted`: there skipped, here failed.
                "yami_YAMILEX_2015-10-24_04_18_59" => theirs = [25, 2, 3, 20],
                // The suite there is always `MSTestSuite`; class and name must be the same.
                _ if part == "trx" => {
                    let by_class = |tests: Tests| -> Vec<_> {
                        tests
                            .into_iter()
                            .map(|((suite, name), counts)| {
                                let class = suite.split_once(" > ").map_or("", |(_, class)| class);
                                (class.to_owned(), name, counts)
                            })
                            .collect()
                    };
                    let tests = by_class(tests_of(ours));
                    assert_eq!(tests, by_class(tests_of(&converted)), "{}", ours.display());
                    names += tests.len();
                }
                _ => {}
            }
            assert_eq!(totals_of(ours), theirs, "{}", ours.display());
            pairs += 1;
        }
    }
    assert!(pairs >= 39 && names >= 900, "{pairs} pairs, {names} names");
}
