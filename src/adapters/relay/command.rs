//! A command that inherits the terminal, and is waited for while others are served.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::adapters::processes::prepare;
use crate::ports::Call;
use crate::ports::relay::CommandEnd;

pub(super) struct Wrapped {
    #[cfg(unix)]
    id: rustix::process::Pid,
    over: JoinHandle<io::Result<ExitStatus>>,
}

impl Wrapped {
    pub(super) fn start(call: &Call) -> io::Result<Self> {
        let mut child = prepare(call).spawn()?;
        Ok(Self {
            #[cfg(unix)]
            id: rustix::process::Pid::from_child(&child),
            over: tokio::task::spawn_blocking(move || child.wait()),
        })
    }

    /// Passes a signal on. One that came from the terminal, the command has got as well.
    pub(super) fn tell(&self, signal: i32) {
        #[cfg(unix)]
        if !self.over.is_finished()
            && let Some(signal) = rustix::process::Signal::from_named_raw(signal)
        {
            let is_ours_alone = signal != rustix::process::Signal::INT
                || !io::IsTerminal::is_terminal(&io::stdin());
            if is_ours_alone {
                let _may_have_ended = rustix::process::kill_process(self.id, signal);
            }
        }
        #[cfg(not(unix))]
        let _there_are_none = signal;
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<CommandEnd>> {
        Pin::new(&mut self.over).poll(context).map(|joined| {
            let status = joined.map_err(io::Error::other)??;
            Ok(end(status))
        })
    }
}

fn end(status: ExitStatus) -> CommandEnd {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return CommandEnd::Killed(signal);
    }
    CommandEnd::Exited(status.code().unwrap_or(1))
}
