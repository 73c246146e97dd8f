//! What channels hear of the page of the last week.

use crate::cli::notify::{gather, on_the_way};
use crate::cli::session::Session;
use crate::config::notify::NotifyEvent;
use crate::notify::WeekPage;
use crate::report::pack::Pack;
use crate::report::week::Week;

/// Tells channels of the page; pages of other weeks are no news.
pub(super) fn tell(session: &mut Session<'_>, pack: &Pack, link: Option<String>) {
    let mut channels = session.config.notify.clone();
    channels.retain(|channel| channel.on.contains(&NotifyEvent::Weekly));
    if channels.is_empty() || pack.week != Week::last_full(session.now()).name() {
        return;
    }
    let mut lines = Vec::new();
    for (word, changes) in [
        ("Better", &pack.answer.better),
        ("Worse", &pack.answer.worse),
    ] {
        lines.extend(
            changes
                .iter()
                .map(|change| format!("{word}: {}", change.words)),
        );
    }
    for proposal in &pack.decisions {
        let owner = proposal.owner.as_ref().map(|owner| format!(" ({owner})"));
        lines.push(format!(
            "Decide: {}{}",
            proposal.what.text(),
            owner.unwrap_or_default()
        ));
    }
    let mut facts = gather::bare(session);
    facts.week = Some(WeekPage {
        name: pack.week.clone(),
        answer: pack.answer.words.clone(),
        lines,
        link,
    });
    on_the_way(session, &channels, Ok(facts));
}
