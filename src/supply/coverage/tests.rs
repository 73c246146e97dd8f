//! Readers over reports of real tools, held against the tools' own totals, and over broken ones.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "other people's reports and what a skipped test says lie outside"
)]

use proptest::prelude::*;

use super::*;

macro_rules! own {
    ($($name:literal)+) => {
        &[$(($name, include_bytes!(concat!("../../../fixtures/supply/coverage/", $name)))),+]
    };
}

/// Reports of ours.
const OWN: &[(&str, &[u8])] = own!(
    "c8.info" "coverage-py.cobertura.xml" "coverage-py.info" "coverage-py.json" "gcovr.cobertura.xml" "go.coverprofile" "jacoco.xml" "lcov.info"
    "llvm-cov.info" "llvm-cov.json" "nyc.clover.xml" "nyc.cobertura.xml" "nyc.info" "phpunit.clover.xml" "phpunit.cobertura.xml"
    "simplecov-branches.resultset.json" "simplecov.resultset.json"
);

fn own(name: &str) -> Report {
    let (_, bytes) = OWN.iter().find(|(own, _)| *own == name).unwrap();
    read(bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

#[track_caller]
fn refused(text: &str, place: Option<(u32, u32)>, words: &str) {
    let fault = read(text.as_bytes()).unwrap_err();
    assert_eq!(
        (fault.place, fault.message.contains(words)),
        (place, true),
        "{fault:?}"
    );
}

#[test]
fn totals_are_those_that_the_tools_print() {
    // What each tool said is in fixtures/supply/README.md.
    let said = [
        ("c8.info", "lcov", (11, 16)),
        ("coverage-py.cobertura.xml", "Cobertura", (8, 11)),
        ("coverage-py.info", "lcov", (8, 11)),
        ("coverage-py.json", "coverage.py", (8, 11)),
        ("gcovr.cobertura.xml", "Cobertura", (10, 14)),
        ("jacoco.xml", "JaCoCo", (7, 11)),
        ("lcov.info", "lcov", (10, 14)),
        ("llvm-cov.info", "lcov", (13, 20)),
        ("llvm-cov.json", "llvm-cov", (13, 20)),
        ("nyc.clover.xml", "Clover", (6, 8)),
        ("nyc.cobertura.xml", "Cobertura", (6, 8)),
        ("nyc.info", "lcov", (6, 8)),
        ("phpunit.clover.xml", "Clover", (6, 9)),
        ("phpunit.cobertura.xml", "Cobertura", (6, 9)),
        ("simplecov-branches.resultset.json", "SimpleCov", (8, 10)),
        ("simplecov.resultset.json", "SimpleCov", (8, 10)),
    ];
    for (name, form, totals) in said {
        let report = own(name);
        assert_eq!(
            (report.form.name(), report.totals()),
            (form, totals),
            "{name}"
        );
    }
    let go = own("go.coverprofile");
    assert_eq!((go.form, go.statements), (Form::Go, Some((6, 9))));
}

#[test]
fn two_forms_of_one_run_tell_the_same_lines() {
    let lines = |name: &str| {
        own(name)
            .files
            .into_iter()
            .map(|file| file.lines)
            .filter(|lines| !lines.is_empty())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("llvm-cov.json"), lines("llvm-cov.info"));
    assert_eq!(lines("coverage-py.json"), lines("coverage-py.info"));
    assert_eq!(
        lines("coverage-py.json"),
        lines("coverage-py.cobertura.xml")
    );
    assert_eq!(lines("nyc.clover.xml"), lines("nyc.info"));
    assert_eq!(lines("nyc.cobertura.xml"), lines("nyc.info"));
    assert_eq!(lines("phpunit.clover.xml"), lines("phpunit.cobertura.xml"));
}

#[test]
fn lines_that_a_block_of_go_spans_are_executed_where_any_block_was() {
    let go = own("go.coverprofile");
    let hits: Vec<u32> = go.files[0]
        .lines
        .iter()
        .filter(|(_, hit)| *hit)
        .map(|(line, _)| *line)
        .collect();
    let misses: Vec<u32> = go.files[0]
        .lines
        .iter()
        .filter(|(_, hit)| !*hit)
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(
        (hits, misses),
        (
            vec![6, 7, 8, 9, 12, 14, 17],
            vec![10, 11, 15, 16, 20, 21, 22]
        )
    );
}

#[test]
fn what_is_no_report_is_refused() {
    refused("", None, "it is empty");
    refused("hello", None, "no report of coverage");
    refused("<testsuite/>", None, "`testsuite`");
    refused("<coverage line-rate=\"1\"/>", None, "without any file");
    refused("{}", Some((1, 1)), "no form of coverage");
    refused("{\"files\": {}}", None, "without any file");
    refused("mode: set\n", None, "without any file");
    refused("TN:\n", None, "without any file");
}

#[test]
fn a_broken_report_is_refused_with_its_place() {
    refused("SF:a\nDA:1,1\n", Some((2, 1)), "`end_of_record` is missing");
    refused("TN:\nDA:1,1\n", Some((2, 1)), "outside of any file");
    refused(
        "SF:a\nDA:x,1\nend_of_record\n",
        Some((2, 1)),
        "no number of a line",
    );
    refused(
        "SF:a\nDA:99999999999999999999,1\nend_of_record\n",
        Some((2, 1)),
        "no file has so many",
    );
    refused(
        "mode: set\na.go:1.1,9 1 1\n",
        Some((2, 1)),
        "this is no block",
    );
    refused(
        "mode: set\na.go:9.1,1.1 1 1\n",
        Some((2, 1)),
        "this is no block",
    );
    refused(
        "mode: set\na.go:1.1,99999999.1 1 1\n",
        Some((2, 1)),
        "no file has so many",
    );
}

#[test]
fn a_broken_document_is_refused_with_its_place() {
    refused(
        "<report><package name=\"p\"><sourcefile name=\"A\"><line nr=\"1\" ci=\"1\"/>",
        Some((1, 69)),
        "ends in the middle",
    );
    refused(
        "<report><sourcefile name=\"A\"><line nr=\"-1\" ci=\"1\"/></sourcefile></report>",
        Some((1, 30)),
        "`nr` is no number",
    );
    refused(
        "<report><line nr=\"1\" ci=\"1\"/></report>",
        Some((1, 9)),
        "outside of any source file",
    );
    refused(
        "<coverage line-rate=\"1\"><class><line/></class></coverage>",
        Some((1, 25)),
        "no `filename`",
    );
    refused(
        "{\"files\": {\"a\": {\"executed_lines\": [1.5], \"missing_lines\": []}}}",
        Some((1, 37)),
        "no number of a line",
    );
    refused(
        "{\"files\": {\"a\": {\"executed_lines\": [1]}}}",
        Some((1, 17)),
        "`missing_lines` is missing",
    );
    refused(
        "{\"s\": {\"coverage\": {\"a\": 1}}}",
        Some((1, 26)),
        "no list of lines",
    );
    let llvm = |segments: &str| {
        format!(
            "{{\"type\": \"llvm.coverage.json.export\", \"data\": [{{\"files\": [{{\"filename\": \"a\"{segments}}}]}}]}}"
        )
    };
    refused(&llvm(""), Some((1, 59)), "no `segments`");
    refused(
        &llvm(", \"segments\": [[1, 1]]"),
        Some((1, 90)),
        "no segment",
    );
    refused(
        &llvm(", \"segments\": [[9, 1, 1, true, true], [1, 1, 0, false, false]]"),
        Some((1, 113)),
        "in no order",
    );
    refused(
        &llvm(", \"segments\": [[1, 1, 1, true, true], [1e300, 1, 0, false, false]]"),
        Some((1, 113)),
        "no file has so many",
    );
}

#[test]
fn counts_that_are_no_numbers_are_no_executions() {
    let report = read(b"SF:a\nDA:1,nan\nDA:2,-3\nDA:3,=====\nDA:4,1e3\nDA:5,99999999999999999999999\nDA:6\nDA:0,1\nend_of_record\n").unwrap();
    let lines = [
        (1, false),
        (2, false),
        (3, false),
        (4, true),
        (5, true),
        (6, false),
    ];
    assert_eq!(report.files[0].lines, lines);
}

#[test]
fn an_entity_that_a_document_makes_is_not_expanded() {
    let mut bomb = String::from("<!DOCTYPE report [<!ENTITY a \"aaaaaaaaaa\">");
    for level in 0..20 {
        bomb.push_str(&format!("<!ENTITY b{level} \"&a;&a;&a;&a;&a;&a;&a;&a;\">"));
    }
    bomb.push_str("]><report><sourcefile name=\"&b19;&lt;.java\"><line nr=\"1\" ci=\"1\"/></sourcefile></report>");
    let report = read(bomb.as_bytes()).unwrap();
    assert_eq!(report.files[0].path, "&b19;&lt;.java");
}

#[test]
fn depth_is_no_trouble() {
    let deep = format!(
        "<report>{}<sourcefile name=\"A\"><line nr=\"1\" ci=\"1\"/></sourcefile>{}</report>",
        "<group>".repeat(100_000),
        "</group>".repeat(100_000)
    );
    assert_eq!(read(deep.as_bytes()).unwrap().totals(), (1, 1));
    let deep = format!(
        "{{\"files\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    refused(&deep, Some((1, 138)), "deeper than 128");
}

#[test]
fn a_report_that_names_lines_without_end_is_refused() {
    let mut text = String::from("mode: set\n");
    for column in 0..5 {
        text.push_str(&format!("a.go:1.{column},9000000.1 1 1\n"));
    }
    refused(&text, Some((4, 1)), "more than 20000000 lines");
}

/// Places names on paths.
#[track_caller]
fn check(paths: &[&str], sources: &[&str], names: &[&str], expected: &[Option<&str>]) {
    let report = Report {
        form: Form::Lcov,
        files: names
            .iter()
            .map(|name| File {
                path: (*name).into(),
                lines: Vec::new(),
            })
            .collect(),
        sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        statements: None,
    };
    let placed = Places::new(paths.iter().copied()).of(&report, &["/ci/work/r".into()]);
    assert_eq!(placed, expected);
}

#[test]
fn a_file_is_found_below_what_stands_before_or_behind() {
    check(
        &["src/a.py", "a.py"],
        &[],
        &["src/a.py"],
        &[Some("src/a.py")],
    );
    check(
        &["src/a.py", "a.py"],
        &[],
        &["./src/../src/a.py"],
        &[Some("src/a.py")],
    );
    check(
        &["src/a.py", "a.py"],
        &[],
        &["/ci/work/r/a.py"],
        &[Some("a.py")],
    );
    check(
        &["src/a.py", "a.py"],
        &[],
        &["/builds/x/src/a.py"],
        &[Some("src/a.py")],
    );
    check(
        &["src/a.py"],
        &[],
        &["C:\\work\\src\\a.py"],
        &[Some("src/a.py")],
    );
    check(
        &["src/a.py"],
        &[],
        &["file:///work/src/a.py"],
        &[Some("src/a.py")],
    );
    check(
        &["core/src/main/java/com/acme/A.java"],
        &[],
        &["com/acme/A.java"],
        &[Some("core/src/main/java/com/acme/A.java")],
    );
    check(
        &["pkg/a.go"],
        &[],
        &["example.org/shop/pkg/a.go"],
        &[Some("pkg/a.go")],
    );
    check(
        &["lib/pkg/a.py", "pkg/a.py"],
        &["/ci/work/r/lib"],
        &["pkg/a.py"],
        &[Some("lib/pkg/a.py")],
    );
    check(
        &["lib/pkg/a.py"],
        &["/elsewhere/lib"],
        &["pkg/a.py"],
        &[Some("lib/pkg/a.py")],
    );
    check(
        &["a.py"],
        &[],
        &["b.py", "../../etc/passwd", "/etc/passwd", ""],
        &[None, None, None, None],
    );
}

#[test]
fn what_may_be_several_is_what_the_other_files_are_or_nobodys() {
    let paths = [
        "one/src/com/A.java",
        "two/src/com/A.java",
        "two/src/com/B.java",
    ];
    check(&paths, &[], &["com/A.java"], &[None]);
    check(
        &paths,
        &[],
        &["com/A.java", "com/B.java"],
        &[Some("two/src/com/A.java"), Some("two/src/com/B.java")],
    );
}

#[test]
fn ten_thousand_files_that_are_called_alike_are_placed_soon() {
    let paths: Vec<String> = (0..10_000)
        .map(|number| format!("crates/c{number}/src/mod.rs"))
        .collect();
    let names: Vec<String> = paths
        .iter()
        .map(|path| format!("/build/w/{path}"))
        .collect();
    let expected: Vec<Option<&str>> = paths.iter().map(|path| Some(path.as_str())).collect();
    let refs = borrowed;
    check(&refs(&paths), &[], &refs(&names), &expected);
    check(&refs(&paths), &[], &["mod.rs"; 3], &[None, None, None]);
}

fn borrowed(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn a_line_that_one_of_two_reports_executed_was_executed() {
    let places = ["a"];
    let places = Places::new(places.iter().copied());
    let mut coverage = Coverage::default();
    for text in [
        "SF:a\nDA:1,0\nDA:2,1\nend_of_record\n",
        "SF:a\nDA:1,1\nDA:3,0\nend_of_record\nSF:b\nend_of_record\n",
    ] {
        coverage.add(read(text.as_bytes()).unwrap(), &places, &[]);
    }
    let lines = (1..5)
        .map(|line| coverage.line("a", line))
        .collect::<Vec<_>>();
    assert_eq!(lines, [Some(true), Some(true), Some(false), None]);
    assert_eq!(
        (coverage.unplaced, coverage.knows("a"), coverage.knows("b")),
        (1, true, false)
    );
}

/// octocov's own reports; the sums are those that the reports themselves or its tests name.
#[test]
fn reports_of_another_project_come_to_their_own_sums() {
    let Some(corpus) = std::env::var_os("MAESTRO_CORPUS") else {
        eprintln!("skipped: MAESTRO_CORPUS is not set");
        return;
    };
    let folder = std::path::Path::new(&corpus).join("coverage/coverage/testdata");
    let of = |name: &str| read(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let said = [
        ("jacoco/jacocoTestReport.xml", (10_351, 11_219)),
        ("clover/coverage.xml", (9_430, 11_707)),
        ("cobertura/coverage.xml", (7_706, 7_712)),
        ("lcov/lcov.info", (1_147, 1_202)),
        ("simplecov/.resultset2.json", (1_147, 1_202)),
        ("simplecov/.resultset.json", (2_347, 6_043)),
        ("simplecov/.resultset.parallel.json", (2_347, 6_043)),
    ];
    for (name, totals) in said {
        assert_eq!(of(name).totals(), totals, "{name}");
    }
    assert_eq!(of("gocover/coverage.out").statements, Some((1_810, 2_661)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_report_that_is_cut_or_spoilt_is_read_or_refused(which in 0..OWN.len(), cut in 0..1000_usize, at in 0..1000_usize, byte: u8) {
        let (_, bytes) = OWN[which];
        let place = |share: usize| bytes.len() * share / 1000;
        let mut spoilt = bytes.to_vec();
        spoilt[place(at)] = byte;
        let _ = read(&spoilt);
        let _ = read(&spoilt[..place(cut)]);
    }

    #[test]
    fn nothing_makes_a_reader_panic(start in prop::sample::select(vec!["SF:a\n", "mode: set\n", "{", "<report>", "<coverage line-rate='1'>", "{\"files\": "]), rest in "\\PC{0,200}") {
        let _ = read(format!("{start}{rest}").as_bytes());
    }
}
