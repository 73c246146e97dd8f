//! Runs of agents: success by role, what they cost, and what they got wrong.

use std::collections::BTreeMap;

use super::money::dollars;
use super::{Measure, Part, bars, count, id, known_of, known_since, share_of};
use crate::delivery::quantiles::{LEAST, Share, float, share};
use crate::money::Usd;
use crate::report::facts::{AgentRun, Facts};
use crate::report::pack::{Chart, Figure, Proposal, Section, Tone};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "agents";
const TITLE: &str = "Agents";

/// A role is worth a look when less of its work than this is done.
const ENOUGH: f64 = 0.8;

/// What the tasks of a role came to.
#[derive(Default)]
struct Role {
    tasks: usize,
    done: usize,
    /// Done, and nothing was wrong on the way.
    at_first: usize,
    turns: u64,
    usd: Usd,
    /// Of tasks that were not right at first.
    usd_of_wrong: Usd,
    /// How often each thing was wrong.
    wrong: BTreeMap<String, usize>,
}

pub(super) fn part(facts: &Facts) -> Part {
    let runs = match known_of(&facts.agents) {
        Ok(runs) => runs,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let of = |week: Week| runs.iter().filter(move |run| week.holds(run.at));
    let (now, before) = (success(of(facts.week)), success(of(facts.week.back(1))));
    let first = runs.iter().map(|run| run.at).min();
    let was_there = known_since(first, facts.week.back(1));
    let roles = roles(of(facts.week));
    let usd = of(facts.week)
        .map(|run| run.usd)
        .fold(Usd::ZERO, Usd::saturating_add);
    let mut section = Section::new(ID, TITLE, words(&now, usd, &roles));
    section.figures = vec![
        count("runs", now.of, was_there.then_some(before.of)),
        share_figure(
            "runs that did all",
            &now,
            was_there.then_some(before.rate).flatten(),
        ),
        Figure {
            unit: Unit::Dollars,
            value: Some(dollars(usd)),
            shown: shown(dollars(usd), Unit::Dollars),
            ..count("cost of these runs", 0, None)
        },
    ];
    section.table(
        "By role",
        &[
            "Role",
            "#Tasks",
            "#Done",
            "#Right at first",
            "#Turns",
            "#Cost",
            "What was wrong most",
        ],
        roles.iter().map(cells).collect(),
    );
    section.table(
        "Runs of the week",
        &[
            "Run",
            "Outcome",
            "#Cost",
            "Pull request",
            "What went wrong last",
        ],
        of(facts.week).map(|run| run_cells(facts, run)).collect(),
    );
    section.charts.extend(chart(facts, runs, first));
    section.commands = vec![
        "maestro run-agents show RUN".into(),
        "maestro state export --out maestro-export".into(),
    ];
    let mut part = Part::new(section);
    part.measures = vec![Measure {
        name: "agent runs that did all",
        unit: Unit::Share,
        is_better_when_less: false,
        now: share_of(&now),
        before: share_of(&before),
        section: ID,
    }];
    part.proposals = roles
        .iter()
        .filter_map(|(name, role)| proposal(name, role))
        .collect();
    part
}

fn success<'a>(runs: impl Iterator<Item = &'a AgentRun>) -> Share {
    let (mut all, mut complete) = (0, 0);
    for run in runs {
        all += 1;
        complete += usize::from(run.outcome == "complete");
    }
    share(complete, all, LEAST)
}

fn roles<'a>(runs: impl Iterator<Item = &'a AgentRun>) -> Vec<(String, Role)> {
    let mut roles: BTreeMap<String, Role> = BTreeMap::new();
    for task in runs.flat_map(|run| &run.tasks) {
        let role = roles.entry(task.role.clone()).or_default();
        let is_done = task.state == "done";
        let is_right = is_done && task.failures.is_empty();
        role.tasks += 1;
        role.done += usize::from(is_done);
        role.at_first += usize::from(is_right);
        role.turns += task.attempts;
        role.usd = role.usd.saturating_add(task.usd);
        if !is_right {
            role.usd_of_wrong = role.usd_of_wrong.saturating_add(task.usd);
        }
        for (end, why) in &task.failures {
            *role.wrong.entry(format!("{end}: {why}")).or_default() += 1;
        }
    }
    roles.into_iter().collect()
}

impl Role {
    fn worst(&self) -> Option<(&str, usize)> {
        let mut wrong: Vec<(&str, usize)> = self
            .wrong
            .iter()
            .map(|(why, times)| (why.as_str(), *times))
            .collect();
        crate::order::sort_by(&mut wrong, |a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        wrong.first().copied()
    }
}

fn words(now: &Share, usd: Usd, roles: &[(String, Role)]) -> Words {
    if now.of == 0 {
        return Words::plain("No run of agents ended in this week.");
    }
    let wrong: usize = roles
        .iter()
        .map(|(_, role)| role.tasks - role.at_first)
        .sum();
    Words::plain(format!(
        "{} of {} did all that was asked, for {}; {} not right at first.",
        now.part,
        times(now.of, "run"),
        shown(dollars(usd), Unit::Dollars),
        match wrong {
            1 => "1 task was".to_owned(),
            more => format!("{more} tasks were"),
        },
    ))
}

fn share_figure(name: &str, now: &Share, before: Option<f64>) -> Figure {
    Figure {
        name: name.to_owned(),
        unit: Unit::Share,
        value: now.rate,
        shown: now.rate.map_or_else(
            || format!("{} of {}", now.part, now.of),
            |rate| shown(rate, Unit::Share),
        ),
        n: Some(now.of),
        interval: now.interval,
        before,
        remark: if now.rate.is_none() {
            "too few for a rate".to_owned()
        } else {
            String::new()
        },
        why: None,
        tone: Tone::Plain,
    }
}

fn cells((name, role): &(String, Role)) -> Vec<Words> {
    vec![
        Words::foreign(name),
        Words::plain(role.tasks.to_string()),
        Words::plain(role.done.to_string()),
        Words::plain(role.at_first.to_string()),
        Words::plain(role.turns.to_string()),
        Words::plain(shown(dollars(role.usd), Unit::Dollars)),
        match role.worst() {
            Some((why, 1)) => Words::foreign(why),
            Some((why, times)) => Words::foreign(why).say(format!(" ({times}\u{d7})")),
            None => Words::plain("nothing"),
        },
    ]
}

fn run_cells(facts: &Facts, run: &AgentRun) -> Vec<Words> {
    let last = run
        .tasks
        .iter()
        .rev()
        .find_map(|task| Some((task, task.failures.last()?)));
    vec![
        Words::foreign(&run.run),
        Words::foreign(&run.outcome),
        Words::plain(shown(dollars(run.usd), Unit::Dollars)),
        run.pull_request
            .map_or_else(|| Words::plain("none"), |number| facts.pull(number)),
        match last {
            Some((task, (end, why))) => Words::foreign(&task.role)
                .say(": ")
                .quote(format!("{end}: {why}")),
            None => Words::plain("nothing"),
        },
    ]
}

fn chart(facts: &Facts, runs: &[AgentRun], first: Option<jiff::Timestamp>) -> Option<Chart> {
    const TITLE: &str = "Runs of agents, of each week";
    bars(facts, TITLE, Unit::Count, first, &|week| {
        Some(float(runs.iter().filter(|run| week.holds(run.at)).count()))
    })
}

fn proposal(name: &str, role: &Role) -> Option<Proposal> {
    let is_few = role.tasks < LEAST;
    let wrong = role.tasks - role.at_first;
    if wrong == 0
        || (!is_few && float(role.done) >= ENOUGH * float(role.tasks) && wrong * 2 < role.tasks)
    {
        return None;
    }
    let cause = match role.worst() {
        Some((why, _)) => Words::plain("most often ").quote(why),
        None => Words::plain("no reason was told"),
    };
    let usd = dollars(role.usd_of_wrong);
    Some(Proposal {
        id: id("role", name),
        kind: "role",
        what: Words::plain("Look at what role ")
            .quote(name)
            .say(" is told: much of its work is wrong at first"),
        cause,
        owner: None,
        cost: Words::plain(format!(
            "{wrong} of {} wrong at first, {} of work",
            times(role.tasks, "task"),
            shown(usd, Unit::Dollars)
        )),
        gain: Words::plain(format!(
            "up to {} a week, and fewer turns",
            shown(usd, Unit::Dollars)
        )),
        measure: "tasks wrong at first".into(),
        unit: Unit::Count,
        value: float(wrong),
        weight: usd + 0.5 * float(wrong),
        section: ID,
        command: "maestro prompts list".into(),
    })
}
