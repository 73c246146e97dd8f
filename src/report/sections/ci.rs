//! What plans saved, and what escaped them.

use std::collections::BTreeMap;

use super::brief::Plans;
use super::{Measure, Part, bars, count, counted, id, known, known_of, known_since, unknown};
use crate::delivery::kpi::Measured;
use crate::delivery::quantiles::float;
use crate::report::facts::{Facts, Planned, Tests};
use crate::report::pack::{Chart, Figure, Proposal, Section, Tone};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "ci";
const TITLE: &str = "CI that plans saved";

/// A proposal to look at a reason for which everything ran needs so many plans.
const LEAST_PLANS: usize = 5;

/// What a runner's minute costs: GitHub's price of a standard Linux runner, rounded up to a cent.
pub(super) const USD_A_MINUTE: f64 = 0.01;

/// What plans of a week left out.
#[derive(Default)]
struct Saved {
    plans: usize,
    ran_all: usize,
    jobs: usize,
    skipped: usize,
    /// Skipped jobs of which nobody knows how long they take.
    untimed: usize,
    minutes: f64,
    /// What plans would have saved whose word did not count.
    unenforced: f64,
    escapes: Vec<Escape>,
    reasons: BTreeMap<String, usize>,
}

/// A job that a plan left out, and that failed on the same commit.
struct Escape {
    commit: String,
    job: String,
    run: String,
    failed: u64,
}

pub(super) fn part(facts: &Facts) -> Part {
    let plans = match known_of(&facts.plans) {
        Ok(plans) => plans,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let tests = facts.tests.as_ref().ok();
    let now = saved(plans, tests, facts.week);
    let before = saved(plans, tests, facts.week.back(1));
    let first = plans.iter().map(|plan| plan.at).min();
    let was_there = known_since(first, facts.week.back(1));
    let mut section = Section::new(ID, TITLE, words(&now));
    section.figures = figures(&now, was_there.then_some(&before));
    section.charts.extend(chart(facts, plans, tests, first));
    let escapes = now.escapes.iter().map(|escape| {
        vec![
            Words::foreign(short(&escape.commit)),
            Words::foreign(&escape.job),
            facts.run(&escape.run),
            Words::plain(escape.failed.to_string()),
        ]
    });
    section.table(
        "Escapes",
        &["Commit", "Job", "Run", "#Failed tests"],
        escapes.collect(),
    );
    let mut reasons: Vec<(&String, &usize)> = now.reasons.iter().collect();
    crate::order::sort_by(&mut reasons, |a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let rows = reasons.iter().map(|(reason, count)| {
        vec![
            Words::foreign(reason.as_str()),
            Words::plain(count.to_string()),
        ]
    });
    section.table("Why everything ran", &["Reason", "#Plans"], rows.collect());
    section.commands = vec![
        "maestro plan replay --last 200".into(),
        "maestro state export --out maestro-export".into(),
    ];
    let mut part = Part::new(section);
    part.measures = measures(&now, was_there.then_some(&before));
    part.proposals = proposals(&now);
    part
}

/// Returns what plans left out in the week; nothing where there was no plan.
pub(super) fn in_short(facts: &Facts) -> Option<Plans> {
    let plans = known_of(&facts.plans).ok()?;
    let found = saved(plans, facts.tests.as_ref().ok(), facts.week);
    (found.plans > 0).then(|| Plans {
        minutes: found.minutes_known(),
        escapes: found.escapes.len(),
    })
}

impl Saved {
    /// Returns the minutes that are known; nothing where that is of no job that was left out.
    fn minutes_known(&self) -> Option<f64> {
        (self.skipped == 0 || self.untimed < self.skipped).then_some(self.minutes)
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn saved(plans: &[Planned], tests: Option<&Tests>, week: Week) -> Saved {
    let mut saved = Saved::default();
    let mut failed: BTreeMap<(&str, &str), (&str, u64)> = BTreeMap::new();
    for run in tests.into_iter().flat_map(|tests| &tests.runs) {
        if run.failed > 0 && !run.is_outage && !run.commit.is_empty() {
            failed.insert((&run.commit, &run.job), (&run.run, run.failed));
        }
    }
    for plan in plans.iter().filter(|plan| week.holds(plan.at)) {
        saved.plans += 1;
        saved.jobs += plan.selected.len() + plan.unselected.len();
        if plan.mode == "all" {
            saved.ran_all += 1;
            for reason in &plan.reasons {
                *saved.reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        for job in &plan.unselected {
            let minutes = tests.and_then(|tests| tests.minutes.get(job)).copied();
            if !plan.enforced {
                saved.unenforced += minutes.unwrap_or_default();
                continue;
            }
            saved.skipped += 1;
            saved.minutes += minutes.unwrap_or_default();
            saved.untimed += usize::from(minutes.is_none());
            if let Some((run, failed)) = failed.get(&(plan.head.as_str(), job.as_str())) {
                saved.escapes.push(Escape {
                    commit: plan.head.clone(),
                    job: job.clone(),
                    run: (*run).to_owned(),
                    failed: *failed,
                });
            }
        }
    }
    saved
}

fn words(now: &Saved) -> Words {
    if now.plans == 0 {
        return Words::plain("No plan was made in this week.");
    }
    let mut words = format!(
        "{}: {} of {} skipped, {} skipped at least, {}.",
        times(now.plans, "plan"),
        now.skipped,
        times(now.jobs, "job"),
        shown(now.minutes, Unit::Minutes),
        times(now.escapes.len(), "escape"),
    );
    if now.unenforced > 0.0 {
        words.push_str(&format!(
            " Plans whose word does not count yet would have skipped {} more.",
            shown(now.unenforced, Unit::Minutes)
        ));
    }
    Words::plain(words)
}

fn figures(now: &Saved, before: Option<&Saved>) -> Vec<Figure> {
    let minutes = if now.minutes_known().is_none() {
        unknown(
            "minutes saved",
            Unit::Minutes,
            "no stored report says how long the skipped jobs' tests take",
        )
    } else {
        let remark = match now.untimed {
            0 => "what their tests take; setting up comes on top".to_owned(),
            untimed => format!("{} of unknown length not counted", times(untimed, "job")),
        };
        Figure {
            shown: shown(now.minutes, Unit::Minutes),
            unit: Unit::Minutes,
            value: Some(now.minutes),
            before: before.map(|before| before.minutes),
            remark,
            ..count("minutes saved", 0, None)
        }
    };
    let mut escapes = count(
        "escapes",
        now.escapes.len(),
        before.map(|before| before.escapes.len()),
    );
    escapes.tone = if now.escapes.is_empty() {
        Tone::Good
    } else {
        Tone::Bad
    };
    "jobs left out that failed on the same commit".clone_into(&mut escapes.remark);
    vec![
        count("plans", now.plans, before.map(|before| before.plans)),
        count(
            "jobs skipped",
            now.skipped,
            before.map(|before| before.skipped),
        ),
        minutes,
        escapes,
    ]
}

fn measures(now: &Saved, before: Option<&Saved>) -> Vec<Measure> {
    let of = |saved: Option<&Saved>, value: &dyn Fn(&Saved) -> Measured| {
        let saved = saved.filter(|saved| saved.plans > 0);
        saved.map_or_else(Measured::default, value)
    };
    let minutes = |saved: &Saved| known(saved.minutes / float(saved.plans.max(1)), saved.plans);
    let escapes = |saved: &Saved| counted(saved.escapes.len());
    vec![
        Measure {
            name: "CI minutes that a plan saves",
            unit: Unit::Minutes,
            is_better_when_less: false,
            now: of(Some(now), &minutes),
            before: of(before, &minutes),
            section: ID,
        },
        Measure {
            name: "escapes",
            unit: Unit::Count,
            is_better_when_less: true,
            now: of(Some(now), &escapes),
            before: of(before, &escapes),
            section: ID,
        },
    ]
}

fn chart(
    facts: &Facts,
    plans: &[Planned],
    tests: Option<&Tests>,
    first: Option<jiff::Timestamp>,
) -> Option<Chart> {
    const TITLE: &str = "Minutes saved in each week";
    bars(facts, TITLE, Unit::Minutes, first, &|week| {
        Some(saved(plans, tests, week).minutes)
    })
}

fn proposals(now: &Saved) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for escape in &now.escapes {
        *jobs.entry(&escape.job).or_default() += 1;
    }
    for (job, escapes) in jobs {
        proposals.push(Proposal {
            id: id("escape", job),
            kind: "escape",
            what: Words::plain("Let plans know what job ")
                .quote(job)
                .say(" depends on"),
            cause: Words::plain("plans left it out, and it failed on the same commits"),
            owner: None,
            cost: Words::plain(format!("{} in the week", times(escapes, "escape"))),
            gain: Words::plain("failures are seen before they are merged"),
            measure: "escapes".into(),
            unit: Unit::Count,
            value: float(escapes),
            // What slips through is worse than anything that is slow.
            weight: 1000.0 * float(escapes),
            section: ID,
            command: "maestro plan replay --last 200".into(),
        });
    }
    proposals.extend(run_all(now));
    if now.unenforced > 0.0 {
        proposals.push(Proposal {
            id: id("enforce", "plan"),
            kind: "enforce",
            what: Words::plain(
                "Let plans decide: add `plan` to `enforce` in .maestro/maestro.yaml",
            ),
            cause: Words::plain("jobs that a plan leaves out run all the same"),
            owner: None,
            cost: Words::plain(format!(
                "{} of tests that no change could affect",
                shown(now.unenforced, Unit::Minutes)
            )),
            gain: Words::plain(format!(
                "about {} a week",
                shown(now.unenforced, Unit::Minutes)
            )),
            measure: "minutes not skipped".into(),
            unit: Unit::Minutes,
            value: now.unenforced,
            weight: USD_A_MINUTE * now.unenforced + 1.0,
            section: ID,
            command: "maestro plan replay --last 200".into(),
        });
    }
    proposals
}

/// Proposes to look at reasons for which most plans ran everything.
fn run_all(now: &Saved) -> Vec<Proposal> {
    let mut found = Vec::new();
    for (reason, plans) in &now.reasons {
        if *plans < LEAST_PLANS || plans * 2 < now.plans {
            continue;
        }
        let each = if now.plans > now.ran_all {
            (now.minutes + now.unenforced) / float(now.plans - now.ran_all)
        } else {
            0.0
        };
        let minutes = each * float(*plans);
        found.push(Proposal {
            id: id("run-all", reason),
            kind: "run-all",
            what: Words::plain("Look at why everything runs: ").quote(reason.as_str()),
            cause: Words::plain(format!(
                "{plans} of {} ran every job",
                times(now.plans, "plan")
            )),
            owner: None,
            cost: Words::plain(format!(
                "{} in which nothing was skipped",
                times(*plans, "plan")
            )),
            gain: Words::plain(if minutes > 0.0 {
                format!(
                    "about {} a week, as much as the other plans save",
                    shown(minutes, Unit::Minutes)
                )
            } else {
                "not known before plans skip something".to_owned()
            }),
            measure: "plans that ran everything".into(),
            unit: Unit::Count,
            value: float(*plans),
            weight: USD_A_MINUTE * minutes + 0.1 * float(*plans),
            section: ID,
            command: "maestro plan replay --last 200".into(),
        });
    }
    found
}
