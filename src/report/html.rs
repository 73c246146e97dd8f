//! The page as one HTML file that needs nothing else: charts inside, no script, light and dark, for a phone and for paper.

use super::chart::svg;
use super::markdown::{address_text, before, interval, sentence};
use super::pack::{Answer, Chart, Figure, Outcome, Pack, Proposal, Section, Table, Tone};
use super::words::{Piece, Words, shown};
use crate::inert::html as text;

/// The page's looks.
const STYLE: &str = include_str!("page.css");

/// Writes the page.
pub(crate) fn page(pack: &Pack) -> String {
    let mut out = String::with_capacity(64 * 1024);
    head(&mut out, &pack.week, &pack.days, &pack.repository);
    out.push_str(&format!(
        "<p class=\"answer\">{}</p>\n",
        text(&pack.answer.words)
    ));
    changes(&mut out, &pack.answer);
    notes(&mut out, &pack.notes);
    out.push_str("</header>\n<main id=\"main\">\n<div class=\"first\">\n");
    decisions(&mut out, pack);
    last_week(&mut out, pack);
    out.push_str("</div>\n");
    for section in &pack.sections {
        section_html(&mut out, section);
    }
    backlog(&mut out, pack);
    evidence_head(&mut out);
    for section in &pack.sections {
        evidence(&mut out, section);
    }
    out.push_str("<h3 id=\"evidence-backlog\">Backlog</h3>\n<p>Each item\u{2019}s cost is from the section that it is about.</p>\n</section>\n");
    foot(
        &mut out,
        &pack.written,
        "Every number leads to its evidence.",
    );
    out
}

/// Begins a page; the title is markup already.
pub(super) fn begin(out: &mut String, title: &str, skip: &str) {
    out.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n");
    out.push_str(&format!(
        "<title>{title}</title>\n<style>{}</style></head>\n<body>\n<a class=\"skip\" href=\"#main\">{skip}</a>\n",
        STYLE.trim()
    ));
}

/// Begins the page of a week, up to its heading.
pub(super) fn head(out: &mut String, week: &str, days: &str, subject: &str) {
    let number = week
        .split_once("-W")
        .map_or("", |(_, number)| number)
        .trim_start_matches('0');
    let subject = text(subject);
    begin(
        out,
        &format!("Week {number} \u{b7} {subject}"),
        "Skip to the decisions",
    );
    out.push_str(&format!(
        "<header><p class=\"eyebrow\">Week {number} <span>{}</span></p><h1>{subject}</h1>\n",
        text(days)
    ));
}

/// Closes a page.
pub(super) fn foot(out: &mut String, written: &str, last: &str) {
    out.push_str(&format!(
        "</main>\n<footer><p>Written by maestro on {} (UTC) from what is stored. Weeks are those of ISO 8601, in UTC. {last}</p></footer>\n</body></html>\n",
        text(written)
    ));
}

pub(super) fn notes(out: &mut String, notes: &[Words]) {
    for note in notes {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", words(note)));
    }
}

pub(super) fn changes(out: &mut String, answer: &Answer) {
    if answer.better.is_empty() && answer.worse.is_empty() {
        return;
    }
    out.push_str("<ul class=\"changes\">\n");
    for (class, word, changes) in [
        ("good", "\u{25b2} Better", &answer.better),
        ("bad", "\u{25bc} Worse", &answer.worse),
    ] {
        for change in changes {
            out.push_str(&format!(
                "<li class=\"{class}\"><b>{word}</b> <span>{}</span> <a href=\"#evidence-{}\">{} \u{2192} {}</a> <small>n = {}</small></li>\n",
                text(&change.measure),
                change.section,
                text(&shown(change.before, change.unit)),
                text(&shown(change.now, change.unit)),
                change.n
            ));
        }
    }
    out.push_str("</ul>\n");
}

fn decisions(out: &mut String, pack: &Pack) {
    out.push_str("<section aria-labelledby=\"decide\"><h2 id=\"decide\">Decide</h2>\n");
    if pack.decisions.is_empty() {
        out.push_str("<p>Nothing asks for a decision.</p>\n");
    } else {
        out.push_str("<ol class=\"decide\">\n");
        for proposal in &pack.decisions {
            decision(out, proposal, "", "");
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
}

/// Writes a decision; `whose` stands before it, and `page` is where its evidence lies.
pub(super) fn decision(out: &mut String, proposal: &Proposal, whose: &str, page: &str) {
    out.push_str(&format!(
        "<li><p>{whose}<strong>{}</strong> <span class=\"who\">{}</span></p><dl><div><dt>Cost</dt><dd><a href=\"{page}#evidence-{}\">{}</a></dd></div><div><dt>Cause</dt><dd>{}</dd></div><div><dt>Expected</dt><dd>{}</dd></div></dl></li>\n",
        words(&proposal.what),
        owner(proposal),
        proposal.section,
        linked(&proposal.cost),
        words(&proposal.cause),
        words(&proposal.gain),
    ));
}

fn owner(proposal: &Proposal) -> String {
    proposal
        .owner
        .as_deref()
        .map_or_else(|| "nobody named".to_owned(), text)
}

fn last_week(out: &mut String, pack: &Pack) {
    out.push_str(&format!(
        "<section aria-labelledby=\"last\"><h2 id=\"last\">Last week\u{2019}s decisions</h2>\n<p>{}</p>\n",
        text(&pack.last_week.words)
    ));
    if !pack.last_week.decisions.is_empty() {
        out.push_str("<ul class=\"outcomes\">\n");
        for outcome in &pack.last_week.decisions {
            out.push_str(&outcome_html(outcome));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn outcome_html(outcome: &Outcome) -> String {
    let (class, mark) = match outcome.state {
        "done" => ("good", "\u{2713} done"),
        "open" => ("open", "\u{25cb} open"),
        _ => ("open", "? unknown"),
    };
    format!(
        "<li><b class=\"{class}\">{mark}</b> {} <a href=\"#evidence-{}\">{}</a></li>\n",
        words(&outcome.what),
        outcome.section,
        text(&outcome.effect)
    )
}

pub(super) fn section_html(out: &mut String, section: &Section) {
    out.push_str(&format!(
        "<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{}</h2>\n<p class=\"says{}\">{}</p>\n",
        text(section.title),
        if section.is_unknown { " unknown" } else { "" },
        words(&section.words),
        id = section.id,
    ));
    let is_wide = section.charts.is_empty() || section.figures.is_empty();
    out.push_str(if is_wide {
        "<div>\n"
    } else {
        "<div class=\"body\">\n"
    });
    if section.tiles().next().is_some() {
        out.push_str("<dl class=\"tiles\">\n");
        for figure in section.tiles() {
            tile(out, figure, section.id);
        }
        out.push_str("</dl>\n");
    }
    reasons(out, section);
    if !section.charts.is_empty() {
        out.push_str("<div class=\"charts\">\n");
        for chart in &section.charts {
            out.push_str(&format!(
                "<figure><figcaption><a href=\"#evidence-{}\">{}</a></figcaption>{}</figure>\n",
                section.id,
                text(&chart.title),
                svg(chart)
            ));
        }
        out.push_str("</div>\n");
    }
    out.push_str("</div>\n");
    for (place, table) in section.tables.iter().enumerate() {
        table_html(out, table, &format!("t-{}-{place}", section.id));
    }
    out.push_str("</section>\n");
}

fn reasons(out: &mut String, section: &Section) {
    let reasons = section.reasons();
    if reasons.is_empty() {
        return;
    }
    out.push_str("<dl class=\"why\">\n");
    for (why, names) in reasons {
        out.push_str(&format!(
            "<div><dt>{}</dt><dd>{}</dd></div>\n",
            text(&names),
            own(&sentence(why))
        ));
    }
    out.push_str("</dl>\n");
}

fn tile(out: &mut String, figure: &Figure, section: &str) {
    let none = if figure.value.is_some() {
        ""
    } else {
        " class=\"none\""
    };
    let (class, mark) = match figure.tone {
        Tone::Plain => ("", ""),
        Tone::Good => (" class=\"good\"", "\u{2713} "),
        Tone::Bad => (" class=\"bad\"", "\u{2717} "),
    };
    out.push_str(&format!(
        "<div{class}><dt>{}</dt><dd><a{none} href=\"#evidence-{section}\">{}</a>",
        text(&figure.name),
        text(&figure.shown)
    ));
    let mut small = Vec::new();
    small.extend(interval(figure));
    small.extend(before(figure).map(|before| format!("before: {before}")));
    small.extend(
        figure
            .n
            .filter(|_| figure.value.is_some())
            .map(|n| format!("n = {n}")),
    );
    if !figure.remark.is_empty() {
        small.push(format!("{mark}{}", figure.remark));
    }
    if !small.is_empty() {
        out.push_str(&format!("<small>{}</small>", own(&small.join(" \u{b7} "))));
    }
    out.push_str("</dd></div>\n");
}

/// Writes a table in a frame that scrolls by itself where the screen is small.
fn table_html(out: &mut String, table: &Table, id: &str) {
    out.push_str(&format!(
        "<div class=\"wide\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\"><table><caption id=\"{id}\">{}</caption><thead><tr>",
        text(&table.title)
    ));
    for column in &table.columns {
        let class = if column.is_number { " class=\"n\"" } else { "" };
        out.push_str(&format!(
            "<th scope=\"col\"{class}>{}</th>",
            text(column.title)
        ));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (place, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            let class = if column.is_number { " class=\"n\"" } else { "" };
            if place == 0 {
                out.push_str(&format!("<th scope=\"row\"{class}>{}</th>", words(cell)));
            } else {
                out.push_str(&format!("<td{class}>{}</td>", words(cell)));
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    if table.more > 0 {
        out.push_str(&format!("<p class=\"more\">and {} more</p>\n", table.more));
    }
}

fn backlog(out: &mut String, pack: &Pack) {
    out.push_str("<section id=\"backlog\" aria-labelledby=\"h-backlog\"><h2 id=\"h-backlog\">Backlog</h2>\n<p class=\"says\">What could be done, what weighs most first. An item goes when what it is about is not found any more.</p>\n");
    if pack.backlog.is_empty() {
        out.push_str("<p>Nothing is proposed.</p>\n");
    } else {
        let row = |proposal: &Proposal| {
            vec![
                proposal.what.clone(),
                proposal.cause.clone(),
                proposal
                    .owner
                    .as_ref()
                    .map_or_else(|| Words::plain("nobody named"), Words::foreign),
                proposal.cost.clone(),
                proposal.gain.clone(),
                Words::foreign(&proposal.id),
            ]
        };
        let columns = [
            "What",
            "Cause",
            "Owner",
            "Cost in the week",
            "Expected gain",
            "Id",
        ];
        let mut table = Table::new("Proposals", &columns, Vec::new());
        table.rows = pack.backlog.iter().map(row).collect();
        table_html(out, &table, "t-backlog");
    }
    out.push_str("</section>\n");
}

pub(super) fn evidence_head(out: &mut String) {
    out.push_str("<section id=\"evidence\" aria-labelledby=\"h-evidence\"><h2 id=\"h-evidence\">Evidence</h2>\n<p class=\"says\">The commands that say where each number is from, and the values of every chart.</p>\n");
}

/// Says what a section stands on.
pub(super) fn evidence(out: &mut String, section: &Section) {
    out.push_str(&format!(
        "<h3 id=\"evidence-{}\">{}</h3>\n",
        section.id,
        text(section.title)
    ));
    if section.is_unknown {
        out.push_str(&format!("<p>{}</p>\n", words(&section.words)));
        return;
    }
    out.push_str("<ul class=\"commands\">");
    for command in &section.commands {
        out.push_str(&format!("<li><code>{}</code></li>", text(command)));
    }
    out.push_str("</ul>\n");
    if !section.charts.is_empty() {
        out.push_str("<details><summary>Values of the charts</summary>\n");
        for (place, chart) in section.charts.iter().enumerate() {
            chart_rows(out, chart, &format!("e-{}-{place}", section.id));
        }
        out.push_str("</details>\n");
    }
}

fn chart_rows(out: &mut String, chart: &Chart, id: &str) {
    let row = |point: &super::pack::Point| {
        vec![
            Words::foreign(&point.label),
            Words::plain(point.said(chart.unit)),
        ]
    };
    let mut table = Table::new(chart.title.clone(), &["Week", "#Value"], Vec::new());
    table.rows = chart.points.iter().map(row).collect();
    table_html(out, &table, id);
}

pub(super) fn words(words: &Words) -> String {
    let mut out = String::new();
    for piece in &words.0 {
        match piece {
            Piece::Plain(words) => out.push_str(&own(words)),
            Piece::Page(name, stem) => {
                out.push_str(&format!(
                    "<a href=\"{}.html\">{}</a>",
                    text(stem),
                    text(name)
                ));
            }
            Piece::Foreign(foreign) => out.push_str(&format!("<code>{}</code>", text(foreign))),
            Piece::Link(foreign, address) if is_web(address) => {
                out.push_str(&format!(
                    "<a href=\"{}\">{}</a>",
                    text(&address_text(address)),
                    text(foreign)
                ));
            }
            Piece::Link(foreign, _) => out.push_str(&text(foreign)),
        }
    }
    out
}

/// Writes our own words; what stands between backticks is code.
fn own(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 16);
    if !words.matches('`').count().is_multiple_of(2) {
        return text(words);
    }
    for (place, part) in words.split('`').enumerate() {
        if place.is_multiple_of(2) {
            out.push_str(&text(part));
        } else {
            out.push_str(&format!("<code>{}</code>", text(part)));
        }
    }
    out
}

/// Writes words inside of a link, where no other link may be.
fn linked(words: &Words) -> String {
    text(&words.text())
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}
