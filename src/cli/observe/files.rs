//! `maestro observe dashboards` and `maestro observe alerts`: files that others read, as they lie in `examples/observability/`.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::session::Session;
use crate::config::nearest;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report};
use crate::packed;

/// What the binary brings.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/observability"));

/// Nobody's file is read further, to see whether it was changed.
const LONGEST: u64 = 1024 * 1024;

/// Write six Grafana dashboards, and what Grafana's provisioning needs to find them
///
/// Overview, agents, CI and CD, security, delivery and cost. A file that somebody changed stays as it is, unless `--force` says otherwise.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Into a folder that Grafana reads
    $ maestro observe dashboards --out observability

  One of them, to standard output
    $ maestro observe dashboards cost")]
pub(crate) struct DashboardsArgs {
    /// Print this one instead: overview, agents, ci, security, dora or cost
    #[arg(value_name = "NAME", conflicts_with = "out")]
    name: Option<String>,

    #[command(flatten)]
    target: TargetArgs,
}

/// Write alert rules for Prometheus, their unit tests, and an example for Alertmanager
///
/// `promtool test rules` runs the tests. A file that somebody changed stays as it is, unless `--force` says otherwise.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Into a folder
    $ maestro observe alerts --out observability

  The rules, to standard output
    $ maestro observe alerts rules")]
pub(crate) struct AlertsArgs {
    /// Print this one instead: rules, tests or alertmanager
    #[arg(value_name = "NAME", conflicts_with = "out")]
    name: Option<String>,

    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, clap::Args)]
struct TargetArgs {
    /// Write to this folder
    #[arg(long, value_name = "DIR", default_value = "observability")]
    out: PathBuf,

    /// Replace files that somebody changed
    #[arg(long, conflicts_with = "name")]
    force: bool,

    /// Say what would be written, write nothing
    #[arg(long, conflicts_with = "name")]
    dry_run: bool,
}

pub(super) fn dashboards(session: &mut Session<'_>, args: &DashboardsArgs) -> CommandResult {
    let known = ["overview", "agents", "ci", "security", "dora", "cost"];
    let file = |name: &str| format!("dashboards/maestro-{name}.json");
    if let Some(name) = &args.name {
        return print(session, name, &known, &file);
    }
    write(session, &args.target, &["dashboards/", "provisioning/"])
}

pub(super) fn alerts(session: &mut Session<'_>, args: &AlertsArgs) -> CommandResult {
    let known = ["rules", "tests", "alertmanager"];
    let file = |name: &str| match name {
        "rules" => "rules/maestro.rules.yml".to_owned(),
        "tests" => "rules/maestro.rules.test.yml".to_owned(),
        name => format!("{name}.yml"),
    };
    if let Some(name) = &args.name {
        return print(session, name, &known, &file);
    }
    write(session, &args.target, &["rules/", "alertmanager.yml"])
}

fn print(
    session: &mut Session<'_>,
    name: &str,
    known: &[&str],
    file: &dyn Fn(&str) -> String,
) -> CommandResult {
    if !known.contains(&name) {
        let message = format!("there is no `{name}`");
        let error = CommandError::message(ErrorKind::Usage, message);
        return Err(match nearest(name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("one of {}", known.join(", "))),
        });
    }
    let text = packed::text(PACKED, &file(name));
    let written = session.ui.out().write_all(text.as_bytes());
    written.map_err(CommandError::output)?;
    Ok(ExitCode::Success)
}

fn write(session: &mut Session<'_>, args: &TargetArgs, parts: &[&str]) -> CommandResult {
    let files = session.world.files.as_ref();
    let folder = session.base.join(&args.out);
    let mut rows = Vec::new();
    for (name, text) in packed::texts(PACKED) {
        if !parts.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        let path = folder.join(&name);
        let there = content(session, &path)?;
        let outcome = match there {
            Some(there) if there == text.as_bytes() => Outcome::Unchanged,
            Some(_) if !args.force => Outcome::Kept,
            _ => Outcome::Written,
        };
        if outcome == Outcome::Written && !args.dry_run {
            let parent = path.parent().unwrap_or(&folder);
            let written = files.create_folder(parent).and_then(|()| {
                files.write_atomic(&path, &mut |out| out.write_all(text.as_bytes()))
            });
            written.map_err(|error| CommandError::writing(&path, error))?;
        }
        let file = args.out.join(&name).to_string_lossy().into_owned();
        rows.push(FileRow { file, outcome });
    }
    let kept = rows.iter().filter(|row| row.outcome == Outcome::Kept);
    let kept = kept.count();
    session.render(&ObserveFilesDocument {
        schema: "maestro.observe-files/v1",
        dry_run: args.dry_run,
        files: rows,
    })?;
    if kept > 0 {
        session
            .ui
            .warn(&format!("{kept} of them were changed by somebody and stay"));
        session.ui.hint("`--force` replaces them");
    }
    Ok(ExitCode::Success)
}

fn content(session: &Session<'_>, path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    let file = match session.world.files.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CommandError::reading(path, error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| CommandError::reading(path, error))?;
    Ok(Some(bytes))
}

/// Files for tools that watch.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.observe-files/v1"))]
pub(crate) struct ObserveFilesDocument {
    /// `maestro.observe-files/v1`
    schema: &'static str,
    dry_run: bool,
    files: Vec<FileRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct FileRow {
    file: String,
    outcome: Outcome,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema))]
enum Outcome {
    Written,
    /// It was there, as it would be written.
    Unchanged,
    /// It was there, and somebody had changed it.
    Kept,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Kept => "kept",
        }
    }
}

impl Report for ObserveFilesDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let rows = self.files.iter().map(|row| {
            vec![
                Cell::code(row.file.clone()),
                Cell::plain(row.outcome.word()),
            ]
        });
        let head = vec![Column::left("File"), Column::left("Outcome")];
        page.table(head, rows.collect());
        page
    }
}
