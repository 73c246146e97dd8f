//! `phones-home`: Markdown or HTML that tells a server something when a page is opened: an address that carries much data, in an image or a link.

use super::{About, Origin, Outgoing, Place, TextKind, Weight, each_line};

pub(super) const ABOUT: About = About {
    name: "phones-home",
    what: "an image or link whose address carries data",
    fix: "take it out; where data has to be told, say it in words",
    may_be_allowed: true,
};

/// A version, a branch or a badge's colour is shorter.
const MUCH: usize = 64;

/// A path of so many letters without a break holds data too.
const LONG_PART: usize = 100;

/// Files that are shown as pages.
const PAGES: [&str; 6] = [".md", ".markdown", ".mdx", ".rst", ".html", ".htm"];

pub(super) fn look(outgoing: &Outgoing<'_>, found: &mut dyn FnMut(Weight, Place, String)) {
    each_line(outgoing, &mut |place, line, origin| {
        let is_page = match origin {
            Origin::Text(text) => text.kind != TextKind::Plain,
            Origin::File(file) => {
                let path = file.path.to_lowercase();
                PAGES.iter().any(|end| path.ends_with(end))
            }
        };
        if !is_page {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let lower = text.to_ascii_lowercase();
        for (at, _) in lower.match_indices("://") {
            let address = text.get(at + 3..).unwrap_or_default();
            let end = address
                .find(|c: char| c.is_whitespace() || "\"'<>)`".contains(c))
                .unwrap_or(address.len());
            let address = address.get(..end).unwrap_or_default();
            let Some(bytes) = data_of(address) else {
                continue;
            };
            let before = lower.get(..at).unwrap_or_default();
            let is_image = is_image(before);
            let weight = if is_image || matches!(origin, Origin::Text(_)) {
                Weight::Block
            } else {
                Weight::Warn
            };
            let kind = if is_image { "image" } else { "link" };
            let host: String = address
                .chars()
                .take_while(|c| !"/?#".contains(*c))
                .take(80)
                .collect();
            let observed = format!(
                "{kind} at {} that carries {bytes} characters",
                crate::inert::code(&host, false)
            );
            found(weight, place(), observed);
        }
    });
}

/// Whether what stands before an address makes an image of it.
fn is_image(before: &str) -> bool {
    let markdown = before.rfind("](").is_some_and(|at| {
        let label = before.get(..at).unwrap_or_default();
        let scheme = before.get(at + 2..).unwrap_or_default();
        !scheme.contains(')') && label.rfind("![").is_some()
    });
    let element = before.rfind('<').is_some_and(|at| {
        let tag = before.get(at..).unwrap_or_default();
        ["<img", "<source", "<video", "<iframe", "<link", "<script"]
            .iter()
            .any(|name| tag.starts_with(name))
    });
    markdown || element
}

/// Returns how much an address carries; nothing where that is little.
fn data_of(address: &str) -> Option<usize> {
    let query = address
        .find(['?', '#'])
        .map_or(0, |at| address.len() - at - 1);
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let part = path.split('/').map(str::len).max().unwrap_or(0);
    if query >= MUCH {
        return Some(query);
    }
    (part >= LONG_PART).then_some(part)
}
