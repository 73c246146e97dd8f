//! Metrics over OTLP: sums, gauges and histograms with times of their own, so that runs of the past are told as of when they were.

use jiff::Timestamp;

use super::json::Json;
use super::{LARGEST, MOST, Source, Temporality, close, nanos, open};
use crate::telemetry::instruments::Kind;
use crate::telemetry::metrics::{Labels, Measure, Metric};

/// Returns the documents of metrics. `since` is when counting began: the last export for `Delta`, the beginning of the state for `Cumulative`; the values
/// must be of that time.
///
/// As the SDKs' preference `delta` has it (OpenTelemetry specification, metrics exporter OTLP), what also shrinks stays cumulative.
pub(crate) fn metrics<'a>(
    source: &Source,
    metrics: impl Iterator<Item = &'a Metric>,
    temporality: Temporality,
    since: Timestamp,
) -> Vec<String> {
    let names = ["resourceMetrics", "scopeMetrics", "metrics"];
    let mut documents = Vec::new();
    let mut json = open(source, names);
    let mut held = 0;
    for metric in metrics {
        let points: Vec<_> = metric
            .series
            .iter()
            .flat_map(|(labels, points)| points.iter().map(move |(&at, m)| (labels, at, m)))
            .collect();
        for points in points.chunks(MOST) {
            if held + points.len() > MOST || json.len() >= LARGEST {
                if held > 0 {
                    documents.push(close(json));
                    json = open(source, names);
                }
                held = 0;
            }
            write_metric(&mut json, metric, points, temporality, since);
            held += points.len();
        }
    }
    if held > 0 {
        documents.push(close(json));
    }
    documents
}

fn write_metric(
    json: &mut Json,
    metric: &Metric,
    points: &[(&Labels, Timestamp, &Measure)],
    temporality: Temporality,
    since: Timestamp,
) {
    let instrument = metric.instrument;
    json.begin('{');
    json.member("name", instrument.name);
    json.member("description", instrument.help);
    json.member("unit", instrument.unit);
    json.key(match instrument.kind {
        Kind::Gauge => "gauge",
        Kind::Counter | Kind::UpDownCounter => "sum",
        Kind::Histogram => "histogram",
    });
    json.begin('{');
    if instrument.kind != Kind::Gauge {
        let delta = temporality == Temporality::Delta && instrument.kind != Kind::UpDownCounter;
        json.raw_member("aggregationTemporality", if delta { "1" } else { "2" });
    }
    match instrument.kind {
        Kind::Counter => json.raw_member("isMonotonic", "true"),
        Kind::UpDownCounter => json.raw_member("isMonotonic", "false"),
        Kind::Gauge | Kind::Histogram => {}
    }
    json.key("dataPoints");
    json.begin('[');
    for (labels, at, measure) in points {
        json.begin('{');
        write_labels(json, labels);
        if instrument.kind != Kind::Gauge {
            json.member("startTimeUnixNano", &nanos(since.min(*at)));
        }
        json.member("timeUnixNano", &nanos(*at));
        write_measure(json, measure);
        json.end('}');
    }
    json.end(']');
    json.end('}');
    json.end('}');
}

fn write_labels(json: &mut Json, labels: &Labels) {
    json.key("attributes");
    json.begin('[');
    for (key, value) in labels {
        json.begin('{');
        json.member("key", key.name());
        json.key("value");
        json.begin('{');
        json.member("stringValue", value);
        json.end('}');
        json.end('}');
    }
    json.end(']');
}

fn write_measure(json: &mut Json, measure: &Measure) {
    match measure {
        Measure::Int(value) => json.member("asInt", &value.to_string()),
        Measure::Double(value) => {
            json.key("asDouble");
            json.number(*value);
        }
        Measure::Histogram(buckets) => {
            json.member("count", &buckets.count().to_string());
            json.key("sum");
            json.number(buckets.sum);
            json.key("bucketCounts");
            json.begin('[');
            for count in &buckets.counts {
                json.text(&count.to_string());
            }
            json.end(']');
            json.key("explicitBounds");
            json.begin('[');
            for bound in buckets.bounds {
                json.number(*bound);
            }
            json.end(']');
        }
    }
}
