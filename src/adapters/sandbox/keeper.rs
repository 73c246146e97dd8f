//! The keeper: shuts itself in, starts the program, ends it when its time or its share is over, and all that it started with it.
//!
//! The main thread stays outside of what shuts the program in, so that the program can neither see nor stop it; a thread of its
//! own goes in and starts the program there, for Landlock, seccomp, capabilities and namespaces are a thread's.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use super::wire::{self, Answer};
use super::{limits, watch};
use crate::ports::sandbox::{Confined, How, Limit, Shield};

/// How often it is counted what the program uses.
const TICK: Duration = Duration::from_millis(50);

/// How long processes may take to die.
const DYING: Duration = Duration::from_secs(10);

/// What shuts the program in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ground {
    /// The version of Landlock.
    pub(super) abi: u8,
    /// Whether a signal to everybody reaches those that the keeper started, and nobody else.
    pub(super) is_fenced: bool,
    /// Whether the program may get a network of its own.
    #[cfg(target_os = "linux")]
    pub(super) may_own: bool,
    /// A folder of memory of its own.
    #[cfg(target_os = "linux")]
    pub(super) shared: Option<&'static std::path::Path>,
}

/// What happens while a program runs.
enum Event {
    Reaped(Pid, WaitStatus),
    /// There are no processes left.
    Alone,
    /// Nobody waits for the answer any more.
    Abandoned,
}

/// A program that runs.
pub(super) struct Started {
    id: Pid,
    stdin: Option<ChildStdin>,
    /// Where the program's network takes what is for the gateway, when it has a network of its own.
    #[cfg(target_os = "linux")]
    door: Option<std::net::TcpListener>,
    owns_network: bool,
}

/// Keeps a program as standard input says, and answers there.
pub(super) fn keep() -> u8 {
    #[cfg(target_os = "linux")]
    close_inherited();
    let stream = std::io::stdin().as_fd().try_clone_to_owned();
    let Ok(mut stream) = stream.map(UnixStream::from) else {
        return 2;
    };
    let Ok(confined) = wire::receive(&mut stream) else {
        return 2;
    };
    let answer = guard(&confined, &stream);
    let sent = crate::json::text(&answer)
        .map_err(std::io::Error::from)
        .and_then(|line| writeln!(stream, "{line}"));
    u8::from(sent.is_err())
}

/// Closes what whoever started maestro left open: the program would inherit it, and no rule covers what is open already.
#[cfg(target_os = "linux")]
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The folder itself was one of them, and is closed by now.
        if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok() {
            let _is_closed = nix::unistd::close(number);
        }
    }
}

fn guard(confined: &Confined, stream: &UnixStream) -> Answer {
    let deadline = Instant::now() + Duration::from_millis(confined.limits.wall);
    // A session without a terminal: nothing can be typed into the user's.
    let _leads_one_already = rustix::process::setsid();
    let ground = match prepare(confined) {
        Ok(ground) => ground,
        Err(what) => return Answer::Unsupported(what),
    };
    let disk = watch::Disk::new(confined);
    limits::set(&confined.limits);
    let started = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, || start(confined, ground));
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(started)) => started,
            Ok(Err(_)) => Err(Answer::NotStarted("its starter failed".to_owned())),
            Err(error) => Err(Answer::NotStarted(error.to_string())),
        }
    });
    let mut started = match started {
        Ok(started) => started,
        Err(answer) => return answer,
    };
    #[cfg(target_os = "linux")]
    limits::set_cpu(started.id, &confined.limits);
    let events = listen(stream);
    feed(&mut started, confined);
    #[cfg(target_os = "linux")]
    if let (Some(door), crate::ports::sandbox::Network::Gateway(port)) =
        (started.door.take(), confined.network)
    {
        super::loopback::bridge(door, port);
    }
    let (mut how, limit) = watch_over(confined, &started, &events, deadline, &disk);
    let over = Instant::now() + DYING;
    let mut is_alone = false;
    while !is_alone && Instant::now() < over {
        watch::end_all(ground, started.id);
        // Those that are found one by one may have had children meanwhile, so it is done again until there are none.
        let pause = Instant::now() + Duration::from_millis(20);
        while let Ok(event) = events.recv_timeout(pause.saturating_duration_since(Instant::now())) {
            match event {
                Event::Reaped(id, status) if id == started.id => how = Some(told(status)),
                Event::Reaped(..) | Event::Abandoned => {}
                Event::Alone => {
                    is_alone = true;
                    break;
                }
            }
        }
    }
    if !is_alone {
        return Answer::Stuck;
    }
    let how = how.unwrap_or(How::Killed(Signal::KILL.as_raw()));
    Answer::Ended {
        how,
        limit: limit.or_else(|| limits::behind(how)),
        abi: ground.abi,
        own_network: started.owns_network,
    }
}

/// Prepares what the whole process shares.
fn prepare(confined: &Confined) -> Result<Ground, String> {
    #[cfg(target_os = "linux")]
    {
        // Whoever loses its parent becomes the keeper's child, and cannot get lost.
        let _is_only_convenient =
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        if confined.shield != Shield::Require {
            return Ok(Ground::default());
        }
        // Namespaces come first: there are no threads yet, and nobody who is fenced in may mount.
        let may_own = confined.pretend.is_none() && super::loopback::may_own();
        let shared = may_own.then(|| super::view::narrow(&confined.writable));
        let (abi, is_fenced) = super::fence::raise(confined.pretend)?;
        let _refused =
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
        Ok(Ground {
            abi,
            is_fenced,
            may_own,
            shared: shared.flatten(),
        })
    }
    #[cfg(not(target_os = "linux"))]
    if confined.shield == Shield::Require {
        Err(super::LINUX_ONLY.to_owned())
    } else {
        Ok(Ground::default())
    }
}

/// Goes in, and starts the program there. What this thread gives up it never gets back.
fn start(confined: &Confined, ground: Ground) -> Result<Started, Answer> {
    #[cfg(target_os = "linux")]
    let network = if confined.shield == Shield::Require {
        go_in(confined, ground).map_err(Answer::Unsupported)?
    } else {
        super::loopback::Own::default()
    };
    #[cfg(not(target_os = "linux"))]
    let _there_is_none = ground;
    let mut child = Command::new(&confined.program)
        .args(&confined.args)
        .env_clear()
        .envs(confined.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&confined.folder)
        .process_group(0)
        .stdin(if confined.stdin.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .spawn()
        .map_err(|error| Answer::NotStarted(error.to_string()))?;
    Ok(Started {
        id: Pid::from_child(&child),
        stdin: child.stdin.take(),
        #[cfg(target_os = "linux")]
        owns_network: network.is_own,
        #[cfg(target_os = "linux")]
        door: network.door,
        #[cfg(not(target_os = "linux"))]
        owns_network: false,
    })
}

#[cfg(target_os = "linux")]
fn go_in(confined: &Confined, ground: Ground) -> Result<super::loopback::Own, String> {
    let network = if ground.may_own {
        super::loopback::open(confined.network)?
    } else {
        super::loopback::Own::default()
    };
    limits::give_up_capabilities().map_err(|error| format!("capabilities stay: {error}"))?;
    super::rules::enforce(confined, ground.abi, network.is_own, ground.shared)?;
    super::calls::enforce(
        super::calls::Sockets::of(confined.network, network.is_own),
        ground.abi,
    )?;
    Ok(network)
}

/// Tells what happens to processes, and when nobody waits any more.
fn listen(stream: &UnixStream) -> Receiver<Event> {
    let (events, heard) = mpsc::channel();
    let reaper = events.clone();
    std::thread::spawn(move || reap(&reaper));
    if let Ok(mut stream) = stream.try_clone() {
        std::thread::spawn(move || {
            // Nothing more is ever sent, so this ends when the other side does.
            let _ended = stream.read(&mut [0]);
            let _nobody_waits = events.send(Event::Abandoned);
        });
    }
    heard
}

fn reap(events: &Sender<Event>) {
    loop {
        let event = match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((id, status))) => Event::Reaped(id, status),
            Ok(None) | Err(rustix::io::Errno::INTR) => continue,
            Err(_) => Event::Alone,
        };
        let is_last = matches!(event, Event::Alone);
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn feed(started: &mut Started, confined: &Confined) {
    if let Some(mut pipe) = started.stdin.take() {
        let input = confined.stdin.clone();
        // A program that stops reading early may.
        std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    }
}

/// Waits until the program ends, or has to.
fn watch_over(
    confined: &Confined,
    started: &Started,
    events: &Receiver<Event>,
    deadline: Instant,
    disk: &watch::Disk,
) -> (Option<How>, Option<Limit>) {
    let mut next = Instant::now() + TICK;
    loop {
        let wait = next.min(deadline);
        match events.recv_timeout(wait.saturating_duration_since(Instant::now())) {
            Ok(Event::Reaped(id, status)) if id == started.id => return (Some(told(status)), None),
            Ok(Event::Abandoned | Event::Alone) => return (None, None),
            Ok(Event::Reaped(..)) | Err(_) => {}
        }
        let now = Instant::now();
        if now >= deadline {
            return (None, Some(Limit::Time));
        }
        if now >= next {
            next = now + TICK;
            if let Some(limit) = watch::over(&confined.limits, disk) {
                return (None, Some(limit));
            }
        }
    }
}

fn told(status: WaitStatus) -> How {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => How::Exited(code),
        (None, signal) => How::Killed(signal.unwrap_or_default()),
    }
}
