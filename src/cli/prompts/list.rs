//! `maestro prompts list`: which prompts there are, and where each is from.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report, Tone};
use crate::prompts::set::{Library, Missing, Prompt};

/// List the prompts: the built-in ones, and the repository's own
///
/// A prompt in the repository's folder `prompts/` stands in for the built-in one of the same name.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  All of them
    $ maestro prompts list

  Only the repository's own, for a program
    $ maestro prompts list --source repository --format json")]
pub(crate) struct ListArgs {
    /// Only those from there: built-in or repository
    #[arg(long, value_name = "SOURCE", value_parser = ["built-in", "repository"])]
    source: Option<String>,
}

/// The prompts of a repository.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompts/v1"))]
pub(crate) struct PromptsDocument {
    /// `maestro.prompts/v1`
    schema: &'static str,
    /// In order of name.
    prompts: Vec<PromptRow>,
}

/// A prompt.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct PromptRow {
    name: String,
    version: String,
    role: String,
    description: String,
    /// `built-in` or `repository`.
    source: &'static str,
    /// From the repository's top; of a built-in one from maestro's.
    path: String,
    /// The version of the built-in prompt that it stands in for.
    overrides: Option<String>,
    /// `small`, `medium` or `large`.
    tier: &'static str,
    max_output_tokens: Option<u32>,
    temperature: Option<f64>,
    /// Of the messages and all that they include.
    sha256: String,
    /// Why it cannot be used; then only name and path are known.
    error: Option<String>,
}

pub(super) fn run(session: &mut Session<'_>, args: &ListArgs) -> CommandResult {
    let library = super::library(session)?;
    let names = library.names().into_iter();
    let rows = names.map(|name| row(&library, name));
    let is_wanted = |row: &PromptRow| {
        args.source
            .as_ref()
            .is_none_or(|source| row.source == *source)
    };
    let document = PromptsDocument {
        schema: "maestro.prompts/v1",
        prompts: rows.filter(is_wanted).collect(),
    };
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn row(library: &Library, name: &str) -> PromptRow {
    match library.load(name) {
        Ok(prompt) => sound(&prompt),
        Err(missing) => {
            let (path, error) = match missing {
                Missing::Wrong(complaint) => (complaint.path, complaint.message),
                Missing::Unknown(_) => (String::new(), "it is not there".to_owned()),
            };
            PromptRow {
                name: name.to_owned(),
                version: String::new(),
                role: String::new(),
                description: String::new(),
                source: "repository",
                path,
                overrides: None,
                tier: "medium",
                max_output_tokens: None,
                temperature: None,
                sha256: String::new(),
                error: Some(error),
            }
        }
    }
}

fn sound(prompt: &Prompt<'_>) -> PromptRow {
    let file = prompt.file;
    PromptRow {
        name: file.name.clone(),
        version: prompt.version.to_string(),
        role: file.role.clone(),
        description: file.description.clone(),
        source: prompt.origin.name(),
        path: prompt.draft.path(),
        overrides: prompt.overrides.map(str::to_owned),
        tier: file.model.tier.name(),
        max_output_tokens: file.model.max_output_tokens,
        temperature: file.model.temperature,
        sha256: prompt.sha256.to_string(),
        error: None,
    }
}

impl Report for PromptsDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let own = self.prompts.iter().filter(|row| row.source == "repository");
        page.text(format!(
            "{} prompts, {} of this repository.",
            self.prompts.len(),
            own.count()
        ));
        let rows = self.prompts.iter().map(|row| {
            let source = match (&row.error, &row.overrides) {
                (Some(error), _) => Cell::toned(format!("cannot be used: {error}"), Tone::Bad),
                (None, Some(version)) => {
                    Cell::plain(format!("{} (instead of built-in {version})", row.path))
                }
                (None, None) if row.source == "repository" => Cell::plain(&row.path),
                (None, None) => Cell::plain(row.source),
            };
            vec![
                Cell::code(&row.name),
                Cell::code(&row.version),
                Cell::code(&row.role),
                Cell::plain(row.tier),
                Cell::plain(row.sha256.get(..12).unwrap_or_default()),
                source,
            ]
        });
        let head = ["Name", "Version", "Role", "Tier", "SHA-256", "From"];
        page.table(head.map(Column::left).to_vec(), rows.collect());
        page
    }
}
