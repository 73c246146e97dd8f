//! `maestro config`

use std::io::{self, Write};

use clap::{Subcommand, ValueEnum};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::session::Session;
use crate::config::ConfigFile;
use crate::config::delivery::{INCIDENTS, WORKFLOW};
use crate::config::{Origin, Setting};
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Show(ShowArgs),
}

/// Show every setting that is in force
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Show the settings
    $ maestro config show

  Show where each one comes from
    $ maestro config show --origin")]
pub(crate) struct ShowArgs {
    /// Also show where each value comes from
    #[arg(long)]
    origin: bool,
}

pub(crate) fn run(session: &mut Session<'_>, command: &ConfigCommand) -> CommandResult {
    let ConfigCommand::Show(args) = command;
    let document = ConfigDocument::new(session, args.origin);
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// Every setting that is in force.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.config-show/v1"))]
pub(crate) struct ConfigDocument {
    /// `maestro.config-show/v1`
    schema: &'static str,
    /// The configuration file that was read, or nothing.
    file: Option<String>,
    /// The settings, in order of key.
    settings: Vec<SettingRow>,
    #[serde(skip)]
    shows_origin: bool,
}

/// One setting.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SettingRow {
    /// Its name.
    key: String,
    /// Its value.
    value: String,
    /// `flag --x`, `environment X`, `file PATH` or `default`.
    origin: String,
}

impl ConfigDocument {
    fn new(session: &Session<'_>, shows_origin: bool) -> Self {
        let settings = &session.settings;
        let file = session
            .config_path
            .as_deref()
            .map(|path| session.shown(path));
        let origin = |origin: &Origin| match origin {
            Origin::File(_) => Origin::File(file.clone().unwrap_or_default()).describe(),
            other => other.describe(),
        };
        let mut rows = Vec::new();
        let mut add = |key: &str, value: String, from: String| {
            rows.push(SettingRow {
                key: key.to_owned(),
                value,
                origin: from,
            });
        };
        add(
            "output.format",
            settings.format.value.name().to_owned(),
            origin(&settings.format.origin),
        );
        add(
            "output.color",
            word(&settings.color),
            origin(&settings.color.origin),
        );
        add(
            "output.log_format",
            word(&settings.log_format),
            origin(&settings.log_format.origin),
        );
        let now = settings
            .now
            .value
            .map_or("the clock".to_owned(), |now| now.to_string());
        add("now", now, origin(&settings.now.origin));
        add(
            "offline",
            settings.offline.value.to_string(),
            origin(&settings.offline.origin),
        );
        add(
            "state.redact",
            settings.redact.value.to_string(),
            origin(&settings.redact.origin),
        );
        for (key, setting) in [
            ("state.remote", &settings.remote),
            ("state.branch", &settings.state_branch),
        ] {
            add(key, setting.value.clone(), origin(&setting.origin));
        }
        let dir_origin = match (&session.globals.dir, &session.named_dir) {
            (Some(_), _) => Origin::Flag("--dir"),
            (None, Some(_)) => Origin::Environment("MAESTRO_DIR"),
            (None, None) => Origin::Default,
        };
        add(
            "dir",
            session.shown(&session.maestro_dir()),
            dir_origin.describe(),
        );
        let from_file = || Origin::File(file.clone().unwrap_or_default()).describe();
        for (key, value, is_set) in file_keys(&session.config) {
            let of_default = || Origin::Default.describe();
            add(&key, value, if is_set { from_file() } else { of_default() });
        }
        crate::order::sort_by(&mut rows, |a, b| a.key.cmp(&b.key));
        Self {
            schema: "maestro.config-show/v1",
            file,
            settings: rows,
            shows_origin,
        }
    }
}

fn word<T: ValueEnum>(setting: &Setting<T>) -> String {
    setting
        .value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

impl Report for ConfigDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        let mut head = vec![Column::left("setting"), Column::left("value")];
        if self.shows_origin {
            head.push(Column::left("origin"));
        }
        let rows = self.settings.iter().map(|row| {
            let mut cells = vec![Cell::code(row.key.clone()), Cell::code(row.value.clone())];
            if self.shows_origin {
                cells.push(Cell::plain(row.origin.clone()));
            }
            cells
        });
        page.table(head, rows.collect());
        page
    }
}

/// Returns what the file alone says, as far as it is one line, and whether it says it or that is the default.
fn file_keys(config: &ConfigFile) -> Vec<(String, String, bool)> {
    let mut rows = Vec::new();
    let requires = config.requires.iter();
    rows.extend(requires.map(|requires| ("requires".to_owned(), requires.clone())));
    let lists = [
        ("run_all_on", &config.run_all_on),
        ("ignore", &config.ignore),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    rows.extend(lists.map(|(key, list)| (key.to_owned(), list.join(", "))));
    if !config.enforce.is_empty() {
        let words = config.enforce.iter().map(|word| String::from(*word));
        rows.push(("enforce".to_owned(), words.collect::<Vec<_>>().join(", ")));
    }
    for (name, component) in &config.components {
        rows.push((
            format!("components.{name}.paths"),
            component.paths.join(", "),
        ));
    }
    for (name, job) in &config.jobs {
        let projects = job
            .projects
            .as_ref()
            .map(|projects| projects.texts().join(", "));
        let paths = (!job.paths.is_empty()).then(|| job.paths.join(", "));
        let keys = [
            ("projects", projects),
            ("paths", paths),
            ("run", job.run.clone()),
            ("junit", job.junit.clone()),
        ];
        let keys = keys
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        rows.extend(keys.map(|(key, value)| (format!("jobs.{name}.{key}"), value)));
    }
    let rows = rows.into_iter().map(|(key, value)| (key, value, true));
    let deliveries = delivery_keys(config).into_iter();
    let deliveries = deliveries.map(|(key, value, default)| {
        let is_set = value.is_some();
        (key.to_owned(), value.unwrap_or(default.to_owned()), is_set)
    });
    rows.chain(deliveries).collect()
}

/// Returns what the file says about deliveries and their authors, with what holds where it says nothing.
fn delivery_keys(config: &ConfigFile) -> Vec<(&'static str, Option<String>, &'static str)> {
    let (file, agents) = (&config.delivery, &config.agents);
    let deploys = &file.deploys;
    let list = |list: &[String]| (!list.is_empty()).then(|| list.join(", "));
    let source = deploys.source.as_ref().map(|source| {
        let words = source.list().iter().map(|word| word.word());
        words.collect::<Vec<_>>().join(", ")
    });
    let start = file.start.map(|start| start.word().to_owned());
    let days = file.blame_days.map(|days| days.to_string());
    vec![
        (
            "agents.authors",
            list(&agents.authors),
            "those that are known",
        ),
        (
            "agents.trailers",
            list(&agents.trailers),
            "those that are known",
        ),
        ("delivery.blame_days", days, "14"),
        (
            "delivery.bots",
            list(&file.bots),
            "those that GitHub calls so",
        ),
        (
            "delivery.business_hours",
            file.business_hours.clone(),
            "none",
        ),
        (
            "delivery.deploys.environment",
            deploys.environment.clone(),
            "production",
        ),
        (
            "delivery.deploys.source",
            source,
            "deployments, runs, releases, tags",
        ),
        (
            "delivery.deploys.workflow",
            deploys.workflow.clone(),
            WORKFLOW,
        ),
        ("delivery.incidents", file.incidents.clone(), INCIDENTS),
        ("delivery.start", start, "commit"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::delivery::BLAME_DAYS;

    #[test]
    fn what_is_shown_as_default_is_what_holds() {
        let keys = delivery_keys(&ConfigFile::default());
        let shown = |key: &str| {
            keys.iter()
                .find(|(known, ..)| *known == key)
                .map(|(_, value, default)| (value.clone(), *default))
        };
        assert_eq!(
            shown("delivery.blame_days"),
            Some((None, BLAME_DAYS.to_string().as_str()))
        );
        let sources = crate::delivery::ask::Source::ALL.map(crate::delivery::ask::Source::word);
        assert_eq!(
            shown("delivery.deploys.source"),
            Some((None, sources.join(", ").as_str()))
        );
    }
}
