//! What policies blocked, and whom people let through all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Measure, Part, bars, count, counted, id, known_of, known_since};
use crate::delivery::kpi::Measured;
use crate::delivery::quantiles::float;
use crate::report::facts::{Facts, Override, Verdict};
use crate::report::pack::{Chart, Proposal, Section, Tone};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, times};

const ID: &str = "policy";
const TITLE: &str = "Policy";

/// An entry that is overruled so often is worth a look.
const LEAST_OVERRIDES: usize = 2;

/// The last verdict of each change in a week: a change that was mended is blocked no more.
struct Changes<'a> {
    all: usize,
    blocked: usize,
    forgiven: u64,
    /// Of each entry: changes that it blocked at some time, and that it still blocks.
    entries: BTreeMap<&'a str, (BTreeSet<String>, usize)>,
    /// Entries that want approval or warn.
    milder: BTreeMap<&'a str, (usize, usize)>,
    last: Vec<&'a Verdict>,
}

pub(super) fn part(facts: &Facts) -> Part {
    let verdicts = match known_of(&facts.verdicts) {
        Ok(verdicts) => verdicts,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let now = changes(verdicts, facts.week);
    let before = changes(verdicts, facts.week.back(1));
    let first = verdicts.iter().map(|verdict| verdict.at).min();
    let was_there = known_since(first, facts.week.back(1));
    let overrides: Vec<&Override> = facts
        .overrides
        .iter()
        .filter(|one| facts.week.holds(one.at))
        .collect();
    let mut section = Section::new(ID, TITLE, words(&now, overrides.len()));
    section.figures = vec![
        count("changes judged", now.all, was_there.then_some(before.all)),
        count(
            "blocked at last",
            now.blocked,
            was_there.then_some(before.blocked),
        ),
        count(
            "breaches forgiven",
            usize::try_from(now.forgiven).unwrap_or(usize::MAX),
            None,
        ),
        count("overridden by people", overrides.len(), None),
    ];
    if now.blocked > 0 {
        section.figures[1].tone = Tone::Bad;
    }
    tables(&mut section, facts, &now, &overrides);
    section.charts.extend(chart(facts, verdicts, first));
    section.commands = vec![
        "maestro check-policy".into(),
        "maestro state export --out maestro-export".into(),
    ];
    let mut part = Part::new(section);
    let of = |changes: &Changes<'_>, is_there: bool| {
        if is_there {
            counted(changes.blocked)
        } else {
            Measured::default()
        }
    };
    part.measures = vec![Measure {
        name: "changes blocked at last",
        unit: Unit::Count,
        is_better_when_less: true,
        now: of(&now, now.all > 0),
        before: of(&before, before.all > 0),
        section: ID,
    }];
    part.proposals = proposals(&now, &overrides);
    part
}

fn tables(section: &mut Section, facts: &Facts, now: &Changes<'_>, overrides: &[&Override]) {
    section.table(
        "Entries that blocked",
        &["Entry", "#Changes blocked", "#Still blocked", "Overridden"],
        entry_rows(now, overrides),
    );
    let milder = now.milder.iter().map(|(entry, (review, warned))| {
        vec![
            Words::foreign(*entry),
            Words::plain(review.to_string()),
            Words::plain(warned.to_string()),
        ]
    });
    section.table(
        "Entries that asked or warned",
        &["Entry", "#Want approval", "#Warn"],
        milder.collect(),
    );
    section.table(
        "Changes that are blocked",
        &["Commit", "Pull request", "By", "Counts"],
        blocked_rows(facts, now),
    );
    let rows = overrides.iter().map(|one| {
        vec![
            Words::foreign(&one.rule),
            Words::foreign(&one.by),
            Words::foreign(&one.reason),
            one.pull_request
                .map_or_else(|| Words::plain("none"), |number| facts.pull(number)),
        ]
    });
    section.table(
        "Overrides",
        &["Rule", "By", "Reason", "Pull request"],
        rows.collect(),
    );
}

/// A change is known by its pull request, else by its commit.
fn change_of(verdict: &Verdict) -> String {
    match verdict.pull_request {
        Some(number) => format!("#{number}"),
        None => verdict.head.clone(),
    }
}

fn changes(verdicts: &[Verdict], week: Week) -> Changes<'_> {
    let mut last: BTreeMap<String, &Verdict> = BTreeMap::new();
    let mut entries: BTreeMap<&str, (BTreeSet<String>, usize)> = BTreeMap::new();
    let mut milder: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|verdict| week.holds(verdict.at)) {
        let change = change_of(verdict);
        for entry in &verdict.blocked_by {
            entries.entry(entry).or_default().0.insert(change.clone());
        }
        let known = last.get(&change);
        if known.is_none_or(|known| known.at <= verdict.at) {
            last.insert(change, verdict);
        }
    }
    for verdict in last.values() {
        for entry in &verdict.blocked_by {
            if let Some(found) = entries.get_mut(entry.as_str()) {
                found.1 += 1;
            }
        }
        for entry in &verdict.review_by {
            milder.entry(entry).or_default().0 += 1;
        }
        for entry in &verdict.warned_by {
            milder.entry(entry).or_default().1 += 1;
        }
    }
    Changes {
        all: last.len(),
        blocked: last
            .values()
            .filter(|verdict| verdict.outcome == "blocked")
            .count(),
        forgiven: last.values().map(|verdict| verdict.forgiven).sum(),
        entries,
        milder,
        last: last.into_values().collect(),
    }
}

fn words(now: &Changes<'_>, overrides: usize) -> Words {
    if now.all == 0 && overrides == 0 {
        return Words::plain("No change was judged in this week.");
    }
    let ever: BTreeSet<&String> = now
        .entries
        .values()
        .flat_map(|(changes, _)| changes)
        .collect();
    Words::plain(format!(
        "{} judged, {} blocked at some time, {} at last; {} by people.",
        times(now.all, "change"),
        ever.len(),
        now.blocked,
        times(overrides, "override"),
    ))
}

fn entry_rows(now: &Changes<'_>, overrides: &[&Override]) -> Vec<Vec<Words>> {
    let mut rows: Vec<_> = now.entries.iter().collect();
    crate::order::sort_by(&mut rows, |a, b| {
        b.1.0.len().cmp(&a.1.0.len()).then(a.0.cmp(b.0))
    });
    let rows = rows.into_iter().map(|(entry, (changes, still))| {
        let overridden = overrides.iter().filter(|one| one.rule == *entry).count();
        vec![
            Words::foreign(*entry),
            Words::plain(changes.len().to_string()),
            Words::plain(still.to_string()),
            Words::plain(overridden.to_string()),
        ]
    });
    rows.collect()
}

fn blocked_rows(facts: &Facts, now: &Changes<'_>) -> Vec<Vec<Words>> {
    let blocked = now
        .last
        .iter()
        .filter(|verdict| verdict.outcome == "blocked");
    let rows = blocked.map(|verdict| {
        vec![
            Words::foreign(verdict.head.get(..12).unwrap_or(&verdict.head)),
            verdict
                .pull_request
                .map_or_else(|| Words::plain("none"), |number| facts.pull(number)),
            Words::foreign(verdict.blocked_by.join(", ")),
            Words::plain(if verdict.enforced {
                "yes"
            } else {
                "no, only told"
            }),
        ]
    });
    rows.collect()
}

fn chart(facts: &Facts, verdicts: &[Verdict], first: Option<jiff::Timestamp>) -> Option<Chart> {
    const TITLE: &str = "Changes blocked at last, of each week";
    bars(facts, TITLE, Unit::Count, first, &|week| {
        Some(float(changes(verdicts, week).blocked))
    })
}

fn proposals(now: &Changes<'_>, overrides: &[&Override]) -> Vec<Proposal> {
    let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for one in overrides {
        *by_rule.entry(&one.rule).or_default() += 1;
    }
    let often = by_rule
        .into_iter()
        .filter(|(_, times)| *times >= LEAST_OVERRIDES);
    let mut proposals: Vec<Proposal> = often
        .map(|(rule, overridden)| Proposal {
            id: id("override", rule),
            kind: "override",
            what: Words::plain("Change the entry ")
                .quote(rule)
                .say(", which people overrule"),
            cause: Words::plain(format!("{} in the week", times(overridden, "override"))),
            owner: None,
            cost: Words::plain(format!(
                "{} waited for a person",
                times(overridden, "change")
            )),
            gain: Words::plain(format!("{} less a week", times(overridden, "wait"))),
            measure: "overrides".into(),
            unit: Unit::Count,
            value: float(overridden),
            weight: 5.0 * float(overridden),
            section: ID,
            command: "maestro check-policy".into(),
        })
        .collect();
    let still = now.entries.iter().filter(|(_, (_, still))| *still > 0);
    proposals.extend(still.map(|(entry, (_, still))| {
        Proposal {
            id: id("blocked", entry),
            kind: "blocked",
            what: Words::plain("Help along what ")
                .quote(*entry)
                .say(" blocks, or change the entry"),
            cause: Words::plain("the changes were not mended in the week"),
            owner: None,
            cost: Words::plain(format!("{} cannot go in", times(*still, "change"))),
            gain: Words::plain(format!("{} that can go in", times(*still, "change"))),
            measure: "changes blocked".into(),
            unit: Unit::Count,
            value: float(*still),
            weight: 2.0 * float(*still),
            section: ID,
            command: "maestro check-policy".into(),
        }
    }));
    proposals
}
