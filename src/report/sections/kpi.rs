//! Indicators against targets.

use std::fmt::Write as _;

use super::{Part, id};
use crate::delivery::kpi::words::value as value_in_words;
use crate::delivery::kpi::{INDICATORS, Indicator, Measured, Target, Verdict, judge};
use crate::delivery::quantiles::float;
use crate::report::facts::{Facts, Indicated};
use crate::report::pack::{Figure, Proposal, Section, Tone};
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "kpi";
const TITLE: &str = "Indicators";

/// What an hour of falling short weighs among the proposals: what is missed is worth a look, and what costs something comes first.
const WEIGHT: f64 = 1.0;

pub(super) fn part(facts: &Facts<'_>) -> Part {
    let mut figures = Vec::new();
    let mut proposals = Vec::new();
    let (mut met, mut missed, mut few, mut free) = (0, 0, 0, 0);
    for indicator in &INDICATORS {
        let found = facts.indicator(indicator.id);
        let verdict = judge(&found.now, found.target);
        match verdict {
            Some(Verdict::Met) => met += 1,
            Some(Verdict::Missed) => missed += 1,
            Some(Verdict::NotEnoughData) => few += 1,
            None => free += 1,
        }
        figures.push(figure(indicator, &found, verdict));
        if let (Some(Verdict::Missed), Some(target)) = (verdict, found.target) {
            proposals.extend(proposal(indicator, &found.now, target));
        }
    }
    let mut words = format!("Met {met} · missed {missed} · not enough data {few}");
    if free > 0 {
        let _ = write!(words, " · without a target {free}");
    }
    words.push('.');
    let mut section = Section::new(ID, TITLE, Words::plain(words));
    section.figures = figures;
    section.commands = vec!["maestro dora kpi".into()];
    let mut part = Part::new(section);
    part.proposals = proposals;
    part
}

fn figure(indicator: &Indicator, found: &Indicated, verdict: Option<Verdict>) -> Figure {
    let unit = Unit::from(indicator.unit);
    let mut remark = match (verdict, found.target) {
        (Some(verdict), Some(target)) => {
            format!(
                "{} (target: {})",
                verdict.word(),
                target.words(indicator.unit)
            )
        }
        _ => format!(
            "no target (an example: {})",
            indicator.example.words(indicator.unit)
        ),
    };
    if let (None, Some(why)) = (found.now.value, &found.why) {
        let _ = write!(remark, "; {why}");
    }
    Figure {
        name: indicator.name.to_owned(),
        unit,
        value: found.now.value,
        shown: found.now.value.map_or_else(
            || "no value".to_owned(),
            |value| value_in_words(value, indicator.unit, found.target),
        ),
        n: Some(found.now.n),
        interval: found.now.interval,
        before: found.before.value,
        remark,
        tone: match verdict {
            Some(Verdict::Met) => Tone::Good,
            Some(Verdict::Missed) => Tone::Bad,
            Some(Verdict::NotEnoughData) | None => Tone::Plain,
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
        command: "maestro dora kpi".into(),
    })
}
