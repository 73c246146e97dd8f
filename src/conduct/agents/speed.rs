//! Runs of tasks that do nothing, for the benchmark.

use std::collections::VecDeque;
use std::path::Path;

use super::drive::{Drive, Ended, Tell, Worker};
use super::journal::Journal;
use crate::agents::graph::{Graph, TaskNo};
use crate::agents::record::{Chain, Work};
use crate::agents::step::{End, Halt, Limits, State, Turn};
use crate::ports::World;

/// How tasks depend on each other.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Each on the one before.
    Chain,
    /// All on the first.
    Fan,
}

struct Idle;

impl Worker for Idle {
    fn begin(&self, turn: Turn, _: &Tell) -> Option<Ended> {
        Some(Ended {
            turn,
            end: End::Done,
            work: Work::default(),
        })
    }
    fn ended(&self, _: &Ended) {}
    fn halt(&self, _: Halt) {}
}

fn state(tasks: u32, shape: Shape, width: u32) -> State {
    let needs = (0..tasks).map(|at| match (shape, at) {
        (_, 0) => Vec::new(),
        (Shape::Chain, at) => vec![TaskNo(at - 1)],
        (Shape::Fan, _) => vec![TaskNo(0)],
    });
    let needs: Vec<Vec<TaskNo>> = needs.collect();
    let graph = Graph::new(&needs).unwrap_or_default();
    State::new(graph, Limits { width, tries: 3 })
}

/// Goes through a graph without a journal; false when not every task was done.
pub fn memory(tasks: u32, shape: Shape, width: u32) -> bool {
    let mut state = state(tasks, shape, width);
    let drive = Drive {
        journal: None,
        worker: &Idle,
        past: VecDeque::new(),
        within: None,
    };
    drive.run(&mut state).is_ok() && state.is_complete()
}

/// Goes through a graph with a journal in a folder: each intent is on the disk before its task begins.
pub fn durable(folder: &Path, tasks: u32, shape: Shape, width: u32) -> bool {
    let world = World::real();
    let Ok(log) = world.files.log(&folder.join("journal.ndjson")) else {
        return false;
    };
    let journal = Journal::new(log, Chain::default(), Some(world.clock.shared()));
    let mut state = state(tasks, shape, width);
    let drive = Drive {
        journal: Some(&journal),
        worker: &Idle,
        past: VecDeque::new(),
        within: None,
    };
    drive.run(&mut state).is_ok() && state.is_complete()
}

/// Appends a line of the usual length and waits for the disk, so many times.
pub fn flushes(folder: &Path, count: u32) -> bool {
    let world = World::real();
    let Ok(log) = world.files.log(&folder.join("flushes")) else {
        return false;
    };
    (0..count).all(|_| log.append(&[b'x'; 200]).and_then(|()| log.sync()).is_ok())
}
