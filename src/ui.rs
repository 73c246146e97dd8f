//! What a person sees: data on standard output, everything else on standard error.
//!
//! Invariant: a closed pipe or a full disk never panics. The first failure of a stream is remembered, later writes are
//! dropped, and `finish` tells what happened. Colour is decided for each stream on its own; files never get any.

mod scribe;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::output::github;
use crate::output::text::one_line;
use crate::ports::{Clock, Environment, Stream, World};
use crate::telemetry::logs::Severity;
use scribe::Scribe;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set
    #[default]
    Auto,
    /// Also in a pipe
    Always,
    /// Nowhere
    Never,
}

/// How messages on standard error look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    #[default]
    Human,
    /// One JSON object a line
    Json,
}

/// A stream that never fails in the middle of a command.
struct Sink {
    stream: Stream,
    color: bool,
    failure: Option<io::Error>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_none()
            && let Err(error) = self.stream.writer.write_all(bytes)
        {
            self.failure = Some(error);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failure.is_none()
            && let Err(error) = self.stream.writer.flush()
        {
            self.failure = Some(error);
        }
        Ok(())
    }
}

/// The two streams and how loud to be.
pub(crate) struct Ui {
    out: Sink,
    err: Sink,
    verbosity: i8,
    log_format: LogFormat,
    clock: Arc<dyn Clock>,
    /// Writes lines for machines, where they are wanted.
    scribe: Option<Box<Scribe>>,
    progress: bool,
    /// Whether GitHub Actions reads along.
    annotates: bool,
}

/// What the terminal's variables ask for.
#[derive(Debug, Clone, Copy)]
struct ColorWishes {
    forbidden: bool,
    forced: bool,
    dumb: bool,
}

impl ColorWishes {
    fn read(environment: &dyn Environment) -> Self {
        let is = |name: &str, value: &str| environment.var(name).is_some_and(|v| v == value);
        Self {
            forbidden: environment.var("NO_COLOR").is_some() || is("CLICOLOR", "0"),
            forced: environment.var("CLICOLOR_FORCE").is_some() && !is("CLICOLOR_FORCE", "0"),
            dumb: is("TERM", "dumb"),
        }
    }

    fn decide(self, choice: ColorChoice, is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.forbidden => false,
            ColorChoice::Auto if self.forced => true,
            ColorChoice::Auto => is_terminal && !self.dumb,
        }
    }
}

/// Lays an error out for people: what, why, where, and the way out. `label` colours the words that lines begin with.
pub(crate) fn laid_out(error: &CommandError, label: &dyn Fn(Style, &str) -> String) -> String {
    let mut chain = error
        .error
        .chain()
        .map(|cause| one_line(&cause.to_string()));
    let message = chain.next().unwrap_or_default();
    let red = AnsiColor::Red.on_default().bold();
    let mut text = format!("{}: {message}\n", label(red, "error"));
    for cause in chain {
        text.push_str(&format!("caused by: {cause}\n"));
    }
    if let Some(excerpt) = &error.excerpt {
        text.push_str(excerpt.trim_end());
        text.push('\n');
    }
    if !error.hints.is_empty() {
        text.push('\n');
    }
    let cyan = AnsiColor::Cyan.on_default().bold();
    for hint in &error.hints {
        text.push_str(&format!("{}: {}\n", label(cyan, "hint"), one_line(hint)));
    }
    text
}

impl Ui {
    /// Takes the streams out of the world, with the plainest settings until the command line is read.
    pub(crate) fn new(world: &mut World) -> Self {
        let closed = || Stream {
            writer: Box::new(io::sink()),
            is_terminal: false,
        };
        let stdout = std::mem::replace(&mut world.stdout, closed());
        let stderr = std::mem::replace(&mut world.stderr, closed());
        let wishes = ColorWishes::read(world.environment.as_ref());
        let sink = |stream: Stream| Sink {
            color: wishes.decide(ColorChoice::Auto, stream.is_terminal),
            stream,
            failure: None,
        };
        Self {
            progress: stderr.is_terminal && !wishes.dumb,
            out: sink(stdout),
            err: sink(stderr),
            verbosity: 0,
            log_format: LogFormat::Human,
            clock: world.clock.shared(),
            scribe: None,
            annotates: false,
        }
    }

    /// Applies what the command line, the environment or the configuration says.
    pub(crate) fn configure(
        &mut self,
        environment: &dyn Environment,
        color: ColorChoice,
        log_format: LogFormat,
        verbosity: i8,
    ) {
        let wishes = ColorWishes::read(environment);
        self.out.color = wishes.decide(color, self.out.stream.is_terminal);
        self.err.color =
            wishes.decide(color, self.err.stream.is_terminal) && log_format == LogFormat::Human;
        self.log_format = log_format;
        self.verbosity = verbosity;
        self.annotates = environment
            .var("GITHUB_ACTIONS")
            .is_some_and(|value| value == "true");
        self.progress = self.err.stream.is_terminal
            && !wishes.dumb
            && verbosity >= 0
            && log_format == LogFormat::Human;
        if log_format == LogFormat::Json && self.scribe.is_none() {
            let clock = Arc::clone(&self.clock);
            self.scribe = Some(Box::new(Scribe::new(environment, clock)));
        }
    }

    /// Says which command speaks, and takes a time for the present one.
    pub(crate) fn stand(&mut self, command: Option<&str>, now: Option<Timestamp>) {
        if let Some(scribe) = &mut self.scribe {
            scribe.stand(command, now);
        }
    }

    /// Returns where data goes.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Whether data may carry colour.
    pub(crate) fn out_color(&self) -> bool {
        self.out.color
    }

    /// Returns standard error as it is, for workflow commands.
    pub(crate) fn err(&mut self) -> &mut dyn Write {
        &mut self.err
    }

    /// Says what was done; silent with `--quiet`.
    pub(crate) fn status(&mut self, message: &str) {
        if self.verbosity >= 0 {
            self.say(Severity::Info, "status", None, message);
        }
    }

    /// Says what only the curious want to know; needs `--verbose`.
    pub(crate) fn detail(&mut self, message: &str) {
        if self.verbosity >= 1 {
            self.say(Severity::Debug, "detail", None, message);
        }
    }

    /// Says what somebody should look at; only `--quiet --quiet` silences it.
    pub(crate) fn warn(&mut self, message: &str) {
        if self.verbosity >= -1 {
            let style = AnsiColor::Yellow.on_default().bold();
            self.say(Severity::Warn, "warning", Some(style), message);
        }
    }

    /// Says the way out.
    pub(crate) fn hint(&mut self, message: &str) {
        if self.verbosity >= -1 {
            let style = AnsiColor::Cyan.on_default().bold();
            self.say(Severity::Info, "hint", Some(style), message);
        }
    }

    fn say(&mut self, severity: Severity, word: &str, label: Option<Style>, message: &str) {
        let message = one_line(message);
        let written = match (&self.scribe, label) {
            (Some(scribe), _) if self.log_format == LogFormat::Json => {
                writeln!(self.err, "{}", scribe.line(severity, &message))
            }
            (_, None) => writeln!(self.err, "{message}"),
            (_, Some(style)) => {
                let label = self.paint(style, word);
                writeln!(self.err, "{label}: {message}")
            }
        };
        debug_assert!(written.is_ok(), "a sink never fails");
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.err.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Tells a failure: what, why, where, and the way out.
    pub(crate) fn error(&mut self, error: &CommandError) {
        let message = one_line(&error.error.to_string());
        let causes: Vec<String> = error
            .error
            .chain()
            .skip(1)
            .map(|cause| one_line(&cause.to_string()))
            .collect();
        if self.log_format == LogFormat::Json
            && let Some(scribe) = &self.scribe
        {
            let line = scribe.error(&scribe::Failure {
                kind: error.kind.name(),
                message: &message,
                causes: &causes,
                hints: &error.hints,
                excerpt: error.excerpt.as_deref(),
                exit_code: error.kind.exit_code(),
            });
            let _never_fails = writeln!(self.err, "{line}");
            return;
        }
        let mut text = laid_out(error, &|style, word| self.paint(style, word));
        if self.annotates {
            text.push_str(&format!(
                "::error title=maestro::{}\n",
                github::data(&message)
            ));
        }
        let _never_fails = self.err.write_all(text.as_bytes());
    }

    /// Writes what clap has to say, to standard output for help and to standard error for a mistake.
    pub(crate) fn clap(&mut self, error: &clap::Error) {
        let rendered = error.render();
        if error.use_stderr()
            && self.log_format == LogFormat::Json
            && let Some(scribe) = &self.scribe
        {
            let text = rendered.to_string();
            let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
            let (message, rest) = text.split_once('\n').unwrap_or((text, ""));
            let line = scribe.error(&scribe::Failure {
                kind: "usage",
                message,
                causes: &[],
                hints: &[rest.trim().to_owned()],
                excerpt: None,
                exit_code: ExitCode::Usage,
            });
            let _never_fails = writeln!(self.err, "{line}");
            return;
        }
        let sink = if error.use_stderr() {
            &mut self.err
        } else {
            &mut self.out
        };
        let written = if sink.color {
            write!(sink, "{}", rendered.ansi())
        } else {
            write!(sink, "{rendered}")
        };
        debug_assert!(written.is_ok(), "a sink never fails");
    }

    /// Returns a progress bar that shows itself on a terminal only.
    pub(crate) fn progress(&self, length: u64, what: &'static str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let template = "{msg} {wide_bar} {pos}/{len} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Flushes both streams; data that did not reach its reader's disk turns the verdict into "cannot write".
    ///
    /// A reader who closed the pipe has seen enough: the verdict stands.
    pub(crate) fn finish(mut self, verdict: ExitCode) -> ExitCode {
        let _never_fails = self.out.flush();
        let failure = self.out.failure.take();
        let verdict = match failure {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.error(&CommandError::output(error));
                ExitCode::CannotWrite
            }
            _ => verdict,
        };
        let _never_fails = self.err.flush();
        verdict
    }
}
