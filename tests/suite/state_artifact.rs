//! `maestro state pack` and `maestro state ingest`: artifacts of jobs that ran anybody's code.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};

use flate2::Crc;
use flate2::read::DeflateEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Maestro, files_below};

/// Where the artifacts say that they are from.
pub(crate) const ORIGIN: [&str; 8] = [
    "--run",
    "1",
    "--attempt",
    "1",
    "--job",
    "j",
    "--repository",
    "o/n",
];

fn hex(digest: impl AsRef<[u8]>) -> String {
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

/// A payload of `agent_run` with as little as it may have, and one member more.
pub(crate) fn agent_run(more: &str) -> String {
    format!(
        "{{\"base\":\"b\",\"outcome\":\"failed\",\"run\":\"r\",\"spent_usd\":\"0\",\"stage\":\"ended\",\"tasks\":[],{more}}}"
    )
}

/// An event as whoever wants to can write it, its identity right.
pub(crate) struct Event<'a> {
    pub(crate) kind: &'a str,
    pub(crate) at: &'a str,
    pub(crate) run: &'a str,
    pub(crate) attempt: u32,
    pub(crate) job: &'a str,
    pub(crate) branch: &'a str,
    /// Fields of a newer writer, with a comma after each.
    pub(crate) later: &'a str,
    pub(crate) payload: &'a str,
}

impl<'a> Event<'a> {
    pub(crate) fn new(kind: &'a str, payload: &'a str) -> Self {
        Self {
            kind,
            at: "2026-01-05T08:00:00Z",
            run: "1",
            attempt: 1,
            job: "j",
            branch: "main",
            later: "",
            payload,
        }
    }

    pub(crate) fn id(&self) -> String {
        let attempt = self.attempt.to_string();
        let mut hash = Sha256::new();
        for part in [
            "maestro.event/v1",
            self.kind,
            self.run,
            &attempt,
            self.job,
            self.payload,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(hash.finalize())
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "{{\"schema\":\"maestro.event/v1\",\"kind\":{},\"id\":\"{}\",\"at\":\"{}\",\"run\":{},\"attempt\":{},\"job\":{},\"commit\":\"c\",\"branch\":{},{}\"payload\":{}}}\n",
            json!(self.kind),
            self.id(),
            self.at,
            json!(self.run),
            self.attempt,
            json!(self.job),
            json!(self.branch),
            self.later,
            self.payload
        )
    }
}

/// A list of tests: its id, and its line.
pub(crate) fn list(payload: &str) -> (String, String) {
    let event = Event {
        run: "",
        attempt: 0,
        job: "",
        ..Event::new("test_list", payload)
    };
    (event.id(), event.line())
}

/// A run of a list, with further fields of its payload.
pub(crate) fn run(list: &str, name: &str, fields: &str) -> String {
    let payload = format!("{{{fields}\"files\":[],\"list\":\"{list}\"}}");
    let event = Event {
        run: name,
        ..Event::new("test_run", &payload)
    };
    event.line()
}

/// The list of two tests that the runs below stand on.
pub(crate) fn two_tests() -> (String, String) {
    list("{\"suites\":[{\"suite\":\"s\",\"tests\":[\"a\",\"b\"]}]}")
}

/// A list and a run of it: two events.
pub(crate) fn sound() -> String {
    let (id, line) = two_tests();
    line + &run(&id, "1", "\"differs\":{\"f\":\"07\"},")
}

pub(crate) struct Entry<'a> {
    name: &'a str,
    content: Vec<u8>,
    mode: u32,
    /// The size that it claims to have.
    size: usize,
    is_deflated: bool,
}

pub(crate) fn entry(name: &str, content: impl Into<Vec<u8>>) -> Entry<'_> {
    let content = content.into();
    Entry {
        name,
        size: content.len(),
        content,
        mode: 0o10_0644,
        is_deflated: false,
    }
}

/// Writes a zip archive by hand, so that it can lie.
pub(crate) fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let mut crc = Crc::new();
        crc.update(&entry.content);
        let mut bytes = entry.content.clone();
        if entry.is_deflated {
            bytes.clear();
            DeflateEncoder::new(&entry.content[..], flate2::Compression::fast())
                .read_to_end(&mut bytes)
                .unwrap();
        }
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let method = if entry.is_deflated { 8 } else { 0 };
        let name_length = u16::try_from(entry.name.len()).unwrap().to_le_bytes();
        let head = [
            &[20, 0, 0, 8, method, 0, 0, 0, 0x21, 0x58][..],
            &crc.sum().to_le_bytes(),
            &number(bytes.len()),
            &number(entry.size),
            &name_length,
            &[0, 0],
        ]
        .concat();
        directory.extend([&b"PK\x01\x02\x14\x03"[..], &head, &[0; 6]].concat());
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(number(archive.len()));
        directory.extend(entry.name.as_bytes());
        archive.extend([b"PK\x03\x04", &head[..], entry.name.as_bytes(), &bytes].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let sizes = [directory.len(), archive.len()].map(|size| u32::try_from(size).unwrap());
    archive.extend(directory);
    archive.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat());
    archive.extend(sizes.into_iter().flat_map(u32::to_le_bytes));
    archive.extend([0, 0]);
    archive
}

/// Takes an artifact in; returns the exit code and the document.
pub(crate) fn ingest(maestro: &Maestro, artifact: &str, args: &[&str]) -> (i32, Value) {
    let command = ["state", "ingest", artifact, "--format", "json"];
    let run = maestro.run(command.iter().chain(args));
    (run.code, serde_json::from_str(&run.stdout).unwrap())
}

/// Returns the reasons of a document, in its order.
pub(crate) fn reasons(document: &Value) -> Vec<&str> {
    let refused = document["refused"].as_array().unwrap().iter();
    refused.map(|row| row["reason"].as_str().unwrap()).collect()
}

/// Takes bytes in: the exit code, how many events were taken, and the reasons.
#[track_caller]
fn check(artifact: impl AsRef<[u8]>, args: &[&str], code: i32, events: u64, wanted: &[&str]) {
    let maestro = Maestro::in_repo();
    maestro.file("artifact", artifact);
    let (answer, document) = ingest(&maestro, "artifact", args);
    assert_eq!(reasons(&document), wanted, "{document}");
    assert_eq!((answer, &document["events"]), (code, &events.into()));
    assert_eq!(stored(&maestro).len() as u64, events);
}

/// Returns every line that is stored.
fn stored(maestro: &Maestro) -> BTreeSet<String> {
    let state = maestro.path(".git/maestro");
    if !state.exists() {
        return BTreeSet::new();
    }
    let mut files = files_below(&state);
    files.retain(|path| path.extension().is_some_and(|end| end == "ndjson"));
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn more_files_than_any_job_leaves_are_not_opened() {
    let names: Vec<String> = (0..2_001).map(|n| format!("{n:04}.ndjson")).collect();
    let mut entries = vec![entry("sound.ndjson", sound())];
    entries.extend(names.iter().map(|name| entry(name, "")));
    check(
        zip(&entries),
        &ORIGIN,
        65,
        2,
        &["artifact/too-many-files"; 2],
    );
}

#[test]
fn more_events_than_any_job_leaves_are_not_taken() {
    let maestro = Maestro::in_repo();
    let mut out = sound();
    for number in 0..200_000 {
        let payload = agent_run(&format!("\"number\":{number}"));
        out.push_str(&Event::new("agent_run", &payload).line());
    }
    maestro.file("a.ndjson", out);
    let (code, document) = ingest(&maestro, "a.ndjson", &["--dry-run"]);
    assert_eq!(reasons(&document), ["artifact/too-many-events"; 2]);
    assert_eq!((code, &document["events"]), (65, &200_000.into()));
}

#[test]
fn a_file_or_line_without_end_costs_nothing_beside_it() {
    for (reason, size) in [("too-long", 97), ("too-many-bytes", 513)] {
        let maestro = Maestro::in_repo();
        maestro.file("a/0.ndjson", sound());
        let mut file = File::create(maestro.path("a/1.ndjson")).unwrap();
        file.set_len(size << 20).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
        file.write_all(b"\n").unwrap();
        let (code, document) = ingest(&maestro, "a", &ORIGIN);
        assert_eq!(reasons(&document), [format!("artifact/{reason}")]);
        assert_eq!((code, &document["events"]), (65, &2.into()));
    }
}

#[test]
fn an_archive_that_lies_or_ends_early_is_unreadable() {
    let sound = || entry("0.ndjson", sound());
    let zeros = |size: usize| Entry {
        is_deflated: true,
        ..entry("bomb.ndjson", vec![b'\n'; size])
    };
    let unreadable = ["artifact/unreadable"];
    // Fifty megabytes that claim to be ten bytes.
    let bomb = Entry {
        size: 10,
        ..zeros(50 << 20)
    };
    check(zip(&[sound(), bomb]), &ORIGIN, 65, 2, &unreadable);
    let whole = zip(&[sound()]);
    for end in [whole.len() - 1, whole.len() / 2, 30, 5] {
        check(&whole[..end], &ORIGIN, 65, 0, &unreadable);
    }
    let mut changed = whole.clone();
    changed[60] ^= 1;
    check(changed, &ORIGIN, 65, 0, &unreadable);
    check(zip(&[]), &ORIGIN, 0, 0, &[]);
    // What claims to be large and is not has nothing to hide.
    let large = Entry {
        size: 4_000_000_000,
        ..zeros(0)
    };
    check(zip(&[sound(), large]), &ORIGIN, 0, 2, &[]);
}

#[test]
fn an_archive_in_an_archive_stays_closed() {
    let inner = zip(&[entry("x.ndjson", sound())]);
    check(zip(&[entry("in.zip", inner.clone())]), &ORIGIN, 0, 0, &[]);
    let renamed = zip(&[entry("0.ndjson", sound()), entry("in.ndjson", inner)]);
    let maestro = Maestro::in_repo();
    maestro.file("a.zip", renamed);
    let (code, document) = ingest(&maestro, "a.zip", &ORIGIN);
    assert_eq!((code, &document["events"]), (65, &2.into()), "{document}");
    assert!(
        reasons(&document)
            .iter()
            .all(|reason| *reason == "artifact/damaged")
    );
}

/// Whether a character acts instead of being seen.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Neither the terminal nor the runner obeys what was printed; the runner skips spaces before `::`, and finds `##[` anywhere.
#[track_caller]
pub(crate) fn assert_inert(text: &str) {
    assert!(!text.chars().any(acts), "{text:?}");
    for line in text.lines().map(str::trim_start) {
        let is_ours = [
            "::warning file=",
            "::warning::and ",
            "::error title=maestro::",
        ];
        let is_ours = is_ours.iter().any(|begin| line.starts_with(begin));
        assert!(!line.starts_with("::") || is_ours, "{text}");
        // A command that it understood is not read a second time, in the older form.
        assert!(!line.contains("##[") || is_ours, "{text}");
    }
}

#[test]
fn no_such_file_is_66_and_names_it_harmlessly() {
    let maestro = Maestro::in_repo();
    let run = maestro
        .run(["state", "ingest", "no\u{1b}[2J.zip"])
        .exits_with(66);
    assert_inert(&run.says("cannot read").stderr);
    assert!(stored(&maestro).is_empty());
}

#[test]
fn what_a_newer_writer_adds_survives_byte_for_byte() {
    let (id, list) = two_tests();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let later = format!("\"later\":1,\"later\":{deep},\"number\":1e400 , ");
    let payload = format!("{{ {later}\"nul\":\"\\u0000\",\"files\":[],\"list\":\"{id}\"}}");
    let event = Event {
        later: &later,
        ..Event::new("test_run", &payload)
    };
    let other = agent_run("\"number\":1e400");
    let maestro = Maestro::in_repo();
    maestro.file(
        "a",
        list.clone() + &event.line() + &Event::new("agent_run", &other).line(),
    );
    assert_eq!(ingest(&maestro, "a", &ORIGIN).0, 0);
    let wanted = [list, event.line(), Event::new("agent_run", &other).line()];
    let wanted = wanted.map(|line| line.trim_end().to_owned());
    for _ in 0..2 {
        assert_eq!(stored(&maestro), BTreeSet::from(wanted.clone()));
        let _ = maestro.run(["state", "fold", "--local"]).success();
    }
    assert_eq!(maestro.json(&["flakes", "report"])["totals"]["runs"], 1);
}

#[test]
fn a_line_that_is_repeated_counts_once() {
    let maestro = Maestro::in_repo();
    let (id, list) = two_tests();
    maestro.file("a", list + &run(&id, "1", "").repeat(20_000));
    let (code, document) = ingest(&maestro, "a", &ORIGIN);
    assert_eq!((code, &document["repeated"]), (0, &19_999.into()));
    assert_eq!(
        (&document["events"], stored(&maestro).len()),
        (&2.into(), 2)
    );
}
