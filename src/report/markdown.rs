//! The page as Markdown for GitHub: tables, mermaid charts, and blocks for those who read it elsewhere. Foreign text stands in code spans.

use super::chart::{mermaid, sparkline};
use super::pack::{Answer, Chart, Figure, Outcome, Pack, Proposal, Section, Table, Tone};
use super::words::{Piece, Words, difference, shown};
use crate::forge::body;
use crate::inert;

/// Writes the whole page.
pub(crate) fn page(pack: &Pack) -> String {
    join(parts(pack))
}

/// Puts parts together.
pub(super) fn join(parts: Vec<body::Section>) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part.text.trim_end());
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Writes the page as parts, of which those with the lowest priority may be left out where it does not fit.
pub(crate) fn parts(pack: &Pack) -> Vec<body::Section> {
    let mut parts = vec![part("the answer", 9, top(pack))];
    for section in &pack.sections {
        parts.push(part(section.title, 5, section_text(section)));
    }
    parts.push(part("the backlog", 4, backlog(pack)));
    parts.push(part("the evidence", 1, evidence(pack)));
    parts
}

pub(super) fn part(title: &str, priority: u8, text: String) -> body::Section {
    body::Section {
        title: title.to_owned(),
        text,
        priority,
    }
}

fn top(pack: &Pack) -> String {
    let mut text = head(
        &pack.week,
        &pack.days,
        &inert::code(&pack.repository, false),
        &pack.answer.words,
    );
    text.push_str(&changes(&pack.answer));
    text.push_str(&notes(&pack.notes));
    text.push_str("\n## Decide\n\n");
    if pack.decisions.is_empty() {
        text.push_str("Nothing asks for a decision.\n");
    }
    for (place, proposal) in (1..).zip(&pack.decisions) {
        text.push_str(&decision(place, proposal));
    }
    text.push_str(&format!(
        "\n## Last week's decisions\n\n{}\n",
        own(&pack.last_week.words)
    ));
    if !pack.last_week.decisions.is_empty() {
        text.push('\n');
    }
    for outcome in &pack.last_week.decisions {
        text.push_str(&outcome_line(outcome));
    }
    text
}

/// Writes what a page begins with.
pub(super) fn head(week: &str, days: &str, subject: &str, answer: &str) -> String {
    let number = week.split_once("-W").map_or("", |(_, number)| number);
    format!(
        "# Week {} \u{b7} {subject}\n\n{}: **{}**\n",
        number.trim_start_matches('0'),
        own(days),
        own(answer)
    )
}

pub(super) fn changes(answer: &Answer) -> String {
    let mut text = String::new();
    for (mark, changes) in [
        ("\u{25b2} Better", &answer.better),
        ("\u{25bc} Worse", &answer.worse),
    ] {
        for change in changes {
            let gap = if text.is_empty() { "\n" } else { "" };
            text.push_str(&format!(
                "{gap}- **{mark}**: [{}](#evidence-{})\n",
                own(&change.words),
                change.section
            ));
        }
    }
    text
}

pub(super) fn notes(notes: &[Words]) -> String {
    let note = |note: &Words| format!("\n> {}\n", words(note, false));
    notes.iter().map(note).collect()
}

fn decision(place: u32, proposal: &Proposal) -> String {
    format!(
        "{place}. **{}** ({}). Cost: [{}](#evidence-{}). Cause: {}. Expected: {}. `{}` \u{b7} {}\n",
        words(&proposal.what, false),
        owner(proposal),
        words(&proposal.cost, false),
        proposal.section,
        words(&proposal.cause, false),
        words(&proposal.gain, false),
        proposal.id,
        inert::code(&proposal.command, false),
    )
}

pub(super) fn owner(proposal: &Proposal) -> String {
    match &proposal.owner {
        Some(owner) => inert::code(owner, false),
        None => "nobody named".to_owned(),
    }
}

fn outcome_line(outcome: &Outcome) -> String {
    let mark = match outcome.state {
        "done" => "\u{2713} done",
        "open" => "\u{25cb} open",
        _ => "? unknown",
    };
    format!(
        "- {mark}: {}: [{}](#evidence-{})\n",
        words(&outcome.what, false),
        own(&outcome.effect),
        outcome.section
    )
}

pub(super) fn section_text(section: &Section) -> String {
    let mut text = format!(
        "## {}\n\n{}\n",
        own(section.title),
        words(&section.words, false)
    );
    if section.is_unknown {
        return text;
    }
    if section.tiles().next().is_some() {
        text.push_str("\n| | | Week before | n | |\n| --- | ---: | ---: | ---: | --- |\n");
        for figure in section.tiles() {
            text.push_str(&figure_row(figure, section.id));
        }
    }
    for (place, (why, names)) in section.reasons().into_iter().enumerate() {
        let gap = if place == 0 { "\n" } else { "" };
        text.push_str(&format!(
            "{gap}- {}: {}\n",
            own(&names),
            own(&sentence(why))
        ));
    }
    for (place, chart) in section.charts.iter().enumerate() {
        text.push_str(&format!(
            "\n{}: `{}`\n",
            own(&chart.title),
            sparkline(chart)
        ));
        if place == 0
            && let Some(drawn) = mermaid(chart)
        {
            text.push_str(&format!("\n{drawn}"));
        }
    }
    for table in &section.tables {
        text.push_str(&table_text(table));
    }
    text
}

fn figure_row(figure: &Figure, section: &str) -> String {
    let mark = match figure.tone {
        Tone::Plain => "",
        Tone::Good => "\u{2713} ",
        Tone::Bad => "\u{2717} ",
    };
    let before = before(figure).unwrap_or_default();
    format!(
        "| {} | [{}](#evidence-{section}) | {} | {} | {mark}{} |\n",
        own(&figure.name),
        own(&value(figure)),
        own(&before),
        figure.n.map_or_else(String::new, |n| n.to_string()),
        own(&figure.remark),
    )
}

/// Makes a sentence of a reason.
pub(super) fn sentence(why: &str) -> String {
    format!("{why}.")
}

/// Says what a figure was the week before, and by how much it changed.
pub(super) fn before(figure: &Figure) -> Option<String> {
    let before = figure.before?;
    let was = shown(before, figure.unit);
    Some(match figure.value {
        Some(now) if now.total_cmp(&before).is_ne() => {
            format!("{was} ({})", difference(now - before, figure.unit))
        }
        _ => was,
    })
}

/// Says a figure with its interval.
fn value(figure: &Figure) -> String {
    match interval(figure) {
        Some(interval) => format!("{} ({interval})", figure.shown),
        None => figure.shown.clone(),
    }
}

/// Says where a value lies with 95 %: the unit stands once where it is the same.
pub(crate) fn interval(figure: &Figure) -> Option<String> {
    let (low, high) = figure.interval.filter(|_| figure.value.is_some())?;
    let (low, high) = (shown(low, figure.unit), shown(high, figure.unit));
    let unit = |text: &str| text.split_once(' ').map(|(_, unit)| unit.to_owned());
    Some(match (low.split_once(' '), unit(&high)) {
        (Some((number, own)), Some(other)) if own == other => format!("{number}\u{2013}{high}"),
        _ => format!("{low}\u{2013}{high}"),
    })
}

pub(super) fn table_text(table: &Table) -> String {
    let mut text = format!("\n**{}**\n\n|", own(&table.title));
    for column in &table.columns {
        text.push_str(&format!(" {} |", own(column.title)));
    }
    text.push_str("\n|");
    for column in &table.columns {
        text.push_str(if column.is_number {
            " ---: |"
        } else {
            " --- |"
        });
    }
    text.push('\n');
    for row in &table.rows {
        text.push('|');
        for cell in row {
            text.push_str(&format!(" {} |", words(cell, true)));
        }
        text.push('\n');
    }
    if table.more > 0 {
        text.push_str(&format!("\nand {} more\n", table.more));
    }
    text
}

fn backlog(pack: &Pack) -> String {
    let mut text = "## Backlog\n\n".to_owned();
    if pack.backlog.is_empty() {
        text.push_str(
            "Nothing is proposed. An item goes when what it is about is not found any more.\n",
        );
        return text;
    }
    text.push_str("An item goes when what it is about is not found any more.\n\n| What | Cause | Owner | Cost in the week | Expected gain | Id |\n| --- | --- | --- | --- | --- | --- |\n");
    for proposal in &pack.backlog {
        text.push_str(&format!(
            "| {} | {} | {} | [{}](#evidence-{}) | {} | `{}` |\n",
            words(&proposal.what, true),
            words(&proposal.cause, true),
            match &proposal.owner {
                Some(owner) => inert::code(owner, true),
                None => "nobody named".to_owned(),
            },
            words(&proposal.cost, true),
            proposal.section,
            words(&proposal.gain, true),
            proposal.id,
        ));
    }
    text
}

/// What the evidence begins with.
pub(super) const EVIDENCE: &str = "## Evidence\n\nThe commands that say where each number is from, and the values of every chart.\n";

fn evidence(pack: &Pack) -> String {
    let of = pack.sections.iter().map(evidence_of);
    EVIDENCE.to_owned() + &of.collect::<String>()
}

/// Says what a section stands on.
pub(super) fn evidence_of(section: &Section) -> String {
    let mut text = format!("\n### Evidence: {}\n\n", section.id);
    if section.is_unknown {
        text.push_str(&format!("{}\n", words(&section.words, false)));
        return text;
    }
    for command in &section.commands {
        text.push_str(&format!("- {}\n", inert::code(command, false)));
    }
    for chart in &section.charts {
        text.push_str(&chart_rows(chart));
    }
    text
}

fn chart_rows(chart: &Chart) -> String {
    let mut text = format!("\n{}:", own(&chart.title));
    for (place, point) in chart.points.iter().enumerate() {
        let value = point.said(chart.unit);
        let comma = if place == 0 { "" } else { "," };
        text.push_str(&format!(
            "{comma} {} {}",
            inert::code(&point.label, false),
            own(&value)
        ));
    }
    text.push_str(".\n");
    text
}

/// Writes our own words, what Markdown reads in them escaped; what stands between backticks is code.
pub(super) fn own(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let has_code = text.matches('`').count().is_multiple_of(2);
    let mut is_code = false;
    for c in text.chars() {
        is_code ^= c == '`' && has_code;
        match c {
            '\n' | '\r' => escaped.push(' '),
            c if is_code => escaped.push(c),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' if c != '`' || !has_code => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

pub(super) fn words(words: &Words, in_table: bool) -> String {
    let mut text = String::new();
    for piece in &words.0 {
        match piece {
            Piece::Plain(own_words) => text.push_str(&own(own_words)),
            Piece::Foreign(foreign) => text.push_str(&inert::code(foreign, in_table)),
            Piece::Page(name, stem) => {
                text.push_str(&format!("[{}]({stem}.md)", inert::code(name, in_table)));
            }
            Piece::Link(foreign, address) => {
                text.push_str(&format!(
                    "[{}]({})",
                    inert::prose(foreign),
                    address_text(address)
                ));
            }
        }
    }
    text
}

/// Writes an address so that it ends nothing early.
pub(super) fn address_text(address: &str) -> String {
    let mut safe = String::with_capacity(address.len());
    for byte in address.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b':'
            | b'/'
            | b'?'
            | b'#'
            | b'@'
            | b'%'
            | b'&'
            | b'='
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'+' => safe.push(char::from(byte)),
            other => safe.push_str(&format!("%{other:02X}")),
        }
    }
    safe
}
