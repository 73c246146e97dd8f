//! The gate's part of the one comment, and how the change stands where `pr-health` has not said it.

use super::wire::GateDocument;
use super::{Base, GateArgs};
use crate::cli::check_policy::CheckPolicyDocument;
use crate::cli::comment::{Wish, keep_part};
use crate::cli::pr_health;
use crate::cli::session::Session;
use crate::error::CommandError;

/// Writes it, as far as the base's `comment` wants one; what has nothing to say begins none.
pub(super) fn keep(
    session: &mut Session<'_>,
    args: &GateArgs,
    (base, document): (&Base, &GateDocument),
    policy: Option<&CheckPolicyDocument>,
) -> Result<(), CommandError> {
    let wish = Wish {
        word: base.config.comment,
        is_actionable: document.is_actionable(),
    };
    let Some(number) = document.pull_request().filter(|_| !wish.is_never()) else {
        return Ok(());
    };
    // Where none is begun, nobody waits for how the change stands.
    let health = if wish.begins() {
        let given = args.base.as_deref().filter(|base| !base.is_empty());
        let known = pr_health::for_gate(session, (given, args.no_fetch), (number, policy));
        known.map_err(|error| {
            session.ui.warn(&format!(
                "how the change stands is not known: {:#}",
                error.error
            ));
        })
    } else {
        Err(())
    };
    let health = health.ok();
    keep_part(session, number, wish, &|parts| {
        parts.with_gate(document.part(), health.clone())
    })
}
