//! `maestro flakes ingest`

use serde_json::Value;

use crate::harness::Maestro;

const GREEN: &str = r#"<testsuites><testsuite name="net"><testcase classname="net" name="retries"/></testsuite></testsuites>"#;
const RED: &str = r#"<testsuites><testsuite name="net"><testcase classname="net" name="retries"><failure message="no">at x</failure></testcase></testsuite></testsuites>"#;

fn only_file(document: &Value) -> &Value {
    let files = document["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{document}");
    &files[0]
}

#[test]
fn a_report_is_counted_and_stored() {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", RED);
    let document = maestro.json(&["flakes", "ingest", "r.xml"]);
    assert_eq!(document["schema"], "maestro.flakes-ingest/v1");
    assert_eq!(document["totals"]["failed"], 1);
    assert_eq!(document["stored"]["runs"], 1);
    assert_eq!(only_file(&document)["path"], "r.xml");
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", RED);
    maestro.run(["flakes", "ingest", "r.xml"]).success();
    let before = maestro.json(&["flakes", "report"]);
    let again = maestro.json(&["flakes", "ingest", "r.xml"]);
    assert_eq!(again["stored"]["runs"], 0);
    assert_eq!(only_file(&again)["notes"][0]["code"], "already-stored");
    assert_eq!(maestro.json(&["flakes", "report"]), before);
}

#[test]
fn a_report_that_came_alone_and_then_with_others_counts_once() {
    let maestro = Maestro::in_repo();
    maestro.file("a.xml", RED).file("b.xml", GREEN);
    let run = |files: &[&str]| {
        let mut args = vec!["flakes", "ingest", "--run", "7"];
        args.extend(files);
        maestro.run(args).success()
    };
    let _ = run(&["a.xml"]);
    let _ = run(&["a.xml", "b.xml"]);
    let report = maestro.json(&["flakes", "report", "--all"]);
    assert_eq!(report["totals"]["cases"], 2);
}

#[test]
fn two_green_legs_with_equal_reports_stay_two() {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", GREEN);
    for leg in ["linux", "macos"] {
        maestro
            .run(["flakes", "ingest", "--run", "7", "--leg", leg, "r.xml"])
            .success();
    }
    let report = maestro.json(&["flakes", "report", "--all"]);
    assert_eq!(report["tests"][0]["runs"], 2);
}

#[test]
fn a_dry_run_stores_nothing_and_needs_no_repository() {
    let maestro = Maestro::in_folder();
    maestro.file("r.xml", RED);
    let document = maestro.json(&["flakes", "ingest", "--dry-run", "r.xml"]);
    assert_eq!(document["totals"]["failed"], 1);
    assert_eq!(document["stored"]["events"], 0);
    assert!(!maestro.path(".maestro").exists());
}

#[test]
fn without_a_repository_state_lies_in_the_named_folder() {
    let maestro = Maestro::in_folder();
    maestro.file("r.xml", RED);
    maestro
        .run(["flakes", "ingest", "r.xml"])
        .exits_with(66)
        .says("no git repository")
        .says("--dir");
    maestro
        .run(["flakes", "ingest", "--dir", "s", "r.xml"])
        .success();
    let report = maestro.json(&["flakes", "report", "--dir", "s"]);
    assert_eq!(report["tests"][0]["test"], "retries");
}

#[test]
fn an_unborn_branch_is_no_obstacle() {
    let maestro = Maestro::in_folder();
    maestro.git(&["init", "--quiet", "--initial-branch=main"]);
    maestro.file("r.xml", RED);
    maestro.run(["flakes", "ingest", "r.xml"]).success();
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 1);
}

#[test]
fn a_named_file_that_is_no_report_is_refused_and_the_rest_is_saved() {
    let maestro = Maestro::in_repo();
    maestro
        .file("r.xml", RED)
        .file("page.xml", "<html><body>no</body></html>");
    maestro
        .run(["flakes", "ingest", "page.xml", "r.xml"])
        .exits_with(65)
        .says("`page.xml` is no test report: its root element is `html`")
        .says("hint:");
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["failed"], 1);
}

#[test]
fn in_a_folder_what_is_no_report_is_a_note() {
    let maestro = Maestro::in_repo();
    maestro
        .file("out/r.xml", RED)
        .file("out/deep/page.xml", "<html/>")
        .file("out/empty.xml", "");
    let document = maestro.json(&["flakes", "ingest", "out"]);
    assert_eq!(only_file(&document)["path"], "out/r.xml");
    let notes: Vec<_> = document["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| &n["path"])
        .collect();
    assert_eq!(notes, ["out/deep/page.xml", "out/empty.xml"]);
}

#[test]
fn a_missing_file_is_named_and_the_rest_is_saved() {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", RED);
    maestro
        .run(["flakes", "ingest", "gone.xml", "r.xml"])
        .exits_with(66)
        .says("cannot read `gone.xml`");
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["failed"], 1);
}

#[test]
fn a_glob_finds_reports_in_any_folder() {
    let maestro = Maestro::in_repo();
    maestro
        .file("a/junit.xml", RED)
        .file("b/c/junit.xml", GREEN)
        .file("b/other.xml", GREEN);
    let document = maestro.json(&["flakes", "ingest", "--dry-run", "**/junit.xml"]);
    let paths: Vec<_> = document["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["path"])
        .collect();
    assert_eq!(paths, ["a/junit.xml", "b/c/junit.xml"]);
}

#[test]
fn paths_of_another_folder_open_from_here() {
    let maestro = Maestro::in_folder();
    maestro.file("sub/r.xml", RED);
    let document = maestro.json(&["-C", "sub", "flakes", "ingest", "--dry-run", "r.xml"]);
    let path = only_file(&document)["path"].as_str().unwrap();
    assert!(maestro.path(path).is_file(), "{path}");
}

#[test]
fn gzip_is_unpacked_and_a_cut_one_keeps_what_came_before() {
    use std::io::Write;
    let maestro = Maestro::in_folder();
    let many: String = (0..5000)
        .map(|n| format!("<testcase name=\"t{n}\"/>"))
        .collect();
    let xml = format!("<testsuite name=\"s\">{many}</testsuite>");
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(xml.as_bytes()).unwrap();
    let packed = writer.finish().unwrap();
    maestro
        .file("r.xml.gz", &packed)
        .file("cut.xml.gz", &packed[..packed.len() / 2]);
    let whole = maestro.json(&["flakes", "ingest", "--dry-run", "r.xml.gz"]);
    assert_eq!(whole["totals"]["cases"], 5000);
    let cut = maestro.json(&["flakes", "ingest", "--dry-run", "cut.xml.gz"]);
    assert!(cut["totals"]["cases"].as_u64().unwrap() > 1000);
    let codes: Vec<_> = only_file(&cut)["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| &n["code"])
        .collect();
    assert!(codes.contains(&&Value::from("bad-gzip")), "{codes:?}");
}

#[test]
fn a_bad_line_of_the_neutral_form_is_a_note_with_its_offset() {
    let maestro = Maestro::in_folder();
    let good = r#"{"run":1,"test":"t","status":"passed"}"#;
    maestro.file(
        "h.ndjson",
        format!("{good}\nnonsense\n{{\"run\":1,\"test\":\"t\",\"status\":\"odd\"}}\n"),
    );
    let document = maestro.json(&["flakes", "ingest", "--dry-run", "h.ndjson"]);
    let file = only_file(&document);
    assert_eq!(file["dialect"], "maestro-ndjson");
    assert_eq!(file["cases"], 1);
    assert_eq!(file["notes"][0]["offset"], good.len() as u64 + 1);
    assert_eq!(file["notes"].as_array().unwrap().len(), 2);
}

#[test]
fn the_configured_jobs_name_the_reports() {
    let maestro = Maestro::in_repo();
    maestro
        .file(
            ".maestro/maestro.yaml",
            "schema: maestro.config/v1\njobs:\n  unit: { junit: 'out/*.xml' }\n",
        )
        .file("out/r.xml", RED);
    let document = maestro.json(&["flakes", "ingest"]);
    assert_eq!(document["stored"]["filed"][0]["job"], "unit");
    assert_eq!(document["totals"]["files"], 1);
}

#[test]
fn no_input_is_a_warning_and_with_require_input_exit_3() {
    let maestro = Maestro::in_repo();
    std::fs::create_dir(maestro.path("out")).unwrap();
    maestro
        .run(["flakes", "ingest", "out"])
        .success()
        .says("no test report was found");
    maestro
        .run(["flakes", "ingest", "--require-input", "out"])
        .exits_with(3);
}

#[test]
fn github_names_the_run() {
    let maestro = Maestro::in_repo()
        .env("GITHUB_RUN_ID", "8812")
        .env("GITHUB_RUN_ATTEMPT", "2")
        .env("GITHUB_JOB", "test")
        .env("GITHUB_SHA", "4f2c1a")
        .env("GITHUB_HEAD_REF", "feature");
    maestro.file("r.xml", RED);
    let filed = maestro.json(&["flakes", "ingest", "r.xml"])["stored"]["filed"][0].clone();
    assert_eq!(
        filed,
        serde_json::json!({
            "run": "8812", "attempt": 2, "job": "test", "leg": "", "commit": "4f2c1a", "branch": "feature",
        })
    );
}

#[test]
fn uncommitted_changes_are_filed_under_no_commit() {
    let maestro = Maestro::in_repo();
    maestro.file("r.xml", RED);
    let clean = maestro.json(&["flakes", "ingest", "--run", "1", "r.xml"]);
    assert_eq!(
        clean["stored"]["filed"][0]["commit"]
            .as_str()
            .unwrap()
            .len(),
        40
    );
    maestro.file("README.md", "Edited.\n");
    let dirty = maestro.json(&["flakes", "ingest", "--run", "2", "r.xml"]);
    assert_eq!(dirty["stored"]["filed"][0]["commit"], "");
}

#[test]
fn secrets_never_reach_the_disk() {
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let own = "correct-horse-battery";
    let maestro = Maestro::in_repo().env("DEPLOY_PASSWORD", own);
    let xml = format!(
        "<testsuite name=\"s\"><testcase name=\"t[{token}]\"><failure message=\"401 for {token}\">password={own}\nsecret: hunter2hunter2</failure></testcase></testsuite>"
    );
    maestro.file("r.xml", xml);
    maestro.run(["flakes", "ingest", "r.xml"]).success();
    maestro.run(["state", "fold"]).success();
    for file in crate::harness::files_below(&maestro.path(".git/maestro")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for secret in [token.as_str(), own, "hunter2"] {
            assert!(!text.contains(secret), "{} holds {secret}", file.display());
        }
    }
    assert!(
        maestro
            .run(["flakes", "report"])
            .success()
            .stdout
            .contains("t[[redacted:github-token]]")
    );
}

#[test]
fn a_note_never_prints_a_secret() {
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let maestro = Maestro::in_folder();
    maestro.file(
        "r.xml",
        format!("<testsuite><error message=\"{token}\"/></testsuite>"),
    );
    let line = format!("{{\"run\":1,\"test\":\"t\",\"status\":\"{token}\"}}\n");
    maestro.file(
        "h.ndjson",
        format!("{{\"run\":1,\"test\":\"t\",\"status\":\"ok\"}}\n{line}"),
    );
    maestro.file("bad.ndjson", line);
    let run = maestro.run([
        "flakes",
        "ingest",
        "--dry-run",
        "--format",
        "json",
        "r.xml",
        "h.ndjson",
        "bad.ndjson",
    ]);
    assert!(
        run.stdout.contains("[redacted:github-token]"),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains("ghp_") && !run.stderr.contains("ghp_"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn a_read_only_folder_is_exit_74_with_a_hint() {
    let maestro = Maestro::in_folder();
    maestro.file("r.xml", RED).file("not-a-folder", "");
    // A file where a folder should be fails for every user, root too.
    maestro
        .run(["flakes", "ingest", "--dir", "not-a-folder/s", "r.xml"])
        .exits_with(74)
        .says("cannot write")
        .says("hint:");
}

#[test]
fn a_test_keeps_its_history_although_its_name_holds_an_address() {
    let maestro = Maestro::in_repo();
    for (run, address, id) in [
        ("1", "0x7f3a2c10aa", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        ("2", "0x7f99017bb0", "0b5b1f1c-9a55-4a0e-8a0c-6c8d2ad6f9c4"),
    ] {
        let case = |name: &str| format!("<testcase name=\"{name}\"/>");
        let cases = [
            case(&format!("area[&lt;Point object at {address}&gt;]")),
            case(&format!("order {id} is kept")),
        ];
        let report = format!("<testsuite name=\"s\">{}</testsuite>", cases.concat());
        maestro.file("r.xml", report);
        let _ = maestro
            .run(["flakes", "ingest", "--run", run, "r.xml"])
            .success();
    }
    let report = maestro.json(&["flakes", "report", "--all"]);
    let tests = report["tests"].as_array().unwrap().iter();
    let tests: Vec<String> = tests
        .map(|test| format!("{} {}", test["test"].as_str().unwrap(), test["runs"]))
        .collect();
    assert_eq!(
        tests,
        ["area[<Point object at 0x…>] 2", "order … is kept 2"]
    );
}
