//! `extends:` of the configuration, and `maestro fleet diff`.

use serde_json::{Value, json};

use crate::check_policy::{base64, github};
use crate::harness::Maestro;

const HEAD: &str = "schema: maestro.config/v1\n";

const BASE: &str = "\
schema: maestro.config/v1
requires: '>=0.1'
locked: [enforce, flakes, state.redact, jobs.lint]
enforce: [policy]
flakes: {review_by: 7d, never: [tests/security/**]}
run_all_on: [toolchain.toml]
jobs:
  lint: {run: make lint}
  test: {run: make test, junit: a.xml}
";

/// A repository whose configuration extends a file of its own, which has this text.
fn extending(base: &str, own: &str) -> Maestro {
    let maestro = Maestro::in_repo();
    maestro.file("base.yaml", base);
    maestro.commit("Publish");
    let pin = maestro.git(&["rev-parse", "HEAD"]).trim().to_owned();
    set(&maestro, &format!("extends: //base.yaml@{pin}\n{own}"));
    maestro
}

fn set(maestro: &Maestro, own: &str) {
    maestro.file(".maestro/maestro.yaml", format!("{HEAD}{own}"));
    maestro.commit("Configure");
}

/// Returns the value and the origin of a setting; commits are as short as `PIN`.
fn shown(document: &Value, key: &str) -> (String, String) {
    let mut rows = document["settings"].as_array().unwrap().iter();
    let row = rows.find(|row| row["key"] == key);
    let row = row.unwrap_or_else(|| panic!("{key}: {document}"));
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let origin = text("origin");
    let origin = match origin.find('@') {
        Some(at) => format!("{}PIN{}", &origin[..=at], &origin[at + 10..]),
        None => origin,
    };
    (text("value"), origin)
}

#[test]
fn an_organisations_configuration_lies_below_the_repositorys_own() {
    let maestro = extending(
        BASE,
        "flakes: {review_by: 3d, never: [tests/money/**]}\njobs:\n  test: {run: make more}\noverrides: {users: [ada]}\n",
    );
    let document = maestro.json(&["config", "show"]);
    for (key, value, origin) in [
        ("enforce", "policy", "base //base.yaml@PIN:4, locked"),
        (
            "flakes.review_by",
            "3d",
            "file .maestro/maestro.yaml, locked",
        ),
        (
            "flakes.never",
            "tests/security/**, tests/money/**",
            "base //base.yaml@PIN:5 and file .maestro/maestro.yaml, locked",
        ),
        ("run_all_on", "toolchain.toml", "base //base.yaml@PIN:6"),
        (
            "jobs.lint.run",
            "make lint",
            "base //base.yaml@PIN:8, locked",
        ),
        ("jobs.test.run", "make more", "file .maestro/maestro.yaml"),
        ("jobs.test.junit", "a.xml", "base //base.yaml@PIN:9"),
        ("overrides.users", "ada", "file .maestro/maestro.yaml"),
        ("agents.max_usd", "10", "default"),
    ] {
        assert_eq!(
            shown(&document, key),
            (value.to_owned(), origin.to_owned()),
            "{key}"
        );
    }
    let planned = maestro.json(&["plan"]);
    let jobs = planned["jobs"].as_array().unwrap();
    let jobs: Vec<&Value> = jobs.iter().map(|job| &job["id"]).collect();
    assert_eq!(jobs, ["lint", "test"]);
}

#[test]
fn what_is_locked_is_not_loosened() {
    let loose = "flakes: { quarantine: gate, review_by: 8d }\njobs:\n  lint:\n    run: 'true'\n";
    let maestro = extending(BASE, loose);
    let pin = maestro.git(&["rev-parse", "HEAD~1"]).trim().to_owned();
    let run = maestro.run(["config", "show"]).exits_with(78);
    let wanted = format!(
        "error: `.maestro/maestro.yaml:3:29`: `flakes.review_by` is looser than locked: 8d instead of 7d (`//base.yaml@{pin}`, line 5); \
         `.maestro/maestro.yaml:6:5`: `jobs.lint.run` is other than locked: true instead of make lint (`//base.yaml@{pin}`, line 8)\n\n\
         hint: //base.yaml@{} holds it: make it as strict or stricter, or leave the key out\n",
        &pin[..9]
    );
    assert_eq!(run.stderr, wanted);
    // A base is read as strictly as any other file.
    for (base, words) in [
        (format!("{HEAD}nope: 1\n"), "unknown key `nope`"),
        (
            format!("{HEAD}extends: //b.yaml@{pin}\n"),
            "extends another configuration itself",
        ),
        (
            format!("{HEAD}locked: [flakes.reviewby]\n"),
            "did you mean `flakes.review_by`?",
        ),
        (
            format!("{HEAD}requires: '>=99'\nnope: 1\n"),
            "requires maestro >=99",
        ),
        (
            "schema: maestro.config/v2\n".to_owned(),
            "has schema `maestro.config/v2`",
        ),
    ] {
        let run = extending(&base, "")
            .run(["plan"])
            .exits_with(78)
            .says(words);
        assert!(run.stderr.contains("//base.yaml@"), "{}", run.stderr);
    }
}

#[test]
fn what_a_change_extends_counts_once_it_is_merged() {
    let maestro = extending(BASE, "");
    maestro.file(
        ".maestro/policy.yaml",
        "schema: maestro.policy/v1\nrules:\n- {rule: protected-paths, id: deploy, severity: block, reason: r, protect: ['deploy/**']}\n",
    );
    maestro.commit("Guard");
    maestro.git(&["checkout", "--quiet", "-b", "topic"]);
    maestro.file("deploy/a", "x\n");
    set(&maestro, "");
    let document = maestro.run(["check-policy", "--base", "main", "--format", "json"]);
    let document: Value = serde_json::from_str(&document.exits_with(10).stdout).unwrap();
    assert_eq!(document["enforced"], json!(true), "{document}");
    // The other way round: what enforces nothing on the branch that it goes to enforces nothing.
    maestro.git(&["checkout", "--quiet", "main"]);
    set(&maestro, "");
    let document = maestro.json(&["check-policy", "--base", "main", "--head", "topic"]);
    assert_eq!(document["enforced"], json!(false), "{document}");
}

#[test]
fn without_the_base_nothing_is_judged_and_nothing_is_lost() {
    let maestro = Maestro::in_repo();
    let pin = "0".repeat(40);
    set(
        &maestro,
        &format!("extends: //base.yaml@{pin}\nstate: {{redact: false}}\n"),
    );
    for command in [&["plan"][..], &["gate", "--no-fetch"], &["config", "show"]] {
        let _ = maestro
            .run(command)
            .exits_with(69)
            .says("could not be read");
    }
    // Jobs that run a change's code have no credentials, and their commands' outcome is not maestro's.
    let run = maestro
        .run(["exec", "--", "sh", "-c", "exit 3"])
        .exits_with(3);
    assert!(run.stderr.contains("counts alone"), "{}", run.stderr);
    let key = concat!("AKIA", "Q3EGRIVZ5J2L7NXA");
    maestro.file(
        "r.xml",
        format!(
            "<testsuite><testcase name='a'><failure message='key {key} x'/></testcase></testsuite>"
        ),
    );
    maestro.run(["flakes", "ingest", "r.xml"]).success();
    maestro.run(["state", "pack", "events.ndjson"]).success();
    let stored = std::fs::read_to_string(maestro.path("events.ndjson")).unwrap();
    assert!(
        stored.contains("test_run") && !stored.contains(key),
        "{stored}"
    );
    let stopped = maestro.env("MAESTRO_DISABLE", "1");
    stopped.run(["plan"]).success();
}

#[test]
fn an_organisations_configuration_is_read_from_github_at_its_commit() {
    let pin = "0123456789abcdef0123456789abcdef01234567";
    let maestro = Maestro::in_repo();
    set(&maestro, &format!("extends: acme/ci//base.yaml@{pin}\n"));
    let _ = maestro.run(["plan", "--offline"]).exits_with(69);
    let file = json!({"path": "base.yaml", "sha": "x", "size": BASE.len(), "encoding": "base64", "content": base64(BASE.as_bytes())});
    let line = format!("/repos/acme/ci/contents/base.yaml?ref={pin}");
    let address = github(vec![(line, file)]);
    let maestro = maestro
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_API_URL", address)
        .env("GITHUB_TOKEN", "t");
    let document = maestro.json(&["config", "show"]);
    assert_eq!(
        shown(&document, "enforce"),
        (
            "policy".to_owned(),
            "base acme/ci//base.yaml@PIN:4, locked".to_owned()
        )
    );
    // The commit says which bytes they are: they are kept. What judges a change asks anew.
    maestro.run(["config", "show", "--offline"]).success();
    let gate = maestro.run(["check-policy", "--offline", "--base", "HEAD"]);
    let _ = gate.exits_with(69);
}

const POLICY: &str = "\
schema: maestro.policy/v1
locked: all
rules:
- {rule: protected-paths, id: deploy, severity: block, reason: r, protect: ['deploy/**']}
";

/// A folder of repositories.
struct Fleet(Maestro);

impl Fleet {
    fn new() -> Self {
        Self(Maestro::in_folder())
    }

    /// Writes files of a repository, which is made when missing, and returns the commit.
    fn commit(&self, repository: &str, files: &[(&str, &str)]) -> String {
        if !self.0.path(repository).exists() {
            self.0
                .git(&["init", "--quiet", "--initial-branch=main", repository]);
        }
        for (path, text) in files {
            self.0.file(&format!("{repository}/{path}"), text);
        }
        self.0.git(&["-C", repository, "add", "--all"]);
        self.0.git(&[
            "-C",
            repository,
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "Next",
        ]);
        let tip = self.0.git(&["-C", repository, "rev-parse", "HEAD"]);
        tip.trim().to_owned()
    }

    fn diff(&self, list: &str) -> Value {
        self.0.file("fleet.txt", list);
        self.0.json(&["fleet", "diff", "--repos", "fleet.txt"])
    }
}

fn config(pin: &str, own: &str) -> String {
    format!("{HEAD}extends: acme/ci//base.yaml@{pin}\n{own}")
}

fn row<'d>(document: &'d Value, name: &str) -> &'d Value {
    let mut rows = document["repositories"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap()
}

const LIST: &str = "\
acme/ci ci
acme/api api
acme/web web
same
plain
gone
folder
";

fn fleet() -> Fleet {
    let fleet = Fleet::new();
    let old = fleet.commit("ci", &[("base.yaml", BASE), ("p.yaml", POLICY)]);
    let newer = BASE.replace("make test", "make check");
    fleet.commit("ci", &[("README.md", "x\n")]);
    let same = fleet.commit("ci", &[("base.yaml", &newer)]);
    let tip = fleet.commit("ci", &[("README.md", "y\n")]);
    let action = |version: &str| {
        format!("jobs:\n  a:\n    steps:\n      - uses: acme/maestro@{same} # v{version}\n")
    };
    let quarantine = json!({"schema": "maestro.quarantine/v1", "tests": [
        {"suite": "a", "test": "one", "owner": "@x", "reason": "r", "since": "2025-12-01", "review_by": "2025-12-24"},
        {"suite": "a", "test": "two", "owner": "@x", "reason": "r", "since": "2025-12-01", "review_by": "2026-02-01"},
    ]});
    let rule = "rules:\n- {rule: protected-paths, id: deploy, severity: warn, reason: r,\n   protect: ['deploy/**']}\n";
    fleet.commit(
        "api",
        &[
            (
                ".maestro/maestro.yaml",
                &config(&old, "requires: '>=0.1'\nflakes:\n  review_by: 30d\n"),
            ),
            (
                ".maestro/policy.yaml",
                &format!("schema: maestro.policy/v1\nextends: acme/ci//p.yaml@{old}\n{rule}"),
            ),
            (".maestro/quarantine.json", &quarantine.to_string()),
            (".github/workflows/ci.yml", &action("0.3.0")),
        ],
    );
    let own = "enforce: [policy, plan]\njobs: {test: {run: other}}\n";
    fleet.commit(
        "web",
        &[
            (".maestro/maestro.yaml", &config(&tip, own)),
            (".github/workflows/ci.yml", &action("0.4.0")),
        ],
    );
    fleet.commit("same", &[(".maestro/maestro.yaml", &config(&same, ""))]);
    fleet.commit("plain", &[("README.md", "x\n")]);
    fleet.0.file("folder/README.md", "x\n");
    fleet
}

#[test]
fn who_is_behind_and_who_loosened_is_said() {
    let fleet = fleet();
    let document = fleet.diff(LIST);
    let count = |key: &str| document[key].as_u64().unwrap();
    assert_eq!(
        (
            count("behind"),
            count("loosened"),
            count("unread"),
            count("failing")
        ),
        (1, 1, 2, 3)
    );
    let api = row(&document, "acme/api");
    assert_eq!(
        (
            &api["configuration"]["standing"],
            &api["configuration"]["behind"],
            &api["requires"]
        ),
        (&json!("behind"), &json!(3), &json!(">=0.1"))
    );
    assert_eq!(
        api["configuration"]["loosened"],
        json!([{"key": "flakes.review_by", "line": 5, "floor": "7d", "own": "30d"}])
    );
    assert_eq!(
        (
            &api["policy"]["standing"],
            &api["policy"]["loosened"][0]["key"],
            &api["policy"]["overridden"]
        ),
        (
            &json!("same"),
            &json!("deploy.severity"),
            &json!(["deploy"])
        )
    );
    assert_eq!(
        (
            &api["quarantine"],
            &api["enforce"],
            &api["maestro"][0]["is_newest"]
        ),
        (
            &json!({"tests": 2, "overdue": 1}),
            &json!(["policy"]),
            &json!(false)
        )
    );
    let web = row(&document, "acme/web");
    assert_eq!(
        (
            &web["configuration"]["standing"],
            &web["configuration"]["overridden"],
            &web["enforce"]
        ),
        (
            &json!("newest"),
            &json!(["enforce", "jobs.test"]),
            &json!(["policy", "plan"])
        )
    );
    assert_eq!(document["newest_maestro"], "0.4.0");
    let same = &row(&document, "same")["configuration"];
    assert_eq!(
        (&same["standing"], &same["behind"]),
        (&json!("same"), &json!(1))
    );
    for (name, status) in [
        ("acme/ci", "unconfigured"),
        ("plain", "unconfigured"),
        ("gone", "missing"),
        ("folder", "unreadable"),
    ] {
        assert_eq!(row(&document, name)["status"], status, "{name}");
    }
}

#[test]
fn a_check_fails_for_what_is_wrong_and_for_nothing_else() {
    let fleet = fleet();
    let check = |list: &str, more: &[&str]| {
        fleet.0.file("fleet.txt", list);
        let mut args = vec!["fleet", "diff", "--repos", "fleet.txt", "--check"];
        args.extend(more);
        fleet.0.run(args)
    };
    let run = check(LIST, &[])
        .exits_with(16)
        .says("`gone` (line 6) could not be read");
    assert!(
        run.stdout
            .contains("its configuration loosens `flakes.review_by`: 30d instead of 7d"),
        "{}",
        run.stdout
    );
    check(
        "acme/ci ci\nacme/web web\nsame\nplain\n",
        &["--max-behind", "0"],
    )
    .success();
    check("gone\n", &[]).exits_with(16);
    fleet
        .0
        .run(["fleet", "diff", "--repos", "fleet.txt"])
        .success();
    // Another text, some commits ago.
    let old = fleet.0.git(&["-C", "ci", "rev-parse", "HEAD~3"]);
    fleet.commit(
        "same",
        &[(".maestro/maestro.yaml", &config(old.trim(), ""))],
    );
    check("acme/ci ci\nsame\n", &[]).success();
    check("acme/ci ci\nsame\n", &["--max-behind", "3"]).success();
    let run = check("acme/ci ci\nsame\n", &["--max-behind", "2"]).exits_with(16);
    assert!(
        run.stdout.contains("its configuration is 3 commits behind"),
        "{}",
        run.stdout
    );
}

#[test]
fn where_nobody_can_be_asked_the_newest_pin_of_the_fleet_counts_or_none() {
    let fleet = Fleet::new();
    let old = fleet.commit("ci", &[("base.yaml", BASE)]);
    let tree = fleet.0.git(&["-C", "ci", "rev-parse", "HEAD^{tree}"]);
    let tree = tree.trim();
    let person = "a <a@example.com> 1893456000 +0000";
    fleet.0.file(
        "commit.txt",
        format!("tree {tree}\nparent {old}\nauthor {person}\ncommitter {person}\n\nNext\n"),
    );
    let new = fleet.0.git(&[
        "-C",
        "ci",
        "hash-object",
        "-t",
        "commit",
        "-w",
        "../commit.txt",
    ]);
    let new = new.trim().to_owned();
    fleet
        .0
        .git(&["-C", "ci", "update-ref", "refs/heads/main", &new]);
    for (name, pin) in [("a", &old), ("b", &new)] {
        fleet.commit(name, &[(".maestro/maestro.yaml", &config(pin, ""))]);
    }
    let diff = || {
        fleet.0.file("fleet.txt", "a\nb\n");
        fleet
            .0
            .json(&["fleet", "diff", "--repos", "fleet.txt", "--offline"])
    };
    let document = diff();
    let a = &row(&document, "a")["configuration"];
    assert_eq!(
        (&a["standing"], &a["newest"]),
        (&json!("unknown"), &Value::Null)
    );
    assert!(
        a["problem"].as_str().unwrap().contains("could not be read"),
        "{a}"
    );
    // Objects that the clones have say what the file is, and when its commit was made.
    for name in ["a", "b"] {
        fleet
            .0
            .git(&["-C", name, "fetch", "--quiet", "../ci", "main"]);
    }
    let document = diff();
    let (a, b) = (
        &row(&document, "a")["configuration"],
        &row(&document, "b")["configuration"],
    );
    assert_eq!(
        (&a["problem"], &a["newest_of"]),
        (&Value::Null, &json!("fleet")),
        "{a}"
    );
    assert_eq!(
        (&a["standing"], &a["newest"], &b["standing"]),
        (&json!("behind"), &json!(new), &json!("newest"))
    );
}

#[test]
fn repositories_at_github_are_read_without_a_clone() {
    let (pin, tip, head) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
    let commit = |sha: &str| json!({"sha": sha, "commit": {"message": "m", "author": null, "committer": null}, "author": null, "parents": []});
    let file = |text: &str| json!({"path": "f", "sha": "x", "size": text.len(), "encoding": "base64", "content": base64(text.as_bytes())});
    let own = config(&pin, "flakes: {review_by: 30d}\n");
    let newer = BASE.replace("make test", "make check");
    let workflow = "- uses: acme/maestro@v0.3.0\n";
    let answers = [
        ("/repos/acme/api/commits/HEAD".to_owned(), commit(&head)),
        (
            format!("/repos/acme/api/contents/.maestro/maestro.yaml?ref={head}"),
            file(&own),
        ),
        (
            format!("/repos/acme/api/contents/.github/workflows/ci.yml?ref={head}"),
            file(workflow),
        ),
        (
            format!("/repos/acme/api/git/trees/{head}"),
            json!({"sha": head, "tree": [{"path": ".github/workflows/ci.yml", "sha": "y", "type": "blob"}], "truncated": false}),
        ),
        ("/repos/acme/ci/commits/HEAD".to_owned(), commit(&tip)),
        (
            format!("/repos/acme/ci/contents/base.yaml?ref={pin}"),
            file(BASE),
        ),
        (
            format!("/repos/acme/ci/contents/base.yaml?ref={tip}"),
            file(&newer),
        ),
        (
            format!("/repos/acme/ci/compare/{pin}...{tip}"),
            json!({"status": "ahead", "ahead_by": 7, "behind_by": 0, "total_commits": 7, "merge_base_commit": {"sha": pin}, "commits": []}),
        ),
    ];
    let fleet = Fleet(
        Maestro::in_folder()
            .env("GITHUB_API_URL", github(answers.into()))
            .env("GITHUB_TOKEN", "t"),
    );
    let document = fleet.diff("acme/api\nacme/secret\n");
    let api = row(&document, "acme/api");
    let configuration = &api["configuration"];
    assert_eq!(
        (
            &configuration["standing"],
            &configuration["behind"],
            &configuration["newest_of"]
        ),
        (&json!("behind"), &json!(7), &json!("default-branch")),
        "{api}"
    );
    assert_eq!(configuration["loosened"][0]["key"], "flakes.review_by");
    assert_eq!(api["maestro"][0]["version"], "0.3.0");
    let secret = row(&document, "acme/secret");
    assert_eq!(secret["status"], "unreadable");
    assert!(
        secret["problem"].as_str().unwrap().contains("404"),
        "{secret}"
    );
}
