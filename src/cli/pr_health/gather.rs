//! What is known of a change, from the repository, from reports and from the state.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::is_factor;
use crate::change::base::Trigger;
use crate::cli::check_policy::asked;
use crate::cli::check_policy::supplied::{bytes_of, refused};
use crate::cli::check_policy::{git_trouble, with_planner};
use crate::cli::configured;
use crate::cli::flakes::rules::trusted_files;
use crate::cli::plan::trigger::occasion;
use crate::cli::session::Session;
use crate::config::file::CommentWord;
use crate::config::nearest;
use crate::error::{CommandError, ErrorKind};
use crate::health::Spending;
use crate::health::factors::FACTORS;
use crate::money::Usd;
use crate::supply::coverage::{self, Coverage, Places};

/// A person's change is judged by what it left, also where there is no remote to ask.
pub(super) fn local_base<'b>(session: &Session<'_>, bases: &'b [String]) -> Option<&'b str> {
    let is_local = occasion(session).trigger == Trigger::Local;
    bases.first().map(String::as_str).filter(|_| is_local)
}

/// What the branch says that the change goes to.
#[derive(Default)]
pub(super) struct Said {
    /// How much factors count.
    pub(super) weights: BTreeMap<String, u32>,
    /// When there is a comment.
    pub(super) comment: Option<CommentWord>,
}

/// Reads it.
pub(super) fn said(
    session: &mut Session<'_>,
    base: Option<&str>,
    may_fetch: bool,
) -> Result<Said, CommandError> {
    let path = ".maestro/maestro.yaml";
    let (_, [text]) = trusted_files(session, base, may_fetch, [path])?;
    let Some(bytes) = text else {
        return Ok(Said::default());
    };
    let config = configured::trusted(session, &bytes, path, may_fetch)?;
    let said = Said {
        weights: config.health.weights,
        comment: config.comment,
    };
    let Some(odd) = said.weights.keys().find(|name| !is_factor(name)) else {
        return Ok(said);
    };
    let names: Vec<&str> = FACTORS.iter().map(|about| about.name).collect();
    let message = format!("`{path}`: `health.weights` names `{odd}`, which is no factor");
    let hint = match nearest(odd, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("factors: {}", names.join(", ")),
    };
    Err(CommandError::message(ErrorKind::BadConfig, message).hint(hint))
}

/// Returns the paths of a commit.
pub(super) fn paths(
    session: &mut Session<'_>,
    no_fetch: bool,
    head: &str,
) -> Result<Vec<String>, CommandError> {
    with_planner(session, no_fetch, |_, planner, _| {
        let tree = planner.list(head).map_err(git_trouble)?;
        Ok(tree.iter().map(|(path, _)| path.to_owned()).collect())
    })
}

/// Reads reports of coverage. One that is not understood ends the command: it is never taken for one that covers nothing, or all.
pub(super) fn coverage(
    session: &mut Session<'_>,
    files: &[PathBuf],
    paths: &[String],
) -> Result<Option<Coverage>, CommandError> {
    if files.is_empty() {
        return Ok(None);
    }
    let places = Places::new(paths.iter().map(String::as_str));
    let top = session
        .checkout
        .as_ref()
        .ok()
        .and_then(|checkout| checkout.top.clone());
    let here = top.map(|top| top.display().to_string());
    let checkout: Vec<String> = here
        .into_iter()
        .chain(session.var("GITHUB_WORKSPACE"))
        .collect();
    let mut all = Coverage::default();
    for path in files {
        let bytes = bytes_of(session, path)?;
        let name = path.display().to_string();
        let report = coverage::read(&bytes).map_err(|fault| refused(&name, fault))?;
        all.add(report, &places, &checkout);
    }
    if all.unplaced > 0 {
        let words = format!(
            "{} of the reports of coverage are none of the repository's, or may be several",
            crate::flakes::verdict::times(all.unplaced, "file")
        );
        session.ui.status(&words);
    }
    Ok(Some(all))
}

/// Returns what models cost for a pull request.
pub(super) fn spending(
    session: &mut Session<'_>,
    number: Option<u64>,
    base: Option<&str>,
) -> Option<Spending> {
    let spent = asked::spent(session, number, base)?;
    // Where no call is recorded nobody knows whether none was made.
    if spent.usd == Usd::ZERO && spent.unpriced == 0 {
        return None;
    }
    Some(Spending {
        spent: spent.usd,
        cap: spent.cap,
        unpriced: spent.unpriced,
    })
}
