//! The team of a run: what flags say of it, and what the configuration says where they do not.

use std::collections::BTreeMap;

use super::RunAgentsArgs;
use super::oracle::TaskCaps;
use super::place::Place;
use crate::agents::record::Record;
use crate::agents::roster::{Roster, RosterProblem, both, roster};
use crate::cli::session::Session;
use crate::cli::trouble::Reported;
use crate::config::agents::RoleFile;
use crate::error::{CommandError, ErrorKind};
use crate::money::Usd;

/// What is chosen of a team.
pub(super) struct TeamChoice {
    pub(super) width: u32,
    pub(super) tries: u8,
    pub(super) tasks: usize,
    /// None where nobody chose any.
    pub(super) commands: Vec<String>,
    pub(super) roles: BTreeMap<String, RoleFile>,
}

/// What a run may cost where nobody says.
const CAP: Usd = Usd::from_pico(10_000_000_000_000);

fn bad(message: String) -> CommandError {
    CommandError::message(ErrorKind::BadConfig, message)
        .hint("`maestro util schema config` prints what may stand where")
}

impl Reported for RosterProblem {
    fn reported(self, _of: &str) -> CommandError {
        let hint = self.hint();
        CommandError::new(ErrorKind::BadConfig, self).hint(hint)
    }
}

/// Returns what a run may cost at most.
pub(super) fn cap(session: &Session<'_>, args: &RunAgentsArgs) -> Result<Usd, CommandError> {
    if let Some(cap) = args.max_usd {
        return Ok(cap);
    }
    let Some(amount) = &session.config.agents.max_usd else {
        return Ok(CAP);
    };
    let text = amount.text();
    let read = text.parse();
    read.map_err(|error| bad(format!("`agents.max_usd` is `{text}`: {error}")))
}

/// Puts together what flags and the configuration say.
pub(super) fn team(
    session: &Session<'_>,
    args: &RunAgentsArgs,
) -> Result<TeamChoice, CommandError> {
    let file = &session.config.agents;
    let number = |key: &str, given: Option<u32>, set: Option<u32>, otherwise: u32, most: u32| {
        let chosen = given.or(set).unwrap_or(otherwise);
        if (1..=most).contains(&chosen) {
            return Ok(chosen);
        }
        Err(bad(format!(
            "`agents.{key}` is {chosen}, and may be from 1 to {most}"
        )))
    };
    let wide = |number: Option<u8>| number.map(u32::from);
    let tries = number(
        "max_attempts",
        wide(args.tries),
        wide(file.max_attempts),
        3,
        9,
    )?;
    let mut roles = file.roles.clone();
    roster(&roles).map_err(|problem| problem.reported(""))?;
    for role in roles.values_mut() {
        if args.tries.is_some() {
            role.max_attempts = None;
        }
        if !args.allow_command.is_empty() {
            // Where nothing is left of its own, it has what everybody has.
            role.commands = both(&role.commands, &args.allow_command);
        }
    }
    let commands = if args.allow_command.is_empty() {
        file.commands.clone()
    } else {
        args.allow_command.clone()
    };
    if let Some((command, fault)) = commands.iter().find_map(|command| {
        let fault = crate::agents::words::words(command).err()?;
        Some((command, fault))
    }) && args.allow_command.is_empty()
    {
        return Err(bad(format!(
            "`agents.commands` has `{command}`, which {fault}"
        )));
    }
    Ok(TeamChoice {
        width: number("concurrency", args.width, file.concurrency, 4, 64)?,
        tries: u8::try_from(tries).unwrap_or(u8::MAX),
        tasks: number("max_tasks", args.max_tasks, file.max_tasks, 12, 200)? as usize,
        commands,
        roles,
    })
}

/// Returns the roles that a run was begun with.
pub(super) fn of_place(place: &Place) -> Result<Roster, CommandError> {
    roster(&place.chosen.roles).map_err(|problem| problem.reported(""))
}

/// Returns the caps of tasks, and what a recording says that tasks spent.
pub(super) fn task_caps(place: &Place, roster: &Roster) -> TaskCaps {
    let roles = roster.roles.iter();
    let caps = roles.filter_map(|role| Some((role.name.clone(), role.cap?)));
    let mut spent: BTreeMap<String, Usd> = BTreeMap::new();
    for record in &place.recording.records {
        if let Record::Outcome { step, result } = record
            && let Some((task, _)) = step.split_once('/')
            && let Some(usd) = result["usd"].as_str().and_then(|usd| usd.parse().ok())
        {
            let sum = spent.entry(task.to_owned()).or_default();
            *sum = sum.saturating_add(usd);
        }
    }
    TaskCaps {
        caps: crate::order::map(caps),
        spent,
    }
}
