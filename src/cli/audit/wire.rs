//! What the command says on a terminal, in Markdown, to programs, and on the page.

use std::io::{self, Write};

use crate::audit::document::Audit;
use crate::audit::sections::{all, scope};
use crate::output::{Cell, Column, Inline, Page, Report};
use crate::report::markdown::interval;
use crate::report::pack::{Figure, Section};
use crate::report::sheet::{self, Sheet};
use crate::report::words::{Piece, Words};

/// No table has more rows on a terminal.
const MOST_ROWS: usize = 5;

/// What is told of an audit.
pub(super) struct Told<'a> {
    audit: &'a Audit,
    sections: Vec<Section>,
    /// The file of the page.
    pub(super) page: Option<String>,
}

impl<'a> Told<'a> {
    pub(super) fn new(audit: &'a Audit) -> Self {
        Self {
            audit,
            sections: all(audit),
            page: None,
        }
    }

    /// Writes the page to share.
    pub(super) fn html(&self) -> String {
        let audit = self.audit;
        let days = format!("{} days", audit.days);
        let notes: Vec<Words> = audit
            .missing
            .iter()
            .map(|missing| {
                let words = Words::plain(format!("Not known: {}: ", missing.what));
                let words = words.quote(&*missing.why).say(". To know it: ");
                words.quote(&*missing.how)
            })
            .collect();
        sheet::page(&Sheet {
            kind: "Audit",
            days: &days,
            title: &audit.repository,
            answer: &scope(audit),
            notes: &notes,
            sections: &self.sections,
            footer: &format!(
                "Measured by maestro audit at {} (UTC), at commit {}. Requests to GitHub: {} of {}. Estimates have their 95 % interval beside them.",
                audit.until, audit.head, audit.calls.sent, audit.calls.most
            ),
        })
    }

    fn figures(&self, page: &mut Page) {
        let row = |figure: &Figure| {
            let mut value = figure.shown.clone();
            if let Some(interval) = interval(figure) {
                value.push_str(&format!(" ({interval})"));
            }
            let mut stands = figure.remark.clone();
            if let Some(n) = figure.n {
                stands = format!("n={n}");
            }
            vec![
                Cell::plain(&figure.name),
                Cell::plain(value),
                Cell::plain(stands),
            ]
        };
        let figures = self.sections.iter().flat_map(|section| &section.figures);
        let head = vec![
            Column::left("What"),
            Column::left("Measured"),
            Column::left("Stands on"),
        ];
        page.table(head, figures.map(row).collect());
    }

    /// Shows failures that plans would have missed, and what the policy would have stopped.
    fn lists(&self, page: &mut Page) {
        let escapes = self.audit.escapes.iter();
        let escapes = escapes.flat_map(|found| {
            let known = found.list.iter().map(|one| ("would have been missed", one));
            known.chain(found.unknown.iter().map(|one| ("nobody can tell", one)))
        });
        let escapes: Vec<_> = escapes.collect();
        for (what, one) in escapes.iter().take(MOST_ROWS) {
            let later = if one.passed_later {
                ", passed later"
            } else {
                ""
            };
            page.line(vec![
                Inline::Plain(format!("Failed ({what}{later}): ")),
                Inline::Code(format!("{} / {}", one.workflow, one.job)),
                Inline::Plain(format!(" at {}", crate::change::base::short(&one.commit))),
            ]);
        }
        let stopped = &self.audit.policy.list;
        for one in stopped.iter().take(MOST_ROWS) {
            page.line(vec![
                Inline::Plain(format!("Policy, {}: {} in ", one.outcome, one.entry)),
                Inline::Code(one.place.clone()),
                Inline::Plain(format!(" at {}", crate::change::base::short(&one.commit))),
            ]);
        }
        let left =
            escapes.len().saturating_sub(MOST_ROWS) + stopped.len().saturating_sub(MOST_ROWS);
        if left > 0 {
            page.text(format!("{left} more are in --format json and on the page."));
        }
    }
}

fn inline(piece: &Piece) -> Inline {
    match piece {
        Piece::Plain(text) => Inline::Plain(text.clone()),
        Piece::Foreign(text) | Piece::Page(text, _) | Piece::Link(text, _) => {
            Inline::Code(text.clone())
        }
    }
}

impl Report for Told<'_> {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self.audit)?)
    }

    fn page(&self) -> Page {
        let audit = self.audit;
        let mut page = Page::default();
        page.heading(format!("Audit of the last {} days", audit.days));
        page.line(vec![
            Inline::Code(audit.repository.clone()),
            Inline::Plain(format!(", {}", scope(audit))),
        ]);
        if let Some(section) = self.sections.first() {
            page.line(section.words.0.iter().map(inline).collect());
        }
        self.figures(&mut page);
        self.lists(&mut page);
        let rows = audit.next.iter().map(|next| {
            vec![
                Cell::plain(next.capability),
                Cell::plain(&next.words),
                Cell::code(next.command),
            ]
        });
        let head = vec![
            Column::left("Capability"),
            Column::left("Measured here"),
            Column::left("Next"),
        ];
        page.table(head, rows.collect());
        for missing in &audit.missing {
            page.line(vec![
                Inline::Plain(format!("Not known: {}: ", missing.what)),
                Inline::Code(missing.why.clone()),
                Inline::Plain(". To know it: ".to_owned()),
                Inline::Code(missing.how.clone()),
            ]);
        }
        if let Some(file) = &self.page {
            page.line(vec![
                Inline::Plain("Written: ".to_owned()),
                Inline::Code(file.clone()),
            ]);
        }
        page
    }

    fn outputs(&self) -> Vec<(String, String)> {
        let skipped = (
            "skipped_job_runs".to_owned(),
            self.audit.plan.skipped.to_string(),
        );
        let minutes = self.audit.minutes.as_ref().map(|found| {
            (
                "skipped_minutes".to_owned(),
                format!("{:.0}", found.skipped.value),
            )
        });
        let page = self.page.clone().map(|file| ("page".to_owned(), file));
        std::iter::once(skipped)
            .chain(minutes)
            .chain(page)
            .collect()
    }
}
