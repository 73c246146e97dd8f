//! Where there are no keepers: a program with an environment, a time and an ear, and nothing that shuts it in.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::kept::Ear;
use crate::ports::sandbox::{Confined, Ended, How, Limit, SandboxProblem};

pub(super) fn run(confined: &Confined) -> Result<Ended, SandboxProblem> {
    let begin = Instant::now();
    let mut child = Command::new(&confined.program)
        .args(&confined.args)
        .env_clear()
        .envs(confined.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&confined.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| SandboxProblem::NotStarted {
            program: confined.program.clone(),
            why: error.to_string(),
        })?;
    let (stdout, stderr) = (Ear::default(), Ear::default());
    let most = confined.limits.output;
    if let Some(pipe) = child.stdout.take() {
        let ear = stdout.clone();
        std::thread::spawn(move || ear.listen(pipe, most));
    }
    if let Some(pipe) = child.stderr.take() {
        let ear = stderr.clone();
        std::thread::spawn(move || ear.listen(pipe, most));
    }
    if let Some(mut pipe) = child.stdin.take() {
        let input = confined.stdin.clone();
        std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    }
    let wall = Duration::from_millis(confined.limits.wall);
    let mut limit = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begin.elapsed() >= wall && limit.is_none() {
            limit = Some(Limit::Time);
            let _may_have_ended = child.kill();
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Ok(Ended {
        how: How::Exited(status.code().unwrap_or(1)),
        limit,
        stdout: stdout.kept(),
        stderr: stderr.kept(),
        duration: begin.elapsed(),
    })
}
