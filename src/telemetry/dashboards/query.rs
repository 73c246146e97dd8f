//! Expressions of PromQL over the table of metrics. Every one asks for the chosen repositories only, and drops what a scrape adds to a series.

use crate::telemetry::instruments::{Instrument, plain};
use crate::telemetry::semconv::{Key, REPOSITORY_NAME};

/// An expression with what names its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) expression: String,
    pub(crate) legend: String,
}

/// Labels that a series must have.
pub(super) type Only = &'static [(Key, &'static str)];

/// Sums up counts over repositories.
pub(super) fn sum(instrument: &Instrument, by: &[Key], only: Only) -> Query {
    let of = selector(&instrument.prometheus_name(), only);
    if by.is_empty() {
        return Query {
            expression: format!("sum({of})"),
            legend: "all".into(),
        };
    }
    Query {
        expression: format!("sum by ({}) ({of})", names(by)),
        legend: legend(by),
    }
}

/// Shows a value of each repository as it is: what is no count is never added up nor averaged.
pub(super) fn each(instrument: &Instrument, by: &[Key], only: Only) -> Query {
    let of = selector(&instrument.prometheus_name(), only);
    let mut keys = vec![REPOSITORY_NAME];
    keys.extend(by);
    Query {
        expression: format!("max by ({}) ({of})", names(&keys)),
        legend: legend(&keys),
    }
}

/// A quantile of a histogram.
pub(super) fn quantile(quantile: &str, instrument: &Instrument, by: &[Key]) -> Query {
    let of = selector(&format!("{}_bucket", instrument.prometheus_name()), &[]);
    let mut all = vec!["le".to_string()];
    all.extend(by.iter().map(|key| plain(key.name())));
    let all = all.join(", ");
    Query {
        expression: format!("histogram_quantile({quantile}, sum by ({all}) ({of}))"),
        legend: if by.is_empty() {
            "all".into()
        } else {
            legend(by)
        },
    }
}

/// How long ago a time was.
pub(super) fn age(instrument: &Instrument) -> Query {
    let since = each(instrument, &[], &[]);
    Query {
        expression: format!("time() - {}", since.expression),
        legend: since.legend,
    }
}

impl Query {
    /// Names the series by a word.
    pub(super) fn called(mut self, word: &str) -> Self {
        self.legend = word.into();
        self
    }
}

fn selector(name: &str, only: Only) -> String {
    let mut matchers = format!("{}=~\"$repository\"", plain(REPOSITORY_NAME.name()));
    for (key, value) in only {
        matchers.push_str(&format!(",{}=\"{value}\"", plain(key.name())));
    }
    format!("{name}{{{matchers}}}")
}

fn names(keys: &[Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| plain(key.name())).collect();
    names.join(", ")
}

fn legend(keys: &[Key]) -> String {
    let labels: Vec<String> = keys
        .iter()
        .map(|key| format!("{{{{{}}}}}", plain(key.name())))
        .collect();
    labels.join(" ")
}
