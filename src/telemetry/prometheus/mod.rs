//! Metrics as Prometheus reads them: its text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) for node_exporter's textfile collector
//! and the Pushgateway, and `OpenMetrics` 1.0 for scrapes and, with times, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! Equal values give equal bytes: families in the order of the table, series sorted by their labels.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use jiff::Timestamp;

use super::instruments::{Kind, plain};
use super::metrics::{Labels, Measure, Metric};

/// The content type of the text format.
pub(crate) const TEXT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The content type of `OpenMetrics`.
pub(crate) const OPEN_METRICS_TYPE: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// In which form metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The newest value of each series without its time: the Pushgateway refuses times, the textfile collector ignores files with them.
    Text,
    /// The newest value of each series without its time.
    OpenMetrics,
    /// All values with their times.
    History,
}

/// Writes metrics, each series with labels that all have in common.
pub(crate) fn write<'a>(
    metrics: impl Iterator<Item = &'a Metric>,
    common: &Labels,
    form: Form,
) -> String {
    let mut out = String::new();
    for metric in metrics {
        if metric.instrument.in_prometheus {
            write_family(&mut out, metric, common, form);
        }
    }
    if form != Form::Text {
        out.push_str("# EOF\n");
    }
    out
}

/// Returns the path at a Pushgateway that replaces what was pushed under these labels before (pushgateway's README, "URL").
///
/// Values go in base64 (RFC 4648, "URL and Filename safe"), since they may hold slashes or be empty.
pub(crate) fn pushgateway_path(job: &str, grouping: &Labels) -> String {
    let mut path = format!("/metrics/job@base64/{}", base64(job));
    for (key, value) in grouping {
        path.push_str(&format!("/{}@base64/{}", plain(key.name()), base64(value)));
    }
    path
}

/// Returns a text in base64; what is empty is one sign of padding, as the Pushgateway asks for.
fn base64(text: &str) -> String {
    match text {
        "" => "=".into(),
        text => BASE64_URL_SAFE.encode(text),
    }
}

fn write_family(out: &mut String, metric: &Metric, common: &Labels, form: Form) {
    let instrument = metric.instrument;
    let samples = instrument.prometheus_name();
    let family = match form {
        Form::Text => samples.clone(),
        Form::OpenMetrics | Form::History => instrument.family(),
    };
    let kind = match instrument.kind {
        Kind::Counter => "counter",
        Kind::UpDownCounter | Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let unit = instrument.prometheus_unit();
    let help = escaped_help(instrument.help, form);
    out.push_str(&format!("# HELP {family} {help}\n# TYPE {family} {kind}\n"));
    // A unit of OpenMetrics is the name's own ending.
    if form != Form::Text && !unit.is_empty() && family.ends_with(&format!("_{unit}")) {
        out.push_str(&format!("# UNIT {family} {unit}\n"));
    }
    for (labels, points) in &metric.series {
        let labels = labels_of(common, labels);
        let newest = points.len().saturating_sub(1);
        for (place, (&at, measure)) in points.iter().enumerate() {
            if form == Form::History {
                write_measure(out, &samples, &labels, measure, Some(at));
            } else if place == newest {
                write_measure(out, &samples, &labels, measure, None);
            }
        }
    }
}

/// Returns labels by their names in Prometheus; those of a series stand before those that all have.
fn labels_of(common: &Labels, own: &Labels) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, value) in common.iter().chain(own) {
        if !value.is_empty() {
            labels.insert(plain(key.name()), escaped(value));
        }
    }
    labels
}

fn write_measure(
    out: &mut String,
    name: &str,
    labels: &BTreeMap<String, String>,
    measure: &Measure,
    at: Option<Timestamp>,
) {
    match measure {
        Measure::Int(value) => write_sample(out, name, labels, None, &value.to_string(), at),
        Measure::Double(value) => write_sample(out, name, labels, None, &value.to_string(), at),
        Measure::Histogram(buckets) => {
            let bucket = format!("{name}_bucket");
            let mut below: u64 = 0;
            for (place, count) in buckets.counts.iter().enumerate() {
                below = below.saturating_add(*count);
                let bound = match buckets.bounds.get(place) {
                    Some(bound) => float(*bound),
                    None => "+Inf".into(),
                };
                let below = below.to_string();
                write_sample(out, &bucket, labels, Some(&bound), &below, at);
            }
            let sum = buckets.sum.to_string();
            write_sample(out, &format!("{name}_sum"), labels, None, &sum, at);
            let count = buckets.count().to_string();
            write_sample(out, &format!("{name}_count"), labels, None, &count, at);
        }
    }
}

fn write_sample(
    out: &mut String,
    name: &str,
    labels: &BTreeMap<String, String>,
    bound: Option<&str>,
    value: &str,
    at: Option<Timestamp>,
) {
    out.push_str(name);
    let mut between = '{';
    let own = labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in own.chain(bound.map(|bound| ("le", bound))) {
        out.push_str(&format!("{between}{key}=\"{value}\""));
        between = ',';
    }
    if between == ',' {
        out.push('}');
    }
    out.push(' ');
    out.push_str(value);
    if let Some(at) = at {
        out.push_str(&format!(" {}", seconds(at)));
    }
    out.push('\n');
}

/// Returns a bound as `OpenMetrics` recommends for `le`: with a point, so that readers of either format see one series.
fn float(bound: f64) -> String {
    format!("{bound:?}")
}

/// Returns seconds of Unix time, to the millisecond.
fn seconds(at: Timestamp) -> String {
    let milliseconds = at.as_millisecond().max(0);
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Returns a label's value with backslash, quote and line feed escaped; other characters stand for themselves, but control characters, which some
/// readers end lines at, are spaces.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

fn escaped_help(help: &str, form: Form) -> String {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    match form {
        Form::Text => help,
        Form::OpenMetrics | Form::History => help.replace('"', "\\\""),
    }
}
