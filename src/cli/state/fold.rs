//! `maestro state fold`

use crate::cli::session::Session;
use crate::cli::state::{damage_error, warn_of_damage};
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
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
    if args.dry_run {
        let waiting = state.waiting()?;
        session.ui.status(&format!(
            "{} of the outbox would be folded",
            times(waiting, "file")
        ));
        return Ok(ExitCode::Success);
    }
    let folded = state.fold()?;
    session.ui.status(&format!(
        "folded {} from {} into {}",
        times(folded.events, "event"),
        times(folded.files, "file"),
        times(folded.segments, "segment")
    ));
    if folded.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    let survey = Survey {
        damage: folded.damage,
        ..Survey::default()
    };
    warn_of_damage(session, &survey);
    Err(damage_error(session, &survey))
}
