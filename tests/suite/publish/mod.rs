//! `maestro run-agents publish`: one draft pull request of a bundle, or nothing at all.

mod guard;
mod hostile;
pub(crate) mod work;

use std::fs;

use serde_json::{Value, json};

use crate::github::{Answer, Fake, Fault, ME, TOKEN};
use crate::harness::{Maestro, Run, files_below};
use work::{Agents, MESSAGE, write_index};

/// A repository with a remote, GitHub behind it, and a bundle of one commit.
pub(crate) struct Scene {
    pub(crate) maestro: Maestro,
    pub(crate) fake: Fake,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_policy(None)
    }

    fn with_policy(policy: Option<&str>) -> Self {
        let fake = Fake::start();
        let maestro = Maestro::in_repo()
            .env("GITHUB_REPOSITORY", "o/n")
            .env("GITHUB_TOKEN", TOKEN)
            .env("GITHUB_API_URL", fake.api());
        maestro
            .file(
                ".gitignore",
                "/bundle\n/agents\n/r.git\n/bin\n/log\n/shallow\n",
            )
            .file("src/lib.rs", "fn sum() {}\n");
        if let Some(policy) = policy {
            maestro.file(".maestro/policy.yaml", policy);
        }
        maestro.commit("Add a sum");
        maestro.git(&["clone", "--quiet", "--bare", "--template=", ".", "r.git"]);
        let remote = maestro.path("r.git");
        maestro.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        fake.store().git = Some(remote);
        let scene = Self { maestro, fake };
        scene.agents().bundle();
        scene
    }

    /// Agents that did a little.
    pub(crate) fn agents(&self) -> Agents<'_> {
        let agents = Agents::begin(&self.maestro);
        agents
            .file("src/lib.rs", "fn sum() { /* checked */ }\n")
            .file("tests/sum.rs", "// it says so\n");
        agents.commit(MESSAGE);
        agents
    }

    pub(crate) fn publish(&self, more: &[&str]) -> Run {
        let args = [&["run-agents", "publish", "bundle"], more].concat();
        self.maestro.run(args)
    }

    /// Publishes, expects success, and reads the document.
    #[track_caller]
    fn json(&self, more: &[&str]) -> Value {
        let run = self
            .publish(&[more, &["--format", "json"]].concat())
            .success();
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn remote(&self, args: &[&str]) -> String {
        self.maestro
            .git(&[&["-C", "r.git"], args].concat())
            .trim()
            .to_owned()
    }

    fn tip(&self, branch: &str) -> String {
        self.remote(&["rev-parse", &format!("refs/heads/{branch}")])
    }

    pub(crate) fn branches(&self) -> String {
        self.remote(&["for-each-ref", "--format=%(refname:short)", "refs/heads"])
    }

    pub(crate) fn pulls(&self) -> Vec<Value> {
        self.fake
            .store()
            .lists
            .get("/pulls")
            .cloned()
            .unwrap_or_default()
    }

    fn head(&self) -> String {
        let index = fs::read(self.maestro.path("bundle/bundle.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        index["head"]["commit"].as_str().unwrap().to_owned()
    }
}

const BRANCH: &str = "maestro/7-sum-overflows";

#[test]
fn a_bundle_becomes_one_draft_pull_request_and_stays_one() {
    let scene = Scene::new();
    let before: Vec<_> = files_below(&scene.maestro.path(".git"))
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("/maestro/"))
        .collect();
    let document = scene.json(&["--label", "agents"]);
    assert_eq!(document["pull_request"]["step"], "opened");
    assert_eq!(document["pushed"], "created");
    assert_eq!(scene.tip(BRANCH), scene.head());
    let [pull] = &scene.pulls()[..] else {
        panic!("there should be one");
    };
    assert_eq!(pull["draft"], true);
    assert_eq!(
        (&pull["head"]["ref"], &pull["base"]["ref"]),
        (&json!(BRANCH), &json!("main"))
    );
    let body = pull["body"].as_str().unwrap();
    for words in [
        "It panicked, and now it says so.",
        "Closes #7",
        "12 ran: 12 passed",
        "$0.25 of at most $10",
        "`maestro: agents, issue 7`",
    ] {
        assert!(body.contains(words), "{words}: {body}");
    }
    let writes = scene.fake.writes();
    assert!(
        writes.iter().any(|line| line.ends_with("/labels")),
        "{writes:?}"
    );
    let again = scene.json(&[]);
    assert_eq!(
        (&again["pull_request"]["step"], &again["pushed"]),
        (&json!("kept"), &json!("same"))
    );
    assert_eq!(scene.fake.writes(), [""; 0]);
    let after: Vec<_> = files_below(&scene.maestro.path(".git"))
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("/maestro/"))
        .collect();
    assert_eq!(
        before, after,
        "nothing of a bundle comes into the user's repository"
    );
    assert_eq!(scene.branches(), format!("{BRANCH}\nmain"));
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let scene = Scene::new();
    let run = scene.publish(&["--dry-run"]).success();
    for words in [
        "Would push",
        BRANCH,
        "Say that a sum overflows",
        "Closes #7",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert_eq!(scene.fake.writes(), [""; 0]);
    assert_eq!(scene.branches(), "main");
    let alone = Scene::new();
    let maestro = alone
        .maestro
        .env("GITHUB_TOKEN", "")
        .env("GITHUB_REPOSITORY", "");
    let run = maestro
        .run(["run-agents", "publish", "bundle", "--dry-run"])
        .success();
    assert!(
        run.stderr.contains("GitHub was not asked"),
        "{}",
        run.stderr
    );
}

#[test]
fn outputs_name_the_pull_request() {
    let scene = Scene::new();
    let outputs = scene.maestro.path("outputs");
    let mut command = scene.maestro.command(["run-agents", "publish", "bundle"]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_RUN_ID", "99")
        .env("GITHUB_SERVER_URL", "https://github.com");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("starts no workflows"), "{stderr}");
    let text = fs::read_to_string(outputs).unwrap();
    assert!(text.contains(BRANCH) && text.contains("opened"), "{text}");
    let body = scene.pulls()[0]["body"].clone();
    assert!(
        body.as_str()
            .unwrap()
            .contains("https://github.com/o/n/actions/runs/99"),
        "{body}"
    );
}

#[test]
fn a_part_closes_nothing() {
    let scene = Scene::new();
    let mut index = scene.agents().bundle();
    index["outcome"] = json!("partial");
    index["unfinished"] = json!(["The docs are missing; ask @org/team."]);
    write_index(&scene.maestro, index);
    let document = scene.json(&[]);
    let body = document["pull_request"]["body"].as_str().unwrap();
    assert!(
        body.contains("A part of #7") && !body.contains("Closes") && !body.contains("@org"),
        "{body}"
    );
}

#[test]
fn where_workflows_may_open_none_the_branch_is_pushed_and_a_link_opens_it() {
    let scene = Scene::new();
    scene.fake.store().things.insert("/actions/permissions/workflow".into(), json!({ "default_workflow_permissions": "read", "can_approve_pull_request_reviews": false }));
    scene.fake.faults(|asked| {
        let message = json!({ "message": "GitHub Actions is not permitted to create or approve pull requests." });
        (asked.method == "POST" && asked.path.ends_with("/pulls")).then(|| Fault::Instead(Answer::json(403, &message)))
    });
    let maestro = &scene.maestro;
    let mut command = maestro.command(["run-agents", "publish", "bundle", "--format", "json"]);
    command.env("GITHUB_ACTIONS", "true");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    for words in [
        "workflows may not open pull requests here",
        "Allow GitHub Actions to create and approve pull requests",
        "open it here: ",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["pull_request"]["step"], "link");
    let url = document["open_url"].as_str().unwrap();
    assert!(
        url.contains("/o/n/compare/main...maestro/7-sum-overflows?quick_pull=1&title=Say%20that"),
        "{url}"
    );
    assert_eq!(scene.tip(BRANCH), scene.head());
}

#[test]
fn without_a_token_nothing_is_pushed() {
    let scene = Scene::new();
    let maestro = scene.maestro.env("GITHUB_TOKEN", "");
    let _ = maestro
        .run(["run-agents", "publish", "bundle"])
        .exits_with(77)
        .says("no token")
        .says("pull-requests: write");
    let offline = Scene::new();
    let _ = offline.publish(&["--offline"]).exits_with(69);
    assert_eq!(offline.branches(), "main");
}

#[test]
fn the_api_writes_one_commit_of_the_same_tree() {
    let scene = Scene::new();
    let agents = scene.agents();
    agents.file("run.sh", "#!/bin/sh\n").git(&["add", "run.sh"]);
    agents.git(&["update-index", "--chmod=+x", "run.sh"]);
    agents.git(&["rm", "--quiet", "README.md"]);
    agents.git(&["commit", "--quiet", "--message", MESSAGE]);
    let index = agents.bundle();
    let document = scene.json(&["--via", "api"]);
    assert_eq!(document["pull_request"]["step"], "opened");
    let tree = scene.remote(&["rev-parse", &format!("{BRANCH}^{{tree}}")]);
    assert_eq!(index["head"]["tree"], tree.as_str());
    assert_eq!(
        scene.remote(&["rev-list", "--count", &format!("main..{BRANCH}")]),
        "1"
    );
    let message = scene.remote(&["log", "-1", "--format=%B", BRANCH]);
    assert!(
        message.starts_with("Say that a sum overflows\n\nMaestro-Run: r-1\n"),
        "{message}"
    );
    scene.fake.asked();
    let again = scene.json(&["--via", "api"]);
    assert_eq!(
        (&again["pull_request"]["step"], &again["pushed"]),
        (&json!("kept"), &json!("same"))
    );
    assert_eq!(scene.fake.writes(), [""; 0]);
}

#[test]
fn another_run_of_the_issue_moves_the_branch_and_changes_the_text() {
    let scene = Scene::new();
    let first = scene.json(&[]);
    let agents = scene.agents();
    agents
        .file("src/lib.rs", "fn sum() { /* better */ }\n")
        .commit(&MESSAGE.replace("r-1", "r-2"));
    agents.git(&["reset", "--quiet", "--soft", "origin/main"]);
    agents.commit(&MESSAGE.replace("r-1", "r-2"));
    let mut index = agents.bundle();
    index["run"] = json!("r-2");
    // Somebody renamed the issue.
    index["issue"]["title"] = json!("Sums overflow");
    write_index(&scene.maestro, index);
    let second = scene.json(&[]);
    assert_eq!(
        (&second["pull_request"]["step"], &second["pushed"]),
        (&json!("updated"), &json!("moved"))
    );
    assert_eq!(
        second["pull_request"]["number"],
        first["pull_request"]["number"]
    );
    assert_eq!(scene.branches(), format!("{BRANCH}\nmain"));
    assert_eq!(scene.pulls().len(), 1);
}

#[test]
fn a_branch_of_somebody_else_is_left_alone() {
    let scene = Scene::new();
    let _ = scene.publish(&[]).success();
    scene.maestro.git(&["fetch", "--quiet", "origin", BRANCH]);
    scene.maestro.git(&["checkout", "--quiet", "FETCH_HEAD"]);
    scene.maestro.file("src/lib.rs", "mine\n");
    scene.maestro.commit("Do it by hand");
    scene.maestro.git(&[
        "push",
        "--quiet",
        "origin",
        &format!("HEAD:refs/heads/{BRANCH}"),
    ]);
    let tip = scene.tip(BRANCH);
    scene.maestro.git(&["checkout", "--quiet", "main"]);
    let _ = scene
        .publish(&[])
        .exits_with(77)
        .says("somebody else has pushed");
    assert_eq!(scene.tip(BRANCH), tip);
    let _ = scene.publish(&["--via", "api"]).exits_with(77);
    assert_eq!(scene.tip(BRANCH), tip);
}

#[test]
fn a_pull_request_that_somebody_closed_stays_closed() {
    let scene = Scene::new();
    let _ = scene.publish(&[]).success();
    scene.fake.store().lists.get_mut("/pulls").unwrap()[0]["state"] = json!("closed");
    let document = scene.json(&[]);
    assert_eq!(document["pull_request"]["step"], "closed");
    assert_eq!(scene.pulls().len(), 1);
}

#[test]
fn one_that_a_person_opened_keeps_its_words() {
    let scene = Scene::new();
    let _ = scene.publish(&[]).success();
    {
        let mut store = scene.fake.store();
        let pull = &mut store.lists.get_mut("/pulls").unwrap()[0];
        pull["user"]["id"] = json!(ME + 1);
        pull["body"] = json!("mine");
    }
    let document = scene.json(&[]);
    assert_eq!(document["pull_request"]["step"], "of-other");
    assert_eq!(scene.pulls()[0]["body"], "mine");
}

#[test]
fn whatever_gets_lost_there_is_one() {
    for fault in [
        Fault::Reset,
        Fault::Torn,
        Fault::CutJson,
        Fault::Instead(Answer::json(502, &json!({}))),
        Fault::After(Answer::json(502, &json!({}))),
    ] {
        let scene = Scene::new();
        let mut left = 1;
        let shown = format!("{fault:?}");
        scene.fake.faults(move |asked| {
            let is_it = asked.method == "POST" && asked.path.ends_with("/pulls") && left > 0;
            left -= i32::from(is_it);
            is_it.then(|| fault.clone())
        });
        let first = scene.publish(&[]);
        scene.fake.mend();
        let again = scene.json(&[]);
        assert!(
            first.code == 0 || first.code == 69,
            "{shown}: {}",
            first.stderr
        );
        assert_eq!(scene.pulls().len(), 1, "{shown}");
        assert_eq!(again["pushed"], "same", "{shown}");
    }
}

#[test]
fn the_base_branch_may_be_further_and_not_elsewhere() {
    let scene = Scene::new();
    scene.maestro.file("more", "x\n");
    scene.maestro.commit("Go on");
    scene.maestro.git(&["push", "--quiet", "origin", "main"]);
    let _ = scene.publish(&[]).success();
    scene
        .maestro
        .git(&["checkout", "--quiet", "--orphan", "other"]);
    scene.maestro.commit("Elsewhere");
    scene
        .maestro
        .git(&["push", "--quiet", "--force", "origin", "other:main"]);
    let _ = scene
        .publish(&[])
        .exits_with(65)
        .says("not on the branch `main`");
}

#[test]
fn a_shallow_clone_publishes_too() {
    let scene = Scene::new();
    scene.maestro.file("more", "x\n");
    scene.maestro.commit("Go on");
    scene.maestro.git(&["push", "--quiet", "origin", "main"]);
    let url = format!("file://{}", scene.maestro.path("r.git").display());
    scene.maestro.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--template=",
        &url,
        "shallow",
    ]);
    let bundle = scene.maestro.path("bundle");
    let run = scene.maestro.run([
        "-C",
        "shallow",
        "run-agents",
        "publish",
        bundle.to_str().unwrap(),
    ]);
    let _ = run.success();
    assert_eq!(scene.tip(BRANCH), scene.head());
}

#[cfg(unix)]
#[test]
fn no_token_is_an_argument() {
    let scene = Scene::new();
    let log = scene.maestro.path("log");
    let git = scene.maestro.path("bin/git");
    scene.maestro.file(
        "bin/git",
        format!(
            "#!/bin/sh\necho \"$*\" >> '{}'; PATH=${{PATH#*:}} exec git \"$@\"\n",
            log.display()
        ),
    );
    fs::set_permissions(&git, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        scene.maestro.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = scene.maestro.command(["run-agents", "publish", "bundle"]);
    let output = command.env("PATH", path).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("push --porcelain"), "{log}");
    assert!(!log.contains(TOKEN), "{log}");
}

#[cfg(unix)]
#[test]
fn a_remote_that_wants_signatures_says_what_helps() {
    let scene = Scene::new();
    let hook = scene.maestro.path("r.git/hooks/pre-receive");
    let text = "#!/bin/sh\necho 'Commits must have verified signatures.' >&2\nexit 1\n";
    scene.maestro.file("r.git/hooks/pre-receive", text);
    fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = scene.publish(&[]).exits_with(77).says("--via api");
    let _ = run.says("Commits must have verified signatures");
    assert_eq!(scene.branches(), "main");
    assert!(scene.pulls().is_empty());
    let _ = scene.publish(&["--via", "api"]).success();
}

#[test]
fn the_document_follows_its_schema() {
    let scene = Scene::new();
    let document = scene.json(&["--dry-run"]);
    let schema =
        fs::read_to_string(crate::harness::package().join("schemas/agent-publish.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&document), "{document}");
    let index: Value =
        serde_json::from_slice(&fs::read(scene.maestro.path("bundle/bundle.json")).unwrap())
            .unwrap();
    let schema =
        fs::read_to_string(crate::harness::package().join("schemas/agent-bundle.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&index), "{index}");
}
