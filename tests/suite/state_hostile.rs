//! `maestro state ingest` and everything after it, over artifacts that are made to hurt: what is sound in them is taken, the rest
//! is named, and neither memory nor time is theirs.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Maestro;
use crate::state_artifact::{
    Event, ORIGIN, agent_run, assert_inert, digest, entry, ingest, list, reasons, run, sound,
    two_tests, zip,
};

/// Prepares a command that may take so many seconds of a processor, and 300 MB of memory.
fn limited(maestro: &Maestro, seconds: u32, args: &[&str]) -> Command {
    let script = format!("ulimit -t {seconds}; ulimit -v 300000; exec \"$0\" \"$@\"");
    maestro.shell(&script, args)
}

/// Takes in what is hostile, whatever is refused of it; afterwards a report is as good, cheap and quick as before.
#[cfg(target_os = "linux")]
#[track_caller]
fn survives(what: &str, hostile: &str) -> Value {
    let maestro = Maestro::in_repo();
    maestro.file("a", sound() + hostile);
    let mut ingest = limited(&maestro, 10, &["state", "ingest", "a", "--format", "json"]);
    let taken = ingest.output().unwrap();
    let said = String::from_utf8_lossy(&taken.stderr);
    assert!(
        matches!(taken.status.code(), Some(0 | 65)),
        "{what}: {} {said}",
        taken.status
    );
    assert!(
        taken.stdout.len() < 4 << 20,
        "{what}: {} bytes",
        taken.stdout.len()
    );
    let mut report = limited(
        &maestro,
        2,
        &["flakes", "report", "--all", "--format", "json"],
    );
    let report = report.output().unwrap();
    let said = String::from_utf8_lossy(&report.stderr);
    assert_eq!(
        report.status.code(),
        Some(0),
        "{what}: {} {said}",
        report.status
    );
    serde_json::from_slice(&report.stdout).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn many_runs_of_one_place_are_no_work_for_each_other() {
    let (id, _) = two_tests();
    let mut lines = String::new();
    for number in 0_u32..4_000 {
        let files = format!(
            "[\"{}\",\"{}\"]",
            "0".repeat(64),
            digest(&number.to_le_bytes())
        );
        lines += &Event::new(
            "test_run",
            &format!("{{\"files\":{files},\"list\":\"{id}\"}}"),
        )
        .line();
    }
    survives("runs that share a file", &lines);
}

#[cfg(target_os = "linux")]
#[test]
fn control_characters_of_test_names_are_data() {
    let (id, line) = list(
        "{\"suites\":[{\"suite\":\"\\u0000\\n::error::s\",\"tests\":[\"\\u001b[2J\\u0000\"]}]}",
    );
    let hostile = line + &run(&id, "2", "\"leg\":\"{\\n}\",\"differs\":{\"f\":\"07\"},");
    survives("NUL", &hostile);
    let maestro = Maestro::in_repo();
    maestro.file("a", hostile);
    assert_eq!(ingest(&maestro, "a", &[]).0, 0);
    assert_inert(&maestro.run(["flakes", "report", "--all"]).success().stdout);
}

/// Of an artifact of a sound list and run, and this beside them, all but this is taken; this is refused for these reasons.
#[track_caller]
fn refuses(what: &str, hostile: &str, wanted: &[&str]) {
    let maestro = Maestro::in_repo();
    maestro.file("a", sound() + hostile);
    let (code, document) = ingest(&maestro, "a", &ORIGIN);
    let wanted: Vec<String> = wanted
        .iter()
        .map(|reason| format!("artifact/{reason}"))
        .collect();
    assert_eq!(reasons(&document), wanted, "{what}");
    assert_eq!((code, &document["events"]), (65, &2.into()), "{what}");
    assert_eq!(
        maestro.json(&["flakes", "report"])["totals"]["runs"],
        1,
        "{what}"
    );
}

#[test]
fn a_run_that_its_list_cannot_hold_is_refused() {
    let (id, _) = two_tests();
    for (what, fields) in [
        ("a place beyond the list", "\"differs\":{\"f\":\"2f\"},"),
        ("an absent place beyond the list", "\"absent\":[[1,2]],"),
        ("ranges that run over", "\"absent\":[[1,4294967295]],"),
        ("ranges out of order", "\"absent\":[[1,1],[0,1]],"),
        ("an empty range", "\"absent\":[[0,0]],"),
        (
            "two results of one place",
            "\"differs\":{\"e\":\"07\",\"f\":\"07\"},",
        ),
        (
            "a result of an absent place",
            "\"absent\":[[0,1]],\"differs\":{\"f\":\"07\"},",
        ),
        ("a message without a result", "\"messages\":{\"m\":\"07\"},"),
        ("letters of no outcome", "\"differs\":{\"x\":\"07\"},"),
        ("no letter", "\"differs\":{\"\":\"07\"},"),
        ("twins out of order", "\"differs\":{\"p+f\":\"07\"},"),
        (
            "more twins than any test has",
            "\"differs\":{\"f*99999999999\":\"07\"},",
        ),
        (
            "counts that no report has",
            "\"counts\":{\"cases\":9223372036854775808},",
        ),
        ("a leg with an escape", "\"leg\":\"\\u001b[2J\","),
        ("no set", "\"differs\":{\"f\":\"zz\"},"),
    ] {
        refuses(what, &run(&id, "1", fields), &["bad-payload"]);
    }
}

#[test]
fn a_list_that_no_reports_make_is_refused() {
    for (what, payload) in [
        (
            "a test twice",
            "{\"suites\":[{\"suite\":\"s\",\"tests\":[\"a\",\"a\"]}]}",
        ),
        (
            "tests out of order",
            "{\"suites\":[{\"suite\":\"s\",\"tests\":[\"b\",\"a\"]}]}",
        ),
        (
            "durations of other tests",
            "{\"suites\":[{\"durations\":\"abc\",\"suite\":\"s\",\"tests\":[\"a\"]}]}",
        ),
        (
            "an expectation of nothing",
            "{\"suites\":[{\"expected\":{\"7\":\"f\"},\"suite\":\"s\",\"tests\":[\"a\"]}]}",
        ),
        (
            "something left out of nothing",
            "{\"suites\":[],\"without\":[[0,1]]}",
        ),
    ] {
        refuses(what, &list(payload).1, &["bad-payload"]);
    }
    let long = format!(
        "{{\"suites\":[{{\"suite\":\"s\",\"tests\":[\"{}\"]}}]}}",
        "x".repeat(20_000)
    );
    refuses("a name without end", &list(&long).1, &["bad-payload"]);
}

#[test]
fn what_stands_on_nothing_is_refused() {
    let (nothing, (ground, _)) = ("0".repeat(64), two_tests());
    let on = |base: &str, rest: &str| list(&format!("{{\"base\":\"{base}\",\"suites\":[]{rest}}}"));
    let (floating, line) = on(&nothing, ",\"without\":[[0,1]]");
    let (higher, above) = on(&floating, ",\"without\":[[1,1]]");
    let all = line + &above + &run(&higher, "1", "");
    refuses(
        "a list on a list on nothing, and a run of it",
        &all,
        &["no-list"; 3],
    );
    refuses(
        "more left out than there is",
        &on(&ground, ",\"without\":[[0,3]]").1,
        &["bad-payload"],
    );
    refuses(
        "durations of another length",
        &on(&ground, ",\"durations\":\"abc\"").1,
        &["bad-payload"],
    );
}

#[test]
fn a_pile_of_lists_has_an_end() {
    let (mut below, _) = two_tests();
    let mut pile = String::new();
    for number in 0..200 {
        let payload = format!(
            "{{\"base\":\"{below}\",\"suites\":[{{\"suite\":\"s\",\"tests\":[\"t{number:03}\"]}}]}}"
        );
        let (id, line) = list(&payload);
        below = id;
        pile += &line;
    }
    let maestro = Maestro::in_repo();
    maestro.file("a", sound() + &pile + &run(&below, "1", ""));
    let (code, document) = ingest(&maestro, "a", &ORIGIN);
    assert_eq!(code, 65);
    assert!(
        reasons(&document)
            .iter()
            .all(|reason| *reason == "artifact/bad-payload"),
        "{document}"
    );
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 1);
}

/// Returns the set of the first places, written without thought: a one bit would be a gap.
fn first_places(count: usize) -> String {
    format!("0{}", "0".repeat(count / 4))
}

#[cfg(target_os = "linux")]
#[test]
fn millions_of_places_and_ranges_cost_nothing_later() {
    let (id, _) = two_tests();
    let many = first_places(40_000_000);
    survives(
        "a set of forty million places",
        &run(&id, "1", &format!("\"differs\":{{\"f\":\"{many}\"}},")),
    );
    let all = "\"absent\":[[0,4294967295]],";
    let runs: String = (0..2_000)
        .map(|number| run(&id, "1", &format!("{all}\"x\":{number},")))
        .collect();
    survives("four billion absent places, two thousand times", &runs);
    let ranges: Vec<String> = (0..400_000)
        .map(|place| format!("[{},1]", place * 2))
        .collect();
    survives(
        "four hundred thousand ranges",
        &run(&id, "1", &format!("\"absent\":[{}],", ranges.join(","))),
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_million_refusals_are_counted_not_listed() {
    let lines = "\n".repeat(1_000_000);
    survives("a million empty lines", &lines);
    let maestro = Maestro::in_repo();
    maestro.file("a", sound() + &lines);
    let (code, document) = ingest(&maestro, "a", &ORIGIN);
    assert_eq!((code, &document["events"]), (65, &2.into()));
    assert_eq!(document["refused"].as_array().unwrap().len(), 1_000);
    assert!(document["refusals"].as_u64().unwrap() >= 100_000);
    assert_eq!(document["refused_more"]["artifact/given-up"], 1);
}

#[test]
fn what_was_found_is_shown_short_and_inert() {
    let evil = "::error::\u{1b}[2J\u{202e}##[x]";
    let payload = agent_run("\"later\":1");
    let event = Event {
        run: evil,
        ..Event::new("agent_run", &payload)
    };
    let kind = format!(
        "{{\"schema\":\"maestro.event/v1\",\"kind\":{},\"id\":\"\"}}\n",
        json!(evil)
    );
    let header = format!(
        "{{\"schema\":\"maestro.pack/v1\",\"repository\":{},\"events\":0,\"sha256\":\"\"}}\n",
        json!(evil.repeat(100))
    );
    let name = format!("{evil}.ndjson");
    let archive = zip(&[
        entry("a.ndjson", event.line()),
        entry("b.ndjson", kind),
        entry("c.ndjson", header),
        entry(&name, sound()),
        entry("../x.ndjson", ""),
    ]);
    for format in ["human", "markdown", "github", "ndjson", "json"] {
        let maestro = Maestro::in_repo().env("GITHUB_ACTIONS", "true");
        maestro.file("a.zip", &archive);
        let run = maestro.run(
            [
                &["state", "ingest", "a.zip", "--format", format],
                &ORIGIN[..],
            ]
            .concat(),
        );
        assert_eq!(run.code, 65, "{format}");
        assert_inert(&run.stdout);
        assert_inert(&run.stderr);
    }
}

#[test]
#[cfg(unix)]
fn a_folder_may_be_named_by_a_link_and_links_in_it_are_refused() {
    let maestro = Maestro::in_repo();
    maestro.file("real/0.ndjson", sound());
    std::os::unix::fs::symlink(maestro.path("real"), maestro.path("link")).unwrap();
    let (code, document) = ingest(&maestro, "link", &ORIGIN);
    assert_eq!((code, &document["events"]), (0, &2.into()), "{document}");
    std::os::unix::fs::symlink("/etc/passwd", maestro.path("real/1.ndjson")).unwrap();
    assert_eq!(
        reasons(&ingest(&maestro, "link", &ORIGIN).1),
        ["artifact/link"]
    );
}

#[test]
fn a_pack_brings_the_lists_that_were_fetched() {
    let team = crate::harness::Team::new(&["b"]);
    team.publish("a", "1");
    team.prints("b pull", "1 commit to be folded");
    // The same tests as those of the list that `b` fetched, so that it stores a run alone.
    let again = [
        "-C",
        "b",
        "flakes",
        "ingest",
        "--run",
        "2",
        &team.path("1.xml").to_string_lossy(),
    ]
    .map(str::to_owned);
    let _ = team.run(again).success();
    let packed = team.path("packed.ndjson").to_string_lossy().into_owned();
    team.prints(&format!("b pack {packed}"), "Packed 2 events");
    let stranger = Maestro::in_repo();
    let (code, document) = ingest(&stranger, &packed, &[]);
    assert_eq!((code, &document["events"]), (0, &2.into()), "{document}");
    assert_eq!(stranger.json(&["flakes", "report"])["totals"]["runs"], 1);
}

#[test]
fn an_old_list_carries_a_run_of_today() {
    let (id, line) = two_tests();
    let old = line.replace("2026-01-05T08:00:00Z", "2023-01-05T08:00:00Z");
    let maestro = Maestro::in_repo();
    maestro.file("a", old + &run(&id, "1", ""));
    assert_eq!(ingest(&maestro, "a", &ORIGIN).0, 0);
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 1);
}

#[test]
fn of_two_copies_the_earlier_counts_whatever_the_files_are_called() {
    let (id, list) = two_tests();
    let late = run(&id, "1", "");
    let early = late.replace("2026-01-05T08:00:00Z", "2026-01-05T07:00:00Z");
    for (first, second) in [(&late, &early), (&early, &late)] {
        let maestro = Maestro::in_repo();
        maestro.file(
            "a.zip",
            zip(&[
                entry("0.ndjson", list.clone() + first),
                entry("1.ndjson", second.as_str()),
            ]),
        );
        let (code, document) = ingest(&maestro, "a.zip", &ORIGIN);
        assert_eq!((code, &document["repeated"]), (0, &1.into()), "{document}");
        let _ = maestro.run(["state", "export", "--out", "out"]).success();
        let rows =
            std::fs::read_to_string(maestro.path("out/kind=test_run/month=2026-01/rows.ndjson"))
                .unwrap();
        assert!(rows.contains("2026-01-05T07:00:00Z"), "{rows}");
    }
}

#[test]
fn two_files_of_one_name_are_not_silent() {
    let (id, list) = two_tests();
    let archive = zip(&[
        entry("0.ndjson", list + &run(&id, "1", "")),
        entry("0.ndjson", run(&id, "1", "\"leg\":\"x\",")),
    ]);
    let maestro = Maestro::in_repo();
    maestro.file("a.zip", archive);
    let (code, document) = ingest(&maestro, "a.zip", &ORIGIN);
    assert_eq!(
        (code, reasons(&document)),
        // The one that is read stands on the list of the other.
        (65, vec!["artifact/unreadable", "artifact/no-list"]),
        "{document}"
    );
}

#[test]
fn one_run_too_large_takes_no_other_with_it() {
    let (id, _) = two_tests();
    let large = run(
        &id,
        "1",
        &format!("\"differs\":{{\"f\":\"{}\"}},", first_places(4_400_000)),
    );
    refuses("too large", &large, &["too-many-results"]);
    let maestro = Maestro::in_repo();
    maestro.file("a", large + &sound());
    assert_eq!(ingest(&maestro, "a", &ORIGIN).1["events"], 2);
}

#[test]
fn a_time_is_written_as_here_and_an_expectation_is_healthy() {
    for at in [
        "2026-01-05T17:00:00+09:00",
        "2026-01-05 08:00:00Z",
        "2026-01-05T08:00:00Z[UTC]",
    ] {
        let payload = agent_run("\"later\":1");
        let event = Event {
            at,
            ..Event::new("agent_run", &payload)
        };
        refuses(at, &event.line(), &["bad-time"]);
    }
    let expects = |letters: &str| {
        list(&format!("{{\"suites\":[{{\"expected\":{{\"0\":\"{letters}\"}},\"suite\":\"s\",\"tests\":[\"x\"]}}]}}")).1
    };
    refuses("a failure", &expects("f"), &["bad-payload"]);
    refuses(
        "four billion twins",
        &expects("p*4294967296"),
        &["bad-payload"],
    );
}

#[test]
fn what_is_stored_here_is_taken_in_elsewhere_whatever_it_is_called() {
    let long = "x".repeat(10_000);
    let maestro = Maestro::in_repo();
    let lines: String = (0..300)
        .map(|_| format!("{{\"run\":\"a\\u001b\\n{long}\",\"job\":\"\\u0085\",\"branch\":\"{long}\",\"suite\":\"{long}\",\"test\":\"{long}t\",\"status\":\"failed\"}}\n"))
        .collect();
    maestro.file("h.ndjson", lines);
    maestro.file(
        "r.xml",
        "<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>",
    );
    let _ = maestro.run(["flakes", "ingest", "h.ndjson"]).success();
    let args = [
        "--run", &long, "--job", "a\tb", "--branch", "\u{85}", "--leg", &long, "--commit", "c",
    ];
    let _ = maestro
        .run([&["flakes", "ingest", "r.xml"], &args[..]].concat())
        .success();
    let _ = maestro.run(["state", "pack", "p"]).success();
    let other = Maestro::in_repo();
    let (code, document) = ingest(&other, &maestro.path("p").to_string_lossy(), &[]);
    assert_eq!((code, &document["events"]), (0, &4.into()), "{document}");
    let totals = |maestro: &Maestro| maestro.json(&["flakes", "report", "--all"])["totals"].clone();
    assert_eq!(totals(&other), totals(&maestro));
}
