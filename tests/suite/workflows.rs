//! Every workflow that we show or use: those of `examples/`, of `init`, and of this repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use serde_yaml::Value;

use super::action::Scene;
use super::harness::{BINARY, Maestro, package};
use super::snapshot::Snapshot;

/// Actions that only the examples use. Each commit was found under its version in at least two independent public repositories.
const FURTHER: [(&str, &str, &str); 10] = [
    (
        "actions/attest",
        "1e69f48acb82d1966a394da916b4c1698aa569d6",
        "v4.2.2",
    ),
    (
        "actions/attest-build-provenance",
        "e8998f949152b193b063cb0ec769d69d929409be",
        "v2.4.0",
    ),
    (
        "actions/download-artifact",
        "d3f86a106a0bac45b974a628896c90dbdf5c8093",
        "v4.3.0",
    ),
    (
        "anchore/sbom-action",
        "7b36ad622f042cab6f59a75c2ac24ccb256e9b45",
        "v0.20.4",
    ),
    (
        "anchore/scan-action",
        "1638637db639e0ade3258b51db49a9a137574c3e",
        "v6.5.1",
    ),
    (
        "anthropics/claude-code-action",
        "cfc3eb22bfed5c26ef66e3223c982af27e4524de",
        "v1.0.231",
    ),
    (
        "docker/build-push-action",
        "263435318d21b8e681c14492fe198d362a7d2c83",
        "v6.18.0",
    ),
    (
        "docker/setup-buildx-action",
        "e468171a9de216ec08956ac3ada2f0791b6bd435",
        "v3.11.1",
    ),
    (
        "github/codeql-action",
        "51f77329afa6477de8c49fc9c7046c15b9a4e79d",
        "v3.29.5",
    ),
    // Where the examples take maestro from: nobody's repository, and no commit.
    (
        "acme/maestro",
        "0123456789012345678901234567890123456789",
        "maestro 0.1.0",
    ),
];

/// What a job that may write may do: commands of maestro that run no code of a change, and no model.
const TRUSTED: [&str; 10] = [
    "plan",
    "state pull",
    "state push",
    "gate",
    "state sync",
    "learning-pack",
    "budget lease",
    "budget settle",
    "run-agents publish",
    "doctor",
];

/// Actions that run nothing of the repository.
const HARMLESS: [&str; 6] = [
    "actions/checkout",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/attest",
    "actions/attest-build-provenance",
    "acme/maestro",
];

struct Workflow {
    path: String,
    text: String,
    yaml: Value,
}

impl Workflow {
    fn new(path: &str, text: String) -> Self {
        let yaml = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            text,
            yaml,
        }
    }

    fn jobs(&self) -> Vec<(String, Value)> {
        let jobs = self.yaml["jobs"].as_mapping().unwrap().iter();
        jobs.map(|(name, job)| (name.as_str().unwrap().to_owned(), job.clone()))
            .collect()
    }
}

fn below(folder: &str) -> Vec<Workflow> {
    let mut found: Vec<Workflow> = fs::read_dir(package().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            Workflow::new(
                &format!("{folder}/{name}"),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The examples, and what `init` writes with and without an action.
fn shown() -> Vec<Workflow> {
    static WRITTEN: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let mut all = below("examples/workflows");
    assert_eq!(all.len(), 8, "the README of the examples tells of eight");
    let written = WRITTEN.get_or_init(written).iter();
    all.extend(written.map(|(path, text)| Workflow::new(path, text.clone())));
    all
}

/// What `init` writes.
fn written() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let action = "acme/maestro@0123456789012345678901234567890123456789";
    for args in [vec!["init"], vec!["init", "--action", action]] {
        let maestro = Maestro::in_repo();
        maestro
            .file("go/go.mod", "module a\n")
            .file("js/package.json", r#"{"scripts": {"test": "vitest"}}"#);
        maestro.commit("Files");
        let _ = maestro.run(args).success();
        for name in ["maestro.yml", "maestro-weekly.yml"] {
            let path = format!(".github/workflows/{name}");
            let text = fs::read_to_string(maestro.path(&path)).unwrap();
            all.push((format!("init: {path}"), text));
        }
    }
    all
}

/// Those of this repository too.
fn every() -> Vec<Workflow> {
    let mut all = shown();
    all.extend(below(".github/workflows"));
    all
}

fn steps(job: &Value) -> Vec<Value> {
    job["steps"].as_sequence().cloned().unwrap_or_default()
}

fn action_of(step: &Value) -> Option<(String, String)> {
    let (name, commit) = step["uses"].as_str()?.split_once('@')?;
    Some((name.to_owned(), commit.to_owned()))
}

#[test]
fn no_workflow_that_people_copy_is_longer_than_sixty_lines() {
    for workflow in shown() {
        let count = workflow.text.lines().count();
        assert!(count <= 60, "{}: {count}", workflow.path);
    }
}

#[test]
fn every_action_is_a_known_commit_with_its_version_beside_it() {
    let table = fs::read_to_string(package().join("src/setup/actions.rs")).unwrap();
    for workflow in every() {
        for line in workflow.text.lines().filter(|line| line.contains("uses: ")) {
            let used = line.split("uses: ").nth(1).unwrap();
            let used = used.trim_start_matches('"');
            let used = used.split(['"', ' ', ',', '}']).next().unwrap();
            if used.starts_with("./") {
                continue;
            }
            let (name, commit) = used.split_once('@').unwrap();
            let root: Vec<&str> = name.splitn(3, '/').take(2).collect();
            let root = root.join("/");
            let further = FURTHER.iter().find(|(known, ..)| *known == root);
            let version = match further {
                Some((_, known, version)) => {
                    assert_eq!(commit, *known, "{}: {line}", workflow.path);
                    (*version).to_owned()
                }
                None => {
                    let row = format!("\"{root}\", \"{commit}\", \"");
                    let found = table.split(&row).nth(1);
                    let rest = found.unwrap_or_else(|| {
                        panic!("{}: {used} is not in src/setup/actions.rs", workflow.path)
                    });
                    rest.split('"').next().unwrap().to_owned()
                }
            };
            assert!(
                line.contains(&format!("# {version}")),
                "{}: {line} says no `# {version}`",
                workflow.path
            );
        }
    }
}

#[test]
fn no_script_has_an_expression_in_it() {
    let mut texts: Vec<(String, Value)> = every()
        .into_iter()
        .flat_map(|workflow| workflow.jobs())
        .collect();
    for file in ["action.yml", "save/action.yml"] {
        let text = fs::read_to_string(package().join(file)).unwrap();
        let yaml: Value = serde_yaml::from_str(&text).unwrap();
        texts.push((file.to_owned(), yaml["runs"].clone()));
    }
    let mut count = 0;
    for (name, job) in texts {
        for step in steps(&job) {
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{name}: {run}");
            count += usize::from(!run.is_empty());
        }
    }
    assert!(count > 20);
}

/// Whether a step runs nothing but what is trusted.
fn is_trusted(step: &Value) -> bool {
    let begins = |words: &str| {
        TRUSTED
            .iter()
            .any(|known| words == *known || words.starts_with(&format!("{known} ")))
    };
    if let Some(run) = step["run"].as_str() {
        return run.lines().all(|line| {
            let is_set_up = line.starts_with("cargo install maestro-ci --locked --version ");
            let is_ours = line.strip_prefix("maestro ").is_some_and(begins);
            let hides = line.contains(['|', ';', '&', '`']) || line.contains("$(");
            (is_set_up || is_ours) && !hides
        });
    }
    let (name, _) = action_of(step).unwrap();
    let command = step["with"]["command"].as_str();
    HARMLESS.contains(&name.as_str()) && command.is_none_or(begins)
}

#[test]
fn no_job_that_runs_code_of_a_change_may_write() {
    let mut writing = 0;
    for workflow in shown() {
        assert_eq!(
            workflow.yaml["permissions"],
            Value::Mapping(serde_yaml::Mapping::new()),
            "{}",
            workflow.path
        );
        for (name, job) in workflow.jobs() {
            let place = format!("{}: {name}", workflow.path);
            let permissions = job["permissions"].as_mapping().expect(&place);
            let may_write = permissions.values().any(|one| one.as_str() != Some("read"));
            let runs_code = !steps(&job).iter().all(is_trusted);
            assert!(!(may_write && runs_code), "{place}");
            writing += usize::from(may_write);
            for step in steps(&job) {
                let Some((action, _)) = action_of(&step) else {
                    continue;
                };
                let keeps = step["with"]["persist-credentials"].as_bool() != Some(false);
                assert!(
                    action != "actions/checkout" || !keeps || !runs_code,
                    "{place} leaves the token beside code of the change"
                );
            }
        }
        let on = serde_yaml::to_string(&workflow.yaml["on"]).unwrap();
        assert!(!on.contains("pull_request_target") && !on.contains("workflow_run"));
    }
    assert!(writing >= 8, "{writing}");
}

#[test]
fn every_line_of_maestro_is_one_that_it_takes() {
    let folder = Maestro::in_folder();
    let (mut lines, mut seen) = (0, BTreeSet::new());
    for workflow in every() {
        for (name, job) in workflow.jobs() {
            for step in steps(&job) {
                let run = step["run"].as_str().unwrap_or_default();
                let mut script: Vec<String> = run
                    .lines()
                    .filter(|line| line.starts_with("maestro "))
                    .map(str::to_owned)
                    .collect();
                if let Some(command) = step["with"]["command"].as_str() {
                    let args = step["with"]["args"].as_str().unwrap_or_default();
                    script.push(format!("maestro {command} {}", args.replace('\n', " ")));
                }
                for line in script {
                    lines += 1;
                    if !seen.insert(line.clone()) {
                        continue;
                    }
                    let whole = format!(
                        "maestro() {{ '{BINARY}' \"$@\" --help >/dev/null; }}\n{}\n",
                        line.replace(" &", "")
                    );
                    let done = Command::new("bash")
                        .args(["-euc", &whole])
                        .current_dir(folder.path(""))
                        .envs(
                            [
                                ("JOB", "unit"),
                                ("SHARD", "1/2"),
                                ("ISSUE", "7"),
                                ("NUMBER", "7"),
                                ("LEFT", "left"),
                                ("RUNNER_TEMP", "."),
                                ("GITHUB_ENV", "env"),
                            ]
                            .into_iter()
                            .collect::<BTreeMap<_, _>>(),
                        )
                        .output()
                        .unwrap();
                    assert!(
                        done.status.success(),
                        "{}: {name}: {line}: {}",
                        workflow.path,
                        String::from_utf8_lossy(&done.stderr)
                    );
                }
            }
        }
    }
    assert!(lines > 25, "{lines}");
}

/// A team that has a job of its own for each project, on a branch that changes one of them.
fn team() -> Scene {
    static MADE: OnceLock<Snapshot> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let maestro = Maestro::in_repo();
        maestro
            .file(
                ".maestro/maestro.yaml",
                "schema: maestro.config/v1\nenforce: [plan, flakes]\njobs:\n  core: { paths: ['core/**'], run: 'sh core/test.sh', junit: r.xml }\n  web: { paths: ['web/**'], run: 'true' }\n",
            )
            .file(".gitignore", "*.xml\naction-copy/\nbuilt/\n")
            .file("core/test.sh", "echo '<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>' > r.xml\n")
            .file("web/a.txt", "a");
        maestro.commit("Begin");
        maestro.git(&["switch", "--quiet", "--create", "topic"]);
        maestro.file("core/a.txt", "a");
        maestro.commit("Change");
        maestro.git(&["switch", "--quiet", "main"]);
        Snapshot::of(&maestro.path(""))
    });
    Scene::of(Maestro::laid(made), |runner| runner)
}

fn example(name: &str) -> String {
    let path = package().join("examples/workflows").join(name);
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_example_of_pull_requests_runs_and_the_weekly_one_takes_its_results_in() {
    let mut scene = team();
    scene.runner.pull_request(7, "topic", "main");
    let outcome = scene.runner.run(&example("pull-request.yml"));
    outcome.ends(&[
        ("plan", "success"),
        ("core", "success"),
        ("gate", "success"),
    ]);
    assert_eq!(outcome.artifacts.len(), 1);
    scene.runner.schedule("17 3 * * *");
    let weekly = scene.runner.run(&example("weekly.yml"));
    weekly.ends(&[("state", "success")]);
    let tree = scene.maestro.git(&[
        "--git-dir",
        scene.runner.remote().to_str().unwrap(),
        "ls-tree",
        "-r",
        "--name-only",
        "maestro-state",
    ]);
    assert!(tree.contains("events/test_run/"), "{tree}{}", weekly.log());
}

#[test]
fn the_examples_of_queues_and_forks_run() {
    let mut scene = team();
    scene.runner.merge_group("topic", "main");
    let queued = scene.runner.run(&example("merge-queue.yml"));
    let green = [
        ("plan", "success"),
        ("core", "success"),
        ("gate", "success"),
    ];
    queued.ends(&green);
    scene.runner.pull_request_of_fork(8, "topic", "main");
    let fork = scene.runner.run(&example("fork-pull-requests.yml"));
    fork.ends(&green);
}

#[test]
fn the_example_of_a_monorepo_runs_each_job_that_the_plan_names() {
    let mut scene = team();
    scene.runner.pull_request(7, "topic", "main");
    let outcome = scene.runner.run(&example("monorepo.yml"));
    outcome.ends(&[
        ("plan", "success"),
        ("core 1/4", "success"),
        ("core 2/4", "success"),
        ("core 3/4", "success"),
        ("core 4/4", "success"),
        ("web", "skipped"),
        ("gate", "success"),
    ]);
    let broken = example("monorepo.yml").replace("needs.plan.outputs.core == 'true'", "false");
    let outcome = scene.runner.run(&broken);
    outcome.red();
    outcome.job("gate").says("plan/job-skipped");
}

/// What agents spent is settled also when they failed, and what they did not spend is given back.
#[test]
fn the_example_of_agents_lends_and_settles() {
    let mut scene = team();
    let payload = json!({
        "action": "labeled", "label": { "name": "agents" }, "issue": { "number": 12, "user": { "login": "ada", "id": 5 } },
    });
    let main = scene.maestro.git(&["rev-parse", "main"]);
    scene
        .runner
        .event("issues", payload, "refs/heads/main", main.trim());
    let text = example("agents.yml");
    let run = text
        .lines()
        .find(|line| line.contains("maestro run-agents --issue"))
        .unwrap();
    let spends = "      - run: maestro budget reserve --lease lease.json --provider anthropic --model claude-haiku-4-5 --worst-usd 1 && exit 13";
    let outcome = scene.runner.run(&text.replace(run, spends));
    outcome.ends(&[
        ("lease", "success"),
        ("agents", "failure"),
        ("publish", "success"),
    ]);
    let refs = scene
        .maestro
        .git(&["ls-remote", "origin", "refs/maestro/*"]);
    assert!(
        refs.contains("refs/maestro/budget") && refs.contains("refs/maestro/inbox/"),
        "{refs}"
    );
    outcome.job("publish").says("$1");
}

#[test]
fn the_example_of_claude_code_action_hands_out_no_key() {
    let scene = team();
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let shown = Arc::clone(&seen);
    let mut runner = scene
        .runner
        .secret("ANTHROPIC_API_KEY", "sk-ant-the-real-one")
        .stands_in("anthropics/claude-code-action", move |given| {
            shown.lock().unwrap().clone_from(given);
            BTreeMap::new()
        });
    runner.pull_request(7, "topic", "main");
    runner.labelled("claude");
    let text = example("claude-code-action.yml").replace("--idle-timeout 600", "--idle-timeout 2");
    let outcome = runner.run(&text);
    outcome.ends(&[
        ("lease", "success"),
        ("claude", "success"),
        ("settle", "success"),
    ]);
    let key = seen.lock().unwrap()["anthropic_api_key"].clone();
    assert!(!key.is_empty() && !key.contains("sk-ant"), "{key}");
}
