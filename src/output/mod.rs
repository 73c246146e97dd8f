//! Renderers: a report is a value, and each format is one file that writes it to any `Write`.
//!
//! To add a format: one file here, one variant in [`Format`], one arm in [`write`].

use std::io::{self, Write};

pub(crate) mod checks;
pub(crate) mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod sarif;
pub(crate) mod text;

use crate::finding::Finding;
use checks::Check;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text and tables for people
    #[default]
    Human,
    /// One JSON object with a `schema`
    Json,
    /// One JSON object a line, each with a `schema`
    Ndjson,
    /// Markdown as GitHub shows it
    Markdown,
    /// GitHub workflow commands (annotations)
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML: a case for each check
    Junit,
}

impl Format {
    pub(crate) const NAMES: [&'static str; 7] = [
        "human", "json", "ndjson", "markdown", "github", "sarif", "junit",
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Github => "github",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
        }
    }
}

/// What a command found, ready for every format.
pub(crate) trait Report {
    /// Writes one JSON object with a `schema`, without a final newline.
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()>;
    /// Writes one JSON object a line, each with a `schema`; a report without rows is one line.
    fn write_ndjson(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_json(out)?;
        out.write_all(b"\n")
    }
    /// Returns what people read, for the terminal and for Markdown.
    fn page(&self) -> Page;
    /// Returns what deserves an annotation.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }
    /// Returns what was checked, for formats that list it; the findings, unless a command knows more.
    fn checks(&self) -> Vec<Check> {
        checks::of_findings(self.findings())
    }
    /// Returns what later steps of a workflow may use (`GITHUB_OUTPUT`).
    fn outputs(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Blocks of a page, top to bottom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page(pub(crate) Vec<Block>);

/// One block of a page.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    Heading(String),
    Text(Vec<Inline>),
    Table {
        head: Vec<Column>,
        rows: Vec<Vec<Cell>>,
    },
}

/// A run of text; what comes from a foreign file is always `Code`, which no renderer interprets.
#[derive(Debug, Clone)]
pub(crate) enum Inline {
    Plain(String),
    Code(String),
}

/// A table's column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) right: bool,
}

/// How a cell feels; never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

/// A table's cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: Inline,
    pub(crate) tone: Tone,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    pub(crate) fn code(text: impl Into<String>) -> Self {
        Self {
            text: Inline::Code(text.into()),
            tone: Tone::Plain,
        }
    }

    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: Inline::Plain(text.into()),
            tone,
        }
    }
}

impl Column {
    pub(crate) fn left(title: &'static str) -> Self {
        Self {
            title,
            right: false,
        }
    }

    pub(crate) fn right(title: &'static str) -> Self {
        Self { title, right: true }
    }
}

impl Page {
    pub(crate) fn heading(&mut self, text: impl Into<String>) {
        self.0.push(Block::Heading(text.into()));
    }

    /// Adds another page below.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn text(&mut self, text: impl Into<String>) {
        self.0.push(Block::Text(vec![Inline::Plain(text.into())]));
    }

    pub(crate) fn line(&mut self, inlines: Vec<Inline>) {
        self.0.push(Block::Text(inlines));
    }

    pub(crate) fn table(&mut self, head: Vec<Column>, rows: Vec<Vec<Cell>>) {
        self.0.push(Block::Table { head, rows });
    }
}

/// What a sink can show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) color: bool,
}

impl Looks {
    /// Files: never any colour.
    pub(crate) const FILE: Self = Self { color: false };
}

/// Writes a report in a format.
pub(crate) fn write(
    report: &dyn Report,
    format: Format,
    looks: Looks,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(&report.page(), looks, out),
        Format::Json => {
            report.write_json(&mut json::Calm(out))?;
            out.write_all(b"\n")
        }
        Format::Ndjson => report.write_ndjson(&mut json::Calm(out)),
        Format::Markdown => markdown::write(&report.page(), out),
        Format::Github => github::write_findings(&report.findings(), out),
        Format::Sarif => sarif::write(&report.checks(), &mut json::Calm(out)),
        Format::Junit => junit::write(&report.checks(), out),
    }
}

/// Writes a value as one line of JSON.
pub(crate) fn json_line(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
