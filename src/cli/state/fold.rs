//! `maestro state fold`

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::verify::DamageRow;
use crate::cli::session::Session;
use crate::cli::state::damage_error;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Page, Report};
use crate::state::Survey;

/// Fold the outbox into segments
///
/// Every event ends up once, in a file for its kind and month, sorted by time. Folding again, or in another order, gives
/// the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Fold what the last commands stored
    $ maestro state fold

  See how much there is to fold
    $ maestro state fold --dry-run")]
pub(crate) struct FoldArgs {
    /// Say what would be folded, write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &FoldArgs) -> CommandResult {
    let state = session.state()?;
    let folded = state.fold(args.dry_run)?;
    let survey = Survey {
        damage: folded.damage,
        ..Survey::default()
    };
    let document = FoldDocument {
        schema: "maestro.state-fold/v1",
        dry_run: args.dry_run,
        files: folded.files,
        events: folded.events,
        segments: folded.segments,
        damage: DamageRow::all(session, &survey),
    };
    session.render(&document)?;
    if survey.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    Err(damage_error(session, &survey))
}

/// What was folded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "maestro.state-fold/v1")]
pub(crate) struct FoldDocument {
    /// `maestro.state-fold/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// Files of the outbox.
    files: u64,
    /// Events in them.
    events: u64,
    /// Segments that were written, or would be.
    segments: u64,
    /// Lines that cannot be used; damage in a segment stops the fold.
    damage: Vec<DamageRow>,
}

impl Report for FoldDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "{}: {} from {} into {}",
            if self.dry_run { "Would fold" } else { "Folded" },
            times(self.events, "event"),
            times(self.files, "file"),
            times(self.segments, "segment")
        ));
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        page
    }
}
