//! The page of many repositories as Markdown: a file beside the pages of each, or an issue, where no page lies beside it.

use super::rows::{table, unread};
use super::{Asked, Organisation, repositories};
use crate::forge::body;
use crate::inert;
use crate::report::markdown::{
    EVIDENCE, changes, evidence_of, head, join, notes, own, owner, part, section_text, table_text,
    words,
};
use crate::report::pack::Table;
use crate::report::words::Piece;

/// Writes the whole page.
pub(crate) fn page(all: &Organisation) -> String {
    join(parts(all, true))
}

/// Writes the page as parts, of which those with the lowest priority may be left out where it does not fit; with links to pages that lie beside it, or
/// without.
pub(crate) fn parts(all: &Organisation, has_pages: bool) -> Vec<body::Section> {
    let mut rows = table(&all.repositories);
    if !has_pages {
        without_links(&mut rows);
    }
    let mut total = section_text(&all.total);
    total.push_str(&table_text(&rows));
    if let Some(unread) = unread(&all.repositories) {
        total.push_str(&table_text(&unread));
    }
    let evidence = evidence_of(&all.total) + &evidence_of(&all.delivery);
    vec![
        part("the answer", 9, top(all, has_pages)),
        part("the repositories", 7, total),
        part("how all of them deliver", 5, section_text(&all.delivery)),
        part("the evidence", 1, EVIDENCE.to_owned() + &evidence),
    ]
}

fn top(all: &Organisation, has_pages: bool) -> String {
    let subject = own(&repositories(all.repositories.len()));
    let mut text = head(&all.week, &all.days, &subject, &all.words);
    text.push_str(&changes(&all.answer));
    text.push_str(&notes(&all.notes));
    text.push_str("\n## Decide\n\n");
    if all.decisions.is_empty() {
        text.push_str("Nothing asks for a decision.\n");
    }
    for (place, one) in (1..).zip(&all.decisions) {
        text.push_str(&decision(place, one, has_pages));
    }
    text.push_str(&format!(
        "\n## Last week's decisions\n\n{}\n",
        own(&all.last_week.words)
    ));
    text
}

fn decision(place: u32, one: &Asked, has_pages: bool) -> String {
    let proposal = &one.proposal;
    let (name, cost) = (
        inert::code(&one.repository, false),
        words(&proposal.cost, false),
    );
    let linked = |text: String, anchor: &str| {
        if has_pages {
            format!("[{text}]({}.md{anchor})", one.page)
        } else {
            text
        }
    };
    format!(
        "{place}. {}: **{}** ({}). Cost: {}. Cause: {}. Expected: {}. `{}`\n",
        linked(name, ""),
        words(&proposal.what, false),
        owner(proposal),
        linked(cost, &format!("#evidence-{}", proposal.section)),
        words(&proposal.cause, false),
        words(&proposal.gain, false),
        proposal.id,
    )
}

/// Leaves names without the pages that they lead to.
fn without_links(table: &mut Table) {
    let pieces = table.rows.iter_mut().flatten().flat_map(|cell| &mut cell.0);
    for piece in pieces {
        if let Piece::Page(name, _) = piece {
            *piece = Piece::Foreign(std::mem::take(name));
        }
    }
}
