//! `maestro budget set`: changes the caps.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::lease::amount;
use super::wallet::read_if_there;
use crate::budget::caps::{Caps, Edit, Edits};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::money::Usd;
use crate::output::{Cell, Column, Page, Report};

/// Change the caps in `.maestro/ci_budget.json`
///
/// Edits the file of the work tree. Caps count once the change is on the base branch: no pull request raises its own. An amount is a decimal in US
/// dollars; `none` takes a cap away (for a pull request: back to $10).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  Five dollars a pull request, two hundred a month
    $ maestro budget set --per-pr 5 --per-month 200

  See what would change
    $ maestro budget set --per-call 0.50 --alerts 50,80,95 --dry-run")]
pub(crate) struct SetArgs {
    /// On one call of a model
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    per_call: Option<String>,

    /// On one task of a run
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    per_task: Option<String>,

    /// On one pull request
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    per_pr: Option<String>,

    /// In a calendar month (UTC), on everything
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    per_month: Option<String>,

    /// Shares of a cap, in hundredths, at which people hear of it
    #[arg(long, value_name = "SHARES", value_delimiter = ',')]
    alerts: Option<Vec<u8>>,

    /// Say what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &SetArgs) -> CommandResult {
    let edit = |flag: &str, text: &Option<String>| match text.as_deref() {
        None => Ok(None),
        Some("none") => Ok(Some(Edit::Away)),
        Some(text) => amount(flag, text).map(|usd| Some(Edit::To(usd))),
    };
    let edits = Edits {
        call: edit("--per-call", &args.per_call)?,
        task: edit("--per-task", &args.per_task)?,
        pull_request: edit("--per-pr", &args.per_pr)?,
        month: edit("--per-month", &args.per_month)?,
        alerts: args.alerts.clone(),
    };
    let is_nothing = [edits.call, edits.task, edits.pull_request, edits.month]
        .iter()
        .all(Option::is_none)
        && edits.alerts.is_none();
    if is_nothing {
        return Err(
            CommandError::message(ErrorKind::Usage, "nothing is to be changed")
                .hint("say what, for example `--per-pr 5`"),
        );
    }
    let path = session.maestro_dir().join("ci_budget.json");
    let shown = session.shown(&path);
    let old = read_if_there(session, &path)?.unwrap_or_default();
    let bad = |problem: crate::budget::caps::CapsProblem| {
        problem.reported(&shown).hint("nothing was written")
    };
    let before = Caps::read(&old).map_err(bad)?;
    let new = edits.apply(&old).map_err(bad)?;
    let after = Caps::read(&new).map_err(bad)?;
    let document = SetDocument {
        schema: "maestro.budget-set/v1",
        dry_run: args.dry_run,
        is_changed: before != after,
        before: CapsRow::new(&before),
        after: CapsRow::new(&after),
        file: shown.clone(),
    };
    if document.is_changed && !args.dry_run {
        let files = session.world.files.as_ref();
        files
            .write_atomic(&path, &mut |out| out.write_all(&new))
            .map_err(|error| CommandError::writing(&path, error))?;
    }
    session.render(&document)?;
    Ok(ExitCode::Success)
}

/// How much may be spent, in US dollars.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct CapsRow {
    /// On one call of a model; nothing where there is no cap.
    per_call: Option<String>,
    /// On one task of a run.
    per_task: Option<String>,
    /// On one pull request.
    per_pull_request: String,
    /// In a calendar month (UTC).
    per_month: Option<String>,
    /// Shares of a cap, in hundredths, at which people hear of it.
    alerts: Vec<u8>,
}

impl CapsRow {
    pub(super) fn new(caps: &Caps) -> Self {
        let text = |usd: Option<Usd>| usd.map(|usd| usd.to_string());
        Self {
            per_call: text(caps.call),
            per_task: text(caps.task),
            per_pull_request: caps.pull_request.to_string(),
            per_month: text(caps.month),
            alerts: caps.alerts.clone(),
        }
    }

    /// Returns the cap of a pull request, or of a month.
    pub(super) fn of(&self, pull_request: bool) -> &str {
        if pull_request {
            return &self.per_pull_request;
        }
        self.per_month.as_deref().unwrap_or_default()
    }

    fn cells(&self) -> [(&'static str, String); 5] {
        let dollars = |usd: &Option<String>| match usd {
            Some(usd) => format!("${usd}"),
            None => "none".to_owned(),
        };
        let alerts: Vec<String> = self
            .alerts
            .iter()
            .map(|share| format!("{share} %"))
            .collect();
        [
            ("A call", dollars(&self.per_call)),
            ("A task", dollars(&self.per_task)),
            ("A pull request", format!("${}", self.per_pull_request)),
            ("A month", dollars(&self.per_month)),
            ("Alerts", alerts.join(", ")),
        ]
    }
}

/// What was changed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.budget-set/v1"))]
pub(crate) struct SetDocument {
    /// `maestro.budget-set/v1`
    schema: &'static str,
    /// Whether nothing was to be written.
    dry_run: bool,
    /// The file.
    file: String,
    /// Whether anything is another than before.
    is_changed: bool,
    before: CapsRow,
    after: CapsRow,
}

impl Report for SetDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(out, self).map_err(io::Error::from)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(match (self.is_changed, self.dry_run) {
            (false, _) => format!("{} says so already", self.file),
            (true, true) => format!("Would change {}", self.file),
            (true, false) => format!("Changed {}; it counts on the base branch", self.file),
        });
        let rows = self.before.cells().into_iter().zip(self.after.cells());
        let rows = rows.map(|((what, before), (_, after))| {
            vec![Cell::plain(what), Cell::plain(before), Cell::plain(after)]
        });
        page.table(
            vec![
                Column::left("Cap"),
                Column::right("Before"),
                Column::right("Now"),
            ],
            rows.collect(),
        );
        page
    }
}
