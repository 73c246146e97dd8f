//! One test for each row of the table in which tools disagree.

use serde_json::json;

use super::{ask, commit, deployment, find, found, hour, incident, pull, rows, with};
use crate::delivery::ask::{Source, Start, Window};
use crate::delivery::calendar::{Calendar, Hours, days_and_hours};
use crate::delivery::definitions;
use crate::delivery::metrics::Value;

const LEAD: &str = "lead-time-deploy";
const MERGE: &str = "lead-time-merge";
const FAIL: &str = "change-fail-rate";

/// A line of commits `c0 <- c1 <- ...`, and a deployment of each, a day apart.
fn line(many: u64) -> Vec<serde_json::Value> {
    let mut lines = Vec::new();
    for number in 0..many {
        let sha = format!("c{number}");
        let parent = number.checked_sub(1).map(|before| format!("c{before}"));
        let parents: Vec<&str> = parent.iter().map(String::as_str).collect();
        lines.push(commit(&sha, &parents));
        let at = i64::try_from(number).unwrap() * 24;
        lines.push(deployment(number + 1, at, &sha));
    }
    lines
}

// apache/devlake#8890: 6 incidents on 4 of 23 deployments are 4/23, not 6/23.
#[test]
fn a_deployment_that_fails_twice_fails_once() {
    let mut lines = line(23);
    for (id, deployment) in [(1, 2), (2, 2), (3, 5), (4, 9), (5, 9), (6, 20)] {
        let row = incident(id, 24 * 23, None);
        lines.push(with(row, &json!({ "deployment": deployment })));
    }
    let found = found(&lines);
    assert!((found.rate(FAIL).unwrap() - 4.0 / 23.0).abs() < 1e-12);
    assert_eq!(
        found.parts(FAIL)[0],
        ("2".to_owned(), vec!["1".to_owned(), "2".to_owned()])
    );
    found.adds_up();
    // Four Keys counts incidents.
    let mut fourkeys = ask();
    fourkeys.definition = definitions::find("fourkeys").unwrap();
    let found = find(&rows(&lines), &fourkeys);
    assert!((found.rate(FAIL).unwrap() - 6.0 / 23.0).abs() < 1e-12);
}

#[test]
fn a_link_that_is_said_counts_more_than_one_that_is_guessed() {
    let mut lines = line(4);
    // Opened after deployment 4, and it names deployment 2; the next names a commit of deployment 3.
    lines.push(with(incident(1, 80, None), &json!({ "deployment": 2 })));
    lines.push(with(incident(2, 80, None), &json!({ "sha": "c2" })));
    lines.push(incident(3, 80, None));
    let found = found(&lines);
    let linked =
        |deployment: &str, incident: &str| (deployment.to_owned(), vec![incident.to_owned()]);
    assert_eq!(
        found.parts(FAIL),
        [linked("2", "1"), linked("3", "2"), linked("4", "3")]
    );
    assert_eq!(found.remarks(FAIL, "3"), [""; 0]);
    assert_eq!(found.remarks(FAIL, "4"), ["inferred"]);
}

#[test]
fn an_incident_in_the_second_of_a_deployment_is_of_that_one_and_an_old_deployment_is_not_blamed() {
    let mut lines = line(3);
    lines.push(incident(1, 48, None));
    lines.push(incident(2, 48 + 14 * 24 + 1, None));
    lines.push(incident(3, -1, None));
    let rows = rows(&lines);
    let found = find(&rows, &ask());
    assert_eq!(found.parts(FAIL), [("3".to_owned(), vec!["1".to_owned()])]);
    assert_eq!(found.reason("recovery", "2"), Some("too-late"));
    assert_eq!(found.reason("recovery", "3"), Some("nothing-before"));
    found.adds_up();
    // DevLake takes the one strictly before, and does not mind how old it is.
    let mut devlake = ask();
    devlake.definition = definitions::find("devlake").unwrap();
    let found = find(&rows, &devlake);
    let parts = found.parts(FAIL);
    assert_eq!(parts[0], ("2".to_owned(), vec!["1".to_owned()]));
    assert_eq!(parts[1], ("3".to_owned(), vec!["2".to_owned()]));
}

// apache/devlake#4989: the same incident went to two deployments, as the window was shifted.
#[test]
fn another_window_shows_a_row_as_it_was_or_not_at_all() {
    let mut lines = line(20);
    for id in 0..6 {
        let opened = i64::try_from(id).unwrap() * 60 + 30;
        lines.push(incident(id + 1, opened, Some(opened + 5)));
        let sha = format!("c{}", id * 3 + 1);
        lines.push(pull(id + 1, opened - 20, opened - 10, opened - 8, &sha));
    }
    let rows = rows(&lines);
    let whole = find(&rows, &ask());
    for days in 0..20 {
        let mut part = ask();
        part.window = Window {
            since: hour(days * 24),
            until: hour(days * 24 + 7 * 24),
        };
        let part = find(&rows, &part);
        for id in [LEAD, FAIL, "recovery"] {
            for row in &part.ids[part.place(id)] {
                assert!(whole.ids[whole.place(id)].contains(row), "{id} {row:?}");
            }
        }
        part.adds_up();
    }
}

// fourkeys#456, devlake#4961: under squash merges the commit on the trunk is as old as the merge.
#[test]
fn the_clock_starts_with_the_first_commit_of_the_pull_request() {
    let mut lines = line(3);
    lines.push(pull(1, 2, 10, 20, "c1"));
    let rows = rows(&lines);
    let found = find(&rows, &ask());
    assert_eq!(found.hours(LEAD), [("1".to_owned(), 22.0)]);
    assert_eq!(found.hours(MERGE), [("1".to_owned(), 18.0)]);
    assert_eq!(found.hours("merge-to-deploy"), [("1".to_owned(), 4.0)]);
}

#[test]
fn a_branch_that_was_made_anew_starts_when_its_pull_request_was_opened() {
    let mut lines = line(3);
    lines.push(pull(1, 15, 10, 20, "c1"));
    lines.push(with(
        pull(2, 0, 11, 21, "c1"),
        &json!({ "first_commit": null }),
    ));
    let found = found(&lines);
    assert_eq!(
        found.hours(LEAD),
        [("1".to_owned(), 14.0), ("2".to_owned(), 13.0)]
    );
    assert_eq!(found.remarks(LEAD, "1"), ["rewritten"]);
    assert_eq!(found.remarks(LEAD, "2"), ["no-commits"]);
}

#[test]
fn three_clocks_end_with_the_merge_the_deployment_and_the_release() {
    let mut lines = line(3);
    lines.push(pull(1, 0, 1, 20, "c1"));
    let released = |id: u64, at: i64, sha: &str| json!({ "kind": "release", "id": id, "tag": format!("v{id}"), "sha": sha, "published": hour(at).to_string() });
    lines.extend([released(1, 1, "c0"), released(2, 100, "c2")]);
    let found = found(&lines);
    for (id, hours) in [(MERGE, 20.0), (LEAD, 24.0), ("lead-time-release", 100.0)] {
        assert_eq!(found.hours(id), [("1".to_owned(), hours)], "{id}");
    }
}

#[test]
fn without_any_deployment_nothing_stands_for_one() {
    let found = found(&[pull(1, 0, 1, 20, "c1"), commit("c1", &[])]);
    assert_eq!(found.median(LEAD), None);
    assert_eq!(found.reason(LEAD, "1"), Some("not-shipped"));
    assert_eq!(found.median(MERGE), Some(20.0));
}

#[test]
fn the_first_deployment_says_nothing_of_lead_times_and_counts_all_the_same() {
    let mut lines = line(2);
    lines.extend([pull(1, -30, -20, -10, "c0"), pull(2, 1, 2, 3, "c1")]);
    let found = found(&lines);
    assert_eq!(found.hours(LEAD), [("2".to_owned(), 23.0)]);
    assert_eq!(found.reason(LEAD, "1"), Some("first-deployment"));
    assert_eq!(found.metric("deployment-frequency").counted, 2);
}

#[test]
fn a_time_that_is_zero_or_negative_is_kept_and_told() {
    let mut lines = line(3);
    lines.push(with(
        pull(1, 24, 24, 24, "c1"),
        &json!({ "author_kind": "bot" }),
    ));
    // The clock of the deployment was behind.
    lines.push(pull(2, 30, 30, 31, "c1"));
    let rows = rows(&lines);
    let found = find(&rows, &ask());
    assert_eq!(
        found.hours(LEAD),
        [("1".to_owned(), 0.0), ("2".to_owned(), 0.0)]
    );
    assert_eq!(found.remarks(LEAD, "1"), ["zero"]);
    assert_eq!(found.remarks(LEAD, "2"), ["clamped"]);
    let mut devlake = ask();
    devlake.definition = definitions::find("devlake").unwrap();
    let found = find(&rows, &devlake);
    assert_eq!(found.reason("merge-to-deploy", "2"), Some("negative"));
    assert_eq!(found.remarks(LEAD, "2"), ["part-dropped"]);
    found.adds_up();
    let mut fourkeys = ask();
    fourkeys.definition = definitions::find("fourkeys").unwrap();
    let found = find(&rows, &fourkeys);
    // It counts commits, and c0 was deployed in the second in which it was made.
    assert_eq!(found.reason(LEAD, "c0"), Some("not-positive"));
    found.adds_up();
}

#[test]
fn how_often_is_counted_with_the_weeks_in_which_nothing_happened() {
    let mut lines = line(2);
    lines.push(deployment(9, 28 * 24, "c1"));
    let found = found(&lines);
    let Value::Rhythm(rhythm) = &found.metric("deployment-frequency").value else {
        panic!();
    };
    let weeks: Vec<usize> = rhythm.weeks.iter().map(|(_, many)| *many).collect();
    assert_eq!(weeks, [2, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!((rhythm.deployments, rhythm.active_days), (3, 3));
}

#[test]
fn any_success_is_one_and_inactive_is_no_failure() {
    let mut lines = line(1);
    lines.push(with(
        deployment(2, 30, "c0"),
        &json!({ "status": "inactive" }),
    ));
    lines.push(with(
        deployment(3, 40, "c0"),
        &json!({ "status": "failure", "first_success": null, "failed_at": hour(40).to_string() }),
    ));
    lines.push(with(
        deployment(4, 50, "c0"),
        &json!({ "status": "in_progress", "first_success": null }),
    ));
    lines.push(with(
        deployment(5, 60, "c0"),
        &json!({ "environment": "preview-7" }),
    ));
    lines.push(with(
        deployment(6, 70, "c0"),
        &json!({ "environment": "eu", "production": true }),
    ));
    lines.push(with(
        deployment(7, 80, "c0"),
        &json!({ "status": "failure", "failed_at": hour(90).to_string() }),
    ));
    let found = found(&lines);
    let reasons = ["3", "4", "5"].map(|id| found.reason("deployment-frequency", id));
    assert_eq!(
        reasons,
        [
            Some("never-succeeded"),
            Some("in-progress"),
            Some("other-environment")
        ]
    );
    assert_eq!(found.metric("deployment-frequency").counted, 4);
    // It succeeded first and became a failure then.
    assert_eq!(found.parts(FAIL), [("7".to_owned(), vec!["7".to_owned()])]);
    found.adds_up();
}

#[test]
fn the_first_source_that_has_any_is_taken_and_no_pre_release_counts() {
    let release = |id: u64, fields: &serde_json::Value| {
        let row = json!({ "kind": "release", "id": id, "tag": format!("v{id}"), "sha": format!("s{id}"), "published": hour(24).to_string() });
        with(row, fields)
    };
    let mut lines = vec![
        release(1, &json!({})),
        release(2, &json!({ "prerelease": true })),
        release(3, &json!({ "draft": true })),
        release(
            4,
            &json!({ "sha": "s1", "published": hour(25).to_string() }),
        ),
        json!({ "kind": "tag", "name": "v9.0.0", "sha": "s9", "at": hour(3).to_string() }),
    ];
    let run = |id: u64, workflow: &str, conclusion: &str| {
        json!({
            "kind": "run", "id": id, "attempt": 2, "workflow": workflow, "conclusion": conclusion, "event": "push", "branch": "main",
            "created": hour(1).to_string(), "updated": hour(2).to_string(), "sha": "s1",
        })
    };
    let taken = |lines: &[serde_json::Value]| {
        let found = found(lines);
        found.adds_up();
        let reasons = ["2", "3", "4"].map(|id| found.reason("deployment-frequency", id));
        (
            found.ids[found.place("deployment-frequency")][0].0.clone(),
            reasons,
        )
    };
    let (first, reasons) = taken(&lines);
    assert_eq!(first, "1");
    assert_eq!(
        reasons,
        [Some("pre-release"), Some("draft"), Some("same-commit")]
    );
    lines.push(run(6, "CI", "success"));
    assert_eq!(taken(&lines).0, "1");
    lines.push(run(7, "Deploy to production", "success"));
    assert_eq!(taken(&lines).0, "7.2");
    lines.push(deployment(5, 30, "s1"));
    assert_eq!(taken(&lines).0, "5");
    let mut tags = ask();
    tags.sources = &[Source::Tags];
    let found = find(&rows(&lines), &tags);
    assert_eq!(
        found.ids[found.place("deployment-frequency")][0].0,
        "v9.0.0"
    );
}

#[test]
fn of_a_run_that_was_tried_again_the_attempt_that_succeeded_counts() {
    let run = |attempt: u64, conclusion: &str, end: i64| {
        json!({
            "kind": "run", "id": 7, "attempt": attempt, "workflow": "deploy", "conclusion": conclusion, "event": "push", "branch": "main",
            "created": hour(1).to_string(), "started": hour(20).to_string(), "updated": hour(end).to_string(), "sha": "s1",
        })
    };
    // What was taken over from the first attempt ends before the second begins.
    let found = found(&[
        run(1, "failure", 2),
        run(2, "success", 19),
        run(3, "success", 30),
    ]);
    let rows = &found.metric("deployment-frequency").evidence;
    assert_eq!((rows.len(), rows[0].to), (1, hour(20)));
    let reason = |id: &str| found.reason("deployment-frequency", id);
    assert_eq!([reason("7.1"), reason("7.3")], [Some("earlier-attempt"); 2]);
    found.adds_up();
}

#[test]
fn recovery_is_a_median_of_both_clocks_and_open_failures_count() {
    let mut lines = line(5);
    for (id, opened, closed) in [
        (1, 1, Some(3)),
        (2, 25, Some(30)),
        (3, 49, Some(58)),
        (4, 73, None),
        (5, 97, None),
    ] {
        lines.push(incident(id, opened, closed));
    }
    let found = found(&lines);
    // 3, 6 and 10 hours, and two that are open: Kaplan and Meier's median is the third of five.
    assert_eq!(found.median("recovery"), Some(10.0));
    assert_eq!(found.remarks("recovery", "4"), ["inferred", "still-open"]);
    let mut fourkeys = ask();
    fourkeys.definition = definitions::find("devlake").unwrap();
    assert_eq!(find(&rows(&lines), &fourkeys).median("recovery"), Some(6.0));
}

#[test]
fn hours_of_work_stand_beside_the_clock_on_the_wall() {
    let mut lines = line(1);
    lines.push(commit("c9", &["c0"]));
    // Friday 2 January 16:00 to Monday 5 January 10:00.
    lines.extend([pull(1, 40, 41, 42, "c9"), deployment(9, 106, "c9")]);
    let (days, from, to) = days_and_hours("Mon-Fri,9-17").unwrap();
    let hours = Hours {
        zone: jiff::tz::TimeZone::UTC,
        days,
        from,
        to,
    };
    let calendar = Calendar::new(&hours, hour(-100), hour(1500));
    let mut ask = ask();
    ask.calendar = Some(&calendar);
    let found = find(&rows(&lines), &ask);
    assert_eq!(found.median(LEAD), Some(66.0));
    let business = found.metric(LEAD).business.as_ref().unwrap();
    assert!((business.median.unwrap().value / 3600.0 - 2.0).abs() < 1e-9);
}

#[test]
fn a_draft_may_be_asked_about_from_when_it_was_ready() {
    let mut lines = line(3);
    let ready = json!({ "ready": hour(15).to_string(), "draft": false });
    lines.push(with(pull(1, 2, 10, 20, "c1"), &ready));
    for (start, hours) in [
        (Start::Commit, 18.0),
        (Start::Opened, 10.0),
        (Start::Ready, 5.0),
    ] {
        let mut ask = ask();
        ask.start = start;
        assert_eq!(
            find(&rows(&lines), &ask).hours(MERGE),
            [("1".to_owned(), hours)]
        );
    }
}

#[test]
fn a_merge_that_waits_on_another_branch_is_not_deployed() {
    // The change is on `stage` and comes to production with the merge commit `m`.
    let lines = [
        commit("c0", &[]),
        commit("stage1", &["c0"]),
        commit("m", &["c0", "stage1"]),
        commit("waiting", &["stage1"]),
        deployment(1, 0, "c0"),
        with(
            deployment(2, 5, "stage1"),
            &json!({ "environment": "staging" }),
        ),
        deployment(3, 50, "m"),
        pull(1, 1, 2, 3, "stage1"),
        pull(2, 1, 2, 4, "waiting"),
        with(pull(3, 1, 2, 4, "stage1"), &json!({ "base": "other" })),
        pull(4, 1, 2, 4, "elsewhere"),
    ];
    let mut ask = ask();
    ask.branch = Some("main");
    let found = find(&rows(&lines), &ask);
    assert_eq!(found.hours(LEAD), [("1".to_owned(), 49.0)]);
    let reasons = ["2", "3", "4"].map(|id| found.reason(LEAD, id));
    assert_eq!(
        reasons,
        [
            Some("not-shipped"),
            Some("other-base"),
            Some("commit-unknown")
        ]
    );
    found.adds_up();
}

#[test]
fn without_commits_the_next_deployment_is_taken_and_the_row_says_so() {
    let found = found(&[
        deployment(1, 0, "a"),
        deployment(2, 24, "b"),
        pull(1, 1, 2, 3, "x"),
    ]);
    assert_eq!(found.hours(LEAD), [("1".to_owned(), 23.0)]);
    assert_eq!(found.remarks(LEAD, "1"), ["by-time"]);
}

#[test]
fn a_revert_blames_what_it_takes_back_and_its_deployment_is_rework() {
    let mut lines = line(5);
    lines.push(pull(1, 1, 2, 3, "c1"));
    lines.push(with(
        pull(2, 50, 50, 51, "c3"),
        &json!({ "reverts": ["#1"] }),
    ));
    // What was taken back before it was deployed failed nobody.
    lines.push(pull(3, 80, 80, 81, "c4"));
    lines.push(with(
        pull(4, 82, 82, 83, "c4"),
        &json!({ "reverts": ["#3"] }),
    ));
    // Nobody says what this one mends.
    lines.push(with(pull(5, 55, 55, 56, "c3"), &json!({ "hotfix": true })));
    let found = found(&lines);
    let named = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found.parts(FAIL),
        [
            ("2".to_owned(), named(&["2"])),
            ("3".to_owned(), named(&["5"]))
        ]
    );
    assert_eq!(found.remarks(FAIL, "2"), ["reverted"]);
    assert_eq!(found.remarks(FAIL, "3"), ["inferred"]);
    assert_eq!(found.reason("recovery", "4"), Some("before-shipping"));
    assert_eq!(found.parts("rework-rate").len(), 1);
    assert_eq!(found.rate("rework-rate"), Some(0.2));
    // From its deployment, at 24 hours, to that of the revert, at 72.
    assert_eq!(found.hours("recovery")[0], ("2".to_owned(), 48.0));
    found.adds_up();
}

#[test]
fn a_deployment_of_an_older_commit_takes_the_last_one_back() {
    let mut lines = line(3);
    lines.push(deployment(8, 60, "c1"));
    lines.push(deployment(9, 70, "c1"));
    let found = found(&lines);
    assert_eq!(found.parts(FAIL), [("3".to_owned(), vec!["8".to_owned()])]);
    assert_eq!(found.remarks(FAIL, "3"), ["rolled-back"]);
    assert_eq!(found.hours("recovery"), [("3".to_owned(), 12.0)]);
    assert_eq!(found.parts("rework-rate")[0].0, "8");
}

#[test]
fn parts_are_asked_about_as_if_they_were_the_whole() {
    let mut lines = line(4);
    lines.push(with(
        pull(1, 0, 1, 2, "c1"),
        &json!({ "paths": ["web"], "author_kind": "bot", "labels": ["team: pay"] }),
    ));
    lines.push(with(pull(2, 0, 1, 2, "c2"), &json!({ "paths": ["api"] })));
    for (path, team, author, number) in [
        (Some("web/"), None, None, "1"),
        (Some("api"), None, None, "2"),
        (None, Some("pay"), None, "1"),
        (None, None, Some(crate::delivery::rows::Author::Human), "2"),
    ] {
        let mut ask = ask();
        (ask.path, ask.team, ask.author) = (path, team, author);
        let found = find(&rows(&lines), &ask);
        assert_eq!(found.hours(LEAD)[0].0, number);
        assert_eq!(found.metric("deployment-frequency").counted, 1);
        found.adds_up();
    }
}

#[test]
fn fewer_than_five_values_say_nothing() {
    let mut ask = ask();
    ask.least = 5;
    let mut lines = line(6);
    lines.extend((1..5).map(|number| pull(number, 0, 1, 2, "c1")));
    let found = find(&rows(&lines), &ask);
    assert_eq!((found.median(LEAD), found.rate(FAIL)), (None, Some(0.0)));
    lines.push(pull(9, 0, 1, 2, "c1"));
    let found = find(&rows(&lines), &ask);
    assert_eq!(found.median(LEAD), Some(24.0));
}
