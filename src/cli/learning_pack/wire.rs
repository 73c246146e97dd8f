//! What the command says on a terminal, in a step's summary, and to programs.

use std::io::{self, Write};

use crate::output::{Cell, Column, Inline, Page, Report, Tone};
use crate::report::organisation::{Organisation, Row, in_order, repositories, said};
use crate::report::pack::{Answer, Pack, Proposal, Section, Tone as Feeling};
use crate::report::words::{Piece, Words};

/// What came of the issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IssueStep {
    Opened,
    Updated,
    Kept,
}

/// The issue of the week.
#[derive(Debug)]
pub(super) struct IssueRow {
    pub(super) title: String,
    pub(super) step: IssueStep,
    pub(super) url: Option<String>,
    /// Issues of earlier weeks that are closed.
    pub(super) closed: u64,
}

/// What is told beside a page: what was written, and where.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) dry_run: bool,
    pub(super) files: Vec<String>,
    pub(super) issue: Option<IssueRow>,
}

/// What is told of a page.
#[derive(Debug)]
pub(super) struct Told<'p> {
    pub(super) pack: &'p Pack,
    pub(super) around: Around,
}

/// What is told of the page of many repositories.
#[derive(Debug)]
pub(super) struct ToldOfMany<'p> {
    pub(super) all: &'p Organisation,
    pub(super) around: Around,
}

/// Says words of our own, what others wrote as code; what stands between backticks is code too.
fn inlines(words: &Words, to: &mut Vec<Inline>) {
    for piece in &words.0 {
        match piece {
            Piece::Plain(own) => to.extend(own.split('`').enumerate().map(|(place, part)| {
                if place.is_multiple_of(2) {
                    Inline::Plain(part.to_owned())
                } else {
                    Inline::Code(part.to_owned())
                }
            })),
            Piece::Foreign(text) | Piece::Page(text, _) | Piece::Link(text, _) => {
                to.push(Inline::Code(text.clone()));
            }
        }
    }
}

fn line(page: &mut Page, before: impl Into<String>, words: &Words) {
    let mut line = vec![Inline::Plain(before.into())];
    inlines(words, &mut line);
    page.line(line);
}

/// Says a decision: what, who, and what it costs.
fn decision(page: &mut Page, place: usize, whose: Option<&str>, proposal: &Proposal) {
    let mut words = vec![Inline::Plain(format!("{place}. "))];
    if let Some(whose) = whose {
        words.extend([Inline::Code(whose.to_owned()), Inline::Plain(": ".into())]);
    }
    inlines(&proposal.what, &mut words);
    words.push(Inline::Plain(" (".into()));
    words.push(match &proposal.owner {
        Some(owner) => Inline::Code(owner.clone()),
        None => Inline::Plain("nobody named".into()),
    });
    words.push(Inline::Plain(")".into()));
    page.line(words);
    line(page, "   cost: ", &proposal.cost);
    line(page, "   cause: ", &proposal.cause);
}

fn changes(page: &mut Page, answer: &Answer) {
    for (word, changes) in [("Better", &answer.better), ("Worse", &answer.worse)] {
        for change in changes {
            page.text(format!("{word}: {}, n={}", change.words, change.n));
        }
    }
}

/// Shows figures as a table, and below it why others have no value.
fn figures(page: &mut Page, section: &Section) {
    let rows = section.tiles().map(|figure| {
        let tone = match figure.tone {
            Feeling::Plain => Tone::Plain,
            Feeling::Good => Tone::Good,
            Feeling::Bad => Tone::Bad,
        };
        vec![
            Cell::plain(&figure.shown),
            Cell::plain(figure.n.map(|n| n.to_string()).unwrap_or_default()),
            Cell::toned(&figure.remark, tone),
            Cell::plain(&figure.name),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if !rows.is_empty() {
        let head = vec![
            Column::right("Value"),
            Column::right("n"),
            Column::left("Verdict"),
            Column::left("Name"),
        ];
        page.table(head, rows);
    }
    for (why, names) in section.reasons() {
        line(
            page,
            format!("No value: {names}: "),
            &Words::plain(format!("{why}.")),
        );
    }
}

fn notes(page: &mut Page, notes: &[Words]) {
    for note in notes {
        line(page, "Note: ", note);
    }
}

impl Around {
    fn page(&self, page: &mut Page) {
        let would = if self.dry_run {
            "Would write"
        } else {
            "Written"
        };
        for file in &self.files {
            page.line(vec![
                Inline::Plain(format!("{would}: ")),
                Inline::Code(file.clone()),
            ]);
        }
        if let Some(issue) = &self.issue {
            let verb = match (issue.step, self.dry_run) {
                (IssueStep::Opened, true) => "would be opened",
                (IssueStep::Opened, false) => "opened",
                (IssueStep::Updated, true) => "would be changed",
                (IssueStep::Updated, false) => "changed",
                (IssueStep::Kept, _) => "says that already",
            };
            let url = issue
                .url
                .as_ref()
                .map(|url| format!(" ({url})"))
                .unwrap_or_default();
            page.line(vec![
                Inline::Plain("Issue ".into()),
                Inline::Code(issue.title.clone()),
                Inline::Plain(format!(
                    " {verb}{url}; of earlier weeks closed: {}",
                    issue.closed
                )),
            ]);
        }
    }

    fn outputs(&self, week: &str) -> Vec<(String, String)> {
        let ending = |ending: &str| {
            self.files
                .iter()
                .find(|file| file.ends_with(ending))
                .cloned()
        };
        let mut outputs = vec![("week".to_owned(), week.to_owned())];
        for (name, found) in [
            ("markdown", ending(".md")),
            ("html", ending(".html")),
            ("json", ending(".json")),
        ] {
            outputs.extend(found.map(|file| (name.to_owned(), file)));
        }
        outputs.extend(
            self.issue
                .as_ref()
                .and_then(|issue| Some(("issue_url".to_owned(), issue.url.clone()?))),
        );
        outputs
    }
}

impl Report for Told<'_> {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self.pack)?)
    }

    fn page(&self) -> Page {
        let pack = self.pack;
        let mut page = Page::default();
        page.heading(format!("Week {} \u{b7} {}", pack.week, pack.days));
        page.line(vec![
            Inline::Code(pack.repository.clone()),
            Inline::Plain(format!(": {}", pack.answer.words)),
        ]);
        changes(&mut page, &pack.answer);
        page.heading("Decide");
        if pack.decisions.is_empty() {
            page.text("Nothing asks for a decision.");
        }
        for (place, proposal) in (1..).zip(&pack.decisions) {
            decision(&mut page, place, None, proposal);
        }
        page.heading("Last week's decisions");
        page.text(pack.last_week.words.as_str());
        for outcome in &pack.last_week.decisions {
            page.line(vec![
                Inline::Plain(format!("{}: ", outcome.state)),
                Inline::Code(outcome.what.text()),
                Inline::Plain(format!(": {}", outcome.effect)),
            ]);
        }
        let mut sections = pack.sections.iter();
        if let Some(section) = sections.find(|section| section.id == "kpi") {
            page.heading("Indicators");
            line(&mut page, "", &section.words);
            figures(&mut page, section);
        }
        page.heading("Page");
        notes(&mut page, &pack.notes);
        self.around.page(&mut page);
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        self.around.outputs(&self.pack.week)
    }
}

impl Report for ToldOfMany<'_> {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self.all)?)
    }

    fn page(&self) -> Page {
        let all = self.all;
        let mut page = Page::default();
        page.heading(format!("Week {} \u{b7} {}", all.week, all.days));
        page.text(format!(
            "{}: {}",
            repositories(all.repositories.len()),
            all.words
        ));
        changes(&mut page, &all.answer);
        page.heading("Decide");
        if all.decisions.is_empty() {
            page.text("Nothing asks for a decision.");
        }
        for (place, one) in (1..).zip(&all.decisions) {
            decision(&mut page, place, Some(&one.repository), &one.proposal);
        }
        page.heading("Last week's decisions");
        page.text(all.last_week.words.as_str());
        page.heading("Repositories");
        line(&mut page, "", &all.total.words);
        page.table(
            columns(),
            in_order(&all.repositories).into_iter().map(cells).collect(),
        );
        for row in &all.repositories {
            if let Some(problem) = &row.problem {
                page.line(vec![
                    Inline::Plain(format!("Left out, line {}: ", row.line)),
                    Inline::Code(problem.clone()),
                ]);
            }
        }
        page.heading("Delivery of all");
        line(&mut page, "", &all.delivery.words);
        figures(&mut page, &all.delivery);
        page.heading("Page");
        notes(&mut page, &all.notes);
        self.around.page(&mut page);
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        self.around.outputs(&self.all.week)
    }
}

fn columns() -> Vec<Column> {
    let head = [
        "Missed", "CI, p95", "Models", "Flaky", "Overdue", "Skipped", "Escapes", "Done",
    ];
    let head = head.map(Column::right).into_iter();
    head.chain(["Week", "Repository"].map(Column::left))
        .collect()
}

fn cells(row: &Row) -> Vec<Cell> {
    let mut cells: Vec<Cell> = row.numbers().into_iter().map(Cell::plain).collect();
    cells.push(Cell::toned(
        said(row),
        match row.answer {
            Some("better") => Tone::Good,
            Some("worse") => Tone::Bad,
            _ => Tone::Plain,
        },
    ));
    cells.push(Cell::code(&row.name));
    cells
}
