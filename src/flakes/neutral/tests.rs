//! Lines of results from anywhere: what is one, which run it is of, and what becomes of the others.

use super::*;

fn file(text: &str) -> NeutralFile {
    read(text.as_bytes(), &str::to_uppercase).unwrap()
}

fn line(run: &str, test: &str, status: &str, more: &str) -> String {
    format!("{{\"run\": {run}, \"test\": \"{test}\", \"status\": \"{status}\"{more}}}\n")
}

fn told(file: &NeutralFile) -> Vec<String> {
    let groups = file.groups.iter().flat_map(|group| {
        let origin = &group.origin;
        let place = format!("{}/{}/{}", origin.run, origin.attempt, origin.job);
        let tests = group.tests().into_iter();
        tests.map(move |test| {
            let (suite, name) = file.test(test.test);
            format!("{place}: {suite} {name} {} {}", test.sequence, test.message)
        })
    });
    groups.collect()
}

#[test]
fn lines_of_one_test_in_one_place_are_its_attempts() {
    let text = [
        line(
            "\"1\"",
            "a",
            "failed",
            ", \"message\": \"no\", \"suite\": \"s\"",
        ),
        line("1", "a", "passed", ", \"suite\": \"s\""),
        line("1", "a", "errored", ", \"suite\": \"t\", \"message\": \"\""),
        line(
            "1",
            "a",
            "passed",
            ", \"suite\": \"s\", \"attempt\": 2, \"message\": \"yes\"",
        ),
        line("1", "a", "skipped", ", \"suite\": \"s\", \"job\": \"j\""),
        line(
            "1",
            "a",
            "failed",
            ", \"suite\": \"s\", \"message\": \"again\"",
        ),
    ];
    let file = file(&text.concat());
    assert_eq!(
        told(&file),
        [
            "1/1/: s a fpf NO",
            "1/1/: t a e ",
            "1/2/: s a p ",
            "1/1/j: s a s "
        ]
    );
    assert_eq!(file.test_count(), 2);
    let counts = &file.counts;
    assert_eq!((counts.cases, counts.passed, counts.failed), (6, 2, 2));
    assert_eq!(
        (
            counts.errored,
            counts.skipped,
            counts.attempts,
            counts.suites
        ),
        (1, 1, 5, 2)
    );
    assert_eq!((file.groups[0].counts.cases, file.dropped), (4, 0));
}

#[test]
fn words_of_all_runners_are_understood() {
    let letter = |status: &str| outcome(status).map(Outcome::letter);
    for status in ["passed", "PASS", "ok", "Succeeded", "successful"] {
        assert_eq!(letter(status), Some('p'), "{status}");
    }
    for status in ["failed", "Fail", "failure"] {
        assert_eq!(letter(status), Some('f'), "{status}");
    }
    for status in ["error", "timedOut", "crashed", "broken"] {
        assert_eq!(letter(status), Some('e'), "{status}");
    }
    for status in ["skipped", "pending", "todo", "notRun"] {
        assert_eq!(letter(status), Some('s'), "{status}");
    }
    assert_eq!(letter("maybe"), None);
}

#[test]
fn a_group_has_the_earliest_time_and_the_first_commit_that_is_named() {
    let text = [
        line("1", "a", "ok", ", \"at\": \"2026-01-05T09:00:00Z\""),
        line(
            "1",
            "b",
            "ok",
            ", \"at\": \"2026-01-05T08:00:00Z\", \"commit\": \"c\", \"branch\": \"main\"",
        ),
        line(
            "1",
            "c",
            "ok",
            ", \"at\": \"2026-01-05T10:00:00Z\", \"branch\": \"other\"",
        ),
    ];
    let same = file(&text.concat());
    let group = &same.groups[0];
    assert_eq!(
        group.at.map(|at| at.to_string()).as_deref(),
        Some("2026-01-05T08:00:00Z")
    );
    assert_eq!(
        (group.origin.commit.as_str(), group.origin.branch.as_str()),
        ("c", "main")
    );
    assert_eq!(same.notes.len(), 0);
    let mixed = file(&[text.concat(), line("1", "d", "ok", ", \"commit\": \"d\"")].concat());
    assert_eq!(mixed.notes.len(), 1);
    assert_eq!(mixed.groups[0].origin.commit, "c");
    assert_ne!(mixed.groups[0].sha(), group.sha());
    assert_eq!(file(&text.concat()).groups[0].sha(), group.sha());
}

#[test]
fn times_of_attempts_are_kept_and_what_is_no_number_is_none() {
    let text = [
        line("1", "a", "failed", ", \"duration_ms\": 12"),
        line("1", "a", "passed", ", \"duration_ms\": 30.5"),
        line("1", "b", "passed", ", \"duration_ms\": \"long\""),
    ];
    let file = file(&text.concat());
    let times: Vec<Time> = file.groups[0]
        .tests()
        .iter()
        .map(|test| test.time)
        .collect();
    assert_eq!(times, [Time::of_milliseconds(30.5), Time::UNKNOWN]);
}

#[test]
fn lines_that_are_none_are_counted_and_said() {
    let good = line("1", "a", "ok", "");
    let bad = [
        line("1", "a", "maybe", ""),
        line("1", "a", "ok", ", \"attempt\": 0"),
        "{\"run\": 1}\n".to_owned(),
        "hello\n".to_owned(),
    ];
    let read = file(&format!("\u{feff}{good}\n  \n{}", bad.concat()));
    assert_eq!(
        (read.dropped, read.groups.len(), read.test_count()),
        (4, 1, 1)
    );
    let nothing = |text: &str| read_of(text).unwrap_err().to_string();
    assert_eq!(nothing(""), "no line of it is a test result: it is empty");
    assert_eq!(
        nothing(&bad[0]),
        "no line of it is a test result: unknown status `maybe`"
    );
    assert_eq!(
        nothing(&bad[1]),
        "no line of it is a test result: attempts count from 1"
    );
    // The first trouble is the one that is named, without its place on the line.
    assert_eq!(
        nothing(&[&bad[2], &bad[0]].map(String::as_str).concat()),
        "no line of it is a test result: missing field `test`"
    );
}

fn read_of(text: &str) -> Result<NeutralFile, NeutralError> {
    read(text.as_bytes(), &str::to_owned)
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let long = line("1", &"x".repeat(17 << 20), "ok", "");
    let length = long.len() as u64;
    let file = file(&[long, line("1", "a", "ok", ""), "bad\n".to_owned()].concat());
    assert_eq!((file.dropped, told(&file).len()), (2, 1));
    let offsets: Vec<u64> = file.notes.iter().map(|note| note.offset).collect();
    assert_eq!(offsets[0], 0);
    let mut source = BufReader::with_capacity(4, &b"123456\n89"[..]);
    assert_eq!(skip_line(&mut source).unwrap(), 7);
    assert_eq!(skip_line(&mut source).unwrap(), 2);
    assert_eq!(skip_line(&mut source).unwrap(), 0);
    assert!(length > LONGEST_LINE);
}

#[test]
fn a_stray_byte_or_half_a_pair_costs_no_failure() {
    let mut bytes = line("1", "a", "failed", ", \"message\": \"x#y\"").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'#').unwrap();
    bytes[at] = 0xff;
    let read = read(&bytes[..], &str::to_owned).unwrap();
    assert_eq!(read.groups[0].tests()[0].message, "x\u{fffd}y");
    assert_eq!((read.notes.len(), read.dropped), (1, 0));
    let mend = without_lone_surrogates;
    assert_eq!(mend(r"a\ud83d\ude00b"), r"a\ud83d\ude00b");
    assert_eq!(mend(r"a\ud83db"), r"a\ufffdb");
    assert_eq!(mend(r"a\ude00b\ud83d"), r"a\ufffdb\ufffd");
    assert_eq!(mend(r"\ud83d\u0041"), r"\ufffd\u0041");
    // An escaped backslash begins no unit.
    assert_eq!(mend(r"\\ud83d"), r"\\ud83d");
    assert_eq!(mend("plain \\"), "plain \\");
    let half = line("1", "a", "failed", ", \"message\": \"x\\ud83d\"");
    assert_eq!(
        read_of(&half).unwrap().groups[0].tests()[0].message,
        "x\u{fffd}"
    );
}

#[test]
fn tests_that_get_one_name_are_one() {
    let text = [
        line(
            "1",
            "a-1",
            "failed",
            ", \"message\": \"one\", \"branch\": \"secret\"",
        ),
        line("1", "a-2", "failed", ", \"message\": \"two\""),
        line("1", "b", "passed", ""),
    ];
    let mut file = file(&text.concat());
    file.rewrite_names(&|name| {
        let name = name.strip_suffix("-1").or(name.strip_suffix("-2"));
        name.map(str::to_owned)
    });
    assert_eq!(told(&file), ["1/1/:  a ff ONE", "1/1/:  b p "]);
    file.rewrite_names(&|name| (name == "secret" || name == "b").then(|| "c".to_owned()));
    assert_eq!(file.groups[0].origin.branch, "c");
    assert_eq!(told(&file), ["1/1/:  a ff ONE", "1/1/:  c p "]);
}

#[test]
fn long_names_are_cut_as_those_of_reports_are() {
    let long = "x".repeat(100_000);
    let mut cut = long.clone();
    bound_name(&mut cut);
    assert_eq!(bounded(&long), cut);
    assert_eq!(bounded("short"), "short");
    assert!(cut.len() < long.len());
}

#[test]
fn many_attempts_are_cut_in_the_middle() {
    let mut text = line("1", "a", "failed", "").repeat(MOST_ATTEMPTS + 50);
    text.push_str(&line("1", "a", "passed", ""));
    let file = file(&text);
    let sequence = file.groups[0].tests()[0].sequence.clone();
    assert_eq!(sequence, format!("{}p", "f".repeat(MOST_ATTEMPTS)));
}
