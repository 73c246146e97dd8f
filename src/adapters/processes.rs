//! Child processes.

use std::io::{self, BufWriter, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::exec::Ending;
use crate::exit_code::ExitCode;
use crate::ports::{Call, Drain, Fill, Finished, Leash, Processes};

pub(super) struct System;

/// What a bug of ours ends with: once a command has ended for which this process stands, that command's code, because a bug turns
/// neither red into green nor green into red.
static BUG: AtomicU8 = AtomicU8::new(ExitCode::Internal as u8);

/// Turns a panic, which is always a bug of ours, into a sentence and the exit code that says so.
pub(super) fn report_bugs() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()))
            .unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("no message");
        // Standard error may be closed, and nothing is left to tell it to.
        let _unheard = writeln!(
            io::stderr(),
            "error: maestro has a bug: {words} ({place})\n\nhint: please report it, with the command and its input"
        );
        end(BUG.load(Ordering::SeqCst));
    }));
}

#[expect(clippy::exit, reason = "after a panic there is no way back to main")]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

impl Processes for System {
    fn run(&self, call: &Call) -> io::Result<Finished> {
        let mut child = start(call, !call.stdin.is_empty())?;
        let writer = write_input(&mut child, call);
        let output = child.wait_with_output();
        if let Some(writer) = writer {
            let _ended = writer.join();
        }
        output.map(finished)
    }

    fn feed(&self, call: &Call, fill: Fill<'_>) -> io::Result<Finished> {
        let mut child = start(call, true)?;
        let filled = match child.stdin.take() {
            Some(pipe) => {
                let mut pipe = BufWriter::with_capacity(128 * 1024, pipe);
                fill(&mut pipe).and_then(|()| pipe.flush())
            }
            None => Ok(()),
        };
        let is_ours = match &filled {
            // A child that stops reading early says why with its exit code.
            Err(error) => error.kind() != io::ErrorKind::BrokenPipe,
            Ok(()) => false,
        };
        if is_ours {
            // Half an input must not become a whole result.
            let _may_have_ended = child.kill();
        }
        let done = finished(child.wait_with_output()?);
        if is_ours {
            filled.map(|()| done)
        } else {
            Ok(done)
        }
    }

    fn drain(&self, call: &Call, drain: Drain<'_>) -> io::Result<Finished> {
        let mut child = start(call, !call.stdin.is_empty())?;
        let writer = write_input(&mut child, call);
        let errors = child.stderr.take().map(|mut pipe| {
            std::thread::spawn(move || {
                let mut words = Vec::new();
                let _what_was_heard = pipe.read_to_end(&mut words);
                words
            })
        });
        let drained = match child.stdout.take() {
            Some(mut pipe) => drain(&mut pipe),
            None => Ok(()),
        };
        if drained.is_err() {
            let _may_have_ended = child.kill();
        }
        let status = child.wait()?;
        if let Some(writer) = writer {
            let _ended = writer.join();
        }
        let stderr = errors.and_then(|thread| thread.join().ok());
        drained.map(|()| Finished {
            code: status.code(),
            stdout: Vec::new(),
            stderr: stderr.unwrap_or_default(),
        })
    }

    fn pass(&self, call: &Call, leash: &Leash) -> io::Result<Ending> {
        let ending = super::passing::pass(call, leash)?;
        BUG.store(ending.code(), Ordering::SeqCst);
        Ok(ending)
    }
}

fn start(call: &Call, with_input: bool) -> io::Result<Child> {
    prepare(call)
        .stdin(if with_input {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Returns a command that inherits the terminal.
pub(super) fn prepare(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.args).current_dir(&call.folder);
    for (name, value) in &call.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Writes the input from a thread of its own, so that a child which answers while it reads cannot block us.
fn write_input(child: &mut Child, call: &Call) -> Option<std::thread::JoinHandle<()>> {
    if call.stdin.is_empty() {
        return None;
    }
    child.stdin.take().map(|mut pipe| {
        let input = call.stdin.clone();
        std::thread::spawn(move || {
            // A child that stops reading early says so with its exit code.
            let _closed_early = pipe.write_all(&input);
        })
    })
}

fn finished(output: Output) -> Finished {
    Finished {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: output.stderr,
    }
}
