//! Pages for the terminal.

use std::io::{self, Write};

use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, Table, presets};

use super::text::one_line;
use super::{Block, Cell, Column, Inline, Looks, Page, Tone};

pub(super) fn write(page: &Page, looks: Looks, out: &mut dyn Write) -> io::Result<()> {
    for (position, block) in page.0.iter().enumerate() {
        match block {
            Block::Heading(text) => {
                if position > 0 {
                    writeln!(out)?;
                }
                if looks.color {
                    let bold = anstyle::Style::new().bold();
                    writeln!(out, "{bold}{}{bold:#}", one_line(text))?;
                } else {
                    writeln!(out, "{}", one_line(text))?;
                }
            }
            Block::Text(inlines) => {
                let text: String = inlines.iter().map(plain).collect();
                writeln!(out, "{text}")?;
            }
            Block::Table { head, rows } => {
                let table = table(head, rows, looks);
                for line in table.lines() {
                    writeln!(out, "{}", line.trim_end())?;
                }
            }
        }
    }
    Ok(())
}

fn plain(inline: &Inline) -> String {
    match inline {
        Inline::Plain(text) => one_line(text),
        Inline::Code(text) => format!("`{}`", one_line(text)),
    }
}

fn table(head: &[Column], rows: &[Vec<Cell>], looks: Looks) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    match looks.width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        // Programs that search a pipe or a file want names in one piece.
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    if looks.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(head.iter().map(|column| {
        comfy_table::Cell::new(column.title)
            .add_attribute(Attribute::Bold)
            .set_alignment(alignment(column))
    }));
    for row in rows {
        table.add_row(row.iter().zip(head).map(|(cell, column)| {
            let text = match &cell.text {
                Inline::Plain(text) | Inline::Code(text) => one_line(text),
            };
            let shown = comfy_table::Cell::new(text).set_alignment(alignment(column));
            match cell.tone {
                Tone::Plain => shown,
                Tone::Good => shown.fg(Color::Green),
                Tone::Warn => shown.fg(Color::Yellow),
                Tone::Bad => shown.fg(Color::Red),
            }
        }));
    }
    table
}

fn alignment(column: &Column) -> CellAlignment {
    if column.right {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}
