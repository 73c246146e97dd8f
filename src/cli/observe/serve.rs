//! `maestro observe serve`: metrics for those who scrape.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::ask::repository;
use super::export::{common, metrics};
use super::known::load;
use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::gateway::door;
use crate::ports::relay::{Decision, Desk, Head, RelayProblem, Reply, Serving};
use crate::redact::Redactor;
use crate::telemetry::metrics::Collector;
use crate::telemetry::prometheus::{self, Form, OPEN_METRICS_TYPE, TEXT_TYPE};
use crate::telemetry::spans::Repository;

/// Serve metrics to Prometheus, for as long as it runs
///
/// At /metrics, in Prometheus' text format or that of `OpenMetrics`, whichever is asked for; /-/healthy says whether it is there. The state is read again when somebody asks, at most every so often;
/// no server is asked for anything.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See whether the port is free, and end at once
    $ maestro observe serve --listen 127.0.0.1:0 --for 0s

  Read the state every five minutes at most, for a moment
    $ maestro observe serve --listen 127.0.0.1:0 --every 5m --for 0s")]
pub(crate) struct ServeArgs {
    /// Listen here; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9464")]
    listen: SocketAddr,

    /// Read the state at most so often
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = super::duration)]
    every: Duration,

    /// End after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = super::duration)]
    lasts: Option<Duration>,
}

/// Nobody sends a body.
const LONGEST_REQUEST: usize = 64 * 1024;

/// How long scrapes may take that are under way when it ends.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is looked whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// A scrape does not wait longer for the state.
const PATIENCE: Duration = Duration::from_secs(9);

/// What is told, in one form; or why nothing is.
type Told = Result<String, String>;

/// A scrape that waits.
type Scrape = (Form, Sender<Told>);

pub(super) fn run(session: &mut Session<'_>, args: &ServeArgs) -> CommandResult {
    let address = args.listen.ip();
    if !address.is_loopback() {
        let message = format!(
            "everybody who reaches {address} can read the metrics; there is neither TLS nor a password"
        );
        session.ui.warn(&message);
    }
    // A scrape waits for no other server.
    session.settings.offline.value = true;
    let until = Arc::new(AtomicBool::new(false));
    let serving = Serving {
        address,
        port: args.listen.port(),
        idle: None,
        until: Some(Arc::clone(&until)),
        longest_request: LONGEST_REQUEST,
        longest_answer: LONGEST_REQUEST,
        grace: GRACE,
    };
    let (scrapes, asked) = channel();
    let desk: Arc<dyn Desk> = Arc::new(Counter {
        scrapes: Mutex::new(scrapes),
        address,
    });
    let (begun, port) = channel();
    let relay = session.world.relay.as_ref();
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let mut ready = |port: u16| {
                // Whoever waits for it is there until it comes.
                let _heard = begun.send(port);
                Ok(None)
            };
            let done = relay.serve(&serving, desk, &mut ready);
            drop(begun);
            done.map(drop)
        });
        if let Ok(port) = port.recv() {
            let shown = SocketAddr::new(address, port);
            session
                .ui
                .status(&format!("listening on http://{shown}/metrics"));
            answer(session, args, &asked, &|| served.is_finished());
        }
        until.store(true, Ordering::SeqCst);
        match served.join() {
            Ok(done) => done.map_err(|problem| trouble(args, problem)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    Ok(ExitCode::Success)
}

/// Answers scrapes until it is to end.
fn answer(
    session: &mut Session<'_>,
    args: &ServeArgs,
    asked: &Receiver<Scrape>,
    is_over: &dyn Fn() -> bool,
) {
    let clock = session.world.clock.shared();
    let began = clock.now();
    let has_passed = |since: Timestamp, span: Duration| {
        let passed = clock.now().duration_since(since);
        passed >= SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
    };
    let mut held: Option<(Timestamp, Reading)> = None;
    let about = repository(session, None);
    while !is_over() && !args.lasts.is_some_and(|lasts| has_passed(began, lasts)) {
        let (form, reply) = match asked.recv_timeout(TICK) {
            Ok(scrape) => scrape,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let is_old = |held: &(Timestamp, Reading)| has_passed(held.0, args.every);
        if held.as_ref().is_none_or(is_old) {
            match read(session, &about) {
                Ok(metrics) => held = Some((clock.now(), Ok(metrics))),
                Err(error) => {
                    let words = format!("the state cannot be read: {:#}", error.error);
                    session.ui.warn(&words);
                    held = Some((clock.now(), Err(words)));
                }
            }
        }
        let text = held.as_ref().map(|(_, metrics)| match metrics {
            Ok(metrics) => Ok(prometheus::write(metrics.metrics(), &common(&about), form)),
            Err(words) => Err(words.clone()),
        });
        // Who asked may have gone.
        let _heard = text.map(|text| reply.send(text));
    }
}

/// What was read, or why nothing was.
type Reading = Result<Collector, String>;

fn read(session: &mut Session<'_>, about: &Repository) -> Result<Collector, CommandError> {
    // All of it is of one moment.
    let fixed = session.settings.now.value.replace(session.now());
    let read = read_now(session, about);
    session.settings.now.value = fixed;
    read
}

fn read_now(session: &mut Session<'_>, about: &Repository) -> Result<Collector, CommandError> {
    let mut known = load(session, about)?;
    let redactor = Redactor::new(&session.world.environment.vars());
    known.material.clean(&|text| redactor.message(text));
    Ok(metrics(session, &known))
}

fn trouble(args: &ServeArgs, problem: RelayProblem) -> CommandError {
    let error = match problem {
        RelayProblem::Listen(error) => {
            let what = format!("cannot listen on {}", args.listen);
            let error = anyhow::Error::new(error).context(what);
            return CommandError::new(ErrorKind::Unavailable, error)
                .hint("another program may listen there; port 0 lets the system choose");
        }
        RelayProblem::Start(error) | RelayProblem::Ready(error) | RelayProblem::Other(error) => {
            error
        }
    };
    CommandError::internal(error)
}

/// Where scrapes come in.
struct Counter {
    scrapes: Mutex<Sender<Scrape>>,
    address: IpAddr,
}

impl Counter {
    fn scrape(&self, form: Form) -> Told {
        let (reply, told) = channel();
        let scrapes = self.scrapes.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = scrapes.send((form, reply));
        drop(scrapes);
        let gone = || "it ends".to_owned();
        sent.map_err(|_| gone())?;
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| Err(gone()))
    }
}

impl Desk for Counter {
    fn greet(&self, head: &Head) -> Result<(), Box<Reply>> {
        let refuse = |status, words: &str| Err(Box::new(plain(status, TEXT, words)));
        // On the loopback no page of a browser may ask under a name of its own.
        if self.address.is_loopback() && door::is_local(&head.headers).is_err() {
            return refuse(StatusCode::FORBIDDEN, "this answers to the loopback only\n");
        }
        if ![Method::GET, Method::HEAD].contains(&head.method) {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
        }
        match path(head) {
            "/metrics" => Ok(()),
            "/-/healthy" => refuse(StatusCode::OK, "well\n"),
            _ => refuse(StatusCode::NOT_FOUND, "there is only /metrics\n"),
        }
    }

    fn decide(&self, head: Head, _: Vec<u8>) -> Decision {
        let (form, kind) = if wants_open_metrics(&head.headers) {
            (Form::OpenMetrics, OPEN_METRICS_TYPE)
        } else {
            (Form::Text, TEXT_TYPE)
        };
        Decision::Answer(match self.scrape(form) {
            Ok(text) => plain(StatusCode::OK, kind, &text),
            Err(words) => {
                let words = format!("{words}\n");
                plain(StatusCode::SERVICE_UNAVAILABLE, TEXT, &words)
            }
        })
    }

    fn unread(&self, _: &Head, _: bool) -> Reply {
        plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            TEXT,
            "a scrape has no body\n",
        )
    }

    fn close(&self) {}
}

const TEXT: &str = "text/plain; charset=utf-8";

fn path(head: &Head) -> &str {
    head.target.split('?').next().unwrap_or_default()
}

fn plain(status: StatusCode, kind: &'static str, text: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Reply {
        status,
        headers,
        body: text.as_bytes().to_vec(),
    }
}

/// Whether whoever asks prefers `OpenMetrics`: it is named, and not after the text format (prometheus.io, "Content negotiation").
fn wants_open_metrics(headers: &HeaderMap) -> bool {
    let mut best = (0.0, false);
    for value in headers.get_all(ACCEPT) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let mut words = part.split(';').map(str::trim);
            let kind = words.next().unwrap_or_default();
            let weight = words.find_map(|word| word.strip_prefix("q="));
            let weight = weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            let is_open = kind.eq_ignore_ascii_case("application/openmetrics-text");
            if weight > best.0 && (is_open || kind.eq_ignore_ascii_case("text/plain")) {
                best = (weight, is_open);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(text));
        wants_open_metrics(&headers)
    }

    #[test]
    fn what_is_preferred_is_told() {
        // As Prometheus 2.42 asks.
        assert!(accepts(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        ));
        assert!(!accepts(
            "text/plain;version=0.0.4,application/openmetrics-text;q=0.5"
        ));
        assert!(!accepts("*/*"));
        assert!(!accepts(""));
    }
}
