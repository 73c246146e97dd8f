//! Flags that every command takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, ValueEnum};
use jiff::Timestamp;

use crate::output::Format;
use crate::ports::Environment;
use crate::ui::{ColorChoice, LogFormat};

/// A file to write, and in which format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportTarget {
    pub(crate) format: Format,
    pub(crate) path: PathBuf,
}

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Work in this folder instead of the current one [env: MAESTRO_REPO]
    #[arg(short = 'C', long = "repo", value_name = "DIR", global = true)]
    pub(crate) repo: Option<PathBuf>,

    /// The `.maestro` folder; without a git repository, state lies there too [env: MAESTRO_DIR]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) dir: Option<PathBuf>,

    /// How to write results to standard output [env: MAESTRO_FORMAT] [default: human]
    #[arg(long, value_name = "FORMAT", global = true, hide_possible_values = true, help = format_help())]
    pub(crate) format: Option<Format>,

    /// Also write the result to a file, as `FORMAT=PATH` (can be repeated)
    #[arg(long, value_name = "FORMAT=PATH", global = true, action = ArgAction::Append, value_parser = report_target)]
    pub(crate) report: Vec<ReportTarget>,

    /// Say less; twice: only errors
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    pub(crate) quiet: u8,

    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to colour: auto, always or never [env: MAESTRO_COLOR] [default: auto]
    #[arg(long, value_name = "WHEN", global = true, hide_possible_values = true)]
    pub(crate) color: Option<ColorChoice>,

    /// Take this for the present time, in RFC 3339 [env: MAESTRO_NOW]
    #[arg(long, value_name = "TIME", global = true)]
    pub(crate) now: Option<Timestamp>,

    /// Refuse every use of the network [env: MAESTRO_OFFLINE]
    #[arg(long, global = true)]
    pub(crate) offline: bool,

    /// How messages on standard error look: human or json [env: MAESTRO_LOG_FORMAT] [default: human]
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        hide_possible_values = true
    )]
    pub(crate) log_format: Option<LogFormat>,
}

fn format_help() -> String {
    format!(
        "How to write results to standard output: {} [env: MAESTRO_FORMAT] [default: human]",
        Format::NAMES.join(", ")
    )
}

impl GlobalArgs {
    pub(crate) fn verbosity(&self) -> i8 {
        let up = i8::try_from(self.verbose.min(3)).unwrap_or(3);
        let down = i8::try_from(self.quiet.min(3)).unwrap_or(3);
        up - down
    }
}

fn report_target(text: &str) -> Result<ReportTarget, String> {
    let Some((format, path)) = text.split_once('=') else {
        return Err("expected FORMAT=PATH, for example json=report.json".into());
    };
    let format = Format::from_str(format, false).map_err(|_| {
        format!(
            "unknown format `{format}`; the formats are {}",
            Format::NAMES.join(", ")
        )
    })?;
    match path {
        "" => Err("the path is empty".into()),
        "-" => Err("for standard output use --format".into()),
        path => Ok(ReportTarget {
            format,
            path: PathBuf::from(path),
        }),
    }
}

/// Reads colour and log format off a command line that could not be parsed, so that its error looks as asked.
pub(super) fn guess(args: &[OsString], environment: &dyn Environment) -> (ColorChoice, LogFormat) {
    let value = |flag: &str, variable: &str| {
        let mut found = environment
            .var(variable)
            .map(|value| value.to_string_lossy().into_owned());
        for (at, arg) in args.iter().enumerate() {
            let arg = arg.to_string_lossy();
            if arg == flag {
                found = args
                    .get(at + 1)
                    .map(|value| value.to_string_lossy().into_owned());
            } else if let Some(value) = arg.strip_prefix(flag).and_then(|v| v.strip_prefix('=')) {
                found = Some(value.to_owned());
            }
        }
        found.unwrap_or_default()
    };
    let color = ColorChoice::from_str(&value("--color", "MAESTRO_COLOR"), false);
    let log_format = LogFormat::from_str(&value("--log-format", "MAESTRO_LOG_FORMAT"), false);
    (color.unwrap_or_default(), log_format.unwrap_or_default())
}
