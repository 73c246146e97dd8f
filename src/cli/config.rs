//! `maestro config`

use std::io::{self, Write};

use clap::{Subcommand, ValueEnum};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::configured::floor_line;
use super::session::Session;
use crate::config::delivery::{INCIDENTS, WORKFLOW};
use crate::config::layers::{Layer, Layers};
use crate::config::tree::Tree;
use crate::config::{KNOWN, Origin, Setting};
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
    /// `flag --x`, `environment X`, `file PATH`, `base OWNER/NAME//PATH@COMMIT:LINE` (of the configuration that it extends) or `default`; `, locked` follows
    /// where the base locks it.
    origin: String,
}

fn dir_origin(session: &Session<'_>) -> Origin {
    match (&session.globals.dir, &session.named_dir) {
        (Some(_), _) => Origin::Flag("--dir"),
        (None, Some(_)) => Origin::Environment("MAESTRO_DIR"),
        (None, None) => Origin::Default,
    }
}

impl ConfigDocument {
    fn new(session: &Session<'_>, shows_origin: bool) -> Self {
        let settings = &session.settings;
        let path = session.config_path.as_deref();
        let file = path.map(|path| session.shown(path));
        let layers = match &session.floor {
            Some(floor) => floor.layers.clone(),
            None => Layers::alone(&session.config_text, "").unwrap_or_default(),
        };
        let of_file = |way: &[String]| from_file(session, &layers, file.as_deref(), way);
        let origin = |key: &str, origin: &Origin| match origin {
            Origin::File(_) => {
                let way: Vec<String> = key.split('.').map(str::to_owned).collect();
                of_file(&way)
            }
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
            origin("output.format", &settings.format.origin),
        );
        add(
            "output.color",
            word(&settings.color),
            origin("output.color", &settings.color.origin),
        );
        add(
            "output.log_format",
            word(&settings.log_format),
            origin("output.log_format", &settings.log_format.origin),
        );
        let now = settings
            .now
            .value
            .map_or("the clock".to_owned(), |now| now.to_string());
        add("now", now, settings.now.origin.describe());
        add(
            "offline",
            settings.offline.value.to_string(),
            settings.offline.origin.describe(),
        );
        add(
            "state.redact",
            settings.redact.value.to_string(),
            origin("state.redact", &settings.redact.origin),
        );
        for (key, setting) in [
            ("state.remote", &settings.remote),
            ("state.branch", &settings.state_branch),
        ] {
            add(key, setting.value.clone(), origin(key, &setting.origin));
        }
        add(
            "dir",
            session.shown(&session.maestro_dir()),
            dir_origin(session).describe(),
        );
        for (way, value) in file_keys(&layers.merged()) {
            add(&way.join("."), value, of_file(&way));
        }
        for (key, default) in DEFAULTS {
            let way: Vec<String> = key.split('.').map(str::to_owned).collect();
            if layers.layer(&way).is_none() {
                add(key, default.to_owned(), Origin::Default.describe());
            }
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

/// What holds where neither file says anything.
const DEFAULTS: [(&str, &str); 15] = [
    ("agents.authors", "those that are known"),
    ("agents.commands", "those of the jobs and of the manifests"),
    ("agents.concurrency", "4"),
    ("agents.max_attempts", "3"),
    ("agents.max_tasks", "12"),
    ("agents.max_usd", "10"),
    ("agents.trailers", "those that are known"),
    ("delivery.blame_days", "14"),
    ("delivery.bots", "those that GitHub calls so"),
    ("delivery.business_hours", "none"),
    ("delivery.deploys.environment", "production"),
    (
        "delivery.deploys.source",
        "deployments, runs, releases, tags",
    ),
    ("delivery.deploys.workflow", WORKFLOW),
    ("delivery.incidents", INCIDENTS),
    ("delivery.start", "commit"),
];

/// Returns what the files alone decide, each key with its value in one line.
fn file_keys(merged: &Tree) -> Vec<(Vec<String>, String)> {
    let is_setting = |way: &[String]| {
        let key = way.join(".");
        key == "schema" || KNOWN.iter().any(|known| known.in_file && known.key == key)
    };
    let ways = merged.leaves(&|_| false).into_iter();
    let ways = ways.filter(|way| !is_setting(way));
    let rows = ways.filter_map(|way| {
        let value = match merged.at(&way)? {
            Tree::List(entries) if entries.is_empty() => "none".to_owned(),
            Tree::List(entries) => {
                let entries: Vec<String> = entries.iter().map(Tree::shown).collect();
                entries.join(", ")
            }
            value => value.shown(),
        };
        Some((way, value))
    });
    rows.collect()
}

/// Says which file a value comes from, and whether it is locked.
fn from_file(session: &Session<'_>, layers: &Layers, file: Option<&str>, way: &[String]) -> String {
    let own = Origin::File(file.unwrap_or_default().to_owned()).describe();
    let Some(floor) = &session.floor else {
        return own;
    };
    let line = floor_line(&floor.text, layers, way);
    let base = format!("base {}:{line}", floor.extends.short());
    let from = match layers.layer(way) {
        Some(Layer::Own) | None => own,
        Some(Layer::Base) => base,
        Some(Layer::Both) => format!("{base} and {own}"),
    };
    let locked = if layers.is_locked(way) {
        ", locked"
    } else {
        ""
    };
    format!("{from}{locked}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::delivery::BLAME_DAYS;
    use crate::config::locks::{DIRECTED, Order};

    #[test]
    fn what_is_shown_as_default_is_what_holds() {
        let shown = |key: &str| {
            let found = DEFAULTS.iter().find(|(known, _)| *known == key);
            found.map(|(_, default)| *default)
        };
        assert_eq!(
            shown("delivery.blame_days"),
            Some(BLAME_DAYS.to_string().as_str())
        );
        let sources = crate::delivery::ask::Source::ALL.map(crate::delivery::ask::Source::word);
        assert_eq!(
            shown("delivery.deploys.source"),
            Some(sources.join(", ").as_str())
        );
        for (key, order) in DIRECTED {
            if let (Some(shown), Order::Less(usual)) = (shown(key), order) {
                assert_eq!(shown, usual, "{key}");
            }
        }
    }

    #[test]
    fn every_key_of_a_file_is_shown_once_and_in_one_line() {
        let text = "schema: maestro.config/v1\noutput: {format: json}\nignore: []\njobs:\n  t:\n    run: |\n      a\n      b\n    axes: {os: [x, y]}\n";
        let tree = Layers::alone(text, "f").unwrap().merged();
        let rows: Vec<String> = file_keys(&tree)
            .into_iter()
            .map(|(way, value)| format!("{}={value}", way.join(".")))
            .collect();
        assert_eq!(
            rows,
            ["ignore=none", "jobs.t.run=a …", "jobs.t.axes.os=x, y"]
        );
    }
}
