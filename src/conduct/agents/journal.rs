//! The journal of a run on disk: whoever wants a line to be durable waits for the disk together with everybody else.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::agents::record::{Chain, Record};
use crate::ports::Clock;
use crate::ports::log_file::LogFile;

struct State {
    chain: Chain,
    /// What is not in the file.
    buffer: Vec<u8>,
    /// Lines in the buffer or the file, of this process.
    added: u64,
    /// Of these, lines on the disk.
    durable: u64,
    /// Why nothing is written any more.
    broken: Option<String>,
    is_closed: bool,
}

/// A journal that nobody keeps.
pub(crate) struct Forgets;

impl LogFile for Forgets {
    fn read_from(&self, _: u64) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
    fn append(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn cut(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The journal of a run. Lines are added at once and written by [`Journal::keep_writing`].
pub(crate) struct Journal {
    log: Box<dyn LogFile>,
    clock: Option<Arc<dyn Clock>>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Journal {
    /// Goes on after what a file holds; `chain` is at its last line.
    pub(crate) fn new(log: Box<dyn LogFile>, chain: Chain, clock: Option<Arc<dyn Clock>>) -> Self {
        let state = State {
            chain,
            buffer: Vec::new(),
            added: 0,
            durable: 0,
            broken: None,
            is_closed: false,
        };
        Self {
            log,
            clock,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let state = self.changed.wait(state);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line, and returns its number; it is not durable yet.
    pub(crate) fn add(&self, record: &Record) -> io::Result<u64> {
        let mut state = self.lock();
        if let Some(why) = &state.broken {
            return Err(io::Error::other(why.clone()));
        }
        let ms = self
            .clock
            .as_ref()
            .map(|clock| clock.now().as_millisecond());
        let State { chain, buffer, .. } = &mut *state;
        chain.line(record, ms, buffer)?;
        state.added += 1;
        let number = state.added;
        drop(state);
        self.changed.notify_all();
        Ok(number)
    }

    /// Adds a line, and waits until it is on the disk.
    pub(crate) fn keep(&self, record: &Record) -> io::Result<()> {
        let number = self.add(record)?;
        let mut state = self.lock();
        loop {
            if state.durable >= number {
                return Ok(());
            }
            if let Some(why) = &state.broken {
                return Err(io::Error::other(why.clone()));
            }
            state = self.wait(state);
        }
    }

    /// Lets the writer end when it has written everything.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Lets lines be written again after [`Journal::close`].
    pub(crate) fn open(&self) {
        self.lock().is_closed = false;
    }

    /// Writes lines as they come until the journal is closed, and tells how many are on the disk after each flush. A failed flush is the last:
    /// the system forgets what it could not write.
    pub(crate) fn keep_writing(&self, tell: &dyn Fn(Result<u64, String>)) {
        let mut state = self.lock();
        loop {
            while state.buffer.is_empty() && !state.is_closed {
                state = self.wait(state);
            }
            if state.buffer.is_empty() {
                return;
            }
            let bytes = std::mem::take(&mut state.buffer);
            let number = state.added;
            drop(state);
            let done = self.log.append(&bytes).and_then(|()| self.log.sync());
            state = self.lock();
            match done {
                Ok(()) => {
                    state.durable = number;
                    tell(Ok(number));
                }
                Err(error) => {
                    let why = error.to_string();
                    state.broken = Some(why.clone());
                    tell(Err(why));
                    self.changed.notify_all();
                    return;
                }
            }
            self.changed.notify_all();
        }
    }
}
