//! Bad input: a clear answer, bounded memory, and never a panic.

use std::fs::{self, File};

use serde_json::Value;

use crate::harness::Maestro;

fn codes(document: &Value) -> Vec<String> {
    let file = &document["files"][0];
    file["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["code"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn check(content: impl AsRef<[u8]>, cases: u64, notes: &[&str]) {
    let maestro = Maestro::in_folder();
    maestro.file("r.xml", content);
    let document = maestro.json(&["flakes", "ingest", "--dry-run", "r.xml"]);
    assert_eq!(document["totals"]["cases"], cases, "{document}");
    assert_eq!(codes(&document), notes);
}

#[test]
fn billion_laughs_do_not_expand() {
    let mut dtd = String::from("<!DOCTYPE t [<!ENTITY a0 \"ha\">");
    for n in 1..30 {
        dtd.push_str(&format!(
            "<!ENTITY a{n} \"&a{0};&a{0};&a{0};&a{0};\">",
            n - 1
        ));
    }
    let xml = format!(
        "<?xml version=\"1.0\"?>{dtd}]><testsuite name=\"s\"><testcase name=\"&a29;\"/></testsuite>"
    );
    check(xml, 1, &["doctype", "unknown-entity"]);
}

#[test]
fn an_external_entity_is_never_fetched() {
    let maestro = Maestro::in_folder();
    maestro.file("secret.txt", "the secret");
    maestro.file("r.xml", "<!DOCTYPE t [<!ENTITY x SYSTEM \"secret.txt\">]><testsuite name=\"s\"><testcase name=\"t\"><failure>&x;</failure></testcase></testsuite>");
    maestro
        .run(["flakes", "ingest", "--dir", "s", "r.xml"])
        .success();
    for file in crate::harness::files_below(&maestro.path("s")) {
        assert!(!fs::read_to_string(file).unwrap().contains("the secret"));
    }
}

#[test]
fn binary_empty_and_foreign_files_are_named_with_their_reason() {
    let maestro = Maestro::in_folder();
    for (content, words) in [
        (&b""[..], "it is empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary data"),
        (b"just words\n", "no XML element"),
        (b"<html></html>", "its root element is `html`"),
        (b"<TestRun xmlns=\"x\"/>", "its root element is `TestRun`"),
        (b"{\"a\": 1}", "no line of it is a test result"),
    ] {
        maestro.file("f.xml", content);
        maestro
            .run(["flakes", "ingest", "--dry-run", "f.xml"])
            .exits_with(65)
            .says(words)
            .says("hint: ");
    }
    maestro
        .run(["flakes", "ingest", "--dry-run", "missing.xml"])
        .exits_with(66)
        .says("hint: ");
}

#[test]
fn two_gigabytes_of_zeros_are_refused_at_once() {
    let maestro = Maestro::in_folder();
    let file = File::create(maestro.path("zeros.xml")).unwrap();
    file.set_len(2 * 1024 * 1024 * 1024).unwrap();
    maestro
        .run(["flakes", "ingest", "--dry-run", "zeros.xml"])
        .exits_with(65)
        .says("binary data");
}

#[test]
fn a_hundred_thousand_levels_still_count_the_case_at_the_bottom() {
    let depth = 150_000;
    let xml = format!(
        "{}<testcase name=\"t\"/>{}",
        "<testsuite>".repeat(depth),
        "</testsuite>".repeat(depth)
    );
    check(xml, 1, &["too-deep"]);
}

#[test]
fn a_huge_attribute_or_text_is_cut_and_the_cases_around_it_are_kept() {
    let huge = "x".repeat(20 * 1024 * 1024);
    let xml = format!(
        "<testsuite><testcase name=\"a\"/><testcase name=\"{huge}\"/><testcase name=\"b\"><failure><![CDATA[{huge}]]></failure></testcase><testcase name=\"c\"/><!--{huge}--><testcase name=\"d\"/></testsuite>"
    );
    check(xml, 5, &["huge-element", "long-value"]);
}

#[test]
fn many_broken_constructs_do_not_make_the_work_quadratic() {
    for piece in ["<![CDATA[", "<!", "<a \"", "<?x", "</a>", "<!--", "<a b='"] {
        let maestro = Maestro::in_folder();
        maestro.file(
            "r.xml",
            format!("<testsuite><testcase name=\"t\"/>{}", piece.repeat(300_000)),
        );
        let begin = std::time::Instant::now();
        let document = maestro.json(&["flakes", "ingest", "--dry-run", "r.xml"]);
        assert_eq!(document["totals"]["cases"], 1);
        assert!(
            begin.elapsed().as_secs() < 30,
            "{piece} took {:?}",
            begin.elapsed()
        );
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_exit_74_and_keeps_the_old_bytes() {
    let maestro = Maestro::in_repo();
    let cases: String = (0..5000)
        .map(|n| format!("<testcase name=\"t{n}\"/>"))
        .collect();
    maestro.file("small.xml", "<testsuite><testcase name=\"t\"/></testsuite>");
    maestro.file(
        "large.xml",
        format!("<testsuite name=\"s\">{cases}</testsuite>"),
    );
    let _ = maestro.run(["flakes", "ingest", "small.xml"]).success();
    // A limit on the size of files stands in for a full disk: the write fails half-way through.
    let output = maestro
        .shell(
            "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"",
            &["flakes", "ingest", "large.xml"],
        )
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{stderr}");
    assert!(
        stderr.contains("cannot write") && stderr.contains("hint: "),
        "{stderr}"
    );
    let _ = maestro.run(["state", "verify"]).success();
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 1);
    let outbox = crate::harness::files_below(&maestro.path(".git/maestro/outbox"));
    assert_eq!(outbox.len(), 1, "a temporary file is left: {outbox:?}");
}

#[cfg(unix)]
#[test]
fn a_report_is_written_through_a_link_and_never_replaces_a_pipe() {
    let maestro = Maestro::in_folder();
    maestro.file("real.json", "old");
    std::os::unix::fs::symlink("real.json", maestro.path("link.json")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(maestro.path("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let reader = std::process::Command::new("cat")
        .arg(maestro.path("pipe"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let _ = maestro
        .run([
            "explain",
            "inputs",
            "--report",
            "json=link.json",
            "--report",
            "json=pipe",
        ])
        .success();
    let through_pipe = reader.wait_with_output().unwrap().stdout;
    assert!(
        fs::symlink_metadata(maestro.path("link.json"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(fs::read(maestro.path("real.json")).unwrap(), through_pipe);
    assert!(
        !fs::symlink_metadata(maestro.path("pipe"))
            .unwrap()
            .is_file()
    );
}

#[test]
fn a_large_report_in_another_encoding_is_read_to_its_end() {
    let cases: String = (0..20_000)
        .map(|n| format!("<testcase name=\"\u{65e5}\u{672c} {n}\"/>"))
        .collect();
    let xml = format!("\u{feff}<testsuite>{cases}</testsuite>");
    let utf16: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(utf16, 20_000, &["other-encoding"]);
    let latin: String = (0..20_000)
        .map(|n| format!("<testcase name=\"\u{fc}{n}\"/>"))
        .collect();
    let latin =
        format!("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite>{latin}</testsuite>");
    let latin: Vec<u8> = latin
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    check(latin, 20_000, &["other-encoding"]);
}

#[test]
fn markup_that_is_whole_and_broken_is_passed_over_at_once() {
    for piece in ["<![x]]>", "<!-x-->", "<!Dx>", "<?>"] {
        let maestro = Maestro::in_folder();
        let many = piece.repeat(700_000);
        maestro.file(
            "r.xml",
            format!("<testsuite>{many}<testcase name=\"last\"/></testsuite>"),
        );
        let begin = std::time::Instant::now();
        let document = maestro.json(&["flakes", "ingest", "--dry-run", "r.xml"]);
        assert_eq!(document["totals"]["cases"], 1, "{piece}");
        assert!(
            begin.elapsed().as_secs() < 20,
            "{piece} took {:?}",
            begin.elapsed()
        );
    }
}
