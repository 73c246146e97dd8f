//! Child processes.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::exit_code::ExitCode;
use crate::ports::{Call, Finished, Processes};

pub(super) struct System;

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
        end(ExitCode::Internal);
    }));
}

#[expect(clippy::exit, reason = "after a panic there is no way back to main")]
fn end(code: ExitCode) -> ! {
    std::process::exit(i32::from(code.code()))
}

impl Processes for System {
    fn run(&self, call: &Call) -> io::Result<Finished> {
        let mut command = Command::new(&call.program);
        command
            .args(&call.args)
            .current_dir(&call.folder)
            .stdin(if call.stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &call.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut child = command.spawn()?;
        // The input is written from a thread of its own, so that a child which answers while it reads cannot block us.
        let writer = child.stdin.take().map(|mut pipe| {
            let input = call.stdin.clone();
            std::thread::spawn(move || {
                // A child that stops reading early says so with its exit code.
                let _closed_early = pipe.write_all(&input);
            })
        });
        let output = child.wait_with_output()?;
        if let Some(writer) = writer {
            let _ended = writer.join();
        }
        Ok(Finished {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
