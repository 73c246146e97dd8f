//! `maestro run-agents show`: a run told afterwards.

use std::io::{self, Write};
use std::path::PathBuf;

use super::place;
use super::wire::dollars;
use crate::agents::account::gist;
use crate::agents::page;
use crate::agents::story::{StepRow, Story, TurnRow, tell};
use crate::cli::session::Session;
use crate::cli::trouble::no_repository;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit_code::ExitCode;
use crate::output::{Cell, Column, Page, Report};
use crate::ports::trees::RunStore;

/// Tell a run: who did what when, what it cost, what was decided, what changed
///
/// From the run's journal, whether it ended or not. `--html` leaves a page that needs nothing else.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  A run by its id
    $ maestro run-agents show mend

  The same as a page
    $ maestro run-agents show mend --html run.html")]
pub(crate) struct ShowArgs {
    /// Its id, or a journal
    #[arg(value_name = "RUN")]
    run: String,

    /// Write a page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A story, for every format.
struct Told(Story);

/// A diff is not shown further than this.
const LONGEST_DIFF: usize = 4 * 1024 * 1024;

pub(super) fn run(session: &mut Session<'_>, args: &ShowArgs) -> CommandResult {
    let checkout = session.checkout.as_ref().map_err(no_repository)?.clone();
    let path = place::journal_path(session, &checkout, &args.run);
    let recording = place::recording(session, &path)?;
    let Some(head) = &recording.head else {
        let message = format!("`{}` has no beginning", path.display());
        return Err(CommandError::message(ErrorKind::BadInput, message)
            .hint("give the journal of a run as `maestro run-agents` wrote it"));
    };
    let story = tell(head, &recording.records, &recording.times);
    if let Some(file) = &args.html {
        let mut diff = String::new();
        if let Some(folder) = path.parent()
            && let Some(commit) = &story.commit
        {
            let of_run = RunStore {
                git_dir: folder.join("store.git"),
            };
            // A journal that came alone has no repository beside it.
            if let Ok(bytes) = session.world.trees.diff(&of_run, &story.base, commit) {
                diff = String::from_utf8_lossy(&bytes).into_owned();
                diff.truncate(diff.floor_char_boundary(LONGEST_DIFF));
            }
        }
        let page = page::html(&story, &diff);
        let file = session.base.join(file);
        let files = session.world.files.as_ref();
        let written = files.write_atomic(&file, &mut |out| out.write_all(page.as_bytes()));
        written.map_err(|error| CommandError::writing(&file, error))?;
        session.ui.status(&format!("written to {}", file.display()));
    }
    session.render(&Told(story))?;
    Ok(ExitCode::Success)
}

fn seconds(ms: Option<i64>) -> String {
    ms.map_or_else(String::new, |ms| {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    })
}

/// A question to the planner, in the columns of turns.
fn asked(number: usize, step: &StepRow) -> Vec<Cell> {
    vec![
        Cell::plain(seconds(step.from_ms)),
        Cell::plain("plan"),
        Cell::plain("planner"),
        Cell::plain(number.to_string()),
        Cell::plain("asked"),
        Cell::plain(seconds(step.took_ms)),
        Cell::plain(""),
        Cell::plain(""),
    ]
}

fn row(turn: &TurnRow) -> Vec<Cell> {
    let why = gist(turn.why.as_deref().unwrap_or_default());
    vec![
        Cell::plain(seconds(turn.from_ms)),
        Cell::plain(turn.task.clone()),
        Cell::plain(turn.role.clone()),
        Cell::plain(turn.number.to_string()),
        Cell::plain(turn.end),
        Cell::plain(seconds(turn.took_ms)),
        Cell::plain(dollars(&turn.usd)),
        Cell::plain(why.chars().take(80).collect::<String>()),
    ]
}

impl Report for Told {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, &self.0)?)
    }

    fn page(&self) -> Page {
        let story = &self.0;
        let mut page = Page::default();
        page.heading(format!("Run {}: {}", story.run, story.outcome));
        page.text(format!(
            "{}. Began {}{}, cost {}.",
            story.title,
            story.began,
            story
                .took_ms
                .map_or_else(String::new, |ms| format!(", took {}", seconds(Some(ms)))),
            dollars(&story.spent_usd)
        ));
        let head = vec![
            Column::right("at"),
            Column::left("task"),
            Column::left("role"),
            Column::right("try"),
            Column::left("end"),
            Column::right("took"),
            Column::right("cost"),
            Column::left("why"),
        ];
        let planning = story.planning.iter().filter(|step| step.what == "model");
        let planning = (1..)
            .zip(planning)
            .map(|(number, step)| asked(number, step));
        page.table(head, planning.chain(story.turns.iter().map(row)).collect());
        for turn in &story.turns {
            for said in &turn.says {
                let kind = said["type"].as_str().unwrap_or_default();
                let words = said["summary"].as_str().or_else(|| said["title"].as_str());
                if let Some(words) = words.filter(|words| !words.is_empty()) {
                    page.text(format!("{} ({kind}): {words}", turn.task));
                }
            }
        }
        page
    }
}
