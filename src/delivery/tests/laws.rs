//! What holds of any rows.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Found, ask, commit, deployment, find, hour, incident, pull, rows, with};
use crate::delivery::ask::Window;
use crate::delivery::definitions;
use crate::delivery::metrics::Value;
use crate::delivery::rows::Row;
use crate::delivery::table::{Gathering, Rows};

/// Some hour of the weeks around those that are asked about, often the same one.
fn some_hour() -> impl Strategy<Value = i64> {
    prop_oneof![-100_i64..1500, (0_i64..12).prop_map(|day| day * 24)]
}

fn some_sha() -> impl Strategy<Value = String> {
    (0_u32..14).prop_map(|number| format!("c{number}"))
}

fn some_pull() -> impl Strategy<Value = Json> {
    (
        1_u64..12,
        some_hour(),
        some_hour(),
        some_hour(),
        some_sha(),
        0_u8..8,
        prop::option::of(1_u64..12),
    )
        .prop_map(|(number, first, opened, merged, sha, odd, reverts)| {
            let row = pull(number, first, opened, merged, &sha);
            match (odd, reverts) {
                (0, _) => with(
                    row,
                    &json!({ "merged": null, "closed": hour(merged).to_string() }),
                ),
                (1, _) => with(row, &json!({ "merged": null })),
                (2, _) => with(row, &json!({ "first_commit": null, "base": "next" })),
                (3, _) => with(row, &json!({ "hotfix": true })),
                (4, _) => with(row, &json!({ "form": "squash" })),
                (5 | 6, Some(other)) => with(row, &json!({ "reverts": [format!("#{other}")] })),
                _ => row,
            }
        })
}

fn some_deployment() -> impl Strategy<Value = Json> {
    (1_u64..40, some_hour(), some_sha(), 0_u8..8).prop_map(|(id, at, sha, odd)| {
        let row = deployment(id, at, &sha);
        match odd {
            0 => with(row, &json!({ "first_success": null, "status": "failure" })),
            1 => with(row, &json!({ "environment": "staging" })),
            2 => with(row, &json!({ "failed_at": hour(at + 5).to_string() })),
            3 => with(row, &json!({ "first_success": null, "status": "queued" })),
            _ => row,
        }
    })
}

fn some_incident() -> impl Strategy<Value = Json> {
    (
        1_u64..15,
        some_hour(),
        prop::option::of(0_i64..300),
        0_u64..60,
        0_u8..4,
    )
        .prop_map(|(id, opened, took, deployment, how)| {
            let row = incident(id, opened, took.map(|took| opened + took));
            match how {
                0 => with(row, &json!({ "deployment": deployment })),
                1 => with(row, &json!({ "sha": format!("c{}", deployment % 20) })),
                _ => row,
            }
        })
}

fn ended(which: u8) -> &'static str {
    match which {
        3 => "success",
        4 => "failure",
        _ => "",
    }
}

fn others() -> impl Strategy<Value = Json> {
    (1_u64..8, 1_u64..4, some_hour(), some_sha(), 0_u8..6).prop_map(|(id, attempt, at, sha, which)| {
        let at = hour(at).to_string();
        match which {
            0 => json!({ "kind": "tag", "name": format!("v{id}.{attempt}"), "sha": sha, "at": at }),
            1 => json!({ "kind": "tag", "name": format!("nightly{id}"), "sha": sha, "at": at }),
            2 => json!({ "kind": "release", "id": id, "tag": format!("v{id}.0"), "published": at, "sha": sha, "prerelease": attempt == 1 }),
            _ => json!({
                "kind": "run", "id": id, "attempt": attempt, "workflow": "deploy", "event": if id == 1 { "pull_request" } else { "push" },
                "branch": "main", "sha": sha, "created": at, "updated": at, "conclusion": ended(which),
            }),
        }
    })
}

pub(super) fn some_rows() -> impl Strategy<Value = Vec<Json>> {
    let graph: Vec<Json> = (0..14_u32)
        .map(|number| {
            let parents: Vec<String> = match number {
                0 => vec![],
                // A side branch that is merged at c9.
                6 => vec!["c2".into()],
                9 => vec!["c8".into(), "c6".into()],
                7 => vec!["c5".into()],
                other => vec![format!("c{}", other - 1)],
            };
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            commit(&format!("c{number}"), &parents)
        })
        .collect();
    let rows = (
        prop::collection::vec(some_pull(), 0..14),
        prop::collection::vec(some_deployment(), 0..14),
        prop::collection::vec(some_incident(), 0..8),
        prop::collection::vec(others(), 0..10),
        any::<bool>(),
    );
    rows.prop_map(move |(pulls, deployments, incidents, others, has_graph)| {
        let mut all = [pulls, deployments, incidents, others].concat();
        if has_graph {
            all.extend(graph.clone());
        }
        all
    })
}

/// All that is said, as text.
fn said(found: &Found) -> String {
    format!("{:?} {:?} {:?}", found.metrics, found.ids, found.reasons)
}

/// Every time of a row, as another zone writes it.
fn elsewhere(row: &Json) -> Json {
    let mut row = row.clone();
    for value in row.as_object_mut().unwrap().values_mut() {
        if let Some(at) = value
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
        {
            let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(-7));
            let there = at
                .to_zoned(zone)
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string();
            *value = there.into();
        }
    }
    row
}

/// Rows whose numbers are met once: of two readings of a row the one that sorts later counts, whatever came first.
fn each_once(lines: Vec<Json>) -> Vec<Json> {
    let mut gathering = Gathering::default();
    let mut kept: Vec<Json> = Vec::new();
    for line in lines {
        let row = Row::read(&line).unwrap();
        if gathering.find(&row.key()).is_none() {
            kept.push(line);
        }
        gathering.add(hour(0), row);
    }
    kept
}

fn shifted(lines: &[Json], seconds: i64) -> Rows {
    let mut moved = Vec::new();
    for line in lines {
        let mut line = line.clone();
        for value in line.as_object_mut().unwrap().values_mut() {
            if let Some(at) = value
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
            {
                let at = Timestamp::from_second(at.as_second() + seconds).unwrap();
                *value = at.to_string().into();
            }
        }
        moved.push(line);
    }
    rows(&moved)
}

proptest! {
    #[test]
    fn every_row_is_counted_or_has_a_reason_and_shares_are_shares(lines in some_rows(), since in some_hour(), days in 0_i64..40, which in 0_usize..3) {
        let rows = rows(&lines);
        let mut ask = ask();
        ask.window = Window { since: hour(since), until: hour(since + days * 24) };
        ask.definition = definitions::ALL[which];
        let found = find(&rows, &ask);
        found.adds_up();
        for id in ["change-fail-rate", "rework-rate"] {
            let Value::Share(share) = &found.metric(id).value else { continue };
            let Some(rate) = share.rate else { continue };
            prop_assert!(rate >= 0.0);
            if !ask.definition.counts_incidents {
                prop_assert!(rate <= 1.0);
                let (low, high) = share.interval.unwrap();
                prop_assert!(0.0 <= low && low <= rate && rate <= high && high <= 1.0);
            }
        }
    }

    #[test]
    fn order_repetition_and_time_zones_change_nothing(lines in some_rows().prop_map(each_once), turn in 0_usize..40) {
        let plain = said(&find(&rows(&lines), &ask()));
        let mut turned = lines.clone();
        turned.reverse();
        turned.rotate_left(turn % lines.len().max(1));
        turned.extend(lines.iter().take(turn).cloned());
        prop_assert_eq!(&said(&find(&rows(&turned), &ask())), &plain);
        let there: Vec<Json> = lines.iter().map(elsewhere).collect();
        prop_assert_eq!(said(&find(&rows(&there), &ask())), plain);
    }

    #[test]
    fn a_window_shows_rows_as_the_whole_does(lines in some_rows(), since in some_hour(), days in 0_i64..40) {
        let rows = rows(&lines);
        let mut wide = ask();
        wide.window = Window { since: hour(-10_000), until: hour(10_000) };
        let whole = find(&rows, &wide);
        let mut narrow = ask();
        narrow.window = Window { since: hour(since), until: hour(since + days * 24) };
        let part = find(&rows, &narrow);
        for (place, ids) in part.ids.iter().enumerate() {
            for row in ids {
                prop_assert!(whole.ids[place].contains(row), "{:?}", row);
            }
        }
    }

    #[test]
    fn another_clock_moves_all_times_and_no_value(lines in some_rows(), weeks in -50_i64..50) {
        // Whole weeks, so that days of the week stay.
        let seconds = weeks * 7 * 86_400;
        let plain = find(&rows(&lines), &ask());
        let mut moved = ask();
        let then = |at: Timestamp| Timestamp::from_second(at.as_second() + seconds).unwrap();
        moved.now = then(moved.now);
        moved.window = Window { since: then(moved.window.since), until: then(moved.window.until) };
        let there = find(&shifted(&lines, seconds), &moved);
        prop_assert_eq!(format!("{:?} {:?}", plain.ids, plain.reasons), format!("{:?} {:?}", there.ids, there.reasons));
    }

    #[test]
    fn a_success_that_nothing_is_blamed_on_never_raises_the_fail_rate(lines in some_rows(), at in some_hour()) {
        // With incidents that name their deployment, and no roll-back, nothing can be blamed on the new one.
        let mut lines: Vec<Json> = lines.into_iter().filter(|line| {
            line["kind"] != "commit" && (line["kind"] != "incident" || line["deployment"].is_u64()) && line["hotfix"].is_null() && line["reverts"].is_null()
        }).collect();
        for line in &mut lines {
            if line["kind"] == "deployment" {
                line["sha"] = format!("own{}", line["id"]).into();
            }
        }
        lines.push(deployment(90, 5, "seed"));
        let before = find(&rows(&lines), &ask()).rate("change-fail-rate");
        lines.push(deployment(91, at, "fresh"));
        let after = find(&rows(&lines), &ask()).rate("change-fail-rate");
        prop_assert!(after <= before, "{:?} {:?}", before, after);
    }
}
