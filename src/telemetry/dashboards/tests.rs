//! What Grafana is given.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::telemetry::instruments::{INSTRUMENTS, Kind, plain};
use crate::telemetry::semconv::KEYS;

fn expressions() -> Vec<String> {
    let panels = dashboards().into_iter().flat_map(|board| board.panels);
    let queries = panels.flat_map(|panel| panel.queries);
    queries.map(|query| query.expression).collect()
}

/// All names in an expression: metrics and labels.
fn names(expression: &str) -> BTreeSet<String> {
    let mut kept = String::new();
    let mut in_text = false;
    for c in expression.chars() {
        in_text ^= c == '"';
        let name = c.is_ascii_alphanumeric() || c == '_';
        kept.push(if name && !in_text { c } else { ' ' });
    }
    kept.split_whitespace().map(str::to_string).collect()
}

#[test]
fn there_are_six_and_each_has_its_own_name() {
    let boards = dashboards();
    let names: BTreeSet<&str> = boards.iter().map(|board| board.uid).collect();
    assert_eq!((boards.len(), names.len()), (6, 6));
    for board in &boards {
        let titles: BTreeSet<&str> = board.panels.iter().map(|panel| panel.title).collect();
        assert_eq!(titles.len(), board.panels.len(), "{}", board.uid);
    }
}

#[test]
fn no_expression_makes_a_value_up() {
    for expression in expressions() {
        for word in ["vector(", "absent(", " or "] {
            assert!(!expression.contains(word), "{expression}");
        }
        assert!(expression.contains("=~\"$repository\""), "{expression}");
    }
}

#[test]
fn expressions_ask_for_metrics_and_labels_of_the_table_only() {
    let mut known: BTreeSet<String> = KEYS.iter().map(|key| plain(key.name())).collect();
    for instrument in INSTRUMENTS.iter().filter(|i| i.in_prometheus) {
        let name = instrument.prometheus_name();
        known.insert(match instrument.kind {
            Kind::Histogram => format!("{name}_bucket"),
            _ => name,
        });
    }
    let words = [
        "sum",
        "max",
        "by",
        "le",
        "time",
        "histogram_quantile",
        "0",
        "5",
        "95",
    ];
    known.extend(words.map(String::from));
    for expression in expressions() {
        let unknown: Vec<String> = names(&expression).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{expression}: {unknown:?}");
    }
}

#[test]
fn every_metric_that_prometheus_is_told_stands_on_some_dashboard() {
    let shown: BTreeSet<String> = expressions().iter().flat_map(|e| names(e)).collect();
    for instrument in INSTRUMENTS.iter().filter(|i| i.in_prometheus) {
        let name = instrument.prometheus_name();
        let known = shown.contains(&name) || shown.contains(&format!("{name}_bucket"));
        assert!(known, "{name}");
    }
}

#[test]
fn panels_lie_beside_each_other_and_not_on_each_other() {
    for file in files()
        .iter()
        .filter(|file| file.name.starts_with("dashboards/"))
    {
        let board: Value = serde_json::from_str(&file.text).unwrap();
        let mut taken = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let place = |what| panel["gridPos"][what].as_u64().unwrap();
            for x in place("x")..place("x") + place("w") {
                assert!(x < 24);
                for y in place("y")..place("y") + place("h") {
                    assert!(taken.insert((x, y)), "{} {}", file.name, panel["title"]);
                }
            }
        }
    }
}
