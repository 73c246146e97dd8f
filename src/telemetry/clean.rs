//! Secrets taken out of what leaves: names of branches, jobs and steps come from people, and a log's body may quote anything.
//!
//! What a secret is comes in (`redact::Redactor::message`): a function that returns a text without secrets, or nothing where it has none. Metrics' labels are
//! cleaned before `metrics::Collector` takes them, because two of them may become one.

use super::attributes::{Attributes, Value};
use super::logs::Log;
use super::otlp::Span;

/// Returns a text without its secrets; nothing where it has none.
pub(crate) type Redact<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Takes secrets out of spans.
pub(crate) fn spans(spans: &mut [Span], redact: Redact<'_>) {
    for span in spans {
        text(&mut span.name, redact);
        attributes(&mut span.attributes, redact);
    }
}

/// Takes secrets out of log records.
pub(crate) fn logs(logs: &mut [Log], redact: Redact<'_>) {
    for log in logs {
        text(&mut log.body, redact);
        attributes(&mut log.attributes, redact);
    }
}

fn attributes(attributes: &mut Attributes, redact: Redact<'_>) {
    for value in attributes.values_mut() {
        if let Value::Text(held) = value {
            text(held, redact);
        }
    }
}

fn text(text: &mut String, redact: Redact<'_>) {
    if let Some(clean) = redact(text) {
        *text = clean;
    }
}

#[cfg(test)]
mod tests {
    use super::super::otlp;
    use super::super::sample;
    use super::super::spans::of_run;
    use super::*;

    const CANARY: &str = "ghp_CANARY";

    fn redact(text: &str) -> Option<String> {
        text.contains(CANARY).then(|| text.replace(CANARY, "***"))
    }

    #[test]
    fn no_secret_leaves_by_any_name() {
        let mut run = sample::run(1, 3);
        let words = format!("x {CANARY} y");
        for place in [
            &mut run.workflow,
            &mut run.branch,
            &mut run.url,
            &mut run.commit,
        ] {
            place.clone_from(&words);
        }
        for job in &mut run.jobs {
            job.name.clone_from(&words);
            job.url.clone_from(&words);
            job.steps
                .iter_mut()
                .for_each(|step| step.name.clone_from(&words));
        }
        let mut made = of_run(&run);
        let mut said = sample::logs();
        said[0].body.clone_from(&words);
        let written = |made: &[Span], said: &[Log]| {
            let mut documents = otlp::traces(&sample::source(), made);
            documents.extend(otlp::logs(&sample::source(), said));
            documents.concat().matches(CANARY).count()
        };
        assert!(written(&made, &said) > 10);
        spans(&mut made, &redact);
        logs(&mut said, &redact);
        assert_eq!(written(&made, &said), 0);
    }
}
