//! A page of sections and nothing else, for commands whose report is no week: the same looks, the same pieces.

use super::html::{begin, evidence, evidence_head, notes, section_html};
use super::pack::Section;
use super::words::Words;
use crate::inert::html as text;

/// What stands on it.
pub(crate) struct Sheet<'s> {
    /// What it is, in a word or two.
    pub(crate) kind: &'s str,
    /// Which days it is about.
    pub(crate) days: &'s str,
    pub(crate) title: &'s str,
    /// In one sentence.
    pub(crate) answer: &'s str,
    pub(crate) notes: &'s [Words],
    pub(crate) sections: &'s [Section],
    /// How it came about.
    pub(crate) footer: &'s str,
}

/// Writes the page: one HTML file that needs nothing else.
pub(crate) fn page(sheet: &Sheet<'_>) -> String {
    let (kind, title) = (text(sheet.kind), text(sheet.title));
    let mut out = String::with_capacity(64 * 1024);
    begin(
        &mut out,
        &format!("{kind} \u{b7} {title}"),
        "Skip to the figures",
    );
    out.push_str(&format!(
        "<header><p class=\"eyebrow\">{kind} <span>{}</span></p><h1>{title}</h1>\n<p class=\"answer\">{}</p>\n",
        text(sheet.days),
        text(sheet.answer)
    ));
    notes(&mut out, sheet.notes);
    out.push_str("</header>\n<main id=\"main\">\n");
    for section in sheet.sections {
        section_html(&mut out, section);
    }
    evidence_head(&mut out);
    for section in sheet.sections {
        evidence(&mut out, section);
    }
    out.push_str(&format!(
        "</section>\n</main>\n<footer><p>{}</p></footer>\n</body></html>\n",
        text(sheet.footer)
    ));
    out
}
