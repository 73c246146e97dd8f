//! The page of many repositories as one HTML file, by the same rules as the page of one.

use super::rows::{table, unread};
use super::{Asked, Organisation, repositories};
use crate::inert::html as text;
use crate::report::html::{
    changes, decision, evidence, evidence_head, foot, head, notes, section_html,
};

/// Writes the page.
pub(crate) fn page(all: &Organisation) -> String {
    let mut out = String::with_capacity(64 * 1024);
    head(
        &mut out,
        &all.week,
        &all.days,
        &repositories(all.repositories.len()),
    );
    out.push_str(&format!("<p class=\"answer\">{}</p>\n", text(&all.words)));
    changes(&mut out, &all.answer);
    notes(&mut out, &all.notes);
    out.push_str("</header>\n<main id=\"main\">\n<div class=\"first\">\n");
    decisions(&mut out, &all.decisions);
    out.push_str(&format!(
        "<section aria-labelledby=\"last\"><h2 id=\"last\">Last week\u{2019}s decisions</h2>\n<p>{}</p>\n</section>\n</div>\n",
        text(&all.last_week.words)
    ));
    let mut total = all.total.clone();
    total.tables.push(table(&all.repositories));
    total.tables.extend(unread(&all.repositories));
    section_html(&mut out, &total);
    section_html(&mut out, &all.delivery);
    evidence_head(&mut out);
    evidence(&mut out, &all.total);
    evidence(&mut out, &all.delivery);
    out.push_str("</section>\n");
    foot(
        &mut out,
        &all.written,
        "Each row leads to the repository\u{2019}s own page, which lies beside this one and has the evidence of its numbers.",
    );
    out
}

fn decisions(out: &mut String, asked: &[Asked]) {
    out.push_str("<section aria-labelledby=\"decide\"><h2 id=\"decide\">Decide</h2>\n");
    if asked.is_empty() {
        out.push_str("<p>Nothing asks for a decision.</p>\n");
    } else {
        out.push_str("<ol class=\"decide\">\n");
        for one in asked {
            let page = format!("{}.html", text(&one.page));
            let whose = format!("<a href=\"{page}\">{}</a>: ", text(&one.repository));
            decision(out, &one.proposal, &whose, &page);
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
}
