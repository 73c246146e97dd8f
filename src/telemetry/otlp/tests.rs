//! Documents of OTLP, read back.

use serde_json::Value as Json;

use super::*;
use crate::telemetry::instruments::{DURATIONS, RUN_ACTIVE, RUN_DURATION, RUN_SUCCESS, RUNS};
use crate::telemetry::logs::{Place, Severity};
use crate::telemetry::metrics::{Buckets, Collector};
use crate::telemetry::semconv::{COMMAND, JOB, LLM_COST, PIPELINE_NAME, RUN_ATTEMPT};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn source() -> Source {
    let mut resource = Attributes::new();
    resource.text(COMMAND, "test");
    Source {
        resource,
        version: "0.1.0".into(),
    }
}

fn span(name: &str) -> Span {
    let mut attributes = Attributes::new();
    attributes.int(RUN_ATTEMPT, u64::MAX);
    attributes.double(LLM_COST, 0.25);
    attributes.text(JOB, "\u{0}");
    Span {
        trace: TraceId::of_run(1, 1),
        id: SpanId::of_run(1, 1),
        parent: Some(SpanId::of_run(1, 2)),
        name: name.into(),
        kind: SpanKind::Client,
        start: "2026-01-05T09:00:00.000000001Z".parse().unwrap(),
        end: AT,
        attributes,
        links: vec![(TraceId::of_run(1, 0), SpanId::of_run(1, 0))],
        failed: Some("failure"),
    }
}

fn read(document: &str) -> Json {
    serde_json::from_str(document).unwrap()
}

#[test]
fn a_span_is_written_as_the_specification_has_it() {
    let documents = traces(&source(), &[span("x")]);
    let span = &read(&documents[0])["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], TraceId::of_run(1, 1).to_string());
    assert_eq!(span["kind"], 3);
    assert_eq!(span["startTimeUnixNano"], "1767603600000000001");
    // It ends before it begins.
    assert_eq!(span["endTimeUnixNano"], "1767603600000000001");
    assert_eq!(span["status"]["code"], 2);
    let value = |at: usize| &span["attributes"][at]["value"];
    assert_eq!(value(0)["intValue"], "9223372036854775807");
    assert_eq!(value(1)["doubleValue"], 0.25);
    assert_eq!(value(2)["stringValue"], "\u{0}");
}

#[test]
fn documents_hold_so_many_spans_and_so_many_bytes() {
    let many: Vec<Span> = (0..=2 * MOST).map(|_| span("x")).collect();
    let held = |document: &String| {
        let document = read(document);
        let spans = &document["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.as_array().unwrap().len()
    };
    let documents = traces(&source(), &many);
    assert_eq!(
        documents.iter().map(held).collect::<Vec<_>>(),
        [MOST, MOST, 1]
    );

    let mut large = span(&"\u{1}".repeat(10_000));
    for key in [COMMAND, PIPELINE_NAME] {
        large.attributes.text(key, &"\u{1}".repeat(10_000));
    }
    let documents = traces(&source(), &vec![large; MOST]);
    assert!(documents.len() > 1);
    assert!(documents.iter().all(|d| d.len() < LARGEST + 64 * 1024));
    assert!(traces(&source(), &[]).is_empty());
}

#[test]
fn a_log_record_knows_its_trace() {
    let place = Place {
        run: Some(1),
        attempt: 1,
        ..Place::default()
    };
    let documents = logs(&source(), &[place.log(AT, Severity::Error, "no")]);
    let record = &read(&documents[0])["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["severityNumber"], 17);
    assert_eq!(record["body"]["stringValue"], "no");
    assert_eq!(record["traceId"], TraceId::of_run(1, 1).to_string());
}

#[test]
fn sums_follow_the_temporality_that_was_chosen_and_what_shrinks_does_not() {
    let mut collector = Collector::default();
    let labels = [(PIPELINE_NAME, "ci")];
    let mut buckets = Buckets::new(DURATIONS);
    buckets.add(30.0);
    collector.buckets(&RUN_DURATION, &labels, AT, buckets);
    collector.count(&RUN_ACTIVE, &labels, AT, 2);
    collector.count(&RUNS, &labels, AT, 7);
    collector.number(&RUN_SUCCESS, &labels, AT, 0.5);
    let of = |temporality| {
        let documents = metrics(&source(), collector.metrics(), temporality, AT);
        assert_eq!(documents.len(), 1);
        read(&documents[0])["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].clone()
    };
    let told = of(Temporality::Delta);
    assert_eq!(told[0]["histogram"]["aggregationTemporality"], 1);
    let point = &told[0]["histogram"]["dataPoints"][0];
    assert_eq!(point["count"], "1");
    assert_eq!(point["bucketCounts"][3], "1");
    assert_eq!(point["explicitBounds"][3], 30.0);
    assert_eq!(told[1]["sum"]["aggregationTemporality"], 2);
    assert_eq!(told[1]["sum"]["isMonotonic"], false);
    assert_eq!(told[2]["sum"]["aggregationTemporality"], 1);
    assert_eq!(told[2]["sum"]["isMonotonic"], true);
    assert_eq!(told[2]["sum"]["dataPoints"][0]["asInt"], "7");
    assert_eq!(told[3]["gauge"]["dataPoints"][0]["asDouble"], 0.5);
    let told = of(Temporality::Cumulative);
    assert_eq!(told[0]["histogram"]["aggregationTemporality"], 2);
    assert_eq!(told[2]["sum"]["aggregationTemporality"], 2);
}
