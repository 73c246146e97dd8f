//! Starts a run, goes on with one, or plays one again.

use super::RunAgentsArgs;
use crate::cli::prompts;
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::error::{CommandError, CommandResult, ErrorKind};

use super::place::{begun, replayed, resumed};
use super::work::work;

pub(super) fn run(session: &mut Session<'_>, args: &RunAgentsArgs) -> CommandResult {
    let checkout = session.checkout.as_ref().map_err(no_repository)?.clone();
    let asks = args.replay.is_none() && args.recorded.is_none();
    if session.settings.offline.value && asks {
        let message = "`--offline` forbids asking a model";
        return Err(CommandError::message(ErrorKind::Unavailable, message)
            .hint("run it without --offline, or play a run again with `--replay`"));
    }
    let library = prompts::library(session)?;
    let place = match (&args.resume, &args.replay) {
        (Some(run), _) => resumed(session, &checkout, run)?,
        (None, Some(run)) => replayed(session, &checkout, run)?,
        (None, None) => begun(session, &checkout, args, &library)?,
    };
    let done = work(session, args, &checkout, &place, &library);
    let removed = session.world.files.remove_folder(&place.root);
    removed.map_err(|error| CommandError::writing(&place.root, error))?;
    let journal = place.folder.join("journal.ndjson");
    let is_empty = session.world.files.kind(&journal).is_err();
    // Nobody was there to plan it: the same name may be used another time.
    let is_unplanned = args.resume.is_none()
        && matches!(&done, Err(error) if error.kind == ErrorKind::Unavailable);
    if args.replay.is_some() || args.dry_run || is_empty || is_unplanned {
        // Nothing of it is kept.
        let removed = session.world.files.remove_folder(&place.folder);
        removed.map_err(|error| CommandError::writing(&place.folder, error))?;
    }
    done
}
