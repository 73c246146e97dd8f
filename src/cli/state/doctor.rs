//! `maestro state doctor`

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::RemoteArgs;
use super::verify::DamageRow;
use crate::cli::session::Session;
use crate::error::CommandResult;
use crate::exit_code::ExitCode;
use crate::flakes::verdict::times;
use crate::output::{Inline, Page, Report};
use crate::state::v1::LineProblem;
use crate::state::{Damage, Recovered, Survey};

/// Say what is wrong with the state, and repair it
///
/// Without --repair nothing is changed. With it, each damaged line of this machine's state is moved, byte for byte, to the
/// folder `aside`, and every other line stays as it is. Where what was fetched is damaged, the state branch is put together
/// again from what is sound and from its last good commit, and what could not be found is named. Events of a newer version
/// are no damage and stay. Exits with 65 when something was damaged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  See what is wrong
    $ maestro state doctor

  Repair it
    $ maestro state doctor --repair")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Set damaged lines aside, and recover the state branch from its last good commit
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
    let is_remote = |damage: &Damage| damage.path.starts_with("refs");
    let mut recovered = None;
    let mut aside = aside;
    if args.repair && survey.damage.iter().any(is_remote) {
        let remote = session.remote(args.remote.remote.as_deref(), args.remote.deadline)?;
        let done = remote.recover()?;
        aside.extend(done.aside.iter().cloned());
        recovered = Some(RecoveredRow::new(session, &done));
    }
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
        recovered,
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
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(title = "maestro.state-doctor/v1"))]
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
    /// What became of the state branch, where it had to be recovered.
    recovered: Option<RecoveredRow>,
}

/// A recovery of the state branch.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RecoveredRow {
    /// The newest commit in which everything was sound; nothing when there was none.
    good: Option<String>,
    /// The commit of the branch afterwards.
    commit: Option<String>,
    /// Events that came back from the good commit.
    events: u64,
    /// Damaged lines that nothing was found for.
    lost: Vec<DamageRow>,
    /// Refs of the inbox with damage; what was sound in them is folded.
    refs: Vec<String>,
}

impl RecoveredRow {
    fn new(session: &Session<'_>, recovered: &Recovered) -> Self {
        let lost = Survey {
            damage: recovered.lost.clone(),
            ..Survey::default()
        };
        Self {
            good: recovered.good.clone(),
            commit: recovered.commit.clone(),
            events: recovered.events,
            lost: DamageRow::all(session, &lost),
            refs: recovered.refs.clone(),
        }
    }
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
        if let Some(recovered) = &self.recovered {
            page.text(match &recovered.good {
                Some(good) => format!(
                    "{} brought back from {good}; {} could not be",
                    times(recovered.events, "event"),
                    times(recovered.lost.len() as u64, "damaged line")
                ),
                None => format!(
                    "no good commit was found; {} could not be brought back",
                    times(recovered.lost.len() as u64, "damaged line")
                ),
            });
            if !recovered.lost.is_empty() {
                DamageRow::table(&recovered.lost, &mut page);
            }
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
