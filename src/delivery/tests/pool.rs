//! Rows of many repositories: what is pooled, and what must never meet.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::laws::some_rows;
use super::{ask, commit, deployment, find, hour, incident, pull, rows, with};
use crate::delivery::ask::{Ask, Source};
use crate::delivery::definitions;
use crate::delivery::metrics::{Metric, Value};
use crate::delivery::pool::{Measured, Pool, Repository, measure, parts};
use crate::delivery::splits::By;

fn pool(repositories: &[(&str, Vec<Json>)]) -> Pool {
    let list = repositories.iter().map(|(name, lines)| Repository {
        name: (*name).to_owned(),
        rows: rows(lines),
    });
    Pool {
        list: list.collect(),
    }
}

fn metric<'m>(metrics: &'m [Metric], id: &str) -> &'m Metric {
    metrics.iter().find(|metric| metric.id == id).unwrap()
}

fn median(metrics: &[Metric], id: &str) -> Option<f64> {
    match &metric(metrics, id).value {
        Value::Spread(spread) => spread.median.map(|median| median.value / 3600.0),
        other => panic!("{other:?}"),
    }
}

/// A repository with a pull request for each lead time, in hours; all are called 1, 2, …, and so are their commits.
fn repository(hours: &[i64]) -> Vec<Json> {
    let mut lines = vec![commit("c0", &[]), deployment(1, 0, "c0")];
    for (number, hours) in (1_u64..).zip(hours) {
        let sha = format!("c{number}");
        let before = format!("c{}", number - 1);
        let at = 200 + i64::try_from(number).unwrap();
        lines.push(commit(&sha, &[&before]));
        lines.push(pull(number, at - hours, at - hours, at - 1, &sha));
        lines.push(deployment(number + 1, at, &sha));
    }
    lines
}

#[test]
fn a_median_is_that_of_all_rows_and_never_one_of_medians() {
    // Medians of 2, 2 and 100; their median is 2, their mean 34.7, and that of all rows 50.
    let pool = pool(&[
        ("o/a", repository(&[1, 2, 3])),
        ("o/b", repository(&[2])),
        ("o/c", repository(&[50, 100, 101, 102, 100])),
    ]);
    let found = measure(&pool, &ask());
    assert_eq!(median(&found.metrics, "lead-time-deploy"), Some(50.0));
    let each: Vec<Option<f64>> = found
        .each
        .iter()
        .map(|each| median(&each.metrics, "lead-time-deploy"))
        .collect();
    assert_eq!(each, [Some(2.0), Some(2.0), Some(100.0)]);
    let counted: Vec<usize> = found
        .each
        .iter()
        .map(|each| metric(&each.metrics, "lead-time-deploy").counted)
        .collect();
    assert_eq!(
        (counted, metric(&found.metrics, "lead-time-deploy").counted),
        (vec![3, 1, 5], 9)
    );
}

#[test]
fn equal_numbers_of_two_repositories_are_two_rows_that_know_whose_they_are() {
    let pool = pool(&[("o/a", repository(&[5])), ("o/b", repository(&[7]))]);
    let found = measure(&pool, &ask());
    let rows: Vec<_> = metric(&found.metrics, "lead-time-deploy")
        .evidence
        .iter()
        .map(|row| {
            (
                pool.name(row.row).unwrap(),
                pool.id(row.row),
                pool.name(row.linked[0]).unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("o/a", "1".to_owned(), "o/a"),
            ("o/b", "1".to_owned(), "o/b")
        ]
    );
}

#[test]
fn a_deployment_of_one_repository_never_ships_or_fails_for_another() {
    // The other one has the same commits and no deployment; it has an incident and a revert of number 1 right after the first's deployments.
    let mut other: Vec<Json> = repository(&[9])
        .into_iter()
        .filter(|line| line["kind"] != "deployment")
        .collect();
    other.push(incident(1, 202, Some(203)));
    other.push(with(
        pull(2, 202, 202, 203, "c1"),
        &json!({ "reverts": ["#1"] }),
    ));
    let pool = pool(&[("o/a", repository(&[5])), ("o/b", other)]);
    let found = measure(&pool, &ask());
    let lead = metric(&found.metrics, "lead-time-deploy");
    assert_eq!((lead.counted, lead.rows), (1, 3));
    assert!(
        lead.left_out
            .iter()
            .all(|left| pool.name(left.row) == Some("o/b"))
    );
    let failed = &metric(&found.metrics, "change-fail-rate").evidence;
    assert!(failed.iter().all(|row| !row.is_part), "{failed:?}");
}

#[test]
fn each_repository_takes_deployments_from_its_own_first_source() {
    let tags = vec![
        commit("c0", &[]),
        json!({ "kind": "tag", "name": "v1.0.0", "sha": "c0", "at": hour(4).to_string() }),
    ];
    let (one, other) = (("o/a", repository(&[5])), ("o/b", tags));
    let found = measure(&pool(&[one.clone(), other]), &ask());
    assert_eq!(found.source(), Some("several"));
    let sources: Vec<_> = found.each.iter().map(|each| each.source).collect();
    assert_eq!(sources, [Some(Source::Deployments), Some(Source::Tags)]);
    let Value::Rhythm(rhythm) = &metric(&found.metrics, "deployment-frequency").value else {
        panic!()
    };
    assert_eq!(rhythm.deployments, 3);
    // One that ships nothing has no say.
    let found = measure(&pool(&[one, ("o/b", vec![])]), &ask());
    assert_eq!(found.source(), Some("deployments"));
    assert_eq!(measure(&Pool::default(), &ask()).source(), None);
}

#[test]
fn parts_are_pooled_too() {
    let of = |path: &str| -> Vec<Json> {
        let lines = repository(&[5, 6]).into_iter();
        lines
            .map(|line| {
                if line["kind"] == "pull" {
                    with(line, &json!({ "paths": [path] }))
                } else {
                    line
                }
            })
            .collect()
    };
    let pool = pool(&[("o/a", of("web")), ("o/b", of("web")), ("o/c", of("api"))]);
    let parts = parts(&pool, &ask(), By::Path);
    let counts: Vec<_> = parts
        .iter()
        .map(|(name, metrics)| (name.as_str(), metric(metrics, "lead-time-deploy").counted))
        .collect();
    assert_eq!(counts, [("web", 4), ("api", 2)]);
}

/// Everything that is said, but for where rows stand.
fn said(found: &Measured, pool: &Pool) -> Vec<String> {
    let metrics = found.metrics.iter();
    metrics
        .map(|metric| {
            let mut rows: Vec<_> = metric
                .evidence
                .iter()
                .map(|row| {
                    format!(
                        "{:?} {} {:?} {:?}",
                        pool.name(row.row),
                        pool.id(row.row),
                        row.seconds,
                        row.is_part
                    )
                })
                .collect();
            rows.sort();
            // Sums of fractions depend on their order in the last digits.
            let value = match &metric.value {
                Value::Spread(spread) => format!(
                    "{:?} {:?} {}",
                    spread.n,
                    spread.median,
                    spread.mean.unwrap_or(0.0).round()
                ),
                other => format!("{other:?}"),
            };
            format!(
                "{} {value} {} {} {rows:?}",
                metric.id, metric.rows, metric.counted
            )
        })
        .collect()
}

fn asked(which: usize) -> Ask<'static> {
    let mut ask = ask();
    ask.definition = definitions::ALL[which];
    ask
}

proptest! {
    #[test]
    fn one_repository_says_in_a_pool_what_it_says_alone(lines in some_rows(), which in 0_usize..3) {
        let alone = find(&rows(&lines), &asked(which));
        let found = measure(&pool(&[("", lines.clone())]), &asked(which));
        prop_assert_eq!(&found.metrics, &alone.metrics);
        prop_assert_eq!(&found.accounts, &alone.accounts);
        // Another one without rows changes nothing, as values that were worked out anew show.
        let found = measure(&pool(&[("", lines), ("", vec![])]), &asked(which));
        prop_assert_eq!(found.metrics, alone.metrics);
        prop_assert_eq!(found.accounts, alone.accounts);
    }

    #[test]
    fn the_order_of_repositories_changes_nothing_and_every_row_is_counted_or_has_a_reason(
        one in some_rows(), two in some_rows(), three in some_rows(), which in 0_usize..3,
    ) {
        let ask = asked(which);
        let forth = pool(&[("a", one.clone()), ("b", two.clone()), ("c", three.clone())]);
        let back = pool(&[("c", three), ("b", two), ("a", one)]);
        let found = measure(&forth, &ask);
        prop_assert_eq!(said(&found, &forth), said(&measure(&back, &ask), &back));
        for metric in &found.metrics {
            prop_assert_eq!(metric.rows, metric.counted + metric.left_out.len());
            if let Value::Share(share) = &metric.value && !ask.definition.counts_incidents {
                prop_assert!(share.part <= share.of);
            }
        }
        for account in &found.accounts {
            let left: usize = account.left_out.values().sum();
            prop_assert_eq!(account.rows, account.counted + account.context + left);
            prop_assert_eq!(account.unexplained, 0);
        }
    }
}
