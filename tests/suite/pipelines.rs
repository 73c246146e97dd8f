//! The workflows that `maestro init` writes, run whole: a pull request through plan, exec and gate, and the state after it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use super::action::Scene;
use super::harness::Maestro;
use super::runner::{Outcome, Runner};
use super::snapshot::Snapshot;

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
        "schema: maestro.config/v1\n{head}jobs:\n  unit: {{ paths: ['src/**'], run: 'sh src/unit.sh', junit: r.xml }}\n  docs: {{ paths: ['docs/**'], run: 'true' }}\n"
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

/// A repository that adopted maestro by `init` with these arguments, and whose branch `topic` makes these tests fail.
fn adopted(head: &str, failing: &[&str], init: &[&str]) -> Maestro {
    static MADE: Mutex<BTreeMap<String, Snapshot>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    let what = format!("{head}{failing:?}{init:?}");
    let adopted = made
        .entry(what)
        .or_insert_with(|| Snapshot::of(&adopts(head, failing, init).path("")));
    Maestro::laid(adopted)
}

fn adopts(head: &str, failing: &[&str], init: &[&str]) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro
        .file(".maestro/maestro.yaml", config(head))
        .file(
            ".maestro/quarantine.json",
            r#"{"schema": "maestro.quarantine/v1", "tests": [{"suite": "s", "test": "flaky", "reason": "r", "since": "2026-01-01", "review_by": "2026-02-01"}]}"#,
        )
        .file(".gitignore", "*.xml\naction-copy/\nbuilt/\n")
        .file("src/unit.sh", script(&[]))
        .file("src/a.txt", "a")
        .file("docs/a.md", "a");
    let _ = maestro.run([&["init"], init].concat()).success();
    maestro.commit("Adopt");
    maestro.git(&["switch", "--quiet", "--create", "topic"]);
    maestro
        .file("src/a.txt", "b")
        .file("src/unit.sh", script(failing));
    maestro.commit("Change");
    maestro.git(&["switch", "--quiet", "main"]);
    maestro
}

impl Team {
    fn new(head: &str, failing: &[&str]) -> Self {
        Self::of(adopted(head, failing, &[]))
    }

    fn of(maestro: Maestro) -> Self {
        Self::with(maestro, |runner| runner)
    }

    fn with(maestro: Maestro, made: impl Fn(Runner) -> Runner) -> Self {
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

/// What the gate says, and that the run is as green as it should be.
#[track_caller]
fn gate_says(outcome: &Outcome, is_green: bool, words: &str) {
    if is_green {
        outcome.green();
    } else {
        outcome.red();
        assert_eq!(outcome.job("gate").result, "failure", "{}", outcome.log());
    }
    outcome.job("gate").says(words);
}

#[test]
fn a_pull_request_goes_through_and_its_results_reach_the_state() {
    let mut team = Team::new(ENFORCED, &["flaky"]);
    let outcome = team.plain();
    outcome.ends(&[
        ("plan", "success"),
        ("unit", "success"),
        ("gate", "success"),
    ]);
    for job in &outcome.jobs {
        let writes = job.scopes.iter().filter(|(_, level)| *level == "write");
        let writes: Vec<&str> = writes.map(|(scope, _)| scope.as_str()).collect();
        let expected: &[&str] = if job.id == "gate" {
            &["pull-requests"]
        } else {
            &[]
        };
        assert_eq!(writes, expected, "{}", job.id);
        assert_eq!(job.keeps_credentials, job.id != "test", "{}", job.id);
    }
    assert_eq!(outcome.artifacts.len(), 1);
    team.runner.schedule("41 5 * * 1");
    let weekly = team.text(WEEKLY);
    let weekly = team.runner.run(&weekly);
    weekly.ends(&[("state", "success")]);
    team.maestro
        .git(&["fetch", "--quiet", "origin", "maestro-state"]);
    let files = team
        .maestro
        .git(&["ls-tree", "-r", "--name-only", "FETCH_HEAD"]);
    assert!(
        files.contains("events/test_run/"),
        "{files}{}",
        weekly.log()
    );
}

#[test]
fn what_fails_is_red_and_blocks_only_where_it_is_enforced() {
    let failing = ["flaky", "broken"];
    let outcome = Team::new("", &failing).plain();
    outcome.red();
    assert_eq!(outcome.job("unit").result, "failure");
    assert_eq!(outcome.job("gate").result, "success");
    outcome.job("gate").says("would-block");
    let enforced = Team::new(ENFORCED, &failing).plain();
    gate_says(&enforced, false, "plan/job-failed");
}

#[test]
fn lost_outputs_of_the_plan_are_red() {
    let sound = || adopted(ENFORCED, &[], &[]);
    let mut team = Team::with(sound(), |runner| runner.drops("plan", "has_jobs"));
    gate_says(&team.plain(), false, "plan/job-skipped");
    // GitHub drops an output in which it sees a secret.
    let mut team = Team::with(sound(), |runner| runner.secret("WORD", "unit"));
    let outcome = team.plain();
    gate_says(&outcome, false, "plan/output-missing");
    outcome.job("plan").says("Skip output 'matrix'");
}

#[test]
fn without_the_rules_of_the_base_nothing_is_forgiven() {
    let flaky = adopted(ENFORCED, &["flaky"], &[]);
    let mut team = Team::with(flaky, |runner| runner.drops("plan", "trusted"));
    gate_says(&team.plain(), false, "plan/job-failed");
}

#[test]
fn a_workflow_that_a_change_weakened_is_red() {
    let edits: [(&str, &str, &str); 3] = [
        (
            "if: needs.plan.outputs.has_jobs == 'true'",
            "if: false",
            "plan/job-skipped",
        ),
        (
            "matrix: \"${{ fromJSON(needs.plan.outputs.matrix) }}\"",
            "matrix: { include: [{ id: docs, job: docs }] }",
            "plan/job-not-run",
        ),
        ("needs: [plan, test]", "needs: [plan]", "plan/job-skipped"),
    ];
    let mut team = Team::new(ENFORCED, &[]);
    team.maestro.git(&["switch", "--quiet", "topic"]);
    team.maestro.file("docs/a.md", "b");
    team.maestro.commit("Words");
    team.maestro.git(&["push", "--quiet", "origin", "topic"]);
    for (from, to, words) in edits {
        let outcome = team.pull_request(|text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        gate_says(&outcome, false, words);
    }
}

#[test]
fn a_cancelled_job_and_a_missing_binary_are_red() {
    let mut team = Team::with(adopted(ENFORCED, &[], &[]), |runner| {
        runner.cancelled_at("test")
    });
    let outcome = team.plain();
    gate_says(&outcome, false, "plan/job-cancelled");
    let mut team = Team::new("", &[]);
    let set_up = format!(
        "      - run: cargo install maestro-ci --locked --version {}\n",
        env!("CARGO_PKG_VERSION")
    );
    let outcome = team.pull_request(|text| text.replace(&set_up, ""));
    outcome.red();
    assert_eq!(outcome.job("plan").result, "failure");
    outcome.job("plan").says("maestro: command not found");
    let outcome =
        team.pull_request(|text| text.replace("--locked --version ", "--locked --version 9"));
    outcome.red();
}

#[test]
fn a_change_that_breaks_the_configuration_is_red() {
    let mut team = Team::new("", &[]);
    team.maestro.git(&["switch", "--quiet", "topic"]);
    team.maestro.file(
        ".maestro/maestro.yaml",
        "schema: maestro.config/v1\njobz: {}\n",
    );
    team.maestro.commit("Break");
    team.maestro.git(&["push", "--quiet", "origin", "topic"]);
    let outcome = team.plain();
    outcome.red();
    assert_eq!(outcome.job("plan").result, "failure");
    outcome.job("plan").says("did you mean `jobs`?");
}

#[test]
fn it_stops_at_once() {
    let mut team = Team::with(adopted(ENFORCED, &["broken"], &[]), |runner| {
        runner.var("MAESTRO_DISABLE", "1")
    });
    let outcome = team.plain();
    // Everything runs, and nothing is judged but by its own job.
    assert_eq!(outcome.job("docs").result, "success");
    assert_eq!(outcome.job("unit").result, "failure");
    assert_eq!(outcome.job("gate").result, "success");
    outcome.job("gate").says("MAESTRO_DISABLE");
}

#[test]
fn a_shallow_checkout_and_a_forks_token_make_nothing_green_that_is_not() {
    let shallow = |text: String| text.replace("{ fetch-depth: 0 }", "{ fetch-depth: 1 }");
    let outcome = Team::new(ENFORCED, &["broken"]).pull_request(shallow);
    gate_says(&outcome, false, "plan/job-failed");
    let mut team = Team::new(ENFORCED, &["flaky"]);
    team.runner.pull_request_of_fork(9, "topic", "main");
    let text = team.text(PIPELINE);
    let outcome = team.runner.run(&text);
    outcome.green();
    for job in &outcome.jobs {
        assert!(job.scopes.values().all(|level| level == "read"));
    }
    let comments = team.runner.github.comments(9);
    assert!(comments.is_empty(), "{comments:?}");
}

#[test]
fn pushes_and_merge_queues_run_it_too() {
    let mut team = Team::new(ENFORCED, &[]);
    let text = team.text(PIPELINE);
    team.runner.push("main");
    // Nothing of `main` is known to have passed.
    let everything = [
        ("plan", "success"),
        ("unit", "success"),
        ("docs", "success"),
        ("gate", "success"),
    ];
    let mut sorted: Vec<(&str, &str)> = everything.to_vec();
    sorted.sort_unstable();
    let outcome = team.runner.run(&text);
    let mut results = outcome.results();
    results.sort_unstable();
    assert_eq!(results, sorted, "{}", outcome.log());
    team.runner.merge_group("topic", "main");
    let queued = team.runner.run(&text);
    queued.ends(&[
        ("plan", "success"),
        ("unit", "success"),
        ("gate", "success"),
    ]);
}

const CAPPED: &str = "enforce: [plan, budget]\n";

/// The step that fetches the state.
const PULL: &str = "maestro state pull";

/// What nobody has stored yet is an answer; what could not be asked for is none.
#[test]
fn a_budget_wants_the_state_and_on_the_first_day_there_is_none() {
    let mut team = Team::new(CAPPED, &[]);
    // A fork's token reads as well.
    team.runner.pull_request_of_fork(9, "topic", "main");
    let text = team.text(PIPELINE);
    let first = team.runner.run(&text);
    gate_says(&first, true, "`origin` has no state branch yet");
    let lost = team.pull_request(|text| text.replace(PULL, &format!("{PULL} --remote nowhere")));
    gate_says(&lost, false, "budget/state-missing");
    // Who has not fetched it is not asked for it on the first day.
    let mut shadow = Team::new("", &[]);
    let lost = shadow.pull_request(|text| {
        assert!(text.contains(PULL), "{text}");
        text.replace(PULL, &format!("{PULL} --remote nowhere"))
    });
    lost.green();
}

/// Two machines that did not know of each other spent more than the cap.
#[test]
fn what_agents_spent_reaches_the_gate() {
    let mut team = Team::new(CAPPED, &[]);
    for (spent, is_green, words) in [
        ("6", true, "agent spend $6 of $10"),
        ("7", false, "budget/pull-request-cap"),
    ] {
        let machine = team.maestro.copy();
        let reserve = [
            "budget",
            "reserve",
            "--pr",
            "7",
            "--provider",
            "anthropic",
            "--model",
            "claude-haiku-4-5",
            "--worst-usd",
            spent,
        ];
        let ticket = machine.run(reserve).success().stdout;
        let settle = [
            "budget",
            "settle",
            "--pr",
            "7",
            "--unknown",
            "--reservation",
            ticket.trim(),
        ];
        let _ = machine.run(settle).success();
        let _ = machine.run(["state", "push"]).success();
        gate_says(&team.plain(), is_green, words);
    }
}

/// With the action, no line has to be edited by hand.
#[test]
fn the_action_sets_it_up_as_well() {
    let action = "acme/maestro@0123456789012345678901234567890123456789";
    let maestro = adopted(ENFORCED, &[], &["--action", action]);
    let mut scene = Scene::of(maestro, |runner| runner);
    scene.runner.pull_request(7, "topic", "main");
    let text = fs::read_to_string(scene.maestro.path(PIPELINE)).unwrap();
    assert!(!text.contains("cargo install"), "{text}");
    let outcome = scene.runner.run(&text);
    outcome.ends(&[
        ("plan", "success"),
        ("unit", "success"),
        ("gate", "success"),
    ]);
    outcome.job("unit").says("is on the path");
}
