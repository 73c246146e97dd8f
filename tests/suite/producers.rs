//! Our own reports, made by running real test tools: each file's counts are those that the tool itself gave.

use serde_json::Value;

use crate::harness::{Maestro, files_below, package};

#[test]
fn the_counts_of_every_producer_are_those_it_gave() {
    let maestro = Maestro::in_folder();
    let mut files = 0;
    for expected in files_below(&package().join("fixtures/junit")) {
        if expected
            .file_name()
            .is_none_or(|name| name != "expected.json")
        {
            continue;
        }
        let wanted: Value = serde_json::from_slice(&std::fs::read(&expected).unwrap()).unwrap();
        for (name, wanted) in wanted.as_object().unwrap() {
            let path = expected.with_file_name(name);
            let totals =
                maestro.json(&["flakes", "ingest", "--dry-run", path.to_str().unwrap()])["totals"]
                    .clone();
            let count = |key: &str| totals[key].as_u64().unwrap();
            // Tools count a disabled test as skipped; docs/junit.md says why `passed` holds it here.
            let have = [
                count("cases"),
                count("passed") - count("disabled"),
                count("failed"),
                count("errored"),
                count("skipped") + count("disabled"),
            ];
            let want = ["cases", "passed", "failed", "errored", "skipped"]
                .map(|key| wanted[key].as_u64().unwrap());
            assert_eq!(have, want, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 80, "only {files} fixtures were found");
}
