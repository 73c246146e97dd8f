//! `maestro dora` and `dora explain`, out of git and out of files.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Maestro;

/// Runs git at a time.
fn git(folder: &Path, at: &str, args: &[&str]) {
    let done = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ada")))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@example.com")))
        .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, at)))
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A repository whose pull requests are merged on the days of January, a day after their first commit, and tagged six hours later.
pub(crate) fn merged(days: &[u32]) -> Maestro {
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", "2026-02-01T00:00:00Z");
    let folder = maestro.path(".");
    let run = |at: &str, args: &[&str]| git(&folder, at, args);
    run(
        "2026-01-01T00:00:00Z",
        &["init", "--quiet", "--initial-branch=main"],
    );
    run(
        "2026-01-01T00:00:00Z",
        &["commit", "--quiet", "--allow-empty", "-m", "Begin"],
    );
    run(
        "2026-01-01T06:00:00Z",
        &["tag", "-a", "v0.0.0", "-m", "v0.0.0"],
    );
    for (number, day) in (1..).zip(days) {
        let at = |day: u32, hour: u32| format!("2026-01-{day:02}T{hour:02}:00:00Z");
        let branch = format!("topic-{number}");
        run(&at(*day - 1, 12), &["switch", "--quiet", "-c", &branch]);
        let file = format!("part{}/{number}.txt", number % 2);
        maestro.file(&file, "x\n");
        run(&at(*day - 1, 12), &["add", "--all"]);
        run(
            &at(*day - 1, 12),
            &["commit", "--quiet", "-m", &format!("Change {number}")],
        );
        run(&at(*day, 12), &["switch", "--quiet", "main"]);
        let message = format!("Merge pull request #{number} from o/{branch}");
        run(
            &at(*day, 12),
            &["merge", "--quiet", "--no-ff", "-m", &message, &branch],
        );
        let tag = format!("v0.0.{number}");
        run(&at(*day, 18), &["tag", "-a", &tag, "-m", &tag]);
        // It moves along and is not another release.
        run(&at(*day, 18), &["tag", "-f", "v0"]);
    }
    maestro
}

fn metric<'d>(document: &'d Value, id: &str) -> &'d Value {
    let mut metrics = document["metrics"].as_array().unwrap().iter();
    metrics.find(|metric| metric["id"] == id).unwrap()
}

#[test]
fn git_alone_tells_merges_and_tags_and_says_that_it_is_a_fallback() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    let document = maestro.json(&["dora", "--source", "git"]);
    let lead = metric(&document, "lead-time-deploy");
    assert_eq!(lead["duration"]["n"], 5);
    assert_eq!(lead["duration"]["median"], 30.0 * 3600.0);
    assert_eq!(
        metric(&document, "lead-time-merge")["duration"]["median"],
        24.0 * 3600.0
    );
    assert_eq!(
        metric(&document, "merge-to-deploy")["duration"]["p90"],
        6.0 * 3600.0
    );
    assert_eq!(
        metric(&document, "deployment-frequency")["frequency"]["deployments"],
        6
    );
    assert_eq!(
        (&document["source"], &document["rows_from"]),
        (&json!("tags"), &json!("git"))
    );
    assert!(
        document["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("git alone")
    );
    for row in document["rows"].as_array().unwrap() {
        let left: u64 = row["left_out"]
            .as_array()
            .unwrap()
            .iter()
            .map(|left| left["rows"].as_u64().unwrap())
            .sum();
        let all = row["counted"].as_u64().unwrap() + row["context"].as_u64().unwrap() + left;
        assert_eq!(row["rows"], all, "{row}");
    }
    // Without a forge nothing else is asked: the same without the flag.
    let same = maestro.json(&["dora"]);
    assert_eq!(same["metrics"], document["metrics"]);
}

#[test]
fn the_window_the_path_and_the_zone_of_the_work_are_asked_for() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    let of = |args: &[&str]| maestro.json(&[&["dora", "--source", "git"], args].concat());
    let week = of(&["--since", "2026-01-06", "--until", "2026-01-10"]);
    assert_eq!(metric(&week, "lead-time-deploy")["duration"]["n"], 2);
    assert_eq!(
        metric(&week, "lead-time-deploy")["verdict"],
        "not enough data"
    );
    assert_eq!(
        metric(&of(&["--path", "part0"]), "lead-time-deploy")["counted"],
        2
    );
    assert_eq!(
        metric(&of(&["--path", "part"]), "lead-time-deploy")["counted"],
        0
    );
    let by = of(&["--by", "path"]);
    let names: Vec<&str> = by["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["part1", "part0"]);
    // From noon of one day to 18:00 of the next: five hours of the first and eight of the second, where both are days of work.
    let worked = of(&["--business-hours", "UTC,Mon-Sun,9-17"]);
    assert_eq!(
        metric(&worked, "lead-time-deploy")["business"]["median"],
        13.0 * 3600.0
    );
    let east = of(&["--business-hours", "+03:00,Mon-Sun,9-17"]);
    assert_eq!(
        metric(&east, "lead-time-deploy")["business"]["median"],
        10.0 * 3600.0
    );
}

#[test]
fn another_definition_prints_what_it_does_otherwise() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    let run = maestro
        .run(["dora", "--source", "git", "--definition", "fourkeys"])
        .success();
    assert!(
        run.stdout.contains("What fourkeys does otherwise"),
        "{}",
        run.stdout
    );
    let document = maestro.json(&["dora", "--source", "git", "--definition", "fourkeys"]);
    // Each release brought the merge and the commit before it: 6 and 30 hours.
    assert_eq!(
        metric(&document, "lead-time-deploy")["duration"]["median"],
        6.0 * 3600.0
    );
    assert_eq!(metric(&document, "rework-rate")["verdict"], "not defined");
    let differences = document["differences"].as_array().unwrap();
    assert_eq!(differences[0]["dora2025"], "30 h");
}

#[test]
fn every_number_opens_its_rows() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    let document = maestro.json(&["dora", "explain", "lead-time-deploy", "--source", "git"]);
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    let first = &rows[0];
    assert_eq!(
        (&first["id"], &first["from"], &first["to"]),
        (
            &json!("1"),
            &json!("2026-01-04T12:00:00Z"),
            &json!("2026-01-05T18:00:00Z")
        )
    );
    assert_eq!(first["linked"][0]["id"], "v0.0.1");
    assert_eq!(first["remarks"], json!(["by-author-date"]));
    let lines = maestro
        .run([
            "dora",
            "explain",
            "deployment-frequency",
            "--source",
            "git",
            "--format",
            "ndjson",
        ])
        .success();
    let lines: Vec<Value> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 7);
    let moved = lines.iter().find(|line| line["id"] == "v0").unwrap();
    assert_eq!(
        (&moved["schema"], &moved["reason"]),
        (&json!("maestro.dora-row/v1"), &json!("same-commit"))
    );
    let metrics = maestro
        .run(["dora", "--source", "git", "--format", "ndjson"])
        .success();
    assert_eq!(metrics.stdout.lines().count(), 8);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let maestro = merged(&[5]);
    for (args, code, words) in [
        (
            &["dora", "explain", "lead-time"][..],
            66,
            "did you mean `lead-time-merge`?",
        ),
        (&["dora", "--since", "soon"], 2, "which is no time"),
        (
            &["dora", "--since", "2026-01-05", "--until", "2026-01-05"],
            2,
            "which is not before",
        ),
        (
            &["dora", "--business-hours", "Mars/Base,Mon-Fri,9-17"],
            2,
            "knows no zone",
        ),
        (
            &["dora", "--business-hours", "../etc/passwd,Mon-Fri,9-17"],
            2,
            "is no zone",
        ),
        (
            &["dora", "--business-hours", "UTC,Mon-Fri"],
            2,
            "no time of a day",
        ),
        (&["dora", "--rows", "nowhere.ndjson"], 66, "cannot read"),
    ] {
        let run = maestro.run(args);
        assert_eq!(run.code, code, "{args:?} {}", run.stderr);
        assert!(run.stderr.contains(words), "{args:?} {}", run.stderr);
    }
    maestro.file("bad.ndjson", "{\"kind\":\"tag\",\"name\":\"v1\",\"at\":\"2026-01-01T00:00:00Z\"}\n\n{\"kind\":\"pull\"}\n");
    let run = maestro.run(["dora", "--rows", "bad.ndjson"]);
    assert_eq!(run.code, 65, "{}", run.stderr);
    assert!(
        run.stderr.contains("line 3 is no row: it has no `created`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_shallow_clone_says_so() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    let from = format!("file://{}", maestro.path(".").display());
    maestro.git(&["clone", "--quiet", "--depth=2", &from, "shallow"]);
    let document = maestro.json(&["dora", "-C", "shallow", "--source", "git"]);
    assert_eq!(document["is_shallow"], true);
    let notes = document["notes"].to_string();
    assert!(notes.contains("this clone is shallow"), "{notes}");
}

#[test]
fn rows_of_a_file_are_all_that_is_known() {
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", "2026-02-01T00:00:00Z");
    let mut lines = String::new();
    for id in 1..=10 {
        let at = format!("2026-01-{id:02}T12:00:00Z");
        let row = json!({ "kind": "deployment", "id": id, "sha": format!("s{id}"), "environment": "production", "created": at, "first_success": at, "status": "success" });
        lines.push_str(&format!("{row}\n"));
    }
    lines.push_str("{\"kind\":\"incident\",\"id\":1,\"opened\":\"2026-01-03T13:00:00Z\",\"closed\":\"2026-01-03T15:00:00Z\"}\n");
    maestro.file("rows.ndjson", &lines);
    let document = maestro.json(&["dora", "--rows", "rows.ndjson"]);
    assert_eq!(metric(&document, "change-fail-rate")["share"]["rate"], 0.1);
    let recovery = metric(&document, "recovery");
    assert_eq!(
        (&recovery["verdict"], &recovery["duration"]["n"]),
        (&json!("not enough data"), &json!(1))
    );
    // The order of lines says nothing, and neither does a line that is there twice.
    let mut turned: Vec<&str> = lines.lines().rev().collect();
    turned.push(turned[0]);
    maestro.file("turned.ndjson", turned.join("\n"));
    let other = maestro.json(&["dora", "--rows", "turned.ndjson"]);
    assert_eq!(
        (&other["metrics"], &other["repeated"]),
        (&document["metrics"], &json!(1))
    );
}

/// The figures of docs/dora-worked-by-hand.md, on the real histories: clones of them lie below `MAESTRO_HISTORIES`, each named as there.
#[test]
fn what_was_worked_out_by_hand_comes_out() {
    let Some(folder) = std::env::var_os("MAESTRO_HISTORIES") else {
        eprintln!(
            "skipped: MAESTRO_HISTORIES names no folder with octocov, octocrab and sticky-pull-request-comment"
        );
        return;
    };
    let page =
        std::fs::read_to_string(crate::harness::package().join("docs/dora-worked-by-hand.md"))
            .unwrap();
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", "2026-08-07T00:00:00Z");
    let mut checked = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, repository, since, until, more, id, field, value] = cells[..] else {
            continue;
        };
        if number.parse::<u32>().is_err() {
            continue;
        }
        let path = Path::new(&folder).join(repository);
        let mut args = vec![
            "dora",
            "-C",
            path.to_str().unwrap(),
            "--source",
            "git",
            "--since",
            since,
            "--until",
            until,
        ];
        args.extend(more.trim_matches('`').split_whitespace());
        let document = maestro.json(&args);
        let found = metric(&document, id.trim_matches('`'));
        let found = field
            .trim_matches('`')
            .split('.')
            .fold(found, |value, name| &value[name]);
        let wanted: Value = serde_json::from_str(value.trim_matches('`')).unwrap();
        assert_eq!(found.as_f64(), wanted.as_f64(), "{line}");
        assert_eq!(found.is_string(), wanted.is_string(), "{line}");
        if wanted.is_string() {
            assert_eq!(*found, wanted, "{line}");
        }
        checked += 1;
    }
    assert_eq!(checked, 12);
}

/// Rows of so many people, each with so many merged pull requests.
fn people(count: u64, each: u64) -> String {
    let mut lines = String::new();
    for number in 1..=count * each {
        let day = 1 + number % 28;
        let row = json!({
            "kind": "pull", "number": number, "url": format!("https://x/pull/{number}"), "state": "merged", "base": "main", "merge_sha": format!("{number:040}"),
            "author_hash": format!("hash-{}", number % count), "created": format!("2026-01-{day:02}T08:00:00Z"),
            "first_commit": format!("2026-01-{day:02}T07:00:00Z"), "first_review": format!("2026-01-{day:02}T09:30:00Z"),
            "merged": format!("2026-01-{day:02}T12:00:00Z"),
        });
        lines.push_str(&format!("{row}\n"));
    }
    lines
}

#[test]
fn space_tells_of_teams_and_never_of_people() {
    let maestro = Maestro::in_folder().env("MAESTRO_NOW", "2026-02-01T00:00:00Z");
    maestro.file("rows.ndjson", people(6, 5));
    let space = |format: &str| {
        maestro
            .run(["dora", "space", "--rows", "rows.ndjson", "--format", format])
            .success()
            .stdout
    };
    let found: Value = serde_json::from_str(&space("json")).unwrap();
    assert_eq!(found["people"], 6);
    let measures = found["measures"].as_array().unwrap();
    let wait = measures
        .iter()
        .find(|row| row["name"] == "until the first review")
        .unwrap();
    assert_eq!((&wait["value"], &wait["n"]), (&json!(5400.0), &json!(30)));
    let dimensions = measures.iter().filter(|row| !row["value"].is_null());
    let dimensions: std::collections::BTreeSet<_> = dimensions
        .map(|row| row["dimension"].as_str().unwrap())
        .collect();
    assert!(dimensions.len() >= 3, "{dimensions:?}");
    let said = space("human");
    assert!(
        said.contains("1.5 h") && said.contains("ask the people"),
        "{said}"
    );
    for text in [space("json"), said] {
        assert!(!text.contains("hash-"), "{text}");
    }
    // One person less than five, and nothing is said, not even how many they are.
    maestro.file("rows.ndjson", people(4, 9));
    let found: Value = serde_json::from_str(&space("json")).unwrap();
    assert_eq!(
        (&found["people"], &found["measures"]),
        (&json!(null), &json!([]))
    );
    assert!(space("human").contains("fewer than 5 people"));
}
