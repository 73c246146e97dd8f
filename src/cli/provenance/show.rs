//! `maestro provenance show`: what a document says, for people. It verifies nothing, and says so.

use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{bad_input, document};
use crate::cli::session::Session;
use crate::error::{CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Inline, Page, Report};
use crate::provenance::bundle::{Bundle, Content};
use crate::provenance::dsse::Envelope;
use crate::provenance::judge::Form;
use crate::provenance::statement::Statement;
use crate::provenance::{predicates, strict};

/// More lines than this are not shown of one statement; `--format json` has all.
const MOST_LINES: usize = 200;

/// A text longer than this is cut for people.
const LONGEST: usize = 200;

/// Show what a statement says
///
/// Takes a statement, an envelope or a bundle, signed or not, and lays it out for people. It verifies nothing: whoever wrote the file can have written
/// anything. `maestro provenance verify` tells.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  What a run did
    $ maestro provenance show provenance/index.statement.json

  The same for a program
    $ maestro provenance show provenance/index.sigstore.json --format json")]
pub(crate) struct ShowArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(session: &mut Session<'_>, args: &ShowArgs) -> CommandResult {
    let bytes = document(session, &args.file)?;
    let bad = |problem: &dyn std::fmt::Display| {
        bad_input(&args.file, problem)
            .hint("give a statement, an envelope or a bundle, as `maestro provenance sign` or cosign wrote it")
    };
    let value = strict::read(&bytes).map_err(|problem| bad(&problem))?;
    let Some(form) = Form::of(&value) else {
        return Err(bad(
            &"it is neither a statement nor an envelope nor a bundle",
        ));
    };
    let envelope = match form {
        Form::Statement => None,
        Form::Envelope => Some(Envelope::read(&value).map_err(|problem| bad(&problem))?),
        Form::Bundle => match Bundle::read(&value)
            .map_err(|problem| bad(&problem))?
            .content
        {
            Content::Envelope(envelope) => Some(envelope),
            Content::File { .. } => {
                let error = bad(&"it signs a file, and no statement about it");
                return Err(error.of_kind(ErrorKind::Unsupported));
            }
        },
    };
    let (signed, value) = match envelope {
        None => (false, value),
        Some(envelope) => {
            let value = strict::read(&envelope.payload).map_err(|problem| bad(&problem))?;
            (true, value)
        }
    };
    let statement = Statement::of(&value).map_err(|problem| bad(&problem))?;
    session.render(&ShowDocument {
        schema: "maestro.provenance-show/v1",
        file: session.shown(&session.base.join(&args.file)),
        form: form.name(),
        is_signed: signed,
        statement: value,
        read: statement,
    })?;
    Ok(ExitCode::Success)
}

/// What a document says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.provenance-show/v1"))]
pub(crate) struct ShowDocument {
    /// `maestro.provenance-show/v1`
    schema: &'static str,
    file: String,
    /// `sigstore-bundle`, `dsse-envelope` or `statement`.
    form: &'static str,
    /// Whether there is a signature; nobody has checked it.
    is_signed: bool,
    /// The statement, as it is there.
    statement: Value,
    #[serde(skip)]
    read: Statement,
}

impl Report for ShowDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let kind = &self.read.predicate_type;
        let known = predicates::of_type(kind);
        page.heading(known.map_or("statement", |known| known.name));
        page.line(vec![
            Inline::Plain("Predicate ".to_owned()),
            Inline::Code(kind.clone()),
        ]);
        page.text(if self.is_signed {
            "It is signed; `maestro provenance verify` tells whether the signature holds."
        } else {
            "It is not signed: anybody can have written it."
        });
        if let Some(trouble) = known.and_then(|known| (known.trouble)(&self.read.predicate)) {
            page.text(format!("Bad news: {trouble}."));
        }
        let head = vec![
            Column::left("Subject"),
            Column::left("Algorithm"),
            Column::left("Digest"),
        ];
        let rows = self.read.subjects.iter().flat_map(|subject| {
            subject.digests.iter().map(|(algorithm, digest)| {
                vec![
                    Cell::code(cut(&subject.name)),
                    Cell::code(cut(algorithm)),
                    Cell::code(cut(digest)),
                ]
            })
        });
        page.table(head, rows.take(MOST_LINES).collect());
        let mut lines = Vec::new();
        flatten(&self.read.predicate, "", &mut lines);
        let more = lines.len() >= MOST_LINES;
        let head = vec![Column::left("Says"), Column::left("What")];
        let row = |(name, text): (String, String)| vec![Cell::code(name), Cell::code(text)];
        page.table(head, lines.into_iter().map(row).collect());
        if more {
            page.text("There is more: `--format json` shows all of it.");
        }
        page
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let (short, _) = text.split_at(text.floor_char_boundary(LONGEST));
    format!("{short}…")
}

/// Lays a value out, a line a text; what is empty or nothing is left out.
fn flatten(value: &Value, name: &str, lines: &mut Vec<(String, String)>) {
    if lines.len() >= MOST_LINES {
        return;
    }
    let below = |part: &str| {
        if name.is_empty() {
            part.to_owned()
        } else {
            format!("{name}.{part}")
        }
    };
    match value {
        Value::Null => {}
        Value::String(text) => lines.push((cut(name), cut(text))),
        Value::Bool(_) | Value::Number(_) => lines.push((cut(name), value.to_string())),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, &format!("{name}[{at}]"), lines);
            }
        }
        Value::Object(members) => {
            for (part, member) in members {
                flatten(member, &below(part), lines);
            }
        }
    }
}
