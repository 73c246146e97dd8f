//! The process's own output streams.

use std::io::{self, IsTerminal};

use crate::ports::Stream;

/// Large writes are gathered here; `Ui` flushes at the end and hears about a full disk or closed pipe then.
const BUFFER: usize = 64 * 1024;

pub(super) fn stdout() -> Stream {
    let stream = io::stdout();
    let is_terminal = stream.is_terminal();
    Stream {
        writer: Box::new(io::BufWriter::with_capacity(BUFFER, stream)),
        is_terminal,
    }
}

pub(super) fn stderr() -> Stream {
    let stream = io::stderr();
    let is_terminal = stream.is_terminal();
    Stream {
        writer: Box::new(stream),
        is_terminal,
    }
}
