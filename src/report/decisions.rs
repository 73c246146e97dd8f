//! What to decide, and what became of what was decided before.

use super::facts::{Decided, Facts};
use super::pack::{LastWeek, Outcome, Proposal, Section};
use super::words::{Measured, Words, difference, shown};

/// So many decisions are asked for at once: a team that is asked for more decides none.
pub(crate) const MOST: usize = 3;

/// No backlog is longer.
const MOST_PROPOSALS: usize = 40;

/// Ranks proposals: what was asked for already in the week first, as it was asked for, then what weighs most.
pub(crate) fn rank(mut proposals: Vec<Proposal>, facts: &Facts) -> Vec<Proposal> {
    let week = facts.week.name();
    let asked = |proposal: &Proposal| {
        let found = facts
            .decided
            .iter()
            .find(|one| one.week == week && one.id == proposal.id);
        found.map_or(u32::MAX, |found| found.rank)
    };
    crate::order::sort_by(&mut proposals, |a, b| {
        asked(a)
            .cmp(&asked(b))
            .then(b.weight.total_cmp(&a.weight))
            .then_with(|| a.id.cmp(&b.id))
    });
    proposals.dedup_by(|a, b| a.id == b.id);
    proposals.truncate(MOST_PROPOSALS);
    proposals
}

/// Returns what is kept of the decisions of a week.
pub(crate) fn keep(decisions: &[Proposal], week: &str) -> Vec<Decided> {
    let numbered = (1_u32..).zip(decisions);
    let kept = numbered.map(|(rank, proposal)| Decided {
        week: week.to_owned(),
        rank,
        id: proposal.id.clone(),
        what: proposal.what.text(),
        measure: proposal.measure.clone(),
        unit: unit_name(proposal.unit).to_owned(),
        value: proposal.value,
        section: proposal.section.to_owned(),
    });
    kept.collect()
}

/// Says what became of the decisions of the week before.
pub(crate) fn last_week(facts: &Facts, proposals: &[Proposal], sections: &[Section]) -> LastWeek {
    let week = facts.week.back(1).name();
    let mut kept: Vec<&Decided> = facts
        .decided
        .iter()
        .filter(|one| one.week == week)
        .collect();
    crate::order::sort_by_key(&mut kept, |one| one.rank);
    let decisions: Vec<Outcome> = kept
        .iter()
        .map(|one| outcome(one, proposals, sections))
        .collect();
    let done = decisions.iter().filter(|one| one.state == "done").count();
    let words = if decisions.is_empty() {
        "No decision was asked for in the week before.".to_owned()
    } else {
        format!("{done} of {} done.", decisions.len())
    };
    LastWeek {
        week,
        words,
        decisions,
    }
}

fn outcome(one: &Decided, proposals: &[Proposal], sections: &[Section]) -> Outcome {
    let unit = unit_of(&one.unit);
    let section = sections.iter().find(|section| section.id == one.section);
    let proposal = proposals.iter().find(|proposal| proposal.id == one.id);
    let (state, now) = match (proposal, section) {
        (Some(proposal), _) => ("open", Some(proposal.value)),
        (None, Some(section)) if !section.is_unknown => ("done", Some(0.0)),
        (None, _) => ("unknown", None),
    };
    let effect = match (state, now) {
        ("done", _) => format!(
            "not found any more: {} {} \u{2192} none",
            one.measure,
            shown(one.value, unit)
        ),
        (_, Some(now)) => format!(
            "{} {} \u{2192} {} ({})",
            one.measure,
            shown(one.value, unit),
            shown(now, unit),
            difference(now - one.value, unit)
        ),
        (_, None) => "what would tell is missing".to_owned(),
    };
    Outcome {
        id: one.id.clone(),
        what: Words::foreign(one.what.as_str()),
        state,
        effect,
        measure: one.measure.clone(),
        unit,
        before: one.value,
        now,
        section: section.map_or("backlog", |section| section.id),
    }
}

const UNITS: [(&str, Measured); 6] = [
    ("seconds", Measured::Seconds),
    ("minutes", Measured::Minutes),
    ("share", Measured::Share),
    ("dollars", Measured::Dollars),
    ("aweek", Measured::AWeek),
    ("count", Measured::Count),
];

fn unit_name(unit: Measured) -> &'static str {
    let found = UNITS.iter().find(|(_, known)| *known == unit);
    found.map_or("count", |(name, _)| name)
}

fn unit_of(name: &str) -> Measured {
    let found = UNITS.iter().find(|(known, _)| *known == name);
    found.map_or(Measured::Count, |(_, unit)| *unit)
}
