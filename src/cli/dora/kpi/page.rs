//! The table of indicators as people read it.

use super::wire::{DoraKpiDocument, IndicatorRow};
use crate::delivery::kpi::Verdict;
use crate::output::{Cell, Column, Page, Tone};

pub(super) fn page(document: &DoraKpiDocument) -> Page {
    let mut page = Page::default();
    let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
    page.heading(format!(
        "Indicators, {} to {}, beside {} to {}",
        day(&document.since),
        day(&document.until),
        day(&document.baseline_since),
        day(&document.baseline_until),
    ));
    for note in &document.notes {
        page.text(format!("Note: {note}."));
    }
    let has_targets = document.targets.is_some();
    let mut head = vec![
        Column::left("Indicator"),
        Column::right("Value"),
        Column::right("95 %"),
        Column::right("n"),
        Column::right("Before"),
    ];
    if has_targets {
        head.extend([Column::right("Target"), Column::left("Verdict")]);
    }
    head.push(Column::left("Name"));
    let rows = document.indicators.iter();
    let rows = rows.map(|row| cells(row, has_targets)).collect();
    page.table(head, rows);
    for row in &document.indicators {
        if let Some(why) = &row.why {
            page.text(format!("{}: {why}.", row.id));
        }
    }
    let moved = document.indicators.iter();
    for row in moved.filter(|row| matches!(row.trend, Some("better" | "worse"))) {
        let trend = row.trend.unwrap_or_default();
        page.text(format!("{}: {trend} than before, beyond chance.", row.id));
    }
    page.text(match document.targets {
        Some("example") => "The targets are an example and nobody's own; set yours with `kpi: {targets: {ci-p95: 15m}}` in `.maestro/maestro.yaml`.",
        Some(_) => "The targets are those of `.maestro/maestro.yaml`.",
        None => "No target is set, so that nothing is judged: `kpi: {targets: {ci-p95: 15m}}` in `.maestro/maestro.yaml` sets one, and `--targets example` shows some.",
    });
    page.text("`maestro dora explain kpi:NAME` lists the rows behind a number, and those that were left out.");
    page
}

fn cells(row: &IndicatorRow, has_targets: bool) -> Vec<Cell> {
    let mut cells = vec![
        Cell::plain(row.name),
        Cell::plain(&row.words),
        Cell::plain(&row.interval),
        Cell::plain(row.n.to_string()),
        Cell::plain(if row.baseline.value.is_some() {
            row.baseline.words.as_str()
        } else {
            "–"
        }),
    ];
    if has_targets {
        let target = row.target.as_ref();
        cells.push(Cell::plain(
            target.map_or("", |target| target.words.as_str()),
        ));
        let tone = match row.judged {
            Some(Verdict::Met) => Tone::Good,
            Some(Verdict::Missed) => Tone::Bad,
            Some(Verdict::NotEnoughData) => Tone::Warn,
            None => Tone::Plain,
        };
        cells.push(Cell::toned(row.verdict.unwrap_or_default(), tone));
    }
    cells.push(Cell::plain(row.id));
    cells
}
