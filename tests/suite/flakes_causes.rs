//! Why tests fail, in `maestro flakes report`: causes with the words that say so, and knock-ons that are no executions.

use serde_json::{Value, json};

use crate::harness::Maestro;

/// Stores a history, one line a result: run, status and message.
fn stored(results: &[(u32, &str, &str)]) -> Maestro {
    let maestro = Maestro::in_folder();
    let line = |(run, status, message): &(u32, &str, &str)| {
        let at = format!("2026-01-{:02}T09:00:00Z", run + 1);
        let line = json!({
            "run": run.to_string(), "commit": format!("c{run}"), "job": "j", "at": at,
            "suite": "shop.CartTest", "test": "adds", "status": status, "message": message,
        });
        format!("{line}\n")
    };
    maestro.file("h.ndjson", results.iter().map(line).collect::<String>());
    maestro
        .run(["flakes", "ingest", "--dir", "s", "h.ndjson"])
        .success();
    maestro
}

fn row(maestro: &Maestro) -> Value {
    maestro.json(&["flakes", "report", "--all", "--dir", "s"])["tests"][0].clone()
}

#[test]
fn a_cause_is_given_with_the_words_that_say_so() {
    let maestro = stored(&[
        (
            1,
            "failed",
            "dial tcp 127.0.0.1:5432: connect: connection refused",
        ),
        (2, "passed", ""),
        (
            3,
            "failed",
            "dial tcp 127.0.0.1:6543: connect: connection refused",
        ),
        (4, "failed", "expected [1] but found [2]"),
    ]);
    let cause = row(&maestro)["cause"].clone();
    assert_eq!(cause["class"], "network");
    assert_eq!((&cause["agreeing"], &cause["read"]), (&2.into(), &3.into()));
    assert_eq!(
        cause["evidence"],
        json!(["dial tcp 127.0.0.1:5432: connect: connection refused"])
    );
    assert!(cause["confidence"].as_f64().unwrap() > 0.9);
}

#[test]
fn what_does_not_tell_is_unsure_and_what_never_failed_has_no_cause() {
    let maestro = stored(&[
        (1, "failed", "expected [1] but found [2]"),
        (2, "passed", ""),
    ]);
    let cause = row(&maestro)["cause"].clone();
    assert_eq!(
        (&cause["class"], &cause["evidence"]),
        (&"unsure".into(), &json!([]))
    );
    let maestro = stored(&[(1, "passed", "")]);
    assert_eq!(row(&maestro)["cause"], Value::Null);
}

#[test]
fn evidence_is_escaped_where_it_is_shown() {
    let message = "`@someone` \u{1b}[31m<b>connection refused</b>\u{7} | ::error::x";
    let results: Vec<(u32, &str, &str)> = (0..9)
        .map(|run| (run, if run % 2 == 0 { "failed" } else { "passed" }, message))
        .collect();
    let maestro = stored(&results);
    for format in ["human", "markdown"] {
        let shown = maestro
            .run(["flakes", "report", "--dir", "s", "--format", format])
            .success()
            .stdout;
        assert!(shown.contains("probably network: "), "{shown}");
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
            "{shown:?}"
        );
        if format == "markdown" {
            assert!(shown.contains("`` `@someone` "), "{shown}");
        }
    }
}

#[test]
fn a_long_stack_keeps_its_deepest_cause() {
    let frames: String = (0..20)
        .map(|n| {
            format!("\tat org.example.shop.cart.internal.Handler.handle{n}(Handler.java:{n})\n")
        })
        .collect::<Vec<_>>()
        .concat();
    let text = format!(
        "shop.Failed: no\n{frames}Caused by: java.net.ConnectException: Connection refused\n{frames}"
    );
    let maestro = Maestro::in_folder();
    maestro.file(
        "a.xml",
        format!(
            "<testsuite><testcase classname=\"shop.CartTest\" name=\"adds\"><failure message=\"no\" type=\"shop.Failed\">{text}</failure></testcase></testsuite>"
        ),
    );
    maestro
        .run(["flakes", "ingest", "--dir", "s", "a.xml"])
        .success();
    assert_eq!(row(&maestro)["cause"]["class"], "network");
}

const KNOCK_ON: &str =
    "org.testng.SkipException: Method x.a() depends on not successfully finished methods";

#[test]
fn a_knock_on_is_neither_a_pass_nor_a_failure() {
    let maestro = stored(&[
        (1, "passed", ""),
        (2, "failed", KNOCK_ON),
        (3, "failed", "expected [1] but found [2]"),
        (4, "failed", KNOCK_ON),
    ]);
    let row = row(&maestro);
    assert_eq!((&row["runs"], &row["failures"]), (&2.into(), &1.into()));
    assert_eq!(row["cause"]["read"], 1);
    // What reports said stays what they said.
    let totals = maestro.json(&["flakes", "report", "--dir", "s"])["totals"].clone();
    assert_eq!(
        (&totals["passed"], &totals["failed"]),
        (&1.into(), &3.into())
    );
}

#[test]
fn sums_of_old_runs_leave_knock_ons_out_as_well() {
    let maestro = stored(&[
        (1, "passed", ""),
        (2, "failed", KNOCK_ON),
        (3, "failed", "no"),
    ]);
    let before = row(&maestro);
    maestro
        .run(["state", "fold", "--local", "--dir", "s"])
        .success();
    let compacted = maestro.json(&[
        "state",
        "compact",
        "--local",
        "--dir",
        "s",
        "--now",
        "2028-01-01T00:00:00Z",
    ]);
    assert_eq!(compacted["runs"], 3, "{compacted}");
    let after = row(&maestro);
    for field in ["runs", "failures"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    // The messages went with the runs.
    assert_eq!(after["cause"]["class"], "unsure");
}
