//! Every command in every format that `--help` names: one document on standard output and nothing beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use serde_json::Value;

use super::calls::CALLS;
use super::prepared;
use crate::harness::{Maestro, Run, files_below, package};
use crate::sandbox::each;

/// What has one form of its own, whatever `--format` says: completions, manual pages, schemas, a file to load elsewhere.
const RAW: &[&[&str]] = &[
    &["util"],
    &["observe", "alerts", "rules"],
    &["observe", "serve"],
];

/// Returns the formats that the help of a command names.
fn formats(maestro: &Maestro) -> Vec<String> {
    let help = maestro.run(["plan", "--help"]).success().stdout;
    let (_, rest) = help.split_once("--format <FORMAT>").unwrap();
    let (_, rest) = rest.split_once("standard output: ").unwrap();
    let (names, _) = rest.split_once('[').unwrap();
    names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect()
}

/// The published schemas, by the name that a document has in `schema`.
fn schemas() -> BTreeMap<String, jsonschema::Validator> {
    let mut all = BTreeMap::new();
    for path in files_below(&package().join("schemas")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        all.insert(format!("maestro.{name}/v1"), validator);
    }
    all
}

/// What is wrong with a document; nothing when it is what its format says.
fn fault(
    schemas: &BTreeMap<String, jsonschema::Validator>,
    format: &str,
    text: &str,
) -> Option<String> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text);
    match format {
        "json" => {
            let document = match parsed(text) {
                Ok(document) => document,
                Err(error) => return Some(format!("no JSON: {error}")),
            };
            let name = document["schema"].as_str().unwrap_or_default();
            let Some(validator) = schemas.get(name) else {
                return Some(format!("no schema `{name}` is published"));
            };
            let errors = validator.iter_errors(&document);
            let errors: Vec<String> = errors
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            (!errors.is_empty()).then(|| errors.join("; "))
        }
        "ndjson" => text.lines().find_map(|line| match parsed(line) {
            Ok(row) if row["schema"].is_string() => None,
            Ok(_) => Some(format!("a line has no schema: {line}")),
            Err(error) => Some(format!("a line is no JSON: {error}: {line}")),
        }),
        "sarif" => match parsed(text) {
            Ok(log) if log["version"] == "2.1.0" && log["runs"][0]["results"].is_array() => None,
            other => Some(format!("no SARIF: {other:?}")),
        },
        "junit" => {
            let mut reader = quick_xml::Reader::from_str(text);
            let mut names = BTreeSet::new();
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(
                        quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag),
                    ) => {
                        names.insert(tag.name().as_ref().to_vec());
                    }
                    Ok(_) => {}
                    Err(error) => return Some(format!("no XML: {error}")),
                }
            }
            (!names.contains(&b"testsuites"[..])).then(|| "no JUnit".to_owned())
        }
        "github" => text
            .lines()
            .find(|line| !line.starts_with("::"))
            .map(|line| format!("no workflow command: {line}")),
        _ => None,
    }
}

/// What a run on a pipe may not have, whatever it prints.
fn check_streams(call: &[&str], format: &str, run: &Run) {
    let both = format!("{}{}", run.stdout, run.stderr);
    assert!(!both.contains('\u{1b}'), "{call:?} {format}: colour");
    assert!(!both.contains('\r'), "{call:?} {format}: progress");
    assert!(
        !run.stderr.contains("maestro has a bug"),
        "{call:?} {format}: {}",
        run.stderr
    );
}

#[test]
fn every_command_writes_one_document_in_every_format() {
    let prepared = prepared();
    let formats = formats(&prepared);
    assert_eq!(formats.len(), 7, "{formats:?}");
    let schemas = schemas();
    let faults = Mutex::new(Vec::new());
    each(CALLS, |(call, code)| {
        let maestro = prepared.copy();
        let wrong = |told: String| faults.lock().unwrap().push(told);
        for format in &formats {
            let run = maestro.run(["--format", format].iter().chain(*call));
            check_streams(call, format, &run);
            let has_way_out = run.stderr.contains("error: ") && run.stderr.contains("hint: ");
            if run.code != *code || (*code != 0 && !has_way_out) {
                wrong(format!(
                    "{call:?} {format}: exit {}, not {code}: {}",
                    run.code, run.stderr
                ));
            }
            // An error ends a command before it has a document.
            let has_document = *code == 0 || !run.stdout.is_empty();
            if !has_document || RAW.iter().any(|raw| call.starts_with(raw)) {
                continue;
            }
            if let Some(fault) = fault(&schemas, format, &run.stdout) {
                wrong(format!("{call:?} {format}: {fault}"));
            }
        }
        // A pipe is a pipe, whatever CI says of itself.
        let maestro = maestro
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("TERM", "xterm-256color");
        check_streams(call, "human", &maestro.run(*call));
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
