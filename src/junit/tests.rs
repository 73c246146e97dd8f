//! What the reader makes of every form, well-formed and not.

use proptest::prelude::*;

use super::reader::{ReadError, read_xml};
use super::{Case, Counts, Note, NoteCode, Outcome};

fn read(
    source: impl std::io::Read,
    sink: &mut dyn FnMut(&[String], u64, &Case),
) -> Result<(Counts, Vec<Note>), ReadError> {
    read_xml(source, sink).map(|read| (read.counts, read.notes))
}

/// Reads a report and lays out its cases, one a line: `suites/class/name: attempts message`.
fn lay_out(xml: impl AsRef<[u8]>) -> (String, Counts, Vec<(NoteCode, u64)>) {
    let mut lines = Vec::new();
    let read = read(xml.as_ref(), &mut |suites, _, case| {
        let attempts: String = case
            .attempts
            .iter()
            .map(|outcome| outcome.letter())
            .collect();
        let line = format!(
            "{}/{}/{}: {attempts} {}",
            suites.join(">"),
            case.class,
            case.name,
            case.message
        );
        lines.push(line.trim_end().to_owned());
    });
    let (counts, notes) = read.unwrap();
    let notes = notes
        .into_iter()
        .map(|note| (note.code, note.offset))
        .collect();
    (lines.join("\n"), counts, notes)
}

#[track_caller]
fn check(xml: impl AsRef<[u8]>, cases: &str) {
    let (lines, _, notes) = lay_out(xml);
    assert_eq!(lines, cases);
    assert_eq!(notes, []);
}

#[track_caller]
fn recovers(xml: impl AsRef<[u8]>, cases: &str, wanted: &[(NoteCode, u64)]) {
    let (lines, _, notes) = lay_out(xml);
    assert_eq!(lines, cases);
    assert_eq!(notes, wanted);
}

#[test]
fn nested_suites_become_a_path() {
    check(
        r#"<testsuites name="all"><testsuite name="a"><testsuite name="b"><testcase classname="c" name="t"/></testsuite></testsuite></testsuites>"#,
        "a>b/c/t: p",
    );
}

#[test]
fn a_bare_suite_and_a_bare_case_are_reports() {
    check(
        r#"<testsuite name="s"><testcase name="t"/></testsuite>"#,
        "s//t: p",
    );
    check(r#"<testcase name="t"/>"#, "//t: p");
}

#[test]
fn a_namespace_prefix_changes_nothing() {
    check(
        r#"<j:testsuite xmlns:j="x" name="s"><j:testcase name="t"><j:failure message="m"/></j:testcase></j:testsuite>"#,
        "s//t: f m",
    );
}

#[test]
fn an_error_wins_over_a_failure_and_a_failure_over_a_skip() {
    check(
        r#"<testsuite><testcase name="t"><skipped/><failure message="f"/><error message="e"/></testcase></testsuite>"#,
        "//t: e f",
    );
    check(
        r#"<testsuite><testcase name="t"><failure message="f"/><skipped/></testcase></testsuite>"#,
        "//t: f f",
    );
}

#[test]
fn several_failures_are_one_execution() {
    // GoogleTest writes one for each expectation that failed.
    check(
        r#"<testsuite><testcase name="t"><failure message="a"/><failure message="b"/></testcase></testsuite>"#,
        "//t: f a",
    );
}

#[test]
fn flaky_children_are_attempts_before_a_pass() {
    check(
        r#"<testsuite><testcase name="t"><flakyFailure message="a"/><flakyError message="b"/></testcase></testsuite>"#,
        "//t: fep a",
    );
}

#[test]
fn a_flake_that_the_runner_was_told_to_fail_is_failed_and_still_a_pass_on_retry() {
    let xml = r#"<testsuite><testcase name="t"><failure message="flaky"/><flakyFailure message="a"/></testcase></testsuite>"#;
    let (lines, counts, _) = lay_out(xml);
    assert_eq!(lines, "//t: fp flaky");
    assert_eq!((counts.failed, counts.passed), (1, 0));
}

#[test]
fn rerun_children_are_further_failed_attempts() {
    check(
        r#"<testsuite><testcase name="t"><failure message="a"/><rerunFailure message="b"/><rerunError message="c"/></testcase></testsuite>"#,
        "//t: ffe a",
    );
    recovers(
        r#"<testsuite><testcase name="t"><rerunFailure message="b"/></testcase></testsuite>"#,
        "//t: f b",
        &[(NoteCode::RerunWithoutFailure, 11)],
    );
}

#[test]
fn a_word_may_say_that_a_case_did_not_run() {
    for word in ["notrun", "SKIPPED", "suppressed", "Ignored", "pending"] {
        check(
            format!(r#"<testsuite><testcase name="t" status="run" result="{word}"/></testsuite>"#),
            "//t:",
        );
    }
}

#[test]
fn disabled_counts_as_passed_and_is_no_execution() {
    let (lines, counts, _) =
        lay_out(r#"<testsuite><testcase name="t" status="disabled"/></testsuite>"#);
    assert_eq!(lines, "//t:");
    assert_eq!(
        (
            counts.passed,
            counts.disabled,
            counts.skipped,
            counts.attempts
        ),
        (1, 1, 0, 0)
    );
}

#[test]
fn text_and_cdata_and_references_make_the_message() {
    check(
        r#"<testsuite><testcase name="t"><failure message="a &lt; b"><![CDATA[x <y>]]> &amp;&#65;<system-out>no</system-out></failure><system-err>no</system-err></testcase></testsuite>"#,
        "//t: f a < b\nx <y> &A",
    );
}

#[test]
fn a_stack_trace_of_a_retry_belongs_to_the_message() {
    check(
        r#"<testsuite><testcase name="t"><flakyFailure message="m"><stackTrace>at x</stackTrace></flakyFailure></testcase></testsuite>"#,
        "//t: fp m\nat x",
    );
}

#[test]
fn white_space_in_attributes_is_normalised() {
    check(
        "<testsuite><testcase name=\"a\r\n\tb&#10;c\"/></testsuite>",
        "//a  b\nc: p",
    );
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    check(
        "\u{feff}<?xml version=\"1.0\"?><testsuite><testcase name=\"t\"/></testsuite>",
        "//t: p",
    );
}

#[test]
fn offsets_count_a_byte_order_mark() {
    recovers(
        "\u{feff}<testsuite></x><testcase name=\"t\"/></testsuite>",
        "//t: p",
        &[(NoteCode::UnmatchedEnd, 14)],
    );
}

#[test]
fn half_a_word_at_the_end_of_a_cut_message_goes() {
    let words = "word ".repeat(819);
    let (lines, _, _) = lay_out(format!(
        "<testsuite><testcase name=\"t\"><failure>{words}ghp_0123456789</failure></testcase></testsuite>"
    ));
    assert!(
        lines.ends_with("word") && !lines.contains("ghp"),
        "{}",
        &lines[lines.len() - 20..]
    );
}

#[test]
fn utf_16_is_converted() {
    let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?><testsuite><testcase name=\"ü\"/></testsuite>";
    let little: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = xml.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        recovers(bytes, "//ü: p", &[(NoteCode::OtherEncoding, 0)]);
    }
}

#[test]
fn a_declared_encoding_is_converted_and_an_unknown_one_noted() {
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='\xfc'/></testsuite>";
    recovers(latin, "//ü: p", &[(NoteCode::OtherEncoding, 0)]);
    let odd =
        "<?xml version=\"1.0\" encoding=\"klingon\"?><testsuite><testcase name=\"t\"/></testsuite>";
    recovers(odd, "//t: p", &[(NoteCode::UnknownEncoding, 0)]);
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced() {
    recovers(
        b"<testsuite><testcase name='a\xff'/></testsuite>",
        "//a\u{fffd}: p",
        &[(NoteCode::BadUtf8, 11)],
    );
}

#[test]
fn raw_markup_in_an_attribute_is_taken_as_it_stands() {
    recovers(
        r#"<testsuite><testcase name="a <b> c"/><testcase name="d"/></testsuite>"#,
        "//a <b> c: p\n//d: p",
        &[(NoteCode::RawMarkup, 11)],
    );
}

#[test]
fn a_missing_quote_does_not_swallow_the_next_case() {
    recovers(
        "<testsuite>\n<testcase name=\"a>\n<failure message=\"m\"/></testcase>\n<testcase name=\"b\"/></testsuite>",
        "//a: f m\n//b: p",
        &[(NoteCode::UnclosedQuote, 12)],
    );
    recovers(
        "<testsuite><testcase name=\"a/>\n<testcase name='b'/></testsuite>",
        "//a: p\n//b: p",
        &[(NoteCode::UnclosedQuote, 11)],
    );
}

#[test]
fn an_open_cdata_section_does_not_swallow_the_next_case() {
    recovers(
        "<testsuite><testcase name=\"a\"><failure><![CDATA[x</failure></testcase><testcase name=\"b\"/></testsuite>",
        "//a: f x\n//b: p",
        &[(NoteCode::UnclosedCdata, 39)],
    );
}

#[test]
fn an_open_comment_does_not_swallow_the_next_case() {
    recovers(
        "<testsuite><!-- x <testcase name=\"b\"/></testsuite>",
        "//b: p",
        &[(NoteCode::UnclosedComment, 11)],
    );
}

#[test]
fn a_cut_file_keeps_what_it_shows() {
    let whole = "<testsuite><testcase name=\"a\"/><testcase name=\"b\"><failure message=\"m\">text";
    recovers(
        whole,
        "//a: p\n//b: f m\ntext",
        &[(NoteCode::Truncated, whole.len() as u64)],
    );
    recovers(
        &whole[..whole.len() - 12],
        "//a: p\n//b: f",
        &[(NoteCode::Truncated, 50)],
    );
    recovers(&whole[..45], "//a: p", &[(NoteCode::Truncated, 31)]);
}

#[test]
fn text_before_the_root_is_passed_over() {
    recovers(
        "   Compiling x v0.1\nrunning\n<testsuite><testcase name=\"t\"/></testsuite>",
        "//t: p",
        &[(NoteCode::TextBeforeRoot, 0)],
    );
}

#[test]
fn several_documents_are_all_read() {
    let one = "<?xml version=\"1.0\"?><testsuites><testsuite name=\"s\"><testcase name=\"t\"/></testsuite></testsuites>";
    recovers(
        format!("{one}\n{one}"),
        "s//t: p\ns//t: p",
        &[(NoteCode::SeveralDocuments, one.len() as u64 + 22)],
    );
}

#[test]
fn end_tags_that_match_nothing_are_passed_over() {
    recovers(
        "<testsuite></x><testcase name=\"t\"></testsuite>",
        "//t: p",
        &[
            (NoteCode::UnmatchedEnd, 11),
            (NoteCode::UnclosedElement, 34),
        ],
    );
}

#[test]
fn a_case_inside_a_case_counts_too() {
    let (lines, counts, notes) =
        lay_out("<testsuite><testcase name=\"a\"><testcase name=\"b\"/></testcase></testsuite>");
    assert_eq!(lines, "//a: p\n//b: p");
    assert_eq!(counts.cases, 2);
    assert_eq!(notes[0].0, NoteCode::NestedCase);
}

#[test]
fn an_error_outside_every_case_is_a_note() {
    let (_, counts, notes) = lay_out("<testsuite name=\"s\"><error message=\"boom\"/></testsuite>");
    assert_eq!(counts.cases, 0);
    assert_eq!(notes, [(NoteCode::SuiteError, 20)]);
}

#[test]
fn long_names_are_cut_and_stay_apart() {
    let (a, b) = ("x".repeat(9000) + "a", "x".repeat(9000) + "b");
    let (lines, _, notes) = lay_out(format!(
        "<testsuite><testcase name=\"{a}\"/><testcase name=\"{b}\"/></testsuite>"
    ));
    let names: Vec<&str> = lines.lines().collect();
    assert_ne!(names[0], names[1]);
    assert!(names[0].len() < 4200);
    assert_eq!(notes.len(), 2);
}

#[test]
fn the_number_of_notes_is_bounded() {
    let xml = format!("<testsuite>{}</testsuite>", "</x>".repeat(10_000));
    let (_, _, notes) = lay_out(xml);
    assert_eq!(notes.len(), 101);
    assert_eq!(notes[100].0, NoteCode::MoreNotes);
}

/// A stream that gives its bytes in pieces of a given size.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        Just("ü✓\"<&>'\u{1f980}".to_owned()),
        "[ -~]{1,12}"
    ]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_well_is_read_back_whole(cases in prop::collection::vec((word(), word(), 0..4_u8, word()), 0..20)) {
        let mut xml = String::from("<testsuites><testsuite name=\"s\">");
        let mut wanted = Vec::new();
        for (class, name, status, message) in &cases {
            let (child, letter) = match status {
                0 => (String::new(), "p"),
                1 => (format!("<failure message=\"{}\"/>", escaped(message)), "f"),
                2 => (format!("<error message=\"{}\"/>", escaped(message)), "e"),
                _ => ("<skipped/>".to_owned(), ""),
            };
            xml.push_str(&format!("<testcase classname=\"{}\" name=\"{}\">{child}</testcase>", escaped(class), escaped(name)));
            let words = if matches!(status, 1 | 2) { message.as_str() } else { "" };
            wanted.push(format!("s/{class}/{name}: {letter} {words}").trim_end().to_owned());
        }
        xml.push_str("</testsuite></testsuites>");
        let (lines, counts, notes) = lay_out(&xml);
        prop_assert_eq!(lines, wanted.join("\n"));
        prop_assert_eq!(counts.cases, cases.len() as u64);
        prop_assert!(notes.is_empty());
    }

    #[test]
    fn the_size_of_the_pieces_changes_nothing(bytes in prop::collection::vec(prop_oneof![
        Just("<testsuite name=\"s\">"), Just("</testsuite>"), Just("<testcase name=\"t\">"), Just("</testcase>"),
        Just("<testcase name='"), Just("<failure"), Just(" message=\"m\"/>"), Just("<![CDATA["), Just("]]>"), Just("<!--"),
        Just("-->"), Just("&amp;"), Just("&"), Just("<"), Just(">"), Just("text"), Just("\""), Just("ü"),
    ], 0..60), size in 1..9_usize) {
        let text = format!("<testsuite>{}", bytes.concat());
        let run = |size: usize| {
            let mut seen = Vec::new();
            let read = read(Pieces(text.as_bytes(), size), &mut |_, _, case| seen.push((case.name.clone(), case.attempts.clone())));
            (seen, read.ok())
        };
        let (seen, read) = run(size);
        prop_assert_eq!((&seen, &read), (&run(1 << 20).0, &run(1 << 20).1));
        if let Some((counts, _)) = read {
            prop_assert_eq!(counts.cases, seen.len() as u64);
            prop_assert_eq!(counts.cases, counts.passed + counts.failed + counts.errored + counts.skipped);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut text = b"<testsuite>".to_vec();
        text.extend(bytes);
        let _answer = read(text.as_slice(), &mut |_, _, case| assert!(case.attempts.iter().all(|outcome| *outcome != Outcome::Skipped)));
    }
}
