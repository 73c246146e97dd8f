//! Markup of a page that says something and shows nothing: elements whose content no browser draws, attributes, and definitions of links.
//!
//! Which elements and attributes GitHub lets through is written in github/markup and html-pipeline's sanitizer; a `<picture>` with sentences in its
//! `<source>`s is how agents were talked to behind people's backs. Code in fences is shown as it is and stays.

/// Elements whose content is not drawn.
const UNDRAWN: [&str; 16] = [
    "picture", "source", "video", "audio", "script", "style", "template", "iframe", "object",
    "svg", "noembed", "noframes", "noscript", "title", "head", "map",
];

/// Elements that are drawn: their attributes go, but for where they lead.
const DRAWN: [&str; 50] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// No address is longer.
const LONGEST_ADDRESS: usize = 500;

/// Takes what is told of each removal: its line and what is gone.
pub(super) type Note<'n> = &'n mut dyn FnMut(u32, &str);

/// Returns a text without markup that a page does not show.
pub(super) fn shown(text: &str, note: Note<'_>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut prose = String::new();
    let mut first = 1;
    let mut fence: Option<(char, usize)> = None;
    for (line, one) in (1_u32..).zip(text.split_inclusive('\n')) {
        let mark = fence_of(one);
        match (fence, mark) {
            (None, Some(mark)) => {
                flush(&mut prose, first, &mut shown, note);
                fence = Some(mark);
                shown.push_str(one);
            }
            (Some((c, length)), Some((other, count)))
                if c == other && count >= length && is_closing(one) =>
            {
                fence = None;
                shown.push_str(one);
                first = line + 1;
            }
            (Some(_), _) => shown.push_str(one),
            (None, None) => {
                if prose.is_empty() {
                    first = line;
                }
                prose.push_str(one);
            }
        }
    }
    flush(&mut prose, first, &mut shown, note);
    shown
}

/// Returns the letter and length of a code fence (`CommonMark` 4.5).
fn fence_of(line: &str) -> Option<(char, usize)> {
    let trimmed = line.trim_start_matches(' ');
    if line.len() - trimmed.len() > 3 {
        return None;
    }
    let c = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = trimmed.chars().take_while(|other| *other == c).count();
    let info = trimmed.get(length..).unwrap_or_default();
    (length >= 3 && !(c == '`' && info.contains('`'))).then_some((c, length))
}

fn is_closing(line: &str) -> bool {
    line.trim().chars().all(|c| matches!(c, '`' | '~'))
}

fn flush(prose: &mut String, first: u32, shown: &mut String, note: Note<'_>) {
    if prose.is_empty() {
        return;
    }
    let text = std::mem::take(prose);
    let text = without_definitions(&text, first, note);
    elements(&text, first, shown, note);
}

/// Takes out definitions of links that define nothing, and the titles of others: `[//]: # (words)`.
fn without_definitions(text: &str, first: u32, note: Note<'_>) -> String {
    let mut kept = String::with_capacity(text.len());
    for (line, one) in (first..).zip(text.split_inclusive('\n')) {
        match definition(one) {
            None => kept.push_str(one),
            Some(Definition::Leads(label, address)) => {
                let short = format!("[{label}]: {address}");
                let rest = one.trim_end().len().saturating_sub(short.len());
                if rest > 1 {
                    note(line, one.trim().get(short.len()..).unwrap_or_default());
                }
                kept.push_str(&short);
                kept.push('\n');
            }
            Some(Definition::Nowhere) => {
                note(line, one.trim());
                kept.push('\n');
            }
        }
    }
    kept
}

/// A definition of a link.
enum Definition<'t> {
    /// Its label and address.
    Leads(&'t str, &'t str),
    Nowhere,
}

/// Reads a definition of a link.
fn definition(line: &str) -> Option<Definition<'_>> {
    let trimmed = line.trim_start_matches(' ');
    if line.len() - trimmed.len() > 3 {
        return None;
    }
    let (label, rest) = trimmed.strip_prefix('[')?.split_once("]:")?;
    if label.is_empty() || label.contains(['[', ']']) || label.starts_with('^') {
        return None;
    }
    let address = rest.split_whitespace().next().unwrap_or_default();
    let leads = !matches!(address, "" | "#" | "<>")
        && !label.starts_with("//")
        && address.len() <= LONGEST_ADDRESS;
    Some(if leads {
        Definition::Leads(label, address)
    } else {
        Definition::Nowhere
    })
}

/// Copies text; of elements their names and where they lead.
fn elements(text: &str, first: u32, shown: &mut String, note: Note<'_>) {
    let mut rest = text;
    let mut line = first;
    let breaks = |text: &str| u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
    // What was looked for once and not found is not there later either.
    let mut endless: Vec<&str> = Vec::new();
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        shown.push_str(before);
        line = line.saturating_add(breaks(before));
        let Some((name, length)) = tag_of(tag) else {
            shown.push('<');
            rest = tag.get(1..).unwrap_or_default();
            continue;
        };
        let whole = tag.get(..length).unwrap_or_default();
        if let Some(known) = UNDRAWN
            .iter()
            .find(|known| name.eq_ignore_ascii_case(known))
        {
            let is_closing = whole.starts_with("</");
            let mut length = length;
            if !is_closing && !endless.contains(known) {
                match end_of(tag, known) {
                    Some(end) => length = end,
                    None => endless.push(known),
                }
            }
            let gone = tag.get(..length).unwrap_or_default();
            note(line, gone);
            line = line.saturating_add(breaks(gone));
            rest = tag.get(length..).unwrap_or_default();
            // What stood around it must not begin something else.
            if shown.ends_with(['<', '!', '-']) {
                shown.push(' ');
            }
            continue;
        }
        let is_drawn = DRAWN.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_drawn {
            let short = bare(whole, name);
            if short.len() < whole.len() {
                note(line, whole);
            }
            shown.push_str(&short);
        } else {
            shown.push_str(whole);
        }
        line = line.saturating_add(breaks(whole));
        rest = tag.get(length..).unwrap_or_default();
    }
    shown.push_str(rest);
}

/// Returns the name and length of a tag that a text begins with.
fn tag_of(text: &str) -> Option<(&str, usize)> {
    let after = text.strip_prefix("</").or_else(|| text.strip_prefix('<'))?;
    let length = after
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        .count();
    let name = after.get(..length).filter(|name| {
        name.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
    })?;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().skip(1).take(2048) {
        match (quote, byte) {
            (None, b'>') => return Some((name, at + 1)),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns where an element ends.
fn end_of(text: &str, name: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find("</") {
        let start = at + found;
        let after = text.get(start + 2..)?;
        let is_it = after
            .get(..name.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        if is_it {
            let close = after.find('>')?;
            return Some(start + 2 + close + 1);
        }
        at = start + 2;
    }
    None
}

/// Returns a tag with no more than its name and where it leads.
fn bare(tag: &str, name: &str) -> String {
    let is_closing = tag.starts_with("</");
    let slash = if is_closing { "/" } else { "" };
    let leads = ["href", "src"]
        .iter()
        .filter(|_| !is_closing)
        .find_map(|key| {
            let at = tag.to_ascii_lowercase().find(&format!(" {key}="))?;
            let value = tag.get(at + key.len() + 2..)?;
            let value = match value.chars().next()? {
                quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
                _ => value.split([' ', '>', '\n']).next()?,
            };
            let is_plain =
                value.len() <= LONGEST_ADDRESS && !value.contains(['"', '<', '>', '\n', ' ']);
            is_plain.then(|| format!(" {key}=\"{value}\""))
        });
    format!("<{slash}{name}{}>", leads.unwrap_or_default())
}
