//! What models cost, and the days that cost far more than usual: who, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Measure, Part, bars, id, known_of, known_since, unknown};
use crate::delivery::calendar;
use crate::money::Usd;
use crate::report::facts::{Call, Facts, Money};
use crate::report::pack::{Chart, Figure, Proposal, Section, Tone};
use crate::report::spikes::{self, DAYS_BEFORE};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "cost";
const TITLE: &str = "What models cost";

/// A spike that cost so little more than usual is nobody's business.
const LEAST_EXCESS: f64 = 0.5;

/// A day on which a part of the calls cost far more than usual.
struct Spike<'a> {
    day: Date,
    scope: Scope<'a>,
    value: f64,
    usual: f64,
    score: f64,
    why: Words,
}

/// Whose calls are looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope<'a> {
    All,
    Role(&'a str),
    Model(&'a str),
}

/// The indicator of what models cost.
const PER_PULL: &str = "llm-per-pull";

pub(super) fn part(facts: &Facts) -> Part {
    let money = match known_of(&facts.money) {
        Ok(money) => money,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let first = money.calls.iter().map(|call| call.at).min();
    let spikes = spikes(money, facts.week);
    let (usd, unpriced) = week_sum(money, facts.week);
    let before = week_sum(money, facts.week.back(1)).0;
    let was_there = known_since(first, facts.week.back(1));
    let mut section = Section::new(ID, TITLE, words(usd, unpriced, &spikes));
    let per_pull = facts.indicator(PER_PULL);
    section.figures = vec![
        sum_figure(usd, unpriced, before.filter(|_| was_there)),
        super::figure(&measure(facts)),
    ];
    if let Some((pull, month)) = money.caps {
        section.figures[1].remark = format!(
            "cap: {} a pull request",
            shown(dollars(pull), Unit::Dollars)
        );
        section
            .figures
            .extend(month.map(|cap| month_figure(facts, money, cap)));
    }
    section.table(
        "Spikes",
        &["Day", "Whose", "#Cost", "#Usual day", "#Score", "Why"],
        spikes.iter().map(cells).collect(),
    );
    section.table(
        "By role and model",
        &["Role", "Model", "#Calls", "#Cost", "#Pull requests"],
        by_role_and_model(money, facts.week),
    );
    section.charts.extend(chart(facts, money, first));
    section.commands = vec![
        "maestro budget status".into(),
        "maestro budget forecast".into(),
    ];
    let mut part = Part::new(section);
    if per_pull.now.n > 0 || was_there {
        part.measures = vec![measure(facts)];
    }
    part.proposals = spikes
        .iter()
        .take(3)
        .map(|spike| proposal(spike, usd))
        .collect();
    part
}

fn measure(facts: &Facts) -> Measure {
    let per_pull = facts.indicator(PER_PULL);
    Measure {
        name: "models, a pull request",
        unit: Unit::Dollars,
        is_better_when_less: true,
        now: per_pull.now,
        before: per_pull.before,
        section: ID,
    }
}

/// Returns an amount for pictures and comparisons; sums stay whole.
#[expect(clippy::cast_precision_loss, reason = "it is shown to a cent")]
pub(crate) fn dollars(usd: Usd) -> f64 {
    usd.pico() as f64 / 1e12
}

fn week_sum(money: &Money, week: Week) -> (Option<f64>, u64) {
    match money.weeks.get(&week.name()) {
        Some((usd, unpriced)) => (usd.map(dollars), *unpriced),
        None => (Some(0.0), 0),
    }
}

/// Returns what models cost in the week, and how many calls have no price; nothing where no call is known.
pub(super) fn in_short(facts: &Facts) -> Option<(Option<Usd>, u64)> {
    let money = known_of(&facts.money).ok()?;
    let found = money.weeks.get(&facts.week.name()).copied();
    Some(found.unwrap_or((Some(Usd::ZERO), 0)))
}

fn words(usd: Option<f64>, unpriced: u64, spikes: &[Spike<'_>]) -> Words {
    let mut words = match usd {
        Some(usd) => format!("{} in the week", shown(usd, Unit::Dollars)),
        None => "No call of the week has a price".to_owned(),
    };
    if unpriced > 0 && usd.is_some() {
        let unpriced = usize::try_from(unpriced).unwrap_or(usize::MAX);
        words.push_str(&format!(
            ", and {} without a price",
            times(unpriced, "call")
        ));
    }
    let mut words = Words::plain(format!("{words}; "));
    match spikes.first() {
        Some(first) => {
            words = words.say(format!(
                "{}, the largest on {} (",
                times(spikes.len(), "spike"),
                first.day
            ));
            words = words.add(first.scope.words()).say(").");
        }
        None => words = words.say("no day stands out."),
    }
    words
}

impl Scope<'_> {
    fn holds(self, call: &Call) -> bool {
        match self {
            Self::All => true,
            Self::Role(role) => call.role.as_deref() == Some(role),
            Self::Model(model) => call.model == model,
        }
    }

    fn words(self) -> Words {
        match self {
            Self::All => Words::plain("all calls"),
            Self::Role(role) => Words::plain("role ").quote(role),
            Self::Model(model) => Words::plain("model ").quote(model),
        }
    }

    fn key(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Role(role) => format!("role {role}"),
            Self::Model(model) => format!("model {model}"),
        }
    }
}

fn sum_figure(usd: Option<f64>, unpriced: u64, before: Option<f64>) -> Figure {
    const NAME: &str = "models, the week";
    let Some(usd) = usd else {
        return unknown(NAME, Unit::Dollars, "no call of the week has a price");
    };
    Figure {
        name: NAME.to_owned(),
        unit: Unit::Dollars,
        value: Some(usd),
        shown: shown(usd, Unit::Dollars),
        n: None,
        interval: None,
        before,
        remark: if unpriced == 0 {
            String::new()
        } else {
            format!("{unpriced} calls have no price")
        },
        why: None,
        tone: Tone::Plain,
    }
}

fn month_figure(facts: &Facts, money: &Money, cap: Usd) -> Figure {
    let last = facts.now.min(facts.week.window().until);
    let last = jiff::Timestamp::from_second(last.as_second().saturating_sub(1)).unwrap_or(last);
    let month = calendar::month(last);
    let calls = money
        .calls
        .iter()
        .filter(|call| calendar::month(call.at) == month && call.at <= last);
    let sum = calls
        .filter_map(|call| call.usd)
        .fold(Usd::ZERO, Usd::saturating_add);
    Figure {
        name: "models, the month so far".to_owned(),
        unit: Unit::Dollars,
        value: Some(dollars(sum)),
        shown: shown(dollars(sum), Unit::Dollars),
        n: None,
        interval: None,
        before: None,
        remark: format!("cap: {}", shown(dollars(cap), Unit::Dollars)),
        why: None,
        tone: if sum > cap { Tone::Bad } else { Tone::Plain },
    }
}

/// Finds the days of a week that cost far more than usual: of all calls, of each role and of each model.
fn spikes(money: &Money, week: Week) -> Vec<Spike<'_>> {
    let mut scopes: BTreeSet<Scope<'_>> = BTreeSet::from([Scope::All]);
    for call in money.calls.iter().filter(|call| week.holds(call.at)) {
        scopes.extend(call.role.as_deref().map(Scope::Role));
        scopes.insert(Scope::Model(&call.model));
    }
    let last = week.window().until;
    let mut found = Vec::new();
    for scope in scopes {
        let mut days = vec![0.0; DAYS_BEFORE + 7];
        for call in money
            .calls
            .iter()
            .filter(|call| call.at < last && scope.holds(call))
        {
            let back = (last.as_second() - 1 - call.at.as_second()).div_euclid(86_400);
            let place = usize::try_from(back)
                .ok()
                .and_then(|back| (DAYS_BEFORE + 6).checked_sub(back));
            if let (Some(day), Some(usd)) = (place.and_then(|place| days.get_mut(place)), call.usd)
            {
                *day += dollars(usd);
            }
        }
        for spike in spikes::find(&days, DAYS_BEFORE) {
            if spike.value - spike.usual < LEAST_EXCESS {
                continue;
            }
            let Some(day) = week.days().get(spike.day - DAYS_BEFORE).copied() else {
                continue;
            };
            found.push(Spike {
                day,
                scope,
                value: spike.value,
                usual: spike.usual,
                score: spike.score,
                why: why(money, day, scope),
            });
        }
    }
    crate::order::sort_by(&mut found, |a, b| {
        let excess = |spike: &Spike<'_>| spike.value - spike.usual;
        excess(b)
            .total_cmp(&excess(a))
            .then(a.scope.cmp(&b.scope))
            .then(a.day.cmp(&b.day))
    });
    without_echoes(found)
}

/// Leaves out what a spike of more says already: a role or model whose spike is that of all calls of the same day.
fn without_echoes(found: Vec<Spike<'_>>) -> Vec<Spike<'_>> {
    let mut kept: Vec<Spike<'_>> = Vec::new();
    for spike in found {
        if !kept.iter().any(|other| other.day == spike.day) {
            kept.push(spike);
        }
    }
    kept
}

/// Says which role, model and pull request most of a day's cost is of.
fn why(money: &Money, day: Date, scope: Scope<'_>) -> Words {
    let calls: Vec<&Call> = money
        .calls
        .iter()
        .filter(|call| calendar::day(call.at) == day && scope.holds(call))
        .collect();
    let all: f64 = calls.iter().filter_map(|call| call.usd).map(dollars).sum();
    let top = |key: &dyn Fn(&Call) -> String| {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for call in &calls {
            *sums.entry(key(call)).or_default() += call.usd.map_or(0.0, dollars);
        }
        let mut sums: Vec<(String, f64)> = sums.into_iter().collect();
        crate::order::sort_by(&mut sums, |a, b| {
            b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0))
        });
        sums.into_iter().next().unwrap_or_default()
    };
    let (who, who_usd) = top(&|call| match &call.role {
        Some(role) => format!("{role} on {}", call.model),
        None => call.model.clone(),
    });
    let (pull, pull_usd) = top(&|call| {
        call.pull_request
            .map_or_else(String::new, |number| format!("#{number}"))
    });
    let mut words = Words::foreign(who).say(format!(
        ": {} of {}",
        shown(who_usd, Unit::Dollars),
        shown(all, Unit::Dollars)
    ));
    if !pull.is_empty() {
        words = words
            .say("; pull request ")
            .quote(pull)
            .say(format!(": {}", shown(pull_usd, Unit::Dollars)));
    }
    words.say(format!("; {}", times(calls.len(), "call")))
}

fn cells(spike: &Spike<'_>) -> Vec<Words> {
    vec![
        Words::plain(spike.day.to_string()),
        spike.scope.words(),
        Words::plain(shown(spike.value, Unit::Dollars)),
        Words::plain(shown(spike.usual, Unit::Dollars)),
        Words::plain(format!("{:.1}", spike.score)),
        spike.why.clone(),
    ]
}

fn by_role_and_model(money: &Money, week: Week) -> Vec<Vec<Words>> {
    type Sum = (usize, Usd, BTreeSet<u64>, bool);
    let mut sums: BTreeMap<(Option<&str>, &str), Sum> = BTreeMap::new();
    for call in money.calls.iter().filter(|call| week.holds(call.at)) {
        let sum = sums.entry((call.role.as_deref(), &call.model)).or_default();
        sum.0 += 1;
        sum.1 = sum.1.saturating_add(call.usd.unwrap_or(Usd::ZERO));
        sum.2.extend(call.pull_request);
        sum.3 |= call.usd.is_some();
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    crate::order::sort_by(&mut rows, |a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(&b.0)));
    let rows = rows
        .into_iter()
        .map(|((role, model), (calls, usd, pulls, has_price))| {
            let usd = if has_price {
                shown(dollars(usd), Unit::Dollars)
            } else {
                "unpriced".to_owned()
            };
            vec![
                role.map_or_else(|| Words::plain("none named"), Words::foreign),
                Words::foreign(model),
                Words::plain(calls.to_string()),
                Words::plain(usd),
                Words::plain(pulls.len().to_string()),
            ]
        });
    rows.collect()
}

fn chart(facts: &Facts, money: &Money, first: Option<jiff::Timestamp>) -> Option<Chart> {
    const TITLE: &str = "What models cost, each week";
    bars(facts, TITLE, Unit::Dollars, first, &|week| {
        week_sum(money, week).0
    })
}

fn proposal(spike: &Spike<'_>, week: Option<f64>) -> Proposal {
    let excess = spike.value - spike.usual;
    let mut cost = format!(
        "{} instead of {} on {}",
        shown(spike.value, Unit::Dollars),
        shown(spike.usual, Unit::Dollars),
        spike.day
    );
    if let Some(week) = week.filter(|week| *week > 0.0) {
        cost.push_str(&format!(", of {} in the week", shown(week, Unit::Dollars)));
    }
    Proposal {
        id: id("spike", &spike.scope.key()),
        kind: "spike",
        what: Words::plain("Find out why models cost so much more: ").add(spike.scope.words()),
        cause: spike.why.clone(),
        owner: None,
        cost: Words::plain(cost),
        gain: Words::plain(format!(
            "up to {} a day like that one",
            shown(excess, Unit::Dollars)
        )),
        measure: "dollars above usual".into(),
        unit: Unit::Dollars,
        value: excess,
        weight: excess,
        section: ID,
        command: "maestro budget status".into(),
    }
}
