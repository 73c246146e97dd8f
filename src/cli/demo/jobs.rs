//! A job's tests: run as CI runs them, told apart, and published by two jobs at the same time.

use super::Demo;
use super::children::{command_line, missing};
use super::pull_request::CLONE;
use crate::error::CommandError;
use crate::ports::Finished;

/// How often the tests run at first.
const RUNS: u32 = 6;

/// How often they run before a test that shows one face only is believed.
const MOST_RUNS: u32 = 12;

/// The jobs that publish.
const JOBS: [&str; 2] = ["job-1", "job-2"];

/// The flaky test.
const FLAKY: &str = "tests::the_second_try_comes_within_a_second";

/// What the flaky test's chance steps by where it is to be the same each time: it fails above 300 of 600.
const STEP: u32 = 175;

impl Demo<'_, '_> {
    pub(super) fn exec(&mut self) -> Result<(), CommandError> {
        let mut red = 0;
        let mut green = 0;
        for number in 1..=MOST_RUNS {
            if number > RUNS && self.flaky_test()?.is_some() {
                break;
            }
            let done = self.test_run("repository", number)?;
            if done.code == Some(0) {
                green += 1;
            } else {
                red += 1;
            }
            if number == 1 || self.is_full {
                self.tell_command(&format!("maestro {}", exec("repository", 1).join(" ")));
                self.tell_output(&done, &["`test` passed", "`test` exited"]);
            }
        }
        self.runs = red + green;
        self.tell(&format!(
            "… and so on: of {} runs of the same commit {green} passed and {red} failed",
            self.runs
        ));
        Ok(())
    }

    /// Runs the job `test` in a clone, under the name of a run.
    pub(super) fn test_run(&mut self, clone: &str, number: u32) -> Result<Finished, CommandError> {
        let args = exec(clone, number);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.exec_by_chance(&args, number * STEP)
    }

    /// Runs `exec`, with a fixed chance where the time is fixed too.
    pub(super) fn exec_by_chance(
        &mut self,
        args: &[&str],
        chance: u32,
    ) -> Result<Finished, CommandError> {
        let mut call = self.maestro_call(args);
        if self.session.settings.now.value.is_some() {
            let chance = chance % 600;
            call.env
                .push(("CHANCE".into(), Some(chance.to_string().into())));
        }
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("maestro", error))?;
        self.note(command_line("maestro", args), &done, None)?;
        Ok(done)
    }

    /// Returns suite and name of the flaky test, if the history names it.
    fn flaky_test(&mut self) -> Result<Option<(String, String)>, CommandError> {
        let report = self.report_json()?;
        let rows = report["tests"].as_array().into_iter().flatten();
        let mut flaky = rows.filter(|row| row["verdict"] == "flaky");
        Ok(flaky.find_map(|row| {
            let (suite, test) = (row["suite"].as_str()?, row["test"].as_str()?);
            (test == FLAKY).then(|| (suite.to_owned(), test.to_owned()))
        }))
    }

    pub(super) fn flakes(&mut self) -> Result<(), CommandError> {
        let report = [
            "-C",
            "repository",
            "flakes",
            "report",
            "--all",
            "--report",
            "markdown=../report.md",
            "--report",
            "json=../report.json",
        ];
        let words = [" verdict ", " flaky ", "desk >", "flaky: "];
        let done = self.show_as(&command_line("maestro", &report[..5]), &report, 0, &words)?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        self.leave_text("report.txt", &said)?;
        self.clone_to("remote.git", CLONE)?;
        let Some((suite, test)) = self.flaky_test()? else {
            self.tell("no test is flaky: nothing has to be forgiven");
            return Ok(());
        };
        let reason = "the jitter is wider than the bound";
        let add = [
            "-C",
            CLONE,
            "flakes",
            "quarantine",
            "add",
            &test,
            "--suite",
            &suite,
            "--reason",
            reason,
        ];
        self.show(&add, 0, &[" gate "])?;
        self.commit_in(CLONE, "Forgive the flaky test until somebody has looked")?;
        self.quietly("git", &["-C", CLONE, "push", "--quiet", "origin", "main"])
            .map(drop)
    }

    pub(super) fn state(&mut self) -> Result<(), CommandError> {
        for (job, number) in JOBS.iter().zip(self.runs + 1..) {
            self.clone_to("remote.git", job)?;
            self.report_for(job, number)?;
        }
        self.push_together()?;
        self.show(&["-C", "repository", "state", "sync"], 0, &["branch of"])?;
        self.maestro(&["-C", "repository", "state", "verify"])?;
        let report = ["-C", "repository", "flakes", "report"];
        self.show(&report, 0, &["Flaky tests: "]).map(drop)
    }

    /// Runs the tests in the repository, and leaves the results with a job.
    fn report_for(&mut self, job: &str, number: u32) -> Result<(), CommandError> {
        let repository = self.repository.clone();
        let mut call = self.prepare("sh", &["ci/test.sh"], &repository);
        if self.session.settings.now.value.is_some() {
            let chance = number * STEP % 600;
            call.env
                .push(("CHANCE".into(), Some(chance.to_string().into())));
        }
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("sh", error))?;
        self.note("(cd repository && sh ci/test.sh)".to_owned(), &done, None)?;
        let run = format!("demo-{number}");
        let ingest = ["-C", job, "flakes", "ingest", "--run", &run, "--job"];
        let args = [ingest.as_slice(), &["test", "../repository/target/reports"]].concat();
        self.maestro(&args).map(drop)
    }

    /// Lets every job publish at the same time.
    fn push_together(&mut self) -> Result<(), CommandError> {
        let calls: Vec<_> = JOBS
            .iter()
            .map(|job| {
                let args = ["-C", job, "state", "push"];
                (command_line("maestro", &args), self.maestro_call(&args))
            })
            .collect();
        let shown: Vec<String> = calls
            .iter()
            .map(|(shown, _)| format!("{shown} &"))
            .collect();
        self.tell_command(&format!("{} wait", shown.join(" ")));
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
            self.tell_output(&done, &[]);
            self.note(shown, &done, Some(0))?;
        }
        Ok(())
    }
}

/// Returns the call of the job's command, under the name of a run.
fn exec(clone: &str, number: u32) -> Vec<String> {
    let run = format!("demo-{number}");
    ["-C", clone, "exec", "test", "--run", &run]
        .map(str::to_owned)
        .to_vec()
}
