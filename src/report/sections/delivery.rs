//! How changes reached their users: the metrics of dora.dev, and how they went over twelve weeks.

use super::{Measure, Part, WEEKS, figure};
use crate::delivery::kpi::Measured;
use crate::delivery::metrics::{Metric, Value};
use crate::delivery::quantiles::{LEAST, float};
use crate::delivery::trends::{Period, Step, periods};
use crate::report::facts::{Delivery, Facts};
use crate::report::pack::{Chart, Form, Point, Section};
use crate::report::week::Week;
use crate::report::words::{Measured as Unit, Words, shown, times};

const ID: &str = "delivery";
const TITLE: &str = "Delivery";

/// The metrics that are shown, what they are called here, and whether less of them is better.
pub(crate) const SHOWN: [(&str, &str, bool); 6] = [
    ("lead-time-merge", "lead time to merge, median", true),
    ("lead-time-deploy", "lead time to deployment, median", true),
    ("deployment-frequency", "deployments", false),
    ("change-fail-rate", "change fail rate", true),
    ("recovery", "failed deployment recovery, median", true),
    ("rework-rate", "rework rate", true),
];

pub(super) fn part(facts: &Facts<'_>) -> Part {
    let delivery = match facts.delivery {
        Ok(delivery) => delivery,
        Err(why) => return Part::unknown(ID, TITLE, why),
    };
    let measures = SHOWN.iter().filter_map(|(id, name, is_better_when_less)| {
        let (unit, now) = measured(&delivery.now, id)?;
        let (_, before) = measured(&delivery.before, id)?;
        Some(Measure {
            name,
            unit,
            is_better_when_less: *is_better_when_less,
            now,
            before,
            section: ID,
        })
    });
    let measures: Vec<Measure> = measures.collect();
    let mut section = Section::new(ID, TITLE, words(facts.week, delivery, &measures));
    section.figures = measures.iter().map(figure).collect();
    section.charts = charts(facts, delivery);
    let window = facts.week.window();
    let (since, until) = (day(window.since), day(window.until));
    section.commands = SHOWN
        .iter()
        .map(|(id, ..)| format!("maestro dora explain {id} --since {since} --until {until}"))
        .collect();
    let mut part = Part::new(section);
    part.measures = measures;
    part
}

fn day(at: jiff::Timestamp) -> String {
    crate::delivery::calendar::day(at).to_string()
}

fn words(week: Week, delivery: &Delivery, measures: &[Measure]) -> Words {
    let merged = delivery
        .rows
        .pulls
        .iter()
        .filter(|pull| pull.merged.is_some_and(|at| week.holds(at)));
    let mut words = format!("{} merged", times(merged.count(), "pull request"));
    let of = |name: &str| measures.iter().find(|measure| measure.name == name);
    if let Some(value) = of("deployments").and_then(|measure| measure.now.value) {
        words.push_str(&format!(
            ", {} to production",
            shown(value, Unit::Count) + " deployed"
        ));
    }
    words.push('.');
    if delivery.from == "git" {
        words.push_str(" Out of git alone: releases stand for deployments, and nobody knows when a pull request was opened.");
    }
    Words::plain(words)
}

/// Returns what a metric says as one value, with its unit.
pub(crate) fn measured(metrics: &[Metric], id: &str) -> Option<(Unit, Measured)> {
    let metric = metrics.iter().find(|metric| metric.id == id)?;
    Some(match &metric.value {
        Value::Spread(spread) => (
            Unit::Seconds,
            Measured {
                n: spread.n,
                value: spread.median.map(|median| median.value),
                interval: spread.median.and_then(|median| median.interval),
                is_projected: false,
            },
        ),
        Value::Share(share) => (
            Unit::Share,
            Measured {
                n: share.of,
                value: share.rate,
                interval: share.interval,
                is_projected: false,
            },
        ),
        Value::Rhythm(_) => (Unit::Count, super::counted(metric.counted)),
        Value::Undefined => return None,
    })
}

fn charts(facts: &Facts<'_>, delivery: &Delivery) -> Vec<Chart> {
    let mut window = facts.week.back(WEEKS - 1).window();
    window.until = facts.week.window().until;
    let found = periods(&delivery.long, window, Step::Week, LEAST);
    let first = earliest(delivery);
    let mut charts = Vec::new();
    let mut chart =
        |title: &str, unit: Unit, form: Form, value: &dyn Fn(&Period) -> Option<f64>| {
            let point = |period: &Period| {
                let week = Week::of(crate::delivery::calendar::midnight(period.from));
                let is_known = super::known_since(first, week);
                Point {
                    label: week.name(),
                    value: value(period).filter(|_| is_known),
                    is_marked: week == facts.week,
                }
            };
            let points: Vec<Point> = found.iter().map(point).collect();
            let least = if form == Form::Line { 2 } else { 1 };
            let known = points.iter().filter(|point| point.value.is_some());
            if known.count() >= least {
                let title = title.to_owned();
                charts.push(Chart {
                    title,
                    unit,
                    form,
                    points,
                });
            }
        };
    chart(
        "Lead time to merge, median of each week",
        Unit::Seconds,
        Form::Line,
        &|period| period.merge.median.map(|median| median.value),
    );
    chart(
        "Deployments of each week",
        Unit::Count,
        Form::Bars,
        &|period| Some(float(period.deployments)),
    );
    chart(
        "Change fail rate of each week",
        Unit::Share,
        Form::Line,
        &|period| period.failed.rate,
    );
    charts
}

fn earliest(delivery: &Delivery) -> Option<jiff::Timestamp> {
    delivery.rows.earliest()
}
