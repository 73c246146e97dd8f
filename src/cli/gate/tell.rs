//! What channels hear of this change, by the `notify` of the branch that it goes to.

use super::wire::GateDocument;
use crate::cli::notify::{events, gather, on_the_way};
use crate::cli::session::Session;
use crate::config::notify::NotifyFile;
use crate::gate::overrides::Override;
use crate::gate::{Capability, Problem, Weight, weight};
use crate::notify::{Blocked, Used};

/// What the gate found.
pub(super) struct Found<'f> {
    pub(super) base: Option<&'f str>,
    pub(super) enforced: &'f [Capability],
    pub(super) problems: &'f [Problem],
    pub(super) used: &'f [Override],
}

/// Tells channels; no answer of theirs is the gate's.
pub(super) fn tell(
    session: &mut Session<'_>,
    channels: &[NotifyFile],
    document: &GateDocument,
    found: &Found<'_>,
) {
    // Most gates have no address: nothing is read for nobody.
    let has_address = |one: &&NotifyFile| session.var(&one.url_env).is_some();
    let channels: Vec<NotifyFile> = channels.iter().filter(has_address).cloned().collect();
    if channels.is_empty() {
        return;
    }
    let mut facts = gather::bare(session);
    let (head, pull_request) = (document.head().to_owned(), document.pull_request());
    let wanted = events(&channels);
    let wants_budget = gather::BUDGET.iter().any(|event| wanted.contains(event));
    if let (true, Some(number)) = (wants_budget, pull_request) {
        gather::budget(session, (found.base, Some(number)), &mut facts);
    }
    let blocking = found
        .problems
        .iter()
        .filter(|problem| weight(problem, found.enforced) == Weight::Blocks);
    let problems: Vec<_> = blocking
        .map(|problem| {
            (
                problem.rule.clone(),
                problem.about.clone(),
                problem.words.clone(),
            )
        })
        .collect();
    facts.blocked = (!problems.is_empty()).then(|| Blocked {
        head: head.clone(),
        pull_request,
        problems,
        run: session.var("GITHUB_RUN_ID"),
    });
    let used = found.used.iter().map(|one| Used {
        at: facts.now,
        said_at: one.at,
        by: one.who.clone(),
        rule: one.rule.clone(),
        reason: one.reason.clone(),
        head: head.clone(),
        pull_request,
        expires: one.expires,
    });
    facts.overrides = used.collect();
    on_the_way(session, &channels, Ok(facts));
}
