//! What the command says on a terminal, in a step's summary, and to programs.

use std::io::{self, Write};

use crate::output::{Cell, Column, Inline, Page, Report, Tone};
use crate::report::pack::{Pack, Proposal, Tone as Feeling};

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

/// What is told of a page.
#[derive(Debug)]
pub(super) struct Told<'p> {
    pack: &'p Pack,
    dry_run: bool,
    pub(super) files: Vec<String>,
    pub(super) issue: Option<IssueRow>,
}

impl<'p> Told<'p> {
    pub(super) fn new(pack: &'p Pack, dry_run: bool) -> Self {
        Self {
            pack,
            dry_run,
            files: Vec::new(),
            issue: None,
        }
    }

    fn decisions(&self, page: &mut Page) {
        let pack = self.pack;
        if pack.decisions.is_empty() {
            page.text("Nothing asks for a decision.");
            return;
        }
        let row = |(place, proposal): (usize, &Proposal)| {
            vec![
                Cell::plain((place + 1).to_string()),
                Cell::code(proposal.what.text()),
                Cell::code(
                    proposal
                        .owner
                        .clone()
                        .unwrap_or_else(|| "nobody named".to_owned()),
                ),
                Cell::code(proposal.cost.text()),
            ]
        };
        let head = vec![
            Column::right("Decide"),
            Column::left("What"),
            Column::left("Owner"),
            Column::left("Cost in the week"),
        ];
        page.table(head, pack.decisions.iter().enumerate().map(row).collect());
    }

    fn indicators(&self, page: &mut Page) {
        let section = self
            .pack
            .sections
            .iter()
            .find(|section| section.id == "kpi");
        let Some(section) = section else { return };
        page.text(format!("Indicators: {}", section.words.text()));
        let rows = section.figures.iter().map(|figure| {
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
        let head = vec![
            Column::right("Value"),
            Column::right("n"),
            Column::left("Verdict"),
            Column::left("Indicator"),
        ];
        page.table(head, rows.collect());
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
        for (word, changes) in [
            ("Better", &pack.answer.better),
            ("Worse", &pack.answer.worse),
        ] {
            for change in changes {
                page.text(format!("{word}: {}, n={}", change.words, change.n));
            }
        }
        self.decisions(&mut page);
        page.text(format!("Last week's decisions: {}", pack.last_week.words));
        for outcome in &pack.last_week.decisions {
            page.line(vec![
                Inline::Plain(format!("{}: ", outcome.state)),
                Inline::Code(outcome.what.text()),
                Inline::Plain(format!(": {}", outcome.effect)),
            ]);
        }
        self.indicators(&mut page);
        for note in &pack.notes {
            page.line(vec![
                Inline::Plain("Note: ".into()),
                Inline::Code(note.text()),
            ]);
        }
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
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let ending = |ending: &str| {
            self.files
                .iter()
                .find(|file| file.ends_with(ending))
                .cloned()
        };
        let mut outputs = vec![("week".to_owned(), self.pack.week.clone())];
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
