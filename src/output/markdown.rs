//! Pages as GitHub-flavoured Markdown, foreign text inert.
//!
//! Foreign text stands in code spans, where GitHub expands no mention, link, HTML or emoji.

use std::io::{self, Write};

use super::text::one_line;
use super::{Block, Inline, Page};
use crate::inert;

pub(super) fn write(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    for (position, block) in page.0.iter().enumerate() {
        if position > 0 {
            writeln!(out)?;
        }
        match block {
            Block::Heading(text) => writeln!(out, "### {}", escape(text))?,
            Block::Text(inlines) => {
                let text: String = inlines.iter().map(|inline| span(inline, false)).collect();
                writeln!(out, "{text}")?;
            }
            Block::Table { head, rows } => {
                for column in head {
                    write!(out, "| {} ", escape(column.title))?;
                }
                writeln!(out, "|")?;
                for column in head {
                    write!(out, "{}", if column.right { "| ---: " } else { "| --- " })?;
                }
                writeln!(out, "|")?;
                for row in rows {
                    for cell in row {
                        write!(out, "| {} ", span(&cell.text, true))?;
                    }
                    writeln!(out, "|")?;
                }
            }
        }
    }
    Ok(())
}

fn span(inline: &Inline, in_table: bool) -> String {
    match inline {
        Inline::Plain(text) => escape(text),
        Inline::Code(text) => inert::code(text, in_table),
    }
}

/// Returns our own words with every character that Markdown reads escaped.
fn escape(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A mention is a person's name after this sign; a zero-width space keeps them apart.
            '@' => escaped.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_and_html_are_inert() {
        assert_eq!(escape("@team <b>"), "@\u{200b}team &lt;b&gt;");
    }
}
