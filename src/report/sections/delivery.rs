//! How changes reached their users: the metrics of dora.dev, and how they went over twelve weeks.

use super::{Measure, Part, WEEKS, figure, share_of};
use crate::delivery::kpi::Measured;
use crate::delivery::metrics::{Metric, Value};
use crate::delivery::quantiles::{LEAST, float};
use crate::delivery::trends::{Period, Step, periods};
use crate::report::facts::{Delivery, Facts, Known};
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

pub(super) fn part(facts: &Facts) -> Part {
    of(facts.week, &facts.delivery, "")
}

/// Makes the part of a week; `flags` are what the commands of its evidence need beside the time.
pub(crate) fn of(week: Week, delivery: &Known<Delivery>, flags: &str) -> Part {
    let delivery = match delivery {
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
    let mut section = Section::new(ID, TITLE, words(week, delivery, &measures));
    section.figures = measures.iter().map(figure).collect();
    section.charts = charts(week, delivery);
    let window = week.window();
    let (since, until) = (day(window.since), day(window.until));
    section.commands = SHOWN
        .iter()
        .map(|(id, ..)| format!("maestro dora explain {id} --since {since} --until {until}{flags}"))
        .collect();
    let mut part = Part::new(section);
    // That nothing is deployed where nothing ever was is no news.
    let is_news =
        |measure: &Measure| measure.unit != Unit::Count || measure.now.n + measure.before.n > 0;
    part.measures = measures.into_iter().filter(is_news).collect();
    part
}

fn day(at: jiff::Timestamp) -> String {
    crate::delivery::calendar::day(at).to_string()
}

fn words(week: Week, delivery: &Delivery, measures: &[Measure]) -> Words {
    let merged = delivery.merged.iter().filter(|at| week.holds(**at));
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
        Value::Share(share) => (Unit::Share, share_of(share)),
        Value::Rhythm(_) => (Unit::Count, super::counted(metric.counted)),
        Value::Undefined => return None,
    })
}

fn charts(week: Week, delivery: &Delivery) -> Vec<Chart> {
    let mut window = week.back(WEEKS - 1).window();
    window.until = week.window().until;
    let last = week;
    let found = periods(&delivery.long, window, Step::Week, LEAST);
    let first = delivery.earliest;
    let mut charts = Vec::new();
    let mut chart =
        |title: &str, unit: Unit, form: Form, value: &dyn Fn(&Period) -> Option<f64>| {
            let point = |period: &Period| {
                let week = Week::of(crate::delivery::calendar::midnight(period.from));
                let is_known = super::known_since(first, week);
                Point {
                    label: week.name(),
                    value: value(period).filter(|_| is_known),
                    is_marked: week == last,
                }
            };
            let points: Vec<Point> = found.iter().map(point).collect();
            let known = || points.iter().filter_map(|point| point.value);
            // A single point is no line, and bars of nothing are no picture.
            let is_seen = match form {
                Form::Line => known().count() > 1,
                Form::Bars => known().any(|value| value > 0.0),
            };
            if is_seen {
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
