//! The weekly page of many repositories: each in one row beside the others, the proposals that weigh most of all, and how all of them deliver.
//!
//! Pure, as the page of one repository is. Rows are put together and never averaged: what a table cannot add up, it does not.

pub(crate) mod html;
pub(crate) mod markdown;
mod names;
mod rows;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::answer;
use super::decisions::MOST;
use super::facts::{Delivery, Known};
use super::pack::{Answer, Pack, Proposal, Section};
use super::sections::{Brief, delivery_of};
use super::week::Week;
use super::words::{Words, times};
use crate::delivery::repositories::Unread;
use names::Stems;
pub(crate) use rows::{Row, in_order, said};

/// The page is called by this and the week: pages of repositories begin with the week, and stay as they are.
pub(crate) const PAGE: &str = "repositories";

/// Everything that the page is made from.
pub(crate) struct Facts {
    pub(crate) week: Week,
    pub(crate) now: Timestamp,
    /// The list, as it was named.
    pub(crate) list: String,
    /// In the order of the list.
    pub(crate) members: Vec<Member>,
    /// How all of them deliver, pooled.
    pub(crate) delivery: Known<Delivery>,
}

/// A repository of the list.
pub(crate) struct Member {
    pub(crate) line: usize,
    /// As `owner/name`, or the path where nobody knows another name.
    pub(crate) name: String,
    /// As the list has it.
    pub(crate) path: String,
    pub(crate) found: Result<Box<Read>, Unread>,
}

/// What was read of a repository.
pub(crate) struct Read {
    pub(crate) pack: Pack,
    pub(crate) brief: Brief,
}

/// The week of many repositories at a glance.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.learning-pack-repos/v1"))]
pub(crate) struct Organisation {
    /// `maestro.learning-pack-repos/v1`
    pub(crate) schema: &'static str,
    /// The ISO 8601 week (UTC), as `2026-W47`.
    pub(crate) week: String,
    /// Its first day.
    pub(crate) from: String,
    /// The day after its last one.
    pub(crate) until: String,
    /// Its days, as people write them.
    pub(crate) days: String,
    /// Whether the week had ended when this was written.
    pub(crate) is_over: bool,
    /// When this was written.
    pub(crate) written: String,
    /// The list, as it was named.
    pub(crate) list: String,
    /// How many repositories are better and how many worse, in one sentence.
    pub(crate) words: String,
    /// What became better and what became worse in how all of them deliver.
    pub(crate) answer: Answer,
    /// Every repository of the list, in its order.
    pub(crate) repositories: Vec<Row>,
    /// What to decide: the three proposals of all repositories that weigh most.
    pub(crate) decisions: Vec<Asked>,
    /// What became of the decisions of the week before, over all repositories.
    pub(crate) last_week: Followed,
    /// What repositories come to together, as far as it can be added up.
    pub(crate) total: Section,
    /// How all of them deliver: rows of all repositories, pooled.
    pub(crate) delivery: Section,
    /// What is missing, and what to be careful about.
    pub(crate) notes: Vec<Words>,
}

/// A proposal, and whose it is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Asked {
    pub(crate) repository: String,
    /// The name of its page, without an ending.
    pub(crate) page: String,
    pub(crate) proposal: Proposal,
}

/// What became of decisions.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Followed {
    pub(crate) week: String,
    /// In one sentence.
    pub(crate) words: String,
    pub(crate) asked: usize,
    pub(crate) done: usize,
    pub(crate) open: usize,
    pub(crate) unknown: usize,
}

/// Makes the page; `clean` takes secrets out of what somebody else wrote. What is told of each repository is clean already.
pub(crate) fn organisation(facts: &Facts, clean: &dyn Fn(&str) -> Option<String>) -> Organisation {
    let window = facts.week.window();
    let day = |at| crate::delivery::calendar::day(at).to_string();
    let cleaned = |text: &str| clean(text).unwrap_or_else(|| text.to_owned());
    let list = cleaned(&facts.list);
    let mut stems = Stems::new(&facts.week.name());
    let members = facts.members.iter();
    let rows: Vec<Row> = members
        .map(|one| Row::new(one, &mut stems, &cleaned))
        .collect();
    let part = delivery_of(
        facts.week,
        &facts.delivery,
        &format!(" --repos {}", argument(&list)),
    );
    let mut measures = part.measures;
    if facts.now < window.until {
        // Of half a week there is half as much, which is neither better nor worse.
        measures.retain(|measure| measure.unit != super::words::Measured::Count);
    }
    let mut delivery = part.section;
    for command in &mut delivery.commands {
        *command = cleaned(command);
    }
    let mut notes = Vec::new();
    if facts.now < window.until {
        notes.push(Words::plain(
            "This week is not over: sums are those so far.",
        ));
    }
    if let Ok(delivery) = &facts.delivery {
        let own = delivery.notes.iter();
        notes.extend(own.map(|note| Words::plain(note.as_str())));
    }
    Organisation {
        schema: "maestro.learning-pack-repos/v1",
        week: facts.week.name(),
        from: day(window.since),
        until: day(window.until),
        days: facts.week.span(),
        is_over: window.until <= facts.now,
        written: facts.now.to_string(),
        words: words(&rows),
        answer: answer(&measures),
        decisions: decisions(facts, &rows),
        last_week: followed(facts, &rows),
        total: rows::total(&rows),
        delivery,
        notes,
        list,
        repositories: rows,
    }
}

/// Writes a word as a shell reads it as one.
fn argument(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Says how many repositories are better, and how many worse.
fn words(rows: &[Row]) -> String {
    let count = |answer: &str| rows.iter().filter(|row| row.answer == Some(answer)).count();
    let unread = rows.iter().filter(|row| row.problem.is_some()).count();
    let parts = [
        (count("better"), "better than the week before"),
        (count("worse"), "worse"),
        (count("mixed"), "both"),
        (count("same"), "about the same"),
        (count("unknown"), "with nothing to compare"),
        (unread, "not read"),
    ];
    let parts = parts.iter().filter(|(many, _)| *many > 0);
    let parts: Vec<String> = parts.map(|(many, what)| format!("{many} {what}")).collect();
    parts.join(", ") + "."
}

pub(crate) fn repositories(many: usize) -> String {
    times(many, "repository").replace("repositorys", "repositories")
}

/// Returns the proposals of all repositories that weigh most.
fn decisions(facts: &Facts, rows: &[Row]) -> Vec<Asked> {
    let mut all: Vec<(&Proposal, &Row, &str)> = Vec::new();
    for (member, row) in facts.members.iter().zip(rows) {
        if let (Ok(read), Some(page)) = (&member.found, &row.page) {
            all.extend(
                read.pack
                    .backlog
                    .iter()
                    .map(|proposal| (proposal, row, page.as_str())),
            );
        }
    }
    crate::order::sort_by(&mut all, |a, b| {
        (b.0.weight.total_cmp(&a.0.weight))
            .then_with(|| a.1.line.cmp(&b.1.line))
            .then_with(|| a.0.id.cmp(&b.0.id))
    });
    let most = all
        .into_iter()
        .take(MOST)
        .map(|(proposal, row, page)| Asked {
            repository: row.name.clone(),
            page: page.to_owned(),
            proposal: proposal.clone(),
        });
    most.collect()
}

fn followed(facts: &Facts, rows: &[Row]) -> Followed {
    let mut all = Followed {
        week: facts.week.back(1).name(),
        ..Followed::default()
    };
    for row in rows {
        all.done += row.decisions.done;
        all.open += row.decisions.open;
        all.unknown += row.decisions.unknown;
    }
    all.asked = all.done + all.open + all.unknown;
    let of = rows.iter().filter(|row| row.decisions.asked() > 0).count();
    all.words = match all.asked {
        0 => "No repository was asked for a decision in the week before.".to_owned(),
        asked => format!("{} of {asked} done, in {}.", all.done, repositories(of)),
    };
    if all.unknown > 0 {
        all.words
            .push_str(&format!(" Of {} nobody can tell.", all.unknown));
    }
    all
}
