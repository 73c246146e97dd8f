//! What the rules say; `tests/interop/observe.sh` asks promtool whether they hold.

use std::collections::BTreeSet;

use super::rules::all;
use super::*;
use crate::telemetry::dashboards::dashboards;
use crate::telemetry::instruments::INSTRUMENTS;

#[test]
fn every_rule_has_a_name_a_dashboard_and_both_tests() {
    let boards: BTreeSet<&str> = dashboards().iter().map(|board| board.uid).collect();
    let mut names = BTreeSet::new();
    for rule in all().iter().flat_map(|(_, rules)| rules) {
        assert!(names.insert(rule.name), "{}", rule.name);
        assert!(boards.contains(rule.dashboard), "{}", rule.name);
        assert!(!rule.fires.series.is_empty() && !rule.silent.is_empty());
    }
    let tests = unit_tests("maestro.rules.yml");
    assert_eq!(tests.matches("alertname: ").count(), 2 * names.len());
}

#[test]
fn rules_ask_for_metrics_of_the_table_only() {
    let known: Vec<String> = INSTRUMENTS.iter().map(|i| i.prometheus_name()).collect();
    for rule in all().iter().flat_map(|(_, rules)| rules) {
        let asked = known
            .iter()
            .filter(|name| rule.expression.contains(name.as_str()));
        assert!(asked.count() > 0, "{}", rule.expression);
        for series in rule.fires.series.iter().chain(&rule.silent) {
            let name = series.series.split('{').next().unwrap_or_default();
            assert!(known.iter().any(|known| known == name), "{name}");
        }
    }
}
