//! One flush for all who wait: whoever comes while a flush is under way waits for the next one, together with everybody else.

use std::io;
use std::sync::{Condvar, Mutex};

use super::lock;

#[derive(Debug)]
struct State {
    /// How much of the file is on the disk.
    reached: u64,
    /// How much somebody waits for.
    wanted: u64,
    is_flushing: bool,
    is_broken: bool,
}

/// How much of a file is on the disk.
pub(super) struct Durable {
    state: Mutex<State>,
    changed: Condvar,
}

impl Durable {
    pub(super) fn new(reached: u64) -> Self {
        let state = State {
            reached,
            wanted: reached,
            is_flushing: false,
            is_broken: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Whether the disk failed. After a failed flush the next one may lie: the system forgets what it could not write.
    pub(super) fn is_broken(&self) -> bool {
        lock(&self.state).is_broken
    }

    pub(super) fn break_down(&self) {
        lock(&self.state).is_broken = true;
        self.changed.notify_all();
    }

    /// Waits until the file is on the disk up to a place.
    pub(super) fn reach(&self, end: u64, flush: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.wanted = state.wanted.max(end);
        loop {
            if state.reached >= end {
                return Ok(());
            }
            if state.is_broken {
                return Err(io::Error::other("an earlier write to the disk failed"));
            }
            if state.is_flushing {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                continue;
            }
            state.is_flushing = true;
            let target = state.wanted;
            drop(state);
            let done = flush();
            state = lock(&self.state);
            state.is_flushing = false;
            match done {
                Ok(()) => state.reached = state.reached.max(target),
                Err(error) => {
                    state.is_broken = true;
                    self.changed.notify_all();
                    return Err(error);
                }
            }
            self.changed.notify_all();
        }
    }
}
