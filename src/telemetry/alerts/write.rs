//! Rules and their tests as YAML. Texts are written as JSON strings, which YAML takes as they are.

use super::rules::all;
use super::{Rule, Series, Urgency};
use crate::telemetry::otlp::json::Json;

/// The minute at which unit tests look.
const LOOKS_AT: &str = "2h";

impl Urgency {
    const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// Returns the rules as a file of Prometheus.
pub(crate) fn rules() -> String {
    let mut out = String::from("groups:\n");
    for (group, rules) in all() {
        out.push_str(&format!("  - name: {group}\n    rules:\n"));
        for rule in rules {
            let lines = [
                format!("      - alert: {}", rule.name),
                format!("        expr: {}", quoted(&rule.expression)),
                format!("        for: {}", rule.holds),
                format!(
                    "        labels:\n          severity: {}",
                    rule.urgency.word()
                ),
                format!(
                    "        annotations:\n          summary: {}",
                    quoted(rule.summary)
                ),
                format!("          description: {}", quoted(rule.words)),
                format!("          dashboard: {}", rule.dashboard),
            ];
            out.push_str(&(lines.join("\n") + "\n"));
        }
    }
    out
}

/// Returns the tests of `promtool test rules`: of each rule one in which it fires and one in which it stays silent.
pub(crate) fn unit_tests(rules_file: &str) -> String {
    let mut out = format!(
        "rule_files:\n  - {}\nevaluation_interval: 1m\ntests:\n",
        quoted(rules_file)
    );
    for rule in all().iter().flat_map(|(_, rules)| rules) {
        test_begins(&mut out, rule, "fires", &rule.fires.series);
        out.push_str("        exp_alerts:\n          - exp_labels:\n");
        out.push_str(&format!(
            "              severity: {}\n",
            rule.urgency.word()
        ));
        for (label, value) in rule.fires.labels {
            out.push_str(&format!("              {label}: {}\n", quoted(value)));
        }
        let mut summary = rule.summary.to_string();
        for (label, value) in rule.fires.labels {
            summary = summary.replace(&format!("{{{{ $labels.{label} }}}}"), value);
        }
        out.push_str(&format!(
            "            exp_annotations:\n              summary: {}\n              description: {}\n              dashboard: {}\n",
            quoted(&summary),
            quoted(rule.fires.words),
            rule.dashboard
        ));
        test_begins(&mut out, rule, "stays silent", &rule.silent);
        out.push_str("        exp_alerts: []\n");
    }
    out
}

fn test_begins(out: &mut String, rule: &Rule, what: &str, series: &[Series]) {
    let title = quoted(&format!("{} {what}", rule.name));
    out.push_str(&format!(
        "  - name: {title}\n    interval: 1m\n    input_series:\n"
    ));
    for Series { series, values } in series {
        let (series, values) = (quoted(series), quoted(values));
        out.push_str(&format!(
            "      - series: {series}\n        values: {values}\n"
        ));
    }
    out.push_str(&format!(
        "    alert_rule_test:\n      - eval_time: {LOOKS_AT}\n        alertname: {}\n",
        rule.name
    ));
}

/// Returns a text in quotes.
fn quoted(text: &str) -> String {
    let mut json = Json::default();
    json.text(text);
    json.finish()
}

/// An example for Alertmanager: what is critical goes to PagerDuty (Events API v2), all else to a webhook. Keys are read from files.
pub(crate) fn alertmanager() -> &'static str {
    "global:
  pagerduty_url: https://events.pagerduty.com/v2/enqueue
route:
  receiver: team
  group_by: [alertname, vcs_repository_name]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 12h
  routes:
    - matchers: ['severity=\"critical\"']
      receiver: pagerduty
inhibit_rules:
  # Who is told that 95 % are spent need not hear of 80 %.
  - source_matchers: ['alertname=\"MaestroBudget95\"']
    target_matchers: ['alertname=\"MaestroBudget80\"']
    equal: [vcs_repository_name, maestro_budget_scope]
receivers:
  - name: pagerduty
    pagerduty_configs:
      - routing_key_file: /etc/alertmanager/pagerduty.key
        severity: '{{ .CommonLabels.severity }}'
        class: '{{ .CommonLabels.alertname }}'
        # Alerts of a group may differ in what they say, and a summary must not be empty.
        description: '{{ (index .Alerts 0).Annotations.summary }}{{ if gt (len .Alerts) 1 }} ({{ len .Alerts }} alerts){{ end }}'
        details:
          what: '{{ range .Alerts }}{{ .Annotations.description }} {{ end }}'
          dashboard: '{{ (index .Alerts 0).Annotations.dashboard }}'
        send_resolved: true
  - name: team
    webhook_configs:
      - url: http://127.0.0.1:9099/alerts
        send_resolved: true
"
}
