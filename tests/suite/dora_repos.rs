//! `maestro dora --repos`: rows of many repositories, pooled.

use serde_json::{Value, json};

use crate::dora::merged;
use crate::harness::Maestro;
use crate::state_compat::line;

/// A folder in which nothing is a repository.
fn folder() -> Maestro {
    Maestro::in_folder().env("MAESTRO_NOW", "2026-02-01T00:00:00Z")
}

fn at(day: u64, hour: u64) -> String {
    format!("2026-01-{day:02}T{hour:02}:00:00Z")
}

/// What a state holds of a repository: a deployment at the beginning and, day by day, a pull request of so many hours that is deployed an hour after
/// its merge. Numbers begin with 1 in each of them.
pub(crate) fn state(maestro: &Maestro, path: &str, repository: &str, hours: &[u64]) {
    let mut rows = vec![
        json!({ "kind": "deployment", "id": 1, "sha": "s0", "environment": "production", "created": at(1, 0), "first_success": at(1, 0), "status": "success" }),
    ];
    for (number, hours) in (1_u64..).zip(hours) {
        let (day, sha) = (number + 10, format!("s{number}"));
        let begun = at(day, 20 - hours);
        rows.push(json!({
            "kind": "pull", "number": number, "state": "merged", "created": begun, "first_commit": begun, "merged": at(day, 20), "merge_sha": sha,
            "base": "main", "author_kind": "human",
        }));
        rows.push(json!({ "kind": "deployment", "id": number + 1, "sha": sha, "environment": "production", "created": at(day, 21), "first_success": at(day, 21), "status": "success" }));
    }
    let lines = rows.into_iter().map(|row| {
        let payload = json!({ "as_of": at(30, 0), "repository": repository, "row": row });
        line("delivery_row", "1", &at(30, 0), &payload.to_string(), "")
    });
    let text: String = lines.collect();
    maestro.file(&format!("{path}/outbox/rows.ndjson"), text);
}

pub(crate) fn metric<'d>(document: &'d Value, id: &str) -> &'d Value {
    let mut metrics = document["metrics"].as_array().unwrap().iter();
    metrics.find(|metric| metric["id"] == id).unwrap()
}

#[test]
fn rows_of_all_are_pooled_and_each_repository_stands_beside_them() {
    let maestro = folder();
    state(&maestro, "states/a", "o/a", &[1, 2, 3]);
    state(&maestro, "states/b", "o/b", &[1, 1]);
    state(&maestro, "states/c", "o/c", &[10, 11, 12, 13, 14, 15]);
    maestro.file(
        "lists/all.txt",
        "# what we have\n../states/a\no/b ../states/b\n\n../states/c\n",
    );
    let document = maestro.json(&["dora", "--repos", "lists/all.txt"]);
    assert_eq!(
        (&document["rows_from"], &document["source"]),
        (&json!("states"), &json!("deployments"))
    );
    // Medians of two, one and twelve and a half hours; that of all eleven rows is ten.
    let merge = metric(&document, "lead-time-merge");
    assert_eq!(
        (&merge["duration"]["n"], &merge["duration"]["median"]),
        (&json!(11), &json!(10.0 * 3600.0))
    );
    let deploy = metric(&document, "lead-time-deploy");
    assert_eq!(
        (&deploy["counted"], &deploy["remarks"][0]["code"]),
        (&json!(11), &json!("by-time"))
    );
    assert_eq!(
        metric(&document, "deployment-frequency")["frequency"]["deployments"],
        14
    );
    let rows = document["repositories"].as_array().unwrap();
    let said: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["name"],
                row["line"],
                row["status"],
                row["rows"],
                row["deployments"],
                row["lead_time_merge"]["n"]
            ])
        })
        .collect();
    assert_eq!(
        said,
        [
            json!(["o/a", 2, "read", 7, 4, 3]),
            json!(["o/b", 3, "read", 5, 3, 2]),
            json!(["o/c", 5, "read", 13, 7, 6]),
        ]
    );
    let pulls = document["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "pull")
        .unwrap();
    assert_eq!(
        (&pulls["rows"], &pulls["counted"]),
        (&json!(11), &json!(11))
    );
    let page = maestro
        .run(["dora", "--repos", "lists/all.txt"])
        .success()
        .stdout;
    assert!(
        page.contains("By repository") && page.contains("o/c"),
        "{page}"
    );
}

#[test]
fn explained_rows_say_whose_they_are() {
    let maestro = folder();
    state(&maestro, "a", "o/a", &[1]);
    state(&maestro, "b", "o/b", &[2]);
    maestro.file("all.txt", "a\nb\n");
    let run = maestro
        .run([
            "dora",
            "explain",
            "lead-time-merge",
            "--repos",
            "all.txt",
            "--format",
            "ndjson",
        ])
        .success();
    let rows = run.stdout.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        json!([row["repository"], row["id"], row["seconds"]])
    });
    let rows: Vec<Value> = rows.collect();
    assert_eq!(
        rows,
        [json!(["o/a", "1", 3600.0]), json!(["o/b", "1", 7200.0])]
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_said() {
    let maestro = folder();
    state(&maestro, "a", "o/a", &[1, 2, 3]);
    state(&maestro, "mixed", "o/x", &[1]);
    maestro
        .file("plain/file.txt", "")
        .file("empty/segments/none", "");
    let more = std::fs::read_to_string(maestro.path("a/outbox/rows.ndjson")).unwrap();
    maestro.file("mixed/outbox/more.ndjson", more);
    // A second clone of the same state.
    state(&maestro, "again", "O/A", &[1]);
    maestro.file(
        "all.txt",
        "a\nnowhere\nplain\nmixed\nempty\nagain\no/x mixed\n",
    );
    let run = maestro.run(["dora", "--repos", "all.txt", "--format", "json"]);
    assert_eq!(run.code, 66, "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let rows = document["repositories"].as_array().unwrap();
    let statuses: Vec<&str> = rows
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "read",
            "missing",
            "unreadable",
            "unreadable",
            "empty",
            "unreadable",
            "read"
        ]
    );
    assert_eq!(metric(&document, "lead-time-merge")["counted"], 4);
    for words in [
        "`nowhere` (line 2) was left out: there is no such folder",
        "`plain` (line 3) was left out: it is neither a repository nor a state folder",
        "`mixed` (line 4) was left out: it has rows of several repositories (o/a, o/x)",
        "`again` (line 6) was left out: it is the repository of line 1",
        "error: 4 of the 7 repositories that `all.txt` lists could not be read",
        "hint: no figure counts them: mend what the warnings name, or take their lines out of the list",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    maestro.file("some.txt", "a\nplain\n");
    for command in [
        &["dora", "--repos", "some.txt"][..],
        &["dora", "space", "--repos", "some.txt"],
        &["dora", "explain", "lead-time-merge", "--repos", "some.txt"],
    ] {
        maestro
            .run(command)
            .exits_with(65)
            .says("error: 1 of the 2 repositories that `some.txt` lists could not be read");
    }
}

#[test]
fn a_list_of_which_nothing_can_be_read_is_an_error_and_no_table_of_nothing() {
    let maestro = folder();
    maestro.file("plain/file.txt", "");
    for (list, code, words) in [
        (
            "plain\n",
            65,
            "`plain` (line 1): it is neither a repository nor a state folder",
        ),
        ("# all\nplain\nnowhere\n", 66, "`plain` (line 2)"),
        (
            "nowhere\n",
            66,
            "`nowhere` (line 1): there is no such folder",
        ),
    ] {
        maestro.file("all.txt", list);
        for command in [
            &["dora", "--repos", "all.txt"][..],
            &["dora", "space", "--repos", "all.txt"],
        ] {
            let run = maestro
                .run(command)
                .exits_with(code)
                .says("none of the repositories that `all.txt` lists can be read")
                .says(words);
            assert_eq!(run.stdout, "");
        }
    }
}

#[test]
fn a_clone_is_read_with_its_history_and_its_state() {
    let maestro = merged(&[5, 7, 9, 12, 14]);
    maestro.git(&["remote", "add", "origin", "https://github.com/o/clone.git"]);
    state(&maestro, "states/a", "o/a", &[1, 2, 3]);
    let list = format!("{}\nstates/a\n", maestro.path(".").display());
    maestro.file("all.txt", list);
    let document = maestro.json(&["dora", "--repos", "all.txt"]);
    let rows = &document["repositories"];
    assert_eq!(
        (&rows[0]["name"], &rows[0]["rows_from"], &rows[0]["source"]),
        (&json!("o/clone"), &json!("git"), &json!("tags"))
    );
    assert_eq!(document["source"], "several");
    // Five merges of a day each, and three of one, two and three hours.
    let merge = metric(&document, "lead-time-merge");
    assert_eq!(
        (&merge["counted"], &merge["duration"]["median"]),
        (&json!(8), &json!(24.0 * 3600.0))
    );
    // Its own state is looked for in its git directory, and then git tells what deployments hold.
    state(&maestro, ".git/maestro", "o/clone", &[4]);
    let document = maestro.json(&["dora", "--repos", "all.txt"]);
    assert_eq!(document["repositories"][0]["rows_from"], "github");
    assert_eq!(metric(&document, "lead-time-merge")["counted"], 4);
    let alone = maestro.run(["dora", "--repos", "all.txt", "--source", "git"]);
    assert_eq!(alone.code, 65, "{}", alone.stderr);
    assert!(
        alone.stderr.contains("there is no clone"),
        "{}",
        alone.stderr
    );
}

#[test]
fn a_list_with_bad_lines_is_refused_with_their_numbers() {
    let maestro = folder();
    for (text, words) in [
        ("a\n- b\n", "line 2: this is YAML"),
        (
            "a\nb\u{202e}c\na/\n",
            "line 2: it holds U+202E, which nobody sees; line 3: line 1 names it already",
        ),
        ("# nothing\n", "it names no repository"),
    ] {
        maestro.file("bad.txt", text);
        let run = maestro.run(["dora", "--repos", "bad.txt"]).exits_with(65);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    maestro.run(["dora", "--repos", "none.txt"]).exits_with(66);
    maestro
        .run(["dora", "--repos", "bad.txt", "--rows", "x"])
        .exits_with(2);
}

#[test]
fn what_the_configuration_says_of_deliveries_holds_and_flags_win() {
    let maestro = folder();
    let deployment = |id: u64, environment: &str| json!({ "kind": "deployment", "id": id, "sha": format!("s{id}"), "environment": environment, "created": at(id, 1), "first_success": at(id, 1), "status": "success" });
    let mut lines = vec![
        deployment(1, "production"),
        deployment(2, "eu"),
        deployment(3, "eu"),
    ];
    lines.push(json!({ "kind": "tag", "name": "v1.0.0", "sha": "s1", "at": at(4, 0) }));
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    maestro.file("rows.ndjson", lines.join("\n"));
    let configured = |text: &str, more: &[&str]| {
        maestro.file(
            ".maestro/maestro.yaml",
            format!("schema: maestro.config/v1\n{text}\n"),
        );
        maestro.run(
            [
                &[
                    "--dir",
                    ".maestro",
                    "dora",
                    "--rows",
                    "rows.ndjson",
                    "--format",
                    "json",
                ],
                more,
            ]
            .concat(),
        )
    };
    let counted = |text: &str, more: &[&str]| {
        let run = configured(text, more).success();
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        (
            document["source"].clone(),
            metric(&document, "deployment-frequency")["counted"].clone(),
        )
    };
    assert_eq!(counted("", &[]), (json!("deployments"), json!(1)));
    let eu = "delivery: { deploys: { source: deployments, environment: eu } }";
    assert_eq!(counted(eu, &[]), (json!("deployments"), json!(2)));
    assert_eq!(
        counted(eu, &["--environment", "production"]),
        (json!("deployments"), json!(1))
    );
    let tags = "delivery: { deploys: { source: [tags, deployments] } }";
    assert_eq!(counted(tags, &[]), (json!("tags"), json!(1)));
    assert_eq!(
        counted(tags, &["--source", "deployments"]),
        (json!("deployments"), json!(1))
    );
    for (text, words) in [
        ("delivery: { blame_days: 0 }", "`delivery.blame_days` is 0"),
        (
            "delivery: { business_hours: \"Mars/Base,Mon-Fri,9-17\" }",
            "knows no zone",
        ),
        (
            "delivery: { deploys: { source: deploys } }",
            "expected `deployments`",
        ),
        ("delivery: { deploy: {} }", "did you mean `deploys`?"),
        (
            "agents: { trailers: [\" \"] }",
            "`agents.trailers` has an entry that is empty",
        ),
    ] {
        let run = configured(text, &[]).exits_with(78);
        assert!(run.stderr.contains(words), "{text}: {}", run.stderr);
    }
    configured(
        "delivery: { business_hours: \"UTC,Mon-Fri,9-17\" }",
        &["--business-hours", "UTC,Mon"],
    )
    .exits_with(2);
}

#[test]
fn the_configuration_shows_what_holds_of_deliveries_and_why() {
    let maestro = folder();
    let eu = "delivery: { deploys: { source: deployments, environment: eu } }";
    maestro.file(
        ".maestro/maestro.yaml",
        format!("schema: maestro.config/v1\nagents: {{ authors: [\"acme[bot]\"] }}\n{eu}\n"),
    );
    let shown = maestro
        .run([
            "--dir", ".maestro", "config", "show", "--origin", "--format", "json",
        ])
        .success();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let row = |key: &str| {
        let mut rows = shown["settings"].as_array().unwrap().iter();
        let row = rows.find(|row| row["key"] == key).unwrap();
        (
            row["value"].as_str().unwrap().to_owned(),
            row["origin"].as_str().unwrap().to_owned(),
        )
    };
    let own = |value: &str| (value.to_owned(), "file .maestro/maestro.yaml".to_owned());
    assert_eq!(row("delivery.deploys.environment"), own("eu"));
    assert_eq!(row("agents.authors"), own("acme[bot]"));
    assert_eq!(
        row("delivery.blame_days"),
        ("14".to_owned(), "default".to_owned())
    );
}
