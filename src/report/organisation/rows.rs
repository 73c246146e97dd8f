//! A repository in one row, and all rows added up.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::names::Stems;
use super::{Member, Read, repositories};
use crate::delivery::kpi::Measured;
use crate::delivery::quantiles::float;
use crate::money::Usd;
use crate::report::answer::is_chance_between;
use crate::report::pack::{Answer, Figure, Pack, Section, Table, Tone};
use crate::report::sections::{Verdicts, dollars};
use crate::report::words::{Measured as Unit, Words, difference, shown, times};

/// A repository of the list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Row {
    /// As `owner/name`, or the path where nobody knows another name.
    pub(crate) name: String,
    /// As the list has it, and on which line.
    pub(crate) path: String,
    pub(crate) line: usize,
    /// `read`, `empty` (nothing is stored), `missing` or `unreadable`.
    pub(crate) status: &'static str,
    /// Why it could not be read.
    pub(crate) problem: Option<String>,
    /// The name of its page, without an ending.
    pub(crate) page: Option<String>,
    /// Against the week before: `better`, `worse`, `mixed` (some of both), `same` or `unknown`.
    pub(crate) answer: Option<&'static str>,
    pub(crate) indicators: Option<Verdicts>,
    /// The 95th percentile of how long CI takes, in seconds.
    pub(crate) ci_p95: Trend,
    /// What models cost in the week, in US dollars; nothing where no call is known, or none has a price.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(crate) models_usd: Option<Usd>,
    /// Calls of models without a price.
    pub(crate) models_unpriced: Option<u64>,
    /// Tests that are flaky.
    pub(crate) flaky: Option<usize>,
    /// Tests that are overdue in quarantine.
    pub(crate) overdue: Option<usize>,
    /// Minutes of tests that plans left out; nothing where that is not known.
    pub(crate) minutes_skipped: Option<f64>,
    /// Jobs that a plan left out and that failed on the same commit.
    pub(crate) escapes: Option<usize>,
    /// What became of the decisions of the week before.
    pub(crate) decisions: Outcomes,
}

/// A value in the week and in the one before.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Trend {
    pub(crate) now: Option<f64>,
    pub(crate) before: Option<f64>,
    /// How many values `now` is of.
    pub(crate) n: usize,
    /// Whether it differs by more than chance may: `faster`, `slower`, or nothing.
    pub(crate) moved: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Outcomes {
    pub(crate) done: usize,
    pub(crate) open: usize,
    pub(crate) unknown: usize,
}

impl Outcomes {
    pub(super) fn asked(&self) -> usize {
        self.done + self.open + self.unknown
    }
}

impl Row {
    pub(super) fn new(member: &Member, stems: &mut Stems, clean: &dyn Fn(&str) -> String) -> Self {
        let name = clean(&member.name);
        let row = Self {
            path: clean(&member.path),
            line: member.line,
            status: "read",
            problem: None,
            page: None,
            answer: None,
            indicators: None,
            ci_p95: Trend::default(),
            models_usd: None,
            models_unpriced: None,
            flaky: None,
            overdue: None,
            minutes_skipped: None,
            escapes: None,
            decisions: Outcomes::default(),
            name,
        };
        match &member.found {
            Ok(read) => row.filled(read, stems),
            Err(why) => Self {
                status: if why.is_missing {
                    "missing"
                } else {
                    "unreadable"
                },
                problem: Some(clean(&why.words)),
                ..row
            },
        }
    }

    fn filled(self, read: &Read, stems: &mut Stems) -> Self {
        let Read { pack, brief } = read;
        let is_empty = pack
            .sections
            .iter()
            .all(|section| section.is_unknown || section.id == "kpi");
        Self {
            status: if is_empty { "empty" } else { "read" },
            page: Some(stems.give(&self.name)),
            answer: Some(word(&pack.answer)),
            indicators: Some(brief.indicators),
            ci_p95: trend(&brief.ci),
            models_usd: brief.models.and_then(|models| models.usd),
            models_unpriced: brief.models.map(|models| models.unpriced),
            flaky: brief.flaky.map(|(flaky, _)| flaky),
            overdue: brief.flaky.map(|(_, overdue)| overdue),
            minutes_skipped: brief.plans.and_then(|plans| plans.minutes),
            escapes: brief.plans.map(|plans| plans.escapes),
            decisions: outcomes(pack),
            ..self
        }
    }

    /// Where it stands in the table: what needs a look first, what was not read last.
    fn rank(&self) -> u8 {
        match self.answer {
            _ if self.escapes.is_some_and(|escapes| escapes > 0) => 0,
            Some("worse") => 1,
            Some("mixed") => 2,
            Some("better") => 3,
            Some("same") => 4,
            Some(_) => 5,
            None => 6,
        }
    }
}

fn word(answer: &Answer) -> &'static str {
    match (answer.better.is_empty(), answer.worse.is_empty()) {
        (false, false) => "mixed",
        (false, true) => "better",
        (true, false) => "worse",
        (true, true) if answer.same.is_empty() => "unknown",
        (true, true) => "same",
    }
}

fn trend((now, before): &(Measured, Measured)) -> Trend {
    let moved = match (now.value, before.value) {
        (Some(value), Some(was)) if !is_chance_between(now, before) => {
            Some(if value < was { "faster" } else { "slower" })
        }
        _ => None,
    };
    Trend {
        now: now.value,
        before: before.value,
        n: now.n,
        moved,
    }
}

fn outcomes(pack: &Pack) -> Outcomes {
    let mut found = Outcomes::default();
    for outcome in &pack.last_week.decisions {
        match outcome.state {
            "done" => found.done += 1,
            "open" => found.open += 1,
            _ => found.unknown += 1,
        }
    }
    found
}

/// Makes the table of all repositories; what needs a look stands first.
pub(super) fn table(rows: &[Row]) -> Table {
    let columns = [
        "Repository",
        "Against the week before",
        "#Met",
        "#No data",
        "#Missed",
        "#CI, p95",
        "#Models",
        "#Flaky",
        "#Overdue",
        "#Skipped",
        "#Escapes",
        "#Decisions done",
    ];
    let mut table = Table::new(
        "Repositories, what needs a look first",
        &columns,
        Vec::new(),
    );
    table.rows = in_order(rows).into_iter().map(cells).collect();
    table
}

/// Returns those that were read; what needs a look stands first.
pub(crate) fn in_order(rows: &[Row]) -> Vec<&Row> {
    let mut sorted: Vec<&Row> = rows.iter().filter(|row| row.problem.is_none()).collect();
    crate::order::sort_by(&mut sorted, |a, b| {
        a.rank().cmp(&b.rank()).then(a.line.cmp(&b.line))
    });
    sorted
}

/// Makes the table of those that could not be read.
pub(super) fn unread(rows: &[Row]) -> Option<Table> {
    let cells = |row: &Row| {
        let problem = row.problem.as_ref()?;
        Some(vec![
            Words::foreign(&row.name),
            Words::plain(row.line.to_string()),
            Words::foreign(&row.path),
            Words::foreign(problem),
        ])
    };
    let columns = ["Repository", "#Line", "Path", "Why"];
    let mut table = Table::new(
        "Could not be read, and are in no number",
        &columns,
        Vec::new(),
    );
    table.rows = rows.iter().filter_map(cells).collect();
    (!table.rows.is_empty()).then_some(table)
}

/// What stands where nothing is known.
const NOTHING: &str = "\u{2013}";

fn cells(row: &Row) -> Vec<Words> {
    let name = match &row.page {
        Some(page) => Words::page(&row.name, page),
        None => Words::foreign(&row.name),
    };
    let judged = row.indicators.as_ref().filter(|found| found.judged() > 0);
    let count = |of: &dyn Fn(&Verdicts) -> usize| known(judged.map(of));
    let mut cells = vec![
        name,
        Words::plain(said(row)),
        Words::plain(count(&|found| found.met)),
        Words::plain(count(&|found| found.not_enough_data)),
    ];
    cells.extend(row.numbers().map(Words::plain));
    cells
}

fn known(value: Option<usize>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

impl Row {
    /// Says its numbers, each as people read it: indicators missed, CI, models, flaky, overdue, minutes skipped, escapes, decisions done.
    pub(crate) fn numbers(&self) -> [String; 8] {
        let judged = self.indicators.as_ref().filter(|found| found.judged() > 0);
        let skipped = self.minutes_skipped;
        [
            known(judged.map(|found| found.missed)),
            ci(&self.ci_p95),
            models(self),
            known(self.flaky),
            known(self.overdue),
            skipped.map_or_else(|| NOTHING.to_owned(), |value| shown(value, Unit::Minutes)),
            known(self.escapes),
            match self.decisions.asked() {
                0 => NOTHING.to_owned(),
                asked => format!("{} of {asked}", self.decisions.done),
            },
        ]
    }
}

/// Says the answer of a row; a sign stands beside the word.
pub(crate) fn said(row: &Row) -> &'static str {
    match row.answer {
        _ if row.status == "empty" => "nothing stored",
        Some("better") => "\u{25b2} better",
        Some("worse") => "\u{25bc} worse",
        Some("mixed") => "\u{25b2}\u{25bc} both",
        Some("same") => "= about the same",
        _ => "nothing to compare",
    }
}

fn ci(trend: &Trend) -> String {
    let Some(now) = trend.now else {
        return NOTHING.to_owned();
    };
    let value = shown(now, Unit::Seconds);
    match (trend.moved, trend.before) {
        (Some(word), Some(before)) => {
            format!(
                "{value} ({}, {word})",
                difference(now - before, Unit::Seconds)
            )
        }
        _ => value,
    }
}

fn models(row: &Row) -> String {
    match (row.models_usd, row.models_unpriced) {
        (None, None) => NOTHING.to_owned(),
        (Some(usd), _) => shown(dollars(usd), Unit::Dollars),
        (None, Some(_)) => "no price".to_owned(),
    }
}

/// Adds up what can be added up.
pub(super) fn total(rows: &[Row]) -> Section {
    let read = rows.iter().filter(|row| row.problem.is_none()).count();
    let empty = rows.iter().filter(|row| row.status == "empty").count();
    let mut words = format!("{read} of {} read", repositories(rows.len()));
    if empty > 0 {
        words.push_str(&format!(
            "; of {} nothing is stored yet",
            repositories(empty)
        ));
    }
    let mut section = Section::new("repositories", "Repositories", Words::plain(words + "."));
    let sum = |of: &dyn Fn(&Row) -> Option<usize>| {
        let known: Vec<usize> = rows.iter().filter_map(of).collect();
        (known.iter().sum::<usize>(), known.len())
    };
    section.figures = vec![
        count(
            "indicators missed",
            sum(&|row| {
                row.indicators
                    .filter(|found| found.judged() > 0)
                    .map(|found| found.missed)
            }),
            "with targets",
        ),
        models_figure(rows),
        count("flaky tests", sum(&|row| row.flaky), "with runs of tests"),
        count(
            "overdue in quarantine",
            sum(&|row| row.overdue),
            "with runs of tests",
        ),
        minutes_figure(rows),
        count("escapes", sum(&|row| row.escapes), "with plans"),
    ];
    for figure in &mut section.figures {
        if ["overdue in quarantine", "escapes", "indicators missed"].contains(&figure.name.as_str())
            && let Some(value) = figure.value
        {
            figure.tone = if value > 0.0 { Tone::Bad } else { Tone::Good };
        }
    }
    section.commands = vec!["maestro learning-pack".into()];
    section
}

fn figure(name: &str, unit: Unit, value: Option<f64>, of: usize, what: &str) -> Figure {
    Figure {
        name: name.to_owned(),
        unit,
        value,
        shown: value.map_or_else(|| "no data".to_owned(), |value| shown(value, unit)),
        n: None,
        interval: None,
        before: None,
        remark: match of {
            0 => format!("no repository {what}"),
            of => format!("{} {what}", repositories(of)),
        },
        why: None,
        tone: Tone::Plain,
    }
}

fn count(name: &str, (sum, of): (usize, usize), what: &str) -> Figure {
    figure(name, Unit::Count, (of > 0).then(|| float(sum)), of, what)
}

fn models_figure(rows: &[Row]) -> Figure {
    let known = rows.iter().filter_map(|row| row.models_usd);
    let of = known.clone().count();
    let usd = known.fold(Usd::ZERO, Usd::saturating_add);
    let unpriced: u64 = rows.iter().filter_map(|row| row.models_unpriced).sum();
    let mut figure = figure(
        "models",
        Unit::Dollars,
        (of > 0).then(|| dollars(usd)),
        of,
        "with calls",
    );
    if unpriced > 0 {
        let unpriced = usize::try_from(unpriced).unwrap_or(usize::MAX);
        figure
            .remark
            .push_str(&format!("; {} without a price", times(unpriced, "call")));
    }
    figure
}

fn minutes_figure(rows: &[Row]) -> Figure {
    let known: Vec<f64> = rows.iter().filter_map(|row| row.minutes_skipped).collect();
    let sum = (!known.is_empty()).then(|| known.iter().sum());
    figure(
        "minutes that plans skipped",
        Unit::Minutes,
        sum,
        known.len(),
        "with plans",
    )
}
