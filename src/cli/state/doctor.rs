//! `maestro state doctor`

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::verify::DamageRow;
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::v1::LineProblem;

/// Say what is wrong with the state, and repair it
///
/// Without --repair nothing is changed. With it, each damaged line is moved, byte for byte, to the folder `aside` of the
/// state, and every other line stays as it is. Events of a newer version are no damage and stay. Exits with 65 when
/// something was damaged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what is wrong
    $ maestro state doctor

  Repair it
    $ maestro state doctor --repair")]
pub(crate) struct DoctorArgs {
    /// Set damaged lines aside
    #[arg(long)]
    repair: bool,
}

pub(super) fn run(session: &mut Session<'_>, args: &DoctorArgs) -> CommandResult {
    let state = session.state()?;
    let (mut survey, aside) = if args.repair {
        state.repair()?
    } else {
        (state.check()?, Vec::new())
    };
    let before = survey.damage.len();
    survey
        .damage
        .retain(|damage| !matches!(damage.problem, LineProblem::OtherSchema(_)));
    let newer = (before - survey.damage.len()) as u64;
    let damage = DamageRow::all(session, &survey);
    let aside = aside.iter().map(|path| session.shown(path)).collect();
    let document = DoctorDocument {
        schema: "maestro.state-doctor/v1",
        repaired: args.repair,
        events: survey.events,
        newer,
        damage,
        aside,
    };
    session.render(&document)?;
    if newer > 0 {
        session.ui.warn(&format!(
            "{} of a newer version left as they are; a newer maestro reads them",
            times(newer, "event")
        ));
    }
    if document.damage.is_empty() {
        return Ok(ExitCode::Success);
    }
    let hint = if args.repair {
        "send the lines in `aside` with a bug report, or delete them; the state is sound again"
    } else {
        "`maestro state doctor --repair` sets them aside"
    };
    session.ui.hint(hint);
    Ok(ExitCode::BadInput)
}

/// What was damaged, and where it was put.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "maestro.state-doctor/v1")]
pub(crate) struct DoctorDocument {
    /// `maestro.state-doctor/v1`
    schema: &'static str,
    /// Whether the damage was to be repaired.
    repaired: bool,
    /// Sound events.
    events: u64,
    /// Events of a newer version; they stay.
    newer: u64,
    /// Lines that cannot be used.
    damage: Vec<DamageRow>,
    /// Files that now hold those lines.
    aside: Vec<String>,
}

impl Report for DoctorDocument {
    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        Ok(serde_json::to_writer(out, self)?)
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        page.heading(format!(
            "State: {}, {}",
            times(self.events, "sound event"),
            times(self.damage.len() as u64, "damaged line")
        ));
        if !self.damage.is_empty() {
            DamageRow::table(&self.damage, &mut page);
        }
        for path in &self.aside {
            page.line(vec![
                Inline::Plain("set aside in ".into()),
                Inline::Code(path.clone()),
            ]);
        }
        page
    }
}
