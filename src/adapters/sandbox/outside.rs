//! This side of a keeper: starts it, tells it what to run, listens to the program, and waits until all of it is over.

use std::io::{self, BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::kept::Ear;
use super::wire::{self, Answer};
use crate::json;
use crate::ports::sandbox::{Confined, Ended, KEEPER, SandboxProblem};

/// How much longer than its program a keeper may take.
const GRACE: Duration = Duration::from_secs(30);

/// How long output may still come after the last process has ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub(super) fn run(confined: &Confined) -> Result<Ended, SandboxProblem> {
    converse(confined).map(|(ended, _)| ended)
}

/// Runs a program, and returns the keeper's own answer as well.
pub(super) fn converse(confined: &Confined) -> Result<(Ended, Answer), SandboxProblem> {
    let begin = Instant::now();
    // The specification holds the program's environment, and goes where nobody else can read it.
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut keeper = Command::new(this_binary()?)
        .arg(KEEPER)
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (done, all_heard) = mpsc::channel();
    let listen = |stream: Option<Box<dyn io::Read + Send>>| {
        let ear = Ear::default();
        if let Some(stream) = stream {
            let (ear, done, most) = (ear.clone(), done.clone(), confined.limits.output);
            std::thread::spawn(move || {
                ear.listen(stream, most);
                let _nobody_waits = done.send(());
            });
        }
        ear
    };
    let stdout = listen(keeper.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = listen(keeper.stderr.take().map(|pipe| Box::new(pipe) as _));
    drop(done);
    let answer = ask(&mut ours, confined);
    if answer.is_err() {
        let _may_have_ended = keeper.kill();
    }
    let status = keeper.wait()?;
    let last_words = Instant::now() + LAST_WORDS;
    while all_heard
        .recv_timeout(last_words.saturating_duration_since(Instant::now()))
        .is_ok()
    {}
    let words = stderr.kept();
    let answer = answer.map_err(|error| {
        let words = words.text();
        io::Error::new(
            error.kind(),
            format!("its keeper ended early, {status}: {error} {}", words.trim()),
        )
    })?;
    match answer {
        Answer::Unsupported(what) => Err(SandboxProblem::Unsupported(what)),
        Answer::NotStarted(why) => Err(SandboxProblem::NotStarted {
            program: confined.program.clone(),
            why,
        }),
        Answer::Stuck => Err(io::Error::other("some of the program's processes do not end").into()),
        Answer::Ended { how, limit, .. } => {
            let ended = Ended {
                how,
                limit,
                stdout: stdout.kept(),
                stderr: words,
                duration: begin.elapsed(),
            };
            Ok((ended, answer))
        }
    }
}

fn ask(stream: &mut UnixStream, confined: &Confined) -> io::Result<Answer> {
    wire::send(stream, confined)?;
    let patience = Duration::from_millis(confined.limits.wall).saturating_add(GRACE);
    stream.set_read_timeout(Some(patience))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(json::read(&line)?)
}

/// Returns a path that starts this very binary, even when another one lies in its place by now.
fn this_binary() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe()
    }
}
