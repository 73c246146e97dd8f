//! `maestro dora space`: a team in several dimensions, and never a person.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::question::{AskArgs, Question};
use super::{calendar, gather, repositories, words};
use crate::cli::session::Session;
use crate::delivery::pool::measure;
use crate::delivery::quantiles::LEAST;
use crate::delivery::space::{DIMENSIONS, Dimension, Figure, PEOPLE, Silence, Space, space};
use crate::error::CommandResult;
use crate::output::{Cell, Column, Page, Report, json_line};

/// Say how a team works, in at least three dimensions of SPACE
///
/// SPACE (Forsgren and others, ACM Queue 19:1, 2021) holds that no single number is productivity. Here stands what rows can tell of a team of five or
/// more people: performance, activity, communication and efficiency. Nothing is said of fewer people, in fewer than three dimensions, or of
/// satisfaction, which only the people themselves know. `--team` narrows it to a team's label; nobody can be singled out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The last 90 days of everybody; git alone tells nobody apart, and says so
    $ maestro dora space --source git

  A team's last half year, for a program
    $ maestro dora space --offline --team payments --since 180d --format json")]
pub(super) struct SpaceArgs {
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(session: &mut Session<'_>, args: &SpaceArgs) -> CommandResult {
    let question = Question::new(session, &args.ask)?;
    let found = gather::gather(session, &args.ask, &question, false)?;
    let calendar = calendar(&question, &found.pool);
    let ask = question.ask(calendar.as_ref());
    let metrics = measure(&found.pool, &ask).metrics;
    let space = space(&found.pool, &ask, &metrics);
    let document = DoraSpaceDocument::new(&space, &ask, found.notes.clone());
    session.render(&document)?;
    repositories::verdict(session, &args.ask, &found)
}

/// What is said of a team.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.dora-space/v1"))]
pub(crate) struct DoraSpaceDocument {
    /// `maestro.dora-space/v1`
    schema: &'static str,
    since: String,
    until: String,
    team: Option<String>,
    /// How many people wrote changes; nothing where they are fewer than five.
    people: Option<usize>,
    /// Why nothing is said.
    silent: Option<String>,
    measures: Vec<MeasureRow>,
    notes: Vec<String>,
}

/// One measure.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct MeasureRow {
    /// As the paper calls it.
    dimension: &'static str,
    name: &'static str,
    /// `share` (0 to 1), `seconds` (a median) or `per_week`.
    unit: &'static str,
    /// Nothing where there is not enough data.
    value: Option<f64>,
    /// The 95 % interval.
    low: Option<f64>,
    high: Option<f64>,
    n: usize,
}

fn row(dimension: Dimension, name: &'static str, figure: &Figure) -> MeasureRow {
    let (unit, value, interval, n) = match figure {
        Figure::Share(share) => ("share", share.rate, share.interval, share.of),
        Figure::Spread(spread) => {
            let median = spread.median;
            let interval = median.and_then(|median| median.interval);
            (
                "seconds",
                median.map(|median| median.value),
                interval,
                spread.n,
            )
        }
        Figure::Rate { n, a_week } => ("per_week", *a_week, None, *n),
    };
    MeasureRow {
        dimension: dimension.word(),
        name,
        unit,
        value,
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        n,
    }
}

impl DoraSpaceDocument {
    fn new(space: &Space, ask: &crate::delivery::ask::Ask<'_>, notes: Vec<String>) -> Self {
        let silent = space.said.as_ref().err().map(|why| match why {
            Silence::Nameless => "rows do not tell people apart: those of git never do, and those of GitHub when they were read without a key".to_owned(),
            Silence::FewPeople => format!("fewer than {PEOPLE} people wrote changes in that time; of so few nothing is said"),
            Silence::FewDimensions(count) => format!("{count} of the dimensions can be measured, and fewer than {DIMENSIONS} say nothing"),
        });
        let measures = space.said.as_ref().map_or(&[][..], Vec::as_slice).iter();
        let measures = measures.map(|one| row(one.dimension, one.name, &one.figure));
        Self {
            schema: "maestro.dora-space/v1",
            since: ask.window.since.to_string(),
            until: ask.window.until.to_string(),
            team: ask.team.map(str::to_owned),
            people: space.people,
            silent,
            measures: measures.collect(),
            notes,
        }
    }
}

impl MeasureRow {
    fn words(&self, value: f64) -> String {
        match self.unit {
            "share" => words::percent(value),
            "seconds" => words::duration(value),
            _ => format!("{value:.1} a week"),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let value = self.value.map(|value| self.words(value));
        let interval = self.low.zip(self.high);
        let interval =
            interval.map(|(low, high)| format!("{} – {}", self.words(low), self.words(high)));
        vec![
            Cell::plain(self.dimension),
            Cell::plain(self.name),
            Cell::plain(value.unwrap_or_else(|| words::few(self.n, LEAST))),
            Cell::plain(interval.unwrap_or_default()),
            Cell::plain(self.n.to_string()),
        ]
    }
}

impl Report for DoraSpaceDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        json_line(out, self)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
        let team = self.team.as_deref().unwrap_or("everybody");
        page.heading(format!(
            "SPACE of {team}, {} to {}",
            day(&self.since),
            day(&self.until)
        ));
        if let Some(people) = self.people {
            page.text(format!("{people} people wrote changes."));
        }
        for note in &self.notes {
            page.text(format!("Note: {note}."));
        }
        if let Some(why) = &self.silent {
            page.text(format!("Nothing is said: {why}."));
            return page;
        }
        let head = vec![
            Column::left("Dimension"),
            Column::left("Measure"),
            Column::right("Value"),
            Column::right("95 %"),
            Column::right("n"),
        ];
        page.table(head, self.measures.iter().map(MeasureRow::cells).collect());
        let name = Dimension::Satisfaction.word();
        page.text(format!("Of {name} nothing is known here: ask the people. These are a team's figures, to be compared with its own past."));
        page
    }
}
