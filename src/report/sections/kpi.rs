//! Indicators against targets.

use super::{Part, id};
use crate::delivery::kpi::{INDICATORS, Indicator, Measured, Target, Verdict, judge, measure};
use crate::delivery::quantiles::{LEAST, float, share};
use crate::report::facts::Facts;
use crate::report::pack::{Figure, Proposal, Section, Tone};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "kpi";
const TITLE: &str = "Indicators";

/// What an hour of falling short weighs among the proposals: what is missed is worth a look, and what costs something comes first.
const WEIGHT: f64 = 1.0;

pub(super) fn part(facts: &Facts<'_>) -> Part {
    let targets = facts
        .delivery
        .as_ref()
        .ok()
        .map(|delivery| &delivery.targets);
    let mut figures = Vec::new();
    let mut proposals = Vec::new();
    let (mut met, mut missed, mut few) = (0, 0, 0);
    for indicator in &INDICATORS {
        let own = targets
            .and_then(|targets| targets.get(indicator.id))
            .copied();
        let target = own.unwrap_or(indicator.example);
        let now = measured(facts, facts.week, indicator.id);
        let before = measured(facts, facts.week.back(1), indicator.id);
        let verdict = judge(&now, Some(target)).unwrap_or(Verdict::NotEnoughData);
        match verdict {
            Verdict::Met => met += 1,
            Verdict::Missed => missed += 1,
            Verdict::NotEnoughData => few += 1,
        }
        figures.push(figure(
            indicator,
            &now,
            &before,
            target,
            own.is_some(),
            verdict,
        ));
        // An example of a target is nobody's goal.
        if verdict == Verdict::Missed && own.is_some() {
            proposals.extend(proposal(indicator, &now, target));
        }
    }
    let words = format!("Met {met} · missed {missed} · not enough data {few}.");
    let mut section = Section::new(ID, TITLE, Words::plain(words));
    section.figures = figures;
    section.commands = vec![
        "maestro dora".into(),
        "maestro flakes report".into(),
        "maestro budget status".into(),
    ];
    let mut part = Part::new(section);
    part.proposals = proposals;
    part
}

/// Measures an indicator in a week.
fn measured(facts: &Facts<'_>, week: Week, id: &str) -> Measured {
    match id {
        "flake-rate" => flake_rate(facts, week),
        "llm-per-pull" => super::money::per_pull(facts, week),
        _ => match facts.delivery {
            Ok(delivery) => measure(&delivery.rows, week.window(), facts.now, LEAST, id),
            Err(_) => Measured::default(),
        },
    }
}

/// Of the runs of tests that are no outages, the part that flaky tests alone failed.
fn flake_rate(facts: &Facts<'_>, week: Week) -> Measured {
    let Ok(tests) = facts.tests else {
        return Measured::default();
    };
    let runs = tests
        .runs_of(week)
        .filter(|(_, run)| !run.is_outage)
        .count();
    let found = share(tests.spoilt(week).len(), runs, LEAST);
    Measured {
        n: runs,
        value: found.rate,
        interval: found.interval,
        is_projected: false,
    }
}

fn figure(
    indicator: &Indicator,
    now: &Measured,
    before: &Measured,
    target: Target,
    is_own: bool,
    verdict: Verdict,
) -> Figure {
    let unit = Unit::from(indicator.unit);
    let (word, bound) = match target {
        Target::AtLeast(bound) => ("at least", bound),
        Target::AtMost(bound) => ("at most", bound),
        Target::Below(bound) => ("below", bound),
    };
    let whose = if is_own { "target" } else { "example" };
    Figure {
        name: indicator.name.to_owned(),
        unit,
        value: now.value,
        shown: now
            .value
            .map_or_else(|| "no value".to_owned(), |value| shown(value, unit)),
        n: Some(now.n),
        interval: now.interval,
        before: before.value,
        remark: format!(
            "{} ({whose}: {word} {})",
            verdict.word(),
            shown(bound, unit)
        ),
        tone: match verdict {
            Verdict::Met => Tone::Good,
            Verdict::Missed => Tone::Bad,
            Verdict::NotEnoughData => Tone::Plain,
        },
    }
}

fn proposal(indicator: &Indicator, now: &Measured, target: Target) -> Option<Proposal> {
    let value = now.value?;
    let unit = Unit::from(indicator.unit);
    let (Target::AtLeast(bound) | Target::AtMost(bound) | Target::Below(bound)) = target;
    let gap = (value - bound).abs();
    Some(Proposal {
        id: id("kpi", indicator.id),
        kind: "kpi",
        what: Words::plain(format!(
            "Bring \u{201c}{}\u{201d} to its target, or change the target",
            indicator.name
        )),
        cause: Words::plain(format!(
            "{} against {}",
            shown(value, unit),
            shown(bound, unit)
        )),
        owner: None,
        cost: Words::plain(format!(
            "missed by {} ({})",
            shown(gap, unit),
            times(now.n, "value")
        )),
        gain: Words::plain("a target that is met"),
        measure: indicator.id.to_owned(),
        unit,
        value,
        weight: WEIGHT * (gap / bound.abs().max(1e-9)).min(float(10)),
        section: ID,
        command: "maestro dora".into(),
    })
}
