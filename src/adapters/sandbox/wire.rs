//! What a keeper is told and answers, and a run that is told by a file and answers as JSON.

use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Confinement;
use crate::ports::sandbox::{Confined, Ended, How, Limit, Sandbox, SandboxProblem};

/// What a keeper answers: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// The kernel lacks something, and nothing ran.
    Unsupported(String),
    /// The program could not be started.
    NotStarted(String),
    /// It ran, and some of its processes do not end.
    Stuck,
    Ended {
        how: How,
        limit: Option<Limit>,
        /// The version of the kernel's Landlock.
        abi: u8,
        /// Whether the program had a network of its own.
        own_network: bool,
    },
}

/// No specification is longer.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Sends a specification.
pub(super) fn send(stream: &mut impl Write, confined: &Confined) -> io::Result<()> {
    let text = serde_json::to_vec(confined)?;
    stream.write_all(&(text.len() as u64).to_be_bytes())?;
    stream.write_all(&text)
}

/// Receives a specification.
pub(super) fn receive(stream: &mut impl Read) -> io::Result<Confined> {
    let mut length = [0; 8];
    stream.read_exact(&mut length)?;
    let length = u64::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = Vec::new();
    stream.take(length).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Runs what a file says, and prints what came of it.
pub(super) fn attempt(sandbox: &Confinement, file: Option<&Path>) -> u8 {
    let read = || -> io::Result<Confined> {
        let text = std::fs::read(file.unwrap_or_else(|| Path::new("/dev/stdin")))?;
        Ok(serde_json::from_slice(&text)?)
    };
    let ran = read()
        .map_err(SandboxProblem::from)
        .and_then(|confined| sandbox.run(&confined));
    let (code, answer) = match ran {
        Ok(ended) => (0, told(&ended)),
        Err(problem) => {
            let answer =
                serde_json::json!({ "problem": problem.to_string(), "hint": problem.hint() });
            (15, answer)
        }
    };
    let _nobody_listens = writeln!(io::stdout(), "{answer}");
    code
}

fn told(ended: &Ended) -> serde_json::Value {
    serde_json::json!({
        "how": ended.how,
        "limit": ended.limit,
        "stdout": ended.stdout.text(),
        "stderr": ended.stderr.text(),
        "cut": ended.stdout.cut + ended.stderr.cut,
        "milliseconds": u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
    })
}
