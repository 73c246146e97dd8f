//! The metrics as people read them.

use super::repositories;
use super::wire::{DoraDocument, Figures, MetricRow, ShareFigures};
use super::words::{duration, few, percent};
use crate::delivery::pool::SEVERAL;
use crate::delivery::quantiles::LEAST;
use crate::output::{Cell, Column, Inline, Page};

pub(super) fn page(document: &DoraDocument) -> Page {
    let mut page = Page::default();
    let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
    page.heading(format!(
        "Delivery, {} to {}, as {}",
        day(&document.since),
        day(&document.until),
        document.definition
    ));
    let mut from = vec![Inline::Plain(format!("Rows from {}", document.rows_from))];
    if let Some(repository) = &document.repository {
        from.push(Inline::Plain(" of ".to_owned()));
        from.push(Inline::Code(repository.clone()));
    }
    let source = match document.source {
        None => "nothing",
        Some(SEVERAL) => "those of each repository's own source",
        Some(source) => source,
    };
    from.push(Inline::Plain(format!("; deployments are {source}")));
    match &document.environment {
        Some(environment) => {
            from.push(Inline::Plain(" to ".to_owned()));
            from.push(Inline::Code(environment.clone()));
        }
        None if document.source == Some("deployments") => {
            from.push(Inline::Plain(" to production".to_owned()));
        }
        None => {}
    }
    from.push(Inline::Plain(".".to_owned()));
    page.line(from);
    for note in &document.notes {
        page.text(format!("Note: {note}."));
    }
    metrics(document, &mut page);
    trend(document, &mut page);
    parts(document, &mut page);
    repositories::table(&document.repositories, &mut page);
    differences(document, &mut page);
    rows(document, &mut page);
    page.text("`maestro dora explain METRIC` lists the rows behind a number, and those that were left out.");
    page
}

/// The columns of a metric: what it is, and how sure that is.
fn figures(row: &MetricRow) -> [String; 4] {
    let interval = |low: Option<f64>, high: Option<f64>, say: fn(f64) -> String| {
        let both = low.zip(high);
        both.map_or(String::new(), |(low, high)| {
            format!("{} – {}", say(low), say(high))
        })
    };
    if let Some(found) = &row.duration {
        let p90 = found.p90.map_or(String::new(), duration);
        let interval = interval(found.low, found.high, duration);
        return [row.words.clone(), interval, p90, found.n.to_string()];
    }
    if let Some(found) = &row.share {
        let interval = interval(found.low, found.high, percent);
        let n = format!("{} of {}", found.part, found.of);
        return [row.words.clone(), interval, String::new(), n];
    }
    let n = row
        .frequency
        .as_ref()
        .map_or(String::new(), |found| found.deployments.to_string());
    [row.words.clone(), String::new(), String::new(), n]
}

fn metrics(document: &DoraDocument, page: &mut Page) {
    let has_hours = document.metrics.iter().any(|row| row.business.is_some());
    let mut head = vec![
        Column::left("Metric"),
        Column::right("Value"),
        Column::right("95 %"),
        Column::right("p90"),
        Column::right("n"),
        Column::right("Left out"),
    ];
    if has_hours {
        head.push(Column::right("Hours of work"));
    }
    head.push(Column::left("Name for `explain`"));
    let rows = document.metrics.iter().map(|row| {
        let mut cells = vec![Cell::plain(row.name)];
        cells.extend(figures(row).map(Cell::plain));
        cells.push(Cell::plain((row.rows - row.counted).to_string()));
        if has_hours {
            let worked = row.business.as_ref().and_then(|found| found.median);
            cells.push(Cell::plain(worked.map_or(String::new(), hours)));
        }
        cells.push(Cell::plain(row.id));
        cells
    });
    page.table(head, rows.collect());
    for row in &document.metrics {
        if let Some(found) = &row.frequency {
            page.text(format!(
                "Deployed on {} of {:.0} days; Four Keys would say {}.",
                found.active_days, found.days, found.fourkeys
            ));
        }
        if let Some(noticed) = row.since_noticed.as_ref().and_then(|found| found.median) {
            page.text(format!(
                "Recovery since somebody noticed: {}.",
                duration(noticed)
            ));
        }
    }
}

/// Says hours of work as hours: a day of them would be of an unknown length.
fn hours(seconds: f64) -> String {
    format!("{:.1} h", seconds / 3600.0)
}

pub(super) fn median(found: &Figures) -> String {
    found.median.map_or_else(|| few(found.n, LEAST), duration)
}

pub(super) fn share(found: &ShareFigures) -> String {
    let rate = found.rate.map_or_else(|| few(found.of, LEAST), percent);
    if found.of == 0 { String::new() } else { rate }
}

fn trend(document: &DoraDocument, page: &mut Page) {
    if document.trend.len() < 2 {
        return;
    }
    page.heading("Trend");
    let rows = document.trend.iter().map(|row| {
        let said = |found: &Figures| {
            if found.n == 0 {
                String::new()
            } else {
                median(found)
            }
        };
        vec![
            Cell::plain(&row.from),
            Cell::plain(row.deployments.to_string()),
            Cell::plain(said(&row.lead_time_deploy)),
            Cell::plain(said(&row.lead_time_merge)),
            Cell::plain(share(&row.change_fail_rate)),
        ]
    });
    let head = ["Deployments", "Lead time", "To merge", "Fail rate"].map(Column::right);
    let head = [Column::left("From")].into_iter().chain(head);
    page.table(head.collect(), rows.collect());
}

fn parts(document: &DoraDocument, page: &mut Page) {
    let Some(by) = document.by else { return };
    page.heading(format!("By {by}"));
    let rows = document.parts.iter().map(|row| {
        vec![
            Cell::plain(row.deployments.to_string()),
            Cell::plain(median(&row.lead_time_deploy)),
            Cell::plain(median(&row.lead_time_merge)),
            Cell::plain(share(&row.change_fail_rate)),
            Cell::code(&row.name),
        ]
    });
    let head = ["Deployments", "Lead time", "To merge", "Fail rate"].map(Column::right);
    let head = head.into_iter().chain([Column::left("Part")]);
    page.table(head.collect(), rows.collect());
}

fn differences(document: &DoraDocument, page: &mut Page) {
    if document.differences.is_empty() {
        return;
    }
    page.heading(format!("What {} does otherwise", document.definition));
    page.text(format!("It follows {}.", document.definition_source));
    let rows = document.differences.iter().map(|row| {
        vec![
            Cell::plain(row.metric),
            Cell::plain(&row.value),
            Cell::plain(&row.dora2025),
            Cell::plain(row.how),
        ]
    });
    let head = ["Metric", "Value", "dora2025", "How"].map(Column::left);
    page.table(head.to_vec(), rows.collect());
}

fn rows(document: &DoraDocument, page: &mut Page) {
    page.heading("What became of every row");
    let rows = document.rows.iter().filter(|row| row.rows > 0).map(|row| {
        let reasons = row.left_out.iter();
        let reasons: Vec<String> = reasons
            .map(|left| format!("{} {}", left.rows, left.code))
            .collect();
        vec![
            Cell::plain(row.kind),
            Cell::plain(row.rows.to_string()),
            Cell::plain(row.counted.to_string()),
            Cell::plain(row.context.to_string()),
            Cell::plain(reasons.join(", ")),
        ]
    });
    let head = ["Rows", "Counted", "Read only"].map(Column::right);
    let head = [Column::left("Kind")].into_iter().chain(head);
    let head = head.chain([Column::left("Left out, because")]);
    page.table(head.collect(), rows.collect());
}
