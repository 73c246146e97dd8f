//! Pull request 7: what it can break is planned and tested, and one verdict stands at its end. What GitHub would tell its workflow is written down.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Demo;
use super::acts::Need;
use super::children::command_line;
use crate::error::CommandError;
use crate::json;

/// The clone of whoever works on it.
pub(super) const CLONE: &str = "change";

/// The chance with which the flaky test fails.
const UNLUCKY: u32 = 350;

/// It fails in half of all runs: so many that pass in a row nobody sees.
const MOST_TRIES: u32 = 8;

/// The outputs of the plan's job.
const OUTPUTS: &str = "plan.out";

impl Demo<'_, '_> {
    pub(super) fn plan(&mut self) -> Result<(), CommandError> {
        if self.runs == 0 {
            // No act before this one has made it.
            self.clone_to("remote.git", CLONE)?;
        }
        let config = format!("{CLONE}/.maestro/maestro.yaml");
        self.edit(&config, |text| {
            format!("{text}enforce: [plan, flakes, policy]\n")
        })?;
        self.commit_in(CLONE, "Let plans, flaky tests and the policy count")?;
        self.quietly("git", &["-C", CLONE, "push", "--quiet", "origin", "main"])?;
        self.quietly("git", &["-C", CLONE, "checkout", "--quiet", "-b", "cents"])?;
        let source = format!("{CLONE}/tariff/src/lib.rs");
        self.edit(&source, |text| {
            format!("{text}\n// Prices are whole cents.\n")
        })?;
        self.commit_in(CLONE, "Say what is priced")?;
        self.enter()?;
        let old = self.folder.join(OUTPUTS);
        // A demo that is run again has that of the last time.
        let _none_is_fine = self.session.world.files.remove(&old);
        let output = old.display().to_string();
        let count = self.variables.len();
        self.variables.push(("GITHUB_ACTIONS", "true".to_owned()));
        self.variables.push(("GITHUB_OUTPUT", output));
        let words = ["jobs run", " docs ", " test ", " cargo:"];
        let plan = ["-C", CLONE, "plan"];
        self.show(&plan, 0, &words)?;
        self.variables.truncate(count);
        let tested = self.test_what_is_affected();
        self.variables.clear();
        tested
    }

    /// Tells children what GitHub tells a workflow of the pull request.
    fn enter(&mut self) -> Result<(), CommandError> {
        self.happen()?;
        let event = self.folder.join("event.json").display().to_string();
        self.variables = vec![
            ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
            ("GITHUB_EVENT_PATH", event),
            ("GITHUB_RUN_ID", "7".to_owned()),
        ];
        let mut text = String::new();
        for (name, value) in &self.variables {
            // A string takes everything.
            let _never_fails = writeln!(
                text,
                "export {}",
                command_line(name, &[value]).replacen(' ', "=", 1)
            );
        }
        self.leave_text("pull-request.env", &text)?;
        self.tell_command(". ./pull-request.env");
        Ok(())
    }

    /// Writes what GitHub says of the pull request as it is now.
    fn happen(&mut self) -> Result<(), CommandError> {
        let mut commits = Vec::new();
        for name in ["HEAD", "main"] {
            let done = self.quietly("git", &["-C", CLONE, "rev-parse", name])?;
            commits.push(String::from_utf8_lossy(&done.stdout).trim().to_owned());
        }
        let event = json!({"number": 7, "pull_request": {
            "number": 7, "head": {"ref": "cents", "sha": commits[0]}, "base": {"ref": "main", "sha": commits[1]},
        }});
        self.leave("event.json", &event)
    }

    /// Runs the tests of the packages that the plan names, and says whose do not run.
    fn test_what_is_affected(&mut self) -> Result<(), CommandError> {
        let args = ["-C", CLONE, "plan", "--format", "json"];
        let done = self.session.world.processes.run(&self.maestro_call(&args));
        let done = done.map_err(|error| super::missing("maestro", error))?;
        let plan: Value = json::read(&done.stdout).map_err(CommandError::internal)?;
        let names = |affected: bool| -> Vec<&str> {
            let projects = plan["projects"].as_array().into_iter().flatten();
            let named = projects.filter(|project| project["affected"] == affected);
            named
                .filter_map(|project| project["name"].as_str())
                .collect()
        };
        if self.is_without(Need::Cargo) {
            return Ok(());
        }
        let manifest = format!("{CLONE}/Cargo.toml");
        let mut test = vec!["test", "--quiet", "--lib", "--manifest-path", &manifest];
        for package in names(true) {
            test.extend(["-p", package]);
        }
        self.openly("cargo", &test, &[])?;
        self.tell(&format!("passed; not run: {}", names(false).join(", ")));
        Ok(())
    }

    pub(super) fn gate(&mut self) -> Result<(), CommandError> {
        self.enter()?;
        let outputs = self.text_of(OUTPUTS)?;
        let outputs: serde_json::Map<String, Value> = outputs
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let trusted = outputs.get("trusted").and_then(Value::as_str);
        self.leave_text("trusted.json", trusted.unwrap_or_default())?;
        self.needs("needs.json", &outputs, "success")?;
        self.needs("skipped.json", &outputs, "skipped")?;
        let exec = ["-C", CLONE, "exec", "test", "--trusted", "../trusted.json"];
        let mut done = self.exec_by_chance(&exec, UNLUCKY)?;
        let mut tries = 0;
        let has_failed = |done: &crate::ports::Finished| {
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            said.contains("1 failure")
        };
        while !has_failed(&done) && tries < MOST_TRIES {
            done = self.exec_by_chance(&exec, UNLUCKY)?;
            tries += 1;
        }
        self.tell_command(&command_line("maestro", &exec));
        self.tell_output(&done, &["`test` exited", " forgiven …: the"]);
        let gate = ["-C", CLONE, "gate", "--needs", "../needs.json"];
        let words = ["Gate: ", "courier >", "had to run"];
        self.show(&gate, 0, &words)?;
        let skipped = ["-C", CLONE, "gate", "--needs", "../skipped.json"];
        self.show(&skipped, 14, &["Gate: ", " plan/…   look at"])?;
        let source = format!("{CLONE}/tariff/src/lib.rs");
        self.edit(&source, |text| text.replace("350 +", "530 +"))?;
        self.commit_in(CLONE, "Make parcels dearer")?;
        self.happen()?;
        let done = self.exec_by_chance(&exec, UNLUCKY)?;
        self.tell_command(&command_line("maestro", &exec));
        self.tell_output(&done, &["`test` exited"]);
        self.show(&gate, 12, &["Gate: ", " flakes/… failed in"])?;
        self.variables.clear();
        Ok(())
    }

    /// Writes what GitHub says of the jobs before the gate.
    fn needs(
        &self,
        path: &str,
        outputs: &serde_json::Map<String, Value>,
        test: &str,
    ) -> Result<(), CommandError> {
        let needs = json!({
            "plan": {"result": "success", "outputs": outputs},
            "test": {"result": test, "outputs": {}},
        });
        self.leave(path, &needs)
    }
}
