//! Logs: one line of JSON an event, and the same record over OTLP. Both know the trace that they belong to, so that a line of a CI log, a span and the
//! foot of a comment have one identity.
//!
//! Severities are those of OpenTelemetry's log data model. A body is what maestro says itself; what models were told or answered is never one.

use jiff::Timestamp;

use super::attributes::{Attributes, LONGEST_TEXT, Value, cut};
use super::ids::{SpanId, TraceId};
use super::otlp::json::Json;
use super::semconv::{CHANGE_ID, COMMAND, HEAD_REVISION, JOB, RUN_ATTEMPT, RUN_ID};

/// What a line says that it is.
pub(crate) const SCHEMA: &str = "maestro.log/v1";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Debug,
    Info,
    Warn,
    Error,
}

impl Severity {
    /// Returns the number of the data model's first step of the range.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    pub(crate) at: Timestamp,
    pub(crate) severity: Severity,
    pub(crate) body: String,
    /// The span that it happened in.
    pub(crate) context: Option<(TraceId, SpanId)>,
    pub(crate) attributes: Attributes,
}

/// Where maestro runs: what each of its lines says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The run of CI; nothing on somebody's machine.
    pub(crate) run: Option<u64>,
    pub(crate) attempt: u32,
    pub(crate) job: String,
    pub(crate) change: Option<u64>,
    pub(crate) commit: String,
    pub(crate) command: String,
}

impl Place {
    /// Returns the record of something that happens here.
    pub(crate) fn log(&self, at: Timestamp, severity: Severity, body: &str) -> Log {
        let mut attributes = Attributes::new();
        attributes.text(COMMAND, &self.command);
        if let Some(run) = self.run {
            attributes.text(RUN_ID, &run.to_string());
            attributes.int(RUN_ATTEMPT, self.attempt.into());
        }
        attributes.text(JOB, &self.job);
        if let Some(change) = self.change {
            attributes.text(CHANGE_ID, &change.to_string());
        }
        attributes.text(HEAD_REVISION, &self.commit);
        Log {
            at,
            severity,
            body: cut(body, LONGEST_TEXT).into(),
            context: self.run.map(|run| {
                let root = SpanId::of_run(run, self.attempt);
                (TraceId::of_run(run, self.attempt), root)
            }),
            attributes,
        }
    }
}

/// Returns a record as one line of JSON, without the line's end.
pub(crate) fn line(log: &Log) -> String {
    let mut json = Json::default();
    json.begin('{');
    json.member("schema", SCHEMA);
    json.member(
        "timestamp",
        &log.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string(),
    );
    json.member("severity_text", log.severity.word());
    json.raw_member("severity_number", &log.severity.number().to_string());
    json.member("body", &log.body);
    if let Some((trace, span)) = log.context {
        json.member("trace_id", &trace.to_string());
        json.member("span_id", &span.to_string());
    }
    json.key("attributes");
    json.begin('{');
    for (key, value) in log.attributes.iter() {
        json.key(key.name());
        match value {
            Value::Text(text) => json.text(text),
            Value::Int(value) => json.raw(&value.to_string()),
            Value::Double(value) => json.number(*value),
            Value::Bool(value) => json.raw(if *value { "true" } else { "false" }),
        }
    }
    json.end('}');
    json.end('}');
    json.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            run: Some(14_460_881_260),
            attempt: 13,
            job: "test".into(),
            change: Some(7),
            commit: "6077d805".into(),
            command: "flakes ingest".into(),
        }
    }

    #[test]
    fn a_line_has_the_trace_of_its_run() {
        let at = "2026-01-05T09:00:00.5Z".parse().unwrap();
        assert_eq!(
            line(&place().log(at, Severity::Warn, "two reports")),
            r#"{"schema":"maestro.log/v1","timestamp":"2026-01-05T09:00:00.500000000Z","severity_text":"WARN","severity_number":13,"body":"two reports","trace_id":"731ec8a47fd7450f753a812a4a8aa5a0","span_id":"aba151af7cfbcf0f","attributes":{"maestro.command":"flakes ingest","maestro.run.id":"14460881260","maestro.run.attempt":13,"maestro.job":"test","vcs.change.id":"7","vcs.ref.head.revision":"6077d805"}}"#
        );
    }

    #[test]
    fn what_happens_on_somebodys_machine_has_no_trace() {
        let log = Place::default().log(Timestamp::UNIX_EPOCH, Severity::Info, "x\ny");
        assert_eq!(
            line(&log),
            r#"{"schema":"maestro.log/v1","timestamp":"1970-01-01T00:00:00.000000000Z","severity_text":"INFO","severity_number":9,"body":"x\ny","attributes":{}}"#
        );
    }
}
