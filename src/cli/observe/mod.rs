//! `maestro observe`

mod ask;
mod export;
mod files;
mod known;
mod serve;
mod signals;
mod wire;

use std::time::Duration;

use clap::Subcommand;

use super::session::Session;
use crate::error::CommandResult;

#[cfg(test)]
pub(super) use files::ObserveFilesDocument;
#[cfg(test)]
pub(super) use wire::ObserveExportDocument;

#[derive(Debug, Subcommand)]
pub(crate) enum ObserveCommand {
    Export(Box<export::ExportArgs>),
    Serve(serve::ServeArgs),
    Dashboards(files::DashboardsArgs),
    Alerts(files::AlertsArgs),
}

pub(crate) fn run(session: &mut Session<'_>, command: &ObserveCommand) -> CommandResult {
    match command {
        ObserveCommand::Export(args) => export::run(session, args),
        ObserveCommand::Serve(args) => serve::run(session, args),
        ObserveCommand::Dashboards(args) => files::dashboards(session, args),
        ObserveCommand::Alerts(args) => files::alerts(session, args),
    }
}

/// Reads `30s`, `5m` or `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3600)].into_iter();
    let mut fits = units.filter_map(|(unit, seconds)| {
        let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_secs(u64::from(number) * seconds))
    });
    let expected = "expected a number with s, m or h, for example 30s";
    fits.next().ok_or_else(|| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("5m", 300), ("2h", 7200)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "s", "5", "5d", "-1s", "1.5h", "é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
