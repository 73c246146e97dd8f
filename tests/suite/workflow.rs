//! The workflow of a pull request, played on this machine: plan, exec, gate; what GitHub says of it stands in variables and a file.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::github::{Fake, TOKEN};
use crate::harness::{Maestro, Run};
use crate::pull_request::{QUARANTINE, VARIABLES, begin, tell, with_remote};
use crate::snapshot::Snapshot;

const JOBS: &str = "jobs:\n  unit: { paths: ['src/**'], run: 'sh unit.sh', junit: r.xml }\n  docs: { paths: ['docs/**'], run: 'true' }\n";

/// A pull request that changes `src/`, of which the job `unit` is; `docs` is not touched.
pub(crate) struct Workflow {
    pub(crate) maestro: Maestro,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) needs: Value,
}

impl Workflow {
    /// `failing` are the tests of `unit` that fail.
    pub(crate) fn new(config: &str, failing: &[&str]) -> Self {
        Self::of_jobs(config, JOBS, failing)
    }

    /// The same with other jobs.
    pub(crate) fn of_jobs(config: &str, jobs: &str, failing: &[&str]) -> Self {
        static MADE: Mutex<BTreeMap<String, Snapshot>> = Mutex::new(BTreeMap::new());
        let mut all = MADE.lock().unwrap();
        let made = all
            .entry(format!("{config}{jobs}{failing:?}"))
            .or_insert_with(|| Snapshot::of(&repository(config, jobs, failing).path("")));
        let maestro = Maestro::laid(made);
        drop(all);
        let mut this = Self {
            maestro,
            env: BTreeMap::new(),
            needs: json!({}),
        };
        this.event();
        this
    }

    /// Writes what GitHub says of the pull request as it stands.
    pub(crate) fn event(&mut self) {
        let head = tell(&self.maestro);
        for (name, value) in VARIABLES.into_iter().chain([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_REPOSITORY", "o/n"),
            ("GITHUB_SHA", head.as_str()),
        ]) {
            self.env.insert(name.to_owned(), value.to_owned());
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let output = self.maestro.command(args).envs(&self.env).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The plan's job, and the matrix that follows from its outputs; the results stand in `needs` as GitHub has them.
    pub(crate) fn play(&mut self) -> &mut Self {
        let output = self.maestro.path("out.plan");
        self.maestro.file("out.plan", "");
        self.set("GITHUB_OUTPUT", output.to_str().unwrap());
        let _ = self.run(&["plan"]).success();
        self.env.remove("GITHUB_OUTPUT");
        let outputs = outputs(&fs::read_to_string(output).unwrap());
        let matrix: Value = serde_json::from_str(&outputs["matrix"]).unwrap();
        self.set("MAESTRO_TRUSTED", &outputs["trusted"]);
        let mut result = "skipped";
        if outputs["has_jobs"] == "true" {
            result = "success";
            for line in matrix["include"].as_array().unwrap() {
                let job = line["job"].as_str().unwrap();
                let shard = line["shard"].as_str().unwrap_or_default();
                if self.run(&["exec", job, "--shard", shard]).code != 0 {
                    result = "failure";
                }
            }
        }
        self.env.remove("MAESTRO_TRUSTED");
        self.needs = json!({
            "plan": {"result": "success", "outputs": outputs},
            "test": {"result": result, "outputs": {}},
        });
        self
    }

    /// The same once more, elsewhere.
    pub(crate) fn copy(&self) -> Self {
        Self {
            maestro: self.maestro.copy(),
            env: self.env.clone(),
            needs: self.needs.clone(),
        }
    }

    /// Lets GitHub be asked.
    pub(crate) fn at(&mut self, fake: &Fake) -> &mut Self {
        self.set("GITHUB_API_URL", &fake.api());
        self.set("GITHUB_TOKEN", TOKEN);
        self
    }

    /// Leaves what was stored as the artifact of a job of the workflow, as `save` does, and forgets it: the gate is on another machine.
    pub(crate) fn leave(&self, fake: &Fake, attempt: u32) -> u64 {
        let output = self
            .maestro
            .command(["state", "pack", "left.xml", "--format", "json"])
            .envs(&self.env)
            .env("GITHUB_JOB", "test")
            .env("GITHUB_RUN_ATTEMPT", attempt.to_string())
            .output()
            .unwrap();
        let packed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let bytes = fs::read(self.maestro.path("left.xml")).unwrap();
        fs::remove_dir_all(self.maestro.path(".git/maestro")).unwrap();
        let name = packed["artifact"].as_str().unwrap();
        let archive = crate::state_transport::zipped(&bytes);
        fake.artifact(name, 77, "2026-01-05T08:30:00Z", archive)
    }

    pub(crate) fn gate(&self, args: &[&str]) -> (Run, Value) {
        let mut all = vec!["gate", "--format", "json"];
        all.extend(args);
        let output = self
            .maestro
            .command(all)
            .envs(&self.env)
            .env("MAESTRO_NEEDS", self.needs.to_string())
            .output()
            .unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let document = serde_json::from_str(&run.stdout).unwrap_or_default();
        (run, document)
    }

    /// The gate answers so, for these rules. What the policy says of a changed configuration is not looked at: nobody enforces it here.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, outcome: &str, rules: &[&str]) -> Value {
        let (run, document) = self.gate(&[]);
        let rows = document["problems"].as_array().cloned().unwrap_or_default();
        let of_policy = |row: &Value| row["capability"] == "policy";
        let has_policy = rows.iter().any(of_policy);
        let rows = rows.iter().filter(|row| !of_policy(row));
        let found: Vec<&str> = rows.map(|row| row["rule"].as_str().unwrap()).collect();
        let mut outcome_found = document["outcome"].as_str().unwrap_or_default();
        if has_policy && outcome_found == "would-block" {
            outcome_found = outcome;
        }
        assert_eq!(
            (run.code, outcome_found, found.as_slice()),
            (code, outcome, rules),
            "{}\n{}",
            run.stdout,
            run.stderr
        );
        if code != 0 {
            assert!(
                run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: "),
                "{}",
                run.stderr
            );
        }
        document
    }
}

/// The repository of it, with the change checked out.
fn repository(config: &str, jobs: &str, failing: &[&str]) -> Maestro {
    let maestro = with_remote();
    let cases = failing
        .iter()
        .map(|test| format!("<testcase name=\"{test}\"><failure/></testcase>"));
    let cases: String = cases.collect();
    let status = i32::from(!failing.is_empty());
    let script = format!(
        "cat > r.xml <<'X'\n<testsuite name=\"s\"><testcase name=\"ok\"/>{cases}</testsuite>\nX\nexit {status}\n"
    );
    maestro
        .file(
            ".maestro/maestro.yaml",
            format!("schema: maestro.config/v1\n{config}{jobs}"),
        )
        .file(".maestro/quarantine.json", QUARANTINE)
        .file("unit.sh", script)
        .file("src/a.txt", "a")
        .file("docs/a.md", "a");
    begin(&maestro);
    maestro.file("src/a.txt", "b");
    maestro.commit("Change");
    maestro
}

/// Reads `GITHUB_OUTPUT`.
pub(crate) fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match (line.split_once("<<"), line.split_once('=')) {
            (Some((name, end)), _) if !name.contains('=') => {
                let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                outputs.insert(name.to_owned(), inside.join("\n"));
            }
            (_, Some((name, value))) => {
                outputs.insert(name.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    outputs
}
