//! Charts three ways: SVG for the page, mermaid for GitHub, and blocks for a line of text. What is unknown is a gap, never zero.

use std::fmt::Write as _;

use super::pack::{Chart, Form, Point};
use super::words::{Measured, shown};
use crate::delivery::quantiles::float;
use crate::inert;

/// The drawing's size, without its labels.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 64.0;
const TOP: f64 = 18.0;

/// How an axis is measured: what values are divided by, and the unit's name.
fn scale(chart: &Chart) -> (f64, &'static str) {
    let most = most(chart);
    match chart.unit {
        Measured::Seconds if most < 90.0 => (1.0, "seconds"),
        Measured::Seconds if most < 90.0 * 60.0 => (60.0, "minutes"),
        Measured::Seconds if most < 48.0 * 3600.0 => (3600.0, "hours"),
        Measured::Seconds => (86_400.0, "days"),
        Measured::Minutes => (1.0, "minutes"),
        Measured::Share => (0.01, "%"),
        Measured::Dollars => (1.0, "US dollars"),
        Measured::AWeek => (1.0, "a week"),
        Measured::Count => (1.0, "count"),
    }
}

fn most(chart: &Chart) -> f64 {
    chart
        .points
        .iter()
        .filter_map(Point::known)
        .fold(0.0, f64::max)
}

/// Says a chart in words, for those who do not see it.
fn said(chart: &Chart) -> String {
    let point = |point: &Point| format!("{} {}", point.label, point.said(chart.unit));
    let points: Vec<String> = chart.points.iter().map(point).collect();
    format!("{}: {}", chart.title, points.join(", "))
}

/// Draws a chart.
pub(crate) fn svg(chart: &Chart) -> String {
    let top = most(chart).max(f64::MIN_POSITIVE);
    let step = WIDTH / float(chart.points.len().max(1));
    let height = |value: f64| (value.max(0.0) / top * HEIGHT).clamp(0.0, HEIGHT);
    let middle = |place: usize| step * (float(place) + 0.5);
    let mut out = String::new();
    let _never_fails = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\"><line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>",
        TOP + HEIGHT + 16.0,
        inert::html(&said(chart)),
        base = TOP + HEIGHT,
    );
    let mut line = String::new();
    for (place, point) in chart.points.iter().enumerate() {
        let x = middle(place);
        let Some(value) = point.known() else {
            line.push('M');
            let _never_fails = write!(
                out,
                "<text class=\"gap\" x=\"{x:.1}\" y=\"{:.1}\">?</text>",
                TOP + HEIGHT - 4.0
            );
            continue;
        };
        let tall = height(value);
        let y = TOP + HEIGHT - tall;
        let class = if point.is_marked {
            " class=\"now\""
        } else {
            ""
        };
        let _never_fails = match chart.form {
            Form::Bars => write!(
                out,
                "<rect{class} x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1.5\"/>",
                x - step * 0.36,
                if tall < 1.0 { TOP + HEIGHT - 1.0 } else { y },
                step * 0.72,
                tall.max(1.0)
            ),
            Form::Line => {
                let verb = if line.is_empty() || line.ends_with('M') {
                    ""
                } else {
                    "L"
                };
                if line.is_empty() {
                    line.push('M');
                }
                let _never_fails = write!(line, "{verb}{x:.1} {y:.1}");
                write!(
                    out,
                    "<circle{class} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{}\"/>",
                    if point.is_marked { "4" } else { "2.2" }
                )
            }
        };
        if point.is_marked {
            let anchor = if place + 2 >= chart.points.len() {
                "end"
            } else {
                "middle"
            };
            let _never_fails = write!(
                out,
                "<text class=\"value\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"11\">{}</text>",
                if anchor == "end" { WIDTH } else { x },
                inert::html(&shown(value, chart.unit))
            );
        }
    }
    let line = line.trim_end_matches('M');
    if line.contains('L') {
        let _never_fails = write!(out, "<path d=\"{}\"/>", tidy(line));
    }
    labels(&mut out, chart);
    out.push_str("</svg>");
    out
}

/// Takes away moves that lead nowhere.
fn tidy(line: &str) -> String {
    let mut tidy = String::with_capacity(line.len());
    for part in line.split('M').filter(|part| !part.is_empty()) {
        tidy.push('M');
        tidy.push_str(part);
    }
    tidy
}

fn labels(out: &mut String, chart: &Chart) {
    let last = chart.points.len().saturating_sub(1);
    for (place, anchor, x) in [(0, "start", 0.0), (last, "end", WIDTH)] {
        if let Some(point) = chart.points.get(place)
            && (place == 0 || last > 0)
        {
            let _never_fails = write!(
                out,
                "<text class=\"label\" text-anchor=\"{anchor}\" x=\"{x}\" y=\"{}\">{}</text>",
                TOP + HEIGHT + 13.0,
                inert::html(short(&point.label))
            );
        }
    }
}

/// Returns a week without its year.
fn short(label: &str) -> &str {
    label.split_once('-').map_or(label, |(year, week)| {
        if week.starts_with('W') && year.len() == 4 {
            week
        } else {
            label
        }
    })
}

/// Writes a chart as mermaid's `xychart-beta`. Points that are unknown are left out: it cannot draw a gap.
pub(crate) fn mermaid(chart: &Chart) -> Option<String> {
    let (divisor, unit) = scale(chart);
    let known = chart
        .points
        .iter()
        .filter_map(|point| Some((point, point.known()?)));
    let known: Vec<(&Point, f64)> = known.collect();
    if known.is_empty() {
        return None;
    }
    let plain = |text: &str| text.replace(['"', '\n', '`', '<', '>', '[', ']'], " ");
    let labels: Vec<String> = known
        .iter()
        .map(|(point, _)| format!("\"{}\"", plain(short(&point.label))))
        .collect();
    let values: Vec<String> = known
        .iter()
        .map(|(_, value)| figure(value / divisor))
        .collect();
    let top = (most(chart) / divisor).max(1.0);
    let verb = match chart.form {
        Form::Line if known.len() > 1 => "line",
        Form::Line | Form::Bars => "bar",
    };
    Some(format!(
        "```mermaid\nxychart-beta\n    title \"{}\"\n    x-axis [{}]\n    y-axis \"{unit}\" 0 --> {}\n    {verb} [{}]\n```\n",
        plain(&chart.title),
        labels.join(", "),
        figure(top * 1.1),
        values.join(", ")
    ))
}

/// Writes a number as mermaid reads it: digits and a point.
fn figure(value: f64) -> String {
    let text = format!("{:.3}", value.max(0.0));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Writes a chart as blocks of eight heights, a dot for what is unknown.
pub(crate) fn sparkline(chart: &Chart) -> String {
    let top = most(chart).max(f64::MIN_POSITIVE);
    let block = |point: &Point| {
        let Some(value) = point.known() else {
            return '·';
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between zero and seven"
        )]
        let height = (value.max(0.0) / top * 7.0).round() as usize;
        BLOCKS[height.min(7)]
    };
    chart.points.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(form: Form, values: &[Option<f64>]) -> Chart {
        let point = |(place, value): (usize, &Option<f64>)| Point {
            label: format!("2026-W{:02}", place + 1),
            value: *value,
            is_marked: place + 1 == values.len(),
        };
        Chart {
            title: "t \"x\"".into(),
            unit: Measured::Seconds,
            form,
            points: values.iter().enumerate().map(point).collect(),
        }
    }

    #[test]
    fn what_is_unknown_is_a_gap_and_not_zero() {
        let chart = chart(Form::Line, &[Some(60.0), None, Some(0.0), Some(120.0)]);
        assert_eq!(sparkline(&chart), "▅·▁█");
        let drawn = svg(&chart);
        assert!(drawn.contains(">?</text>"), "{drawn}");
        assert!(
            drawn.contains("<path d=\"M40.0 50.0M200.0 82.0L280.0 18.0\"/>"),
            "{drawn}"
        );
        let words = mermaid(&chart).unwrap();
        assert!(
            words.contains("x-axis [\"W01\", \"W03\", \"W04\"]"),
            "{words}"
        );
        assert!(words.contains("line [1, 0, 2]"), "{words}");
        assert!(words.contains("title \"t  x \""), "{words}");
    }

    #[test]
    fn a_chart_of_nothing_is_none_and_does_not_break() {
        assert_eq!(mermaid(&chart(Form::Bars, &[None, None])), None);
        assert_eq!(sparkline(&chart(Form::Bars, &[])), "");
        for values in [
            &[][..],
            &[Some(0.0)],
            &[Some(f64::NAN), Some(f64::INFINITY)],
            &[Some(-1.0)],
        ] {
            for form in [Form::Bars, Form::Line] {
                let drawn = svg(&chart(form, values));
                assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
            }
        }
    }
}
