//! Messages for machines (`--log-format json`): a record of OpenTelemetry's log data model a line, with the trace that the run of CI is, so that a line of
//! a log leads to its span. Secrets are taken out; what models are told and answer is never a message.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::json;
use crate::ports::{Clock, Environment};
use crate::redact::Redactor;
use crate::telemetry::logs::{Place, Severity, line};

/// Who writes.
pub(super) struct Scribe {
    place: Place,
    clock: Arc<dyn Clock>,
    now: Option<Timestamp>,
    redactor: Redactor,
}

/// What failed.
pub(super) struct Failure<'a> {
    pub(super) kind: &'a str,
    pub(super) message: &'a str,
    pub(super) causes: &'a [String],
    pub(super) hints: &'a [String],
    pub(super) excerpt: Option<&'a str>,
    pub(super) exit_code: ExitCode,
}

impl Scribe {
    pub(super) fn new(environment: &dyn Environment, clock: Arc<dyn Clock>) -> Self {
        let var = |name: &str| {
            let value = environment.var(name)?;
            Some(value.to_string_lossy().into_owned())
        };
        let first = |names: [&str; 2]| names.iter().find_map(|name| var(name));
        let attempt = first(["MAESTRO_ATTEMPT", "GITHUB_RUN_ATTEMPT"]);
        let attempt = attempt.and_then(|attempt| attempt.parse().ok());
        let run = first(["MAESTRO_RUN", "GITHUB_RUN_ID"]);
        Self {
            place: Place {
                run: run.and_then(|run| run.parse().ok()),
                attempt: attempt.unwrap_or(1),
                job: first(["MAESTRO_JOB", "GITHUB_JOB"]).unwrap_or_default(),
                change: var("GITHUB_REF").as_deref().and_then(change),
                commit: first(["MAESTRO_COMMIT", "GITHUB_SHA"]).unwrap_or_default(),
                command: String::new(),
            },
            clock,
            now: None,
            redactor: Redactor::new(&environment.vars()),
        }
    }

    pub(super) fn stand(&mut self, command: Option<&str>, now: Option<Timestamp>) {
        if let Some(command) = command {
            command.clone_into(&mut self.place.command);
        }
        self.now = now.or(self.now);
    }

    fn clean(&self, text: &str) -> String {
        let clean = self.redactor.message(text);
        clean.unwrap_or_else(|| text.to_owned())
    }

    /// Returns a message as a line.
    pub(super) fn line(&self, severity: Severity, message: &str) -> String {
        let now = self.now.unwrap_or_else(|| self.clock.now());
        line(&self.place.log(now, severity, &self.clean(message)))
    }

    /// Returns a failure as a line: a record, with what is known of the failure beside it.
    pub(super) fn error(&self, failure: &Failure<'_>) -> String {
        let text = self.line(Severity::Error, failure.message);
        let mut record: Value = json::read(&text).unwrap_or_default();
        let clean = |texts: &[String]| -> Vec<String> {
            texts.iter().map(|text| self.clean(text)).collect()
        };
        let known = json!({
            "schema": "maestro.error/v1",
            "kind": failure.kind,
            "message": self.clean(failure.message),
            "causes": clean(failure.causes),
            "hints": clean(failure.hints),
            "excerpt": failure.excerpt.map(|excerpt| self.clean(excerpt)),
            "exit_code": failure.exit_code.code(),
        });
        if let (Value::Object(record), Value::Object(known)) = (&mut record, known) {
            record.extend(known);
        }
        record.to_string()
    }
}

/// Returns the pull request that a ref of GitHub is of: `refs/pull/7/merge`.
fn change(reference: &str) -> Option<u64> {
    let rest = reference.strip_prefix("refs/pull/")?;
    rest.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_ref_of_a_pull_request_names_it() {
        assert_eq!(change("refs/pull/7/merge"), Some(7));
        assert_eq!(change("refs/heads/7"), None);
        assert_eq!(change("refs/pull/x/merge"), None);
    }
}
