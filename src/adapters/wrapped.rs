//! A command that inherits the terminal and is waited for while something else goes on, and the signals that are meant for it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use super::processes::prepare;
use crate::ports::Call;
use crate::ports::relay::CommandEnd;

/// Who hears the signals that a command is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// The command alone; what the terminal sends to this process's group, it hears as well.
    Ours,
    /// All that the command starts.
    Own,
}

pub(super) struct Wrapped {
    #[cfg(unix)]
    id: rustix::process::Pid,
    #[cfg(unix)]
    group: Group,
    over: JoinHandle<io::Result<ExitStatus>>,
}

impl Wrapped {
    pub(super) fn start(call: &Call, group: Group) -> io::Result<Self> {
        let mut command = prepare(call);
        #[cfg(unix)]
        if group == Group::Own {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        #[cfg(not(unix))]
        let _there_are_none = group;
        let mut child = command.spawn()?;
        Ok(Self {
            #[cfg(unix)]
            id: rustix::process::Pid::from_child(&child),
            #[cfg(unix)]
            group,
            over: tokio::task::spawn_blocking(move || child.wait()),
        })
    }

    /// Passes a signal on. One that came from the terminal, the command has got as well.
    pub(super) fn tell(&self, signal: i32) {
        #[cfg(unix)]
        if !self.over.is_finished()
            && let Some(signal) = rustix::process::Signal::from_named_raw(signal)
        {
            let is_ours_alone = self.group == Group::Own
                || signal != rustix::process::Signal::INT
                || !io::IsTerminal::is_terminal(&io::stdin());
            if is_ours_alone {
                self.send(signal);
            }
        }
        #[cfg(not(unix))]
        let _there_are_none = signal;
    }

    #[cfg(unix)]
    fn send(&self, signal: rustix::process::Signal) {
        let _may_have_ended = match self.group {
            Group::Ours => rustix::process::kill_process(self.id, signal),
            Group::Own => rustix::process::kill_process_group(self.id, signal),
        };
    }

    /// Ends it at once, with all that it started where that is known, also what outlived it.
    pub(super) fn kill(&self) {
        #[cfg(unix)]
        if self.group == Group::Own || !self.over.is_finished() {
            self.send(rustix::process::Signal::KILL);
        }
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

/// Signals that ask a process to end.
pub(super) struct Stops {
    #[cfg(unix)]
    signals: Vec<(i32, tokio::signal::unix::Signal)>,
}

#[cfg(unix)]
impl Stops {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let signals = kinds
            .into_iter()
            .map(|kind| Ok((kind.as_raw_value(), signal(kind)?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { signals })
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<i32> {
        for (number, signal) in &mut self.signals {
            if signal.poll_recv(context).is_ready() {
                return Poll::Ready(*number);
            }
        }
        Poll::Pending
    }
}

#[cfg(not(unix))]
impl Stops {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(super) fn poll(&mut self, _: &mut Context<'_>) -> Poll<i32> {
        Poll::Pending
    }
}
