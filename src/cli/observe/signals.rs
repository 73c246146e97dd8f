//! What goes over OTLP: where each signal goes, what of it is news, and its documents.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

use super::export::agents_key;
use super::known::Known;
use super::wire::TargetRow;
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::conduct::export::Exporter;
use crate::error::{CommandError, ErrorKind};
use crate::telemetry::clean::{self, Redact};
use crate::telemetry::delta::Told;
use crate::telemetry::logs::Log;
use crate::telemetry::metrics::{Collector, Metric};
use crate::telemetry::otlp::exporter::Unsupported;
use crate::telemetry::otlp::exporter::{Signal, Target, target, temporality, wants_gen_ai};
use crate::telemetry::otlp::{self, Source, Span, Temporality};
use crate::telemetry::spans::{AgentRun, GenAi, Repository, of_agents, of_run, resource};

impl Reported for Unsupported {
    fn reported(self, _of: &str) -> CommandError {
        CommandError::new(ErrorKind::BadConfig, self)
            .hint("docs/observe.md lists the variables of OpenTelemetry that count")
    }
}

/// Where signals go.
pub(super) struct Signals {
    targets: Vec<(Signal, Target)>,
    /// Whether a file takes all of them.
    has_file: bool,
    temporality: Temporality,
    gen_ai: GenAi,
}

impl Signals {
    /// Reads the environment.
    pub(super) fn read(session: &Session<'_>, has_file: bool) -> Result<Self, CommandError> {
        let variables = |name: &str| session.var(name);
        let mut targets = Vec::new();
        for signal in Signal::ALL {
            let found = target(signal, &variables).map_err(|problem| problem.reported(""))?;
            if let Some(found) = found {
                check(&found.url).map_err(|words| {
                    let what = format!("the endpoint of {} {words}", signal.word());
                    CommandError::message(ErrorKind::BadConfig, what)
                        .hint("write OTEL_EXPORTER_OTLP_ENDPOINT as http://127.0.0.1:4318")
                })?;
                targets.push((signal, found));
            }
        }
        // On a fresh machine nobody knows what was told before.
        let usual = match variables("GITHUB_ACTIONS").as_deref() {
            Some("true") => Temporality::Cumulative,
            _ => Temporality::Delta,
        };
        Ok(Self {
            targets,
            has_file,
            temporality: temporality(&variables, usual),
            gen_ai: if wants_gen_ai(&variables) {
                GenAi::Latest
            } else {
                GenAi::Off
            },
        })
    }

    /// Whether anybody is told anything over OTLP.
    pub(super) fn is_any(&self) -> bool {
        self.has_file || !self.targets.is_empty()
    }

    fn has(&self, signal: Signal) -> bool {
        self.has_file || self.targets.iter().any(|(known, _)| *known == signal)
    }

    /// Sends documents to where they go.
    pub(super) fn deliver(
        &self,
        exporter: &Exporter<'_>,
        documents: &Documents,
    ) -> Result<Vec<TargetRow>, CommandError> {
        let mut rows = Vec::new();
        for (signal, target) in &self.targets {
            let done = exporter.deliver(*signal, target, documents.of(*signal));
            let done = done.map_err(|error| {
                CommandError::new(ErrorKind::CannotWrite, error)
                    .hint("what receivers did not take is kept in the git directory; free some room there")
            })?;
            rows.push(TargetRow::delivered(*signal, &target.url, done));
        }
        Ok(rows)
    }
}

/// Returns what sends, within a time.
pub(super) fn exporter<'w>(session: &Session<'w>, folder: &Path, within: Duration) -> Exporter<'w> {
    let world = session.world;
    Exporter::new(
        world.model.as_ref(),
        world.files.as_ref(),
        world.clock.as_ref(),
        folder.join("spool"),
        within,
    )
}

/// What is news.
pub(super) struct Outgoing {
    pub(super) spans: Vec<Span>,
    pub(super) logs: Vec<Log>,
    temporality: Temporality,
    now: Timestamp,
    keys: BTreeMap<&'static str, Vec<(String, Timestamp)>>,
}

impl Outgoing {
    pub(super) fn new(
        session: &Session<'_>,
        signals: &Signals,
        known: &Known,
        journals: &[AgentRun],
        told: &Told,
    ) -> Self {
        let now = session.now();
        let mut outgoing = Self {
            spans: Vec::new(),
            logs: Vec::new(),
            temporality: signals.temporality,
            now,
            keys: BTreeMap::new(),
        };
        for run in &known.material.runs {
            let key = format!("run/{}.{}", run.id, run.attempt);
            // What goes on is told again when it has ended: spans keep their ids.
            let ended = run.ended.unwrap_or(now);
            if told.is_news(&key, ended, now) {
                outgoing.spans.extend(of_run(run));
                if run.ended.is_some() {
                    outgoing.key(Signal::Traces, key, ended);
                }
            }
        }
        let has_journal = |run: &AgentRun| journals.iter().any(|other| other.id == run.id);
        // Without its journal only the whole of a run is known.
        let others = known.material.agents.iter();
        let others = others.filter(|run| !has_journal(run)).map(|run| AgentRun {
            tasks: Vec::new(),
            ..run.clone()
        });
        let others: Vec<AgentRun> = others.collect();
        for run in journals.iter().chain(&others) {
            let key = agents_key(&run.id);
            if told.is_news(&key, run.ended, now) {
                outgoing.spans.extend(of_agents(run, signals.gen_ai));
                outgoing.key(Signal::Traces, key, run.ended);
            }
        }
        for (key, log) in &known.logs {
            if told.is_news(key, log.at, now) {
                outgoing.logs.push(log.clone());
                outgoing.key(Signal::Logs, key.clone(), log.at);
            }
        }
        outgoing
    }

    fn key(&mut self, signal: Signal, key: String, at: Timestamp) {
        let keys = self.keys.entry(signal.word()).or_default();
        keys.push((key, at));
    }

    pub(super) fn clean(&mut self, redact: Redact<'_>) {
        clean::spans(&mut self.spans, redact);
        clean::logs(&mut self.logs, redact);
    }

    pub(super) fn documents(
        &self,
        source: &Source,
        metrics: &Collector,
        told: &Told,
        known: &Known,
    ) -> Documents {
        let began = known.material.began().unwrap_or(self.now);
        let all = metrics.metrics();
        let metrics = match self.temporality {
            Temporality::Cumulative => otlp::metrics(source, all, self.temporality, began),
            Temporality::Delta => {
                let added: Vec<Metric> = told.added(metrics);
                let since = told.at.unwrap_or(began);
                otlp::metrics(source, added.iter(), self.temporality, since)
            }
        };
        Documents {
            traces: otlp::traces(source, &self.spans),
            metrics,
            logs: otlp::logs(source, &self.logs),
        }
    }

    /// Notes what was told: it was taken, or it waits.
    pub(super) fn note(self, signals: &Signals, told: &mut Told, metrics: &Collector) {
        let now = self.now;
        let mut keys = self.keys;
        for signal in [Signal::Traces, Signal::Logs] {
            if signals.has(signal) {
                told.note(keys.remove(signal.word()).unwrap_or_default(), now);
            }
        }
        if signals.has(Signal::Metrics) {
            told.remember(metrics, now);
        }
    }
}

/// Documents of each signal.
pub(super) struct Documents {
    traces: Vec<String>,
    metrics: Vec<String>,
    logs: Vec<String>,
}

impl Documents {
    fn of(&self, signal: Signal) -> &[String] {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        let all = Signal::ALL.into_iter();
        all.flat_map(|signal| self.of(signal))
    }
}

/// Returns who speaks.
pub(super) fn source(repository: &Repository) -> Source {
    let version = env!("CARGO_PKG_VERSION");
    Source {
        resource: resource(repository, version),
        version: version.into(),
    }
}

/// Whether something can be sent to an address.
fn check(url: &str) -> Result<(), &'static str> {
    let uri: http::Uri = url.parse().map_err(|_| "is no address")?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri.authority() {
        Some(authority) if is_web && !authority.as_str().contains('@') => Ok(()),
        Some(_) if is_web => Err("has a password in it: give it as a header"),
        _ => Err("is no address with http:// or https://"),
    }
}

/// Returns where a push goes. A name and password of its address become a header.
pub(super) fn pushgateway(
    url: &str,
    path: &str,
    milliseconds: u64,
) -> Result<Target, CommandError> {
    let bad = |words: &str| {
        CommandError::message(ErrorKind::Usage, format!("--pushgateway {words}"))
            .hint("write it as http://127.0.0.1:9091 or https://HOST/PATH")
    };
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| bad("is no address with http:// or https://"))?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, below) = rest.split_at(slash);
    let (key, host) = match authority.rsplit_once('@') {
        Some((key, host)) => (Some(key), host),
        None => (None, authority),
    };
    let address = format!("{scheme}://{host}{}{path}", below.trim_end_matches('/'));
    check(&address).map_err(bad)?;
    let headers = key.map(|key| {
        let key = percent_encoding::percent_decode_str(key).collect::<Vec<u8>>();
        let value = format!("Basic {}", BASE64_STANDARD.encode(key));
        ("authorization".to_owned(), value)
    });
    Ok(Target {
        url: address,
        headers: headers.into_iter().collect(),
        milliseconds,
        gzip: false,
    })
}

/// What was told is not longer than this.
const LONGEST_TOLD: u64 = 64 * 1024 * 1024;

/// Reads a file, which may be missing.
pub(super) fn bytes(session: &Session<'_>, path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = session.world.files.open(path);
    let read = read.and_then(|file| file.take(LONGEST_TOLD).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(CommandError::reading(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_an_address_becomes_a_header() {
        let target = pushgateway("https://ada:p%40ss@push.example/base/", "/metrics/x", 9).unwrap();
        assert_eq!(target.url, "https://push.example/base/metrics/x");
        let value = "Basic YWRhOnBAc3M=".to_owned();
        assert_eq!(target.headers, [("authorization".to_owned(), value)]);
        for bad in ["push.example", "ftp://push.example", "http://"] {
            assert!(pushgateway(bad, "/metrics/x", 9).is_err(), "{bad}");
        }
        assert!(check("http://ada:pw@host/").is_err());
    }
}
