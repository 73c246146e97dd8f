//! OTLP over HTTP as JSON (opentelemetry-proto 1.x, `docs/specification.md`, "JSON Protobuf Encoding"): identities in hexadecimal digits, whole numbers
//! of 64 bits as texts, enumerations as numbers, names in lowerCamelCase.
//!
//! Each function returns whole documents, none larger than a receiver takes: `/v1/traces`, `/v1/metrics` and `/v1/logs` get one a request.

pub(crate) mod exporter;
pub(crate) mod json;
mod metrics;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::json::Json;
use super::attributes::{Attributes, Value, cut};
use super::ids::{SpanId, TraceId};
use super::logs::Log;
use super::semconv::SCHEMA_URL;

pub(crate) use self::metrics::metrics;

/// No document holds more spans, points or records.
pub(crate) const MOST: usize = 1000;

/// A document that has grown to so many bytes is closed. Receivers refuse 4 MiB (the default of gRPC's servers, which pass on what HTTP took in).
pub(crate) const LARGEST: usize = 3 * 1024 * 1024;

/// No name is longer, in bytes.
const LONGEST_NAME: usize = 256;

/// Whether sums say what was added since the last export, or since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temporality {
    Delta,
    Cumulative,
}

/// Who speaks.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// What all of it is about: service, repository.
    pub(crate) resource: Attributes,
    /// The version of maestro.
    pub(crate) version: String,
}

/// Whether a span served somebody, asked somebody, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanKind {
    Internal,
    Server,
    Client,
}

/// A span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) trace: TraceId,
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) attributes: Attributes,
    /// Other spans that belong to it.
    pub(crate) links: Vec<(TraceId, SpanId)>,
    /// Why it failed, in a word; nothing where it did not.
    pub(crate) failed: Option<&'static str>,
}

/// Returns the documents of spans.
pub(crate) fn traces(source: &Source, spans: &[Span]) -> Vec<String> {
    batches(
        source,
        ["resourceSpans", "scopeSpans", "spans"],
        spans,
        write_span,
    )
}

/// Returns the documents of log records.
pub(crate) fn logs(source: &Source, logs: &[Log]) -> Vec<String> {
    batches(
        source,
        ["resourceLogs", "scopeLogs", "logRecords"],
        logs,
        write_log,
    )
}

fn batches<T>(
    source: &Source,
    names: [&str; 3],
    items: &[T],
    write: fn(&mut Json, &T),
) -> Vec<String> {
    let mut documents = Vec::new();
    let mut items = items.iter().peekable();
    while items.peek().is_some() {
        let mut json = open(source, names);
        let mut held = 0;
        while held < MOST && json.len() < LARGEST {
            let Some(item) = items.next() else { break };
            write(&mut json, item);
            held += 1;
        }
        documents.push(close(json));
    }
    documents
}

/// Begins a document, up to the list that holds its items.
fn open(source: &Source, [resources, scopes, items]: [&str; 3]) -> Json {
    let mut json = Json::default();
    json.begin('{');
    json.key(resources);
    json.begin('[');
    json.begin('{');
    json.key("resource");
    json.begin('{');
    write_attributes(&mut json, &source.resource);
    json.end('}');
    json.member("schemaUrl", SCHEMA_URL);
    json.key(scopes);
    json.begin('[');
    json.begin('{');
    json.key("scope");
    json.begin('{');
    json.member("name", "maestro");
    json.member("version", &source.version);
    json.end('}');
    json.member("schemaUrl", SCHEMA_URL);
    json.key(items);
    json.begin('[');
    json
}

fn close(mut json: Json) -> String {
    for bracket in [']', '}', ']', '}', ']', '}'] {
        json.end(bracket);
    }
    json.finish()
}

fn write_span(json: &mut Json, span: &Span) {
    json.begin('{');
    json.member("traceId", &span.trace.to_string());
    json.member("spanId", &span.id.to_string());
    if let Some(parent) = span.parent {
        json.member("parentSpanId", &parent.to_string());
    }
    json.member("name", cut(&span.name, LONGEST_NAME));
    let kind = match span.kind {
        SpanKind::Internal => "1",
        SpanKind::Server => "2",
        SpanKind::Client => "3",
    };
    json.raw_member("kind", kind);
    json.member("startTimeUnixNano", &nanos(span.start));
    // What ends before it begins has no length, as with the receiver.
    json.member("endTimeUnixNano", &nanos(span.end.max(span.start)));
    write_attributes(json, &span.attributes);
    if !span.links.is_empty() {
        json.key("links");
        json.begin('[');
        for (trace, linked) in &span.links {
            json.begin('{');
            json.member("traceId", &trace.to_string());
            json.member("spanId", &linked.to_string());
            json.end('}');
        }
        json.end(']');
    }
    json.key("status");
    json.begin('{');
    if let Some(why) = span.failed {
        json.raw_member("code", "2");
        json.member("message", why);
    }
    json.end('}');
    json.end('}');
}

fn write_log(json: &mut Json, log: &Log) {
    json.begin('{');
    json.member("timeUnixNano", &nanos(log.at));
    json.member("observedTimeUnixNano", &nanos(log.at));
    json.raw_member("severityNumber", &log.severity.number().to_string());
    json.member("severityText", log.severity.word());
    json.key("body");
    write_value(json, &Value::Text(log.body.clone()));
    write_attributes(json, &log.attributes);
    if let Some((trace, span)) = log.context {
        json.raw_member("flags", "1");
        json.member("traceId", &trace.to_string());
        json.member("spanId", &span.to_string());
    }
    json.end('}');
}

fn write_attributes(json: &mut Json, attributes: &Attributes) {
    json.key("attributes");
    json.begin('[');
    for (key, value) in attributes.iter() {
        json.begin('{');
        json.member("key", key.name());
        json.key("value");
        write_value(json, value);
        json.end('}');
    }
    json.end(']');
}

fn write_value(json: &mut Json, value: &Value) {
    json.begin('{');
    match value {
        Value::Text(text) => json.member("stringValue", text),
        Value::Int(value) => json.member("intValue", &value.to_string()),
        Value::Double(value) => {
            json.key("doubleValue");
            json.number(*value);
        }
        Value::Bool(value) => json.raw_member("boolValue", if *value { "true" } else { "false" }),
    }
    json.end('}');
}

/// Returns nanoseconds since 1970; nothing was before.
fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().max(0).to_string()
}
