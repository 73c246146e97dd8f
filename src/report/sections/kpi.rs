//! Indicators against targets.

use super::{Part, Verdicts, id};
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

pub(super) fn part(facts: &Facts) -> Part {
    let mut figures = Vec::new();
    let mut proposals = Vec::new();
    for indicator in &INDICATORS {
        let found = facts.indicator(indicator.id);
        let verdict = judge(&found.now, found.target);
        figures.push(figure(indicator, &found, verdict));
        if let (Some(Verdict::Missed), Some(target)) = (verdict, found.target) {
            proposals.extend(proposal(indicator, &found.now, target));
        }
    }
    let mut section = Section::new(ID, TITLE, Words::plain(words(&verdicts(facts))));
    section.figures = figures;
    section.commands = vec!["maestro dora kpi".into()];
    let mut part = Part::new(section);
    part.proposals = proposals;
    part
}

/// Counts what indicators came to.
pub(super) fn verdicts(facts: &Facts) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for indicator in &INDICATORS {
        let found = facts.indicator(indicator.id);
        let count = match judge(&found.now, found.target) {
            Some(Verdict::Met) => &mut verdicts.met,
            Some(Verdict::Missed) => &mut verdicts.missed,
            Some(Verdict::NotEnoughData) => &mut verdicts.not_enough_data,
            None => &mut verdicts.without_target,
        };
        *count += 1;
    }
    verdicts
}

fn words(verdicts: &Verdicts) -> String {
    let Verdicts {
        met,
        missed,
        not_enough_data,
        without_target,
    } = verdicts;
    if verdicts.judged() == 0 {
        return "No indicator has a target yet: set one with `kpi: { targets: { ci-p95: 15m } }` in .maestro/maestro.yaml.".to_owned();
    }
    let mut words = format!("Met {met} · missed {missed} · not enough data {not_enough_data}");
    if *without_target > 0 {
        words.push_str(&format!(" · without a target {without_target}"));
    }
    words.push('.');
    words
}

fn figure(indicator: &Indicator, found: &Indicated, verdict: Option<Verdict>) -> Figure {
    let unit = Unit::from(indicator.unit);
    let has_value = found.now.value.is_some();
    let remark = match (verdict, found.target) {
        (Some(verdict), Some(target)) => {
            format!(
                "{} (target: {})",
                verdict.word(),
                target.words(indicator.unit)
            )
        }
        // Nobody needs to know what might be wanted of what nobody has measured.
        _ if !has_value && found.why.is_some() => String::new(),
        _ => format!(
            "no target (e.g. {})",
            indicator.example.words(indicator.unit)
        ),
    };
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
        why: found.why.clone().filter(|_| !has_value),
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
