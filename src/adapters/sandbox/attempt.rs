//! A run that is told by a file and answers as JSON: what tests, and people who want to see it, run.

use std::io::{self, Write as _};
use std::path::Path;

use super::Confinement;
use crate::json;
use crate::ports::sandbox::{Confined, Ended, Sandbox as _, SandboxProblem};

/// Runs what a file says, and prints what came of it.
pub(super) fn attempt(sandbox: &Confinement, file: Option<&Path>) -> u8 {
    let read = || -> io::Result<Confined> {
        let text = std::fs::read(file.unwrap_or_else(|| Path::new("/dev/stdin")))?;
        Ok(json::read(&text)?)
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
