//! A command that stands in for this process: it has the streams, hears the signals, and is held to a time.

use std::io::{self, IsTerminal as _};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::wrapped::{Group, Stops, Wrapped};
use crate::exec::Ending;
use crate::ports::relay::CommandEnd;
use crate::ports::{Call, Leash};

/// Longer than anything runs.
const NEVER: Duration = Duration::from_hours(24 * 365);

#[cfg(unix)]
const TERM: i32 = rustix::process::Signal::TERM.as_raw();
#[cfg(not(unix))]
const TERM: i32 = 15;

pub(super) fn pass(call: &Call, leash: &Leash) -> io::Result<Ending> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    runtime.block_on(wait(call, leash))
}

async fn wait(call: &Call, leash: &Leash) -> io::Result<Ending> {
    let mut stops = Stops::listen()?;
    // A group of its own may not read from the terminal, so that a person's command stays in ours.
    let group = if io::stdin().is_terminal() {
        Group::Ours
    } else {
        Group::Own
    };
    let mut command = Wrapped::start(call, group)?;
    let mut asked = 0;
    let mut is_late = false;
    let mut limit = pin!(tokio::time::sleep(leash.within.unwrap_or(NEVER)));
    let ended = loop {
        let happened = std::future::poll_fn(|context| {
            if let Poll::Ready(signal) = stops.poll(context) {
                return Poll::Ready(Happened::Asked(signal));
            }
            if let Poll::Ready(end) = command.poll(context) {
                return Poll::Ready(Happened::Over(end));
            }
            Future::poll(limit.as_mut(), context).map(|()| Happened::Late)
        });
        let now = tokio::time::Instant::now();
        match happened.await {
            Happened::Over(end) => break end?,
            Happened::Asked(signal) => {
                asked += 1;
                if asked == 1 {
                    command.tell(signal);
                } else {
                    command.kill();
                }
            }
            Happened::Late if is_late => {
                command.kill();
                limit.as_mut().reset(now + NEVER);
            }
            Happened::Late => {
                is_late = true;
                command.tell(TERM);
                limit.as_mut().reset(now + leash.grace);
            }
        }
    };
    if is_late {
        // What the command started may not outlive its time either.
        command.kill();
        return Ok(Ending::TimedOut);
    }
    Ok(match ended {
        CommandEnd::Exited(code) => Ending::Exited(code),
        CommandEnd::Killed(signal) => Ending::Killed(signal),
    })
}

enum Happened {
    Asked(i32),
    Over(io::Result<CommandEnd>),
    Late,
}
