//! The third part of the demo: a change is planned, and only what it can affect is tested.

use super::{Demo, Runner};
use crate::error::CommandError;

/// Where the change is made.
const CLONE: &str = "change";

/// The file that changes, from the clone.
const FILE: &str = "tariff/src/lib.rs";

impl Demo<'_, '_> {
    /// Changes one package in a clone, plans the change, and runs the tests that the plan names.
    pub(super) fn plan_a_change(&mut self) -> Result<(), CommandError> {
        self.say("\nSomebody changes what a parcel costs, and asks which tests that can break:");
        let path = self.clone_to(CLONE)?;
        files_append(self, &path.join(FILE))?;
        self.commit_in(CLONE, "Say what is priced")?;
        let args = ["-C", "../change", "plan", "--base", "HEAD~1", "--enforce"];
        let done = self.maestro(&args)?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        self.say(text.trim_end());
        let packages = self.affected_packages(&args)?;
        let mut call: Vec<&str> = match self.runner {
            Runner::Nextest => vec!["nextest", "run", "--manifest-path", "../change/Cargo.toml"],
            Runner::CargoTest => vec![
                "test",
                "--quiet",
                "--tests",
                "--manifest-path",
                "../change/Cargo.toml",
            ],
        };
        for package in &packages {
            call.extend(["-p", package]);
        }
        let done = self.step("cargo", &call, None)?;
        self.say_summary(&done);
        if done.code == Some(0) {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(CommandError::internal(anyhow::Error::msg("a step of the demo failed")).excerpt(words))
    }

    /// Returns the names of the packages that the plan says are affected.
    fn affected_packages(&mut self, args: &[&str]) -> Result<Vec<String>, CommandError> {
        let mut args = args.to_vec();
        args.extend(["--format", "json"]);
        let call = self.maestro_call(&args);
        let done = self.session.world.processes.run(&call);
        let done = done.map_err(|error| super::missing("maestro", error))?;
        let plan: serde_json::Value =
            serde_json::from_slice(&done.stdout).map_err(CommandError::internal)?;
        let projects = plan["projects"].as_array().into_iter().flatten();
        let affected = projects.filter(|project| project["affected"] == true);
        Ok(affected
            .filter_map(|project| project["name"].as_str().map(str::to_owned))
            .collect())
    }
}

fn files_append(demo: &Demo<'_, '_>, file: &std::path::Path) -> Result<(), CommandError> {
    let comment = b"\n// Prices are whole cents.\n";
    let files = demo.session.world.files.as_ref();
    files
        .append(file, comment)
        .map_err(|error| CommandError::writing(file, error))
}
