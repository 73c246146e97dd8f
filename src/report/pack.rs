//! The weekly page as a value: what each format is written from, and `maestro.learning-pack/v1`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::words::{Measured, Words};

/// The week at a glance.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.learning-pack/v1"))]
pub(crate) struct Pack {
    /// `maestro.learning-pack/v1`
    pub(crate) schema: &'static str,
    /// The ISO 8601 week (UTC), as `2026-W47`.
    pub(crate) week: String,
    /// Its first day.
    pub(crate) from: String,
    /// The day after its last one.
    pub(crate) until: String,
    /// Its days, as people write them.
    pub(crate) days: String,
    /// Whether the week had ended when this was written.
    pub(crate) is_over: bool,
    /// When this was written.
    pub(crate) written: String,
    /// As `owner/name`, or the name of the folder.
    pub(crate) repository: String,
    /// What became better and what became worse.
    pub(crate) answer: Answer,
    /// What to decide: three proposals at most.
    pub(crate) decisions: Vec<Proposal>,
    /// What became of the decisions of the week before.
    pub(crate) last_week: LastWeek,
    pub(crate) sections: Vec<Section>,
    /// Every proposal, those of `decisions` first.
    pub(crate) backlog: Vec<Proposal>,
    /// What is missing, and what to be careful about.
    pub(crate) notes: Vec<Words>,
}

/// What became better and what became worse since the week before.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Answer {
    /// In one sentence.
    pub(crate) words: String,
    pub(crate) better: Vec<Change>,
    pub(crate) worse: Vec<Change>,
    /// Measures with enough values in both weeks that did neither.
    pub(crate) same: Vec<String>,
    /// Measures that nobody can compare, and why.
    pub(crate) unknown: Vec<String>,
}

/// A measure that changed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Change {
    pub(crate) measure: String,
    pub(crate) unit: Measured,
    pub(crate) before: f64,
    pub(crate) now: f64,
    /// How many values `now` is of.
    pub(crate) n: usize,
    /// As people read it.
    pub(crate) words: String,
    /// The section with its evidence.
    pub(crate) section: &'static str,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Proposal {
    /// The same as long as it is about the same thing.
    pub(crate) id: String,
    /// What kind of proposal it is.
    pub(crate) kind: &'static str,
    pub(crate) what: Words,
    pub(crate) cause: Words,
    /// Who looks after it; nothing where nobody is named.
    pub(crate) owner: Option<String>,
    /// What it cost in the week.
    pub(crate) cost: Words,
    /// What doing it is expected to bring.
    pub(crate) gain: Words,
    /// What its effect is measured by.
    pub(crate) measure: String,
    pub(crate) unit: Measured,
    /// That measure, in the week.
    pub(crate) value: f64,
    /// What it weighs among the others; only good for their order.
    pub(crate) weight: f64,
    /// The section with its evidence.
    pub(crate) section: &'static str,
    /// A command that shows it.
    pub(crate) command: String,
}

/// What became of the decisions of the week before.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct LastWeek {
    pub(crate) week: String,
    /// In one sentence.
    pub(crate) words: String,
    pub(crate) decisions: Vec<Outcome>,
}

/// What became of a decision.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) what: Words,
    /// `done` (it is not found any more), `open`, or `unknown` (what would tell is missing).
    pub(crate) state: &'static str,
    /// In words.
    pub(crate) effect: String,
    pub(crate) measure: String,
    pub(crate) unit: Measured,
    /// In the week that it was proposed for.
    pub(crate) before: f64,
    /// In this one; nothing where it is unknown.
    pub(crate) now: Option<f64>,
    pub(crate) section: &'static str,
}

/// A part of the page.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What there is to say, in a sentence or two.
    pub(crate) words: Words,
    /// Whether nothing is known that it could be about; `words` says why.
    pub(crate) is_unknown: bool,
    pub(crate) figures: Vec<Figure>,
    pub(crate) charts: Vec<Chart>,
    pub(crate) tables: Vec<Table>,
    /// Commands that show what it stands on.
    pub(crate) commands: Vec<String>,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: Measured,
    /// Nothing where it is unknown or there is too little to say.
    pub(crate) value: Option<f64>,
    /// As people read it.
    pub(crate) shown: String,
    /// How many values it is of.
    pub(crate) n: Option<usize>,
    /// Its 95 % interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// The week before.
    pub(crate) before: Option<f64>,
    /// A remark: a target and its verdict, or what it means.
    pub(crate) remark: String,
    /// Why there is no value, and what would bring one.
    pub(crate) why: Option<String>,
    /// `good`, `bad` or `plain`.
    pub(crate) tone: Tone,
}

/// How something feels; never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
}

/// Values over time, or side by side.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) unit: Measured,
    pub(crate) form: Form,
    pub(crate) points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    Line,
    Bars,
}

/// A value of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Point {
    /// The week, day or thing.
    pub(crate) label: String,
    /// Nothing where it is unknown: that is not zero.
    pub(crate) value: Option<f64>,
    /// Whether it stands out.
    pub(crate) is_marked: bool,
}

/// Rows.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Words>>,
    /// Rows that are left out here.
    pub(crate) more: usize,
}

/// A column of a table.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Whether it is numbers.
    pub(crate) is_number: bool,
}

/// No table has more rows on the page.
pub(crate) const MOST_ROWS: usize = 8;

impl Table {
    /// Makes a table; the titles of columns of numbers begin with `#`.
    pub(crate) fn new(
        title: impl Into<String>,
        columns: &[&'static str],
        mut rows: Vec<Vec<Words>>,
    ) -> Self {
        let column = |title: &&'static str| Column {
            title: title.trim_start_matches('#'),
            is_number: title.starts_with('#'),
        };
        let more = rows.len().saturating_sub(MOST_ROWS);
        rows.truncate(MOST_ROWS);
        Self {
            title: title.into(),
            columns: columns.iter().map(column).collect(),
            rows,
            more,
        }
    }
}

impl Point {
    /// Returns its value, if there is one that can be drawn.
    pub(crate) fn known(&self) -> Option<f64> {
        self.value.filter(|value| value.is_finite())
    }

    /// Says its value.
    pub(crate) fn said(&self, unit: Measured) -> String {
        self.known().map_or_else(
            || "unknown".to_owned(),
            |value| super::words::shown(value, unit),
        )
    }
}

impl Figure {
    /// Whether there is nothing to show of it but the reason.
    fn is_only_a_reason(&self) -> bool {
        self.value.is_none() && self.remark.is_empty() && self.why.is_some()
    }
}

impl Section {
    /// Returns the figures that there is something to show of.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = &Figure> {
        let figures = self.figures.iter();
        figures.filter(|figure| !figure.is_only_a_reason())
    }

    /// Says why figures have no value: each reason once, with the names that it stands for.
    pub(crate) fn reasons(&self) -> Vec<(&str, String)> {
        let mut reasons: Vec<(&str, String)> = Vec::new();
        for figure in self.figures.iter().filter(|figure| figure.value.is_none()) {
            let Some(why) = figure.why.as_deref() else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => {
                    names.push_str("; ");
                    names.push_str(&figure.name);
                }
                None => reasons.push((why, figure.name.clone())),
            }
        }
        reasons
    }

    pub(crate) fn new(id: &'static str, title: &'static str, words: Words) -> Self {
        Self {
            id,
            title,
            words,
            is_unknown: false,
            figures: Vec::new(),
            charts: Vec::new(),
            tables: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// A section of which nothing is known, and why.
    pub(crate) fn unknown(id: &'static str, title: &'static str, why: &str) -> Self {
        Self {
            is_unknown: true,
            ..Self::new(id, title, Words::plain(why))
        }
    }

    /// Adds a table, unless it has no rows.
    pub(crate) fn table(&mut self, title: &str, columns: &[&'static str], rows: Vec<Vec<Words>>) {
        if !rows.is_empty() {
            self.tables.push(Table::new(title, columns, rows));
        }
    }
}

impl Pack {
    /// Lets somebody change every foreign text.
    pub(crate) fn each_foreign(&mut self, change: &mut dyn FnMut(&mut String)) {
        for proposal in self.decisions.iter_mut().chain(&mut self.backlog) {
            for words in [
                &mut proposal.what,
                &mut proposal.cause,
                &mut proposal.cost,
                &mut proposal.gain,
            ] {
                words.each_foreign(change);
            }
            proposal.owner.iter_mut().for_each(&mut *change);
            change(&mut proposal.command);
        }
        for outcome in &mut self.last_week.decisions {
            outcome.what.each_foreign(change);
        }
        for section in &mut self.sections {
            section.words.each_foreign(change);
            section.commands.iter_mut().for_each(&mut *change);
            for point in section
                .charts
                .iter_mut()
                .flat_map(|chart| &mut chart.points)
            {
                change(&mut point.label);
            }
            let rows = section.tables.iter_mut().flat_map(|table| &mut table.rows);
            for cell in rows.flatten() {
                cell.each_foreign(change);
            }
        }
        change(&mut self.repository);
        for note in &mut self.notes {
            note.each_foreign(change);
        }
    }
}
