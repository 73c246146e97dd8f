//! The workflows that `maestro init` writes, run whole: a pull request through plan, exec and gate, and the state after it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::harness::Maestro;
use super::runner::{Outcome, Runner};

const PIPELINE: &str = ".github/workflows/maestro.yml";
const WEEKLY: &str = ".github/workflows/maestro-weekly.yml";

/// A repository that adopted maestro on `main`, and changes `src/` on `topic`.
struct Team {
    maestro: Maestro,
    runner: Runner,
}

/// The configuration of two jobs, `unit` of `src/` and `docs` of `docs/`.
fn config(head: &str) -> String {
    format!(
        "schema: maestro.config/v1\n{head}jobs:\n  unit: {{ paths: ['src/**'], run: 'sh unit.sh', junit: r.xml }}\n  docs: {{ paths: ['docs/**'], run: 'true' }}\n"
    )
}

/// A script that writes a report in which these tests fail, and fails with them.
fn script(failing: &[&str]) -> String {
    let cases: String = failing
        .iter()
        .map(|test| format!("<testcase name=\"{test}\"><failure/></testcase>"))
        .collect();
    let status = i32::from(!failing.is_empty());
    format!(
        "cat > r.xml <<'X'\n<testsuite name=\"s\"><testcase name=\"ok\"/>{cases}</testsuite>\nX\nexit {status}\n"
    )
}

impl Team {
    fn new(head: &str, failing: &[&str]) -> Self {
        Self::with(head, failing, |runner| runner)
    }

    fn with(head: &str, failing: &[&str], made: impl Fn(Runner) -> Runner) -> Self {
        let maestro = Maestro::in_repo();
        maestro
            .file(".maestro/maestro.yaml", config(head))
            .file(
                ".maestro/quarantine.json",
                r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "flaky", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#,
            )
            .file(".gitignore", "*.xml\n")
            .file("unit.sh", script(&[]))
            .file("src/a.txt", "a")
            .file("docs/a.md", "a");
        maestro.commit("Begin with tests");
        let _ = maestro.run(["init"]).success();
        maestro.commit("Adopt");
        maestro.git(&["switch", "--quiet", "--create", "topic"]);
        maestro
            .file("src/a.txt", "b")
            .file("unit.sh", script(failing));
        maestro.commit("Change");
        let runner = made(Runner::new(&maestro.path("")));
        Self { maestro, runner }
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.maestro.path(path)).unwrap()
    }

    /// The pull request's pipeline, after `edit`.
    fn pull_request(&mut self, edit: impl Fn(String) -> String) -> Outcome {
        self.runner.pull_request(7, "topic", "main");
        let text = edit(self.text(PIPELINE));
        self.runner.run(&text)
    }

    fn plain(&mut self) -> Outcome {
        self.pull_request(|text| text)
    }
}

const ENFORCED: &str = "enforce: [plan, flakes]\n";

#[test]
fn a_pull_request_goes_through_and_its_results_reach_the_state() {
    let mut team = Team::new("", &[]);
    let outcome = team.plain();
    let results = outcome.results();
    let (unit, others): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|(name, _)| *name == "unit");
    assert_eq!(unit, [("unit", "success")], "{}", outcome.log());
    assert!(others.contains(&("plan", "success")) && others.contains(&("gate", "success")));
    for job in &outcome.jobs {
        let writes: Vec<&String> = job
            .scopes
            .iter()
            .filter(|(_, level)| *level == "write")
            .map(|(scope, _)| scope)
            .collect();
        let expected: &[&str] = if job.id == "gate" {
            &["pull-requests"]
        } else {
            &[]
        };
        assert_eq!(writes, expected, "{}", job.id);
        assert_eq!(job.keeps_credentials, job.id != "test");
    }
    assert_eq!(
        outcome.artifacts.len(),
        outcome.jobs.iter().filter(|job| job.id == "test").count()
    );
    team.runner.schedule("41 5 * * 1");
    let weekly = team.text(WEEKLY);
    let weekly = team.runner.run(&weekly);
    weekly.ends(&[("state", "success")]);
    let log = team
        .maestro
        .git(&["ls-remote", "origin", "refs/heads/maestro-state"]);
    assert!(log.contains("refs/heads/maestro-state"), "{}", weekly.log());
    team.maestro
        .git(&["fetch", "--quiet", "origin", "maestro-state"]);
    let files = team
        .maestro
        .git(&["ls-tree", "-r", "--name-only", "FETCH_HEAD"]);
    assert!(files.contains("events/test_run/"), "{files}");
}

#[test]
fn what_no_job_is_about_runs_nothing_and_is_green() {
    let mut team = Team::new(ENFORCED, &[]);
    team.maestro
        .git(&["switch", "--quiet", "--create", "words", "main"]);
    team.maestro.file("docs/a.md", "b");
    team.maestro.commit("Words");
    team.maestro.git(&["push", "--quiet", "origin", "words"]);
    team.runner.pull_request(8, "words", "main");
    let text = team.text(PIPELINE);
    let outcome = team.runner.run(&text);
    outcome.ends(&[
        ("plan", "success"),
        ("docs", "success"),
        ("gate", "success"),
    ]);
}
