//! `maestro exec`.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Maestro, Run};
use crate::pull_request::{QUARANTINE, VARIABLES, begin, tell, with_remote};

/// A repository with jobs, whose `main` has a quarantine of `s > flaky`, on a branch of its own.
fn repository(enforce: &str, jobs: &str) -> Maestro {
    let maestro = with_remote();
    let config = format!("schema: maestro.config/v1\nenforce: [{enforce}]\njobs:\n{jobs}");
    maestro
        .file(".maestro/maestro.yaml", config)
        .file(".maestro/quarantine.json", QUARANTINE);
    begin(&maestro);
    maestro
}

/// Returns the plan's output `trusted`, as a workflow hands it on.
fn trusted(maestro: Maestro) -> Maestro {
    let output = maestro.path("plan.out");
    maestro.file("plan.out", "");
    tell(&maestro);
    let mut plan = maestro.command(["plan", "--base", "main"]);
    plan.env("GITHUB_OUTPUT", &output)
        .env("GITHUB_ACTIONS", "true")
        .envs(VARIABLES);
    let made = plan.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(output).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("trusted"));
    let line = lines[at.expect("the output `trusted`")];
    let value = match line.split_once("<<") {
        Some(_) => lines[at.unwrap() + 1],
        None => line.split_once('=').unwrap().1,
    };
    let value = value.to_owned();
    assert!(value.contains("maestro.trusted/v1"), "{value}");
    maestro.env("MAESTRO_TRUSTED", value)
}

/// A shell's text that writes a report: names of tests, those that fail with a `!`.
fn report(tests: &[&str]) -> String {
    let cases = tests.iter().map(|test| match test.strip_suffix('!') {
        Some(test) => format!("<testcase name=\\\"{test}\\\"><failure/></testcase>"),
        None => format!("<testcase name=\\\"{test}\\\"/>"),
    });
    let cases: String = cases.collect();
    format!("echo \"<testsuite name=\\\"s\\\">{cases}</testsuite>\" > r.xml")
}

/// One job `test` that writes a report and exits.
fn job(tests: &[&str], more: &str) -> String {
    let run = format!("{}; {more}", report(tests));
    let run = serde_json::to_string(&format!("sh -c '{run}'")).unwrap();
    format!("  test: {{ run: {run}, junit: r.xml }}\n")
}

fn exec(maestro: &Maestro, args: &[&str]) -> (Run, Value) {
    let target = maestro.path("out/exec.json");
    let target = format!("json={}", target.display());
    let mut all = vec!["exec", "--report", &target];
    all.extend(args);
    let run = maestro.run(all);
    let text = fs::read_to_string(maestro.path("out/exec.json")).unwrap_or_default();
    (run, serde_json::from_str(&text).unwrap_or_default())
}

#[track_caller]
fn check(maestro: &Maestro, args: &[&str], expected: (i32, &str)) -> Value {
    let (run, document) = exec(maestro, args);
    let standing = document["standing"].as_str().unwrap_or_default();
    assert_eq!((run.code, standing), expected, "{}\n{document}", run.stderr);
    document
}

fn codes(document: &Value, key: &str) -> Vec<String> {
    let rows = document[key].as_array().unwrap().iter();
    rows.map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn only_what_the_plan_says_is_quarantined_is_forgiven() {
    let maestro = repository("flakes", &job(&["flaky!", "ok"], "exit 100"));
    let document = check(&maestro, &["test"], (100, "failed"));
    assert_eq!(codes(&document, "obstacles"), ["no-rules"]);
    assert_eq!(document["events"], 2);
    let maestro = trusted(maestro);
    let document = check(&maestro, &["test"], (0, "forgiven"));
    assert_eq!(document["tests"]["forgiven"], 1);
    // What the change itself quarantines is forgiven nothing.
    let maestro = trusted(repository("flakes", &job(&["flaky!", "other!"], "exit 1")));
    let text = fs::read_to_string(maestro.path(".maestro/quarantine.json")).unwrap();
    maestro.file(".maestro/quarantine.json", text.replace("flaky", "other"));
    check(&maestro, &["test"], (1, "failed"));
    let shown = maestro.run(["exec", "test"]).exits_with(1);
    assert!(shown.stdout.is_empty(), "{}", shown.stdout);
    let _ = shown.says("nobody has quarantined it");
}

#[test]
fn in_shadow_it_says_what_would_be_forgiven() {
    let maestro = trusted(repository("", &job(&["flaky!"], "exit 1")));
    let document = check(&maestro, &["test"], (1, "would-forgive"));
    assert_eq!(document["tests"]["failures"][0]["ruling"], "not-enforced");
    let _ = maestro
        .run(["exec", "test"])
        .exits_with(1)
        .says("with `enforce: [flakes]` on the base it would be forgiven");
}

#[test]
fn what_is_not_certain_stays_a_failure() {
    let cut = "sh -c 'echo \"<testsuite name=\\\"s\\\"><testcase name=\\\"flaky\\\"><failure/></testcase><testcase\" > r.xml; exit 1'";
    let more = "sh -c 'echo \"<testsuite name=\\\"s\\\" failures=\\\"2\\\"><testcase name=\\\"flaky\\\"><failure/></testcase></testsuite>\" > r.xml; exit 1'";
    let text = |run: &str| serde_json::to_string(run).unwrap();
    let write = format!("sh -c '{}'", report(&["flaky!"]));
    let jobs = [
        ("cut", text(cut)),
        ("more", text(more)),
        ("none", text("exit-1-is-no-command")),
        ("killed", text(&format!("{write}\nsh -c 'kill -9 $$'"))),
        ("early", text(&format!("{write}; false; true"))),
        ("late", text(&format!("true && {write}; sleep 0.05; false"))),
        (
            "loop",
            text(&format!("for x in a; do {write}; false; done")),
        ),
        ("green", text(&write)),
    ];
    let jobs = jobs.map(|(name, run)| format!("  {name}: {{ run: {run}, junit: r.xml }}\n"));
    let maestro = trusted(repository("flakes", &jobs.concat()));
    let troubles = |job: &str, expected: (i32, &str)| {
        let _none_yet = fs::remove_file(maestro.path("r.xml"));
        let document = check(&maestro, &[job], expected);
        let mut all = codes(&document, "obstacles");
        all.extend(codes(&document["tests"], "troubles"));
        all.join(" ")
    };
    assert_eq!(troubles("cut", (1, "failed")), "not-whole");
    assert_eq!(troubles("more", (1, "failed")), "not-whole");
    assert_eq!(troubles("none", (127, "failed")), "no-report not-whole");
    // Some shells become their last command, others tell of it.
    let killed = troubles("killed", (137, "failed"));
    assert!(
        ["killed", "runner-failed"]
            .iter()
            .any(|code| killed.contains(code)),
        "{killed}"
    );
    assert_eq!(troubles("early", (1, "failed")), "not-reached");
    // The tests passed, by what their command said, and something else failed.
    assert_eq!(troubles("late", (1, "failed")), "earlier-report");
    assert_eq!(troubles("loop", (1, "failed")), "unclear-command");
    assert_eq!(troubles("green", (0, "passed")), "");
    // A report of the run before is not one of this run.
    check(&maestro, &["green"], (0, "passed"));
    let document = check(&maestro, &["none"], (127, "failed"));
    assert_eq!(document["stale"], serde_json::json!(["r.xml"]));
    assert_eq!(document["tests"]["reports"], 0);
}

#[test]
fn rules_that_cannot_be_used_forgive_nothing() {
    let maestro = repository("flakes", &job(&["flaky!"], "exit 1"));
    for (text, code) in [
        ("{}", "bad-rules"),
        ("nowhere.json", "bad-rules"),
        ("  ", "no-rules"),
    ] {
        let document = check(&maestro, &["test", "--trusted", text], (1, "failed"));
        assert_eq!(codes(&document, "obstacles"), [code], "{text}");
    }
    let green = trusted(repository("flakes", &job(&["ok"], "exit 0")));
    let cut = ["test", "--trusted", "{\"schema\":"];
    check(&green, &cut, (0, "passed"));
}

#[test]
fn results_are_filed_as_ingest_files_them() {
    let maestro = repository("flakes", &job(&["a", "b!"], "exit 1"));
    let args = ["test", "--run", "7", "--attempt", "2", "--shard", "2/4"];
    let document = check(&maestro, &args, (1, "failed"));
    assert_eq!(document["leg"], "2/4");
    let report = maestro.json(&["flakes", "report", "--all"]);
    assert_eq!(report["totals"]["runs"], 1, "{report}");
    let outbox = crate::harness::files_below(&maestro.path(".git/maestro/outbox"));
    let text = fs::read_to_string(&outbox[0]).unwrap();
    let run = text
        .lines()
        .find(|line| line.contains("\"test_run\""))
        .unwrap();
    let event: Value = serde_json::from_str(run).unwrap();
    let facts = (&event["run"], &event["attempt"], &event["job"]);
    assert_eq!(facts, (&"7".into(), &2.into(), &"test".into()));
    assert_eq!(event["payload"]["leg"], "2/4");
    // Ingesting the same report again, as a step of its own may, is no second run.
    let again = [
        "flakes",
        "ingest",
        "r.xml",
        "--run",
        "7",
        "--attempt",
        "2",
        "--job",
        "test",
        "--leg",
        "2/4",
    ];
    let _ = maestro.run(again).success().says("nothing new to store");
}

#[test]
fn a_command_finds_its_shard() {
    let maestro = repository(
        "",
        "  test: { run: 'echo \"$SHARD $SHARD_INDEX $SHARD_TOTAL $MAESTRO_JOB ${MAESTRO_LEG:-none}\"' }\n",
    );
    let prints = |args: &[&str], expected: &str| {
        let mut all = vec!["exec", "test"];
        all.extend(args);
        assert_eq!(maestro.run(all).success().stdout, expected, "{args:?}");
    };
    prints(&[], "1/1 1 1 test none\n");
    prints(&["--shard", ""], "1/1 1 1 test none\n");
    prints(&["--shard", "2/4"], "2/4 2 4 test 2/4\n");
    prints(
        &["--shard", "2/4", "--leg", "linux"],
        "2/4 2 4 test linux 2/4\n",
    );
    let _ = maestro
        .run(["exec", "test", "--shard", "5/4"])
        .exits_with(2);
    let _ = maestro
        .run(["exec", "tst"])
        .exits_with(2)
        .says("did you mean `test`?");
}

#[test]
fn streams_and_codes_pass_through_untouched() {
    let maestro = Maestro::in_repo();
    let script = "cat; printf 'a\\000\\377' ; printf 'e\\001' >&2; exit 42";
    let mut command = maestro.command(["exec", "--quiet", "--", "sh", "-c", script]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"in\xff").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"in\xffa\0\xff");
    assert_eq!(output.stderr, b"e\x01");
    assert_eq!(output.status.code(), Some(42));
    let _ = maestro
        .run(["exec", "--", "no-such-program"])
        .exits_with(66)
        .says("cannot run `no-such-program`");
    let _ = maestro
        .run(["exec", "--", "sh", "-c", "kill -15 $$"])
        .exits_with(143)
        .says("signal 15");
    // Bash stops at the first failure, inside of pipelines too.
    let jobs = "  a: { run: \"false\\necho on\" }\n  b: { run: \"false | cat\" }\n";
    let maestro = repository("", jobs);
    assert_eq!(maestro.run(["exec", "a"]).exits_with(1).stdout, "");
    let _ = maestro.run(["exec", "b"]).exits_with(1);
}

#[cfg(unix)]
#[test]
fn signals_reach_all_that_the_command_started() {
    let maestro = Maestro::in_repo();
    let script = "trap 'echo told; exit 3' TERM; sleep 30 & echo $!; wait";
    let mut child = maestro
        .command(["exec", "--quiet", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let sleeper = lines.next().unwrap().unwrap();
    signal(&child, "TERM");
    assert_eq!(lines.next().unwrap().unwrap(), "told");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) && is_alive(&sleeper) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!is_alive(&sleeper), "it outlived the signal");
}

#[cfg(unix)]
#[test]
fn a_second_signal_kills() {
    let maestro = Maestro::in_repo();
    let script = "trap 'echo told' INT; echo up; while :; do sleep 0.02; done";
    let mut child = maestro
        .command(["exec", "--quiet", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "up");
    signal(&child, "INT");
    assert_eq!(lines.next().unwrap().unwrap(), "told");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(137));
}

#[cfg(unix)]
fn signal(child: &std::process::Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[cfg(target_os = "linux")]
fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
    state.is_some_and(|state| state != b'Z')
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_alive(process: &str) -> bool {
    let status = std::process::Command::new("kill")
        .args(["-0", process])
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

#[test]
fn what_takes_too_long_is_stopped() {
    let run = format!("{}; sleep 30", report(&["flaky!"]));
    let run = serde_json::to_string(&format!("sh -c '{run}'")).unwrap();
    let jobs = format!("  slow: {{ run: {run}, junit: r.xml, timeout_minutes: 9 }}\n");
    let maestro = trusted(repository("flakes", &jobs));
    let start = Instant::now();
    let args = ["slow", "--timeout", "1s"];
    let document = check(&maestro, &args, (124, "failed"));
    assert!(start.elapsed() < Duration::from_secs(9));
    assert_eq!(document["ended"], "timed-out");
    assert_eq!(codes(&document, "obstacles"), ["timed-out"]);
    let plan = maestro.json(&["exec", "--dry-run", "slow"]);
    assert_eq!(plan["timeout_seconds"], 540);
}

#[test]
fn a_fault_of_ours_changes_no_answer() {
    // No state can be written: a file stands in its place.
    for (exit, code) in [("exit 0", 0), ("exit 7", 7)] {
        let maestro = repository("flakes", &job(&["other!"], exit));
        maestro.file(".git/maestro", "in the way");
        let standing = if code == 0 { "passed" } else { "failed" };
        let document = check(&maestro, &["test"], (code, standing));
        let notes = document["notes"].to_string();
        assert!(notes.contains("its results are not stored"), "{document}");
    }
    // Nor does a result that cannot be written, or a folder without a repository.
    let maestro = Maestro::in_folder();
    maestro.file("file", "");
    for code in ["0", "9"] {
        let script =
            format!("echo '<testsuite><testcase name=\"a\"/></testsuite>' > r.xml; exit {code}");
        let args = [
            "exec",
            "--junit",
            "r.xml",
            "--report",
            "json=file/x.json",
            "--",
            "sh",
            "-c",
            &script,
        ];
        let _ = maestro
            .run(args)
            .exits_with(code.parse().unwrap())
            .says("cannot write")
            .says("not stored");
    }
}

#[test]
fn switched_off_it_runs_the_command_and_nothing_else() {
    let maestro = trusted(repository("flakes", &job(&["flaky!"], "exit 5")));
    let maestro = maestro.env("MAESTRO_DISABLE", "1");
    let _ = maestro
        .run(["exec", "test"])
        .exits_with(5)
        .says("MAESTRO_DISABLE is set");
    assert!(!maestro.path(".git/maestro/outbox").exists());
    assert!(maestro.path("r.xml").exists());
}

#[test]
fn a_dry_run_runs_nothing() {
    let maestro = repository("flakes", &job(&["flaky!"], "exit 5"));
    let document = maestro.json(&["exec", "--dry-run", "test", "--shard", "1/2"]);
    assert_eq!(document["variables"]["SHARD"], "1/2");
    assert_eq!(document["junit"], serde_json::json!(["r.xml"]));
    assert!(!maestro.path("r.xml").exists());
}

/// A `pytest` that tells how it was called, and with which plugin.
#[cfg(unix)]
const PYTEST: &str = "#!/bin/sh\necho \"$PYTHONPATH $*\" > said.xml\n[ -z \"$PYTHONPATH\" ] || cat \"$PYTHONPATH/maestro_quarantine.py\" > plugin.xml\necho '<testsuite name=\"s\"><testcase name=\"ok\"/></testsuite>' > r.xml\n";

#[cfg(unix)]
#[test]
fn tests_of_mode_skip_do_not_run_where_the_runner_is_known() {
    use std::os::unix::fs::PermissionsExt;
    let jobs = "  test: { run: 'pytest -q', junit: r.xml }\n  list: { run: 'pytest -q && true', junit: r.xml }\n";
    let maestro = repository("flakes", jobs);
    let text = fs::read_to_string(maestro.path(".maestro/quarantine.json")).unwrap();
    maestro.git(&["switch", "--quiet", "main"]);
    let skip = text.replace("\"reason\"", "\"mode\": \"skip\", \"reason\"");
    maestro.file(".maestro/quarantine.json", skip);
    maestro.commit("Skip");
    maestro.git(&["push", "--quiet", "origin", "main"]);
    maestro.git(&["switch", "--quiet", "topic"]);
    maestro.git(&["merge", "--quiet", "main"]);
    maestro.file("out/pytest", PYTEST);
    let pytest = maestro.path("out/pytest");
    fs::set_permissions(&pytest, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", maestro.path("out").display());
    let maestro = trusted(maestro).env("PATH", path);
    let said = || fs::read_to_string(maestro.path("said.xml")).unwrap();
    let document = check(&maestro, &["test"], (0, "passed"));
    assert_eq!(document["left_out"], serde_json::json!(["s > flaky"]));
    let words = said();
    assert!(words.ends_with(" -q -p maestro_quarantine\n"), "{words}");
    let plugin = fs::read_to_string(maestro.path("plugin.xml")).unwrap();
    assert!(plugin.contains(r#"["s","flaky"]"#), "{plugin}");
    // Nothing of it stays.
    let folder = words.split(' ').next().unwrap();
    assert!(!std::path::Path::new(folder).exists(), "{folder}");
    // A command that is more than the runner's runs as it is.
    let document = check(&maestro, &["list"], (0, "passed"));
    assert_eq!(document["left_out"], serde_json::json!([]));
    assert_eq!(said(), " -q\n");
    let notes = document["notes"].to_string();
    assert!(notes.contains("1 test of mode `skip` run"), "{notes}");
    // And so does everything where the plan handed on no rules.
    let maestro = maestro.env("MAESTRO_TRUSTED", "");
    let _ = maestro.run(["exec", "test"]).success();
    assert_eq!(
        fs::read_to_string(maestro.path("said.xml")).unwrap(),
        " -q\n"
    );
}
