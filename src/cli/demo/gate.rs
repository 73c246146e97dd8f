//! The fourth part of the demo: the flaky test is forgiven for two weeks, and what is broken is not.

use std::io::Read;
use std::path::Path;

use super::{Demo, Runner, missing};
use crate::error::CommandError;
use crate::ports::Finished;

/// Where it happens.
const CLONE: &str = "gate";

/// The flaky test, as both runners' reports call it.
const FLAKY: &str = "the_second_try_comes_within_a_second";

/// It fails in half of all runs: so many that pass in a row nobody sees.
const MOST_TRIES: u32 = 40;

impl Demo<'_, '_> {
    /// Quarantines the flaky test in a clone, and judges two runs: one in which it fails, and one in which a price is wrong too.
    pub(super) fn judge_two_runs(&mut self) -> Result<(), CommandError> {
        let Some((suite, test)) = self.flaky_test()? else {
            return Ok(());
        };
        self.say("\nThe team forgives the flaky test for two weeks, and nothing else:");
        let path = self.clone_to(CLONE)?;
        self.shown_in_folder(
            "git",
            &["-C", CLONE, "remote", "add", "state", "../remote.git"],
        )?;
        self.maestro(&["-C", "../gate", "state", "pull", "--remote", "state"])?;
        let reason = "the jitter is wider than the bound";
        self.maestro(&[
            "-C",
            "../gate",
            "flakes",
            "quarantine",
            "add",
            &test,
            "--suite",
            &suite,
            "--reason",
            reason,
        ])?;
        let config = path.join(".maestro").join("maestro.yaml");
        self.edit(&config, |text| format!("{text}enforce: [flakes]\n"))?;
        self.commit_in(
            CLONE,
            "Forgive the flaky test until somebody has looked at it",
        )?;
        let mut done = self.tests_of_clone()?;
        let mut tries = 0;
        while done.code == Some(0) && tries < MOST_TRIES {
            done = self.tests_of_clone()?;
            tries += 1;
        }
        self.gate(&done, 0)?;
        self.say("\nA wrong price is not forgiven:");
        let source = path.join("tariff").join("src").join("lib.rs");
        self.edit(&source, |text| text.replace("350 +", "530 +"))?;
        let done = self.tests_of_clone()?;
        self.gate(&done, 12)
    }

    fn edit(&self, path: &Path, change: impl Fn(&str) -> String) -> Result<(), CommandError> {
        let files = self.session.world.files.as_ref();
        let mut text = String::new();
        files
            .open(path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|error| CommandError::reading(path, error))?;
        let text = change(&text);
        files
            .write_atomic(path, &mut |out| out.write_all(text.as_bytes()))
            .map_err(|error| CommandError::writing(path, error))
    }

    /// Returns suite and name of the flaky test, if the history names it.
    pub(super) fn flaky_test(&mut self) -> Result<Option<(String, String)>, CommandError> {
        let report = self.report_json()?;
        let rows = report["tests"].as_array().into_iter().flatten();
        let mut flaky = rows.filter(|row| row["verdict"] == "flaky");
        Ok(flaky.find_map(|row| {
            let (suite, test) = (row["suite"].as_str()?, row["test"].as_str()?);
            test.ends_with(FLAKY)
                .then(|| (suite.to_owned(), test.to_owned()))
        }))
    }

    /// Where the runner leaves its report, from the clone.
    fn report_of_clone(&self) -> &'static str {
        match self.runner {
            Runner::Nextest => "target/nextest/ci/junit.xml",
            Runner::CargoTest => "target/junit.xml",
        }
    }

    fn name_of_runner(&self) -> &'static str {
        match self.runner {
            Runner::Nextest => "nextest",
            Runner::CargoTest => "cargo-test",
        }
    }

    /// Runs all tests of the clone once, without retries.
    fn tests_of_clone(&mut self) -> Result<Finished, CommandError> {
        let manifest = "../gate/Cargo.toml";
        if self.runner == Runner::Nextest {
            let args = [
                "nextest",
                "run",
                "--manifest-path",
                manifest,
                "--workspace",
                "--profile",
                "ci",
                "--retries",
                "0",
            ];
            let done = self.step("cargo", &args, None)?;
            self.say_summary(&done);
            return Ok(done);
        }
        self.libtest(&["--manifest-path", manifest], "../gate/target/junit.xml")
    }

    /// Asks the gate about a run, which must answer so.
    fn gate(&mut self, run: &Finished, expected: i32) -> Result<(), CommandError> {
        let report = self.report_of_clone();
        let (runner, status) = (self.name_of_runner(), run.code.unwrap_or(-1).to_string());
        let args = [
            "-C", "../gate", "flakes", "gate", "--base", "main", "--junit", report, "--runner",
            runner, "--status", &status,
        ];
        self.shows(&args, expected).map(drop)
    }

    /// Runs a command that must end so, and shows all that it says; returns what it printed.
    pub(super) fn shows(&mut self, args: &[&str], expected: i32) -> Result<String, CommandError> {
        let program = self.maestro.display().to_string();
        let shown = super::command_line(&program, args);
        self.say(&format!("$ {shown}"));
        let call = self.maestro_call(args);
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| missing("maestro", error))?;
        self.steps.push(super::Step {
            command: shown,
            exit_code: done.code,
        });
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        let both = [text.trim_end(), &words];
        for said in both.into_iter().filter(|said| !said.is_empty()) {
            self.say(said);
        }
        self.say(&format!("exit code {}", done.code.unwrap_or(-1)));
        if done.code == Some(expected) {
            return Ok(text);
        }
        Err(CommandError::internal(anyhow::Error::msg("a step of the demo failed")).excerpt(words))
    }
}
