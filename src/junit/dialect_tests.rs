//! What the readers of other forms than JUnit make of sound, cut and hostile files.

use proptest::prelude::*;

use super::{Counts, Form, NoteCode, Outcome, form, read};

/// Reads a report and lays out its cases, one a line: `suites/class/name: attempts seconds message`.
fn lay_out(report: &[u8]) -> (String, &'static str, Counts, Vec<NoteCode>) {
    let mut lines = Vec::new();
    let form = form(&report[..report.len().min(4096)]);
    let read = read(form, report, "/work/demo", &mut |suites, _, case| {
        let attempts: String = case.attempts.iter().map(|a| a.letter()).collect();
        let seconds = case.seconds.map_or(String::new(), |s| format!(" {s}"));
        let message = case.message.replace('\n', "|");
        let suites = suites.join(">");
        let (class, name) = (&case.class, &case.name);
        let line = format!("{suites}/{class}/{name}: {attempts}{seconds} {message}");
        lines.push(line.trim_end().to_owned());
    });
    let read = read.unwrap();
    let codes = read.notes.iter().map(|note| note.code).collect();
    (lines.join("\n"), read.form, read.counts, codes)
}

#[track_caller]
fn check(form: &str, report: &str, cases: &[&str]) {
    let (lines, found, counts, notes) = lay_out(report.as_bytes());
    assert_eq!(lines.lines().collect::<Vec<_>>(), cases);
    assert_eq!((found, notes), (form, Vec::new()));
    assert_eq!(counts.cases, cases.len() as u64);
}

/// Cuts a report everywhere and flips bytes: nothing panics, and what is there is counted.
#[track_caller]
fn survives(report: &str) {
    for end in 0..report.len() {
        let Ok(read) = read(
            form(report.as_bytes()),
            &report.as_bytes()[..end],
            "",
            &mut |_, _, _| {},
        ) else {
            continue;
        };
        let counts = read.counts;
        let sum = counts.passed + counts.failed + counts.errored + counts.skipped;
        assert_eq!(counts.cases, sum);
    }
    let mut bytes = report.as_bytes().to_vec();
    for at in 0..bytes.len() {
        for byte in [b'"', b'{', b'<', 0, 0xff, b'\n', b'9'] {
            let before = std::mem::replace(&mut bytes[at], byte);
            let _answer = read(form(report.as_bytes()), &bytes[..], "", &mut |_, _, _| {});
            bytes[at] = before;
        }
    }
}

const TRX: &str = r#"<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
<UnitTestResult testId="1" testName="Demo.Math.Adds(a: 1)" outcome="Passed" duration="00:00:01.5"/>
<UnitTestResult testId="2" testName="Divides" outcome="Failed" duration="00:01:00"><Output><StdOut>no</StdOut><ErrorInfo><Message>by zero</Message><StackTrace>at x</StackTrace></ErrorInfo></Output></UnitTestResult>
<UnitTestResult testId="3" testName="Later" outcome="NotExecuted"/>
<UnitTestResult testId="2" testName="Rows"><InnerResults><UnitTestResult testId="2" testName="Rows (1)" outcome="Passed"/></InnerResults></UnitTestResult></Results>
<TestDefinitions><UnitTest id="1" storage="c:\demo.dll"><TestMethod className="Demo.Math" codeBase="C:\x\Demo.dll"/></UnitTest><UnitTest id="2"><TestMethod className="Demo.Math, Demo, Version=1" codeBase="/x/Demo.dll"/></UnitTest></TestDefinitions></TestRun>"#;

const NUNIT_3: &str = r#"<test-run><test-suite type="Assembly" name="D.dll"><test-suite type="TestFixture" name="Math"><test-case name="Adds" classname="D.Math" result="Passed" duration="0.5"/>
<test-case name="Fails" classname="D.Math" result="Failed"><failure><message><![CDATA[no]]></message><stack-trace>at x</stack-trace></failure></test-case>
<test-case name="Breaks" classname="D.Math" result="Failed" label="Error"/><test-case name="Later" classname="D.Math" result="Skipped" label="Ignored"><reason><message>x</message></reason></test-case>
<test-case name="Unsure" classname="D.Math" result="Inconclusive"/></test-suite></test-suite></test-run>"#;

const NUNIT_2: &str = r#"<test-results><test-suite type="Assembly" name="x.dll"><results><test-suite type="Namespace" name="D"><results><test-suite type="TestFixture" name="Math"><results>
<test-case name="D.Math.Adds" executed="True" result="Success" success="True" time="0.5"/><test-case name="D.Math.Fails" executed="True" result="Failure"><failure><message>no</message></failure></test-case>
<test-case name="D.Math.Later" executed="False" result="Ignored"/><test-case name="D.Math.Wrong" executed="False" result="NotRunnable"/></results></test-suite></results></test-suite></results></test-suite></test-results>"#;

const XUNIT: &str = r#"<assemblies><assembly name="/x/D.dll"><collection name="C"><test name="D.Math.Adds" type="D.Math" method="Adds" time="0.5" result="Pass"/>
<test name="D.Math.Fails" type="D.Math" result="Fail"><failure exception-type="E"><message>no</message><stack-trace>at x</stack-trace></failure></test><test name="D.Math.Later" type="D.Math" result="Skip"><reason>x</reason></test></collection></assembly></assemblies>"#;

const CTEST: &str = r#"<Site BuildName="b" Name="n"><Testing><TestList><Test>./a</Test></TestList><Test Status="passed"><Name>a</Name><Results><NamedMeasurement name="Execution Time"><Value>0.5</Value></NamedMeasurement><Measurement><Value>out</Value></Measurement></Results></Test>
<Test Status="failed"><Name>b</Name><Results><NamedMeasurement name="Exit Code"><Value>Timeout</Value></NamedMeasurement><Measurement><Value>out</Value></Measurement></Results></Test><Test Status="notrun"><Name>c</Name></Test></Testing></Site>"#;

const GO: &str = r#"{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"start","Package":"q"}
{"Action":"run","Package":"q","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:5: \u001b[31mno\u001b[0m \ud83e\udd80\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0.5}
{"Action":"pass","Package":"q","Test":"TestA","Elapsed":0}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.25}
{"Action":"run","Package":"p","Test":"TestB/sub"}
{"Action":"skip","Package":"p","Test":"TestB/sub","Elapsed":0}
{"Action":"run","Package":"q","Test":"TestPanics"}
{"Action":"output","Package":"q","Test":"TestPanics","Output":"panic: x\n"}
{"Action":"fail","Package":"q","Elapsed":0.1}
{"Action":"fail","Package":"p","Elapsed":1}
{"ImportPath":"r","Action":"build-output","Output":"r.go:1: undefined\n"}
{"ImportPath":"r","Action":"build-fail"}
{"Action":"start","Package":"r"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r"}
"#;

const LIBTEST: &str = r#"{ "type": "suite", "event": "started", "test_count": 4 }
{ "type": "test", "event": "started", "name": "m::a" }
{ "type": "test", "name": "m::a", "event": "ok", "exec_time": 0.5 }
{ "type": "test", "name": "m::b", "event": "failed", "stdout": "thread panicked\n" }
{ "type": "test", "name": "top", "event": "ignored" }
{ "type": "test", "name": "src/lib.rs - f (line 3)", "event": "ok" }
{ "type": "suite", "event": "failed", "passed": 2 }
"#;

const TAP: &str = "TAP version 14
1..6
ok 1 - plain # time=500ms
not ok 2 - broken
  ---
  message: 'no'
  duration_ms: 250
  ...
ok 3 - later # SKIP not today
not ok 4 - hoped # TODO
# Subtest: outer
    # Subtest: inner
    ok 1 - inner
    not ok 2 - leaf
    1..2
not ok 5 - outer
    # Subtest: perl
    ok 1 - child
    1..1
ok 6 - perl
";

const CTRF: &str = r#"{"reportFormat":"CTRF","results":{"tool":{"name":"x"},"summary":{"tests":5},"tests":[
{"name":"a","status":"passed","duration":500,"suite":"s"},
{"name":"b","status":"failed","duration":1,"suite":["s","t"],"message":"no","trace":"at x","retries":1},
{"name":"c","status":"passed","flaky":true,"filePath":"f.ts"},
{"name":"d","status":"passed","retries":2,"retryAttempts":[{"attempt":1,"status":"failed","message":"m"},{"attempt":2,"status":"failed"}]},
{"name":"d2","status":"passed","retries":1,"retryAttempts":[{"attempt":1,"status":"failed"},{"attempt":2,"status":"passed"}]},
{"name":"e","status":"pending"}]}}"#;

const JEST: &str = r#"{"numTotalTests":3,"testResults":[{"assertionResults":[
{"ancestorTitles":["g"],"title":"a","fullName":"g a","status":"passed","duration":500,"invocations":2},
{"ancestorTitles":[],"title":"b","fullName":"b","status":"failed","failureMessages":["no","more"],"invocations":1},
{"ancestorTitles":["g"],"title":"v","fullName":"g v","status":"passed","meta":{}},
{"ancestorTitles":[],"title":"c","fullName":"c","status":"pending"}],"name":"/work/demo/x.test.js","status":"failed","message":""},
{"assertionResults":[],"name":"/work/demo/y.test.js","status":"failed","message":"cannot load"}]}"#;

const PLAYWRIGHT: &str = r#"{"config":{"configFile":"x","rootDir":"/r"},"suites":[{"title":"a.spec.ts","file":"a.spec.ts","specs":[{"title":"one","tests":[{"expectedStatus":"passed","projectName":"chromium","results":[{"status":"failed","duration":100,"error":{"message":"no"},"retry":0},{"status":"passed","duration":400,"retry":1}],"status":"flaky"},{"expectedStatus":"passed","projectName":"firefox","results":[{"status":"passed","duration":1}],"status":"expected"}]}],
"suites":[{"title":"group","specs":[{"title":"two","tests":[{"expectedStatus":"failed","results":[{"status":"failed","duration":0}],"status":"expected"}]},{"title":"three","tests":[{"expectedStatus":"skipped","results":[{"status":"skipped"}],"status":"skipped"}]}]}]}],"errors":[]}"#;

const ALL: [&str; 11] = [
    TRX, NUNIT_3, NUNIT_2, XUNIT, CTEST, GO, LIBTEST, TAP, CTRF, JEST, PLAYWRIGHT,
];

#[test]
fn trx_results_find_their_classes_behind_them_and_rows_of_data_are_the_executions() {
    check(
        "trx",
        TRX,
        &[
            "Demo.dll/Demo.Math/Adds(a: 1): p 1.5",
            "Demo.dll/Demo.Math/Divides: f 60 by zero|at x",
            "//Later:",
            "Demo.dll/Demo.Math/Rows (1): p",
        ],
    );
}

#[test]
fn nunit_3_names_are_those_of_its_own_conversion() {
    check(
        "nunit3",
        NUNIT_3,
        &[
            "D.dll.Math./D.Math/Adds: p 0.5",
            "D.dll.Math./D.Math/Fails: f no|at x",
            "D.dll.Math./D.Math/Breaks: e",
            "D.dll.Math./D.Math/Later:",
            "D.dll.Math./D.Math/Unsure:",
        ],
    );
}

#[test]
fn nunit_2_classes_are_namespaces_and_fixtures() {
    check(
        "nunit2",
        NUNIT_2,
        &[
            "D.Math/D.Math/Adds: p 0.5",
            "D.Math/D.Math/Fails: f no",
            "D.Math/D.Math/Later:",
            "D.Math/D.Math/Wrong: e",
        ],
    );
}

#[test]
fn xunit_suites_are_collections() {
    check(
        "xunit",
        XUNIT,
        &[
            "C/D.Math/D.Math.Adds: p 0.5",
            "C/D.Math/D.Math.Fails: f no|at x",
            "C/D.Math/D.Math.Later:",
        ],
    );
}

#[test]
fn ctest_says_how_a_test_ended() {
    check(
        "ctest",
        CTEST,
        &["b/a/a: p 0.5", "b/b/b: f Timeout|out", "b/c/c:"],
    );
}

#[test]
fn a_site_without_tests_is_no_report() {
    for root in [
        "<Site><Build/></Site>",
        "<TestRun/>",
        "<assembly><x/></assembly>",
    ] {
        let read = read(Form::Xml, root.as_bytes(), "", &mut |_, _, _| {});
        assert!(read.is_err(), "{root}");
    }
}

#[test]
fn go_runs_of_one_test_are_attempts_and_packages_may_fail_by_themselves() {
    check(
        "go",
        GO,
        &[
            "p/p/TestA: fp 0.75     a_test.go:5: no \u{1f980}",
            "p/p/TestB/sub:  0",
            "q/q/TestA: p 0",
            "q/q/TestPanics: f 0 panic: x",
            "r/r/TestMain: f 0 r.go:1: undefined",
        ],
    );
}

#[test]
fn go_streams_may_hold_what_a_build_said() {
    let text = format!("# s\ns.go:5: undefined: x\n{GO}FAIL\ts [build failed]\nFAIL\n");
    let (lines, form, _, notes) = lay_out(text.as_bytes());
    assert!(lines.ends_with("s/s/TestMain: f 0 s.go:5: undefined: x"));
    assert_eq!((form, notes), ("go", vec![NoteCode::BadLine]));
}

#[test]
fn a_line_that_ends_in_the_middle_costs_no_more_than_itself() {
    let text = GO.replacen(
        "{\"Action\":\"start\",\"Package\":\"q\"}",
        "{\"Action\":\"st",
        1,
    );
    let (lines, _, counts, notes) = lay_out(text.as_bytes());
    assert_eq!((counts.cases, notes), (5, vec![NoteCode::CutLine]));
    assert!(lines.contains("q/q/TestA: p"));
}

#[test]
fn streams_in_utf_16_are_read() {
    let text: Vec<u8> = format!("\u{feff}{GO}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (_, form, counts, notes) = lay_out(&text);
    assert_eq!((form, counts.cases), ("go", 5));
    assert_eq!(notes, [NoteCode::OtherEncoding]);
}

#[test]
fn libtest_names_are_those_of_its_junit() {
    check(
        "libtest",
        LIBTEST,
        &[
            "test/m/a: p 0.5",
            "test/m/b: f thread panicked",
            "test/integration/top:",
            "test/src/lib.rs/f (line 3): p",
        ],
    );
}

#[test]
fn tap_subtests_are_suites() {
    check(
        "tap",
        TAP,
        &[
            "//plain: p 0.5",
            "//broken: f 0.25 message: 'no'|duration_ms",
            "//later:",
            "//hoped:",
            "outer/test/inner: p",
            "outer//leaf: f",
            "perl//child: p",
        ]
        .map(|line| line.trim_end_matches("|duration_ms")),
    );
}

#[test]
fn tap_may_stop_early() {
    let (lines, _, _, notes) = lay_out(b"1..3\nok 1 - a\nBail out! no disk\nok 2 - b\n");
    assert_eq!(
        (lines.as_str(), notes),
        ("//a: p", vec![NoteCode::SuiteError])
    );
    let (lines, _, _, notes) = lay_out(b"1..3\nok 1 - a\n");
    assert_eq!(
        (lines.as_str(), notes),
        ("//a: p", vec![NoteCode::Truncated])
    );
    // A subtest may fail as a whole.
    let (lines, _, _, _) = lay_out(b"TAP version 13\n# Subtest: s\n    ok 1 - a\nnot ok 1 - s\n");
    assert_eq!(lines, "s//a: p\n//s: f");
}

#[test]
fn ctrf_retries_are_attempts() {
    check(
        "ctrf",
        CTRF,
        &[
            "s//a: p 0.5",
            "s>t//b: ff 0.001 no|at x",
            "f.ts//c: fp",
            "//d: ffp m",
            "//d2: fp",
            "//e:",
        ],
    );
}

#[test]
fn jest_invocations_are_attempts_and_a_file_may_fail_as_a_whole() {
    check(
        "jest",
        JEST,
        &[
            "x.test.js//g a: fp 0.5",
            "x.test.js//b: f no",
            "x.test.js//g > v: p",
            "x.test.js//c:",
            "y.test.js//y.test.js: e cannot load",
        ],
    );
}

#[test]
fn playwright_retries_are_attempts_and_an_expected_failure_is_a_pass() {
    check(
        "playwright",
        PLAYWRIGHT,
        &[
            "a.spec.ts//one: fp 0.5 no",
            "a.spec.ts//one: p 0.001",
            "a.spec.ts//group \u{203a} two: p 0",
            "a.spec.ts//group \u{203a} three:  0",
        ],
    );
}

#[test]
fn a_cut_report_keeps_what_it_shows() {
    for report in ALL {
        let (_, _, whole, _) = lay_out(report.as_bytes());
        let (_, _, half, notes) = lay_out(&report.as_bytes()[..report.len() * 9 / 10]);
        assert!(half.cases > 0 && half.cases <= whole.cases, "{report}");
        let is_line = matches!(form(report.as_bytes()), Form::Go | Form::Tap);
        assert!(is_line || notes.contains(&NoteCode::Truncated), "{report}");
    }
}

#[test]
fn nothing_that_is_cut_or_changed_makes_it_panic() {
    for report in ALL {
        survives(report);
    }
}

#[test]
fn deep_nesting_and_huge_values_are_bounded() {
    let deep = [
        format!("<test-run>{}", "<test-suite name='a'>".repeat(200_000)),
        format!("{{\"testResults\":{}", "[".repeat(1_000_000)),
        format!("{{\"testResults\":{}", "{\"a\":".repeat(200_000)),
        format!(
            "TAP version 14\n{}",
            (0..3000)
                .map(|n| " ".repeat(n) + "ok 1 - a\n")
                .collect::<String>()
        ),
    ];
    for report in &deep {
        let (_, _, _, notes) = lay_out(report.as_bytes());
        assert!(notes.contains(&NoteCode::TooDeep));
    }
    let long = "x".repeat(6 * 1024 * 1024);
    for report in [
        format!("<test-run><test-case name=\"{long}\" result=\"Passed\"/></test-run>"),
        format!(
            "{{\"testResults\":[{{\"assertionResults\":[{{\"fullName\":\"{long}\",\"status\":\"passed\"}}]}}]}}"
        ),
        format!("TAP version 14\nok 1 - {long}\n"),
    ] {
        let (lines, _, counts, _) = lay_out(report.as_bytes());
        assert!(counts.cases == 1 && lines.len() < 5000);
    }
}

#[test]
fn values_of_other_types_are_passed_over() {
    let odd = [
        r#"{"testResults":[{"assertionResults":[{"status":7,"fullName":{"a":1},"duration":"x","invocations":-5}]}]}"#,
        r#"{"testResults":[{"assertionResults":[{"status":"passed","fullName":["a"],"invocations":1e300}]}]}"#,
        r#"{"results":{"tests":{"a":[1]},"tool":null}}"#,
        "{\"Action\":\"fail\",\"Package\":5,\"Test\":null}\n{\"Action\":[],\"Package\":\"p\"}\n[1]\n",
        r#"{"config":{"rootDir":1},"suites":{"specs":[{"tests":5}]}}"#,
    ];
    for report in odd {
        lay_out(report.as_bytes());
    }
}

#[test]
fn other_json_is_no_report() {
    for other in [
        r#"{"name":"x","scripts":{"test":"jest"}}"#,
        r#"{"run":"1","test":"a","status":"passed","type":"x","event":"y"}"#,
        "{}",
    ] {
        assert_eq!(form(other.as_bytes()), Form::Neutral, "{other}");
    }
    assert_eq!(form(b"okay then\n"), Form::Xml);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(report in 0..ALL.len(), at in any::<prop::sample::Index>(), other in 0..ALL.len(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let text = ALL[report].as_bytes();
        let at = at.index(text.len());
        let mixed = [&text[..at], &bytes, &ALL[other].as_bytes()[..at.min(ALL[other].len())], &text[at..]].concat();
        let mut seen = 0;
        let read = read(form(text), &mixed[..], "", &mut |_, _, case| {
            seen += 1;
            assert!(case.attempts.iter().all(|outcome| *outcome != Outcome::Skipped));
        });
        if let Ok(read) = read {
            prop_assert_eq!(read.counts.cases, seen);
        }
    }
}
