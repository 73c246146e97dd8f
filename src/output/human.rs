//! Pages for the terminal.

use std::io::{self, Write};

use comfy_table::{
    Attribute, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle,
};

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
                if position > 0 && matches!(page.0[position - 1], Block::Table { .. }) {
                    writeln!(out)?;
                }
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

/// One line below the head, and none else: what matters is the data.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

fn table(head: &[Column], rows: &[Vec<Cell>], looks: Looks) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    // A name that is broken in two can be neither copied nor found, so nothing is wrapped: long columns come last.
    table.set_content_arrangement(ContentArrangement::Disabled);
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
