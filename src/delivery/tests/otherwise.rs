//! What definitions do otherwise, and rows of the table of disagreements that are about sources.

use serde_json::json;

use super::{ask, commit, deployment, find, found, hour, incident, pull, rows, with};
use crate::delivery::ask::{Source, Start};
use crate::delivery::definitions;
use crate::delivery::metrics::recovery;

const LEAD: &str = "lead-time-deploy";
const MERGE: &str = "lead-time-merge";
const AFTER: &str = "merge-to-deploy";

// change_lead_time_calculator.go: coding, review and deployment are rounded up each, and one that is negative is none.
#[test]
fn devlake_sums_parts_of_a_lead_time_and_drops_negative_ones() {
    let seconds = |at: i64, more: i64| {
        let at = hour(at).as_second() + more;
        jiff::Timestamp::from_second(at).unwrap().to_string()
    };
    let lines = [
        commit("c0", &[]),
        commit("c1", &["c0"]),
        deployment(1, 0, "c0"),
        deployment(2, 24, "c1"),
        // One second more in each of three parts: three minutes more.
        with(
            pull(1, 2, 4, 8, "c1"),
            &json!({ "created": seconds(4, 1), "merged": seconds(8, 2), "first_commit": hour(2).to_string() }),
        ),
        // Begun anew after it was opened.
        pull(2, 7, 6, 8, "c1"),
        // Merged after it was deployed.
        pull(3, 20, 22, 30, "c1"),
        // Fifty seconds below zero are no minute.
        with(
            pull(4, 24, 24, 24, "c1"),
            &json!({ "merged": seconds(24, 50) }),
        ),
    ];
    let mut devlake = ask();
    devlake.definition = definitions::find("devlake").unwrap();
    let found = find(&rows(&lines), &devlake);
    found.adds_up();
    let minutes = |id: &str| {
        let hours = found.hours(id).into_iter();
        let mut sorted: Vec<(String, f64)> = hours
            .map(|(row, hours)| (row, (hours * 60.0).round()))
            .collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        sorted
    };
    let wanted = |list: &[(&str, f64)]| -> Vec<(String, f64)> {
        list.iter()
            .map(|(row, minutes)| ((*row).to_owned(), *minutes))
            .collect()
    };
    assert_eq!(
        minutes(LEAD),
        wanted(&[
            ("1", 22.0 * 60.0 + 2.0),
            ("2", 18.0 * 60.0),
            ("3", 600.0),
            ("4", 1.0)
        ])
    );
    assert_eq!(
        minutes(MERGE),
        wanted(&[
            ("1", 6.0 * 60.0 + 2.0),
            ("2", 120.0),
            ("3", 600.0),
            ("4", 1.0)
        ])
    );
    assert_eq!(
        minutes(AFTER),
        wanted(&[("1", 960.0), ("2", 960.0), ("4", 0.0)])
    );
    assert_eq!(found.reason(AFTER, "3"), Some("negative"));
    assert_eq!(found.remarks(LEAD, "3"), ["part-dropped"]);
    assert_eq!(found.remarks(LEAD, "2"), ["rewritten", "part-dropped"]);
    // Asked from another time on, there is no coding.
    devlake.start = Start::Opened;
    let opened = find(&rows(&lines), &devlake);
    assert_eq!(opened.hours(MERGE)[0], ("2".to_owned(), 2.0));
}

#[test]
fn git_alone_starts_with_the_author_date_and_says_so_and_a_squash_has_none() {
    let of = |number: u64, form: &str| with(pull(number, 2, 2, 20, "c1"), &json!({ "form": form }));
    let mut lines = vec![
        commit("c0", &[]),
        commit("c1", &["c0"]),
        deployment(1, 0, "c0"),
        deployment(2, 24, "c1"),
    ];
    lines.extend([of(1, "merge"), of(2, "rebase"), of(3, "squash")]);
    let found = found(&lines);
    assert_eq!(
        found.hours(LEAD),
        [("1".to_owned(), 22.0), ("2".to_owned(), 22.0)]
    );
    assert_eq!(found.remarks(LEAD, "1"), ["by-author-date"]);
    assert_eq!(found.remarks(LEAD, "2"), ["author-date-only"]);
    assert_eq!(found.reason(LEAD, "3"), Some("start-unknown"));
    // What follows the merge is known of it all the same.
    assert_eq!(found.hours(AFTER).len(), 3);
    found.adds_up();
}

#[test]
fn a_run_that_has_not_ended_deploys_nothing_and_one_of_a_pull_request_neither() {
    let run = |id: u64, event: &str, conclusion: &str| {
        json!({
            "kind": "run", "id": id, "attempt": 1, "workflow": "Deploy", "conclusion": conclusion, "event": event, "branch": "main",
            "created": hour(1).to_string(), "updated": hour(2).to_string(), "sha": format!("s{id}"),
        })
    };
    let found = found(&[
        run(1, "push", ""),
        run(2, "pull_request", "success"),
        run(3, "push", "cancelled"),
        run(4, "workflow_dispatch", "success"),
    ]);
    let reasons =
        ["1", "2", "3"].map(|id| found.reason("deployment-frequency", &format!("{id}.1")));
    assert_eq!(
        reasons,
        [
            Some("in-progress"),
            Some("other-branch"),
            Some("never-succeeded")
        ]
    );
    assert_eq!(found.metric("deployment-frequency").counted, 1);
    found.adds_up();
}

#[test]
fn recovery_has_a_second_clock_that_starts_when_somebody_noticed() {
    let mut lines = vec![deployment(1, 0, "a"), deployment(2, 24, "b")];
    // Noticed after one hour and, of the same deployment, after two; both over after six.
    lines.extend([
        incident(1, 1, Some(3)),
        incident(2, 2, Some(6)),
        incident(3, 30, Some(34)),
    ]);
    let found = found(&lines);
    assert_eq!(
        found.hours("recovery"),
        [("1".to_owned(), 6.0), ("2".to_owned(), 10.0)]
    );
    let noticed = recovery::since_noticed(found.metric("recovery"), 1);
    assert_eq!(
        (noticed.n, noticed.median.unwrap().value),
        (2, 4.5 * 3600.0)
    );
}

#[test]
fn what_was_never_a_draft_was_ready_when_it_was_opened() {
    let lines = [
        pull(1, 2, 10, 20, "c1"),
        with(
            pull(2, 2, 10, 20, "c1"),
            &json!({ "ready": hour(18).to_string() }),
        ),
    ];
    let mut ask = ask();
    ask.start = Start::Ready;
    let found = find(&rows(&lines), &ask);
    assert_eq!(
        found.hours(MERGE),
        [("1".to_owned(), 10.0), ("2".to_owned(), 2.0)]
    );
}

#[test]
fn a_deployment_that_is_read_twice_is_one_and_the_source_may_be_named() {
    let mut lines = vec![
        deployment(1, 2, "a"),
        deployment(1, 2, "a"),
        deployment(2, 3, "b"),
    ];
    lines.push(json!({ "kind": "tag", "name": "v1.0.0", "sha": "a", "at": hour(4).to_string() }));
    let rows = rows(&lines);
    assert_eq!(
        (
            find(&rows, &ask()).metric("deployment-frequency").counted,
            rows.repeated
        ),
        (2, 1)
    );
    let mut tags = ask();
    tags.sources = &[Source::Tags, Source::Deployments];
    assert_eq!(find(&rows, &tags).metric("deployment-frequency").counted, 1);
}
