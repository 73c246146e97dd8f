//! `maestro prompts render`: the messages that a model would be sent.

use std::io::{self, Write};
use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::session::Session;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::json;
use crate::output::{Page, Report};
use crate::prompts::file::{TypeWord, VariableFile};
use crate::prompts::prepared::{DELIMITER, Message};
use crate::prompts::rules::Complaint;
use crate::prompts::set::Prompt;
use crate::sha::Sha;

/// Render a prompt's messages
///
/// Values are checked against the prompt's variables first. What comes from outside (an issue, a diff, a log) stands between delimiters that its writer
/// cannot know: the variable `delimiter`, 16 to 64 letters and digits, drawn anew for each run. Without one it is made from the values here, so that equal values
/// print equal bytes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  The planner, for an issue in a file
    $ maestro prompts render planner --vars values.json --var issue.body=@issue.md

  The same, for a program
    $ maestro prompts render planner --vars values.json --format json")]
pub(crate) struct RenderArgs {
    /// The prompt's name
    name: String,

    /// A value, as `NAME=TEXT`, `NAME.KEY=TEXT` or `NAME=@FILE` (can be repeated); of what is no string, JSON
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,

    /// Values in a file, JSON or YAML; `-` is standard input
    #[arg(long = "vars", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Messages, ready to be sent.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.prompt/v1"))]
pub(crate) struct PromptDocument {
    /// `maestro.prompt/v1`
    schema: &'static str,
    name: String,
    version: String,
    role: String,
    /// `built-in` or `repository`.
    source: &'static str,
    /// SHA-256 of the templates: messages, and all that they include.
    sha256: String,
    model: ModelRow,
    messages: Vec<MessageRow>,
    /// The JSON Schema of the answer; none when the answer is text.
    output_schema: Option<Value>,
}

/// What to ask of a model.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ModelRow {
    /// `small`, `medium` or `large`.
    tier: &'static str,
    max_output_tokens: Option<u32>,
    temperature: Option<f64>,
}

/// A message.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct MessageRow {
    /// `system`, `user` or `assistant`.
    role: &'static str,
    content: String,
}

pub(super) fn run(session: &mut Session<'_>, args: &RenderArgs) -> CommandResult {
    let mut values = match &args.file {
        Some(path) => file(session, path)?,
        None => Map::new(),
    };
    let library = super::library(session)?;
    let prompt = library
        .load(&args.name)
        .map_err(|missing| super::missing(&args.name, missing))?;
    for var in &args.vars {
        put(session, &prompt, &mut values, var)?;
    }
    if !values.contains_key(DELIMITER) && prompt.prepared.wants_delimiter() {
        let digest = Sha::of(Value::Object(values.clone()).to_string().as_bytes());
        let delimiter: String = digest.to_string().chars().take(24).collect();
        values.insert(DELIMITER.into(), delimiter.into());
    }
    let messages = prompt.prepared.render(values).map_err(|problem| {
        let Some((template, line)) = &problem.place else {
            let message = format!("the values do not suit `{}`: {}", args.name, problem.words);
            return CommandError::message(ErrorKind::BadInput, message)
                .hint(format!("it takes {}", variables(&prompt)));
        };
        let (path, line) = prompt.draft.at(template, *line);
        let complaint = Complaint {
            path,
            line,
            ..Complaint::whole(prompt.draft, "template", problem.words.clone())
        };
        super::broken(&args.name, &complaint)
    })?;
    let document = PromptDocument::new(&prompt, messages);
    session.render(&document)?;
    Ok(ExitCode::Success)
}

fn variables(prompt: &Prompt<'_>) -> String {
    let names = prompt.file.variables.iter().map(|(name, kind)| {
        let may_lack = kind.optional || kind.default.is_some();
        format!("`{name}`{}", if may_lack { " (may lack)" } else { "" })
    });
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "no variables".to_owned()
    } else {
        names.join(", ")
    }
}

fn file(
    session: &mut Session<'_>,
    path: &std::path::Path,
) -> Result<Map<String, Value>, CommandError> {
    let text = super::read(session, path)?;
    let is_yaml = path
        .extension()
        .is_some_and(|end| end == "yaml" || end == "yml");
    let value: Result<Value, String> = if is_yaml {
        crate::config::read_foreign(&text)
    } else {
        json::read(&text).map_err(|error| error.to_string())
    };
    let bad = |words: &str| {
        let message = format!("`{}` holds no values: {words}", path.display());
        CommandError::message(ErrorKind::BadInput, message)
            .hint("write an object with a key for each variable")
    };
    match value {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(bad("it is no object")),
        Err(words) => Err(bad(&words)),
    }
}

/// Puts the value of a flag in its place.
fn put(
    session: &mut Session<'_>,
    prompt: &Prompt<'_>,
    values: &mut Map<String, Value>,
    var: &str,
) -> Result<(), CommandError> {
    let usage = |words: String| CommandError::message(ErrorKind::Usage, words);
    let Some((way, text)) = var.split_once('=') else {
        return Err(usage(format!("`--var {var}` has no `=`")).hint("write `--var NAME=VALUE`"));
    };
    let text = match text.strip_prefix('@') {
        Some(path) => super::read(session, std::path::Path::new(path))?,
        None => text.to_owned(),
    };
    let mut steps = way.split('.');
    let first = steps.next().unwrap_or_default();
    let mut kind: Option<&VariableFile> = prompt.file.variables.get(first);
    let mut place = values.entry(first).or_insert(Value::Null);
    for step in steps {
        kind = kind.and_then(|kind| kind.fields.as_ref()?.get(step));
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(fields) = place else {
            let words = format!("`--var {way}`: what holds `{step}` is no object");
            return Err(usage(words)
                .hint("a name has dots only where `--vars` or another `--var` gives an object"));
        };
        place = fields.entry(step).or_insert(Value::Null);
    }
    let is_text = first == DELIMITER || kind.is_none_or(|kind| kind.kind == TypeWord::String);
    *place = if is_text {
        Value::String(text)
    } else {
        json::read(&text).map_err(|error| {
            usage(format!("`--var {way}`: it is no JSON: {error}"))
                .hint("only a variable that is a string is written as it is")
        })?
    };
    Ok(())
}

impl PromptDocument {
    fn new(prompt: &Prompt<'_>, messages: Vec<Message>) -> Self {
        let file = prompt.file;
        let messages = messages.into_iter().map(|message| MessageRow {
            role: message.role.name(),
            content: message.content,
        });
        Self {
            schema: "maestro.prompt/v1",
            name: file.name.clone(),
            version: prompt.version.to_string(),
            role: file.role.clone(),
            source: prompt.origin.name(),
            sha256: prompt.sha256.to_string(),
            model: ModelRow {
                tier: file.model.tier.name(),
                max_output_tokens: file.model.max_output_tokens,
                temperature: file.model.temperature,
            },
            messages: messages.collect(),
            output_schema: file.output.clone(),
        }
    }
}

impl Report for PromptDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.text(format!("{} {} ({})", self.name, self.version, self.source));
        for message in &self.messages {
            page.heading(message.role);
            for line in message.content.lines() {
                page.text(line);
            }
        }
        page
    }
}
