//! The weekly page: what became better or worse, what to decide, and the charts behind it.
//!
//! Pure: facts come in as values that other commands reckon with too, the present time is an argument, and what is unknown is said in words. The same
//! facts make the same bytes.

pub(crate) mod answer;
pub(crate) mod chart;
pub(crate) mod decisions;
pub(crate) mod facts;
pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod organisation;
pub(crate) mod pack;
pub(crate) mod sections;
pub(crate) mod sheet;
pub(crate) mod spikes;
#[cfg(test)]
mod tests;
pub(crate) mod week;
pub(crate) mod words;

use facts::Facts;
use pack::{Pack, Section};
use words::Words;

/// Makes the page; `clean` takes secrets out of what somebody else wrote.
pub(crate) fn pack(facts: &Facts, clean: &dyn Fn(&str) -> Option<String>) -> Pack {
    let (mut sections, mut measures, mut proposals) = (Vec::new(), Vec::new(), Vec::new());
    for part in sections::all(facts) {
        sections.push(part.section);
        measures.extend(part.measures);
        proposals.extend(part.proposals);
    }
    let backlog = decisions::rank(proposals, facts);
    let last_week = decisions::last_week(facts, &backlog, &sections);
    let window = facts.week.window();
    if facts.now < window.until {
        // Of half a week there is half as much, which is neither better nor worse.
        measures.retain(|measure| measure.unit != words::Measured::Count);
    }
    let day = |at| crate::delivery::calendar::day(at).to_string();
    let mut pack = Pack {
        schema: "maestro.learning-pack/v1",
        week: facts.week.name(),
        from: day(window.since),
        until: day(window.until),
        days: facts.week.span(),
        is_over: window.until <= facts.now,
        written: facts.now.to_string(),
        repository: facts.repository.clone(),
        answer: answer::answer(&measures),
        decisions: backlog.iter().take(decisions::MOST).cloned().collect(),
        last_week,
        notes: notes(facts, &sections),
        sections,
        backlog,
    };
    pack.each_foreign(&mut |text| {
        if let Some(new) = clean(text) {
            *text = new;
        }
    });
    pack
}

/// What is missing, and what to be careful about.
fn notes(facts: &Facts, sections: &[Section]) -> Vec<Words> {
    let mut notes = Vec::new();
    let window = facts.week.window();
    if facts.now < window.since {
        notes.push(Words::plain(
            "This week has not begun: either the clock is wrong, or the week.",
        ));
    } else if facts.now < window.until {
        notes.push(Words::plain(
            "This week is not over: sums are those so far, and no decision is kept.",
        ));
    }
    let unknown = sections.iter().filter(|section| section.is_unknown).count();
    if unknown == sections.len() - 1 {
        notes.push(Words::plain("Nothing is stored yet that a page could be about. Begin with `maestro flakes ingest`, or fetch what others stored with `maestro state pull`."));
    }
    if latest(facts).is_some_and(|at| at > facts.now) {
        notes.push(Words::plain(format!(
            "Some of what is stored is dated after {}, when this was written: a clock is wrong somewhere.",
            facts.now
        )));
    }
    notes.extend(
        facts
            .troubles
            .iter()
            .map(|trouble| Words::foreign(trouble.as_str())),
    );
    if let Ok(delivery) = &facts.delivery {
        // That rows are out of git alone, the section says itself.
        let own = delivery
            .notes
            .iter()
            .filter(|note| !note.starts_with("git alone"));
        notes.extend(own.map(|note| Words::foreign(note.as_str())));
    }
    notes
}

/// Returns when the latest thing that is known happened.
fn latest(facts: &Facts) -> Option<jiff::Timestamp> {
    let tests = facts
        .tests
        .iter()
        .flat_map(|tests| &tests.runs)
        .map(|run| run.at);
    let calls = facts
        .money
        .iter()
        .flat_map(|money| &money.calls)
        .map(|call| call.at);
    let agents = facts.agents.iter().flatten().map(|run| run.at);
    let verdicts = facts.verdicts.iter().flatten().map(|verdict| verdict.at);
    let plans = facts.plans.iter().flatten().map(|plan| plan.at);
    tests
        .chain(calls)
        .chain(agents)
        .chain(verdicts)
        .chain(plans)
        .max()
}
