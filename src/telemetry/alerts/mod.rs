//! Alert rules for Prometheus, unit tests for `promtool` in which each rule fires and stays silent, and an example for Alertmanager.

mod rules;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::write::{alertmanager, rules, unit_tests};

/// How soon somebody has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody is woken up.
    Critical,
    /// Somebody looks the same day.
    Warning,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) expression: String,
    /// How long it must hold.
    pub(crate) holds: &'static str,
    pub(crate) urgency: Urgency,
    pub(crate) summary: &'static str,
    /// What is measured, with the value, and what to do.
    pub(crate) words: &'static str,
    /// The dashboard that shows more.
    pub(crate) dashboard: &'static str,
    pub(crate) fires: Fires,
    /// Series at which it stays silent.
    pub(crate) silent: Vec<Series>,
}

/// When a rule fires.
#[derive(Debug)]
pub(crate) struct Fires {
    pub(crate) series: Vec<Series>,
    /// The labels that the alert has besides its urgency.
    pub(crate) labels: &'static [(&'static str, &'static str)],
    /// What `words` come to.
    pub(crate) words: &'static str,
}

/// A series with its values, a minute apart, in `promtool`'s notation.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) series: String,
    pub(crate) values: &'static str,
}
