//! Where OTLP goes, by the environment variables that OpenTelemetry's specification names (`protocol/exporter.md`, `configuration/sdk-environment-variables.md`),
//! and what a receiver's answer means (`docs/specification.md` of opentelemetry-proto, "OTLP/HTTP Response").

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Temporality;
use crate::json;
use crate::telemetry::attributes::cut;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Traces => ["TRACES", "v1/traces"],
            Self::Metrics => ["METRICS", "v1/metrics"],
            Self::Logs => ["LOGS", "v1/logs"],
        }
    }
}

/// Where a signal goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: String,
    /// May hold secrets: not for messages.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) milliseconds: u64,
    pub(crate) gzip: bool,
}

/// What a variable has that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is `{value}`, and only {known} can be done")]
pub(crate) struct Unsupported {
    pub(crate) variable: String,
    pub(crate) value: String,
    pub(crate) known: &'static str,
}

/// Reads variables of the environment; what is empty is not set.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns where a signal goes; nothing where nobody said so, or the SDK is disabled.
pub(crate) fn target(
    signal: Signal,
    variables: Variables<'_>,
) -> Result<Option<Target>, Unsupported> {
    let disabled = set(variables, "OTEL_SDK_DISABLED");
    if disabled.is_some_and(|(_, word)| word.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let [word, path] = signal.words();
    let named = |what: &str| format!("OTEL_EXPORTER_OTLP_{what}");
    // What is said of a signal stands before what is said of all.
    let said = |what: &str| {
        set(variables, &named(&format!("{word}_{what}"))).or_else(|| set(variables, &named(what)))
    };
    let own = set(variables, &named(&format!("{word}_ENDPOINT")));
    let base = set(variables, &named("ENDPOINT"));
    let url = match (own, base) {
        // A signal's own address is taken as it is.
        (Some((_, url)), _) => url,
        (None, Some((_, base))) => format!("{}/{path}", base.trim_end_matches('/')),
        (None, None) => return Ok(None),
    };
    one_of(said("PROTOCOL"), &["http/json"], "http/json")?;
    let compression = one_of(said("COMPRESSION"), &["none", "gzip"], "none and gzip")?;
    let timeout = said("TIMEOUT").and_then(|(_, text)| text.parse().ok());
    Ok(Some(Target {
        url,
        headers: said("HEADERS").map_or_else(Vec::new, |(_, text)| headers(&text)),
        milliseconds: timeout.unwrap_or(10_000),
        gzip: compression.as_deref() == Some("gzip"),
    }))
}

/// Returns which temporality sums are wanted in, where nobody says so that which is `usual`.
pub(crate) fn temporality(variables: Variables<'_>, usual: Temporality) -> Temporality {
    let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    match set(variables, name) {
        Some((_, word)) if word.eq_ignore_ascii_case("cumulative") => Temporality::Cumulative,
        Some((_, word)) if word.eq_ignore_ascii_case("delta") => Temporality::Delta,
        _ => usual,
    }
}

/// Tells whether names for generative AI are wanted.
pub(crate) fn wants_gen_ai(variables: Variables<'_>) -> bool {
    let said = set(variables, "OTEL_SEMCONV_STABILITY_OPT_IN");
    said.is_some_and(|(_, words)| {
        let mut words = words.split(',').map(str::trim);
        words.any(|word| word == "gen_ai_latest_experimental")
    })
}

fn set(variables: Variables<'_>, name: &str) -> Option<(String, String)> {
    let value = variables(name)?.trim().to_string();
    (!value.is_empty()).then(|| (name.to_string(), value))
}

fn one_of(
    said: Option<(String, String)>,
    words: &[&str],
    known: &'static str,
) -> Result<Option<String>, Unsupported> {
    match said {
        Some((variable, value)) if !words.contains(&value.as_str()) => Err(Unsupported {
            variable,
            value: cut(&value, 64).into(),
            known,
        }),
        said => Ok(said.map(|(_, value)| value)),
    }
}

/// Reads headers as the specification has them: W3C Baggage without properties, values percent-encoded. What is no header is left out.
fn headers(text: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for pair in text.split(',') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let name = name.trim();
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if !name.is_empty() && name.chars().all(is_name) && !value.chars().any(char::is_control) {
            headers.push((name.to_ascii_lowercase(), value.into_owned()));
        }
    }
    headers
}

/// What a receiver made of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    /// So many items were refused; sending them again would not help.
    Partly {
        rejected: u64,
        why: String,
    },
    /// It may be sent again, after so many seconds where the receiver says so.
    Later(Option<u64>),
    /// Sending it again would not help.
    Refused(String),
}

/// Reads an answer. `retry_after` is the header's value; only seconds are read, as all receivers give.
pub(crate) fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Answer {
    match status {
        200..=299 => partly(body),
        429 | 502..=504 => Answer::Later(retry_after.and_then(|text| text.trim().parse().ok())),
        _ => {
            let said = json::read(body).ok();
            let said = said
                .as_ref()
                .and_then(|value: &Value| value["message"].as_str());
            let said: String = cut(said.unwrap_or(body), 200).replace(char::is_control, " ");
            Answer::Refused(format!("{status} {}", said.trim()).trim().into())
        }
    }
}

fn partly(body: &str) -> Answer {
    let Ok(value) = json::read::<Value>(body) else {
        return Answer::Taken;
    };
    let partial = &value["partialSuccess"];
    let rejected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"]
        .iter()
        .filter_map(|name| match &partial[name] {
            // 64-bit numbers are texts, and some receivers write numbers.
            Value::String(text) => text.parse::<u64>().ok(),
            value => value.as_u64(),
        })
        .fold(0, u64::saturating_add);
    let why = partial["errorMessage"].as_str().unwrap_or_default();
    match (rejected, why) {
        (0, "") => Answer::Taken,
        (rejected, why) => Answer::Partly {
            rejected,
            why: cut(why, 200).replace(char::is_control, " "),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(signal: Signal, variables: &[(&str, &str)]) -> Result<Option<Target>, Unsupported> {
        target(signal, &of(variables))
    }

    fn of(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| {
            let found = variables.iter().find(|(held, _)| *held == name);
            found.map(|(_, value)| (*value).to_string())
        }
    }

    #[test]
    fn nothing_goes_anywhere_unless_somebody_says_so() {
        for signal in Signal::ALL {
            assert_eq!(asked(signal, &[]), Ok(None));
        }
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318"),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ];
        assert_eq!(asked(Signal::Logs, &variables), Ok(None));
    }

    #[test]
    fn what_is_said_of_a_signal_stands_before_what_is_said_of_all() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318/base/"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs/in"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "Api-Key=a%20b,bad name=x,c=d%0Ae,f=g=h",
            ),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ];
        let metrics = asked(Signal::Metrics, &variables).unwrap().unwrap();
        assert_eq!(metrics.url, "http://h:4318/base/v1/metrics");
        assert_eq!((metrics.milliseconds, metrics.gzip), (10_000, true));
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(metrics.headers, [pair("api-key", "a b"), pair("f", "g=h")]);
        let logs = asked(Signal::Logs, &variables).unwrap().unwrap();
        assert_eq!(
            (logs.url.as_str(), logs.milliseconds),
            ("http://logs/in", 500)
        );
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_named() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4317"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ];
        assert_eq!(
            asked(Signal::Traces, &variables).unwrap_err().to_string(),
            "`OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` is `grpc`, and only http/json can be done"
        );
        assert!(asked(Signal::Metrics, &variables).is_ok());
    }

    #[test]
    fn choices_are_read() {
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let (delta, all) = (Temporality::Delta, Temporality::Cumulative);
        assert_eq!(temporality(&of(&[]), delta), delta);
        assert_eq!(temporality(&of(&[]), all), all);
        assert_eq!(temporality(&of(&[(name, "Cumulative")]), delta), all);
        assert_eq!(temporality(&of(&[(name, "delta")]), all), delta);
        let name = "OTEL_SEMCONV_STABILITY_OPT_IN";
        assert!(wants_gen_ai(&of(&[(
            name,
            "http, gen_ai_latest_experimental"
        )])));
        assert!(!wants_gen_ai(&of(&[(name, "http")])));
    }

    #[test]
    fn answers_say_whether_to_send_again() {
        assert_eq!(answer(200, None, "{}"), Answer::Taken);
        assert_eq!(answer(200, None, r#"{"partialSuccess":{}}"#), Answer::Taken);
        assert_eq!(answer(202, None, "not JSON"), Answer::Taken);
        assert_eq!(
            answer(
                200,
                None,
                r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too\nold"}}"#
            ),
            Answer::Partly {
                rejected: 3,
                why: "too old".into()
            }
        );
        assert_eq!(answer(429, Some(" 7 "), ""), Answer::Later(Some(7)));
        assert_eq!(answer(503, Some("Fri, 31 Dec"), ""), Answer::Later(None));
        assert_eq!(
            answer(400, None, r#"{"code":3,"message":"bad\u001b[1m data"}"#),
            Answer::Refused("400 bad [1m data".into())
        );
        assert_eq!(answer(500, None, ""), Answer::Refused("500".into()));
    }
}
