//! A run from its first line to its last: the plan, the turns, and what is good of them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::drive::{Drive, DriveProblem, Ended, Message, Tell, Worker};
use super::journal::Journal;
use super::recording::{Final, Recording};
use super::steps::{Abandon, Steps};
use super::team::{Left, Team};
use crate::agents::graph::TaskNo;
use crate::agents::record::Record;
use crate::agents::step::{Event, Halt, Limits, Phase, State, Turn};

/// Why a run ended without having come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunProblem {
    #[error(transparent)]
    Drive(#[from] DriveProblem),
    #[error(transparent)]
    Abandon(#[from] Abandon),
    #[error("turn {turn:?} ended otherwise than recorded: {what}")]
    Other { turn: Turn, what: String },
}

/// Where a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) state: State,
    /// What all that is done comes to.
    pub(crate) left: Option<Left>,
    pub(crate) last: Final,
    /// What went wrong at the end, where work that is done does not fit together.
    pub(crate) conflict: Option<String>,
}

/// Threads that work on turns, as many as may be worked on at once.
struct Pool<'p, 't> {
    team: &'p Team<'t>,
    steps: &'p Steps<'t>,
    queue: Mutex<Option<Sender<(Turn, Tell)>>>,
    /// Why turns were abandoned.
    trouble: Mutex<Vec<Abandon>>,
}

impl Worker for Pool<'_, '_> {
    fn begin(&self, turn: Turn, tell: &Tell) -> Option<Ended> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(queue) = &*queue {
            // The threads outlive the driver.
            let _taken = queue.send((turn, tell.clone()));
        }
        None
    }

    fn ended(&self, ended: &Ended) {
        self.team.heard(ended);
    }

    fn halt(&self, halt: Halt) {
        // Money that is spent lets what is paid for come to its end.
        if halt != Halt::Budget {
            self.steps.stop();
        }
    }
}

impl Pool<'_, '_> {
    fn work(&self, queue: &Mutex<Receiver<(Turn, Tell)>>) {
        loop {
            let next = queue
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .recv();
            let Ok((turn, tell)) = next else { return };
            let message = match self.team.work(turn) {
                Ok(ended) => Message::Ended(Box::new(ended)),
                Err(abandon) => {
                    let is_wanted = matches!(abandon, Abandon::Stopped);
                    if !is_wanted {
                        self.steps.stop();
                        let mut trouble = self
                            .trouble
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        trouble.push(abandon);
                    }
                    Message::Left(turn)
                }
            };
            // Nobody hears it when the run is over.
            let _heard = tell.send(message);
        }
    }

    fn close(&self) {
        *self
            .queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

/// Works on a plan until nothing is left to do.
pub(crate) fn carry_out(
    team: &Team<'_>,
    journal: &Journal,
    limits: Limits,
    past: VecDeque<Ended>,
    within: Option<Duration>,
) -> Result<State, RunProblem> {
    let (send, receive) = channel();
    let pool = Pool {
        team,
        steps: team.steps,
        queue: Mutex::new(Some(send)),
        trouble: Mutex::default(),
    };
    let receive = Mutex::new(receive);
    let mut state = State::new(team.graph.clone(), limits).with_tries(&team.limits());
    let done = std::thread::scope(|scope| {
        for _ in 0..limits.width {
            scope.spawn(|| pool.work(&receive));
        }
        let drive = Drive {
            journal: Some(journal),
            worker: &pool,
            past,
            within,
        };
        let done = drive.run(&mut state);
        pool.close();
        done
    });
    let trouble = pool
        .trouble
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done?;
    match trouble.into_iter().next() {
        Some(abandon) => Err(abandon.into()),
        None => Ok(state),
    }
}

/// Plays a recording again, turn by turn in the recorded order, and holds each end against the recorded one.
pub(crate) fn play(
    team: &Team<'_>,
    limits: Limits,
    recording: &Recording,
) -> Result<State, RunProblem> {
    let mut state = State::new(team.graph.clone(), limits).with_tries(&team.limits());
    let mut effects = Vec::new();
    crate::agents::step::step(&mut state, Event::Started, &mut effects);
    for (turn, end, work) in &recording.ended {
        let ended = team.work(*turn)?;
        let other = |what: &str| RunProblem::Other {
            turn: *turn,
            what: what.to_owned(),
        };
        if ended.end != *end {
            return Err(other("its end is another one"));
        }
        if (&ended.work.tree, &ended.work.commit) != (&work.tree, &work.commit) {
            return Err(other("it left other files"));
        }
        if ended.work.why != work.why || ended.work.usd != work.usd {
            return Err(other("its words or its cost are others"));
        }
        let said = |entries: &[crate::agents::board::Entry]| -> Vec<_> {
            entries
                .iter()
                .map(|entry| (entry.version, entry.body.clone()))
                .collect()
        };
        if said(&ended.work.entries) != said(&work.entries) {
            return Err(other("it wrote something else on the blackboard"));
        }
        team.heard(&ended);
        effects.clear();
        crate::agents::step::step(&mut state, Event::Ended(*turn, end.clone()), &mut effects);
    }
    for halt in &recording.halts {
        crate::agents::step::step(&mut state, Event::Halted(*halt), &mut effects);
    }
    Ok(state)
}

/// Puts together all that is done, and says how it ended.
pub(crate) fn conclude(team: &Team<'_>, state: State) -> Result<Outcome, RunProblem> {
    let done: Vec<TaskNo> = state
        .graph()
        .order()
        .iter()
        .copied()
        .filter(|task| state.phase(*task) == Phase::Done)
        .collect();
    // A task's work has that of all it depends on in it.
    let is_last = |task: &&TaskNo| {
        let mut feeds = state.graph().feeds(**task).iter();
        !feeds.any(|next| state.phase(*next) == Phase::Done)
    };
    let last: Vec<TaskNo> = done.iter().filter(is_last).copied().collect();
    let (left, conflict) = match team.merged(&last)? {
        Ok(left) => (Some(left), None),
        Err((task, why)) => {
            let why = format!(
                "`{}` does not go together with the rest: {why}",
                team.specs[task.at()].id
            );
            (None, Some(why))
        }
    };
    let is_fine = state.is_complete() && conflict.is_none();
    let board = team.shared().board.digest().to_string();
    let outcome = match (is_fine, state.halted()) {
        (true, _) => "complete",
        (false, Some(Halt::Budget)) => "stopped-by-budget",
        (false, Some(Halt::Deadline)) => "stopped-by-deadline",
        (false, Some(Halt::Asked)) => "stopped",
        (false, None) if done.is_empty() => "failed",
        (false, None) => "partial",
    };
    let last = Final {
        outcome: outcome.to_owned(),
        commit: left.as_ref().map(|left| left.commit.clone()),
        tree: left.as_ref().map(|left| left.tree.clone()),
        board,
    };
    Ok(Outcome {
        state,
        left,
        last,
        conflict,
    })
}

/// Returns the last line of a journal.
pub(crate) fn over(last: &Final) -> Record {
    Record::Over {
        outcome: last.outcome.clone(),
        commit: last.commit.clone(),
        tree: last.tree.clone(),
        board: last.board.clone(),
    }
}

/// Returns the turns of a recording that ended, for a driver.
pub(crate) fn past(recording: &Recording) -> VecDeque<Ended> {
    let ended = recording.ended.iter().cloned();
    ended
        .map(|(turn, end, work)| Ended { turn, end, work })
        .collect()
}
