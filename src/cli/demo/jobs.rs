//! The second half of the demo: two jobs publish their results to one remote at the same time, and a fold has both.

use std::path::PathBuf;

use super::{Demo, Runner, command_line, missing};
use crate::error::CommandError;
use crate::ports::Finished;

/// The jobs.
const JOBS: [&str; 2] = ["job-1", "job-2"];

impl Demo<'_, '_> {
    /// Runs the tests once more for each job, lets the jobs publish what they saw, and folds it.
    pub(super) fn publish_at_once(&mut self, done: u32) -> Result<(), CommandError> {
        self.say("\nTwo jobs, each with a clone and a test run of its own, publish to one remote at the same time:");
        self.make_remote()?;
        for (job, number) in JOBS.iter().zip(done + 1..) {
            let report = format!("../{}", self.report_for(job, number)?);
            let args = ["clone", "--quiet", "remote.git", job];
            self.shown_in_folder("git", &args)?;
            let run = format!("demo-{number}");
            let args = [
                "-C", job, "flakes", "ingest", "--run", &run, "--job", "test", &report,
            ];
            self.maestro_in_folder(&args)?;
        }
        self.push_together()?;
        self.maestro(&["state", "sync"])?;
        let log = [
            "--git-dir=../remote.git",
            "log",
            "--oneline",
            "--stat",
            "maestro-state",
        ];
        let done = self.step("git", &log, None)?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        self.say(text.trim_end());
        Ok(())
    }

    /// Makes the remote anew: a bare clone of the repository.
    pub(super) fn make_remote(&mut self) -> Result<(), CommandError> {
        for name in JOBS.iter().chain(&["remote.git"]) {
            let path = self.folder.join(name);
            let files = self.session.world.files.as_ref();
            files
                .remove_folder(&path)
                .map_err(|error| CommandError::writing(&path, error))?;
        }
        let args = ["clone", "--quiet", "--bare", "repository", "remote.git"];
        self.shown_in_folder("git", &args)?;
        self.git(&["config", "remote.origin.url", "../remote.git"], &[])
    }

    /// Runs the tests, and leaves the report where the job finds it; returns its path from the job's clone.
    fn report_for(&mut self, job: &str, number: u32) -> Result<String, CommandError> {
        let made = self.make_report(number)?;
        let name = format!("{job}.xml");
        let copy = self.folder.join(&name);
        let files = self.session.world.files.as_ref();
        let mut bytes = Vec::new();
        files
            .open(&made)
            .and_then(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes))
            .map_err(|error| CommandError::reading(&made, error))?;
        files
            .write_atomic(&copy, &mut |out| out.write_all(&bytes))
            .map_err(|error| CommandError::writing(&copy, error))?;
        Ok(name)
    }

    /// Runs the tests once; returns the path of the report.
    fn make_report(&mut self, number: u32) -> Result<PathBuf, CommandError> {
        if self.runner == Runner::Nextest {
            let args = ["nextest", "run", "--workspace", "--profile", "ci"];
            let done = self.step("cargo", &args, None)?;
            self.say_summary(&done);
            return Ok(self.repository.join("target/nextest/ci/junit.xml"));
        }
        let (path, _) = self.libtest_run(number, 1)?;
        Ok(self.repository.join(path))
    }

    /// Lets every job publish at the same time.
    fn push_together(&mut self) -> Result<(), CommandError> {
        let program = self.maestro.display().to_string();
        let calls: Vec<_> = JOBS
            .iter()
            .map(|job| {
                let args = ["-C", job, "state", "push"];
                let shown = command_line(&program, &args);
                (
                    format!("{shown} &"),
                    self.prepare(self.maestro.clone(), &args, &self.folder),
                )
            })
            .collect();
        for (shown, _) in &calls {
            self.say(&format!("$ {shown}"));
        }
        self.say("$ wait");
        let processes = self.session.world.processes.as_ref();
        let finished: Vec<std::io::Result<Finished>> = std::thread::scope(|scope| {
            let threads: Vec<_> = calls
                .iter()
                .map(|(_, call)| scope.spawn(|| processes.run(call)))
                .collect();
            let lost = || Err(std::io::Error::other("its thread ended"));
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| lost()))
                .collect()
        });
        for ((shown, _), done) in calls.into_iter().zip(finished) {
            let done = done.map_err(|error| missing("maestro", error))?;
            let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
            self.say(&said);
            self.note(shown, &done)?;
        }
        Ok(())
    }

    /// Clones the repository to a new folder beside it.
    pub(super) fn clone_to(&mut self, name: &str) -> Result<PathBuf, CommandError> {
        let path = self.folder.join(name);
        let files = self.session.world.files.as_ref();
        files
            .remove_folder(&path)
            .map_err(|error| CommandError::writing(&path, error))?;
        self.shown_in_folder("git", &["clone", "--quiet", "repository", name])?;
        Ok(path)
    }

    /// Commits everything in a clone.
    pub(super) fn commit_in(&mut self, name: &str, message: &str) -> Result<(), CommandError> {
        self.shown_in_folder("git", &["-C", name, "add", "--all"])?;
        let who = [
            "-c",
            "user.name=Ada Example",
            "-c",
            "user.email=ada@example.com",
        ];
        let commit = ["commit", "--quiet", "--message", message];
        let args: Vec<&str> = ["-C", name].into_iter().chain(who).chain(commit).collect();
        self.shown_in_folder("git", &args)
    }

    pub(super) fn shown_in_folder(
        &mut self,
        program: &str,
        args: &[&str],
    ) -> Result<(), CommandError> {
        let shown = command_line(program, args);
        self.say(&format!("$ {shown}"));
        let folder = self.folder.clone();
        let done = self.call(program, args, &folder);
        let done = done.map_err(|error| missing(program, error))?;
        self.note(shown, &done)
    }

    fn maestro_in_folder(&mut self, args: &[&str]) -> Result<(), CommandError> {
        let program = self.maestro.display().to_string();
        self.shown_in_folder(&program, args)
    }

    /// Remembers a step, which must have gone well.
    fn note(&mut self, command: String, done: &Finished) -> Result<(), CommandError> {
        self.steps.push(super::Step {
            command,
            exit_code: done.code,
        });
        if done.code == Some(0) {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(CommandError::internal(anyhow::Error::msg("a step of the demo failed")).excerpt(words))
    }
}
