//! `maestro prompts import` and `export`: GitHub's `.prompt.yml`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Page, Report};
use crate::prompts::github_form::{self, Converted};
use crate::prompts::set::{Library, Missing, Source};

/// Make a prompt of GitHub's `.prompt.yml`
///
/// Writes `prompts/NAME.yaml` and says what has no counterpart: evaluators, `topP`, the model's name, and schemas beyond what is checked here.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Take one over
    $ maestro prompts import joke.prompt.yml

  Under another name, in place of an earlier one
    $ maestro prompts import joke.prompt.yml --name jester --force")]
pub(crate) struct ImportArgs {
    /// The file; `-` is standard input
    file: PathBuf,

    /// What to call it, instead of the file's `name`
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// Make GitHub's `.prompt.yml` of a prompt
///
/// Only of prompts whose messages are text with names in it, and whose variables are strings: that form has nothing else.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  For the `gh models` extension
    $ maestro prompts export joke --out joke.prompt.yml

  With the model that it wants
    $ maestro prompts export joke --model openai/gpt-4o --out joke.prompt.yml")]
pub(crate) struct ExportArgs {
    /// The prompt's name
    name: String,

    /// The model that the file asks for
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A prompt in another form.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompts-convert/v1"))]
pub(crate) struct PromptsConvertDocument {
    /// `maestro.prompts-convert/v1`
    schema: &'static str,
    /// The prompt's name.
    prompt: String,
    /// The file that was written.
    path: String,
    /// What has no counterpart, or wants a look.
    notes: Vec<String>,
}

pub(super) fn import(session: &mut Session<'_>, args: &ImportArgs) -> CommandResult {
    let text = super::read(session, &args.file)?;
    let bad = |words: String| {
        let message = format!("`{}` cannot be taken over: {words}", args.file.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("mend it there, or write the prompt by hand: docs/prompts.md has the form")
    };
    let converted = github_form::import(&text, args.name.as_deref()).map_err(bad)?;
    // It is looked at before it is written.
    let library = Library::new(vec![Source {
        name: format!("{}.yaml", converted.name),
        text: converted.text.clone(),
    }]);
    if let Err(Missing::Wrong(complaint)) = library.load(&converted.name) {
        return Err(bad(complaint.message));
    }
    let path = super::folder(session).join(format!("{}.yaml", converted.name));
    let is_there = session.world.files.kind(&path).is_ok();
    if is_there && !args.force {
        let message = format!("`{}` is there already", session.shown(&path));
        return Err(CommandError::message(ErrorKind::Usage, message)
            .hint("write over it with `--force`, or call it otherwise with `--name`"));
    }
    write(session, &path, converted)
}

pub(super) fn export(session: &mut Session<'_>, args: &ExportArgs) -> CommandResult {
    let library = super::library(session)?;
    let prompt = library
        .load(&args.name)
        .map_err(|missing| super::missing(&args.name, missing))?;
    let converted = github_form::export(prompt.file, args.model.as_deref()).map_err(|words| {
        let message = format!("`{}` cannot be said in that form: {words}", args.name);
        CommandError::message(ErrorKind::Unsupported, message)
            .hint("`maestro prompts render` gives its messages with values put in")
    })?;
    let path = session.base.join(&args.out);
    write(session, &path, converted)
}

fn write(session: &mut Session<'_>, path: &Path, converted: Converted) -> CommandResult {
    let files = session.world.files.as_ref();
    let failed = |error| CommandError::writing(path, error);
    if let Some(folder) = path.parent() {
        files.create_folder(folder).map_err(failed)?;
    }
    files
        .write_atomic(path, &mut |out| out.write_all(converted.text.as_bytes()))
        .map_err(failed)?;
    let document = PromptsConvertDocument {
        schema: "maestro.prompts-convert/v1",
        prompt: converted.name,
        path: session.shown(path),
        notes: converted.notes,
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

impl Report for PromptsConvertDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let path = Cell::code(&self.path).text;
        page.line(vec![crate::output::Inline::Plain("Written: ".into()), path]);
        for note in &self.notes {
            page.text(note);
        }
        page
    }
}
